#ifndef RUNNER_BEGIN_H
#define RUNNER_BEGIN_H

/*
 * How a flow begins (SEMANTICS 5, 11, 12, 13): look at the server and at the store, let flow/start
 * decide, and do what it says, in an order in which a crash at any point loses nothing.
 *
 *     first start     intent recorded -> publication committed -> tables held -> slot made ->
 *                     checkpoints and identity recorded -> tables released
 *     later           tables that are new enter the publication; differences to what was recorded
 *                     mark their mappings
 *
 * Owner thread.  Everything that is made lives in the flow's arena; begin_done() closes it.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/engine.h"
#include "flow/start.h"
#include "runner/survey.h"
#include "runner/workspace.h"
#include "source/pgoutput_stream.h"
#include "source/publication.h"

struct begin_args {
    struct workspace *ws; /* judged, with a store */
    struct outlets *outlets;
    const struct source_settings *settings;
    struct migration *const *migrations; /* what is to run */
    size_t count;
    struct start_options options;
    int cancel_fd;
};

struct begin {
    const struct begin_args *args;
    struct arena *arena; /* flow */
    struct survey survey;
    struct pg_source *source;
    struct store_flow flow; /* as recorded now */
    struct start_plan plan;
    lsn_t start;
    bool unclean; /* the last run did not end in order */
    struct engine_mapping *mappings;
    struct publication_info found; /* before anything was made or mended */
    struct span tables;            /* what is recorded of them (source/record.h) */
    struct span partitions;        /* fingerprint of partitioned tables, "" none */
};

void begin_done(struct begin *begin);

/*
 * Look and decide, changing nothing: for `check`.  A refusal is a finding.  begin->survey must be
 * made.
 */
MUST_CHECK bool begin_decide(struct begin *begin, struct report *report, struct err *err);

/* All of it; on success begin->source is ready for the engine. */
MUST_CHECK bool begin_run(struct begin *begin, struct err *err);

#endif
