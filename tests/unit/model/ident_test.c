/* ident: names and literals that come back from the server as they went. */
#include "model/ident.h"

#include "harness/check.h"

struct text_case {
    struct span in;
    const char *want;
};

static void
check_all(const struct text_case *cases, size_t count, void (*put)(struct buf *, struct span))
{
    CLEANUP(buf_free) struct buf out = buf_make(1024);

    for (size_t i = 0; i < count; i++) {
        buf_clear(&out);
        put(&out, cases[i].in);
        CHECK_SPAN(buf_span(&out), cases[i].want);
    }
}

static void
quotes_names(void **state UNUSED)
{
    static const struct text_case cases[] = {
        {SPAN_INIT("users"), "\"users\""},
        {SPAN_INIT("Order Lines"), "\"Order Lines\""},
        {SPAN_INIT("a\"b"), "\"a\"\"b\""},
        {SPAN_INIT("\""), "\"\"\"\""},
        {SPAN_INIT("'; DROP TABLE x; --"), "\"'; DROP TABLE x; --\""},
        {SPAN_INIT("a\\b"), "\"a\\b\""},
        {SPAN_INIT("gr\xC3\xB6\xC3\x9F"
                   "e"),
         "\"gr\xC3\xB6\xC3\x9F"
         "e\""},
        {SPAN_INIT(""), "\"\""},
    };

    check_all(cases, ARRAY_LEN(cases), ident_put);
}

static void
quotes_literals(void **state UNUSED)
{
    static const struct text_case cases[] = {
        {SPAN_INIT("plain"), "'plain'"},
        {SPAN_INIT("it's"), "'it''s'"},
        {SPAN_INIT("'"), "''''"},
        {SPAN_INIT("C:\\new"), "E'C:\\\\new'"},
        {SPAN_INIT("\\'"), "E'\\\\'''"},
        {SPAN_INIT(""), "''"},
        {{NULL, 0}, "''"},
    };

    check_all(cases, ARRAY_LEN(cases), ident_put_literal);
}

static void
writes_names_as_a_person_would(void **state UNUSED)
{
    static const struct text_case cases[] = {
        {SPAN_INIT("users"), "users"},
        {SPAN_INIT("_x1"), "_x1"},
        {SPAN_INIT("Users"), "\"Users\""},
        {SPAN_INIT("1st"), "\"1st\""},
        {SPAN_INIT("two words"), "\"two words\""},
        {SPAN_INIT("order"), "\"order\""},
        {SPAN_INIT("user"), "\"user\""},
        {SPAN_INIT("system_user"), "\"system_user\""},
        {SPAN_INIT("name"), "name"},
        {SPAN_INIT(""), "\"\""},
    };

    check_all(cases, ARRAY_LEN(cases), ident_put_plain);
}

static void
qualifies_with_the_schema(void **state UNUSED)
{
    CLEANUP(buf_free) struct buf out = buf_make(1024);

    ident_put_qualified(&out, SPAN("my.schema"), SPAN("t"));
    CHECK_SPAN(buf_span(&out), "\"my.schema\".\"t\"");
}

static void
stops_at_the_limit_of_the_buffer(void **state UNUSED)
{
    CLEANUP(buf_free) struct buf out = buf_make(4);
    struct err err;

    ident_put(&out, SPAN("longer"));
    CHECK(!buf_ok(&out, &err));
    CHECK_INT(err.kind, ERR_DATA);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(quotes_names),
        cmocka_unit_test(quotes_literals),
        cmocka_unit_test(writes_names_as_a_person_would),
        cmocka_unit_test(qualifies_with_the_schema),
        cmocka_unit_test(stops_at_the_limit_of_the_buffer),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
