#ifndef CMD_COMMAND_H
#define CMD_COMMAND_H

/*
 * Command tables: one row per command, one option table per row.  The command line, --help and the
 * reference pages come from the same rows.
 *
 * Global options may stand anywhere, those of a command anywhere behind its name:
 *
 *     --slot NAME, --slot=NAME         values
 *     --strict, --strict=true          yes
 *     --create-slot false, --no-create-slot   no
 *     -c PATH, -cPATH                  the global options with one letter
 *     --                               what follows is no option
 *
 * A command or an option of a feature that this version does not have is refused by the feature's
 * name.  Nothing depends on argv[0].
 */

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/opt.h"
#include "project/later.h"

struct command;

/* Options that every command takes. */
struct global_options {
    const char *config; /* NULL: searched */
    int log_format;     /* enum log_format */
};

struct invocation {
    const struct command *program; /* the root row */
    const struct command *command;
    const char *path; /* "dlq list" */
    struct global_options global;
    void *settings; /* of the command's option table */
    const char **args;
    size_t arg_count;
    struct arena *arena;
};

struct command {
    const char *name;
    const char *alias; /* a second name, or NULL */
    const char *summary;
    const char *details; /* a paragraph for --help, or NULL */
    const char *args;    /* "[PATH]", for the usage line */
    size_t min_args, max_args;
    const struct opt *options; /* NULL: none */
    size_t settings_size;
    const struct later *later; /* options of later features, by name with dashes; may be NULL */
    const char *feature;       /* the whole command belongs to a later feature */
    bool hidden;               /* for ourselves: not in --help */
    const struct command *subcommands; /* ends with a zeroed row */
    int (*run)(const struct invocation *invocation);
};

enum command_wish {
    COMMAND_RUN,
    COMMAND_HELP,
    COMMAND_VERSION,
};

/* ERR_CONFIG with what to type instead; the caller exits with 64. */
MUST_CHECK bool command_parse(const struct command *program, int argc, char *const *argv,
                              struct arena *arena, struct invocation *ret,
                              enum command_wish *ret_wish, struct err *err);

void command_help(const struct invocation *invocation, struct buf *out);

/* Every command's reference as one Markdown page. */
void command_document(const struct command *program, struct buf *out);

#endif
