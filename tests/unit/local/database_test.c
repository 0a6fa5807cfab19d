/* database: names, pages of namespaces, metadata, dump. */
#include "local/database.h"

#include "unit/local/bench.h"

static void
names(void **state UNUSED)
{
    char long_name[130];

    memset(long_name, 'x', sizeof(long_name));
    CHECK(database_name_ok(SPAN("a")));
    CHECK(database_name_ok(SPAN("A-Z_a.z-09")));
    CHECK(database_name_ok((struct span){long_name, 128}));
    CHECK(!database_name_ok((struct span){long_name, 129}));
    CHECK(!database_name_ok(SPAN("")));
    CHECK(!database_name_ok(SPAN("a b")));
    CHECK(!database_name_ok(SPAN("a/b")));
    CHECK(!database_name_ok(SPAN("\xc3\xa9")));
    CHECK(!database_name_ok((struct span){"a\0b", 3}));
}

static const char *
listed(struct bench *bench, const char *prefix, const char *cursor, const char *page_size)
{
    struct call call = {.db = &bench->db, .arena = bench->arena};
    struct json_writer w = {.out = &bench->out};
    struct err err;

    buf_clear(&bench->out);
    if (!database_list(&call, prefix, cursor, page_size, &w, &err)) {
        buf_clear(&bench->out);
        buf_putf(&bench->out, "%d %s", err.code, err.text);
    }
    return arena_strdup(bench->arena, bench->out.ptr);
}

static void
lists_in_pages(void **state UNUSED)
{
    /* clang-format off */
    static const struct { const char *prefix, *cursor, *page_size, *want; } cases[] = {
        {NULL,  NULL, NULL, "{'namespaces':[{'id':'a'},{'id':'a1'},{'id':'a2'},{'id':'b'}]}"},
        {"a",   NULL, NULL, "{'namespaces':[{'id':'a'},{'id':'a1'},{'id':'a2'}]}"},
        {"a1",  NULL, NULL, "{'namespaces':[{'id':'a1'}]}"},
        {"x",   NULL, NULL, "{'namespaces':[]}"},
        {NULL,  NULL, "2",  "{'namespaces':[{'id':'a'},{'id':'a1'}],'next_cursor':'YWZ0ZXI6YTE='}"},
        {NULL,  "YWZ0ZXI6YTE=", "2", "{'namespaces':[{'id':'a2'},{'id':'b'}]}"},
        {"a",   "YWZ0ZXI6YTE=", "1", "{'namespaces':[{'id':'a2'}]}"},
        {NULL,  "",   "1000", "{'namespaces':[{'id':'a'},{'id':'a1'},{'id':'a2'},{'id':'b'}]}"},
        {NULL,  "nonsense", NULL, "400 the cursor is malformed"},
        {NULL,  "bm9ucw==", NULL, "400 the cursor is malformed"},
        {NULL,  NULL, "0",    "400 page_size is a number from 1 to 1000"},
        {NULL,  NULL, "1001", "400 page_size is a number from 1 to 1000"},
        {NULL,  NULL, "ten",  "400 page_size is a number from 1 to 1000"},
    };
    /* clang-format on */
    static const char *const made[] = {"b", "a2", "a", "a1"};
    struct bench bench;

    bench_open(&bench, &limits_live);
    for (size_t i = 0; i < ARRAY_LEN(made); i++)
        CHECK(bench_run(&bench, write_run, made[i], "{'upsert_rows':[{'id':1}]}")[0] == '{');
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        check_text(bench.arena,
                   listed(&bench, cases[i].prefix, cases[i].cursor, cases[i].page_size),
                   cases[i].want, cases[i].want);
    bench_close(&bench);
}

static const char *
metadata(struct bench *bench)
{
    struct json_writer w = {.out = &bench->out};

    buf_clear(&bench->out);
    database_write_metadata(&w, database_find(&bench->db, SPAN("ns")));
    return arena_strdup(bench->arena, bench->out.ptr);
}

#define METADATA                                                                                   \
    "{'schema':{'id':{'type':'uint','filterable':true},'a':{'type':'string','filterable':true,"    \
    "'full_text_search':false}},'approx_row_count':1,'approx_logical_bytes':11,'created_at':"      \
    "'2023-11-14T22:13:20.000Z','updated_at':'2023-11-14T22:13:20.000Z','last_write_at':"          \
    "'2023-11-14T22:13:20.000Z','encryption':{'sse':true},'index':{'status':'up-to-date',"         \
    "'unindexed_bytes':0}"

static void
shows_and_takes_metadata(void **state UNUSED)
{
    /* clang-format off */
    static const struct { const char *patch, *want; } cases[] = {
        {"{'read_only':true}",            METADATA ",'read_only':true}"},
        {"{'pinning':{'replicas':1}}",    METADATA ",'pinning':{'replicas':1},'read_only':true}"},
        {"{'pinning':null,'read_only':false}", METADATA "}"},
        {"{'pinning':true}",              METADATA ",'pinning':{'replicas':1}}"},
        {"{'pinning':false}",             METADATA "}"},
        {"{'read_only':1}",               "422 read_only is true or false"},
        {"{}",                            "400 there is neither pinning nor read_only in the body"},
        {"[]",                            "422 the body is an object of pinning and read_only"},
    };
    /* clang-format on */
    struct bench bench;

    bench_open(&bench, &limits_live);
    must_write(&bench, "{'upsert_rows':[{'id':1,'a':'abc'}]}");
    check_text(bench.arena, metadata(&bench), METADATA "}", "fresh");
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char refused[256];
        struct err err;

        if (database_patch_metadata(database_find(&bench.db, SPAN("ns")),
                                    json_of(bench.arena, cases[i].patch), &err)) {
            check_text(bench.arena, metadata(&bench), cases[i].want, cases[i].patch);
            continue;
        }
        snprintf(refused, sizeof(refused), "%d %.200s", err.code, err.text);
        check_text(bench.arena, refused, cases[i].want, cases[i].patch);
    }
    bench_close(&bench);
}

static void
drops(void **state UNUSED)
{
    struct bench bench;
    struct call call;
    struct err err;

    bench_open(&bench, &limits_live);
    call = (struct call){.db = &bench.db, .arena = bench.arena};
    must_write(&bench, "{'upsert_rows':[{'id':1}]}");
    CHECK_OK(database_drop(&call, SPAN("ns"), &err), err);
    CHECK(!database_find(&bench.db, SPAN("ns")));
    CHECK_INT(bench.db.journal.count, 2);
    CHECK_FAILS(database_drop(&call, SPAN("ns"), &err), err, ERR_DATA,
                "namespace \"ns\" was not found");
    CHECK_INT(err.code, 404);
    must_write(&bench, "{'upsert_rows':[{'id':'now text'}]}"); /* the name is free at once */
    database_clear(&bench.db);
    check_text(bench.arena, bench_dump(&bench), "{}", "cleared");
    bench_close(&bench);
}

static void
dumps_sorted(void **state UNUSED)
{
    struct bench bench;

    bench_open(&bench, &limits_live);
    CHECK(bench_run(&bench, write_run, "z", "{'upsert_rows':[{'id':'b'},{'id':'a','n':1}]}"));
    CHECK(bench_run(&bench, write_run, "a", "{'upsert_rows':[{'id':10},{'id':9},{'id':100}]}"));
    check_text(bench.arena, bench_dump(&bench),
               "{'a':[{'id':9},{'id':10},{'id':100}],'z':[{'id':'a','n':1},{'id':'b'}]}", "dump");
    bench_close(&bench);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names),
        cmocka_unit_test(lists_in_pages),
        cmocka_unit_test(shows_and_takes_metadata),
        cmocka_unit_test(drops),
        cmocka_unit_test(dumps_sorted),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
