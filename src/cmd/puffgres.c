/* puffgres: the command table, and from a command line to an exit code. */
#include "cmd/puffgres.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/env.h"
#include "base/fault.h"
#include "base/log.h"

#define HELP_LIMIT ((size_t)256 * 1024)

/* clang-format off */
static const struct later run_later[] = {
    {"poll",             LATER_WAL2JSON},
    {"poll-interval-ms", LATER_WAL2JSON},
    {0},
};

static const struct later migrate_later[] = {
    {"schema", "schema-only updates"},
    {0},
};

static const struct command dlq_commands[] = {
    {.name = "list", .summary = "List rows that could not be delivered",
     .options = puffgres_dlq_list_options, .settings_size = sizeof(struct puffgres_dlq_list_settings),
     .run = puffgres_dlq_list},
    {.name = "show", .summary = "Show one of them with its row and its error",
     .args = "<ID>", .min_args = 1, .max_args = 1,
     .options = puffgres_dlq_show_options, .settings_size = sizeof(struct puffgres_dlq_show_settings),
     .run = puffgres_dlq_show},
    {.name = "retry", .summary = "Try rows again", .args = "[ID|all]", .max_args = 1, .feature = "retries of dead letters"},
    {.name = "clear", .summary = "Forget rows", .args = "[ID|all]", .max_args = 1, .feature = "a way to clear dead letters"},
    {0},
};

static const struct command commands[] = {
    {.name = "init", .summary = "Make a new project",
     .details = "Writes puffgres.toml and the folder puffgres/ into PATH, or here. A file that exists is\nnever touched.",
     .args = "[PATH]", .max_args = 1, .run = puffgres_init},
    {.name = "check", .summary = "Tell everything that is wrong, before anything runs",
     .details = "Judges the files, the server, the slot, every table and every destination, and prints each\n"
                "fault with what mends it. Changes nothing. Exits with 78 when there is a fault.",
     .options = puffgres_check_options, .settings_size = sizeof(struct run_options), .run = puffgres_check},
    {.name = "migrate", .alias = "apply", .summary = "Apply new migrations",
     .details = "A migration that was applied never changes: a change is a new file with the next version.",
     .options = puffgres_migrate_options, .settings_size = sizeof(struct puffgres_migrate_settings),
     .later = migrate_later, .run = puffgres_migrate},
    {.name = "run", .summary = "Stream changes until stopped",
     .details = "SIGTERM or SIGINT stops in order, within 8 seconds; a second one leaves at once. Nothing is\n"
                "lost either way.",
     .options = puffgres_run_options, .settings_size = sizeof(struct run_options),
     .later = run_later, .run = puffgres_run},
    {.name = "status", .summary = "Show how far the stream is, and what holds it back",
     .options = puffgres_status_options, .settings_size = sizeof(struct puffgres_status_settings),
     .run = puffgres_status},
    {.name = "dlq", .summary = "Rows that could not be delivered", .subcommands = dlq_commands},
    {.name = "backfill", .summary = "Load existing rows", .args = "[MAPPING]", .max_args = 1, .feature = LATER_BACKFILL},
    {.name = "generate", .summary = "Write a migration by asking", .feature = "the migration wizard"},
    {.name = "doctor", .summary = "Look at the server", .feature = "doctor; use check"},
    {.name = "document", .summary = "Print a reference page", .args = "<PAGE>", .min_args = 1, .max_args = 1,
     .hidden = true, .run = puffgres_document},
    {0},
};

const struct command puffgres_program = {
    .name = "puffgres",
    .summary = "Keeps turbopuffer namespaces true to Postgres tables",
    .subcommands = commands,
};
/* clang-format on */

int
puffgres_print(const struct buf *out)
{
    struct span text = buf_span(out);

    if (fwrite(text.ptr, 1, text.len, stdout) == text.len && fflush(stdout) == 0)
        return 0;
    fprintf(stderr, "error: cannot write to standard output: %s\n", strerror(errno));
    return PUFFGRES_EXIT_UNEXPECTED;
}

int
puffgres_fail(const struct report *report, const struct err *err)
{
    CLEANUP(buf_free) struct buf text = buf_make(MEGABYTES(4));
    CLEANUP(buf_free) struct buf hidden = buf_make(MEGABYTES(8));

    if (report)
        report_print_errors(report, &text);
    if (err->kind != ERR_CANCELED)
        buf_putf(&text, "error: %s\n", err->text);
    if (text.len > 0) {
        char *safe = buf_reserve(&hidden, text.len * 2 + 16);

        if (safe)
            fputs(log_redact(safe, text.len * 2 + 16, text.ptr), stderr);
    }
    return err_policy(err->kind)->exit_status;
}

static bool
set_up_log(const struct global_options *global, struct err *err)
{
    const char *names[] = {"PUFFGRES_LOG", "RUST_LOG"};

    log_set_format((enum log_format)global->log_format);
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        const char *filter = env_get(names[i]);

        if (!filter || !*filter)
            continue;
        if (log_set_filter(filter, "puffgres"))
            return true;
        return err_set(err, ERR_CONFIG,
                       "%s=\"%s\" is no log filter; write error, warn, info, debug, trace or off, "
                       "such as puffgres=debug",
                       names[i], filter);
    }
    return true;
}

/* Nobody asked for it: no command was given. */
static int
show_usage(const struct invocation *invocation)
{
    CLEANUP(buf_free) struct buf out = buf_make(HELP_LIMIT);

    command_help(invocation, &out);
    fputs(buf_span(&out).ptr, stderr);
    return PUFFGRES_EXIT_USAGE;
}

static int
show(const struct invocation *invocation, enum command_wish wish)
{
    CLEANUP(buf_free) struct buf out = buf_make(HELP_LIMIT);

    if (wish == COMMAND_VERSION)
        buf_putf(&out, "puffgres %s\n", WALLABY_VERSION);
    else
        command_help(invocation, &out);
    return puffgres_print(&out);
}

int
puffgres_main(int argc, char *const *argv)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new("command");
    struct invocation invocation;
    enum command_wish wish;
    struct err err;

    fault_init();
    if (!command_parse(&puffgres_program, argc, argv, arena, &invocation, &wish, &err) ||
        (wish == COMMAND_RUN && !set_up_log(&invocation.global, &err))) {
        fprintf(stderr, "error: %s\n", err.text);
        return PUFFGRES_EXIT_USAGE;
    }
    if (argc <= 1)
        return show_usage(&invocation);
    if (wish != COMMAND_RUN)
        return show(&invocation, wish);
    return invocation.command->run(&invocation);
}
