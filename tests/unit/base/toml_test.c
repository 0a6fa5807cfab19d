/* toml: every type, the order and the positions of the file, and errors with theirs. */
#include "base/toml.h"

#include <math.h>

#include "base/buf.h"
#include "harness/check.h"

static struct toml *
parse(struct arena *arena, const char *text)
{
    struct toml *root;
    struct err err;

    CHECK_OK(toml_parse(span_of(text), "t.toml", arena, &root, &err), err);
    return root;
}

static void
reads_every_type(void **state UNUSED)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new("test");
    const struct toml *root = parse(arena, "s = \"a\\tb\"\n"
                                           "lit = 'c:\\x'\n"
                                           "i = -9223372036854775808\n"
                                           "hex = 0xFF\n"
                                           "grouped = 1_000\n"
                                           "f = 1.5\n"
                                           "inf = inf\n"
                                           "yes = true\n"
                                           "no = false\n"
                                           "list = [1, \"two\", [3]]\n"
                                           "table = {a = 1}\n");

    CHECK_INT(root->type, TOML_TABLE);
    CHECK_INT(root->count, 11);
    CHECK_SPAN(toml_get(root, "s")->text, "a\tb");
    CHECK_SPAN(toml_get(root, "lit")->text, "c:\\x");
    CHECK_INT(toml_get(root, "i")->integer, INT64_MIN);
    CHECK_INT(toml_get(root, "hex")->integer, 255);
    CHECK_INT(toml_get(root, "grouped")->integer, 1000);
    CHECK(toml_get(root, "f")->type == TOML_FLOAT && toml_get(root, "f")->real == 1.5);
    CHECK(isinf(toml_get(root, "inf")->real));
    CHECK(toml_get(root, "yes")->type == TOML_BOOL && toml_get(root, "yes")->yes);
    CHECK(!toml_get(root, "no")->yes);
    CHECK_INT(toml_get(root, "list")->count, 3);
    CHECK_SPAN(toml_get(root, "list")->first->next->text, "two");
    CHECK_INT(toml_get(root, "list")->first->next->next->first->integer, 3);
    CHECK_INT(toml_get(toml_get(root, "table"), "a")->integer, 1);
    CHECK(!toml_get(root, "absent"));
    CHECK(!toml_get(toml_get(root, "absent"), "a")); /* so that paths can be walked */
    CHECK(!toml_get(toml_get(root, "s"), "a"));
}

static void
dates_are_their_text(void **state UNUSED)
{
    static const struct {
        const char *input, *want;
    } cases[] = {
        {"d = 1979-05-27", "1979-05-27"},
        {"d = 07:32:00", "07:32:00"},
        {"d = 1979-05-27T07:32:00", "1979-05-27T07:32:00"},
        {"d = 1979-05-27 07:32:00Z", "1979-05-27T07:32:00Z"},
        {"d = 1979-05-27T00:32:00.5-07:00", "1979-05-27T00:32:00.5-07:00"},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        CLEANUP(arena_freep) struct arena *arena = arena_new("test");
        const struct toml *date = toml_get(parse(arena, cases[i].input), "d");

        CHECK_INT(date->type, TOML_DATE);
        CHECK_SPAN(date->text, cases[i].want);
    }
}

/* A node as TYPE key@key position=value position, children behind it in parentheses. */
static void
describe(const struct toml *node, struct buf *out)
{
    buf_putf(out, "%.*s@%d:%d=%d:%d", SPAN_ARG(node->key), node->key_line, node->key_column,
             node->line, node->column);
    if (!node->first)
        return;
    buf_putc(out, '(');
    for (const struct toml *child = node->first; child; child = child->next) {
        describe(child, out);
        buf_putc(out, child->next ? ' ' : ')');
    }
}

static void
keeps_order_and_positions(void **state UNUSED)
{
    static const struct {
        const char *input, *want;
    } cases[] = {
        {"z = 1\ny = \"a\"\n", "@1:1=1:1(z@1:1=1:5 y@2:1=2:5)"},
        {"l = [ 1,\n  2 ]", "@1:1=1:1(l@1:1=1:5(@1:7=1:7 @2:3=2:3))"},
        {"[t]\nb = 1\na = 2\n", "@1:1=1:1(t@1:2=1:1(b@2:1=2:5 a@3:1=3:5))"},
        {"  k = { x = 1 }", "@1:1=1:1(k@1:3=1:7(x@1:9=1:13))"},
        {"[[m]]\na=1\n[[m]]\na=2\n",
         "@1:1=1:1(m@1:3=1:1(@1:1=1:1(a@2:1=2:3) @3:1=3:1(a@4:1=4:3)))"},
        {"a.b = 1\n", "@1:1=1:1(a@1:1=1:1(b@1:3=1:7))"},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        CLEANUP(arena_freep) struct arena *arena = arena_new("test");
        CLEANUP(buf_free) struct buf got = buf_make(1000);

        describe(parse(arena, cases[i].input), &got);
        CHECK_STR(got.ptr, cases[i].want);
    }
}

static void
an_empty_file_is_an_empty_table(void **state UNUSED)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new("test");
    const struct toml *root = parse(arena, "");

    CHECK_INT(root->type, TOML_TABLE);
    CHECK_INT(root->count, 0);
    CHECK(!root->first);
    CHECK_INT(parse(arena, "# only a comment\n")->count, 0);
}

static void
errors_say_where(void **state UNUSED)
{
    static const struct {
        struct span input;
        const char *where, *what;
    } cases[] = {
        {SPAN_INIT("a = 1\na = 2\n"), "t.toml:2:", "redefine"},
        {SPAN_INIT("a = \n"), "t.toml:1:5: ", ""},
        {SPAN_INIT("ok = 1\n  b = [1, \n"), "t.toml:", "array"},
        {SPAN_INIT("s = \"open\n"), "t.toml:1:10: ", "string"},
        {SPAN_INIT("[t\n"), "t.toml:1:", ""},
        {SPAN_INIT("n\xC3\xA9 = 1\n"), "t.toml:1:2: ", "saw"},
        {SPAN_INIT("[=]\n"), "t.toml:1:2: ", "key"},
        {SPAN_INIT("[[[t]]]\n"), "t.toml:1:3: ", "key"},
        {SPAN_INIT("[\nt]\n"), "t.toml:1:2: ", "key"},
        {SPAN_INIT("n = 9223372036854775808\n"), "t.toml:1:", ""},
        {SPAN_INIT("s = \"\xFF\"\n"), "t.toml:1:6: ", "not UTF-8"},
        {SPAN_INIT("# \xC3\xA9\ns = 'a\xC3\xA9\xC3"), "t.toml:2:8: ", "not UTF-8"},
        {SPAN_INIT("# \x01"), "t.toml:1:3: ", "a control character"},
        {SPAN_INIT("a = 1\n# \x7F"), "t.toml:2:3: ", "a control character"},
        {SPAN_INIT("[\0a]\n"), "t.toml:1:2: ", "a control character"},
        {SPAN_INIT("s = \"a\0b\"\n"), "t.toml:1:7: ", "a control character"},
        {SPAN_INIT("d = 2023-02-30\n"), "t.toml:1:", ""},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        CLEANUP(arena_freep) struct arena *arena = arena_new("test");
        struct toml *root;
        struct err err;

        if (toml_parse(cases[i].input, "t.toml", arena, &root, &err))
            fail_msg("%.*s: was taken", SPAN_ARG(cases[i].input));
        CHECK_INT(err.kind, ERR_CONFIG);
        if (strncmp(err.text, cases[i].where, strlen(cases[i].where)) != 0 ||
            !strcasestr(err.text, cases[i].what))
            fail_msg("%.*s: got \"%s\"", SPAN_ARG(cases[i].input), err.text);
    }
}

/* A root and `depth` tables below it, by a dotted name. */
static bool
parse_nested(size_t depth, struct err *err)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new("test");
    CLEANUP(buf_free) struct buf text = buf_make(MEGABYTES(1));
    struct toml *root;

    for (size_t i = 0; i < depth; i++)
        buf_put(&text, SPAN("a."));
    buf_put(&text, SPAN("a = 1"));
    return toml_parse(buf_span(&text), "t.toml", arena, &root, err);
}

static void
depth_and_size_have_limits(void **state UNUSED)
{
    struct err err;

    CHECK_OK(parse_nested(126, &err), err);
    CHECK_FAILS(parse_nested(127, &err), err, ERR_CONFIG,
                "t.toml:1:1: tables are nested too deeply");
    CHECK_FAILS(parse_nested(4 * 1024, &err), err, ERR_CONFIG, /* no stack is overrun */
                "t.toml:1:1: tables are nested too deeply");
    CHECK_FAILS(parse_nested(4 * 1024 + 1, &err), err, ERR_CONFIG, "t.toml: more than 4096 dots");
    CHECK_FAILS(parse_nested(140000, &err), err, ERR_CONFIG, "t.toml: larger than 262144 bytes");
}

static void
types_have_names(void **state UNUSED)
{
    for (int i = 0; i < TOML_TYPE_MAX_; i++)
        CHECK(toml_type_names[i]);
    CHECK(!toml_type_names[TOML_TYPE_MAX_]);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_every_type),
        cmocka_unit_test(dates_are_their_text),
        cmocka_unit_test(keeps_order_and_positions),
        cmocka_unit_test(an_empty_file_is_an_empty_table),
        cmocka_unit_test(errors_say_where),
        cmocka_unit_test(depth_and_size_have_limits),
        cmocka_unit_test(types_have_names),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
