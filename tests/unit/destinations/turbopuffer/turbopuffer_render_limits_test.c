/* turbopuffer_render: splitting, and rows that cannot be written. */
#include <stdlib.h>

#include "turbopuffer_render_bench.h"

/* ---- splitting ---- */

static void
defect_p2_02_splits_by_encoded_bytes(void **state UNUSED)
{
    static char text[3000];
    struct bench b;

    memset(text, '"', sizeof(text) - 1); /* twice as long in JSON */
    for (int format = WRITE_COLUMNS; format <= WRITE_ROWS; format++) {
        CLEANUP(buf_free) struct buf out = buf_make(MEGABYTES(4));
        struct action actions[40];
        struct err err;
        size_t requests, lines = 0;

        bench_open(&b, columns, 3);
        b.mapping->format = (enum write_format)format;
        b.mapping->batch_max_bytes = 64 * 1024;
        bench_plan(&b);
        for (size_t i = 0; i < ARRAY_LEN(actions); i++) {
            char id[32];

            snprintf(id, sizeof(id), "%zu", 1000 + i);
            actions[i] = target_upsert(b.arena, b.mapping, ((struct position){1, i + 1}),
                                       arena_strdup(b.arena, id), text, "1");
        }
        CHECK_OK(render_all(&b, actions, ARRAY_LEN(actions), &out, &requests, &err), err);
        CHECK_INT(requests, 4); /* 40 documents of 6 KiB in 64 KiB */
        for (const char *line = out.ptr; *line; line = strchr(line, '\n') + 1, lines++)
            CHECK(strchr(line, '\n') - line <= 64 * 1024);
        CHECK_INT(lines, requests);
        for (size_t i = 0; i < ARRAY_LEN(actions); i++) { /* each id once */
            char id[32];

            snprintf(id, sizeof(id), "%s%zu%s", format ? "\"id\":" : "", 1000 + i, "");
            CHECK_INT(count_of(out.ptr, id), 1);
        }
        bench_close(&b);
    }
}

static void
a_document_over_the_batch_limit_goes_alone(void **state UNUSED)
{
    CLEANUP(buf_free) struct buf out = buf_make(MEGABYTES(4));
    static char text[4000];
    struct bench b;
    struct err err;
    size_t requests;

    memset(text, 'x', sizeof(text) - 1);
    bench_open(&b, columns, 3);
    b.mapping->batch_max_bytes = 1000;
    bench_plan(&b);
    {
        const struct action actions[] = {
            target_upsert(b.arena, b.mapping, ((struct position){1, 1}), "1", text, "1"),
            target_upsert(b.arena, b.mapping, ((struct position){1, 2}), "2", text, "1"),
            target_delete(b.arena, b.mapping, ((struct position){1, 3}), "3"),
        };

        CHECK_OK(render_all(&b, actions, 3, &out, &requests, &err), err);
    }
    CHECK_INT(requests, 3);
    bench_close(&b);
}

static void
embedding_sends_30_rows_at_a_time(void **state UNUSED)
{
    static const struct target_column embedding[] = {
        {.name = "id", .kind = TYPE_INT8},
        {.name = "s", .kind = TYPE_TEXT, .hint = "{\"embed\":\"m\"}"},
    };
    CLEANUP(buf_free) struct buf out = buf_make(MEGABYTES(1));
    struct action actions[61];
    struct bench b;
    struct err err;
    size_t requests;

    bench_open(&b, embedding, 2);
    bench_plan(&b);
    for (size_t i = 0; i < ARRAY_LEN(actions); i++) {
        char id[32];

        snprintf(id, sizeof(id), "%zu", i);
        actions[i] = target_upsert(b.arena, b.mapping, ((struct position){1, i + 1}),
                                   arena_strdup(b.arena, id), "x");
    }
    CHECK_OK(render_all(&b, actions, ARRAY_LEN(actions), &out, &requests, &err), err);
    CHECK_INT(requests, 3);
    bench_close(&b);
}

/* ---- rows that cannot be written ---- */

static void
names_the_column_and_the_remedy(void **state UNUSED)
{
    static char text[TURBOPUFFER_FILTERABLE_BYTES + 2];
    static const struct target_column all[] = {
        {.name = "id", .kind = TYPE_INT8},       {.name = "s", .kind = TYPE_TEXT},
        {.name = "f", .kind = TYPE_FLOAT8},      {.name = "a", .kind = TYPE_INT4, .array = true},
        {.name = "t", .kind = TYPE_TIMESTAMPTZ}, {.name = "v", .kind = TYPE_VECTOR, .typmod = 3},
    };
    static const struct {
        const char *s, *f, *a, *t, *v;
        const char *want;
    } cases[] = {
        {text, "1", "{}", "\\N", "[1,2,3]",
         "column s: its value is over the 4 KiB of a filterable attribute; set s = { filterable = "
         "false } in [target.schema]"},
        {"x", "NaN", "{}", "\\N", "[1,2,3]",
         "column f: NaN and infinity have no form in JSON; set on_unrepresentable = \"null\" in "
         "[target], or another type in [target.schema]"},
        {"x", "1", "{1,NULL}", "\\N", "[1,2,3]",
         "column a: arrays with nulls inside or with several dimensions have no form here; set "
         "on_unrepresentable = \"null\" in [target], or another type in [target.schema]"},
        {"x", "1", "{}", "infinity", "[1,2,3]",
         "column t: infinity, years before 1 and years after 9999 have no form as datetime (ISO "
         "8601); set on_unrepresentable = \"null\" in [target], or another type in "
         "[target.schema]"},
        {"x", "1", "{}", "01.02.2024 10:00:00", "[1,2,3]",
         "column t: its value is not written like a timestamptz"},
        {"x", "1", "{}", "\\N", "[1,2]",
         "column v: its value is no vector of 3 numbers; mend the row, or leave it out with "
         "`membership`"},
        {"x", "1", "{}", "\\N", "\\N",
         "column v is null, and turbopuffer wants a vector in every document; leave such rows out "
         "with membership = \"v IS NOT NULL\""},
    };

    memset(text, 'x', sizeof(text) - 1);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        for (int format = WRITE_COLUMNS; format <= WRITE_ROWS; format++) {
            CLEANUP(buf_free) struct buf out = buf_make(10000);
            struct bench b;
            struct action action;
            struct err err = {0};
            size_t requests;

            bench_open(&b, all, ARRAY_LEN(all));
            b.mapping->distance_metric = "cosine_distance";
            b.mapping->format = (enum write_format)format;
            bench_plan(&b);
            action = target_upsert(b.arena, b.mapping, ((struct position){1, 1}), "1", cases[i].s,
                                   cases[i].f, cases[i].a, cases[i].t, cases[i].v);
            CHECK_FAILS(render_all(&b, &action, 1, &out, &requests, &err), err, ERR_DATA,
                        cases[i].want);

            /* What was begun is forgotten: the next row is whole. */
            action = target_upsert(b.arena, b.mapping, ((struct position){1, 2}), "2", "x", "1",
                                   "{}", "\\N", "[1,2,3]");
            CHECK_OK(render_all(&b, &action, 1, &out, &requests, &err), err);
            CHECK(!strstr(out.ptr, "\"id\":[1"));
            bench_close(&b);
        }
    }
}

static void
rule_31_null_may_stand_for_what_has_no_form(void **state UNUSED)
{
    static const struct target_column some[] = {
        {.name = "id", .kind = TYPE_INT8},
        {.name = "f", .kind = TYPE_FLOAT8},
        {.name = "t", .kind = TYPE_TIMESTAMPTZ},
    };
    struct bench b;

    for (int format = WRITE_COLUMNS; format <= WRITE_ROWS; format++) {
        CLEANUP(buf_free) struct buf out = buf_make(10000);
        struct err err;
        size_t requests;

        bench_open(&b, some, 3);
        b.mapping->on_unrepresentable = UNREPRESENTABLE_NULL;
        b.mapping->format = (enum write_format)format;
        bench_plan(&b);
        {
            const struct action actions[] = {target_upsert(
                b.arena, b.mapping, ((struct position){1, 1}), "1", "NaN", "infinity")};

            CHECK_OK(render_all(&b, actions, 1, &out, &requests, &err), err);
        }
        CHECK(strstr(out.ptr, format == WRITE_COLUMNS ? "\"f\":[null],\"t\":[null],"
                                                      : "{\"id\":1,\"__source_lsn\":1"));
        bench_close(&b);
    }
}

static void
rule_31_null_never_stands_for_a_text_that_is_too_long(void **state UNUSED)
{
    static char text[TURBOPUFFER_FILTERABLE_BYTES + 2];
    CLEANUP(buf_free) struct buf out = buf_make(10000);
    struct bench b;
    struct err err;
    size_t requests;

    memset(text, 'x', sizeof(text) - 1);
    bench_open(&b, columns, 3);
    b.mapping->on_unrepresentable = UNREPRESENTABLE_NULL;
    bench_plan(&b);
    {
        const struct action actions[] = {
            target_upsert(b.arena, b.mapping, ((struct position){1, 1}), "1", text, "1")};

        CHECK(!render_all(&b, actions, 1, &out, &requests, &err));
        CHECK_INT(err.kind, ERR_DATA);
    }
    bench_close(&b);
}

static void
refuses_documents_over_64_mib(void **state UNUSED)
{
    static struct target_column wide[11];
    CLEANUP(buf_free) struct buf out = buf_make(MEGABYTES(200));
    size_t len = MEGABYTES(7);
    char *text = malloc(len + 1);
    const char *values[ARRAY_LEN(wide)];
    struct bench b;
    struct err err;
    struct action action;
    size_t requests;

    CHECK(text);
    memset(text, 'x', len);
    text[len] = '\0';
    for (size_t i = 0; i < ARRAY_LEN(wide); i++) {
        wide[i] = (struct target_column){
            .name = i ? (const char *[]){"", "a", "b", "c", "d", "e", "f", "g", "h", "i", "j"}[i]
                      : "id",
            .kind = i ? TYPE_TEXT : TYPE_INT8,
            .hint = "{\"filterable\":false}"};
        values[i] = i ? text : "1";
    }
    wide[0].hint = NULL;
    bench_open(&b, wide, ARRAY_LEN(wide));
    bench_plan(&b);
    action = target_upsert_at(b.arena, b.mapping, (struct position){1, 1}, values);
    CHECK_FAILS(render_all(&b, &action, 1, &out, &requests, &err), err, ERR_DATA,
                "the document is over the 64 MiB that turbopuffer holds; its largest column is a: "
                "take it out of `columns`, or shorten the value");
    bench_close(&b);
    free(text);
}

static void
an_image_without_text_is_a_bug_of_ours(void **state UNUSED)
{
    static const enum value_kind kinds[] = {VALUE_UNCHANGED, VALUE_BINARY};

    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
        CLEANUP(buf_free) struct buf out = buf_make(10000);
        struct bench b;
        struct value image[3] = {{.ptr = "1", .len = 1, .kind = VALUE_TEXT}};
        struct action action = {.kind = ACTION_UPSERT, .id.text = SPAN("1"), .image = image};
        struct err err;
        size_t requests;

        image[1].kind = kinds[i];
        bench_open(&b, columns, 3);
        bench_plan(&b);
        CHECK_FAILS(render_all(&b, &action, 1, &out, &requests, &err), err, ERR_BUG,
                    "column name came to the destination without its text");
        bench_close(&b);
    }
}

static void
passes_on_values_that_a_transform_made(void **state UNUSED)
{
    struct value image[3] = {{.ptr = "1", .len = 1, .kind = VALUE_TEXT},
                             {.ptr = "\"x\"", .len = 3, .kind = VALUE_JSON},
                             {.ptr = "2.5", .len = 3, .kind = VALUE_JSON}};
    const struct action actions[] = {
        {.kind = ACTION_UPSERT, .id.text = SPAN("1"), .image = image, .position = {3, 1}}};
    struct bench b;

    bench_open(&b, columns, 3);
    CHECK_RENDERS(&b, actions,
                  "{\"upsert_columns\":{\"id\":[1],\"name\":[\"x\"],\"price\":[2.5],"
                  "\"__source_lsn\":[3],\"__source_seq\":[1]}," NEWER "," SCHEMA "}\n");
    bench_close(&b);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(defect_p2_02_splits_by_encoded_bytes),
        cmocka_unit_test(a_document_over_the_batch_limit_goes_alone),
        cmocka_unit_test(embedding_sends_30_rows_at_a_time),
        cmocka_unit_test(names_the_column_and_the_remedy),
        cmocka_unit_test(rule_31_null_may_stand_for_what_has_no_form),
        cmocka_unit_test(rule_31_null_never_stands_for_a_text_that_is_too_long),
        cmocka_unit_test(refuses_documents_over_64_mib),
        cmocka_unit_test(an_image_without_text_is_a_bug_of_ours),
        cmocka_unit_test(passes_on_values_that_a_transform_made),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
