/* lane: a thread around delivery. */
#include "engine/lane.h"

#include <assert.h>

#include "base/clock.h"
#include "base/thread.h"

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

    if (!lane->repeats || due == INT64_MAX)
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
        struct job *job = queue_pop(lane->in, wake_ms(lane));

        if (job == &quit)
            return NULL;
        if (!job) {
            repeat(lane);
            continue;
        }
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
