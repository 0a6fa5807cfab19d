/* write: every operation, every condition, and that a refused request leaves nothing behind. */
#include "local/write.h"

#include "unit/local/bench.h"

#define NEWER                                                                                      \
    "['Or',[['v','Lt',{'$ref_new':'v'}],['And',[['v','Eq',{'$ref_new':'v'}],['s','Lt',"            \
    "{'$ref_new':'s'}]]],['v','Eq',null]]]"
#define VERSIONS "'schema':{'v':'uint','s':'uint'}"

struct step {
    const char *body;
    const char *dump; /* of ns after it; NULL: not looked at */
};

static void
run_steps(const struct step *steps, size_t count)
{
    struct bench bench;

    bench_open(&bench, &limits_live);
    for (size_t i = 0; i < count; i++) {
        must_write(&bench, steps[i].body);
        if (steps[i].dump)
            check_text(bench.arena, member(&bench, bench_dump(&bench), "ns"), steps[i].dump,
                       steps[i].body);
    }
    bench_close(&bench);
}

static void
operations(void **state UNUSED)
{
    /* clang-format off */
    static const struct step steps[] = {
        {"{'upsert_rows':[{'id':2,'a':1,'b':'x'},{'id':1,'a':null}]}",
         "[{'id':1},{'id':2,'a':1,'b':'x'}]"},
        /* an upsert replaces the whole document */
        {"{'upsert_rows':[{'id':2,'b':'y'}]}", "[{'id':1},{'id':2,'b':'y'}]"},
        {"{'upsert_columns':{'id':[1,3],'b':['z',null],'a':[7,8]}}",
         "[{'id':1,'a':7,'b':'z'},{'id':2,'b':'y'},{'id':3,'a':8}]"},
        /* a patch writes what it names, null clears, absent ids are ignored */
        {"{'patch_rows':[{'id':1,'a':9,'b':null},{'id':99,'a':1}]}",
         "[{'id':1,'a':9},{'id':2,'b':'y'},{'id':3,'a':8}]"},
        {"{'patch_columns':{'id':[2,3],'a':[1,null],'b':['p','q']}}",
         "[{'id':1,'a':9},{'id':2,'a':1,'b':'p'},{'id':3,'b':'q'}]"},
        {"{'deletes':[2,77]}", "[{'id':1,'a':9},{'id':3,'b':'q'}]"},
        {"{'patch_by_filter':{'filters':['b','Eq',null],'patch':{'b':'filled'}}}",
         "[{'id':1,'a':9,'b':'filled'},{'id':3,'b':'q'}]"},
        {"{'delete_by_filter':['b','Eq','q']}", "[{'id':1,'a':9,'b':'filled'}]"},
        /* emptied, it is still there */
        {"{'delete_by_filter':['And',[]]}", "[]"},
    };
    /* clang-format on */

    run_steps(steps, ARRAY_LEN(steps));
}

/* delete_by_filter, then patch_by_filter, then the explicit ones. */
static void
operations_have_an_order(void **state UNUSED)
{
    /* clang-format off */
    static const struct step steps[] = {
        {"{'upsert_rows':[{'id':1,'a':1},{'id':2,'a':2},{'id':3,'a':3}]}", NULL},
        {"{'delete_by_filter':['a','Lte',1],'patch_by_filter':{'filters':['a','Lte',2],'patch':{'a':20}},"
         "'upsert_rows':[{'id':1,'a':10}],'patch_rows':[{'id':2,'b':5}],'deletes':[3]}",
         "[{'id':1,'a':10},{'id':2,'a':20,'b':5}]"},
    };
    /* clang-format on */

    run_steps(steps, ARRAY_LEN(steps));
}

/* The table of facts 3.3. */
static void
conditions(void **state UNUSED)
{
    /* clang-format off */
    static const struct step steps[] = {
        /* absent: inserted, the condition is not looked at */
        {"{" VERSIONS ",'upsert_rows':[{'id':1,'v':5,'s':1,'a':'5.1'}],'upsert_condition':['v','Gt',100]}",
         "[{'id':1,'v':5,'s':1,'a':'5.1'}]"},
        /* lower and equal versions are skipped */
        {"{" VERSIONS ",'upsert_rows':[{'id':1,'v':4,'s':9,'a':'4.9'}],'upsert_condition':" NEWER "}",
         "[{'id':1,'v':5,'s':1,'a':'5.1'}]"},
        {"{" VERSIONS ",'upsert_rows':[{'id':1,'v':5,'s':1,'a':'again'}],'upsert_condition':" NEWER "}",
         "[{'id':1,'v':5,'s':1,'a':'5.1'}]"},
        /* the second part decides where the first is equal */
        {"{" VERSIONS ",'upsert_rows':[{'id':1,'v':5,'s':2,'a':'5.2'}],'upsert_condition':" NEWER "}",
         "[{'id':1,'v':5,'s':2,'a':'5.2'}]"},
        {"{" VERSIONS ",'upsert_rows':[{'id':1,'v':6,'s':0,'a':'6.0'},{'id':2,'a':'none'}],'upsert_condition':" NEWER "}",
         "[{'id':1,'v':6,'s':0,'a':'6.0'},{'id':2,'a':'none'}]"},
        /* null is older than everything */
        {"{" VERSIONS ",'upsert_rows':[{'id':2,'v':0,'s':0}],'upsert_condition':" NEWER "}",
         "[{'id':1,'v':6,'s':0,'a':'6.0'},{'id':2,'v':0,'s':0}]"},
        /* insert if absent */
        {"{" VERSIONS ",'upsert_rows':[{'id':2,'v':9},{'id':3,'v':9}],'upsert_condition':['id','Eq',null]}",
         "[{'id':1,'v':6,'s':0,'a':'6.0'},{'id':2,'v':0,'s':0},{'id':3,'v':9}]"},
        {"{'patch_rows':[{'id':1,'v':7},{'id':2,'v':7},{'id':9,'v':7}],'patch_condition':['a','Eq','6.0']}",
         "[{'id':1,'v':7,'s':0,'a':'6.0'},{'id':2,'v':0,'s':0},{'id':3,'v':9}]"},
        {"{'patch_rows':[{'id':1,'v':6,'a':'x'},{'id':3,'v':10,'a':'y'}],'patch_condition':['v','Lt',{'$ref_new':'v'}]}",
         "[{'id':1,'v':7,'s':0,'a':'6.0'},{'id':2,'v':0,'s':0},{'id':3,'v':10,'a':'y'}]"},
        {"{'deletes':[1,3],'delete_condition':['v','Lt',10]}",
         "[{'id':2,'v':0,'s':0},{'id':3,'v':10,'a':'y'}]"},
        /* in a delete $ref_new is null: nothing is smaller */
        {"{'deletes':[2,3],'delete_condition':['v','Lt',{'$ref_new':'v'}]}",
         "[{'id':2,'v':0,'s':0},{'id':3,'v':10,'a':'y'}]"},
        {"{'deletes':[2,3],'delete_condition':['a','Eq',{'$ref_new':'a'}]}",
         "[{'id':3,'v':10,'a':'y'}]"},
        /* conditions do not touch what goes by filter */
        {"{'deletes':[77],'delete_condition':['v','Eq',0],'delete_by_filter':['id','Eq',3]}", "[]"},
    };
    /* clang-format on */

    run_steps(steps, ARRAY_LEN(steps));
}

/* What the answer counts, after ids 1 and 2 are there with v 5. */
static void
answers_count(void **state UNUSED)
{
    /* clang-format off */
    static const struct { const char *body, *want; } cases[] = {
        {"{'upsert_rows':[{'id':1,'v':4},{'id':3,'v':1}],'upsert_condition':['v','Lt',{'$ref_new':'v'}],'return_affected_ids':true}",
         "{'status':'OK','message':'rows were written','rows_affected':1,'rows_upserted':1,'upserted_ids':[3]"},
        {"{'upsert_rows':[{'id':1,'v':4}],'upsert_condition':['v','Lt',{'$ref_new':'v'}],'return_affected_ids':true}",
         "{'status':'OK','message':'rows were written','rows_affected':0,'rows_upserted':0,'upserted_ids':[]"},
        {"{'patch_rows':[{'id':1,'v':4},{'id':9,'v':1}],'return_affected_ids':true}",
         "{'status':'OK','message':'rows were written','rows_affected':1,'rows_patched':1,'patched_ids':[1]"},
        /* an unconditional delete of an absent id counts, a conditional one does not */
        {"{'deletes':[9,2],'return_affected_ids':true}",
         "{'status':'OK','message':'rows were written','rows_affected':2,'rows_deleted':2,'deleted_ids':[2]"},
        {"{'deletes':[9,2],'delete_condition':['v','Gt',0],'return_affected_ids':true}",
         "{'status':'OK','message':'rows were written','rows_affected':1,'rows_deleted':1,'deleted_ids':[2]"},
        {"{'delete_by_filter':['v','Eq',5],'deletes':[7],'upsert_rows':[{'id':2}],'return_affected_ids':true}",
         "{'status':'OK','message':'rows were written','rows_affected':4,'rows_upserted':1,'upserted_ids':[2],"
         "'rows_deleted':3,'deleted_ids':[1,2]"},
        {"{'deletes':[]}",
         "{'status':'OK','message':'rows were written','rows_affected':0,'rows_deleted':0"},
    };
    /* clang-format on */

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct bench bench;
        char *got;

        bench_open(&bench, &limits_live);
        must_write(&bench, "{'upsert_rows':[{'id':2,'v':5},{'id':1,'v':5}]}");
        got = arena_strdup(bench.arena, bench_write(&bench, cases[i].body));
        CHECK(strlen(got) > strlen(cases[i].want));
        got[strlen(cases[i].want)] = '\0';
        check_text(bench.arena, got, cases[i].want, cases[i].body);
        bench_close(&bench);
    }
}

/* Every one of these must leave documents, schema and journal as they were. */
static void
refusals_change_nothing(void **state UNUSED)
{
    /* clang-format off */
    static const struct { const char *body, *want; } cases[] = {
        {"[]",                                 "422 a write is a JSON object"},
        {"{}",                                 "400 the write has no operation"},
        {"{'upserts':[]}",                     "422 a write has no field 'upserts'"},
        {"{'upsert_rows':{}}",                 "422 upsert_rows has the wrong JSON type"},
        {"{'upsert_rows':[1]}",                "422 upsert_rows: row 0: a row is an object"},
        {"{'upsert_rows':[{'a':1}]}",          "422 upsert_rows: row 0: the id is missing"},
        {"{'upsert_rows':[{'id':null}]}",      "422 upsert_rows: row 0: an id is a non-negative integer or a string"},
        {"{'upsert_rows':[{'id':-1}]}",        "422 upsert_rows: row 0: id -1: an id is a non-negative 64-bit integer or a string"},
        {"{'upsert_rows':[{'id':1.5}]}",       "422 upsert_rows: row 0: id 1.5: an id is a non-negative 64-bit integer or a string"},
        {"{'upsert_rows':[{'id':'x'}]}",       "400 upsert_rows: row 0: id x: the ids of this namespace are of type uint"},
        {"{'deletes':[1,'x']}",                "400 delete 1: id x: the ids of this namespace are of type uint"},
        {"{'upsert_rows':[{'id':8},{'id':9,'n':'x'}]}",
         "400 upsert_rows: row 1: attribute 'n': expected int, got the string 'x'"},
        {"{'upsert_rows':[{'id':9,'new':1.5}]}",
         "400 upsert_rows: row 0: attribute 'new': the number 1.5 is no 64-bit integer and no type is declared; "
         "declare float or uint in the schema"},
        {"{'upsert_rows':[{'id':9,'$x':1}]}",
         "400 upsert_rows: row 0: attribute '$x': attribute name '$x' starts with $, which is reserved"},
        {"{'upsert_columns':{'id':[8,9],'n':[1]}}", "400 upsert_columns: column 'n' has 1 values, column id 2"},
        {"{'upsert_columns':{'n':[1]}}",       "422 upsert_columns: the column id is missing"},
        {"{'upsert_columns':{'id':[8],'n':1}}", "422 upsert_columns: column 'n' is no array"},
        {"{'upsert_columns':{'id':[8,9],'n':[1,'x']}}",
         "400 upsert_columns: attribute 'n' of row 1: expected int, got the string 'x'"},
        {"{'upsert_rows':[{'id':9}],'upsert_columns':{'id':[8]}}",
         "400 upsert_rows and upsert_columns in one request; use one of them"},
        /* the same id twice, wherever */
        {"{'upsert_rows':[{'id':9},{'id':9}]}", "400 duplicate document IDs in one request: 9"},
        {"{'upsert_rows':[{'id':9},{'id':8}],'deletes':[8,9]}", "400 duplicate document IDs in one request: 8, 9"},
        {"{'upsert_rows':[{'id':9}],'patch_rows':[{'id':9}]}", "400 duplicate document IDs in one request: 9"},
        {"{'deletes':[7,7]}",                  "400 duplicate document IDs in one request: 7"},
        /* conditions */
        {"{'upsert_condition':['n','Eq',1],'deletes':[1]}", "400 upsert_condition without its operation"},
        {"{'delete_condition':['n','Eq',1],'upsert_rows':[]}", "400 delete_condition without its operation"},
        {"{'patch_condition':['n','Eq',1],'patch_by_filter':{'filters':['n','Eq',1],'patch':{'n':2}}}",
         "400 patch_condition without its operation"},
        {"{'upsert_rows':[{'id':9}],'upsert_condition':['v','Lt',{'$ref_new':'v'}]}",
         "400 upsert_condition: there is no attribute 'v'"},
        {"{'upsert_rows':[{'id':9}],'upsert_condition':['n','Lt',{'$ref_new':'v'}]}",
         "400 upsert_condition: attribute 'n': $ref_new: there is no attribute 'v'"},
        {"{'upsert_rows':[{'id':9,'t':'x'}],'upsert_condition':['n','Lt',{'$ref_new':'t'}]}",
         "400 upsert_condition: attribute 'n': $ref_new: attribute 't' has another type"},
        {"{'upsert_rows':[{'id':9}],'upsert_condition':['n','Lt','x']}",
         "400 upsert_condition: attribute 'n': expected int, got the string 'x'"},
        {"{'upsert_rows':[{'id':9}],'upsert_condition':['n','Lt']}",
         "422 upsert_condition: a filter of two elements is And, Or or Not"},
        /* by filter */
        {"{'patch_by_filter':{'filters':['n','Eq',1],'patch':{'id':2}}}",
         "400 patch_by_filter: patch_by_filter cannot change ids"},
        {"{'patch_by_filter':{'filters':['n','Eq',1]}}",
         "422 patch_by_filter is {'filters': ..., 'patch': ...}"},
        {"{'delete_by_filter':['n','Lt',{'$ref_new':'n'}]}",
         "400 delete_by_filter: attribute 'n': $ref_new has a meaning only in conditions"},
        /* the schema */
        {"{'upsert_rows':[{'id':9}],'schema':{'n':'uint'}}",
         "400 schema: attribute 'n': its type is int and cannot become uint"},
        {"{'upsert_rows':[{'id':9}],'schema':{'id':'uuid'}}",
         "400 schema: attribute 'id': its type is uint and cannot become uuid"},
        {"{'upsert_rows':[{'id':9}],'schema':{'w':{'type':'[2]f32','ann':true}},'distance_metric':'cosine_distance'}",
         "400 schema: attribute 'w': a dense vector has to be there from the first write on"},
        {"{'upsert_rows':[{'id':9}],'distance_metric':'cosine_distance'}",
         "400 distance_metric is for namespaces with a vector"},
        {"{'upsert_rows':[{'id':9}],'distance_metric':'l2'}",
         "422 distance_metric is cosine_distance or euclidean_squared"},
        {"{'upsert_rows':[{'id':9}],'sharding':{'num_shards':2}}",
         "400 sharding can be set by the first write only"},
        {"{'copy_from_namespace':'ns','upsert_rows':[]}", "400 a copy or branch allows no other field beside it"},
    };
    /* clang-format on */
    struct bench bench;
    const char *documents;
    uint64_t entries;
    uint32_t attributes;

    bench_open(&bench, &limits_live);
    must_write(&bench, "{'upsert_rows':[{'id':1,'n':1},{'id':7,'n':1}]}");
    documents = bench_dump(&bench);
    entries = bench.db.journal.count;
    attributes = database_find(&bench.db, SPAN("ns"))->schema.count;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        check_text(bench.arena, bench_write(&bench, cases[i].body), cases[i].want, cases[i].body);
        CHECK_STR(bench_dump(&bench), documents);
        CHECK_INT(bench.db.journal.count, entries);
        CHECK_INT(database_find(&bench.db, SPAN("ns"))->schema.count, attributes);
    }
    bench_close(&bench);
}

static void
a_refused_first_write_founds_nothing(void **state UNUSED)
{
    static const char *const bodies[] = {
        "{'upsert_rows':[{'id':1},{'id':1}]}",
        "{'upsert_rows':[{'id':1,'a':1.5}]}",
        "{'upsert_rows':[{'id':1}],'upsert_condition':['nope','Eq',1]}",
        "{'upsert_rows':[{'id':1}],'schema':{'a':'text'}}",
        "{'schema':{'a':'int'}}",
        "{'create_namespace':true}",
        "{'create_namespace':false,'upsert_rows':[{'id':1}]}",
    };
    struct bench bench;

    bench_open(&bench, &limits_live);
    for (size_t i = 0; i < ARRAY_LEN(bodies); i++) {
        CHECK(bench_write(&bench, bodies[i])[0] == '4');
        CHECK(!database_find(&bench.db, SPAN("ns")));
    }
    bench_close(&bench);
}

/* Deletes and patches of what is not there succeed and found nothing. */
static void
without_a_namespace(void **state UNUSED)
{
    /* clang-format off */
    static const struct { const char *body, *affected; } cases[] = {
        {"{'deletes':[1,2]}",                                         "0"},
        {"{'deletes':['x'],'delete_condition':['v','Lt',1]}",         "0"},
        {"{'patch_rows':[{'id':1,'a':2}]}",                           "0"},
        {"{'delete_by_filter':['v','Lt',1]}",                         "0"},
        {"{'patch_by_filter':{'filters':['v','Lt',1],'patch':{'v':2}}}", "0"},
        {"{'upsert_rows':[]}",                                        "0"},
        {"{'deletes':[1,1]}",                                         "400 duplicate document IDs in one request: 1"},
    };
    /* clang-format on */
    struct bench bench;

    bench_open(&bench, &limits_live);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        check_text(bench.arena, member(&bench, bench_write(&bench, cases[i].body), "rows_affected"),
                   cases[i].affected, cases[i].body);
        CHECK(!database_find(&bench.db, SPAN("ns")));
    }
    bench_close(&bench);
}

static void
an_empty_namespace_can_be_made(void **state UNUSED)
{
    struct bench bench;

    bench_open(&bench, &limits_live);
    must_write(&bench, "{'create_namespace':true,'schema':{'id':'uuid','a':'int'}}");
    CHECK_INT(database_find(&bench.db, SPAN("ns"))->schema.count, 2);
    must_write(&bench, "{'schema':{'b':'int'}}"); /* the schema alone, now that it exists */
    CHECK_INT(database_find(&bench.db, SPAN("ns"))->schema.count, 3);
    bench_close(&bench);
}

/* The type change is named beside the text. */
static void
a_type_conflict_names_its_attribute(void **state UNUSED)
{
    struct bench bench;

    bench_open(&bench, &limits_live);
    must_write(&bench, "{'upsert_rows':[{'id':1,'n':1}]}");
    CHECK(bench_write(&bench, "{'deletes':[1],'schema':{'n':'string'}}")[0] == '4');
    CHECK_SPAN(bench.conflict, "n");
    CHECK(bench_write(&bench, "{'deletes':[1,1]}")[0] == '4');
    CHECK_SPAN(bench.conflict, "");
    bench_close(&bench);
}

/* uuid ids are one whatever way they are written. */
static void
uuids_are_canonical(void **state UNUSED)
{
#define A "0189f7e1-1f2e-7abc-8def-0123456789ab"
    struct bench bench;

    bench_open(&bench, &limits_live);
    must_write(&bench, "{'schema':{'id':'uuid'},'upsert_rows':[{'id':'{0189F7E1-1F2E-7ABC-8DEF-"
                       "0123456789AB}','a':1}]}");
    check_text(bench.arena, bench_dump(&bench), "{'ns':[{'id':'" A "','a':1}]}", "canonical");
    check_text(bench.arena,
               bench_write(&bench, "{'upsert_rows':[{'id':'" A
                                   "'}],'deletes':['0189F7E11F2E7ABC8DEF0123456789AB']}"),
               "400 duplicate document IDs in one request: '" A "'", "duplicates");
    check_text(bench.arena, bench_write(&bench, "{'deletes':['not-a-uuid']}"),
               "400 delete 0: id: expected uuid, got the string 'not-a-uuid'", "no uuid");
    must_write(&bench, "{'deletes':['urn:uuid:" A "']}");
    check_text(bench.arena, bench_dump(&bench), "{'ns':[]}", "deleted");
    bench_close(&bench);
#undef A
}

static void
string_ids_have_a_length(void **state UNUSED)
{
    char body[256], id[80];
    struct bench bench;

    bench_open(&bench, &limits_live);
    memset(id, 'x', sizeof(id));
    snprintf(body, sizeof(body), "{'upsert_rows':[{'id':'%.64s'},{'id':''}]}", id);
    must_write(&bench, body);
    snprintf(body, sizeof(body), "{'upsert_rows':[{'id':'%.65s'}]}", id);
    check_text(bench.arena, bench_write(&bench, body),
               "400 upsert_rows: row 0: id 'xxxxxxxxxxxxxxxx...' has 65 bytes, at most 64 are "
               "allowed",
               "65 bytes");
    bench_close(&bench);
}

/* A vector that a later row brings is missing in the earlier ones too. */
static void
vectors_belong_to_every_row(void **state UNUSED)
{
    struct bench bench;

    bench_open(&bench, &limits_live);
    check_text(bench.arena,
               bench_write(&bench, "{'distance_metric':'cosine_distance','upsert_rows':[{'id':1},"
                                   "{'id':2,'vector':[1,0]}]}"),
               "400 upsert_rows: row 0: attribute 'vector': every document needs its vector",
               "first row");
    bench_close(&bench);
}

static void
vectors(void **state UNUSED)
{
    /* clang-format off */
    static const struct { const char *body, *want; } cases[] = {
        {"{'upsert_rows':[{'id':2,'vector':[1,2]}]}",
         "400 distance_metric is required where there is a vector"},
        {"{'upsert_rows':[{'id':2,'vector':[1,2]}],'distance_metric':'euclidean_squared'}",
         "400 distance_metric is cosine_distance and cannot become euclidean_squared"},
        {"{'upsert_rows':[{'id':2}],'distance_metric':'cosine_distance'}",
         "400 upsert_rows: row 0: attribute 'vector': every document needs its vector"},
        {"{'upsert_rows':[{'id':2,'vector':null}],'distance_metric':'cosine_distance'}",
         "400 upsert_rows: row 0: attribute 'vector': every document needs its vector"},
        {"{'upsert_rows':[{'id':2,'vector':[1]}],'distance_metric':'cosine_distance'}",
         "400 upsert_rows: row 0: attribute 'vector': the vector has 1 dimensions, its column 2"},
        {"{'patch_rows':[{'id':1,'vector':[1,2]}]}",
         "400 patch_rows: row 0: attribute 'vector': a dense vector cannot be patched"},
        {"{'patch_rows':[{'id':1,'vector':null}]}",
         "400 patch_rows: row 0: attribute 'vector': a dense vector cannot be patched"},
        {"{'patch_by_filter':{'filters':['id','Eq',1],'patch':{'vector':[1,2]}}}",
         "400 patch_by_filter: attribute 'vector': a dense vector cannot be patched"},
    };
    /* clang-format on */
    struct bench bench;

    bench_open(&bench, &limits_live);
    must_write(&bench, "{'upsert_rows':[{'id':1,'vector':[1,0]}],'distance_metric':"
                       "'cosine_distance'}");
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        check_text(bench.arena, bench_write(&bench, cases[i].body), cases[i].want, cases[i].body);
    must_write(&bench, "{'patch_rows':[{'id':1,'a':1}]}"); /* a patch needs no metric */
    must_write(&bench, "{'deletes':[1]}");
    bench_close(&bench);
}

/* limits_small: 64 bytes filterable, 1 KiB an attribute, 4 KiB a document. */
static void
sizes(void **state UNUSED)
{
    /* clang-format off */
    static const struct { const char *attribute; size_t bytes; const char *want; } cases[] = {
        {"filterable", 64,   "{"},
        {"filterable", 65,   "400 upsert_rows: row 0: attribute 'filterable': the value has 65 bytes, at most 64 "
                             "are allowed where it is filterable; declare 'filterable': false"},
        {"raw",        1024, "{"},
        {"raw",        1025, "400 upsert_rows: row 0: attribute 'raw': the value has 1025 bytes, at most 1024 are allowed"},
        {"text",       1024, "{"}, /* with full-text search it is not filterable */
    };
    /* clang-format on */

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        static char value[2048];
        char body[4096];
        struct bench bench;
        const char *got;

        bench_open(&bench, &limits_small);
        memset(value, 'x', sizeof(value));
        snprintf(body, sizeof(body),
                 "{'schema':{'filterable':'string','raw':{'type':'string','filterable':false},"
                 "'text':{'type':'string','full_text_search':true}},'upsert_rows':[{'id':1,'%s':"
                 "'%.*s'}]}",
                 cases[i].attribute, (int)cases[i].bytes, value);
        got = bench_write(&bench, body);
        if (cases[i].want[0] == '{')
            CHECK(got[0] == '{');
        else
            check_text(bench.arena, got, cases[i].want, cases[i].attribute);
        bench_close(&bench);
    }
}

/* Elements count one by one for filtering, together for the attribute; a patch can make a document
 * too large, and takes the whole request with it. */
static void
sizes_of_arrays_and_documents(void **state UNUSED)
{
    char body[8192], value[1025];
    struct bench bench;
    const char *before;

    bench_open(&bench, &limits_small);
    memset(value, 'x', sizeof(value));
    snprintf(body, sizeof(body), "{'upsert_rows':[{'id':1,'a':['%.60s','%.60s','%.60s']}]}", value,
             value, value);
    must_write(&bench, body);
    snprintf(body, sizeof(body), "{'upsert_rows':[{'id':1,'a':['x','%.65s']}]}", value);
    CHECK(bench_write(&bench, body)[0] == '4');

    snprintf(body, sizeof(body),
             "{'schema':{'p':{'type':'string','filterable':false},'q':{'type':'string',"
             "'filterable':false},'r':{'type':'string','filterable':false},'s':{'type':'string',"
             "'filterable':false}},'upsert_rows':[{'id':1,'p':'%.1000s','q':'%.1000s','r':"
             "'%.1000s'}]}",
             value, value, value);
    must_write(&bench, body);
    before = bench_dump(&bench);
    snprintf(body, sizeof(body),
             "{'upsert_rows':[{'id':2}],'delete_by_filter':['id','Eq',3],'patch_rows':[{'id':1,"
             "'s':'%.1024s','p':'%.1024s','q':'%.1024s','r':'%.1024s'}]}",
             value, value, value, value);
    CHECK(bench_write(&bench, body)[0] == '4');
    CHECK_STR(bench_dump(&bench), before);
    snprintf(body, sizeof(body),
             "{'upsert_rows':[{'id':2}],'patch_by_filter':{'filters':['id','Eq',1],'patch':{'s':"
             "'%.1024s','p':'%.1024s','q':'%.1024s','r':'%.1020s'}}}",
             value, value, value, value);
    check_text(bench.arena, bench_write(&bench, body),
               "400 patch_by_filter: the patched document has 4100 bytes, at most 4096 are allowed",
               "patch");
    CHECK_STR(bench_dump(&bench), before);
    bench_close(&bench);
}

/* limits_small: 10 documents per filter. */
static void
filters_have_a_limit(void **state UNUSED)
{
    struct bench bench;
    const char *before;

    bench_open(&bench, &limits_small);
    must_write(&bench, "{'upsert_columns':{'id':[1,2,3,4,5,6,7,8,9,10,11,12],'a':[1,1,1,1,1,1,1,1,"
                       "1,1,1,1]}}");
    before = bench_dump(&bench);
    check_text(bench.arena, bench_write(&bench, "{'delete_by_filter':['a','Eq',1]}"),
               "400 delete_by_filter: the filter matches 12 documents, at most 10 are allowed",
               "delete");
    check_text(bench.arena,
               bench_write(&bench, "{'deletes':[12],'patch_by_filter':{'filters':['a','Eq',1],"
                                   "'patch':{'a':2}}}"),
               "400 patch_by_filter: the filter matches 12 documents, at most 10 are allowed",
               "patch");
    CHECK_STR(bench_dump(&bench), before);
    check_text(bench.arena,
               member(&bench,
                      bench_write(&bench, "{'delete_by_filter':['a','Eq',1],"
                                          "'delete_by_filter_allow_partial':true}"),
                      "rows_remaining"),
               "true", "partial");
    check_text(bench.arena,
               member(&bench,
                      bench_write(&bench, "{'delete_by_filter':['a','Eq',1],"
                                          "'delete_by_filter_allow_partial':true}"),
                      "rows_deleted"),
               "2", "the rest");
    bench_close(&bench);
}

static void
copies_and_branches(void **state UNUSED)
{
    /* clang-format off */
    static const struct { const char *name, *body, *want; } cases[] = {
        {"copy",   "{'copy_from_namespace':'ns'}",                          "2"},
        {"copy",   "{'copy_from_namespace':'ns'}",                          "400 namespace 'copy' is not empty"},
        {"ns",     "{'copy_from_namespace':'ns'}",                          "400 a namespace cannot be copied to itself"},
        {"other",  "{'copy_from_namespace':{'source_namespace':'ns'},'encryption':{'mode':'default'}}", "2"},
        {"third",  "{'copy_from_namespace':'nope'}",                        "404 namespace 'nope' was not found"},
        {"branch", "{'branch_from_namespace':{'source_namespace':'ns'}}",   "2"},
        {"branch", "{'branch_from_namespace':'ns'}",                        "409 namespace 'branch' already exists"},
        {"fourth", "{'copy_from_namespace':{'source_namespace':'ns','source_region':'x'}}",
         "400 turbopuffer-local copies from itself only"},
        {"fourth", "{'branch_from_namespace':'ns','encryption':{}}",        "400 a copy or branch allows no other field beside it"},
        {"fourth", "{'copy_from_namespace':{}}",
         "422 the source is a name or {'source_namespace': name}"},
    };
    /* clang-format on */
    struct bench bench;

    bench_open(&bench, &limits_live);
    must_write(&bench, "{'upsert_rows':[{'id':1,'a':['x','y']},{'id':2,'f':true}]}");
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        check_text(bench.arena,
                   member(&bench, bench_run(&bench, write_run, cases[i].name, cases[i].body),
                          "rows_affected"),
                   cases[i].want, cases[i].body);
    must_write(&bench, "{'deletes':[1,2]}"); /* copies live on their own */
    check_text(bench.arena, member(&bench, bench_dump(&bench), "copy"),
               "[{'id':1,'a':['x','y']},{'id':2,'f':true}]", "copy");
    check_text(bench.arena, member(&bench, bench_dump(&bench), "branch"),
               "[{'id':1,'a':['x','y']},{'id':2,'f':true}]", "branch");
    bench_close(&bench);
}

static void
a_read_only_namespace_takes_no_writes(void **state UNUSED)
{
    struct bench bench;

    bench_open(&bench, &limits_live);
    must_write(&bench, "{'upsert_rows':[{'id':1}]}");
    database_find(&bench.db, SPAN("ns"))->read_only = true;
    check_text(bench.arena, bench_write(&bench, "{'deletes':[1]}"),
               "400 namespace 'ns' is read-only", "read-only");
    bench_close(&bench);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(operations),
        cmocka_unit_test(operations_have_an_order),
        cmocka_unit_test(conditions),
        cmocka_unit_test(answers_count),
        cmocka_unit_test(refusals_change_nothing),
        cmocka_unit_test(a_refused_first_write_founds_nothing),
        cmocka_unit_test(without_a_namespace),
        cmocka_unit_test(an_empty_namespace_can_be_made),
        cmocka_unit_test(a_type_conflict_names_its_attribute),
        cmocka_unit_test(uuids_are_canonical),
        cmocka_unit_test(string_ids_have_a_length),
        cmocka_unit_test(vectors),
        cmocka_unit_test(vectors_belong_to_every_row),
        cmocka_unit_test(sizes),
        cmocka_unit_test(sizes_of_arrays_and_documents),
        cmocka_unit_test(filters_have_a_limit),
        cmocka_unit_test(copies_and_branches),
        cmocka_unit_test(a_read_only_namespace_takes_no_writes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
