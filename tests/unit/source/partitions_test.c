/* partitions: what differs between two fingerprints. */
#include "source/partitions.h"

#include "base/buf.h"
#include "base/clock.h"
#include "harness/check.h"
#include "harness/scripted_pg.h"
#include "pg/session.h"

#define ROW_BORN(root, root_oid, leaf, oid, node, born)                                            \
    "[\"" root "\"," root_oid ",\"" leaf "\"," oid "," node "," born "]"
#define ROW(root, root_oid, leaf, oid, node) ROW_BORN(root, root_oid, leaf, oid, node, "0")
#define EVENTS                                                                                     \
    ROW("public.events", "1", "public.events", "1", "0")                                           \
    "," ROW("public.events", "1", "public.e1", "11", "11") "," ROW("public.events", "1",           \
                                                                   "public.e2", "12", "12")

static void
compare(const char *before, const char *now, const char *want)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new("test");
    CLEANUP(buf_free) struct buf got = buf_make(10000);
    const struct partition_difference *differences;
    size_t count;

    partitions_compare(span_of(before), span_of(now), arena, &differences, &count);
    for (size_t i = 0; i < count; i++)
        buf_putf(&got, "%.*s of %.*s %s;", SPAN_ARG(differences[i].leaf),
                 SPAN_ARG(differences[i].root), partition_change_names[differences[i].change]);
    if (strcmp(got.ptr ? got.ptr : "", want) != 0)
        fail_msg("%s\n%s\ngot  %s\nwant %s", before, now, got.ptr ? got.ptr : "", want);
}

static void
rule_27_a_difference_names_the_leaf(void **state UNUSED)
{
    static const struct {
        const char *before, *now, *want;
    } cases[] = {
        {"[" EVENTS "]", "[" EVENTS "]", ""},
        {"[" EVENTS "]", "[" EVENTS "," ROW("public.events", "1", "public.e3", "13", "13") "]",
         "public.e3 of public.events attached;"},
        /* made in place: it was empty */
        {"[" EVENTS "]",
         "[" EVENTS "," ROW_BORN("public.events", "1", "public.e3", "13", "13", "1") "]", ""},
        {"[" EVENTS "," ROW("public.events", "1", "public.e3", "13", "13") "]", "[" EVENTS "]",
         "public.e3 of public.events detached or dropped;"},
        {"[" EVENTS "," ROW("public.events", "1", "public.e3", "13", "13") "]",
         "[" EVENTS "," ROW("public.events", "1", "public.e3", "13", "99") "]",
         "public.e3 of public.events truncated or rewritten;"},
        /* dropped and made again under its name */
        {"[" EVENTS "," ROW("public.events", "1", "public.e3", "13", "13") "]",
         "[" EVENTS "," ROW("public.events", "1", "public.e3", "14", "14") "]",
         "public.e3 of public.events attached;"
         "public.e3 of public.events detached or dropped;"},
        /* renamed: the same partition */
        {"[" EVENTS "," ROW("public.events", "1", "public.e3", "13", "13") "]",
         "[" EVENTS "," ROW("public.events", "1", "public.e_old", "13", "13") "]", ""},
        /* the last leaf goes, the first comes: the root's own row keeps it known */
        {"[" ROW("public.r", "2", "public.r", "2", "0") "," ROW("public.r", "2", "public.l", "21",
                                                                "21") "]",
         "[" ROW("public.r", "2", "public.r", "2", "0") "]",
         "public.l of public.r detached or dropped;"},
        {"[" ROW("public.r", "2", "public.r", "2", "0") "]",
         "[" ROW("public.r", "2", "public.r", "2", "0") "," ROW("public.r", "2", "public.l", "21",
                                                                "21") "]",
         "public.l of public.r attached;"},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        compare(cases[i].before, cases[i].now, cases[i].want);
}

static void
rule_27_roots_that_come_and_go_are_no_difference(void **state UNUSED)
{
    compare("[" EVENTS "]", "[]", "");
    compare("[]", "[" EVENTS "]", "");
    compare("", "[" EVENTS "]", "");
    compare("[" EVENTS "]", "[" ROW("public.r", "2", "public.r", "2", "0") "]", "");
}

static void
a_text_that_is_none_of_ours_knows_nothing(void **state UNUSED)
{
    static const char *const texts[] = {"{",
                                        "{}",
                                        "7",
                                        "[7]",
                                        "[[]]",
                                        "[[1,2,3,4,5,6]]",
                                        "[[\"r\",1,\"l\",2,3]]",
                                        "[[\"r\",1,\"l\",2,-3,0]]"};

    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        compare(texts[i], "[" EVENTS "]", "");
        compare("[" EVENTS "]", texts[i], "");
    }
}

/* ---- taking one ---- */

static void
rule_27_a_fingerprint_has_a_row_per_leaf(void **state UNUSED)
{
    static const struct table plain = {.oid = 5, .schema = "public", .name = "t", .kind = 'r'};
    static const struct table root = {.oid = 1, .schema = "public", .name = "events", .kind = 'p'};
    static const struct table *const tables[] = {&plain, &root};
    static const struct pg_rule rules[] = {
        {.on = "pg_partition_tree", .rows = "public|events|1|0|0\nmy \"s|e1|11|12|1", .times = 1},
        {.on = "pg_partition_tree", .error = "57P01 terminating connection"},
    };
    CLEANUP(scripted_pg_stopp)
    struct scripted_pg *peer = scripted_pg_start(rules, ARRAY_LEN(rules));
    CLEANUP(arena_freep) struct arena *arena = arena_new("test");
    CLEANUP(pg_closep) struct pg_session *pg = NULL;
    struct span text;
    struct err err;

    CHECK_OK(pg_connect(&(struct pg_connect_args){.conninfo = scripted_pg_conninfo(peer),
                                                  .purpose = "t",
                                                  .deadline_ms = clock_mono_ms() + 5000,
                                                  .cancel_fd = -1},
                        &pg, &err),
             err);
    CHECK_OK(partitions_fingerprint(pg, tables, 1, arena, &text, &err), err);
    CHECK_SPAN(text, "[]"); /* nothing is partitioned, nothing is asked */
    CHECK_OK(partitions_fingerprint(pg, tables, 2, arena, &text, &err), err);
    CHECK_SPAN(text, "[[\"public.events\",1,\"public.events\",1,0,0],"
                     "[\"public.events\",1,\"my \\\"s.e1\",11,12,1]]");
    CHECK(!partitions_fingerprint(pg, tables, 2, arena, &text, &err));
    CHECK_INT(err.kind, ERR_TRANSIENT);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rule_27_a_difference_names_the_leaf),
        cmocka_unit_test(rule_27_roots_that_come_and_go_are_no_difference),
        cmocka_unit_test(a_text_that_is_none_of_ours_knows_nothing),
        cmocka_unit_test(rule_27_a_fingerprint_has_a_row_per_leaf),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
