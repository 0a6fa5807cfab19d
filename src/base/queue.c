/* queue: a ring behind a lock, two conditions, and an eventfd for pollers. */
#include "base/queue.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

struct queue {
    pthread_mutex_t guard; /* of everything below */
    pthread_cond_t filled, drained;
    size_t capacity, first, count;
    bool closed;
    bool signaled; /* fd is readable */
    int fd;        /* never changes: needs no guard */
    void *items[];
};

/* A lock that cannot be taken is a broken invariant of ours. */
static void
must(int rc)
{
    assert(rc == 0);
    (void)rc;
}

static void
lock(struct queue *queue)
{
    must(pthread_mutex_lock(&queue->guard));
}

static void
unlock(struct queue *queue)
{
    must(pthread_mutex_unlock(&queue->guard));
}

/* Deadlines are clock_mono_ms, so the conditions must wait on the same clock. */
static void
cond_init(pthread_cond_t *cond)
{
    pthread_condattr_t attr;

    must(pthread_condattr_init(&attr));
    must(pthread_condattr_setclock(&attr, CLOCK_MONOTONIC));
    must(pthread_cond_init(cond, &attr));
    must(pthread_condattr_destroy(&attr));
}

struct queue *
queue_new(size_t capacity)
{
    struct queue *queue = calloc(1, sizeof(*queue) + capacity * sizeof(queue->items[0]));

    assert(capacity > 0);
    if (!queue)
        abort();
    must(pthread_mutex_init(&queue->guard, NULL));
    cond_init(&queue->filled);
    cond_init(&queue->drained);
    queue->capacity = capacity;
    queue->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (queue->fd < 0)
        abort(); /* out of descriptors before the work begins: nothing could be opened either */
    return queue;
}

void
queue_free(struct queue *queue)
{
    if (!queue)
        return;
    assert(queue->count == 0); /* what is left would leak, or be lost */
    close(queue->fd);
    must(pthread_cond_destroy(&queue->filled));
    must(pthread_cond_destroy(&queue->drained));
    must(pthread_mutex_destroy(&queue->guard));
    free(queue);
}

void
queue_freep(struct queue **queue)
{
    queue_free(*queue);
    *queue = NULL;
}

/* Make the descriptor agree with the state; a system call only when it has to change. */
static void
update_fd(struct queue *queue)
{
    bool wanted = queue->count > 0 || queue->closed;
    uint64_t n = 1;
    ssize_t done;

    if (wanted == queue->signaled)
        return;
    done = wanted ? write(queue->fd, &n, sizeof(n)) : read(queue->fd, &n, sizeof(n));
    assert(done == sizeof(n));
    (void)done;
    queue->signaled = wanted;
}

/* under guard */
static bool
put(struct queue *queue, void *item)
{
    if (queue->closed || queue->count == queue->capacity)
        return false;
    queue->items[(queue->first + queue->count) % queue->capacity] = item;
    queue->count++;
    update_fd(queue);
    must(pthread_cond_signal(&queue->filled));
    return true;
}

/* under guard */
static void *
take(struct queue *queue)
{
    void *item;

    if (queue->count == 0)
        return NULL;
    item = queue->items[queue->first];
    queue->first = (queue->first + 1) % queue->capacity;
    queue->count--;
    update_fd(queue);
    must(pthread_cond_signal(&queue->drained));
    return item;
}

bool
queue_try_push(struct queue *queue, void *item)
{
    bool ok;

    assert(item);
    lock(queue);
    ok = put(queue, item);
    unlock(queue);
    return ok;
}

bool
queue_push(struct queue *queue, void *item)
{
    bool ok;

    assert(item);
    lock(queue);
    while (!queue->closed && queue->count == queue->capacity)
        must(pthread_cond_wait(&queue->drained, &queue->guard));
    ok = put(queue, item);
    unlock(queue);
    return ok;
}

void *
queue_try_pop(struct queue *queue)
{
    void *item;

    lock(queue);
    item = take(queue);
    unlock(queue);
    return item;
}

/* under guard; false once the deadline has passed */
static bool
wait_filled(struct queue *queue, int64_t deadline_ms)
{
    struct timespec at = {.tv_sec = deadline_ms / 1000, .tv_nsec = deadline_ms % 1000 * 1000000};
    int rc;

    if (deadline_ms == INT64_MAX) {
        must(pthread_cond_wait(&queue->filled, &queue->guard));
        return true;
    }
    rc = pthread_cond_timedwait(&queue->filled, &queue->guard, &at);
    assert(rc == 0 || rc == ETIMEDOUT);
    return rc == 0;
}

void *
queue_pop(struct queue *queue, int64_t deadline_ms)
{
    bool in_time = true;
    void *item;

    assert(deadline_ms >= 0);
    lock(queue);
    while (queue->count == 0 && !queue->closed && in_time)
        in_time = wait_filled(queue, deadline_ms);
    item = take(queue);
    unlock(queue);
    return item;
}

void
queue_close(struct queue *queue)
{
    lock(queue);
    queue->closed = true;
    update_fd(queue);
    must(pthread_cond_broadcast(&queue->filled));
    must(pthread_cond_broadcast(&queue->drained));
    unlock(queue);
}

bool
queue_ended(struct queue *queue)
{
    bool ended;

    lock(queue);
    ended = queue->closed && queue->count == 0;
    unlock(queue);
    return ended;
}

size_t
queue_len(struct queue *queue)
{
    size_t len;

    lock(queue);
    len = queue->count;
    unlock(queue);
    return len;
}

int
queue_fd(const struct queue *queue)
{
    return queue->fd;
}
