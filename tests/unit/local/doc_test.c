/* doc: a document owns its bytes, finds its values, takes patches. */
#include "local/doc.h"

#include "local/rows.h"
#include "unit/local/bench.h"

#define SCHEMA                                                                                     \
    "{'id':'string','a':'string','n':'int','tags':'[]string','nums':'[]float','v':{'type':"        \
    "'[3]f32','ann':true},'s':'{}f16','u':'uuid'}"
#define WHOLE                                                                                      \
    "{'id':'k','u':'00000000-0000-0000-0000-000000000001','a':'text','tags':['x','','yy'],"        \
    "'nums':[1.5],'v':[1,2,3],'s':{'7':1},'n':-5}"

static struct row
read_row(struct arena *arena, struct ns_schema *schema, enum rows_kind kind, const char *text)
{
    char list[1024];
    struct rows_reader reader = {
        .schema = schema, .limits = &limits_live, .arena = arena, .kind = kind};
    struct rows rows;
    struct err err;

    snprintf(list, sizeof(list), "[%s]", text);
    CHECK_OK(rows_read(&reader, json_of(arena, list), &rows, &err), err);
    return rows.items[0];
}

static struct ns_schema
make_schema(struct arena *arena)
{
    struct ns_schema schema;
    struct err err;

    ns_schema_init(&schema, arena);
    CHECK_OK(ns_schema_declare_all(&schema, json_of(arena, SCHEMA), &err), err);
    return schema;
}

static const char *
shown(struct arena *arena, const struct ns_schema *schema, const struct doc *doc)
{
    CLEANUP(buf_free) struct buf out = buf_make(4096);
    struct json_writer w = {.out = &out};

    json_object_begin(&w);
    for (uint32_t i = 0; i < doc->count; i++) {
        json_key(&w, schema->attributes[doc->values[i].attribute].name);
        datum_write(&w, schema->attributes[doc->values[i].attribute].type, &doc->values[i],
                    VECTOR_ENCODING_FLOAT);
    }
    json_object_end(&w);
    return arena_strdup(arena, out.ptr);
}

/* The row's arena goes before the document is looked at. */
static void
owns_its_bytes(void **state UNUSED)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new("test");
    struct arena *request = arena_new("request");
    struct ns_schema schema = make_schema(arena);
    struct row row = read_row(request, &schema, ROWS_UPSERT, WHOLE);
    struct doc *doc = doc_new(&schema, &row);

    CHECK_INT(doc->bytes, 1 + 16 + 4 + 3 + 8 + 12 + 7 + 8);
    arena_free(request);
    check_text(arena, shown(arena, &schema, doc),
               "{'id':'k','a':'text','n':-5,'tags':['x','','yy'],'nums':[1.5],'v':[1.0,2.0,3.0],"
               "'s':{'7':1},'u':'00000000-0000-0000-0000-000000000001'}",
               "whole");
    CHECK_SPAN(row_key(&schema, &doc->values[0]), "k");
    doc_free(doc);
    doc_free(NULL);
}

static void
finds_values(void **state UNUSED)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new("test");
    struct ns_schema schema = make_schema(arena);
    struct row row = read_row(arena, &schema, ROWS_PATCH, "{'id':'k','n':1,'s':{},'a':null}");
    static const bool want[] = {true, false, true, false, false, false, true, false};

    for (uint32_t i = 0; i < ARRAY_LEN(want); i++) {
        const struct datum *found = row_find(&row, i);

        CHECK_INT(found != NULL, want[i]);
        CHECK(!found || found->attribute == i);
    }
}

static void
takes_patches(void **state UNUSED)
{
    /* clang-format off */
    static const struct { const char *patch, *want; } cases[] = {
        {"{'id':'k'}",                  "{'id':'k','n':1,'tags':['t']}"},
        {"{'id':'k','n':2}",            "{'id':'k','n':2,'tags':['t']}"},
        {"{'id':'k','a':'new'}",        "{'id':'k','a':'new','n':1,'tags':['t']}"},
        {"{'id':'k','u':'00000000-0000-0000-0000-000000000001'}",
         "{'id':'k','n':1,'tags':['t'],'u':'00000000-0000-0000-0000-000000000001'}"},
        {"{'id':'k','n':null}",         "{'id':'k','tags':['t']}"},
        {"{'id':'k','a':null,'s':null}", "{'id':'k','n':1,'tags':['t']}"},
        {"{'id':'k','n':null,'tags':null,'a':'x'}", "{'id':'k','a':'x'}"},
        {"{'id':'other','n':3}",        "{'id':'k','n':3,'tags':['t']}"}, /* the id stays */
    };
    /* clang-format on */
    CLEANUP(arena_freep) struct arena *arena = arena_new("test");
    struct ns_schema schema = make_schema(arena);
    struct row patched_row = {0}, row;
    struct doc *doc;

    schema.dense_count = 0; /* no vector asked for here */
    schema.attributes[5].type = (struct datum_type){.base = DATUM_BOOL};
    row = read_row(arena, &schema, ROWS_UPSERT, "{'id':'k','n':1,'tags':['t']}");
    doc = doc_new(&schema, &row);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct doc *patched;

        patched_row = read_row(arena, &schema, ROWS_PATCH, cases[i].patch);
        patched = doc_patched(&schema, doc, &patched_row);
        check_text(arena, shown(arena, &schema, patched), cases[i].want, cases[i].patch);
        doc_free(patched);
    }
    doc_free(doc);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(owns_its_bytes),
        cmocka_unit_test(finds_values),
        cmocka_unit_test(takes_patches),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
