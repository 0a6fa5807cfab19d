/* heartbeat: pace, rates, and the way to JSON and back. */
#include "state/heartbeat.h"

#include "base/utf8.h"
#include "harness/check.h"

/* ---- texts ---- */

static void
texts_are_cut_between_characters(void **state UNUSED)
{
    static const struct {
        const char *text;
        size_t size;
        const char *want;
    } cases[] = {
        {"", 1, ""},
        {"abc", 4, "abc"},
        {"abcd", 4, "abc"},
        {"ab\xC3\xA4", 4, "ab"},
        {"ab\xC3\xA4", 5, "ab\xC3\xA4"},
        {"a\xF0\x9F\x90\xA6z", 5, "a"},
        {"a\xF0\x9F\x90\xA6z", 6, "a\xF0\x9F\x90\xA6"},
        {"bad \xFF byte", 20, "bad ? byte"},
        {"\xC3", 20, "?"},
        {"\xA4\xA4\xA4", 3, ""}, /* no beginning of a character to cut at */
    };
    char got[32];

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        memset(got, 'x', sizeof(got));
        heartbeat_set_text(got, cases[i].size, cases[i].text);
        CHECK_STR(got, cases[i].want);
    }
}

static void
the_last_five_errors_are_kept(void **state UNUSED)
{
    struct heartbeat beat = {0};
    char text[32];

    for (int i = 1; i <= 7; i++) {
        snprintf(text, sizeof(text), "error %d", i);
        heartbeat_add_error(&beat, i * 1000, i == 7 ? "users" : "", text);
        CHECK_INT(beat.error_count, i < HEARTBEAT_ERRORS ? i : HEARTBEAT_ERRORS);
    }
    CHECK_STR(beat.errors[0].text, "error 7");
    CHECK_STR(beat.errors[0].mapping, "users");
    CHECK_INT(beat.errors[0].at_ms, 7000);
    CHECK_STR(beat.errors[4].text, "error 3");
}

/* ---- pace ---- */

static void
rule_09_it_is_written_only_when_a_counter_changed(void **state UNUSED)
{
    struct heartbeat_meter meter = {0};
    struct heartbeat beat = {.received = 0x10};
    int64_t now = 1000;

    CHECK(heartbeat_tick(&meter, &beat, now)); /* the first tells that we are here */
    for (int i = 0; i < 20; i++) {             /* commits elsewhere move all of these */
        beat.received += 0x100;
        beat.durable += 0x100;
        beat.checkpoint += 0x100;
        beat.flush += 0x100;
        beat.lag_bytes += 1;
        beat.lag_ms += 1;
        beat.memory_bytes += 1;
        beat.last_commit_ms += 1000;
        beat.counts[HEARTBEAT_TRANSACTIONS]++; /* our own writes to the source are some */
        CHECK(!heartbeat_tick(&meter, &beat, now += 1000));
    }
    for (size_t i = 0; i < HEARTBEAT_COUNT_MAX_; i++) {
        beat.counts[i]++;
        CHECK_INT(heartbeat_tick(&meter, &beat, now += 1000), i != HEARTBEAT_TRANSACTIONS);
        CHECK(!heartbeat_tick(&meter, &beat, now += 1000));
    }
}

static void
rule_09_it_is_written_at_most_once_a_second(void **state UNUSED)
{
    struct heartbeat_meter meter = {0};
    struct heartbeat beat = {0};
    int written = 0;

    for (int64_t now = 5000; now < 15000; now += 10) {
        beat.counts[HEARTBEAT_EVENTS]++;
        written += heartbeat_tick(&meter, &beat, now);
    }
    CHECK_INT(written, 10);
}

static void
news_without_a_counter_are_told(void **state UNUSED)
{
    struct heartbeat_meter meter = {0};
    struct heartbeat beat = {0};
    int64_t now = 1000;

    CHECK(heartbeat_tick(&meter, &beat, now));
    beat.streaming = true;
    CHECK(heartbeat_tick(&meter, &beat, now += 1000));
    heartbeat_set_text(beat.retrying, sizeof(beat.retrying), "429");
    CHECK(heartbeat_tick(&meter, &beat, now += 1000));
    heartbeat_set_text(beat.retrying, sizeof(beat.retrying), "");
    CHECK(heartbeat_tick(&meter, &beat, now += 1000));
    heartbeat_set_text(beat.holder, sizeof(beat.holder), "users");
    CHECK(heartbeat_tick(&meter, &beat, now += 1000));
    heartbeat_set_text(beat.holder_reason, sizeof(beat.holder_reason), "stopped");
    CHECK(heartbeat_tick(&meter, &beat, now += 1000));
    for (int i = 0; i < 2 * HEARTBEAT_ERRORS; i++) { /* also when the ring is full */
        heartbeat_add_error(&beat, i + 1, "users", "the same text");
        CHECK(heartbeat_tick(&meter, &beat, now += 1000));
    }
    CHECK(!heartbeat_tick(&meter, &beat, now += 1000));
}

static void
a_change_within_the_second_is_told_after_it(void **state UNUSED)
{
    struct heartbeat_meter meter = {0};
    struct heartbeat beat = {0};

    CHECK(heartbeat_tick(&meter, &beat, 1000));
    beat.counts[HEARTBEAT_EVENTS] = 5;
    CHECK(!heartbeat_tick(&meter, &beat, 1500));
    CHECK(heartbeat_tick(&meter, &beat, 2000));
}

/* ---- rates ---- */

static void
rates_are_of_the_last_ten_seconds(void **state UNUSED)
{
    static const struct {
        int64_t seconds;      /* this many ticks of a second */
        uint64_t events_each; /* with so many events */
        int want;             /* per second, times ten */
    } cases[] = {
        {1, 100, 0},     /* the first has nothing to compare with */
        {1, 100, 1000},  /* */
        {20, 100, 1000}, /* steady */
        {5, 0, 500},     /* half of the window is quiet */
        {5, 0, 0},       /* all of it */
        {1, 50, 50},
    };
    struct heartbeat_meter meter = {0};
    struct heartbeat beat = {0};
    int64_t now = 77000;

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        for (int64_t second = 0; second < cases[i].seconds; second++) {
            beat.counts[HEARTBEAT_EVENTS] += cases[i].events_each;
            (void)heartbeat_tick(&meter, &beat, now += 1000);
        }
        CHECK_INT((int)(beat.rates[HEARTBEAT_EVENTS] * 10 + 0.5), cases[i].want);
        CHECK_INT((int)beat.rates[HEARTBEAT_BATCHES], 0);
    }
}

/* ---- JSON ---- */

/* Every member another value, so that a swap would show. */
static struct heartbeat
full(void)
{
    struct heartbeat beat = {
        .pid = 4242,
        .started_ms = 1700000000001,
        .written_ms = 1700000000002,
        .streaming = true,
        .received = UINT64_C(0xFFFFFFFFFFFFFFF4),
        .durable = 0x16B3743,
        .checkpoint = 0x16B3742,
        .flush = 0x16B3741,
        .lag_bytes = UINT64_MAX,
        .lag_ms = 1234,
        .memory_bytes = 48000000,
        .last_flush_ms = 1700000000003,
        .last_commit_ms = 1700000000004,
    };

    for (size_t i = 0; i < HEARTBEAT_COUNT_MAX_; i++) {
        beat.counts[i] = 1000 + i;
        beat.rates[i] = 2000.5 + (double)i;
    }
    heartbeat_set_text(beat.retrying, sizeof(beat.retrying), "429 \"slow down\"\n");
    heartbeat_set_text(beat.holder, sizeof(beat.holder), "users");
    heartbeat_set_text(beat.holder_reason, sizeof(beat.holder_reason), "K\xC3\xA4the \x01");
    heartbeat_add_error(&beat, 5000, "", "older");
    heartbeat_add_error(&beat, 6000, "orders", "newer");
    return beat;
}

static void
it_comes_back_as_it_was_written(void **state UNUSED)
{
    CLEANUP(buf_free) struct buf out = buf_make(HEARTBEAT_JSON_MAX);
    CLEANUP(arena_freep) struct arena *arena = arena_new("test");
    struct heartbeat want = full(), got;
    struct err err;

    heartbeat_write(&want, &out);
    CHECK_OK(buf_ok(&out, &err), err);
    CHECK_OK(heartbeat_read(buf_span(&out), arena, &got, &err), err);
    CHECK_INT(got.pid, want.pid);
    CHECK_INT(got.started_ms, want.started_ms);
    CHECK_INT(got.written_ms, want.written_ms);
    CHECK(got.streaming);
    CHECK(got.received == want.received && got.durable == want.durable);
    CHECK(got.checkpoint == want.checkpoint && got.flush == want.flush);
    CHECK(got.lag_bytes == want.lag_bytes);
    CHECK_INT(got.lag_ms, want.lag_ms);
    CHECK_INT(got.memory_bytes, want.memory_bytes);
    CHECK_INT(got.last_flush_ms, want.last_flush_ms);
    CHECK_INT(got.last_commit_ms, want.last_commit_ms);
    for (size_t i = 0; i < HEARTBEAT_COUNT_MAX_; i++) {
        CHECK_INT(got.counts[i], want.counts[i]);
        CHECK_INT(got.rates[i] * 10, want.rates[i] * 10);
    }
    CHECK_STR(got.retrying, want.retrying);
    CHECK_STR(got.holder, want.holder);
    CHECK_STR(got.holder_reason, want.holder_reason);
    CHECK_INT(got.error_count, 2);
    CHECK_STR(got.errors[0].mapping, "orders");
    CHECK_STR(got.errors[0].text, "newer");
    CHECK_INT(got.errors[1].at_ms, 5000);
    CHECK_STR(got.errors[1].mapping, "");
}

static void
the_largest_fits(void **state UNUSED)
{
    CLEANUP(buf_free) struct buf out = buf_make(HEARTBEAT_JSON_MAX);
    struct heartbeat beat = full();
    struct err err;
    char text[HEARTBEAT_TEXT_SIZE];

    memset(text, 1, sizeof(text) - 1); /* six characters each, in JSON */
    text[sizeof(text) - 1] = '\0';
    heartbeat_set_text(beat.retrying, sizeof(beat.retrying), text);
    heartbeat_set_text(beat.holder_reason, sizeof(beat.holder_reason), text);
    for (int i = 0; i < HEARTBEAT_ERRORS; i++)
        heartbeat_add_error(&beat, INT64_MIN, text, text);
    heartbeat_write(&beat, &out);
    CHECK_OK(buf_ok(&out, &err), err);
}

static void
other_versions_are_read(void **state UNUSED)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new("test");
    struct heartbeat got;
    struct err err;

    CHECK_OK(heartbeat_read(SPAN("{\"pid\":7,\"new\":[1],\"counts\":{\"events\":9,\"new\":{}},"
                                 "\"errors\":[{\"at_ms\":1,\"mapping\":\"a\",\"text\":\"1\"},"
                                 "{\"at_ms\":2,\"mapping\":\"a\",\"text\":\"2\"},"
                                 "{\"at_ms\":3,\"mapping\":\"a\",\"text\":\"3\"},"
                                 "{\"at_ms\":4,\"mapping\":\"a\",\"text\":\"4\"},"
                                 "{\"at_ms\":5,\"mapping\":\"a\",\"text\":\"5\"},"
                                 "{\"at_ms\":6,\"mapping\":\"a\",\"text\":\"6\"}]}"),
                            arena, &got, &err),
             err);
    CHECK_INT(got.pid, 7);
    CHECK_INT(got.counts[HEARTBEAT_EVENTS], 9);
    CHECK_INT(got.counts[HEARTBEAT_BATCHES], 0);
    CHECK_INT(got.error_count, HEARTBEAT_ERRORS);
    CHECK_STR(got.errors[4].text, "5");
    CHECK_STR(got.retrying, "");
    CHECK_OK(heartbeat_read(SPAN("{}"), arena, &got, &err), err);
    CHECK_INT(got.pid, 0);
}

static void
what_is_no_heartbeat_is_refused(void **state UNUSED)
{
    static const struct {
        struct span json;
        const char *want;
    } cases[] = {
        {SPAN_INIT("[]"), "heartbeat: not a JSON object"},
        {SPAN_INIT("{\"pid\":\"7\"}"), "heartbeat: \"pid\" is not what `run` writes there"},
        {SPAN_INIT("{\"pid\":1.5}"), "heartbeat: \"pid\" is not what `run` writes there"},
        {SPAN_INIT("{\"streaming\":1}"), "heartbeat: \"streaming\" is not what `run` writes there"},
        {SPAN_INIT("{\"flush\":7}"), "heartbeat: \"flush\" is not what `run` writes there"},
        {SPAN_INIT("{\"flush\":\"x\"}"), "heartbeat: \"flush\" is not what `run` writes there"},
        {SPAN_INIT("{\"lag_bytes\":-1}"),
         "heartbeat: \"lag_bytes\" is not what `run` writes there"},
        {SPAN_INIT("{\"holder\":null}"), "heartbeat: \"holder\" is not what `run` writes there"},
        {SPAN_INIT("{\"counts\":[]}"),
         "heartbeat: \"counts, rates or errors\" is not what `run` writes there"},
        {SPAN_INIT("{\"errors\":{}}"),
         "heartbeat: \"counts, rates or errors\" is not what `run` writes there"},
        {SPAN_INIT("{\"counts\":{\"rows\":\"1\"}}"),
         "heartbeat: \"rows\" is not what `run` writes there"},
        {SPAN_INIT("{\"rates\":{\"rows\":\"1\"}}"),
         "heartbeat: \"rows\" is not what `run` writes there"},
        {SPAN_INIT("{\"errors\":[{\"at_ms\":1}]}"),
         "heartbeat: \"errors\" is not what `run` writes there"},
        {SPAN_INIT("{\"errors\":[7]}"), "heartbeat: \"errors\" is not what `run` writes there"},
    };
    CLEANUP(arena_freep) struct arena *arena = arena_new("test");
    struct heartbeat got = {.pid = 99};
    struct err err;

    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        CHECK_FAILS(heartbeat_read(cases[i].json, arena, &got, &err), err, ERR_DATA, cases[i].want);
    CHECK(!heartbeat_read(SPAN("{\"pid\":"), arena, &got, &err));
    CHECK_INT(err.kind, ERR_DATA);
    CHECK_INT(got.pid, 99); /* untouched */
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(texts_are_cut_between_characters),
        cmocka_unit_test(the_last_five_errors_are_kept),
        cmocka_unit_test(rule_09_it_is_written_only_when_a_counter_changed),
        cmocka_unit_test(rule_09_it_is_written_at_most_once_a_second),
        cmocka_unit_test(news_without_a_counter_are_told),
        cmocka_unit_test(a_change_within_the_second_is_told_after_it),
        cmocka_unit_test(rates_are_of_the_last_ten_seconds),
        cmocka_unit_test(it_comes_back_as_it_was_written),
        cmocka_unit_test(the_largest_fits),
        cmocka_unit_test(other_versions_are_read),
        cmocka_unit_test(what_is_no_heartbeat_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
