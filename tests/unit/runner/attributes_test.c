/* attributes: an attribute keeps the type it was first written with (C12). */
#include "runner/attributes.h"

#include "base/json.h"
#include "contract/destination.h"
#include "harness/check.h"
#include "harness/findings.h"
#include "state/sqlite.h"

/* A destination that says what the test wants it to say. */
static const char *said;

static bool
say(const struct destination *dest UNUSED, const struct mapping *mapping UNUSED, struct buf *out,
    struct err *err)
{
    buf_put(out, span_of(said));
    return buf_ok(out, err);
}

static const struct destination_type talking = {.name = "talking", .attributes = say};
static const struct destination_type silent = {.name = "silent"};

struct fixture {
    struct arena *arena;
    struct report report;
    struct store *store;
    struct mapping mapping;
    struct destination destination;
};

static void
begin(struct fixture *f, const struct destination_type *type)
{
    struct err err;

    *f = (struct fixture){.arena = arena_new("test"), .destination = {.type = type}};
    f->report = report_make(f->arena);
    f->mapping = (struct mapping){.name = "users",
                                  .version = 2,
                                  .file = "m.toml",
                                  .destination = "talking",
                                  .target = "users"};
    CHECK_OK(state_memory_open(&f->store, &err), err);
}

static void
done(struct fixture *f)
{
    store_close(f->store);
    arena_free(f->arena);
}

/* Judge; the types that would be recorded. */
static struct span
judge(struct fixture *f, const char *attributes)
{
    struct span types;
    struct err err;

    said = attributes;
    CHECK_OK(attributes_judge(f->store, &f->destination, &f->mapping, f->arena, &f->report, &types,
                              &err),
             err);
    return types;
}

static void
apply(struct fixture *f, const char *attributes)
{
    struct span types = judge(f, attributes);
    struct err err;

    CHECK_OK(attributes_record(f->store, &f->mapping, types, f->arena, &err), err);
}

static void
c12_a_type_stays(void **state UNUSED)
{
    CLEANUP(done) struct fixture f;

    begin(&f, &talking);
    apply(&f, "{\"id\":\"uint\",\"price\":{\"type\":\"string\",\"filterable\":true}}");
    CHECK_FINDINGS(&f.report, "");
    judge(&f, "{\"id\":\"uint\",\"price\":{\"type\":\"string\",\"filterable\":false}}");
    CHECK_FINDINGS(&f.report, "");
    judge(&f, "{\"id\":\"uint\",\"price\":{\"type\":\"float\"}}");
    CHECK_FINDINGS(
        &f.report,
        "m.toml: attribute price of users is string and would become float; attributes "
        "keep their types: a new type needs a version with a namespace of its own, such as "
        "namespace = \"users_v2\"\n");
}

static void
what_is_not_written_any_more_is_remembered(void **state UNUSED)
{
    CLEANUP(done) struct fixture f;

    begin(&f, &talking);
    apply(&f, "{\"id\":\"uint\",\"price\":\"string\"}");
    CHECK_SPAN(judge(&f, "{\"id\":\"uint\",\"name\":\"string\"}"),
               "{\"id\":\"uint\",\"name\":\"string\",\"price\":\"string\"}");
    apply(&f, "{\"id\":\"uint\",\"name\":\"string\"}");
    judge(&f, "{\"id\":\"uint\",\"price\":\"int\"}");
    CHECK_INT(f.report.count[SEVERITY_ERROR], 1);
}

static void
another_target_is_another_matter(void **state UNUSED)
{
    CLEANUP(done) struct fixture f;

    begin(&f, &talking);
    apply(&f, "{\"id\":\"uint\"}");
    f.mapping.target = "users_v2";
    judge(&f, "{\"id\":\"string\"}");
    CHECK_FINDINGS(&f.report, "");
}

static void
a_destination_without_attributes_says_nothing(void **state UNUSED)
{
    CLEANUP(done) struct fixture f;
    struct err err;

    begin(&f, &silent);
    CHECK_INT(judge(&f, "").len, 0);
    CHECK_OK(attributes_record(f.store, &f.mapping, (struct span){0}, f.arena, &err), err);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(c12_a_type_stays),
        cmocka_unit_test(what_is_not_written_any_more_is_remembered),
        cmocka_unit_test(another_target_is_another_matter),
        cmocka_unit_test(a_destination_without_attributes_says_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
