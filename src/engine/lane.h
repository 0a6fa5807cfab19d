#ifndef ENGINE_LANE_H
#define ENGINE_LANE_H

/*
 * A lane: one thread that brings the batches of one target to its destination, in order.
 *
 * Jobs go in through lane_push() and come back through the completion queue that all lanes of a
 * flow share; whoever holds the pointer owns job and batch.  A job without a batch reports that
 * repeating deletes failed for good.
 */

#include <pthread.h>

#include "base/queue.h"
#include "engine/delivery.h"

/* In a lane's queue: the one being written and the next. */
#define LANE_DEPTH 2

struct job {
    struct job *next; /* for whoever owns it */
    struct lane *lane;
    struct batch *batch;
    size_t entry; /* in the ledger */
    bool done;    /* the lane's answer; err otherwise */
    struct err err;
};

struct lane {
    struct delivery delivery;
    struct queue *in;
    struct queue *completions; /* shared, the owner's */
    pthread_t thread;
    bool running;
    struct job failure; /* without a batch */
};

/* `lane->delivery` is initialised; completions must have room for LANE_DEPTH + 1 jobs a lane. */
MUST_CHECK bool lane_start(struct lane *lane, struct queue *completions, struct err *err);

void lane_push(struct lane *lane, struct job *job); /* never more than LANE_DEPTH at once */

/* Ask the thread to end and wait for it; false when it has not by the deadline. */
MUST_CHECK bool lane_join(struct lane *lane, int64_t deadline_ms);

#endif
