/* queue: order, bounds, deadlines, closing and the descriptor; then many threads at once. */
#include "base/queue.h"

#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>

#include "base/clock.h"
#include "harness/check.h"

static int items[1000];

static bool
readable(const struct queue *queue)
{
    struct pollfd fd = {.fd = queue_fd(queue), .events = POLLIN};

    return poll(&fd, 1, 0) == 1;
}

static void
is_first_in_first_out_and_bounded(void **state UNUSED)
{
    CLEANUP(queue_freep) struct queue *queue = queue_new(3);

    for (int round = 0; round < 5; round++) { /* the ring goes round */
        CHECK(queue_try_push(queue, &items[0]));
        CHECK(queue_try_push(queue, &items[1]));
        CHECK(queue_try_push(queue, &items[2]));
        CHECK(!queue_try_push(queue, &items[3]));
        CHECK_INT(queue_len(queue), 3);
        CHECK(queue_try_pop(queue) == &items[0]);
        CHECK(queue_try_push(queue, &items[4]));
        CHECK(queue_try_pop(queue) == &items[1]);
        CHECK(queue_try_pop(queue) == &items[2]);
        CHECK(queue_try_pop(queue) == &items[4]);
        CHECK(!queue_try_pop(queue));
    }
}

static void
the_descriptor_follows_the_state(void **state UNUSED)
{
    CLEANUP(queue_freep) struct queue *queue = queue_new(4);

    CHECK(!readable(queue));
    CHECK(queue_try_push(queue, &items[0]));
    CHECK(queue_try_push(queue, &items[1]));
    CHECK(readable(queue));
    CHECK(queue_try_pop(queue));
    CHECK(readable(queue)); /* one is left */
    CHECK(queue_try_pop(queue));
    CHECK(!readable(queue));
    queue_close(queue);
    CHECK(readable(queue)); /* closed: there is something to notice */
    CHECK(!queue_try_pop(queue));
    CHECK(readable(queue));
}

static void
a_deadline_ends_waiting(void **state UNUSED)
{
    CLEANUP(queue_freep) struct queue *queue = queue_new(1);
    int64_t before = clock_mono_ms();

    CHECK(!queue_pop(queue, before + 30));
    CHECK(clock_mono_ms() - before >= 29);
    CHECK(!queue_pop(queue, 0)); /* long past */
    CHECK(!queue_ended(queue));
    CHECK(queue_try_push(queue, &items[0]));
    CHECK(queue_pop(queue, 0) == &items[0]); /* what is there is had even then */
}

static void
closing_refuses_pushes_and_drains_pops(void **state UNUSED)
{
    CLEANUP(queue_freep) struct queue *queue = queue_new(4);

    CHECK(queue_push(queue, &items[0]));
    CHECK(queue_push(queue, &items[1]));
    queue_close(queue);
    queue_close(queue); /* twice is fine */
    CHECK(!queue_push(queue, &items[2]));
    CHECK(!queue_try_push(queue, &items[2]));
    CHECK(!queue_ended(queue));
    CHECK(queue_pop(queue, INT64_MAX) == &items[0]);
    CHECK(queue_pop(queue, INT64_MAX) == &items[1]);
    CHECK(!queue_pop(queue, INT64_MAX));
    CHECK(queue_ended(queue));
}

static void *
pop_one(void *arg)
{
    return queue_pop(arg, INT64_MAX);
}

static void *
push_one(void *arg)
{
    return queue_push(arg, &items[9]) ? arg : NULL;
}

static void
closing_wakes_who_waits(void **state UNUSED)
{
    struct queue *empty = queue_new(1), *full = queue_new(1);
    pthread_t reader, writer;
    void *popped, *pushed;

    CHECK(queue_push(full, &items[0]));
    CHECK_INT(pthread_create(&reader, NULL, pop_one, empty), 0);
    CHECK_INT(pthread_create(&writer, NULL, push_one, full), 0);
    queue_close(empty);
    queue_close(full);
    pthread_join(reader, &popped);
    pthread_join(writer, &pushed);
    CHECK(!popped);
    CHECK(!pushed);
    CHECK(queue_try_pop(full) == &items[0]);
    queue_free(empty);
    queue_free(full);
}

/* ---- many threads: nothing is lost, nothing twice, each producer's order is kept ---- */

enum { PRODUCERS = 3, CONSUMERS = 3, PER_PRODUCER = 2000 };

struct message {
    int producer, number;
    atomic_int seen;
};

static struct message messages[PRODUCERS][PER_PRODUCER];

struct job {
    struct queue *queue;
    int index;
    bool in_order;
    bool by_fd; /* poll the descriptor instead of blocking in the queue */
};

static void *
produce(void *arg)
{
    const struct job *job = arg;

    for (int i = 0; i < PER_PRODUCER; i++) {
        struct message *message = &messages[job->index][i];

        message->producer = job->index;
        message->number = i;
        if (!queue_push(job->queue, message))
            return NULL;
    }
    return NULL;
}

static struct message *
await(const struct job *job)
{
    struct pollfd fd = {.fd = queue_fd(job->queue), .events = POLLIN};
    struct message *message;

    if (!job->by_fd)
        return queue_pop(job->queue, INT64_MAX);
    for (;;) {
        poll(&fd, 1, -1);
        message = queue_try_pop(job->queue);
        if (message || queue_ended(job->queue))
            return message;
    }
}

static void *
consume(void *arg)
{
    struct job *job = arg;
    int last[PRODUCERS];

    for (int i = 0; i < PRODUCERS; i++)
        last[i] = -1;
    job->in_order = true;
    for (;;) {
        struct message *message = await(job);

        if (!message)
            return NULL;
        job->in_order = job->in_order && message->number > last[message->producer];
        last[message->producer] = message->number;
        atomic_fetch_add(&message->seen, 1);
    }
}

static void
threads_lose_nothing_and_keep_order(void **state UNUSED)
{
    CLEANUP(queue_freep) struct queue *queue = queue_new(16);
    pthread_t producers[PRODUCERS], consumers[CONSUMERS];
    struct job producing[PRODUCERS], consuming[CONSUMERS];

    for (int i = 0; i < CONSUMERS; i++) {
        consuming[i] = (struct job){.queue = queue, .index = i, .by_fd = i == 0};
        CHECK_INT(pthread_create(&consumers[i], NULL, consume, &consuming[i]), 0);
    }
    for (int i = 0; i < PRODUCERS; i++) {
        producing[i] = (struct job){.queue = queue, .index = i};
        CHECK_INT(pthread_create(&producers[i], NULL, produce, &producing[i]), 0);
    }
    for (int i = 0; i < PRODUCERS; i++)
        pthread_join(producers[i], NULL);
    queue_close(queue);
    for (int i = 0; i < CONSUMERS; i++) {
        pthread_join(consumers[i], NULL);
        CHECK(consuming[i].in_order);
    }
    for (int p = 0; p < PRODUCERS; p++) {
        for (int i = 0; i < PER_PRODUCER; i++)
            CHECK_INT(atomic_load(&messages[p][i].seen), 1);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(is_first_in_first_out_and_bounded),
        cmocka_unit_test(the_descriptor_follows_the_state),
        cmocka_unit_test(a_deadline_ends_waiting),
        cmocka_unit_test(closing_refuses_pushes_and_drains_pops),
        cmocka_unit_test(closing_wakes_who_waits),
        cmocka_unit_test(threads_lose_nothing_and_keep_order),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
