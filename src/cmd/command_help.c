/* command_help: help and reference pages out of the command tables. */
#include "cmd/command_help.h"

#include <assert.h>
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "cmd/command.h"

#define COLUMN     28
#define FLAG_LIMIT 128

/* "--from-lsn <LSN>", "--create-slot" */
static void
put_flag(const struct opt *opt, struct buf *out)
{
    const char *last = strrchr(opt->name, '_');

    buf_putf(out, "--");
    for (const char *c = opt->name; *c; c++)
        buf_putc(out, *c == '_' ? '-' : *c);
    if (opt->type == OPT_TYPE_BOOL)
        return;
    buf_putf(out, " <");
    if (opt->type == OPT_TYPE_WORD) {
        for (size_t i = 0; opt->words[i]; i++)
            buf_putf(out, "%s%s", i ? "|" : "", opt->words[i]);
    } else {
        for (const char *c = last ? last + 1 : opt->name; *c; c++)
            buf_putc(out, (char)toupper((unsigned char)*c));
    }
    buf_putc(out, '>');
}

static void
put_options(const struct opt *options, struct buf *out)
{
    for (const struct opt *opt = options; opt && opt->type != OPT_TYPE_END; opt++) {
        CLEANUP(buf_free) struct buf flag = buf_make(FLAG_LIMIT);
        const char letter = command_letter(opt->name);

        put_flag(opt, &flag);
        if (letter)
            buf_putf(out, "  -%c, ", letter);
        else
            buf_putf(out, "      ");
        buf_putf(out, "%-*s %s", COLUMN, buf_span(&flag).ptr, opt->help);
        if (opt->fallback && *opt->fallback && strcmp(opt->fallback, "false") != 0)
            buf_putf(out, " (default: %s)", opt->fallback);
        buf_putc(out, '\n');
    }
}

static void
put_global_options(struct buf *out)
{
    put_options(command_global_options, out);
    buf_putf(out, "  -h, %-*s %s\n", COLUMN, "--help", "Print help");
    buf_putf(out, "  -V, %-*s %s\n", COLUMN, "--version", "Print version");
}

static void
put_commands(const struct command *command, struct buf *out)
{
    buf_putf(out, "\nCommands:\n");
    for (const struct command *row = command->subcommands; row->name; row++) {
        if (row->feature || row->hidden)
            continue;
        buf_putf(out, "  %-10s %s", row->name, row->summary);
        if (row->alias)
            buf_putf(out, " (also: %s)", row->alias);
        buf_putc(out, '\n');
    }
}

static void
put_usage(const char *program, const char *path, const struct command *command, struct buf *out)
{
    buf_putf(out, "%s%s%s [OPTIONS]", program, *path ? " " : "", path);
    if (command->subcommands)
        buf_putf(out, " <COMMAND>");
    if (command->args)
        buf_putf(out, " %s", command->args);
    buf_putc(out, '\n');
}

void
command_help(const struct invocation *invocation, struct buf *out)
{
    const struct command *command = invocation->command;

    buf_putf(out, "%s\n\nUsage: ", command->summary);
    put_usage(invocation->program->name, invocation->path, command, out);
    if (command->details)
        buf_putf(out, "\n%s\n", command->details);
    if (command->subcommands)
        put_commands(command, out);
    if (command->options) {
        buf_putf(out, "\nOptions:\n");
        put_options(command->options, out);
    }
    buf_putf(out, command->options ? "\nGlobal options:\n" : "\nOptions:\n");
    put_global_options(out);
}

/* ---- the reference page ---- */

static void
document_options(const struct opt *options, struct buf *out)
{
    buf_putf(out, "\n| option | default | what it does |\n|---|---|---|\n");
    for (const struct opt *opt = options; opt->type != OPT_TYPE_END; opt++) {
        CLEANUP(buf_free) struct buf flag = buf_make(FLAG_LIMIT);

        put_flag(opt, &flag);
        buf_putf(out, "| `");
        for (const char *c = buf_span(&flag).ptr; *c; c++)
            buf_putf(out, *c == '|' ? "\\%c" : "%c", *c);
        buf_putf(out, "` | %s | %s |\n", opt->fallback ? opt->fallback : "", opt->help);
    }
}

static void
document_command(const char *program, const char *parent, const struct command *command,
                 struct buf *out)
{
    char path[FLAG_LIMIT];

    if (command->feature || command->hidden)
        return;
    snprintf(path, sizeof(path), "%s%s%s", parent, *parent ? " " : "", command->name);
    buf_putf(out, "\n## %s %s\n\n%s.", program, path, command->summary);
    if (command->alias)
        buf_putf(out, "  Also called `%s`.", command->alias);
    buf_putf(out, "\n\n```\n");
    put_usage(program, path, command, out);
    buf_putf(out, "```\n");
    if (command->details)
        buf_putf(out, "\n%s\n", command->details);
    if (command->options)
        document_options(command->options, out);
    for (const struct command *row = command->subcommands; row && row->name; row++)
        document_command(program, path, row, out);
}

void
command_document(const struct command *program, struct buf *out)
{
    assert(program->subcommands);
    buf_putf(out,
             "# Commands of %s\n\n"
             "Made from the command tables; do not edit.\n\n"
             "Options may stand anywhere behind the command's name, as `--option value` or "
             "`--option=value`.  These are taken by every command:\n",
             program->name);
    document_options(command_global_options, out);
    for (const struct command *row = program->subcommands; row->name; row++)
        document_command(program->name, "", row, out);
}
