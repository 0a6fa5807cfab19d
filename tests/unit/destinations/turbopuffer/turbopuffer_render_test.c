/* turbopuffer_render: golden requests and conditions. */
#include "turbopuffer_render_bench.h"

/* ---- golden requests ---- */

static void
writes_columns(void **state UNUSED)
{
    struct bench b;

    bench_open(&b, columns, 3);
    {
        const struct action actions[] = {
            target_upsert(b.arena, b.mapping, ((struct position){100, 1}), "1", "a", "1.5"),
            target_upsert(b.arena, b.mapping, ((struct position){100, 2}), "2", "\\N", "\\N"),
        };

        CHECK_RENDERS(
            &b, actions,
            "{\"upsert_columns\":{\"id\":[1,2],\"name\":[\"a\",null],\"price\":[1.5,null],"
            "\"__source_lsn\":[100,100],\"__source_seq\":[1,2]}," NEWER "," SCHEMA "}\n");
    }
    bench_close(&b);
}

static void
writes_rows(void **state UNUSED)
{
    struct bench b;

    bench_open(&b, columns, 3);
    b.mapping->format = WRITE_ROWS;
    {
        const struct action actions[] = {
            target_upsert(b.arena, b.mapping, ((struct position){100, 1}), "1", "a", "1.5"),
            target_upsert(b.arena, b.mapping, ((struct position){100, 2}), "2", "\\N", "\\N"),
        };

        CHECK_RENDERS(
            &b, actions,
            "{\"upsert_rows\":[{\"id\":1,\"name\":\"a\",\"price\":1.5,\"__source_lsn\":100,"
            "\"__source_seq\":1},{\"id\":2,\"__source_lsn\":100,\"__source_seq\":2}]," NEWER
            "," SCHEMA "}\n");
    }
    bench_close(&b);
}

static void
quotes_string_ids(void **state UNUSED)
{
    static const struct target_column keyed[] = {{.name = "slug", .kind = TYPE_TEXT},
                                                 {.name = "n", .kind = TYPE_INT4}};
    struct bench b;

    bench_open(&b, keyed, 2);
    b.mapping->versioning = VERSIONING_NONE;
    {
        const struct action actions[] = {
            target_upsert(b.arena, b.mapping, ((struct position){1, 1}), "a\"b", "7"),
            target_delete(b.arena, b.mapping, ((struct position){1, 2}), "c\\d"),
        };

        CHECK_RENDERS(
            &b, actions,
            "{\"upsert_columns\":{\"id\":[\"a\\\"b\"],\"n\":[7]},\"deletes\":[\"c\\\\d\"],"
            "\"schema\":{\"id\":\"string\",\"n\":\"int\"}}\n");
    }
    bench_close(&b);
}

static void
a_mapping_may_have_nothing_but_its_id(void **state UNUSED)
{
    struct bench b;

    bench_open(&b, columns, 1);
    {
        const struct action actions[] = {
            target_upsert(b.arena, b.mapping, ((struct position){5, 0}), "1")};

        CHECK_RENDERS(
            &b, actions,
            "{\"upsert_columns\":{\"id\":[1],\"__source_lsn\":[5],\"__source_seq\":[0]}," NEWER
            ",\"schema\":{\"id\":\"uint\",\"__source_lsn\":\"uint\","
            "\"__source_seq\":\"uint\"}}\n");
    }
    bench_close(&b);
}

static void
no_actions_are_no_request(void **state UNUSED)
{
    CLEANUP(buf_free) struct buf out = buf_make(1000);
    struct bench b;
    struct err err;
    size_t requests;

    bench_open(&b, columns, 3);
    bench_plan(&b);
    CHECK_OK(render_all(&b, NULL, 0, &out, &requests, &err), err);
    CHECK_INT(requests, 0);
    bench_close(&b);
}

/* ---- deletes ---- */

static void
rule_19_deletes_of_one_version_share_a_condition(void **state UNUSED)
{
    struct bench b;

    bench_open(&b, columns, 3);
    {
        const struct action actions[] = {
            target_delete(b.arena, b.mapping, ((struct position){200, 3}), "1"),
            target_delete(b.arena, b.mapping, ((struct position){200, 3}), "2"),
        };

        CHECK_RENDERS(&b, actions,
                      "{\"deletes\":[1,2],\"delete_condition\":" OLDER("200", "3") "," SCHEMA
                                                                                   "}\n");
    }
    bench_close(&b);
}

/* Never the greatest version for all: it could remove a document that is newer than its delete. */
static void
rule_19_deletes_of_several_versions_have_a_branch_each(void **state UNUSED)
{
    struct bench b;

    bench_open(&b, columns, 3);
    {
        const struct action actions[] = {
            target_delete(b.arena, b.mapping, ((struct position){200, 3}), "1"),
            target_delete(b.arena, b.mapping, ((struct position){200, 4}), "2"),
            target_delete(b.arena, b.mapping, ((struct position){300, 1}), "3"),
        };

        CHECK_RENDERS(&b, actions,
                      "{\"deletes\":[1,2,3],\"delete_condition\":[\"Or\",["
                      "[\"And\",[[\"id\",\"Eq\",1]," OLDER(
                          "200", "3") "]],"
                                      "[\"And\",[[\"id\",\"Eq\",2]," OLDER(
                                          "200", "4") "]],"
                                                      "[\"And\",[[\"id\",\"Eq\",3]," OLDER(
                                                          "300", "1") "]]]]," SCHEMA "}\n");
    }
    bench_close(&b);
}

static void
upserts_and_deletes_share_a_request(void **state UNUSED)
{
    struct bench b;

    bench_open(&b, columns, 3);
    {
        const struct action actions[] = {
            target_delete(b.arena, b.mapping, ((struct position){200, 1}), "1"),
            target_upsert(b.arena, b.mapping, ((struct position){200, 1}), "2", "x", "1"),
        };

        CHECK_RENDERS(&b, actions,
                      "{\"upsert_columns\":{\"id\":[2],\"name\":[\"x\"],\"price\":[1],"
                      "\"__source_lsn\":[200],\"__source_seq\":[1]}," NEWER
                      ",\"deletes\":[1],\"delete_condition\":" OLDER("200", "1") "," SCHEMA "}\n");
    }
    bench_close(&b);
}

static void
rule_19_at_most_256_branches_in_one_condition(void **state UNUSED)
{
    static const struct {
        size_t count;
        bool mixed;
        size_t requests;
        size_t branches; /* a single delete needs none */
    } cases[] = {
        {256, true, 1, 256}, {257, true, 2, 256}, {1000, true, 4, 1000}, {1000, false, 1, 0}};

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        CLEANUP(buf_free) struct buf out = buf_make(MEGABYTES(4));
        struct action *actions;
        struct bench b;
        struct err err;
        size_t requests;

        bench_open(&b, columns, 3);
        bench_plan(&b);
        actions = arena_new_n(b.arena, struct action, cases[i].count);
        for (size_t k = 0; k < cases[i].count; k++) {
            char id[32];

            snprintf(id, sizeof(id), "%zu", k);
            actions[k] =
                target_delete(b.arena, b.mapping, (struct position){7, cases[i].mixed ? k + 1 : 1},
                              arena_strdup(b.arena, id));
        }
        CHECK_OK(render_all(&b, actions, cases[i].count, &out, &requests, &err), err);
        CHECK_INT(requests, cases[i].requests);
        CHECK_INT(count_of(out.ptr, "[\"id\",\"Eq\","), cases[i].branches);
        for (const char *line = out.ptr; *line; line = strchr(line, '\n') + 1) {
            CLEANUP(buf_free) struct buf one = buf_make(MEGABYTES(4));

            buf_put(&one, (struct span){line, (size_t)(strchr(line, '\n') - line)});
            CHECK(count_of(one.ptr, "[\"id\",\"Eq\",") <= 256);
        }
        bench_close(&b);
    }
}

/* 300 equal ones, then another: the equal ones go first, alone. */
static void
rule_19_another_version_behind_many_equal_ones_begins_a_request(void **state UNUSED)
{
    CLEANUP(buf_free) struct buf out = buf_make(MEGABYTES(4));
    struct action actions[301];
    struct bench b;
    struct err err;
    size_t requests;

    bench_open(&b, columns, 3);
    bench_plan(&b);
    for (size_t k = 0; k < ARRAY_LEN(actions); k++) {
        char id[32];

        snprintf(id, sizeof(id), "%zu", k);
        actions[k] = target_delete(b.arena, b.mapping, (struct position){7, k == 300 ? 2 : 1},
                                   arena_strdup(b.arena, id));
    }
    CHECK_OK(render_all(&b, actions, ARRAY_LEN(actions), &out, &requests, &err), err);
    CHECK_INT(requests, 2);
    CHECK(strstr(out.ptr, "\"deletes\":[300],\"delete_condition\":" OLDER("7", "2")));
    bench_close(&b);
}

static void
without_versions_deletes_are_plain(void **state UNUSED)
{
    struct bench b;

    bench_open(&b, columns, 3);
    b.mapping->versioning = VERSIONING_NONE;
    {
        const struct action actions[] = {
            target_delete(b.arena, b.mapping, ((struct position){200, 3}), "1"),
            target_delete(b.arena, b.mapping, ((struct position){300, 4}), "2"),
        };

        CHECK_RENDERS(&b, actions, "{\"deletes\":[1,2]," NOTHING_SCHEMA "}\n");
    }
    bench_close(&b);
}

static const struct target_column with_vector[] = {
    {.name = "id", .kind = TYPE_INT8},
    {.name = "name", .kind = TYPE_TEXT},
    {.name = "v", .kind = TYPE_VECTOR, .typmod = 3},
};

#define VECTOR_SCHEMA                                                                              \
    "\"schema\":{\"id\":\"uint\",\"name\":{\"type\":\"string\"},\"v\":{\"type\":\"[3]f32\","       \
    "\"ann\":true},\"__source_lsn\":\"uint\",\"__source_seq\":\"uint\",\"__deleted\":\"bool\"},"   \
    "\"distance_metric\":\"cosine_distance\""

static void
rule_20_a_tombstone_is_an_upsert_of_nulls(void **state UNUSED)
{
    struct bench b;

    for (int format = WRITE_COLUMNS; format <= WRITE_ROWS; format++) {
        bench_open(&b, with_vector, 3);
        b.mapping->deletes = DELETES_TOMBSTONE;
        b.mapping->distance_metric = "cosine_distance";
        b.mapping->format = (enum write_format)format;
        {
            const struct action actions[] = {
                target_upsert(b.arena, b.mapping, ((struct position){200, 1}), "1", "x", "[1,2,3]"),
                target_delete(b.arena, b.mapping, ((struct position){200, 2}), "2"),
            };

            CHECK_RENDERS(
                &b, actions,
                format == WRITE_COLUMNS
                    ? "{\"upsert_columns\":{\"id\":[1,2],\"name\":[\"x\",null],\"v\":"
                      "[[1,2,3],[1,0,0]],\"__source_lsn\":[200,200],\"__source_seq\":"
                      "[1,2],\"__deleted\":[null,true]}," NEWER "," VECTOR_SCHEMA "}\n"
                    : "{\"upsert_rows\":[{\"id\":1,\"name\":\"x\",\"v\":[1,2,3],"
                      "\"__source_lsn\":200,\"__source_seq\":1},{\"id\":2,\"v\":[1,0,0],"
                      "\"__source_lsn\":200,\"__source_seq\":2,\"__deleted\":true}]," NEWER
                      "," VECTOR_SCHEMA "}\n");
        }
        bench_close(&b);
    }
}

/* ---- truncate ---- */

static void
rule_18_truncate_deletes_what_is_older(void **state UNUSED)
{
    struct bench b;

    bench_open(&b, columns, 3);
    {
        const struct action actions[] = {target_truncate((struct position){900, 4})};

        CHECK_RENDERS(&b, actions,
                      "{\"delete_by_filter\":" OLDER(
                          "900", "4") ",\"delete_by_filter_allow_partial\":true," SCHEMA "}\n");
    }
    bench_close(&b);

    bench_open(&b, columns, 3);
    b.mapping->versioning = VERSIONING_NONE;
    {
        const struct action actions[] = {target_truncate((struct position){900, 4})};

        CHECK_RENDERS(&b, actions,
                      "{\"delete_by_filter\":[\"id\",\"NotEq\",null],"
                      "\"delete_by_filter_allow_partial\":true," NOTHING_SCHEMA "}\n");
    }
    bench_close(&b);
}

/* ---- versions ---- */

/* Both known programs write without conditions, so that any late request regresses (facts 4.1). */
static void
defect_p1_01_defect_p2_01_every_write_is_conditional(void **state UNUSED)
{
    static const char *const conditions[] = {"\"upsert_condition\":[\"Or\",[[\"__source_lsn\"",
                                             "\"delete_condition\":[\"Or\",[[\"__source_lsn\"",
                                             "\"delete_by_filter\":[\"Or\",[[\"__source_lsn\""};

    for (int format = WRITE_COLUMNS; format <= WRITE_ROWS; format++) {
        struct bench b;

        bench_open(&b, columns, 3);
        b.mapping->format = (enum write_format)format;
        bench_plan(&b);
        {
            const struct action actions[] = {
                target_upsert(b.arena, b.mapping, ((struct position){5, 1}), "1", "a", "1"),
                target_delete(b.arena, b.mapping, ((struct position){5, 2}), "2"),
                target_truncate((struct position){5, 3}),
            };

            for (size_t i = 0; i < ARRAY_LEN(actions); i++) {
                CLEANUP(buf_free) struct buf out = buf_make(10000);
                struct err err;
                size_t requests;

                CHECK_OK(render_all(&b, &actions[i], 1, &out, &requests, &err), err);
                CHECK(strstr(out.ptr, conditions[i]));
            }
        }
        bench_close(&b);
    }
}

static void
rule_05_the_epoch_is_in_every_version(void **state UNUSED)
{
    CLEANUP(buf_free) struct buf out = buf_make(10000);
    struct report report;
    struct bench b;
    struct err err;
    size_t requests;

    bench_open(&b, columns, 3);
    report = report_make(b.arena);
    CHECK(turbopuffer_plan_make(b.mapping, 2, b.arena, &report, &b.plan));
    turbopuffer_render_init(&b.render, &b.plan, b.arena);
    {
        const struct action actions[] = {
            target_upsert(b.arena, b.mapping, ((struct position){5, 1}), "1", "a", "1"),
            target_delete(b.arena, b.mapping, ((struct position){5, 2}), "2"),
        };

        CHECK_OK(render_all(&b, actions, 2, &out, &requests, &err), err);
    }
    CHECK(strstr(out.ptr, "\"__source_lsn\":[144115188075855877]"));
    CHECK(strstr(out.ptr, OLDER("144115188075855877", "2")));
    bench_close(&b);
}

static void
rule_05_a_version_that_does_not_fit_stops_the_flow(void **state UNUSED)
{
    CLEANUP(buf_free) struct buf out = buf_make(10000);
    struct bench b;
    size_t requests;

    bench_open(&b, columns, 3);
    bench_plan(&b);
    {
        const lsn_t far = UINT64_C(1) << 56;
        const struct action actions[] = {
            target_upsert(b.arena, b.mapping, ((struct position){far, 1}), "1", "a", "1"),
            target_delete(b.arena, b.mapping, ((struct position){far, 2}), "2"),
            target_truncate((struct position){far, 3}),
        };

        for (size_t i = 0; i < ARRAY_LEN(actions); i++) {
            struct err err = {0};

            CHECK(!render_all(&b, &actions[i], 1, &out, &requests, &err));
            CHECK_INT(err.kind, ERR_CONFIG);
        }
    }
    bench_close(&b);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(writes_columns),
        cmocka_unit_test(writes_rows),
        cmocka_unit_test(quotes_string_ids),
        cmocka_unit_test(a_mapping_may_have_nothing_but_its_id),
        cmocka_unit_test(no_actions_are_no_request),
        cmocka_unit_test(rule_19_deletes_of_one_version_share_a_condition),
        cmocka_unit_test(rule_19_deletes_of_several_versions_have_a_branch_each),
        cmocka_unit_test(upserts_and_deletes_share_a_request),
        cmocka_unit_test(rule_19_at_most_256_branches_in_one_condition),
        cmocka_unit_test(rule_19_another_version_behind_many_equal_ones_begins_a_request),
        cmocka_unit_test(without_versions_deletes_are_plain),
        cmocka_unit_test(rule_20_a_tombstone_is_an_upsert_of_nulls),
        cmocka_unit_test(rule_18_truncate_deletes_what_is_older),
        cmocka_unit_test(defect_p1_01_defect_p2_01_every_write_is_conditional),
        cmocka_unit_test(rule_05_the_epoch_is_in_every_version),
        cmocka_unit_test(rule_05_a_version_that_does_not_fit_stops_the_flow),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
