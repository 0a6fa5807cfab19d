/* lane: a thread around delivery. */
#include "engine/lane.h"

#include <assert.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/thread.h"

/* When the store fails while deletes are repeated. */
#define REPEAT_AGAIN_MS 5000

/* What a lane pops when it shall end; it follows every batch that was pushed before. */
static struct job quit;

static void
answer(struct lane *lane, struct job *job)
{
    bool pushed = queue_try_push(lane->completions, job);

    assert(pushed); /* the owner gave it room */
}

/* The journal counts in wall-clock time, waiting in steady time. */
static int64_t
wake_ms(const struct lane *lane)
{
    int64_t due = lane->delivery.repeat_ms, wait;

    if (due == INT64_MAX)
        return INT64_MAX;
    wait = due - clock_wall_ms();
    return clock_mono_ms() + (wait > 0 ? wait : 0);
}

static void
repeat(struct lane *lane)
{
    struct err err;

    if (delivery_repeat(&lane->delivery, &err))
        return;
    if (err_policy(err.kind)->retry) {
        lane->delivery.repeat_ms = clock_wall_ms() + REPEAT_AGAIN_MS;
        log_warn(log_msg("deletes not repeated, trying again"), log_int("in_ms", REPEAT_AGAIN_MS),
                 log_err(&err));
        return;
    }
    lane->delivery.repeat_ms = INT64_MAX; /* once reported, the flow stops */
    if (err.kind == ERR_CANCELED)
        return;
    lane->failure = (struct job){.lane = lane, .err = err};
    answer(lane, &lane->failure);
}

/* thread: lane */
static void *
lane_main(void *arg)
{
    struct lane *lane = arg;

    for (;;) {
        struct job *job;

        if (wake_ms(lane) <= clock_mono_ms()) /* also where there is always a next batch */
            repeat(lane);
        job = queue_pop(lane->in, wake_ms(lane));
        if (job == &quit)
            return NULL;
        if (!job)
            continue;
        job->done = delivery_run(&lane->delivery, job->batch, &job->err);
        answer(lane, job);
    }
}

bool
lane_start(struct lane *lane, struct queue *completions, struct err *err)
{
    lane->in = queue_new(LANE_DEPTH + 1);
    lane->completions = completions;
    lane->running = thread_start(&lane->thread, lane_main, lane, err);
    return lane->running;
}

void
lane_push(struct lane *lane, struct job *job)
{
    bool pushed = queue_try_push(lane->in, job);

    assert(pushed);
}

bool
lane_join(struct lane *lane, int64_t deadline_ms)
{
    if (lane->running) {
        lane_push(lane, &quit);
        if (!thread_join(lane->thread, deadline_ms))
            return false;
        lane->running = false;
    }
    queue_freep(&lane->in);
    return true;
}
