#ifndef ENGINE_DELIVERY_H
#define ENGINE_DELIVERY_H

/*
 * Bringing one batch to its destination, whatever happens: the blocking half of a lane.
 *
 *     map -> coalesce -> write, again while TRANSIENT, halved while DATA -> dead letters -> journal
 *
 * When delivery_run() returns true every row of the batch is durable: in the destination, or as a
 * dead letter in the store (SEMANTICS 7), and every delete that an older write may still undo is
 * in the delete journal (19).  When it returns false the batch stays unfinished, and the kind says
 * what follows: CONFIG stops the flow, DATA does under `strict`, CANCELED is an orderly stop.
 *
 * Thread: the lane's.  Time and randomness come from the clock and the seed in here; what is
 * decided by them is in base/retry.
 */

#include "base/random.h"
#include "base/retry.h"
#include "contract/destination.h"
#include "contract/reader.h"
#include "contract/store.h"
#include "engine/counters.h"
#include "engine/gate.h"

struct delivery {
    /* set by the engine */
    struct destination_lane *lane;
    struct store *store;
    struct reader *reader; /* NULL: nothing of this mapping can need it */
    struct gate *gate;
    struct counters *counters;
    bool strict;
    bool first;                /* of its target's lanes: repeats what earlier runs journalled */
    int64_t journal_max_bytes; /* per target */
    struct retry_policy backoff;

    /* own */
    struct arena *scratch;
    struct random random;
    int64_t late_until_ms;   /* wall clock: a write of unknown outcome may still arrive */
    int64_t stored_until_ms; /* what the store knows of it */
    int64_t repeat_ms;       /* wall clock: when journal entries are due; INT64_MAX never */
    bool has_dead_letters;
};

/*
 * Load what earlier runs left behind.  `unclean`: the last run did not end in order, so any
 * request of it may still be on its way.
 */
MUST_CHECK bool delivery_init(struct delivery *delivery, bool unclean, struct err *err);
void delivery_done(struct delivery *delivery);

MUST_CHECK bool delivery_run(struct delivery *delivery, const struct batch *batch, struct err *err);

/* Repeat the deletes whose reason has ended (SEMANTICS 19); when delivery->repeat_ms has come. */
MUST_CHECK bool delivery_repeat(struct delivery *delivery, struct err *err);

#endif
