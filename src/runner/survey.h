#ifndef RUNNER_SURVEY_H
#define RUNNER_SURVEY_H

/*
 * The server and the destinations against the mappings: everything that would keep a flow from
 * running, in one go, before anything runs.  Binds the mappings to their tables.  Changes nothing.
 *
 * `check` prints what it finds, `migrate` and `run` stop at errors.
 */

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/err.h"
#include "pg/session.h"
#include "runner/outlets.h"
#include "source/publication.h"
#include "source/settings.h"

struct migration;

struct survey_args {
    const struct source_settings *settings;
    struct migration *const *migrations;
    size_t count;
    struct outlets *outlets;
    bool create_slot; /* a missing slot will be made */
    bool all_tables;
    int64_t deadline_ms;
    int cancel_fd;
};

struct survey {
    struct pg_session *pg; /* an ordinary session, for whoever goes on */
    size_t count;
    const struct table **bound; /* per migration; NULL: no such table */
    size_t table_count;
    const struct table **tables;  /* distinct */
    struct publication_spec spec; /* what the mappings need */
};

void survey_done(struct survey *survey);

/* False only when the server cannot be asked; faults are findings. */
MUST_CHECK bool survey_make(const struct survey_args *args, struct arena *arena,
                            struct report *report, struct survey *ret, struct err *err);

/* What can be judged without a server: the destinations' settings. */
void survey_offline(const struct survey_args *args, struct report *report);

#endif
