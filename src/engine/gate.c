/* gate: lanes write while it is open, and give up when it is canceled. */
#include "engine/gate.h"

#include <assert.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

void
gate_init(struct gate *gate)
{
    *gate = (struct gate){.cancel_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)};
    if (gate->cancel_fd < 0 || pthread_mutex_init(&gate->lock, NULL) ||
        pthread_cond_init(&gate->changed, NULL))
        abort();
}

void
gate_done(struct gate *gate)
{
    pthread_cond_destroy(&gate->changed);
    pthread_mutex_destroy(&gate->lock);
    close(gate->cancel_fd);
}

void
gate_set(struct gate *gate, bool open)
{
    pthread_mutex_lock(&gate->lock);
    gate->open = open;
    pthread_cond_broadcast(&gate->changed);
    pthread_mutex_unlock(&gate->lock);
}

void
gate_cancel(struct gate *gate)
{
    pthread_mutex_lock(&gate->lock);
    gate->canceled = true;
    pthread_cond_broadcast(&gate->changed);
    pthread_mutex_unlock(&gate->lock);
    if (eventfd_write(gate->cancel_fd, 1) != 0)
        abort();
}

bool
gate_wait(struct gate *gate)
{
    bool canceled;

    pthread_mutex_lock(&gate->lock);
    while (!gate->open && !gate->canceled)
        pthread_cond_wait(&gate->changed, &gate->lock);
    canceled = gate->canceled;
    pthread_mutex_unlock(&gate->lock);
    return !canceled;
}

bool
gate_sleep(struct gate *gate, int64_t delay_ms)
{
    struct pollfd fd = {.fd = gate->cancel_fd, .events = POLLIN};

    assert(delay_ms >= 0 && delay_ms < INT32_MAX);
    return poll(&fd, 1, (int)delay_ms) <= 0;
}
