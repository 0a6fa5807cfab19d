/* faults: which request a rule breaks, and which rules are none. */
#include "local/faults.h"

#include "unit/local/bench.h"

/* The actions of ten writes to "a", by their first letters; "." is none. */
static void
rules_count_requests(void **state UNUSED)
{
    /* clang-format off */
    static const struct { const char *rules, *want; } cases[] = {
        {"[]",                                                          ".........."},
        {"[{'action':'reset_before'}]",                                 "b........."},
        {"[{'action':'reset_before','times':3}]",                       "bbb......."},
        {"[{'action':'reset_before','times':0}]",                       "bbbbbbbbbb"},
        {"[{'action':'reset_before','after':2}]",                       "..b......."},
        {"[{'action':'reset_before','every':3}]",                       "..b..b..b."},
        {"[{'action':'reset_before','every':3,'times':2}]",             "..b..b...."},
        {"[{'action':'reset_before','every':2,'after':3}]",             "....b.b.b."},
        {"[{'action':'reset_before','match':{'namespace':'b'}}]",       ".........."},
        {"[{'action':'reset_before','match':{'namespace':'a'}}]",       "b........."},
        {"[{'action':'reset_before','match':{'op':'query'}}]",          ".........."},
        {"[{'action':'reset_before','match':{'op':'write'},'times':2}]", "bb........"},
        {"[{'action':'reset_before','match':{'op':'any'}}]",            "b........."},
        /* the first that wants the request has it, the others go on */
        {"[{'action':'reset_before','times':2},{'action':'reset_after','times':2}]", "bbaa......"},
        {"[{'action':'reset_after','every':4},{'action':'reset_before','every':2}]", ".b.a.b.a.b"},
        {"[{'action':'status','status':503,'after':1},{'action':'delay','delay_ms':1}]", "ds........"},
        {"[{'action':'apply_later'},{'action':'accepted_202'}]",        "l2........"},
    };
    /* clang-format on */
    static const char letters[] = {'.', 's', 'd', 'b', 'a', '2', 'l'};
    CLEANUP(arena_freep) struct arena *arena = arena_new("test");

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct faults *faults = arena_new_of(arena, struct faults);
        char got[11] = "";
        struct err err;

        CHECK_OK(faults_add(faults, json_of(arena, cases[i].rules), &err), err);
        for (int n = 0; n < 10; n++)
            got[n] = letters[faults_pick(faults, SPAN("a"), FAULT_OP_WRITE).action];
        if (strcmp(got, cases[i].want) != 0)
            fail_msg("%s: got %s, want %s", cases[i].rules, got, cases[i].want);
    }
}

/* What puts a write off has no meaning for anything else. */
static void
putting_off_is_for_writes(void **state UNUSED)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new("test");
    struct faults *faults = arena_new_of(arena, struct faults);
    struct err err;

    CHECK_OK(faults_add(faults, json_of(arena, "[{'action':'apply_later','times':0}]"), &err), err);
    CHECK_INT(faults_pick(faults, SPAN("a"), FAULT_OP_QUERY).action, FAULT_NONE);
    CHECK_INT(faults_pick(faults, SPAN("a"), FAULT_OP_WRITE).action, FAULT_APPLY_LATER);
}

static void
rules_are_read(void **state UNUSED)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new("test");
    struct faults *faults = arena_new_of(arena, struct faults);
    CLEANUP(buf_free) struct buf out = buf_make(4096);
    struct json_writer w = {.out = &out};
    struct fault fault;
    struct err err;

    CHECK_OK(faults_add(faults,
                        json_of(arena, "[{'action':'status','status':429,'retry_after':'1',"
                                       "'retry_after_ms':50,'error':'slow','plain':true},"
                                       "{'action':'delay','delay_ms':250},"
                                       "{'action':'apply_later','apply_after':3},"
                                       "{'action':'apply_later'},{'action':'accepted_202'}]"),
                        &err),
             err);
    fault = faults_pick(faults, SPAN("a"), FAULT_OP_WRITE);
    CHECK_INT(fault.status, 429);
    CHECK_STR(fault.retry_after, "1");
    CHECK_STR(fault.retry_after_ms, "50");
    CHECK_STR(fault.error, "slow");
    CHECK(fault.plain);
    CHECK_INT(faults_pick(faults, SPAN("a"), FAULT_OP_WRITE).delay_ms, 250);
    CHECK_INT(faults_pick(faults, SPAN("a"), FAULT_OP_WRITE).apply_after, 3);
    CHECK(faults_pick(faults, SPAN("a"), FAULT_OP_WRITE).apply_after == FAULT_NEVER);
    CHECK_INT(faults_pick(faults, SPAN("a"), FAULT_OP_WRITE).apply_after, 0);
    faults_write(&w, faults);
    check_text(arena, out.ptr,
               "[{'action':'status','seen':5,'fired':1},{'action':'delay','seen':5,'fired':1},"
               "{'action':'apply_later','seen':5,'fired':1},{'action':'apply_later','seen':5,"
               "'fired':1},{'action':'accepted_202','seen':5,'fired':1}]",
               "rules");
    faults_clear(faults);
    CHECK_INT(faults_pick(faults, SPAN("a"), FAULT_OP_WRITE).action, FAULT_NONE);
}

/* A list with one bad rule adds none. */
static void
bad_rules_are_refused(void **state UNUSED)
{
    /* clang-format off */
    static const struct { const char *rules, *want; } cases[] = {
        {"{}",                                       "the fault script is a list of rules"},
        {"[1]",                                      "rule 0: a rule is an object, and so is its 'match'"},
        {"[{'action':'delay'},{}]",                  "rule 1: a rule needs an 'action'"},
        {"[{'action':'explode'}]",                   "rule 0: 'action' cannot have this value"},
        {"[{'action':'none'}]",                      "rule 0: 'action' cannot have this value"},
        {"[{'action':'delay','dely_ms':1}]",         "rule 0: a rule has no 'dely_ms'"},
        {"[{'action':'delay','delay_ms':-1}]",       "rule 0: 'delay_ms' cannot have this value"},
        {"[{'action':'delay','delay_ms':600001}]",   "rule 0: 'delay_ms' cannot have this value"},
        {"[{'action':'status'}]",                    "rule 0: the action status needs a 'status' from 200 to 599"},
        {"[{'action':'status','status':600}]",       "rule 0: 'status' cannot have this value"},
        {"[{'action':'delay','every':0}]",           "rule 0: 'every' counts from 1"},
        {"[{'action':'delay','match':'write'}]",     "rule 0: a rule is an object, and so is its 'match'"},
        {"[{'action':'delay','match':{'op':'put'}}]", "rule 0: 'op' cannot have this value"},
        {"[{'action':'delay','match':{'id':1}}]",    "rule 0: a rule has no 'id'"},
        {"[{'action':'delay','plain':1}]",           "rule 0: 'plain' cannot have this value"},
        {"[{'action':'delay','error':['x']}]",       "rule 0: 'error' cannot have this value"},
    };
    /* clang-format on */
    CLEANUP(arena_freep) struct arena *arena = arena_new("test");
    struct faults *faults = arena_new_of(arena, struct faults);

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct err err;

        if (faults_add(faults, json_of(arena, cases[i].rules), &err))
            fail_msg("%s was taken", cases[i].rules);
        check_text(arena, err.text, cases[i].want, cases[i].rules);
        CHECK_INT(err.code, 400);
        CHECK_INT(faults->count, 0);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rules_count_requests),
        cmocka_unit_test(putting_off_is_for_writes),
        cmocka_unit_test(rules_are_read),
        cmocka_unit_test(bad_rules_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
