/* saver: checkpoints on a thread of their own. */
#include "engine/saver.h"

#include <assert.h>

#include "base/clock.h"
#include "base/fault.h"
#include "base/log.h"
#include "base/retry.h"
#include "base/thread.h"

#define TICK_MS 1000

static const struct retry_policy backoff = {.base_ms = 250, .cap_ms = 10 * 1000, .jitter = 0};

static struct saver_order quit;

static bool
save(struct saver *saver, struct saver_order *order)
{
    struct store *store = saver->store;

    for (unsigned tries = 0; !store->type->checkpoints_save(store, order->flow, order->checkpoints,
                                                            order->count, &order->err);
         tries++) {
        int64_t delay = retry_delay_ms(&backoff, tries, 0, 0);

        if (!err_policy(order->err.kind)->retry)
            return false;
        log_warn(log_msg("checkpoint not saved, trying again"), log_int("in_ms", delay),
                 log_err(&order->err));
        counters_retrying(saver->counters, order->err.text);
        if (!gate_sleep(saver->gate, delay))
            return err_set(&order->err, ERR_CANCELED, "stopped before the checkpoint was saved");
    }
    return true;
}

/* thread: store */
static void *
saver_main(void *arg)
{
    struct saver *saver = arg;
    int64_t tick_ms = clock_mono_ms() + TICK_MS;

    for (;;) {
        struct saver_order *order = queue_pop(saver->in, tick_ms);

        if (order == &quit)
            return NULL;
        if (order) {
            bool pushed;

            fault_point("checkpoint.before");
            order->done = save(saver, order);
            fault_point("checkpoint.saved");
            pushed = queue_try_push(saver->out, order);
            assert(pushed);
        }
        if (clock_mono_ms() >= tick_ms) {
            if (saver->tick)
                saver->tick(saver->tick_arg);
            tick_ms = clock_mono_ms() + TICK_MS;
        }
    }
}

bool
saver_start(struct saver *saver, struct err *err)
{
    saver->in = queue_new(2);
    saver->out = queue_new(2);
    saver->running = thread_start(&saver->thread, saver_main, saver, err);
    return saver->running;
}

static void
push(struct saver *saver, struct saver_order *order)
{
    bool pushed = queue_try_push(saver->in, order);

    assert(pushed);
}

void
saver_push(struct saver *saver, struct saver_order *order)
{
    order->done = false;
    push(saver, order);
}

struct saver_order *
saver_pop(struct saver *saver)
{
    return queue_try_pop(saver->out);
}

struct saver_order *
saver_wait(struct saver *saver, int64_t deadline_ms)
{
    return queue_pop(saver->out, deadline_ms);
}

int
saver_fd(const struct saver *saver)
{
    return queue_fd(saver->out);
}

bool
saver_join(struct saver *saver, int64_t deadline_ms)
{
    if (saver->running) {
        push(saver, &quit);
        if (!thread_join(saver->thread, deadline_ms))
            return false;
        saver->running = false;
        (void)queue_try_pop(saver->out); /* an answer that came after the time to wait for it */
    }
    queue_freep(&saver->in);
    queue_freep(&saver->out);
    return true;
}
