/* export: columns of equal length, page after page. */
#include "local/export.h"

#include "unit/local/bench.h"

static const char *
exported(struct bench *bench, const char *cursor)
{
    struct call call = {.db = &bench->db, .arena = bench->arena};
    struct json_writer w = {.out = &bench->out};
    struct err err;

    buf_clear(&bench->out);
    if (!export_run(&call, SPAN("ns"), cursor, &w, &err)) {
        buf_clear(&bench->out);
        buf_putf(&bench->out, "%d %s", err.code, err.text);
    }
    return arena_strdup(bench->arena, bench->out.ptr);
}

static void
gives_columns(void **state UNUSED)
{
    struct bench bench;

    bench_open(&bench, &limits_live);
    check_text(bench.arena, exported(&bench, NULL), "404 namespace 'ns' was not found", "absent");
    must_write(&bench, "{'distance_metric':'cosine_distance','upsert_rows':[{'id':2,'vector':[0,1],"
                       "'a':'x'},{'id':1,'vector':[1,0],'b':[1]}]}");
    check_text(bench.arena, exported(&bench, NULL),
               "{'ids':[1,2],'vectors':[[1.0,0.0],[0.0,1.0]],'attributes':{'a':[null,'x'],'b':[[1],"
               "null]},'next_cursor':null}",
               "columns");
    check_text(bench.arena, exported(&bench, "2"),
               "{'ids':[],'vectors':[],'attributes':{'a':[],'b':[]},'next_cursor':null}",
               "the end");
    check_text(bench.arena, exported(&bench, "3"), "400 the cursor is malformed", "behind it");
    check_text(bench.arena, exported(&bench, "x"), "400 the cursor is malformed", "no number");
    bench_close(&bench);
}

/* One document more than a page. */
static void
gives_pages(void **state UNUSED)
{
    CLEANUP(buf_free) struct buf body = buf_make(MEGABYTES(1));
    struct bench bench;
    const char *page;

    bench_open(&bench, &limits_live);
    buf_putf(&body, "{'upsert_columns':{'id':[0");
    for (int i = 1; i <= EXPORT_PAGE; i++)
        buf_putf(&body, ",%d", i);
    buf_putf(&body, "]}}");
    must_write(&bench, body.ptr);
    page = exported(&bench, NULL);
    check_text(bench.arena, member(&bench, page, "next_cursor"), "'10000'", "more");
    CHECK(strncmp(page, "{\"ids\":[0,1,2,", 14) == 0);
    check_text(bench.arena, member(&bench, exported(&bench, "10000"), "ids"), "[10000]",
               "the rest");
    bench_close(&bench);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gives_columns),
        cmocka_unit_test(gives_pages),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
