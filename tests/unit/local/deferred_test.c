/* deferred: writes that come true later, in order, with an outcome for those who ask. */
#include "local/deferred.h"

#include "local/faults.h"
#include "unit/local/bench.h"

struct fixture {
    struct bench bench;
    struct deferred deferred;
};

static size_t
put_off(struct fixture *f, const char *body, uint64_t due, bool polled)
{
    size_t number = 0;
    struct err err;

    CHECK_OK(deferred_add(&f->deferred, SPAN("ns"), quoted(f->bench.arena, body), due, polled,
                          &number, &err),
             err);
    return number;
}

static const char *
status(struct fixture *f, size_t number)
{
    struct json_writer w = {.out = &f->bench.out};

    buf_clear(&f->bench.out);
    if (!deferred_write_status(&f->deferred, number, &w))
        return "none";
    return arena_strdup(f->bench.arena, f->bench.out.ptr);
}

static void
close_fixture(struct fixture *f)
{
    deferred_done(&f->deferred);
    bench_close(&f->bench);
}

static void
are_applied_when_due(void **state UNUSED)
{
    struct fixture f = {0};

    bench_open(&f.bench, &limits_live);
    put_off(&f, "{'upsert_rows':[{'id':1,'a':1}]}", 5, false);
    put_off(&f, "{'upsert_rows':[{'id':2,'a':1}]}", 3, false);
    put_off(&f, "{'upsert_rows':[{'id':3,'a':1}]}", FAULT_NEVER, false);
    CHECK_INT(deferred_pending(&f.deferred), 3);
    CHECK_INT(deferred_apply(&f.deferred, &f.bench.db, 2, NOW_MS), 0);
    check_text(f.bench.arena, bench_dump(&f.bench), "{}", "nothing is due");
    CHECK_INT(deferred_apply(&f.deferred, &f.bench.db, 3, NOW_MS), 1);
    check_text(f.bench.arena, bench_dump(&f.bench), "{'ns':[{'id':2,'a':1}]}", "the second is due");
    CHECK_INT(deferred_apply(&f.deferred, &f.bench.db, 9, NOW_MS), 1);
    CHECK_INT(deferred_pending(&f.deferred), 1);
    CHECK_INT(deferred_apply(&f.deferred, &f.bench.db, 9, NOW_MS), 0); /* once only */
    CHECK_INT(deferred_apply(&f.deferred, &f.bench.db, FAULT_NEVER, NOW_MS), 1);
    check_text(f.bench.arena, bench_dump(&f.bench),
               "{'ns':[{'id':1,'a':1},{'id':2,'a':1},{'id':3,'a':1}]}", "all");
    CHECK_INT(deferred_pending(&f.deferred), 0);
    close_fixture(&f);
}

/* facts 4.3: U1 is lost and sent again, D2 deletes, then the first U1 comes true. */
static void
rule_19_a_late_write_brings_a_deleted_document_back(void **state UNUSED)
{
#define U1                                                                                         \
    "{'schema':{'v':'uint'},'upsert_rows':[{'id':1,'v':1}],'upsert_condition':['v','Lt',"          \
    "{'$ref_new':'v'}]}"
    struct fixture f = {0};

    bench_open(&f.bench, &limits_live);
    put_off(&f, U1, FAULT_NEVER, false);
    must_write(&f.bench, U1);
    must_write(&f.bench, "{'schema':{'v':'uint'},'deletes':[1],'delete_condition':['v','Lt',2]}");
    check_text(f.bench.arena, bench_dump(&f.bench), "{'ns':[]}", "deleted");
    deferred_apply(&f.deferred, &f.bench.db, FAULT_NEVER, NOW_MS);
    check_text(f.bench.arena, bench_dump(&f.bench), "{'ns':[{'id':1,'v':1}]}", "the zombie");
    /* what the journal of deletes is for: the same conditional delete again */
    must_write(&f.bench, "{'schema':{'v':'uint'},'deletes':[1],'delete_condition':['v','Lt',2]}");
    check_text(f.bench.arena, bench_dump(&f.bench), "{'ns':[]}", "deleted again");
    close_fixture(&f);
#undef U1
}

static void
tell_their_outcome(void **state UNUSED)
{
    struct fixture f = {0};
    size_t good, bad, broken, silent;

    bench_open(&f.bench, &limits_live);
    good = put_off(&f, "{'upsert_rows':[{'id':1}]}", 1, true);
    bad = put_off(&f, "{'upsert_rows':[{'id':1},{'id':1}]}", 1, true);
    broken = put_off(&f, "{'upsert_rows':", 1, true);
    silent = put_off(&f, "{'deletes':[1]}", 1, false);
    check_text(f.bench.arena, status(&f, good), "{'status':'running'}", "before");
    CHECK_INT(deferred_apply(&f.deferred, &f.bench.db, 1, NOW_MS), 4);
    CHECK(strstr(status(&f, good),
                 "{\"status\":\"finished\",\"result\":{\"success\":{\"status\":\"OK\","));
    check_text(f.bench.arena, status(&f, bad),
               "{'status':'finished','result':{'error':{'status_code':400,'detail':{'status':"
               "'error','error':'duplicate document IDs in one request: 1'}}}}",
               "refused");
    CHECK(strstr(status(&f, broken), "\"status_code\":400,"));
    CHECK_STR(status(&f, silent), "none");
    CHECK_STR(status(&f, 99), "none");
    close_fixture(&f);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(are_applied_when_due),
        cmocka_unit_test(rule_19_a_late_write_brings_a_deleted_document_back),
        cmocka_unit_test(tell_their_outcome),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
