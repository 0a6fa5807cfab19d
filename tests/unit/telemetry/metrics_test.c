/* metrics: the table, the cells, and the text for Prometheus. */
#include "telemetry/metrics.h"

#include <pthread.h>
#include <stdlib.h>

#include "harness/check.h"

static int
setup(void **state)
{
    *state = metrics_new();
    return 0;
}

static int
teardown(void **state)
{
    metrics_free(*state);
    return 0;
}

/* The text has this piece, which begins a line. */
static void
check_has(struct metrics *metrics, const char *want)
{
    CLEANUP(buf_free) struct buf out = buf_make(100000);
    const char *at;

    metrics_render(metrics, &out);
    at = strstr(out.ptr, want);
    if (!at || (at != out.ptr && at[-1] != '\n'))
        fail_msg("got\n%s\nwant in it\n%s", out.ptr, want);
}

/* ---- the table ---- */

static bool
ends_in(const char *text, const char *end)
{
    size_t len = strlen(text), end_len = strlen(end);

    return len >= end_len && strcmp(text + len - end_len, end) == 0;
}

static void
every_row_follows_the_naming_rules(void **state UNUSED)
{
    for (size_t i = 0; i < METRIC_MAX_; i++) {
        const struct metric_row *row = &metric_rows[i];
        char base[80];
        bool counter = row->kind == METRIC_COUNTER;

        CHECK(row->name && row->help);
        snprintf(base, sizeof(base), "%s", row->name);
        if (ends_in(base, "_total") != counter)
            fail_msg("%s: counters, and only they, end in _total", row->name);
        if (counter)
            base[strlen(base) - strlen("_total")] = '\0';
        if ((row->unit == METRIC_BYTES) != ends_in(base, "_bytes"))
            fail_msg("%s: bytes, and only they, end in _bytes", row->name);
        if ((row->unit == METRIC_MILLIS) != ends_in(base, "_seconds"))
            fail_msg("%s: times, and only they, end in _seconds", row->name);
        CHECK(strncmp(row->name, "puffgres_", 9) == 0);
        CHECK(strspn(row->name, "abcdefghijklmnopqrstuvwxyz_") == strlen(row->name));
        CHECK(!strpbrk(row->help, "\\\n"));
        for (size_t other = 0; other < i; other++)
            CHECK(strcmp(row->name, metric_rows[other].name) != 0);
    }
}

/* ---- text ---- */

static void
metrics_without_a_label_begin_at_zero(void **state)
{
    check_has(*state,
              "# HELP puffgres_events_total Row changes read from the source, mapped or not\n"
              "# TYPE puffgres_events_total counter\n"
              "puffgres_events_total 0\n");
    check_has(*state, "# TYPE puffgres_lag_seconds gauge\npuffgres_lag_seconds 0.000\n");
}

static void
metrics_with_a_label_begin_when_asked_for(void **state)
{
    CLEANUP(buf_free) struct buf out = buf_make(100000);

    metrics_render(*state, &out);
    CHECK(!strstr(out.ptr, "puffgres_mapping_stopped"));
    metrics_set(*state, METRIC_MAPPING_STOPPED, "users", 1);
    metrics_set(*state, METRIC_MAPPING_STOPPED, "orders", 0);
    metrics_set(*state, METRIC_MAPPING_STOPPED, "users", 0);
    check_has(*state, "# TYPE puffgres_mapping_stopped gauge\n"
                      "puffgres_mapping_stopped{mapping=\"users\"} 0\n"
                      "puffgres_mapping_stopped{mapping=\"orders\"} 0\n");
}

static void
values_are_in_base_units(void **state)
{
    static const struct {
        enum metric metric;
        int64_t value;
        const char *want;
    } cases[] = {
        {METRIC_LAG_TIME, 1, "puffgres_lag_seconds 0.001\n"},
        {METRIC_LAG_TIME, 61200, "puffgres_lag_seconds 61.200\n"},
        {METRIC_LAG_TIME, -1500, "puffgres_lag_seconds -1.500\n"},
        {METRIC_START_TIME, 1767323045678, "puffgres_start_time_seconds 1767323045.678\n"},
        {METRIC_LAG_BYTES, INT64_MAX, "puffgres_lag_bytes 9223372036854775807\n"},
        {METRIC_LAG_BYTES, INT64_MIN, "puffgres_lag_bytes -9223372036854775808\n"},
        {METRIC_STREAMING, 1, "puffgres_streaming 1\n"},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        metrics_set(*state, cases[i].metric, NULL, cases[i].value);
        check_has(*state, cases[i].want);
    }
}

static void
label_values_are_escaped(void **state)
{
    metrics_set(*state, METRIC_JOURNAL_ENTRIES, "a\"b\\c\nd\xC3\xA4", 7);
    check_has(*state, "puffgres_journal_entries{target=\"a\\\"b\\\\c\\nd\xC3\xA4\"} 7\n");
}

static void
every_line_is_a_comment_or_a_sample(void **state)
{
    CLEANUP(buf_free) struct buf out = buf_make(100000);
    const char *at;
    size_t helps = 0;

    for (size_t i = 0; i < METRIC_MAX_; i++) {
        if (metric_rows[i].label)
            metrics_set(*state, (enum metric)i, "x", 1);
    }
    metrics_render(*state, &out);
    for (at = out.ptr; *at; at = strchr(at, '\n') + 1) {
        CHECK(strchr(at, '\n'));
        helps += strncmp(at, "# HELP ", 7) == 0;
        CHECK(strncmp(at, "# ", 2) == 0 || strncmp(at, "puffgres_", 9) == 0);
    }
    CHECK_INT(helps, METRIC_MAX_);
}

static void
a_full_buffer_is_told_at_the_end(void **state)
{
    CLEANUP(buf_free) struct buf out = buf_make(100);
    struct err err;

    metrics_render(*state, &out);
    CHECK(!buf_ok(&out, &err));
}

/* ---- cells ---- */

static void
a_cell_stays_where_it_is(void **state)
{
    struct metric_cell *users = metrics_cell(*state, METRIC_MAPPING_DEAD_LETTERS, "users");
    char name[16];

    for (int i = 0; i < 100; i++) {
        snprintf(name, sizeof(name), "m%d", i);
        metric_add(metrics_cell(*state, METRIC_MAPPING_DEAD_LETTERS, name), 1);
    }
    CHECK(metrics_cell(*state, METRIC_MAPPING_DEAD_LETTERS, "users") == users);
    metric_add(users, 5);
    metric_add(users, -2);
    check_has(*state, "puffgres_mapping_dead_letters{mapping=\"users\"} 3\n");
}

#define THREADS 4
#define ROUNDS  1000

static void *
count_up(void *arg)
{
    struct metrics *metrics = arg;
    struct metric_cell *events = metrics_cell(metrics, METRIC_EVENTS, NULL);
    CLEANUP(buf_free) struct buf out = buf_make(100000);
    char name[16];

    for (int i = 0; i < ROUNDS; i++) {
        metric_add(events, 1);
        snprintf(name, sizeof(name), "m%d", i % 10);
        metric_add(metrics_cell(metrics, METRIC_MAPPING_DEAD_LETTERS, name), 1);
        if (i % 100 == 0)
            metrics_render(metrics, &out);
    }
    return NULL;
}

static void
any_thread_may_count(void **state)
{
    pthread_t threads[THREADS];

    for (size_t i = 0; i < THREADS; i++)
        CHECK_INT(pthread_create(&threads[i], NULL, count_up, *state), 0);
    for (size_t i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    check_has(*state, "puffgres_events_total 4000\n");
    check_has(*state, "puffgres_mapping_dead_letters{mapping=\"m9\"} 400\n");
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(every_row_follows_the_naming_rules),
        TEST(metrics_without_a_label_begin_at_zero),
        TEST(metrics_with_a_label_begin_when_asked_for),
        TEST(values_are_in_base_units),
        TEST(label_values_are_escaped),
        TEST(every_line_is_a_comment_or_a_sample),
        TEST(a_full_buffer_is_told_at_the_end),
        TEST(a_cell_stays_where_it_is),
        TEST(any_thread_may_count),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
