/* pgoutput_stream: opening, reading, answering and letting go, against a scripted server. */
#include "source/pgoutput_stream.h"

#include <stdlib.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "harness/check.h"
#include "harness/pgoutput.h"
#include "harness/stream_bench.h"

/* ---- the way in ---- */

static void
opens_with_lock_identity_slot_and_command(void **state UNUSED)
{
    CLEANUP(bench_freep) struct bench *b = bench_opened(NULL, 0);
    const char *log = scripted_pg_log(b->peer);

    CHECK(strstr(log, "puffgres lock: SELECT pg_catalog.pg_try_advisory_lock($1)"));
    CHECK(strstr(log, "puffgres stream: START_REPLICATION SLOT \"ours\" LOGICAL 0/1000 "
                      "(\"proto_version\" '1', \"publication_names\" '\"pub''l\"\"ic\"')"));
    CHECK(strstr(log, "pg_try_advisory_lock") < strstr(log, "START_REPLICATION"));
    CHECK(strstr(log, "IDENTIFY_SYSTEM") < strstr(log, "START_REPLICATION"));
    CHECK_INT(pg_source_timeline(b->pg), 1);
}

static void
events_come_in_their_order(void **state UNUSED)
{
    CLEANUP(bench_freep) struct bench *b = bench_opened(NULL, 0);

    scripted_pg_push_keepalive(b->peer, 0x1800, false);
    bench_expect(b, SOURCE_KEEPALIVE);
    CHECK_INT(b->event.lsn, 0x1800);
    bench_push_begin(b);
    wire_insert(&b->message, USERS, "1 ada");
    bench_push(b, 0x2000);
    wire_commit(&b->message, 0x2000, 0x2030);
    bench_push(b, 0x2030);
    bench_expect(b, SOURCE_CHANGE);
    CHECK_SPAN(value_span(&b->event.change.after[1]), "ada");
    bench_expect(b, SOURCE_COMMIT);
    CHECK_INT(b->event.lsn, 0x2030);
    CHECK_INT(pg_source_stats(b->pg).messages, 4);
    CHECK_INT(pg_source_stats(b->pg).received, 0x2030);
}

/* As the server begins: with what the slot has confirmed, not with what was asked for. */
static void
rule_06_a_keepalive_never_goes_back(void **state UNUSED)
{
    CLEANUP(bench_freep) struct bench *b = bench_opened(NULL, 0);

    scripted_pg_push_keepalive(b->peer, 0x800, false);
    bench_expect(b, SOURCE_KEEPALIVE);
    CHECK_INT(b->event.lsn, START);
    scripted_pg_push_keepalive(b->peer, 0x1100, false);
    bench_expect(b, SOURCE_KEEPALIVE);
    CHECK_INT(b->event.lsn, 0x1100);
}

static void
a_truncate_of_two_is_two_events(void **state UNUSED)
{
    static const uint32_t oids[] = {USERS, USERS};
    CLEANUP(bench_freep) struct bench *b = bench_opened(NULL, 0);

    bench_push_begin(b);
    wire_truncate(&b->message, oids, 2);
    bench_push(b, 0x2000);
    bench_expect(b, SOURCE_CHANGE);
    CHECK(b->event.change.op == CHANGE_TRUNCATE && !b->event.truncate_last);
    bench_expect(b, SOURCE_CHANGE);
    CHECK(b->event.change.op == CHANGE_TRUNCATE && b->event.truncate_last);
    CHECK_INT(b->event.change.position.ordinal, 2);
}

/* ---- identity (SEMANTICS 5) ---- */

static void
rule_05_another_cluster_is_refused_at_every_open(void **state UNUSED)
{
    static const struct pg_rule own[] = {
        {.on = "IDENTIFY_SYSTEM", .rows = "7001|1|0/5000|shop", .times = 1},
        {.on = "IDENTIFY_SYSTEM", .rows = "7002|1|0/5000|shop"},
    };
    CLEANUP(bench_freep) struct bench *b = bench_opened(own, ARRAY_LEN(own));

    b->source->type->close(b->source);
    CHECK(!bench_open_at(b, START));
    CHECK_INT(b->err.kind, ERR_CONFIG);
    CHECK(strstr(b->err.text, "--new-epoch"));
    CHECK_INT(scripted_pg_count(b->peer, "START_REPLICATION"), 1);
}

static void
rule_05_a_failover_goes_on_when_it_has_what_we_read(void **state UNUSED)
{
    static const struct {
        const char *history;
        bool goes_on;
    } cases[] = {
        {"00000002.history|1\t0/1000\tno recovery target", true},
        {"00000002.history|1\t0/FFF\tno recovery target", false},
        {"00000002.history|9\t0/9999\tno recovery target", false},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const struct pg_rule own[] = {
            {.on = "IDENTIFY_SYSTEM", .rows = "7001|2|0/5000|shop"},
            {.on = "TIMELINE_HISTORY 2", .rows = cases[i].history},
        };
        CLEANUP(bench_freep) struct bench *b = bench_new(own, ARRAY_LEN(own));

        pg_source_expect(b->pg, "7001", 1);
        if (bench_open_at(b, START) != cases[i].goes_on)
            fail_msg("%s: %s", cases[i].history, cases[i].goes_on ? b->err.text : "goes on");
        CHECK_INT(pg_source_timeline(b->pg), cases[i].goes_on ? 2 : 1);
        if (!cases[i].goes_on)
            CHECK_INT(b->err.kind, ERR_CONFIG);
    }
}

static void
rule_05_the_history_is_told_before_the_start(void **state UNUSED)
{
    static const struct pg_rule own[] = {
        {.on = "IDENTIFY_SYSTEM", .rows = "7001|3|0/5000|shop"},
        {.on = "TIMELINE_HISTORY 3", .rows = "00000003.history|2\t0/1234\twhy"},
    };
    CLEANUP(bench_freep) struct bench *b = bench_new(own, ARRAY_LEN(own));
    struct server_history history;

    CHECK_OK(pg_source_identify(b->pg, 2, clock_mono_ms() + 5000, -1, b->arena, &history, &b->err),
             b->err);
    CHECK_STR(history.now.system_id, "7001");
    CHECK_INT(history.now.timeline, 3);
    CHECK_INT(history.now.wal_end, 0x5000);
    CHECK_STR(history.now.database, "shop");
    CHECK(history.switch_found);
    CHECK_INT(history.switch_lsn, 0x1234);
}

/* ---- feedback (SEMANTICS 8) ---- */

static void
rule_08_the_period_is_a_third_of_the_timeout(void **state UNUSED)
{
    static const struct {
        const char *timeout;
        int64_t want_ms;
    } cases[] = {
        {"60000", 10000}, {"30000", 10000}, {"3000", 1000}, {"2", 10000}, {"0", 10000},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const struct pg_rule own[] = {{.on = "wal_sender_timeout", .rows = cases[i].timeout}};
        CLEANUP(bench_freep) struct bench *b = bench_opened(own, 1);

        CHECK_INT(b->source->type->feedback_interval_ms(b->source), cases[i].want_ms);
    }
}

static void
rule_08_feedback_says_what_is_durable(void **state UNUSED)
{
    CLEANUP(bench_freep) struct bench *b = bench_opened(NULL, 0);
    struct pg_status status;

    scripted_pg_push_keepalive(b->peer, 0x3000, true);
    bench_expect(b, SOURCE_KEEPALIVE);
    CHECK(b->event.reply);
    CHECK_OK(b->source->type->feedback(b->source, 0, &b->err), b->err);
    CHECK(scripted_pg_wait_status(b->peer, 1));
    scripted_pg_status(b->peer, &status);
    CHECK_INT(status.written, 0x3000);
    CHECK_INT(status.flushed, 0); /* nothing durable yet: the slot stays */
    CHECK_OK(b->source->type->feedback(b->source, 0x2000, &b->err), b->err);
    CHECK_OK(b->source->type->feedback(b->source, 0x1000, &b->err), b->err); /* never back */
    CHECK(scripted_pg_wait_status(b->peer, 3));
    scripted_pg_status(b->peer, &status);
    CHECK_INT(status.flushed, 0x2000);
}

/* Inside a transaction the engine sees no keepalive; the server gets its answer all the same, at
 * most ten times a second. */
static void
rule_08_questions_inside_a_transaction_are_answered_but_not_often(void **state UNUSED)
{
    CLEANUP(bench_freep) struct bench *b = bench_opened(NULL, 0);
    int64_t begin_ms = clock_mono_ms();
    size_t answers;

    bench_push_begin(b);
    CHECK_OK(b->source->type->feedback(b->source, 0x1800, &b->err), b->err);
    for (int i = 0; i < 2000; i++)
        scripted_pg_push_keepalive(b->peer, 0x9000, true);
    wire_commit(&b->message, 0x2000, 0x2030);
    bench_push(b, 0x2030);
    bench_expect(b, SOURCE_COMMIT); /* and no keepalive before it */
    answers = scripted_pg_status(b->peer, NULL);
    CHECK(answers <= 2 + (size_t)(clock_mono_ms() - begin_ms) / 100);
}

static void
rule_08_a_question_inside_a_transaction_is_not_left_unanswered(void **state UNUSED)
{
    CLEANUP(bench_freep) struct bench *b = bench_opened(NULL, 0);
    struct pg_status status;

    CHECK_OK(b->source->type->feedback(b->source, 0x1800, &b->err), b->err);
    usleep(110 * 1000); /* the last answer is long enough ago */
    bench_push_begin(b);
    scripted_pg_push_keepalive(b->peer, 0x9000, true);
    wire_insert(&b->message, USERS, "1 ada");
    bench_push(b, 0x2000);
    bench_expect(b, SOURCE_CHANGE);
    CHECK(scripted_pg_wait_status(b->peer, 2));
    scripted_pg_status(b->peer, &status);
    CHECK_INT(status.flushed, 0x1800);
    CHECK(status.written < 0x9000); /* its position is none of a transaction's business */
}

static void
rule_08_a_server_that_goes_down_is_let_go(void **state UNUSED)
{
    CLEANUP(bench_freep) struct bench *b = bench_opened(NULL, 0);
    struct pg_status status;

    CHECK_OK(b->source->type->feedback(b->source, 0x1800, &b->err), b->err);
    CHECK(scripted_pg_wait_status(b->peer, 1));
    scripted_pg_kill(b->peer, "lock", "57P01 terminating connection due to administrator command");
    CHECK(!bench_next(b));
    CHECK_INT(b->err.kind, ERR_TRANSIENT);
    CHECK(strstr(b->err.text, "shutting down"));
    CHECK(scripted_pg_wait_status(b->peer, 2)); /* the last word */
    scripted_pg_status(b->peer, &status);
    CHECK_INT(status.flushed, 0x1800);
    b->source->type->close(b->source);
    CHECK_OK(bench_open_at(b, START), b->err); /* with a lock of its own again */
    CHECK_INT(scripted_pg_count(b->peer, "pg_try_advisory_lock"), 2);
}

static void
the_end_of_the_stream_is_transient(void **state UNUSED)
{
    CLEANUP(bench_freep) struct bench *b = bench_opened(NULL, 0);

    scripted_pg_end_stream(b->peer);
    CHECK(!bench_next(b));
    CHECK_INT(b->err.kind, ERR_TRANSIENT);
    b->source->type->close(b->source);
    CHECK_OK(bench_open_at(b, START), b->err);
    scripted_pg_kill(b->peer, "stream", NULL);
    CHECK(!bench_next(b));
    CHECK_INT(b->err.kind, ERR_TRANSIENT);
}

/* ---- the fence (SEMANTICS 10) ---- */

static void
rule_10_a_lost_lock_stops_the_stream(void **state UNUSED)
{
    CLEANUP(bench_freep) struct bench *b = bench_opened(NULL, 0);

    scripted_pg_kill(b->peer, "lock", NULL);
    CHECK(!bench_next(b));
    CHECK_INT(b->err.kind, ERR_TRANSIENT);
    CHECK(strstr(b->err.text, "the lock's connection"));
}

/* A busy stream is never idle, and a blocked one is not read: both look at the lock all the same.
 */
static void
rule_10_the_lock_is_watched_while_busy_and_while_blocked(void **state UNUSED)
{
    CLEANUP(bench_freep)
    struct bench *busy = bench_opened(NULL, 0), *blocked = bench_opened(NULL, 0);
    int64_t deadline_ms = clock_mono_ms() + 5000;

    scripted_pg_kill(busy->peer, "lock", NULL);
    usleep(20 * 1000);
    bench_push_begin(blocked);
    for (int i = 0; i < 5000; i++)
        scripted_pg_push_keepalive(busy->peer, 0x3000, false);
    while (bench_next(busy))
        CHECK(busy->event.type == SOURCE_KEEPALIVE);
    CHECK_INT(busy->err.kind, ERR_TRANSIENT);

    scripted_pg_kill(blocked->peer, "lock", NULL);
    while (blocked->source->type->feedback(blocked->source, 0, &blocked->err))
        CHECK(clock_mono_ms() < deadline_ms);
    CHECK_INT(blocked->err.kind, ERR_TRANSIENT);
}

static void
rule_10_another_holder_is_waited_for_and_then_named(void **state UNUSED)
{
    static const struct pg_rule own[] = {
        {.on = "pg_try_advisory_lock", .rows = "f"},
        {.on = "pg_advisory_lock", .deed = PG_HANG},
        {.on = "pg_locks", .rows = "4711|puffgres lock|10.0.0.9|2026-01-02 03:04:05 UTC"},
    };
    CLEANUP(bench_freep) struct bench *b = bench_new(own, ARRAY_LEN(own));
    int64_t begin_ms = clock_mono_ms();

    CHECK(!pg_source_lock(b->pg, begin_ms + 5000, -1, &b->err));
    CHECK_INT(b->err.kind, ERR_FENCED);
    CHECK(strstr(b->err.text, "backend 4711, puffgres lock, from 10.0.0.9, since 2026-01-02"));
    CHECK(clock_mono_ms() - begin_ms >= 390); /* busy_wait_ms */
}

static void
rule_10_the_wait_is_over_when_the_holder_ends(void **state UNUSED)
{
    static const struct pg_rule own[] = {
        {.on = "pg_try_advisory_lock", .rows = "f"},
        {.on = "pg_advisory_lock", .rows = "x"},
    };
    CLEANUP(bench_freep) struct bench *b = bench_new(own, ARRAY_LEN(own));

    CHECK_OK(pg_source_lock(b->pg, clock_mono_ms() + 5000, -1, &b->err), b->err);
    CHECK_OK(pg_source_lock(b->pg, clock_mono_ms() + 5000, -1, &b->err), b->err); /* held */
    CHECK_INT(scripted_pg_count(b->peer, "pg_try_advisory_lock"), 1);
}

/* An open that may wait only shortly is TRANSIENT; the wait goes on in the next. */
static void
rule_10_the_wait_is_counted_over_opens(void **state UNUSED)
{
    static const struct pg_rule own[] = {
        {.on = "START_REPLICATION", .error = "55006 replication slot is active for PID 9"},
    };
    CLEANUP(bench_freep) struct bench *b = bench_new(own, ARRAY_LEN(own));
    int64_t begin_ms = clock_mono_ms();
    size_t opens = 0;

    for (;;) {
        CHECK(!b->source->type->open(b->source, START, clock_mono_ms() + 100, -1, &b->err));
        opens++;
        if (b->err.kind != ERR_TRANSIENT)
            break;
        CHECK(clock_mono_ms() < begin_ms + 5000);
    }
    CHECK_INT(b->err.kind, ERR_FENCED);
    CHECK_INT(err_policy(b->err.kind)->exit_status, 73);
    CHECK(strstr(b->err.text, "PID 9"));
    CHECK(opens > 1 && clock_mono_ms() - begin_ms >= 390);
}

static void
rule_10_a_slot_that_becomes_free_is_taken(void **state UNUSED)
{
    static const struct pg_rule own[] = {
        {.on = "START_REPLICATION", .error = "55006 replication slot is active", .times = 1},
    };
    CLEANUP(bench_freep) struct bench *b = bench_opened(own, ARRAY_LEN(own));

    CHECK_INT(scripted_pg_count(b->peer, "START_REPLICATION"), 2);
}

/* Readable after a moment: somebody presses Ctrl-C. */
static int
stop_in(int64_t delay_ms)
{
    int fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC);
    struct itimerspec when = {.it_value.tv_nsec = delay_ms * 1000000};

    CHECK(fd >= 0 && timerfd_settime(fd, 0, &when, NULL) == 0);
    return fd;
}

static void
waiting_for_slot_or_lock_can_be_stopped(void **state UNUSED)
{
    static const struct pg_rule slot[] = {
        {.on = "START_REPLICATION", .error = "55006 replication slot is active"},
    };
    static const struct pg_rule lock[] = {
        {.on = "pg_try_advisory_lock", .rows = "f"},
        {.on = "pg_advisory_lock", .deed = PG_HANG},
    };
    static const struct {
        const struct pg_rule *rules;
        size_t count;
    } cases[] = {{slot, ARRAY_LEN(slot)}, {lock, ARRAY_LEN(lock)}};

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        CLEANUP(bench_freep) struct bench *b = bench_new(cases[i].rules, cases[i].count);
        int64_t begin_ms = clock_mono_ms();
        int fd = stop_in(100);

        b->settings.busy_wait_ms = 60 * 1000;
        CHECK(!b->source->type->open(b->source, START, begin_ms + 60000, fd, &b->err));
        CHECK_INT(b->err.kind, ERR_CANCELED);
        CHECK(clock_mono_ms() - begin_ms < 5000);
        close(fd);
    }
}

/* Whatever fails on the way in, open fails with it, and the next open is none the worse. */
static void
every_failure_on_the_way_in_is_passed_on(void **state UNUSED)
{
    static const char *const statements[] = {"idle_session_timeout", "pg_try_advisory_lock",
                                             "IDENTIFY_SYSTEM",      "pg_replication_slots",
                                             "wal_sender_timeout",   "START_REPLICATION"};
    static const struct pg_rule troubles[] = {
        {.error = "57P01 terminating connection", .times = 1},
        {.deed = PG_DROP, .times = 1},
        {.rows = "", .times = 1}, /* an answer without rows */
    };

    for (size_t i = 0; i < ARRAY_LEN(statements) * ARRAY_LEN(troubles); i++) {
        struct pg_rule own = troubles[i % ARRAY_LEN(troubles)];
        struct bench *b;

        own.on = statements[i / ARRAY_LEN(troubles)];
        if (own.rows && strcmp(own.on, "START_REPLICATION") != 0)
            continue; /* harmless, or tried elsewhere */
        b = bench_new(&own, 1);
        if (bench_open_at(b, START))
            fail_msg("opens without %s", own.on);
        CHECK_INT(b->err.kind, ERR_TRANSIENT);
        CHECK_OK(bench_open_at(b, START), b->err);
        bench_freep(&b);
    }
}

static void
a_timeline_that_cannot_be_asked_for_is_passed_on(void **state UNUSED)
{
    static const struct pg_rule own[] = {
        {.on = "IDENTIFY_SYSTEM", .rows = "7001|2|0/5000|shop"},
        {.on = "TIMELINE_HISTORY", .error = "58P01 could not open file"},
    };
    CLEANUP(bench_freep) struct bench *b = bench_new(own, ARRAY_LEN(own));

    pg_source_expect(b->pg, "7001", 1);
    CHECK(!bench_open_at(b, START));
    CHECK_INT(b->err.kind, ERR_CONFIG);
    CHECK(strstr(b->err.text, "reading the history of timeline 2"));
}

/* A server with much to say is not listened to for ever. */
static void
closing_does_not_wait_for_a_talkative_server(void **state UNUSED)
{
    CLEANUP(bench_freep) struct bench *b = bench_opened(NULL, 0);
    int64_t begin_ms = clock_mono_ms();

    for (int i = 0; i < 20000; i++)
        scripted_pg_push_keepalive(b->peer, 0x9000, false);
    b->source->type->close(b->source);
    CHECK(clock_mono_ms() - begin_ms < 4000);
    CHECK_OK(bench_open_at(b, START), b->err);
}

/* ---- the slot (SEMANTICS 11) ---- */

static void
rule_11_every_open_looks_at_the_slot(void **state UNUSED)
{
    static const struct {
        const char *row;
        const char *want; /* part of the refusal; NULL: opens */
    } cases[] = {
        {SLOT("0/1000", "reserved", ""), NULL},
        {SLOT("0/800", "extended", ""), NULL},
        {SLOT("0/1001", "reserved", ""), "confirmed up to 0/1001, past our checkpoint 0/1000"},
        {SLOT("0/800", "lost", ""), "its WAL was removed"},
        {SLOT("0/800", "reserved", "idle_timeout"), "idle_timeout"},
        {"", "is gone"},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const struct pg_rule own[] = {{.on = "pg_replication_slots", .rows = cases[i].row}};
        CLEANUP(bench_freep) struct bench *b = bench_new(own, 1);

        if (bench_open_at(b, START) != (cases[i].want == NULL))
            fail_msg("%s: %s", cases[i].row, b->err.text);
        if (cases[i].want && (b->err.kind != ERR_CONFIG || !strstr(b->err.text, cases[i].want)))
            fail_msg("%s: got \"%s\", want \"%s\"", cases[i].row, b->err.text, cases[i].want);
    }
}

static void
rule_11_a_publication_made_later_is_explained(void **state UNUSED)
{
    CLEANUP(bench_freep) struct bench *b = bench_opened(NULL, 0);

    scripted_pg_push_error(b->peer, "42704 publication \"x\" does not exist");
    CHECK(!bench_next(b));
    CHECK_INT(b->err.kind, ERR_CONFIG);
    CHECK(strstr(b->err.text, "did not exist when these changes were written"));
    CHECK(strstr(b->err.text, "--accept-gap"));
}

/* ---- memory (SEMANTICS 30) ---- */

static void
push_large(struct bench *b, size_t size)
{
    CLEANUP(buf_free) struct buf value = buf_make(MEGABYTES(64));
    char *room = buf_reserve(&value, size);

    CHECK(room);
    memset(room, 'x', size);
    buf_commit(&value, size);
    /* a row of two columns: the large one and a null */
    buf_putc(&b->message, 'I');
    wire_u32(&b->message, USERS);
    buf_putc(&b->message, 'N');
    wire_u16(&b->message, 2);
    buf_putc(&b->message, 't');
    wire_u32(&b->message, (uint32_t)value.len);
    buf_put(&b->message, buf_span(&value));
    buf_putc(&b->message, 'n');
    bench_push(b, 0x2000);
}

static void
rule_30_a_large_message_renews_the_connection_when_idle(void **state UNUSED)
{
    CLEANUP(bench_freep) struct bench *b = bench_opened(NULL, 0);

    bench_push_begin(b);
    push_large(b, MEGABYTES(17));
    bench_expect(b, SOURCE_CHANGE);
    CHECK_INT(b->event.change.after[0].len, MEGABYTES(17));
    bench_expect_idle(b); /* not inside a transaction */
    wire_commit(&b->message, 0x2000, 0x2030);
    bench_push(b, 0x2030);
    bench_expect(b, SOURCE_COMMIT);
    bench_expect(b, SOURCE_RENEW);
    b->source->type->close(b->source);
    CHECK_OK(bench_open_at(b, 0x2030), b->err);
    scripted_pg_push_keepalive(b->peer, 0x2100, false);
    bench_expect(b, SOURCE_KEEPALIVE);
    bench_expect_idle(b); /* once is enough */
}

static void
rule_30_ordinary_messages_renew_nothing(void **state UNUSED)
{
    CLEANUP(bench_freep) struct bench *b = bench_opened(NULL, 0);

    bench_push_begin(b);
    push_large(b, MEGABYTES(15));
    wire_commit(&b->message, 0x2000, 0x2030);
    bench_push(b, 0x2030);
    bench_expect(b, SOURCE_CHANGE);
    bench_expect(b, SOURCE_COMMIT);
    bench_expect_idle(b);
}

/* ---- making slots ---- */

static void
rule_12_a_slot_is_made_on_a_connection_of_its_own(void **state UNUSED)
{
    static const struct pg_rule own[] = {
        {.on = "CREATE_REPLICATION_SLOT", .rows = "ours|0/1234|~|pgoutput"},
    };
    CLEANUP(bench_freep) struct bench *b = bench_new(own, ARRAY_LEN(own));
    lsn_t point = 0;

    CHECK_OK(pg_source_create_slot(
                 b->pg, &(struct slot_create_args){.deadline_ms = clock_mono_ms() + 5000}, -1,
                 &point, &b->err),
             b->err);
    CHECK_INT(point, 0x1234);
    CHECK_INT(scripted_pg_count(b->peer, "CREATE_REPLICATION_SLOT \"ours\" LOGICAL pgoutput "
                                         "NOEXPORT_SNAPSHOT"),
              1);
}

static void
a_temporary_slot_lives_with_the_first_stream(void **state UNUSED)
{
    static const struct pg_rule own[] = {
        {.on = "CREATE_REPLICATION_SLOT", .rows = "ours|0/1234|~|pgoutput"},
    };
    CLEANUP(bench_freep) struct bench *b = bench_new(own, ARRAY_LEN(own));
    lsn_t point = 0;

    b->settings.temporary_slot = true;
    CHECK_OK(pg_source_create_slot(
                 b->pg, &(struct slot_create_args){.deadline_ms = clock_mono_ms() + 5000}, -1,
                 &point, &b->err),
             b->err);
    CHECK_INT(scripted_pg_count(b->peer, "\"ours\" TEMPORARY LOGICAL"), 1);
    CHECK_OK(bench_open_at(b, point), b->err);
    b->source->type->close(b->source);
    CHECK(!bench_open_at(b, point)); /* gone, and what came since with it */
    CHECK_INT(b->err.kind, ERR_CONFIG);
    CHECK(strstr(b->err.text, "sqlite"));
}

/* ---- damage ---- */

static void
refuses_replication_messages_that_make_no_sense(void **state UNUSED)
{
    static const struct span messages[] = {
        SPAN_INIT("w12345678"),
        SPAN_INIT("k12345678"),
        SPAN_INIT("z"),
        SPAN_INIT("k"),
    };

    for (size_t i = 0; i < ARRAY_LEN(messages); i++) {
        CLEANUP(bench_freep) struct bench *b = bench_opened(NULL, 0);

        scripted_pg_push(b->peer, messages[i]);
        CHECK(!bench_next(b));
        CHECK_INT(b->err.kind, ERR_BUG);
    }
}

static void
closes_what_was_never_opened(void **state UNUSED)
{
    CLEANUP(bench_freep) struct bench *b = bench_new(NULL, 0);
    struct pollfd fds[2];

    b->source->type->close(b->source);
    b->source->type->close(b->source);
    CHECK_INT(b->source->type->poll_fds(b->source, fds, 2), 0);
    CHECK_STR(b->source->type->name, "pgoutput_stream");
    pg_source_free(NULL);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(opens_with_lock_identity_slot_and_command),
        cmocka_unit_test(events_come_in_their_order),
        cmocka_unit_test(rule_06_a_keepalive_never_goes_back),
        cmocka_unit_test(a_truncate_of_two_is_two_events),
        cmocka_unit_test(rule_05_another_cluster_is_refused_at_every_open),
        cmocka_unit_test(rule_05_a_failover_goes_on_when_it_has_what_we_read),
        cmocka_unit_test(rule_05_the_history_is_told_before_the_start),
        cmocka_unit_test(rule_08_the_period_is_a_third_of_the_timeout),
        cmocka_unit_test(rule_08_feedback_says_what_is_durable),
        cmocka_unit_test(rule_08_questions_inside_a_transaction_are_answered_but_not_often),
        cmocka_unit_test(rule_08_a_question_inside_a_transaction_is_not_left_unanswered),
        cmocka_unit_test(rule_08_a_server_that_goes_down_is_let_go),
        cmocka_unit_test(the_end_of_the_stream_is_transient),
        cmocka_unit_test(rule_10_a_lost_lock_stops_the_stream),
        cmocka_unit_test(rule_10_the_lock_is_watched_while_busy_and_while_blocked),
        cmocka_unit_test(rule_10_another_holder_is_waited_for_and_then_named),
        cmocka_unit_test(rule_10_the_wait_is_over_when_the_holder_ends),
        cmocka_unit_test(rule_10_the_wait_is_counted_over_opens),
        cmocka_unit_test(rule_10_a_slot_that_becomes_free_is_taken),
        cmocka_unit_test(waiting_for_slot_or_lock_can_be_stopped),
        cmocka_unit_test(every_failure_on_the_way_in_is_passed_on),
        cmocka_unit_test(a_timeline_that_cannot_be_asked_for_is_passed_on),
        cmocka_unit_test(closing_does_not_wait_for_a_talkative_server),
        cmocka_unit_test(rule_11_every_open_looks_at_the_slot),
        cmocka_unit_test(rule_11_a_publication_made_later_is_explained),
        cmocka_unit_test(rule_30_a_large_message_renews_the_connection_when_idle),
        cmocka_unit_test(rule_30_ordinary_messages_renew_nothing),
        cmocka_unit_test(rule_12_a_slot_is_made_on_a_connection_of_its_own),
        cmocka_unit_test(a_temporary_slot_lives_with_the_first_stream),
        cmocka_unit_test(refuses_replication_messages_that_make_no_sense),
        cmocka_unit_test(closes_what_was_never_opened),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
