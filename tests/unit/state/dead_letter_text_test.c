/* dead_letter_text: what `dlq list` and `dlq show` print. */
#include "state/dead_letter_text.h"

#include "base/json.h"
#include "contract/store.h"
#include "harness/check.h"

static const struct store_dead_letter letters[] = {
    {
        .id = 7,
        .mapping = "users",
        .mapping_version = 2,
        .position = {0x16B3748, 3},
        .op = "update",
        .doc_id = SPAN_INIT("42"),
        .event = SPAN_INIT("{\"op\":\"update\",\"n\":1.10}"),
        .kind = "data",
        .error = "vector has 3 dimensions, not 4",
        .retry_count = 1,
        .first_ms = 1767323045678,
        .last_ms = 1767323046000,
    },
    {
        .id = 123,
        .mapping = "orders",
        .mapping_version = 1,
        .position = {UINT64_C(0x1600000000), 1},
        .op = "",
        .doc_id = SPAN_INIT(""),
        .event = SPAN_INIT("not \xFF json\n"),
        .kind = "data",
        .error = "line one\nline \x1b[31mtwo",
        .first_ms = 1767323045678,
        .last_ms = 1767323045678,
    },
};

#define CHECK_PRINTS(call, want)                                                                   \
    do {                                                                                           \
        CLEANUP(buf_free) struct buf out = buf_make(10000);                                        \
        CLEANUP(arena_freep) struct arena *scratch = arena_new("test");                            \
        call;                                                                                      \
        CHECK_SPAN(buf_span(&out), want);                                                          \
    } while (0)

static void
a_list_is_a_table(void **state UNUSED)
{
    const struct dead_letter_list list = {letters, 2, 2};

    CHECK_PRINTS(
        dead_letter_list_text(&list, scratch, &out),
        " ID  MAPPING  OP      DOCUMENT  POSITION      RETRIES  LAST                      ERROR\n"
        "  7  users    update  42        0/16B3748 #3        1  2026-01-02T03:04:06.000Z  "
        "vector has 3 dimensions, not 4\n"
        "123  orders   -       -         16/0 #1             0  2026-01-02T03:04:05.678Z  "
        "line one line  [31mtwo\n"
        "2 dead letters\n");
}

static void
a_list_says_how_many_there_are(void **state UNUSED)
{
    static const struct {
        size_t count;
        int64_t total;
        const char *want;
    } cases[] = {
        {0, 0, "no dead letters\n"},       {1, 1, "\n1 dead letter\n"},
        {1, 5, "\n1 of 5 dead letters\n"}, {0, 5, "\n0 of 5 dead letters\n"},
        {2, 1, "\n2 dead letters\n"}, /* counted before the second came */
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        CLEANUP(buf_free) struct buf out = buf_make(10000);
        CLEANUP(arena_freep) struct arena *scratch = arena_new("test");
        const struct dead_letter_list list = {letters, cases[i].count, cases[i].total};
        size_t len = strlen(cases[i].want);

        dead_letter_list_text(&list, scratch, &out);
        CHECK(out.len >= len);
        CHECK_STR(out.ptr + out.len - len, cases[i].want);
    }
}

static void
one_is_shown_whole(void **state UNUSED)
{
    CHECK_PRINTS(dead_letter_show_text(&letters[0], scratch, &out),
                 "id         7\n"
                 "mapping    users\n"
                 "version    2\n"
                 "document   42\n"
                 "op         update\n"
                 "position   0/16B3748 #3\n"
                 "first      2026-01-02T03:04:05.678Z\n"
                 "last       2026-01-02T03:04:06.000Z\n"
                 "retries    1\n"
                 "kind       data\n"
                 "error      vector has 3 dimensions, not 4\n"
                 "event      {\"op\":\"update\",\"n\":1.10}\n");
}

static void
what_is_missing_or_broken_is_shown_safely(void **state UNUSED)
{
    CHECK_PRINTS(dead_letter_show_text(&letters[1], scratch, &out),
                 "id         123\n"
                 "mapping    orders\n"
                 "version    1\n"
                 "document   -\n"
                 "op         -\n"
                 "position   16/0 #1\n"
                 "first      2026-01-02T03:04:05.678Z\n"
                 "last       2026-01-02T03:04:05.678Z\n"
                 "retries    0\n"
                 "kind       data\n"
                 "error      line one line  [31mtwo\n"
                 "event      not ? json \n");
}

static void
json_keeps_the_event_as_it_was(void **state UNUSED)
{
    CHECK_PRINTS(
        dead_letter_show_json(&letters[0], scratch, &out),
        "{\"id\":7,\"mapping\":\"users\",\"mapping_version\":2,\"document_id\":\"42\","
        "\"op\":\"update\",\"lsn\":\"0/16B3748\",\"seq\":3,\"kind\":\"data\","
        "\"error\":\"vector has 3 dimensions, not 4\",\"retry_count\":1,"
        "\"first_at\":\"2026-01-02T03:04:05.678Z\",\"last_at\":\"2026-01-02T03:04:06.000Z\","
        "\"event\":{\"op\":\"update\",\"n\":1.10}}\n");
    CHECK_PRINTS(
        dead_letter_show_json(&letters[1], scratch, &out),
        "{\"id\":123,\"mapping\":\"orders\",\"mapping_version\":1,\"document_id\":\"\","
        "\"op\":\"\",\"lsn\":\"16/0\",\"seq\":1,\"kind\":\"data\","
        "\"error\":\"line one\\nline \\u001b[31mtwo\",\"retry_count\":0,"
        "\"first_at\":\"2026-01-02T03:04:05.678Z\",\"last_at\":\"2026-01-02T03:04:05.678Z\","
        "\"event\":\"not ? json \"}\n");
}

static void
a_json_list_is_one_document(void **state UNUSED)
{
    CLEANUP(buf_free) struct buf out = buf_make(10000);
    CLEANUP(arena_freep) struct arena *scratch = arena_new("test");
    const struct dead_letter_list list = {letters, 2, 9};
    const struct json *items;
    struct json *parsed;
    struct err err;

    dead_letter_list_json(&list, scratch, &out);
    CHECK_OK(json_parse(buf_span(&out), scratch, &parsed, &err), err);
    items = json_get(parsed, "dead_letters");
    CHECK_INT(items->count, 2);
    CHECK_SPAN(json_get(items->first->next, "mapping")->text, "orders");
    CHECK_SPAN(json_get(parsed, "total")->text, "9");
}

static void
an_empty_json_list_is_one_too(void **state UNUSED)
{
    const struct dead_letter_list none = {NULL, 0, 0};

    CHECK_PRINTS(dead_letter_list_json(&none, scratch, &out),
                 "{\"total\":0,\"dead_letters\":[]}\n");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_list_is_a_table),
        cmocka_unit_test(a_list_says_how_many_there_are),
        cmocka_unit_test(one_is_shown_whole),
        cmocka_unit_test(what_is_missing_or_broken_is_shown_safely),
        cmocka_unit_test(json_keeps_the_event_as_it_was),
        cmocka_unit_test(a_json_list_is_one_document),
        cmocka_unit_test(an_empty_json_list_is_one_too),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
