/* turbopuffer_document: the cells and rows of one action, in every combination of settings. */
#include "destinations/turbopuffer/turbopuffer_document.h"

#include "harness/check.h"
#include "harness/target.h"

static const struct target_column source[] = {
    {.name = "id", .kind = TYPE_INT8},
    {.name = "name", .kind = TYPE_TEXT},
    {.name = "v", .kind = TYPE_VECTOR, .typmod = 2},
};

#define COLUMNS_MAX 6

/* The cells of all columns, separated by blanks. */
static void
put_all(const struct turbopuffer_plan *plan, const struct action *action, struct buf *out)
{
    struct turbopuffer_column columns[COLUMNS_MAX];
    size_t count = turbopuffer_column_count(plan);
    struct err err;

    CHECK(count <= COLUMNS_MAX);
    for (size_t i = 0; i < count; i++)
        columns[i] = (struct turbopuffer_column){.cells = buf_make(10000)};
    CHECK_OK(turbopuffer_put_document(plan, columns, action, 900, &err), err);
    for (size_t i = 0; i < count; i++) {
        buf_putf(out, "%s%s", i ? " " : "", columns[i].cells.ptr);
        buf_free(&columns[i].cells);
    }
}

static void
writes_every_kind_of_document(void **state UNUSED)
{
    static const struct {
        enum write_format format;
        bool versioned, tombstones, dead;
        const char *want;
    } cases[] = {
        {WRITE_COLUMNS, true, false, false, ",7 ,\"a\" ,[1,2] ,900 ,3"},
        {WRITE_COLUMNS, false, false, false, ",7 ,\"a\" ,[1,2]"},
        {WRITE_COLUMNS, true, true, false, ",7 ,\"a\" ,[1,2] ,900 ,3 ,null"},
        {WRITE_COLUMNS, true, true, true, ",7 ,null ,[1,0] ,900 ,3 ,true"},
        {WRITE_COLUMNS, false, true, true, ",7 ,null ,[1,0] ,true"},
        {WRITE_ROWS, true, false, false,
         ",{\"id\":7,\"name\":\"a\",\"v\":[1,2],\"__source_lsn\":900,\"__source_seq\":3}"},
        {WRITE_ROWS, false, false, false, ",{\"id\":7,\"name\":\"a\",\"v\":[1,2]}"},
        {WRITE_ROWS, true, true, true,
         ",{\"id\":7,\"v\":[1,0],\"__source_lsn\":900,\"__source_seq\":3,\"__deleted\":true}"},
        {WRITE_ROWS, false, true, true, ",{\"id\":7,\"v\":[1,0],\"__deleted\":true}"},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        CLEANUP(arena_freep) struct arena *arena = arena_new("test");
        CLEANUP(buf_free) struct buf out = buf_make(10000);
        struct mapping *mapping = target_mapping(arena, source, ARRAY_LEN(source));
        struct report report = report_make(arena);
        const struct position position = {900, 3};
        struct turbopuffer_plan plan;
        struct action action;

        mapping->format = cases[i].format;
        mapping->versioning = cases[i].versioned ? VERSIONING_SOURCE_LSN : VERSIONING_NONE;
        mapping->deletes = cases[i].tombstones ? DELETES_TOMBSTONE : DELETES_PHYSICAL;
        mapping->distance_metric = "cosine_distance";
        CHECK(turbopuffer_plan_make(mapping, 0, arena, &report, &plan));
        action = cases[i].dead ? target_delete(arena, mapping, position, "7")
                               : target_upsert(arena, mapping, position, "7", "a", "[1,2]");
        put_all(&plan, &action, &out);
        CHECK_STR(out.ptr, cases[i].want);
    }
}

static void
quotes_ids_that_are_text(void **state UNUSED)
{
    CLEANUP(buf_free) struct buf out = buf_make(100);

    turbopuffer_put_id(&(struct docid){.text = SPAN("18446744073709551615")}, &out);
    buf_putc(&out, ' ');
    turbopuffer_put_id(&(struct docid){.quoted = true, .text = SPAN("a\"b")}, &out);
    CHECK_STR(out.ptr, "18446744073709551615 \"a\\\"b\"");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(writes_every_kind_of_document),
        cmocka_unit_test(quotes_ids_that_are_text),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
