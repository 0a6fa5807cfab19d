/* columns: widths, cuts, and texts that would move the cursor. */
#include "state/columns.h"

#include "harness/check.h"

static int
setup(void **state)
{
    *state = arena_new("test");
    return 0;
}

static int
teardown(void **state)
{
    arena_free(*state);
    return 0;
}

static void
columns_are_as_wide_as_their_widest_cell(void **state)
{
    static const struct column columns[] = {
        {.title = "ID", .right = true}, {.title = "NAME"}, {.title = "TEXT"}};
    CLEANUP(buf_free) struct buf out = buf_make(4096);
    struct columns table = columns_make(columns, ARRAY_LEN(columns), *state);

    columns_add(&table, SPAN("7"));
    columns_add(&table, SPAN("K\xC3\xA4the")); /* five characters, six bytes */
    columns_add(&table, SPAN("first"));
    columns_addf(&table, "%d", 1234);
    columns_add(&table, SPAN("x"));
    columns_add(&table, SPAN(""));
    columns_print(&table, &out);
    CHECK_SPAN(buf_span(&out), "  ID  NAME   TEXT\n"
                               "   7  K\xC3\xA4the  first\n"
                               "1234  x      \n");
}

static void
a_table_without_rows_has_titles(void **state)
{
    static const struct column columns[] = {{.title = "A"}, {.title = "B", .right = true}};
    CLEANUP(buf_free) struct buf out = buf_make(4096);
    struct columns table = columns_make(columns, ARRAY_LEN(columns), *state);

    columns_print(&table, &out);
    CHECK_SPAN(buf_span(&out), "A  B\n");
}

static void
many_rows_fit(void **state)
{
    static const struct column columns[] = {{.title = "A"}, {.title = "B"}};
    CLEANUP(buf_free) struct buf out = buf_make(100000);
    struct columns table = columns_make(columns, ARRAY_LEN(columns), *state);
    struct span text;

    for (int i = 0; i < 1000; i++)
        columns_addf(&table, "%d", i);
    columns_print(&table, &out);
    text = buf_span(&out);
    CHECK_INT(table.cell_count, 1000);
    CHECK_SPAN(span_skip(text, text.len - 9), "998  999\n");
}

static void
texts_are_made_safe(void **state)
{
    static const struct {
        struct span text;
        size_t cut;
        const char *want;
    } cases[] = {
        {SPAN_INIT(""), 0, ""},
        {SPAN_INIT("plain"), 0, "plain"},
        {SPAN_INIT("two\nlines\ttab"), 0, "two lines tab"},
        {SPAN_INIT("\x1b[2Jgone"), 0, " [2Jgone"},
        {SPAN_INIT("a\xC2\x9B"
                   "b"),
         0, "a b"}, /* U+009B begins a control sequence, too */
        {SPAN_INIT("\xC2\xA0"), 0, "\xC2\xA0"},
        {SPAN_INIT("nul\0inside"), 0, "nul inside"},
        {SPAN_INIT("del\x7F"), 0, "del "},
        {SPAN_INIT("bad \xFF\xC3 byte"), 0, "bad ?? byte"},
        {SPAN_INIT("cut \xE2\x82"), 0, "cut ??"},
        {SPAN_INIT("\xFF\n\xFE"
                   "\xC3\xA4\n"),
         0, "? ?\xC3\xA4 "},
        {SPAN_INIT("123456"), 6, "123456"},
        {SPAN_INIT("1234567"), 6, "123..."},
        {SPAN_INIT("\xC3\xA4\xC3\xA4\xC3\xA4\xC3\xA4\xC3\xA4\xC3\xA4"), 6,
         "\xC3\xA4\xC3\xA4\xC3\xA4\xC3\xA4\xC3\xA4\xC3\xA4"},
        {SPAN_INIT("\xC3\xA4\xC3\xA4\xC3\xA4\xC3\xA4\xC3\xA4\xC3\xA4."), 6,
         "\xC3\xA4\xC3\xA4\xC3\xA4..."},
        {SPAN_INIT("abcdefg"), 4, "a..."},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        CHECK_SPAN(columns_clean(cases[i].text, cases[i].cut, *state), cases[i].want);
}

static void
cells_are_cut_and_safe(void **state)
{
    static const struct column columns[] = {{.title = "A", .max = 5}, {.title = "B"}};
    CLEANUP(buf_free) struct buf out = buf_make(4096);
    struct columns table = columns_make(columns, ARRAY_LEN(columns), *state);

    columns_add(&table, SPAN("abcdefgh"));
    columns_add(&table, SPAN("abcdefgh\n"));
    columns_print(&table, &out);
    CHECK_SPAN(buf_span(&out), "A      B\nab...  abcdefgh \n");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(columns_are_as_wide_as_their_widest_cell, setup, teardown),
        cmocka_unit_test_setup_teardown(a_table_without_rows_has_titles, setup, teardown),
        cmocka_unit_test_setup_teardown(many_rows_fit, setup, teardown),
        cmocka_unit_test_setup_teardown(texts_are_made_safe, setup, teardown),
        cmocka_unit_test_setup_teardown(cells_are_cut_and_safe, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
