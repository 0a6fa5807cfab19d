/* rows: values land in the order of the schema, whatever the order and form they come in. */
#include "local/rows.h"

#include "unit/local/bench.h"

struct fixture {
    struct arena *arena;
    struct ns_schema schema;
    struct rows_reader reader;
};

static void
open_fixture(struct fixture *f, enum rows_kind kind)
{
    struct err err;

    *f = (struct fixture){.arena = arena_new("test")};
    ns_schema_init(&f->schema, f->arena);
    CHECK_OK(ns_schema_declare_all(&f->schema, json_of(f->arena, "{'a':'int','b':'int','c':'int'}"),
                                   &err),
             err);
    f->reader = (struct rows_reader){
        .schema = &f->schema, .limits = &limits_live, .arena = f->arena, .kind = kind};
}

/* "id:1 a:2 b:-": what each row holds, "-" where a patch clears. */
static const char *
shown(struct fixture *f, const struct rows *rows)
{
    CLEANUP(buf_free) struct buf out = buf_make(4096);
    struct json_writer w = {.out = &out};

    for (size_t i = 0; i < rows->count; i++) {
        buf_putf(&out, "%s", i ? " | " : "");
        for (uint32_t k = 0; k < rows->items[i].count; k++) {
            const struct datum *datum = &rows->items[i].values[k];

            buf_putf(&out, "%s%.*s:", k ? " " : "",
                     SPAN_ARG(f->schema.attributes[datum->attribute].name));
            w.comma = false;
            if (datum->count == DATUM_CLEARED)
                buf_putf(&out, "-");
            else
                datum_write(&w, f->schema.attributes[datum->attribute].type, datum,
                            VECTOR_ENCODING_FLOAT);
        }
    }
    return arena_strdup(f->arena, out.ptr ? out.ptr : "");
}

static void
rows_and_columns_are_the_same(void **state UNUSED)
{
    /* clang-format off */
    static const struct { enum rows_kind kind; const char *rows, *columns, *want; } cases[] = {
        {ROWS_UPSERT, "[{'id':1,'a':2,'b':3,'c':4}]", "{'id':[1],'a':[2],'b':[3],'c':[4]}",
         "id:1 a:2 b:3 c:4"},
        {ROWS_UPSERT, "[{'c':4,'id':1,'a':2}]", "{'c':[4],'id':[1],'a':[2]}", "id:1 a:2 c:4"},
        {ROWS_UPSERT, "[{'c':4,'b':3,'a':2,'id':1},{'id':5,'b':6}]",
         "{'c':[4,null],'b':[3,6],'a':[2,null],'id':[1,5]}", "id:1 a:2 b:3 c:4 | id:5 b:6"},
        {ROWS_UPSERT, "[{'id':1,'a':null,'d':null}]", "{'id':[1],'a':[null],'d':[null]}", "id:1"},
        {ROWS_UPSERT, "[{'id':1,'d':'x','a':2}]", "{'id':[1],'d':['x'],'a':[2]}", "id:1 a:2 d:\"x\""},
        {ROWS_PATCH,  "[{'id':1,'b':null,'a':2,'d':null}]", "{'id':[1],'b':[null],'a':[2],'d':[null]}",
         "id:1 a:2 b:-"},
        {ROWS_UPSERT, "[]", "{'id':[]}", ""},
    };
    /* clang-format on */

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        for (int columns = 0; columns < 2; columns++) {
            struct fixture f;
            struct rows rows;
            struct err err;

            open_fixture(&f, cases[i].kind);
            if (columns)
                CHECK_OK(
                    rows_read_columns(&f.reader, json_of(f.arena, cases[i].columns), &rows, &err),
                    err);
            else
                CHECK_OK(rows_read(&f.reader, json_of(f.arena, cases[i].rows), &rows, &err), err);
            CHECK_STR(shown(&f, &rows), cases[i].want);
            arena_free(f.arena);
        }
    }
}

/* Keys in ever other orders, so that guessing the next attribute is wrong at every step. */
static void
any_order_of_keys(void **state UNUSED)
{
    static const char *const orders[] = {"abc", "acb", "bac", "bca", "cab", "cba"};
    struct fixture f;

    open_fixture(&f, ROWS_UPSERT);
    for (size_t i = 0; i < ARRAY_LEN(orders); i++) {
        char text[128];
        struct rows rows;
        struct err err;

        snprintf(text, sizeof(text), "[{'%c':%d,'%c':%d,'id':9,'%c':%d}]", orders[i][0],
                 orders[i][0] - 'a', orders[i][1], orders[i][1] - 'a', orders[i][2],
                 orders[i][2] - 'a');
        CHECK_OK(rows_read(&f.reader, json_of(f.arena, text), &rows, &err), err);
        CHECK_STR(shown(&f, &rows), "id:9 a:0 b:1 c:2");
    }
    arena_free(f.arena);
}

static void
ids_settle_their_type(void **state UNUSED)
{
    /* clang-format off */
    static const struct { const char *schema, *ids; int status; enum datum_base base; } cases[] = {
        {"{}",            "[1,18446744073709551615]", 0,   DATUM_UINT},
        {"{}",            "['1','x']",                0,   DATUM_STRING},
        {"{}",            "[1,'x']",                  400, DATUM_UINT},
        {"{}",            "['x',1]",                  400, DATUM_STRING},
        {"{}",            "[true]",                   422, DATUM_UNKNOWN},
        {"{}",            "[[1]]",                    422, DATUM_UNKNOWN},
        {"{}",            "[18446744073709551616]",   422, DATUM_UINT},
        {"{'id':'uuid'}", "[1]",                      400, DATUM_UUID},
        {"{'id':'uuid'}", "['x']",                    400, DATUM_UUID},
        {"{'id':'string'}", "['']",                   0,   DATUM_STRING},
        {"{'id':'uint'}", "['1']",                    400, DATUM_UINT},
    };
    /* clang-format on */

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct fixture f;
        struct rows rows;
        struct err err = {0};

        open_fixture(&f, ROWS_UPSERT);
        CHECK_OK(ns_schema_declare_all(&f.schema, json_of(f.arena, cases[i].schema), &err), err);
        if (rows_read_ids(&f.reader, json_of(f.arena, cases[i].ids), &rows, &err))
            err.code = 0;
        if (err.code != cases[i].status)
            fail_msg("%s: got %d %s, want %d", cases[i].ids, err.code, err.text, cases[i].status);
        CHECK_INT(f.schema.attributes[SCHEMA_ID].type.base, cases[i].base);
        arena_free(f.arena);
    }
}

static void
repeated_ids_are_listed(void **state UNUSED)
{
    CLEANUP(id_set_free) struct id_set set = id_set_make();
    CLEANUP(id_set_free) struct id_set many = id_set_make();
    struct fixture f;
    struct rows first, second;
    struct err err;

    open_fixture(&f, ROWS_UPSERT);
    CHECK_OK(rows_read_ids(&f.reader, json_of(f.arena, "['a','b','c']"), &first, &err), err);
    CHECK_OK(rows_read_ids(&f.reader, json_of(f.arena, "['d','a','c','a']"), &second, &err), err);
    id_set_add(&set, &f.schema, &first);
    CHECK_OK(id_set_check(&set, &err), err);
    id_set_add(&set, &f.schema, &second);
    CHECK_FAILS(id_set_check(&set, &err), err, ERR_DATA,
                "duplicate document IDs in one request: \"a\", \"c\", \"a\"");
    for (int i = 0; i < 200; i++) /* a long list is cut */
        id_set_add(&many, &f.schema, &first);
    CHECK(!id_set_check(&many, &err));
    CHECK(strlen(err.text) < 500 && strcmp(err.text + strlen(err.text) - 3, "...") == 0);
    arena_free(f.arena);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_and_columns_are_the_same),
        cmocka_unit_test(any_order_of_keys),
        cmocka_unit_test(ids_settle_their_type),
        cmocka_unit_test(repeated_ids_are_listed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
