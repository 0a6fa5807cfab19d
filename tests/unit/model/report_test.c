/* report: every finding in its order, with its remedy. */
#include "model/report.h"

#include "harness/check.h"

static int
setup(void **state)
{
    *state = arena_new("test");
    return 0;
}

static int
teardown(void **state)
{
    arena_free(*state);
    return 0;
}

static void
an_empty_report_prints_nothing(void **state)
{
    CLEANUP(buf_free) struct buf out = buf_make(1024);
    struct report report = report_make(*state);

    report_print(&report, &out);
    CHECK_SPAN(buf_span(&out), "");
    CHECK_INT(report.count[SEVERITY_ERROR], 0);
}

static void
findings_keep_their_order_and_are_counted(void **state)
{
    CLEANUP(buf_free) struct buf out = buf_make(1024);
    struct report report = report_make(*state);
    char where[] = "postgres", remedy[] = "ALTER SYSTEM SET wal_level = logical;\n-- restart";

    report_add(&report, SEVERITY_WARNING, where, NULL, "%d slots left", 1);
    report_add(&report, SEVERITY_ERROR, where, remedy, "wal_level is %s", "replica");
    report_add(&report, SEVERITY_NOTE, "mapping users", NULL, "100%% of it");
    memset(where, 'x', sizeof(where) - 1); /* both are copied */
    memset(remedy, 'x', sizeof(remedy) - 1);

    report_print(&report, &out);
    CHECK_SPAN(buf_span(&out), "warning: postgres: 1 slots left\n"
                               "error: postgres: wal_level is replica\n"
                               "    ALTER SYSTEM SET wal_level = logical;\n"
                               "    -- restart\n"
                               "note: mapping users: 100% of it\n");
    CHECK_INT(report.count[SEVERITY_NOTE], 1);
    CHECK_INT(report.count[SEVERITY_WARNING], 1);
    CHECK_INT(report.count[SEVERITY_ERROR], 1);
}

static void
whoever_was_stopped_reads_only_what_stopped_it(void **state)
{
    CLEANUP(buf_free) struct buf out = buf_make(1024);
    struct report report = report_make(*state);

    report_add(&report, SEVERITY_NOTE, "a", NULL, "n");
    report_add(&report, SEVERITY_ERROR, "b", "mend", "e");
    report_add(&report, SEVERITY_WARNING, "c", NULL, "w");
    report_print_errors(&report, &out);
    CHECK_SPAN(buf_span(&out), "error: b: e\n    mend\n");
}

static void
a_text_without_end_is_cut(void **state)
{
    CLEANUP(buf_free) struct buf out = buf_make(MEGABYTES(1));
    struct report report = report_make(*state);
    char text[5000];

    memset(text, 'a', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    report_add(&report, SEVERITY_ERROR, "x", NULL, "%s", text);
    report_print(&report, &out);
    CHECK(out.len > 2000 && out.len < 2100);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(an_empty_report_prints_nothing),
        TEST(findings_keep_their_order_and_are_counted),
        TEST(whoever_was_stopped_reads_only_what_stopped_it),
        TEST(a_text_without_end_is_cut),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
