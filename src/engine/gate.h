#ifndef ENGINE_GATE_H
#define ENGINE_GATE_H

/*
 * May lanes write?  One gate per flow, shared by the owner and all lanes.
 *
 * Closed while the slot or the lock is not ours (SEMANTICS 10): a lane waits before its next
 * attempt.  Canceled once and for ever when the time of an orderly stop is over: waits end, and
 * the descriptor becomes readable, which ends requests too.
 *
 * Any thread.
 */

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"

struct gate {
    pthread_mutex_t lock; /* open, canceled */
    pthread_cond_t changed;
    bool open;
    bool canceled;
    int cancel_fd; /* readable once canceled */
};

void gate_init(struct gate *gate); /* closed */
void gate_done(struct gate *gate);

void gate_set(struct gate *gate, bool open);
void gate_cancel(struct gate *gate);

MUST_CHECK bool gate_wait(struct gate *gate);                    /* until open; false: canceled */
MUST_CHECK bool gate_sleep(struct gate *gate, int64_t delay_ms); /* false: canceled */

#endif
