#ifndef ENGINE_SAVER_H
#define ENGINE_SAVER_H

/*
 * The store thread: records checkpoints for the owner, who never waits for a disk, and calls the
 * runner's tick about once a second.
 *
 * One save is under way at a time: while it is, `order` belongs to the thread; its answer makes
 * saver_fd() readable.  A store that fails TRANSIENT is tried again without end (nothing is
 * acknowledged meanwhile); anything else is the answer.
 */

#include <pthread.h>

#include "base/queue.h"
#include "contract/store.h"
#include "engine/counters.h"
#include "engine/gate.h"

struct saver_order {
    lsn_t flow;
    struct store_checkpoint *checkpoints;
    size_t count;
    bool done; /* the answer; err otherwise */
    struct err err;
};

struct saver {
    struct store *store;
    struct gate *gate;
    struct counters *counters;
    void (*tick)(void *arg);
    void *tick_arg;

    struct queue *in, *out;
    pthread_t thread;
    bool running;
};

MUST_CHECK bool saver_start(struct saver *saver, struct err *err);
void saver_push(struct saver *saver, struct saver_order *order); /* none may be under way */
struct saver_order *saver_pop(struct saver *saver);              /* NULL: not yet */
struct saver_order *saver_wait(struct saver *saver, int64_t deadline_ms);
int saver_fd(const struct saver *saver);
MUST_CHECK bool saver_join(struct saver *saver, int64_t deadline_ms);

#endif
