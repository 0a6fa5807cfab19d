#ifndef RUNNER_WATCH_H
#define RUNNER_WATCH_H

/*
 * What a running flow does beside its work, about once a second: it tells others how it is (the
 * heartbeat, requirements 2.5 #24), records a promotion of the server (SEMANTICS 5) and looks after
 * partitions, whose coming and going makes no events (SEMANTICS 27).
 *
 * A difference between partitions is reported once, in log and `status`, and the mapping is marked
 * "re-read needed"; with on_partition_change = "stop" it stops until the next start.
 *
 * Thread: the engine's store thread, from the first tick to the end of engine_run().
 */

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/queue.h"
#include "engine/counters.h"
#include "engine/engine.h"
#include "source/settings.h"
#include "state/heartbeat.h"

struct pg_source;

struct watch_args {
    struct store *store;
    const struct pg_source *source; /* whose timeline is recorded */
    int64_t timeline;               /* as recorded at the start */
    const struct counters *counters;
    const struct source_settings *settings;
    const struct engine_mapping *mappings;
    size_t mapping_count;
    const struct table *const *tables;
    size_t table_count;
    struct span partitions; /* as recorded at the start */
    bool stop_on_partition_change;
    struct queue *orders; /* to the engine */
    int cancel_fd;
};

struct watch {
    struct watch_args args;
    struct arena *arena; /* of the present fingerprint */
    struct arena *scratch;
    struct pg_session *pg;     /* for partitions; NULL: not connected */
    struct span partitions;    /* as last seen */
    bool unrecorded;           /* the store has those before them */
    int64_t partitions_due_ms; /* clock_mono_ms */
    struct heartbeat beat;
    struct heartbeat_meter meter;
    lsn_t behind_lsn; /* what was received when lag was last measured from there */
    int64_t behind_commit_ms;
    char complaint[256]; /* the last failure of the watch itself, so that it is logged once */
};

void watch_init(struct watch *watch, const struct watch_args *args);
void watch_done(struct watch *watch);

void watch_tick(void *watch); /* engine_args.tick */

/*
 * Tell the engine what is different in this fingerprint.  It is recorded a look later, when the
 * engine has saved its marks: after a crash in between the next start finds the difference again.
 */
MUST_CHECK bool watch_compare_partitions(struct watch *watch, struct span now, struct err *err);

/* The counters as a heartbeat; pure but for the lock of the counters. */
void watch_measure(struct watch *watch, int64_t wall_ms);

#endif
