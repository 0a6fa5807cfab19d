/* ns_schema: what may be declared, what is inferred, how it is shown. */
#include "local/ns_schema.h"

#include "unit/local/bench.h"

/* Declares one schema after the other; what is shown in the end, or the first refusal. */
static const char *
declared(struct arena *arena, const char *const *texts, size_t count, enum ns_schema_view view)
{
    CLEANUP(buf_free) struct buf out = buf_make(65536);
    struct json_writer w = {.out = &out};
    struct ns_schema schema;
    struct err err;

    ns_schema_init(&schema, arena);
    for (size_t i = 0; i < count && texts[i]; i++) {
        if (ns_schema_declare_all(&schema, json_of(arena, texts[i]), &err))
            continue;
        buf_putf(&out, "%d %s", err.code, err.text);
        if (schema.conflict.len)
            buf_putf(&out, " (%.*s)", SPAN_ARG(schema.conflict));
        return arena_strdup(arena, out.ptr);
    }
    ns_schema_write(&w, &schema, view);
    return arena_strdup(arena, out.ptr);
}

#define FTS                                                                                        \
    "{'tokenizer':'word_v4','language':'english','stemming':false,'remove_stopwords':false,"       \
    "'case_sensitive':false,'ascii_folding':false,'max_token_length':39,'k1':1.2,'b':0.75,"        \
    "'k3':8.0}"
#define ID "'id':{'type':'unknown','filterable':true,'full_text_search':null}"

static void
declarations(void **state UNUSED)
{
    /* clang-format off */
    static const struct { const char *texts[3], *want; } cases[] = {
        {{"{}"}, "{" ID "}"},
        {{"{'id':'uuid'}"}, "{'id':{'type':'uuid','filterable':true,'full_text_search':null}}"},
        {{"{'a':'string','b':'uint'}"},
         "{" ID ",'a':{'type':'string','filterable':true,'full_text_search':false},"
         "'b':{'type':'uint','filterable':true,'full_text_search':null}}"},
        {{"{'a':{'type':'string','filterable':false}}"},
         "{" ID ",'a':{'type':'string','filterable':false,'full_text_search':false}}"},
        /* search takes the default of filterable away, unless it is asked for */
        {{"{'a':{'type':'string','full_text_search':true}}"},
         "{" ID ",'a':{'type':'string','filterable':false,'full_text_search':" FTS "}}"},
        {{"{'a':{'type':'string','glob':true}}"},
         "{" ID ",'a':{'type':'string','filterable':false,'full_text_search':false,'glob':true}}"},
        {{"{'a':{'type':'string','regex':true,'filterable':true}}"},
         "{" ID ",'a':{'type':'string','filterable':true,'full_text_search':false,'regex':true}}"},
        /* objects merge with what is there */
        {{"{'a':{'type':'string','full_text_search':true}}", "{'a':{'type':'string','fuzzy':true}}"},
         "{" ID ",'a':{'type':'string','filterable':false,'full_text_search':" FTS ",'fuzzy':true}}"},
        {{"{'a':'string'}", "{'a':{'type':'string','full_text_search':true}}"},
         "{" ID ",'a':{'type':'string','filterable':true,'full_text_search':" FTS "}}"},
        /* the type alone takes search options away and leaves filterable */
        {{"{'a':{'type':'string','full_text_search':true,'glob':true}}", "{'a':'string'}"},
         "{" ID ",'a':{'type':'string','filterable':false,'full_text_search':false}}"},
        {{"{'v':{'type':'[3]f16','ann':true}}"},
         "{" ID ",'v':{'type':'[3]f16','filterable':null,'full_text_search':null,'ann':true}}"},
        {{"{'s':{'type':'{}f16','sparse_knn':{'distance_metric':'dot_product'}}}"},
         "{" ID ",'s':{'type':'{}f16','filterable':null,'full_text_search':null,"
         "'sparse_knn':{'distance_metric':'dot_product'}}}"},
        /* unknown options are ignored, and so are nulls */
        {{"{'a':{'type':'int','unheard_of':1,'filterable':null,'full_text_search':null}}"},
         "{" ID ",'a':{'type':'int','filterable':true,'full_text_search':null}}"},
    };
    /* clang-format on */
    CLEANUP(arena_freep) struct arena *arena = arena_new("test");

    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        check_text(arena, declared(arena, cases[i].texts, 3, SCHEMA_VIEW_FULL), cases[i].want,
                   cases[i].texts[0]);
}

static void
refusals(void **state UNUSED)
{
    /* clang-format off */
    static const struct { const char *texts[3], *want; } cases[] = {
        {{"[]"}, "422 a schema is an object of attribute names"},
        {{"{'a':1}"}, "422 schema: attribute 'a': a type is missing; write 'string' or {'type': 'string'}"},
        {{"{'a':{}}"}, "422 schema: attribute 'a': a type is missing; write 'string' or {'type': 'string'}"},
        {{"{'a':{'type':['int']}}"}, "422 schema: attribute 'a': a type is missing; write 'string' or {'type': 'string'}"},
        {{"{'schema':{'a':'int'}}"}, "422 schema: attribute 'schema': a type is missing; write 'string' or {'type': 'string'}"},
        {{"{'a':'text'}"}, "400 schema: attribute 'a': there is no type 'text'"},
        {{"{'a':'[][3]f32'}"}, "400 schema: attribute 'a': multi-vectors ([][3]f32) are not enabled"},
        {{"{'':'int'}"}, "400 schema: attribute '': an attribute name cannot be empty"},
        {{"{'$a':'int'}"}, "400 schema: attribute '$a': attribute name '$a' starts with $, which is reserved"},
        {{"{'id':'int'}"}, "400 schema: attribute 'id': an id is uint, uuid or string"},
        {{"{'id':'[]uint'}"}, "400 schema: attribute 'id': an id is uint, uuid or string"},
        {{"{'id':'uint'}", "{'id':'string'}"},
         "400 schema: attribute 'id': its type is uint and cannot become string (id)"},
        {{"{'a':'int'}", "{'a':'uint'}"},
         "400 schema: attribute 'a': its type is int and cannot become uint (a)"},
        {{"{'a':'int'}", "{'a':'[]int'}"},
         "400 schema: attribute 'a': its type is int and cannot become []int (a)"},
        {{"{'a':{'type':'int','full_text_search':true}}"},
         "400 schema: attribute 'a': full_text_search needs the type string or []string"},
        {{"{'a':{'type':'int','regex':true}}"},
         "400 schema: attribute 'a': regex needs the type string or []string"},
        {{"{'a':{'type':'int','filterable':1}}"},
         "422 schema: attribute 'a': filterable is true or false"},
        {{"{'a':{'type':'bytes','filterable':true}}"},
         "400 schema: attribute 'a': vectors and bytes cannot be filterable"},
        {{"{'a':{'type':'int','ann':true}}"},
         "400 schema: attribute 'a': ann needs a dense vector, as in [768]f32"},
        {{"{'a':'[3]f32'}"}, "400 schema: attribute 'a': a dense vector needs 'ann': true"},
        {{"{'a':{'type':'[3]f32','ann':false}}"},
         "400 schema: attribute 'a': a dense vector needs 'ann': true"},
        {{"{'a':{'type':'[10753]f32','ann':true}}"},
         "400 schema: attribute 'a': 10753 dimensions, at most 10752 are allowed"},
        {{"{'a':{'type':'[3]f32','ann':true},'b':{'type':'[3]f32','ann':true},'c':{'type':'[3]f32','ann':true}}"},
         "400 schema: attribute 'c': a namespace has at most 2 dense vectors"},
        {{"{'a':{'type':'{}f16','sparse_knn':true}}"},
         "422 schema: attribute 'a': sparse_knn is {'distance_metric': 'dot_product'}"},
        {{"{'a':{'type':'string','embed':'model'}}"},
         "400 schema: attribute 'a': embed: turbopuffer-local has no embedding models"},
        {{"{'a':{'drop':true}}"},
         "400 schema: attribute 'a': drop: turbopuffer-local does not drop attributes"},
    };
    /* clang-format on */
    CLEANUP(arena_freep) struct arena *arena = arena_new("test");

    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        check_text(arena, declared(arena, cases[i].texts, 3, SCHEMA_VIEW_FULL), cases[i].want,
                   cases[i].texts[0]);
}

static void
names_are_counted_in_bytes(void **state UNUSED)
{
    char name[200];
    struct err err;

    memset(name, 'x', sizeof(name));
    CHECK_OK(ns_schema_check_name((struct span){name, 128}, &err), err);
    CHECK(!ns_schema_check_name((struct span){name, 129}, &err));
    for (size_t i = 0; i < 130; i += 2)
        memcpy(name + i, "\xc3\xa9", 2);
    CHECK(!ns_schema_check_name((struct span){name, 130}, &err)); /* 65 characters */
    CHECK_INT(err.code, 400);
}

static void
names_are_counted(void **state UNUSED)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new("test");
    const struct json *value = json_of(arena, "1");
    struct ns_schema schema;
    uint32_t at;
    struct err err;

    ns_schema_init(&schema, arena);
    for (int i = 0; i < ATTRIBUTE_NAMES_MAX; i++) {
        char name[16];

        snprintf(name, sizeof(name), "a%d", i);
        CHECK_OK(ns_schema_infer(&schema, span_of(name), value, &at, &err), err);
        CHECK_INT(at, i + 1);
    }
    CHECK_FAILS(ns_schema_infer(&schema, SPAN("more"), value, &at, &err), err, ERR_DATA,
                "a namespace has at most 1024 attribute names");
    CHECK_OK(ns_schema_infer(&schema, SPAN("a7"), value, &at, &err), err); /* known: fine */
}

/* An empty array settles nothing but that it is one. */
static void
empty_arrays_wait_for_an_element(void **state UNUSED)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new("test");
    char text[DATUM_TYPE_TEXT_SIZE];
    struct ns_schema schema;
    uint32_t at;
    struct err err;

    ns_schema_init(&schema, arena);
    CHECK_OK(ns_schema_infer(&schema, SPAN("a"), json_of(arena, "[]"), &at, &err), err);
    CHECK_STR(datum_type_text(schema.attributes[at].type, text), "[]unknown");
    CHECK_OK(ns_schema_infer(&schema, SPAN("a"), json_of(arena, "['x']"), &at, &err), err);
    CHECK_STR(datum_type_text(schema.attributes[at].type, text), "[]string");
    CHECK_OK(ns_schema_infer(&schema, SPAN("a"), json_of(arena, "[]"), &at, &err), err);
    CHECK_STR(datum_type_text(schema.attributes[at].type, text), "[]string");
}

static void
metrics_are_for_ever(void **state UNUSED)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new("test");
    struct ns_schema schema;
    struct err err;

    ns_schema_init(&schema, arena);
    CHECK_OK(ns_schema_set_metric(&schema, NULL, &err), err);
    CHECK_INT(schema.metric, DISTANCE_NONE);
    CHECK_OK(ns_schema_set_metric(&schema, json_of(arena, "'cosine_distance'"), &err), err);
    CHECK_OK(ns_schema_set_metric(&schema, json_of(arena, "'cosine_distance'"), &err), err);
    CHECK_FAILS(ns_schema_set_metric(&schema, json_of(arena, "'euclidean_squared'"), &err), err,
                ERR_DATA, "distance_metric is cosine_distance and cannot become euclidean_squared");
    CHECK(!ns_schema_set_metric(&schema, json_of(arena, "'manhattan'"), &err));
    CHECK_INT(err.code, 422);
    CHECK(!ns_schema_set_metric(&schema, json_of(arena, "''"), &err));
}

static void
a_copy_changes_nothing_until_it_is_adopted(void **state UNUSED)
{
    CLEANUP(arena_freep) struct arena *lasting = arena_new("test"), *scratch = arena_new("scratch");
    struct ns_schema schema, copy;
    struct err err;

    ns_schema_init(&schema, lasting);
    CHECK_OK(ns_schema_declare_all(&schema, json_of(lasting, "{'a':'int'}"), &err), err);
    copy = ns_schema_copy(&schema, scratch);
    CHECK_OK(ns_schema_declare_all(&copy, json_of(scratch, "{'b':'int','id':'uint'}"), &err), err);
    CHECK(!ns_schema_find(&schema, SPAN("b")));
    CHECK_INT(schema.attributes[SCHEMA_ID].type.base, DATUM_UNKNOWN);
    ns_schema_adopt(&schema, &copy);
    arena_freep(&scratch);
    CHECK_INT(ns_schema_index(&schema, ns_schema_find(&schema, SPAN("b"))), 2);
    CHECK_INT(schema.attributes[SCHEMA_ID].type.base, DATUM_UINT);
    CHECK(schema.founded);
    /* from now on there can be no new vector */
    CHECK_FAILS(ns_schema_declare_all(&schema,
                                      json_of(lasting, "{'v':{'type':'[3]f32','ann':true}}"), &err),
                err, ERR_DATA,
                "schema: attribute \"v\": a dense vector has to be there from the first write on");
}

static void
metadata_leaves_nulls_out(void **state UNUSED)
{
    static const char *const texts[] = {"{'id':'uint','v':{'type':'[3]f32','ann':{'distance_metric'"
                                        ":'euclidean_squared'}},'n':'int'}"};
    CLEANUP(arena_freep) struct arena *arena = arena_new("test");

    check_text(arena, declared(arena, texts, 1, SCHEMA_VIEW_METADATA),
               "{'id':{'type':'uint','filterable':true},"
               "'v':{'type':'[3]f32','ann':{'distance_metric':'euclidean_squared'}},"
               "'n':{'type':'int','filterable':true}}",
               "metadata");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(declarations),
        cmocka_unit_test(refusals),
        cmocka_unit_test(names_are_counted_in_bytes),
        cmocka_unit_test(names_are_counted),
        cmocka_unit_test(empty_arrays_wait_for_an_element),
        cmocka_unit_test(metrics_are_for_ever),
        cmocka_unit_test(a_copy_changes_nothing_until_it_is_adopted),
        cmocka_unit_test(metadata_leaves_nulls_out),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
