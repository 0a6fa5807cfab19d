/* journal: order, effects, versions before and after, the ring and its regressions. */
#include "local/journal.h"

#include "unit/local/bench.h"

#define VERSIONS "'schema':{'__source_lsn':'uint','__source_seq':'uint'}"

static const char *
shown(struct bench *bench, uint64_t since, size_t limit)
{
    struct json_writer w = {.out = &bench->out};

    buf_clear(&bench->out);
    journal_write(&w, &bench->db.journal, since, limit);
    return arena_strdup(bench->arena, bench->out.ptr);
}

static void
tells_what_happened(void **state UNUSED)
{
    struct bench bench;

    bench_open(&bench, &limits_live);
    must_write(&bench, "{" VERSIONS ",'upsert_rows':[{'id':1,'__source_lsn':7,'__source_seq':2}]}");
    must_write(&bench,
               "{" VERSIONS ",'upsert_rows':[{'id':1,'__source_lsn':6}],'upsert_condition':"
               "['__source_lsn','Lt',{'$ref_new':'__source_lsn'}],'patch_rows':[{'id':2,'a':"
               "1}],'deletes':[3]}");
    must_write(&bench, "{'delete_by_filter':['id','Eq',1]}");
    check_text(bench.arena, member(&bench, shown(&bench, 0, 100), "entries"),
               "[{'number':1,'request':1,'namespace':'ns','op':'upsert','id':1,'effect':'applied',"
               "'before':null,'after':{'__source_lsn':7,'__source_seq':2},'regressed':false},"
               "{'number':2,'request':2,'namespace':'ns','op':'upsert','id':1,'effect':'skipped',"
               "'before':{'__source_lsn':7,'__source_seq':2},"
               "'after':{'__source_lsn':7,'__source_seq':2},'regressed':false},"
               "{'number':3,'request':2,'namespace':'ns','op':'patch','id':2,'effect':'absent',"
               "'before':null,'after':null,'regressed':false},"
               "{'number':4,'request':2,'namespace':'ns','op':'delete','id':3,'effect':'absent',"
               "'before':null,'after':null,'regressed':false},"
               "{'number':5,'request':3,'namespace':'ns','op':'delete_by_filter','id':1,"
               "'effect':'applied','before':{'__source_lsn':7,'__source_seq':2},'after':null,"
               "'regressed':false}]",
               "entries");
    bench_close(&bench);
}

static void
names_ids_of_every_kind(void **state UNUSED)
{
    struct bench bench;

    bench_open(&bench, &limits_live);
    must_write(&bench, "{'upsert_rows':[{'id':'text \xc3\xa9'}]}");
    bench_run(&bench, write_run, "uuids",
              "{'schema':{'id':'uuid'},'upsert_rows':[{'id':'00000000000000000000000000000001'}]}");
    bench_run(&bench, write_run, "numbers", "{'upsert_rows':[{'id':18446744073709551615}]}");
    CHECK(strstr(shown(&bench, 0, 9), "\"id\":\"text \xc3\xa9\""));
    CHECK(strstr(shown(&bench, 1, 9), "\"id\":\"00000000-0000-0000-0000-000000000001\""));
    CHECK(strstr(shown(&bench, 2, 9), "\"id\":18446744073709551615"));
    bench_close(&bench);
}

static void
pages(void **state UNUSED)
{
    struct bench bench;

    bench_open(&bench, &limits_live);
    for (int i = 0; i < 5; i++)
        must_write(&bench, "{'upsert_rows':[{'id':1}]}");
    CHECK(strstr(shown(&bench, 3, 100), "{\"entries\":[{\"number\":4,"));
    CHECK(strstr(shown(&bench, 1, 1), "{\"entries\":[{\"number\":2,"));
    CHECK(!strstr(shown(&bench, 1, 1), "\"number\":3,"));
    check_text(bench.arena, shown(&bench, 5, 100),
               "{'entries':[],'last':5,'dropped':0,'regressions':0,'first_regression':null}",
               "at the end");
    CHECK(strstr(shown(&bench, UINT64_MAX, 1), "\"entries\":[]"));
    bench_close(&bench);
}

/* A ring of ten. */
static void
forgets_the_oldest(void **state UNUSED)
{
    struct journal journal;
    struct buf out = buf_make(65536);
    struct json_writer w = {.out = &out};

    journal_init(&journal, 10);
    for (uint64_t i = 0; i < 25; i++)
        journal_add(&journal, &(struct journal_entry){.request = i,
                                                      .ns_name = journal_name(&journal, SPAN("x")),
                                                      .op = JOURNAL_UPSERT});
    journal_write(&w, &journal, 0, 100);
    CHECK(strstr(out.ptr, "{\"entries\":[{\"number\":16,\"request\":15,"));
    CHECK(strstr(out.ptr, "\"last\":25,\"dropped\":15,"));
    journal_clear(&journal);
    CHECK_INT(journal.count, 0);
    journal_done(&journal);
    buf_free(&out);
}

/* A version may not fall while the document stays; null is below everything. */
static void
counts_regressions(void **state UNUSED)
{
    /* clang-format off */
    static const struct {
        struct journal_version before, after;
        bool regressed;
    } cases[] = {
        {{true, true, true, 5, 1}, {true, true, true, 5, 1}, false},
        {{true, true, true, 5, 1}, {true, true, true, 5, 2}, false},
        {{true, true, true, 5, 1}, {true, true, true, 6, 0}, false},
        {{true, true, true, 5, 1}, {true, true, true, 5, 0}, true},
        {{true, true, true, 5, 1}, {true, true, true, 4, 9}, true},
        {{true, true, true, 5, 1}, {true, true, false, 5, 0}, true},
        {{true, true, true, 5, 1}, {true, false, false, 0, 0}, true},
        {{true, false, false, 0, 0}, {true, true, true, 0, 0}, false},
        {{true, false, false, 0, 0}, {true, false, false, 0, 0}, false},
        {{true, true, true, 5, 1}, {false, false, false, 0, 0}, false}, /* deleted */
        {{false, false, false, 0, 0}, {true, true, true, 1, 1}, false}, /* inserted */
    };
    /* clang-format on */
    struct journal journal;
    uint64_t want = 0;

    journal_init(&journal, 2); /* the count outlives the entries */
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        journal_add(&journal, &(struct journal_entry){.ns_name = journal_name(&journal, SPAN("x")),
                                                      .op = JOURNAL_UPSERT,
                                                      .before = cases[i].before,
                                                      .after = cases[i].after});
        want += cases[i].regressed;
        if (journal.regressions != want)
            fail_msg("case %zu: %d regressions", i, (int)journal.regressions);
    }
    CHECK_INT(journal.first_regression.number, 4);
    journal_done(&journal);
}

/* What a blind write does to a newer document is seen through a write, too. */
static void
sees_a_blind_write(void **state UNUSED)
{
    struct bench bench;

    bench_open(&bench, &limits_live);
    must_write(&bench, "{" VERSIONS ",'upsert_rows':[{'id':1,'__source_lsn':7,'__source_seq':2}]}");
    must_write(&bench, "{" VERSIONS ",'upsert_rows':[{'id':1,'__source_lsn':7,'__source_seq':1}]}");
    check_text(bench.arena, member(&bench, shown(&bench, 0, 9), "regressions"), "1", "count");
    check_text(bench.arena, member(&bench, shown(&bench, 0, 9), "first_regression"),
               "{'number':2,'request':2,'namespace':'ns','op':'upsert','id':1,'effect':'applied',"
               "'before':{'__source_lsn':7,'__source_seq':2},"
               "'after':{'__source_lsn':7,'__source_seq':1},'regressed':true}",
               "first");
    bench_close(&bench);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tells_what_happened),
        cmocka_unit_test(names_ids_of_every_kind),
        cmocka_unit_test(pages),
        cmocka_unit_test(forgets_the_oldest),
        cmocka_unit_test(counts_regressions),
        cmocka_unit_test(sees_a_blind_write),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
