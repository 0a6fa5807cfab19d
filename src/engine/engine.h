#ifndef ENGINE_ENGINE_H
#define ENGINE_ENGINE_H

/*
 * The engine: from a source to the destinations of its mappings, until it is told to stop.
 *
 * engine_run() is the owner thread.  It reads the source, routes rows into one open batch per
 * lane, hands batches to lanes, keeps the ledger, saves checkpoints through the store thread and
 * sends feedback.  It never waits for a destination or a disk: back-pressure stops reading, not
 * feedback.
 *
 * Files: engine.c (start, the loop, stop), intake.c (events into batches), outbound.c (batches to
 * lanes and back), progress.c (checkpoints and feedback).
 *
 *     struct engine_args args = {.source = …, .store = …, .mappings = …, …};
 *     if (!engine_run(&args, &clean, &err)) …
 */

#include "base/queue.h"
#include "base/retry.h"
#include "contract/destination.h"
#include "contract/reader.h"
#include "contract/source.h"
#include "contract/store.h"
#include "engine/counters.h"

struct engine_mapping {
    const struct mapping *mapping; /* bound */
    struct destination *destination;
    struct store_checkpoint checkpoint; /* as stored; lsn 0: starts with the stream */
};

/* As the official client, but without end and with a longer cap (facts 3.11). */
#define ENGINE_BACKOFF ((struct retry_policy){.base_ms = 250, .cap_ms = 30 * 1000, .jitter = 0.25})

/* From other threads to the owner: something about a mapping changed outside the stream. */
struct engine_order {
    size_t mapping;
    unsigned flags; /* store_mapping_flags to add; STORE_STOPPED stops the mapping */
    char text[512];
};

struct engine_args {
    struct source *source;
    struct store *store;
    struct engine_mapping *mappings;
    size_t mapping_count;
    lsn_t start; /* the least checkpoint: where the stream begins */
    uint64_t epoch;
    bool unclean; /* the last run did not end in order (SEMANTICS 19) */
    bool strict;
    size_t budget_bytes;         /* SEMANTICS 30 */
    int64_t journal_max_bytes;   /* per target */
    int64_t stop_bound_ms;       /* an orderly stop takes at most so long */
    struct retry_policy backoff; /* between attempts at a write */
    int stop_fd;                 /* readable: stop in order */
    struct counters *counters;
    struct queue *orders; /* of struct engine_order, malloc'd; NULL: none come */

    /* One reader per lane, when the mapping may need one. */
    struct reader *(*reader_new)(void *arg);
    void *reader_arg;

    /* About once a second, on the store thread; may use the store and the counters. */
    void (*tick)(void *arg);
    void *tick_arg;
};

/*
 * Returns true after an orderly stop.  *ret_clean, set in either case: every lane has ended and
 * nothing is on its way that the store does not know of.
 */
MUST_CHECK bool engine_run(const struct engine_args *args, bool *ret_clean, struct err *err);

#endif
