/* hints: TOML of [target.schema] as JSON, one form whatever the order. */
#include "project/hints.h"

#include "base/buf.h"
#include "base/json.h"
#include "harness/check.h"
#include "harness/findings.h"

static void
check(const char *toml, const char *want, const char *faults)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new("test");
    CLEANUP(buf_free) struct buf out = buf_make(10000);
    struct report report = report_make(arena);
    struct json_writer w = {.out = &out};
    struct toml *tree;
    struct err err;

    CHECK_OK(toml_parse(span_of(toml), "m.toml", arena, &tree, &err), err);
    json_value(&w, hints_make("m.toml", tree, arena, &report));
    CHECK_SPAN(buf_span(&out), want);
    CHECK_FINDINGS(&report, faults);
}

static void
every_kind_of_value(void **state UNUSED)
{
    check("", "{}", "");
    check("b = \"float\"\na = \"string\"\n", "{\"a\":\"string\",\"b\":\"float\"}", "");
    check(
        "a = { type = \"string\", k1 = 1.5, n = -7, on = true, off = false, l = [1, \"x\", []] }\n",
        "{\"a\":{\"k1\":1.5,\"l\":[1,\"x\",[]],\"n\":-7,\"off\":false,\"on\":true,"
        "\"type\":\"string\"}}",
        "");
    check("a = { on = 2024-01-02 }\n", "{\"a\":{\"on\":\"2024-01-02\"}}", "");
    check("\"a b\" = \"x\"\n", "{\"a b\":\"x\"}", "");
}

static void
only_types_and_tables(void **state UNUSED)
{
    check("a = 1\nb = \"int\"\n", "{\"a\":1,\"b\":\"int\"}",
          "m.toml:1:5: the schema of a is of type integer; write a type such as \"float\", or a "
          "table such as { type = \"float\", filterable = false }\n");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_kind_of_value),
        cmocka_unit_test(only_types_and_tables),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
