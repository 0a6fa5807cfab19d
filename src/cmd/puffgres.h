#ifndef CMD_PUFFGRES_H
#define CMD_PUFFGRES_H

/*
 * The commands of puffgres: puffgres.c holds the table, puffgres_*.c what each does.
 *
 * Results go to standard output, everything else to standard error.  Exit codes: 0; 64 usage; and
 * those of err_policy(): 65 data, 70 bug, 73 another writer, 75 gave up retrying, 78 configuration.
 */

#include "base/buf.h"
#include "base/err.h"
#include "cmd/command.h"
#include "model/report.h"
#include "runner/run.h"

#define PUFFGRES_EXIT_UNEXPECTED 1
#define PUFFGRES_EXIT_USAGE      64

extern const struct command puffgres_program;

int puffgres_init(const struct invocation *invocation);
int puffgres_check(const struct invocation *invocation);
int puffgres_migrate(const struct invocation *invocation);
int puffgres_run(const struct invocation *invocation);
int puffgres_status(const struct invocation *invocation);
int puffgres_dlq_list(const struct invocation *invocation);
int puffgres_dlq_show(const struct invocation *invocation);
int puffgres_document(const struct invocation *invocation);

int puffgres_main(int argc, char *const *argv);

/* ---- settings and option tables, each beside its command ---- */

struct puffgres_migrate_settings {
    bool dry_run;
};

struct puffgres_status_settings {
    const char *slot;
    bool json;
};

struct puffgres_dlq_list_settings {
    const char *mapping;
    int64_t limit;
    bool json;
};

struct puffgres_dlq_show_settings {
    bool json;
};

extern const struct opt puffgres_check_options[]; /* of struct run_options */
extern const struct opt puffgres_migrate_options[];
extern const struct opt puffgres_run_options[]; /* of struct run_options */
extern const struct opt puffgres_status_options[];
extern const struct opt puffgres_dlq_list_options[];
extern const struct opt puffgres_dlq_show_options[];

/* ---- shared ---- */

/* "error: text" on standard error, findings before it; returns the exit code of the kind. */
int puffgres_fail(const struct report *report, const struct err *err);

/* All of `out` on standard output; 0, or the exit code of what went wrong. */
int puffgres_print(const struct buf *out);

#endif
