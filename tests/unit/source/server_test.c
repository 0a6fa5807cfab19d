/* server: timelines, and what which version can do. */
#include "source/server.h"

#include "harness/check.h"

/* As Postgres writes it (timeline.c): id, switch point, reason; comments and blank lines. */
static const char history[] = "1\t0/3000000\tno recovery target specified\n"
                              "\n"
                              "# a comment\n"
                              "2\t1/A0000148\tbefore transaction 1234 2026-01-01 00:00:00+00\n"
                              "12\t2/0\tat restore point \"x\"";

static void
rule_05_a_history_says_where_a_timeline_was_left(void **state UNUSED)
{
    static const struct {
        int64_t timeline;
        bool found;
        lsn_t want;
    } cases[] = {
        {1, true, 0x3000000}, {2, true, 0x1A0000148}, {12, true, 0x200000000},
        {3, false, 0},        {0, false, 0},          {-1, false, 0},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        lsn_t got = 0;
        bool found = timeline_switch_point(span_of(history), cases[i].timeline, &got);

        if (found != cases[i].found || got != cases[i].want)
            fail_msg("timeline %lld: got %d " LSN_FMT, (long long)cases[i].timeline, found,
                     LSN_ARG(got));
    }
}

static void
a_damaged_history_knows_nothing(void **state UNUSED)
{
    static const char *const texts[] = {"",         "1",      "1\t",       "1\tx\t",
                                        "1\t0/\tx", "x\t0/1", "\t0/1\tx\n"};
    lsn_t lsn;

    for (size_t i = 0; i < ARRAY_LEN(texts); i++)
        CHECK(!timeline_switch_point(span_of(texts[i]), 1, &lsn));
}

static void
rule_14_features_come_with_versions(void **state UNUSED)
{
    static const struct {
        enum server_feature feature;
        int last_without, first_with;
    } cases[] = {
        {FEATURE_MESSAGES, 130099, 140000},      {FEATURE_BINARY, 130099, 140000},
        {FEATURE_STREAMING, 130099, 140000},     {FEATURE_TID_RANGE_SCAN, 130099, 140000},
        {FEATURE_ROW_FILTER, 140099, 150000},    {FEATURE_COLUMN_LIST, 140099, 150000},
        {FEATURE_FAILOVER_SLOT, 160099, 170000}, {FEATURE_GENERATED_COLUMNS, 170099, 180000},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const char *name = server_feature_name(cases[i].feature);

        if (server_has(cases[i].last_without, cases[i].feature))
            fail_msg("%s on %d", name, cases[i].last_without);
        if (!server_has(cases[i].first_with, cases[i].feature))
            fail_msg("no %s on %d", name, cases[i].first_with);
    }
}

static void
every_feature_has_a_row(void **state UNUSED)
{
    for (int i = 0; i < FEATURE_MAX_; i++) {
        CHECK(server_feature_name((enum server_feature)i));
        CHECK(server_feature_major((enum server_feature)i) >= SERVER_MAJOR_MIN);
        CHECK(server_feature_major((enum server_feature)i) <= SERVER_MAJOR_MAX);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rule_05_a_history_says_where_a_timeline_was_left),
        cmocka_unit_test(a_damaged_history_knows_nothing),
        cmocka_unit_test(rule_14_features_come_with_versions),
        cmocka_unit_test(every_feature_has_a_row),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
