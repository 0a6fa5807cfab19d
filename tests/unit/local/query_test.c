/* query: ranking, projections, limits, aggregates, several at once. */
#include "local/query.h"

#include "unit/local/bench.h"

static void
prepare(struct bench *bench)
{
    bench_open(bench, &limits_live);
    must_write(bench,
               "{'schema':{'n':'int','f':'float','raw':{'type':'string','filterable':false}},"
               "'distance_metric':'euclidean_squared','upsert_rows':["
               "{'id':1,'vector':[1,0],'n':3,'g':'a','f':0.5},"
               "{'id':2,'vector':[0,1],'n':1,'g':'b','f':1.5},"
               "{'id':3,'vector':[1,1],'g':'a','raw':'r'},"
               "{'id':4,'vector':[5,5],'n':3,'g':'b'}]}");
}

struct query_case {
    const char *query, *want;
};

static void
check_cases(const char *what, const struct query_case *cases, size_t count)
{
    struct bench bench;

    prepare(&bench);
    for (size_t i = 0; i < count; i++)
        check_text(bench.arena,
                   member(&bench, bench_run(&bench, query_run, "ns", cases[i].query), what),
                   cases[i].want, cases[i].query);
    bench_close(&bench);
}

static void
ranking(void **state UNUSED)
{
    /* clang-format off */
    static const struct query_case cases[] = {
        {"{'rank_by':['id','asc']}",   "[{'id':1},{'id':2},{'id':3},{'id':4}]"},
        {"{'rank_by':['id','desc']}",  "[{'id':4},{'id':3},{'id':2},{'id':1}]"},
        /* nulls first ascending, last descending; ties by id */
        {"{'rank_by':['n','asc']}",    "[{'id':3},{'id':2},{'id':1},{'id':4}]"},
        {"{'rank_by':['n','desc']}",   "[{'id':1},{'id':4},{'id':2},{'id':3}]"},
        {"{'rank_by':[['g','desc'],['id','desc']]}", "[{'id':4},{'id':2},{'id':3},{'id':1}]"},
        {"{'rank_by':[['g','asc'],['n','desc']]}",   "[{'id':1},{'id':3},{'id':4},{'id':2}]"},
        {"{'rank_by':['vector','ANN',[1,0]],'limit':2}",
         "[{'id':1,'$dist':0.0},{'id':3,'$dist':1.0}]"},
        {"{'rank_by':['vector','kNN',[0,0]],'filters':['g','Eq','b']}",
         "[{'id':2,'$dist':1.0},{'id':4,'$dist':50.0}]"},
        {"{'rank_by':['vector','ANN','AACAPwAAAAA='],'limit':1}", "[{'id':1,'$dist':0.0}]"},
        {"{'rank_by':['vector','kNN',[0,0]]}", "400 rank_by: kNN needs filters"},
        {"{'rank_by':['vector','ANN',[1]]}",   "400 rank_by: the vector has 1 dimensions, its column 2"},
        {"{'rank_by':['n','ANN',[1]]}",        "400 rank_by: attribute 'n' is no dense vector"},
        {"{'rank_by':['g','BM25','x']}",       "400 rank_by: turbopuffer-local does not do BM25"},
        {"{'rank_by':['g','SparseKNN',{}]}",   "400 rank_by: turbopuffer-local does not do SparseKNN"},
        {"{'rank_by':['Sum',[]]}",             "422 rank_by is [attribute, 'asc' or 'desc'] or a list of them"},
        {"{'rank_by':['vector','ANN',[[1,0],[0,1]]]}", "400 rank_by: turbopuffer-local ranks by one plain vector only"},
        {"{'rank_by':['n','up']}",
         "400 rank_by: turbopuffer-local does not do 'up'; it ranks by attributes, ANN and kNN"},
        {"{'rank_by':['nope','asc']}",         "400 rank_by: there is no attribute 'nope'"},
        {"{'rank_by':['raw','asc']}",          "400 rank_by: attribute 'raw' is not filterable"},
        {"{'rank_by':'id'}",                   "422 rank_by is an array"},
        {"{}",                                 "400 a query needs rank_by or aggregate_by"},
    };
    /* clang-format on */

    check_cases("rows", cases, ARRAY_LEN(cases));
}

static void
projections(void **state UNUSED)
{
    /* clang-format off */
    static const struct query_case cases[] = {
        {"{'rank_by':['id','asc'],'limit':1}", "[{'id':1}]"},
        {"{'rank_by':['id','asc'],'limit':1,'include_attributes':false}", "[{'id':1}]"},
        {"{'rank_by':['id','asc'],'limit':1,'include_attributes':true}",
         "[{'id':1,'n':3,'f':0.5,'vector':[1.0,0.0],'g':'a'}]"},
        {"{'rank_by':['id','asc'],'include_attributes':['n','f']}",
         "[{'id':1,'n':3,'f':0.5},{'id':2,'n':1,'f':1.5},{'id':3},{'id':4,'n':3}]"},
        {"{'rank_by':['id','asc'],'limit':1,'exclude_attributes':['vector','f']}",
         "[{'id':1,'n':3,'g':'a'}]"},
        {"{'rank_by':['id','asc'],'limit':1,'include_attributes':['vector'],'vector_encoding':'base64'}",
         "[{'id':1,'vector':'AACAPwAAAAA='}]"},
        {"{'rank_by':['id','asc'],'include_attributes':['nope']}",
         "400 include_attributes: there is no attribute 'nope'"},
        {"{'rank_by':['id','asc'],'include_attributes':true,'exclude_attributes':['n']}",
         "400 include_attributes and exclude_attributes in one query"},
        {"{'rank_by':['id','asc'],'vector_encoding':'hex'}", "422 vector_encoding is float or base64"},
    };
    /* clang-format on */

    check_cases("rows", cases, ARRAY_LEN(cases));
}

static void
limits_and_offsets(void **state UNUSED)
{
    /* clang-format off */
    static const struct query_case cases[] = {
        {"{'rank_by':['id','asc'],'limit':2}",              "[{'id':1},{'id':2}]"},
        {"{'rank_by':['id','asc'],'top_k':2}",              "[{'id':1},{'id':2}]"},
        {"{'rank_by':['id','asc'],'limit':{'total':2}}",    "[{'id':1},{'id':2}]"},
        {"{'rank_by':['id','asc'],'limit':2,'offset':1}",   "[{'id':2},{'id':3}]"},
        {"{'rank_by':['id','asc'],'limit':10000}",          "[{'id':1},{'id':2},{'id':3},{'id':4}]"},
        {"{'rank_by':['id','asc'],'limit':2,'offset':9}",   "[]"},
        {"{'rank_by':['id','asc'],'filters':['id','Gt',2],'limit':1}", "[{'id':3}]"},
        {"{'rank_by':['id','asc'],'limit':0}",
         "400 limit is 1 to 10000, and with the offset at most 10000"},
        {"{'rank_by':['id','asc'],'limit':10001}",
         "400 limit is 1 to 10000, and with the offset at most 10000"},
        {"{'rank_by':['id','asc'],'limit':10000,'offset':1}",
         "400 limit is 1 to 10000, and with the offset at most 10000"},
        {"{'rank_by':['id','asc'],'limit':1,'offset':18446744073709551615}",
         "400 limit is 1 to 10000, and with the offset at most 10000"},
        {"{'rank_by':['id','asc'],'limit':'5'}",            "422 limit is a non-negative integer"},
        {"{'rank_by':['id','asc'],'limit':5,'top_k':5}",    "400 limit and top_k in one query; they mean the same"},
        {"{'rank_by':['id','asc'],'limit':{'per':{},'total':5}}",
         "400 limit: turbopuffer-local does not do limits per attribute"},
        {"{'rank_by':['id','asc'],'limt':5}",               "422 a query has no field 'limt'"},
        {"{'rank_by':['id','asc'],'compute_attributes':{}}", "400 turbopuffer-local does not do compute_attributes"},
    };
    /* clang-format on */

    check_cases("rows", cases, ARRAY_LEN(cases));
}

static void
aggregates(void **state UNUSED)
{
    /* clang-format off */
    static const struct query_case cases[] = {
        {"{'aggregate_by':{'all':['Count']}}",                              "{'all':4}"},
        {"{'aggregate_by':{'all':['Count']},'filters':['n','Eq',3]}",       "{'all':2}"},
        {"{'aggregate_by':{'c':['Count','n'],'s':['Sum','n'],'f':['Sum','f']}}", "{'c':3,'s':7,'f':2.0}"},
        {"{'aggregate_by':{'s':['Sum','g']}}",       "400 Sum needs an attribute of type int, uint or float"},
        {"{'aggregate_by':{'s':['Max','n']}}",       "422 an aggregate is ['Count'] or ['Sum', attribute]"},
        {"{'aggregate_by':{'s':['Sum']}}",           "422 an aggregate is ['Count'] or ['Sum', attribute]"},
        {"{'aggregate_by':[]}",                      "422 aggregate_by is an object of labels"},
        {"{'aggregate_by':{'s':['Count']},'rank_by':['id','asc']}", "400 rank_by and aggregate_by in one query"},
    };
    static const struct query_case groups[] = {
        {"{'aggregate_by':{'c':['Count'],'s':['Sum','n']},'group_by':['g']}",
         "[{'g':'a','c':2,'s':3},{'g':'b','c':2,'s':4}]"},
        {"{'aggregate_by':{'c':['Count']},'group_by':['n']}",
         "[{'n':null,'c':1},{'n':1,'c':1},{'n':3,'c':2}]"},
        {"{'aggregate_by':{'c':['Count']},'group_by':['g','n'],'limit':2}",
         "[{'g':'a','n':null,'c':1},{'g':'a','n':3,'c':1}]"},
        {"{'group_by':['g'],'rank_by':['id','asc']}",  "400 group_by needs aggregate_by"},
        {"{'aggregate_by':{'c':['Count']},'group_by':['vector']}", "400 group_by: attribute 'vector' is no scalar"},
        {"{'aggregate_by':{'g':['Count']},'group_by':['g']}", "400 group_by: 'g' is already a label or a key"},
        {"{'aggregate_by':{'c':['Count']},'group_by':['g','g']}", "400 group_by: 'g' is already a label or a key"},
        {"{'aggregate_by':{'c':['Count']},'group_by':[{'x':['ForEachUnique','g']}]}",
         "400 group_by: turbopuffer-local does not do functions"},
    };
    /* clang-format on */

    check_cases("aggregations", cases, ARRAY_LEN(cases));
    check_cases("aggregation_groups", groups, ARRAY_LEN(groups));
}

static void
several_at_once(void **state UNUSED)
{
    /* clang-format off */
    static const struct query_case cases[] = {
        {"{'queries':[{'rank_by':['id','asc'],'limit':1},{'aggregate_by':{'c':['Count']}}]}",
         "[{'rows':[{'id':1}]},{'aggregations':{'c':4}}]"},
        {"{'queries':[{'rank_by':['id','asc'],'limit':1,'include_attributes':['vector']}],'vector_encoding':'base64'}",
         "[{'rows':[{'id':1,'vector':'AACAPwAAAAA='}]}]"},
        {"{'queries':[]}", "400 queries has 1 to 16 elements"},
        {"{'queries':{}}", "422 queries is a list"},
        {"{'queries':[{'rank_by':['id','asc']},{}]}", "400 queries[1]: a query needs rank_by or aggregate_by"},
        {"{'queries':[{'rank_by':['id','asc']}],'rerank_by':['RRF']}",
         "400 turbopuffer-local does not do rerank_by beside queries"},
        {"{'queries':[{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{}]}", "400 queries has 1 to 16 elements"},
    };
    /* clang-format on */

    check_cases("results", cases, ARRAY_LEN(cases));
}

static void
sums_can_be_too_large(void **state UNUSED)
{
    struct bench bench;

    bench_open(&bench, &limits_live);
    must_write(&bench, "{'schema':{'f':'float','n':'int'},'upsert_rows':[{'id':1,'f':1e308,'n':"
                       "-9223372036854775808},{'id':2,'f':1e308,'n':5}]}");
    check_text(bench.arena,
               member(&bench,
                      bench_run(&bench, query_run, "ns",
                                "{'aggregate_by':{'f':['Sum','f'],'n':['Sum','n']}}"),
                      "aggregations"),
               "{'f':null,'n':-9223372036854775803}", "sums");
    bench_close(&bench);
}

/* The heap behind limit and offset must agree with sorting everything. */
static void
pages_cover_everything_once(void **state UNUSED)
{
    struct bench bench;
    struct buf body = buf_make(MEGABYTES(1));
    int expected = 0;

    bench_open(&bench, &limits_live);
    buf_putf(&body, "{'upsert_rows':[");
    for (int i = 0; i < 500; i++)
        buf_putf(&body, "%s{'id':%d,'n':%d}", i ? "," : "", (i * 7919) % 500, i % 13);
    buf_putf(&body, "]}");
    must_write(&bench, body.ptr);
    for (int page = 0; page < 500; page += 37) {
        char query[128];
        struct json *answer;
        const char *text;
        struct err err;

        snprintf(query, sizeof(query), "{'rank_by':['id','asc'],'limit':37,'offset':%d}", page);
        text = bench_run(&bench, query_run, "ns", query);
        CHECK_OK(json_parse(span_of(text), bench.arena, &answer, &err), err);
        for (const struct json *row = json_get(answer, "rows")->first; row; row = row->next) {
            int64_t id = -1;

            CHECK(json_to_int(json_get(row, "id"), &id));
            CHECK_INT(id, expected);
            expected++;
        }
    }
    CHECK_INT(expected, 500);
    buf_free(&body);
    bench_close(&bench);
}

static void
beside_queries(void **state UNUSED)
{
    struct bench bench;

    prepare(&bench);
    check_text(bench.arena, bench_run(&bench, query_run, "nope", "{'rank_by':['id','asc']}"),
               "404 namespace 'nope' was not found", "query");
    check_text(bench.arena, bench_run(&bench, query_explain, "ns", "{'rank_by':['id','asc']}"),
               "{'plan_text':'exhaustive scan over all documents in memory'}", "explain");
    check_text(bench.arena, bench_run(&bench, query_explain, "ns", "{}"),
               "400 a query needs rank_by or aggregate_by", "explain");
    check_text(bench.arena, bench_run(&bench, query_recall, "ns", "{'top_k':3}"),
               "{'avg_recall':1.0,'avg_exhaustive_count':3.0,'avg_ann_count':3.0}", "recall");
    bench_close(&bench);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ranking),
        cmocka_unit_test(projections),
        cmocka_unit_test(limits_and_offsets),
        cmocka_unit_test(aggregates),
        cmocka_unit_test(several_at_once),
        cmocka_unit_test(sums_can_be_too_large),
        cmocka_unit_test(pages_cover_everything_once),
        cmocka_unit_test(beside_queries),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
