#ifndef CMD_COMMAND_HELP_H
#define CMD_COMMAND_HELP_H

/* The global options, shared by parsing and help. */

#include "base/opt.h"

extern const struct opt command_global_options[];

/* The one-letter form of a global option, or 0. */
char command_letter(const char *name);

#endif
