#ifndef BASE_QUEUE_H
#define BASE_QUEUE_H

/*
 * A bounded queue of pointers between threads; ownership moves with the pointer.
 *
 * A consumer either blocks in queue_pop() or polls queue_fd(), which is readable while the queue
 * is not empty or is closed.  After queue_close(), pushes fail and pops drain what is left.
 *
 * Any thread.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"

struct queue;

struct queue *queue_new(size_t capacity);
void queue_free(struct queue *queue); /* NULL is fine; must be empty */
void queue_freep(struct queue **queue);

MUST_CHECK bool queue_try_push(struct queue *queue, void *item); /* false: full or closed */
MUST_CHECK bool queue_push(struct queue *queue, void *item);     /* waits; false: closed */
void *queue_try_pop(struct queue *queue);                        /* NULL: empty */

/* Waits until deadline_ms (clock_mono_ms; INT64_MAX: for ever).  NULL: closed or too late. */
void *queue_pop(struct queue *queue, int64_t deadline_ms);

void queue_close(struct queue *queue);
bool queue_ended(struct queue *queue); /* closed and drained: tells a NULL of pop apart */
size_t queue_len(struct queue *queue);
int queue_fd(const struct queue *queue);

#endif
