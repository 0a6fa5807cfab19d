/* turbopuffer_plan: what is the same in all requests, and what is refused before the first. */
#include "destinations/turbopuffer/turbopuffer_plan.h"

#include "harness/check.h"
#include "harness/target.h"

static const struct target_column columns[] = {
    {.name = "id", .kind = TYPE_INT8},
    {.name = "name", .kind = TYPE_TEXT},
    {.name = "age", .kind = TYPE_INT4},
};
static const struct target_column vectors[] = {
    {.name = "id", .kind = TYPE_UUID},
    {.name = "v", .kind = TYPE_VECTOR, .typmod = 3},
};

static const char *
first_error(const struct report *report)
{
    for (const struct finding *f = report->first; f; f = f->next)
        if (f->severity == SEVERITY_ERROR)
            return f->text;
    return "";
}

static void
rule_02_versions_are_declared_and_compared(void **state UNUSED)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new("test");
    struct mapping *mapping = target_mapping(arena, columns, 3);
    struct report report = report_make(arena);
    struct turbopuffer_plan plan;

    CHECK(turbopuffer_plan_make(mapping, 0, arena, &report, &plan));
    CHECK_SPAN(plan.schema,
               "\"schema\":{\"id\":\"uint\",\"name\":{\"type\":\"string\"},\"age\":\"int\","
               "\"__source_lsn\":\"uint\",\"__source_seq\":\"uint\"}");
    CHECK_SPAN(plan.upsert_condition,
               "\"upsert_condition\":[\"Or\",[[\"__source_lsn\",\"Lt\",{\"$ref_new\":"
               "\"__source_lsn\"}],[\"And\",[[\"__source_lsn\",\"Eq\",{\"$ref_new\":"
               "\"__source_lsn\"}],[\"__source_seq\",\"Lt\",{\"$ref_new\":\"__source_seq\"}]]],"
               "[\"__source_lsn\",\"Eq\",null]]]");
    CHECK_SPAN(plan.metric, "");
}

static void
rule_02_without_versions_there_is_neither_attribute_nor_condition(void **state UNUSED)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new("test");
    struct mapping *mapping = target_mapping(arena, columns, 3);
    struct report report = report_make(arena);
    struct turbopuffer_plan plan;

    mapping->versioning = VERSIONING_NONE;
    CHECK(turbopuffer_plan_make(mapping, 0, arena, &report, &plan));
    CHECK_SPAN(plan.schema,
               "\"schema\":{\"id\":\"uint\",\"name\":{\"type\":\"string\"},\"age\":\"int\"}");
    CHECK_SPAN(plan.upsert_condition, "");
    CHECK_INT(report.count[SEVERITY_WARNING], 1);
    CHECK(strstr(report.last->text, "versioning.mode = \"none\""));
}

static void
rule_20_tombstones_are_declared(void **state UNUSED)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new("test");
    struct mapping *mapping = target_mapping(arena, vectors, 2);
    struct report report = report_make(arena);
    struct turbopuffer_plan plan;

    mapping->deletes = DELETES_TOMBSTONE;
    mapping->distance_metric = "cosine_distance";
    CHECK(turbopuffer_plan_make(mapping, 0, arena, &report, &plan));
    CHECK_SPAN(plan.schema, "\"schema\":{\"id\":\"uuid\",\"v\":{\"type\":\"[3]f32\",\"ann\":true},"
                            "\"__source_lsn\":\"uint\",\"__source_seq\":\"uint\","
                            "\"__deleted\":\"bool\"}");
    CHECK_SPAN(plan.metric, "\"distance_metric\":\"cosine_distance\"");
    CHECK_SPAN(plan.attributes[0].unit, "[1,0,0]");
}

static void
a_metric_goes_with_vectors_only(void **state UNUSED)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new("test");
    struct report report = report_make(arena);
    struct mapping *mapping = target_mapping(arena, vectors, 2);
    struct turbopuffer_plan plan;

    CHECK(!turbopuffer_plan_make(mapping, 0, arena, &report, &plan));
    CHECK_STR(first_error(&report), "vectors need a distance metric, and it can never be changed");
    CHECK(strstr(report.last->remedy, "[target] distance_metric = \"cosine_distance\""));

    report = report_make(arena);
    mapping->distance_metric = "manhattan";
    CHECK(!turbopuffer_plan_make(mapping, 0, arena, &report, &plan));
    CHECK_STR(first_error(&report),
              "distance_metric is \"cosine_distance\" or \"euclidean_squared\"");

    report = report_make(arena);
    mapping = target_mapping(arena, columns, 3);
    mapping->distance_metric = "cosine_distance";
    CHECK(turbopuffer_plan_make(mapping, 0, arena, &report, &plan));
    CHECK_SPAN(plan.metric, "");
    CHECK_INT(report.count[SEVERITY_WARNING], 1);
}

static void
checks_the_namespace(void **state UNUSED)
{
    static char long_name[130];
    static const struct {
        const char *name;
        bool ok;
    } cases[] = {
        {"users", true}, {"A-z_0.9", true},   {"", false},        {"a b", false},
        {"a/b", false},  {"\xC3\xA9", false}, {long_name, false}, {long_name + 1, true},
    };

    memset(long_name, 'x', 129);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        CLEANUP(arena_freep) struct arena *arena = arena_new("test");
        struct mapping *mapping = target_mapping(arena, columns, 3);
        struct report report = report_make(arena);
        struct turbopuffer_plan plan;

        mapping->target = cases[i].name;
        CHECK_INT(turbopuffer_namespace_ok(cases[i].name), cases[i].ok);
        CHECK_INT(turbopuffer_plan_make(mapping, 0, arena, &report, &plan), cases[i].ok);
        if (!cases[i].ok)
            CHECK(strstr(first_error(&report), "cannot be a namespace"));
    }
}

/* All faults of a mapping are told at once. */
static void
collects_every_fault(void **state UNUSED)
{
    static const struct target_column bad[] = {
        {.name = "id", .kind = TYPE_INT8},
        {.name = "$a", .kind = TYPE_TEXT},
        {.name = "b", .kind = TYPE_TEXT, .hint = "\"int\""},
        {.name = "v", .kind = TYPE_VECTOR},
    };
    CLEANUP(arena_freep) struct arena *arena = arena_new("test");
    struct mapping *mapping = target_mapping(arena, bad, ARRAY_LEN(bad));
    struct report report = report_make(arena);
    struct turbopuffer_plan plan;

    mapping->target = "no good";
    CHECK(!turbopuffer_plan_make(mapping, 256, arena, &report, &plan));
    CHECK_INT(report.count[SEVERITY_ERROR], 5);
}

static void
at_most_1024_names(void **state UNUSED)
{
    static struct target_column many[1024];

    for (size_t count = 1022; count <= 1023; count++) { /* with the id, without ours */
        CLEANUP(arena_freep) struct arena *arena = arena_new("test");
        struct report report = report_make(arena);
        struct turbopuffer_plan plan;

        for (size_t i = 0; i < count; i++)
            many[i] = (struct target_column){
                .name = i ? arena_strdup(arena, (char[]){'a', (char)('a' + i / 26 / 26 % 26),
                                                         (char)('a' + i / 26 % 26),
                                                         (char)('a' + i % 26), '\0'})
                          : "id",
                .kind = TYPE_INT8,
            };
        CHECK_INT(
            turbopuffer_plan_make(target_mapping(arena, many, count), 0, arena, &report, &plan),
            count == 1022);
    }
}

static void
rule_05_an_epoch_goes_above_the_lsn(void **state UNUSED)
{
    static const struct {
        uint64_t epoch;
        lsn_t lsn;
        uint64_t want; /* 0: refused */
    } cases[] = {
        {0, 0x16B3748, 0x16B3748},
        {1, 0x16B3748, UINT64_C(0x01000000016B3748)},
        {255, UINT64_C(0x00FFFFFFFFFFFFFF), UINT64_MAX},
        {0, UINT64_C(0x0100000000000000), 0},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct turbopuffer_plan plan = {.epoch = cases[i].epoch};
        uint64_t got = 0;
        struct err err;

        CHECK_INT(turbopuffer_version(&plan, cases[i].lsn, &got, &err), cases[i].want != 0);
        CHECK(got == cases[i].want);
        if (!cases[i].want)
            CHECK_INT(err.kind, ERR_CONFIG);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rule_02_versions_are_declared_and_compared),
        cmocka_unit_test(rule_02_without_versions_there_is_neither_attribute_nor_condition),
        cmocka_unit_test(rule_20_tombstones_are_declared),
        cmocka_unit_test(a_metric_goes_with_vectors_only),
        cmocka_unit_test(checks_the_namespace),
        cmocka_unit_test(collects_every_fault),
        cmocka_unit_test(at_most_1024_names),
        cmocka_unit_test(rule_05_an_epoch_goes_above_the_lsn),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
