/* stream_bench: open, push and expect, for tests of the stream. */
#include "harness/stream_bench.h"

#include <stdlib.h>

#include "base/clock.h"
#include "harness/check.h"
#include "harness/pgoutput.h"

static const struct pg_rule good[] = {
    {.on = "idle_session_timeout"},
    {.on = "pg_try_advisory_lock", .rows = "t"},
    {.on = "IDENTIFY_SYSTEM", .rows = "7001|1|0/5000|shop"},
    {.on = "pg_replication_slots", .rows = SLOT("0/800", "reserved", "")},
    {.on = "wal_sender_timeout", .rows = "60000"},
    {.on = "START_REPLICATION", .deed = PG_STREAM},
};

/* `own` rules come before the good ones. */
struct bench *
bench_new(const struct pg_rule *own, size_t count)
{
    struct bench *b = calloc(1, sizeof(*b));

    CHECK(b && count + ARRAY_LEN(good) <= ARRAY_LEN(b->rules));
    if (count)
        memcpy(b->rules, own, count * sizeof(*own));
    memcpy(b->rules + count, good, sizeof(good));
    b->peer = scripted_pg_start(b->rules, count + ARRAY_LEN(good));
    b->arena = arena_new("test");
    b->settings = (struct source_settings){
        .conninfo = scripted_pg_conninfo(b->peer),
        .slot = "ours",
        .publication = "pub'l\"ic",
        .busy_wait_ms = 400,
    };
    b->pg = pg_source_new(&b->settings, b->arena);
    b->source = pg_source_base(b->pg);
    b->message = buf_make(MEGABYTES(64));
    return b;
}

void
bench_freep(struct bench **b)
{
    pg_source_free((*b)->pg);
    scripted_pg_stop((*b)->peer);
    buf_free(&(*b)->message);
    arena_free((*b)->arena);
    free(*b);
}

bool
bench_open_at(struct bench *b, lsn_t start)
{
    return b->source->type->open(b->source, start, clock_mono_ms() + 5000, -1, &b->err);
}

struct bench *
bench_opened(const struct pg_rule *own, size_t count)
{
    struct bench *b = bench_new(own, count);

    CHECK_OK(bench_open_at(b, START), b->err);
    return b;
}

/* The next event that is not IDLE, or the failure. */
bool
bench_next(struct bench *b)
{
    int64_t deadline_ms = clock_mono_ms() + 5000;

    while (clock_mono_ms() < deadline_ms) {
        struct pollfd fds[2];
        size_t count;

        if (!b->source->type->next(b->source, &b->event, &b->err))
            return false;
        if (b->event.type != SOURCE_IDLE)
            return true;
        count = b->source->type->poll_fds(b->source, fds, 2);
        CHECK(poll(fds, count, 1000) > 0);
    }
    fail_msg("no event");
    return false;
}

void
bench_expect(struct bench *b, enum source_event_type type)
{
    CHECK_OK(bench_next(b), b->err);
    CHECK_INT(b->event.type, type);
}

/* There is nothing to read now. */
void
bench_expect_idle(struct bench *b)
{
    CHECK_OK(b->source->type->next(b->source, &b->event, &b->err), b->err);
    CHECK_INT(b->event.type, SOURCE_IDLE);
}

/* Send what was built. */
void
bench_push(struct bench *b, lsn_t end)
{
    scripted_pg_push_xlog(b->peer, end, buf_span(&b->message));
    buf_clear(&b->message);
}

void
bench_push_begin(struct bench *b)
{
    wire_begin(&b->message, 0x2000, 7);
    bench_push(b, 0x2000);
    wire_relation(&b->message, USERS, "users", 'd', "*id:23 name:25");
    bench_push(b, 0x2000);
    bench_expect(b, SOURCE_BEGIN);
    bench_expect(b, SOURCE_RELATION);
}
