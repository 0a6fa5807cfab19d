#ifndef PROJECT_FAULT_H
#define PROJECT_FAULT_H

/*
 * Faults in the files of a project: every one is an error in a report, and its place is
 * "file:line:column".  The text says what is wrong and, behind a semicolon, what to do.
 *
 *     fault_at_key(report, file, node, "unknown key \"%s\"; did you mean \"%s\"?", ...);
 */

#include "base/attr.h"
#include "base/toml.h"
#include "model/report.h"

struct spot {
    const char *file; /* as shown to the user */
    int line, column; /* from 1 */
};

struct spot spot_of_key(const char *file, const struct toml *node);
struct spot spot_of_value(const char *file, const struct toml *node);

/* "file:line:column", in the arena. */
const char *spot_text(struct spot spot, struct arena *arena);

void fault_at(struct report *report, struct spot spot, const char *fmt, ...) PRINTF(3, 4);

/* A text that begins with its own "file:line:column: ", as toml_parse() makes it. */
void fault_text(struct report *report, const char *text);

#endif
