/* utf8: every class of malformed sequence is refused where it stands. */
#include "base/utf8.h"

#include "harness/check.h"

static void
knows_well_formed_text(void **state UNUSED)
{
    static const struct {
        struct span text;
        size_t valid_len;
        const char *why;
    } cases[] = {
        {SPAN_INIT(""), 0, "empty"},
        {SPAN_INIT("plain ascii text of some length"), 31, "ascii"},
        {SPAN_INIT("nul\0inside"), 10, "a NUL is a character"},
        {SPAN_INIT("\xC3\xA9"), 2, "two bytes"},
        {SPAN_INIT("\xE2\x82\xAC"), 3, "three bytes"},
        {SPAN_INIT("\xF0\x9F\xA6\x98"), 4, "four bytes"},
        {SPAN_INIT("\xED\x9F\xBF"), 3, "U+D7FF"},
        {SPAN_INIT("\xEE\x80\x80"), 3, "U+E000"},
        {SPAN_INIT("\xF4\x8F\xBF\xBF"), 4, "U+10FFFF"},
        {SPAN_INIT("12345678\xC3\xA9"
                   "12345678"),
         18, "between whole words"},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        size_t got = utf8_valid_len(cases[i].text);

        if (got != cases[i].valid_len || !utf8_valid(cases[i].text))
            fail_msg("%s: got %zu, want %zu", cases[i].why, got, cases[i].valid_len);
    }
}

static void
refuses_malformed_text(void **state UNUSED)
{
    static const struct {
        struct span text;
        size_t valid_len;
        const char *why;
    } cases[] = {
        {SPAN_INIT("\x80"), 0, "continuation alone"},
        {SPAN_INIT("a\xBF"), 1, "continuation alone"},
        {SPAN_INIT("\xC0\x80"), 0, "overlong NUL"},
        {SPAN_INIT("\xC1\xBF"), 0, "overlong"},
        {SPAN_INIT("\xE0\x9F\xBF"), 0, "overlong of three"},
        {SPAN_INIT("\xF0\x8F\xBF\xBF"), 0, "overlong of four"},
        {SPAN_INIT("\xED\xA0\x80"), 0, "high surrogate"},
        {SPAN_INIT("\xED\xBF\xBF"), 0, "low surrogate"},
        {SPAN_INIT("\xF4\x90\x80\x80"), 0, "above U+10FFFF"},
        {SPAN_INIT("\xF5\x80\x80\x80"), 0, "no such first byte"},
        {SPAN_INIT("\xFF"), 0, "no such byte"},
        {SPAN_INIT("ok\xC3"), 2, "cut after one of two"},
        {SPAN_INIT("ok\xE2\x82"), 2, "cut after two of three"},
        {SPAN_INIT("ok\xF0\x9F\xA6"), 2, "cut after three of four"},
        {SPAN_INIT("\xC3("), 0, "second byte is no continuation"},
        {SPAN_INIT("\xE2\x82("), 0, "third byte is no continuation"},
        {SPAN_INIT("\xF0\x9F\xA6("), 0, "fourth byte is no continuation"},
        {SPAN_INIT("1234567\xFF"
                   "1234567"),
         7, "inside a word"},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        size_t got = utf8_valid_len(cases[i].text);

        if (got != cases[i].valid_len || utf8_valid(cases[i].text))
            fail_msg("%s: got %zu, want %zu", cases[i].why, got, cases[i].valid_len);
    }
}

static void
encodes_every_code_point_validly(void **state UNUSED)
{
    for (uint32_t c = 0; c <= 0x10FFFF; c++) {
        char bytes[4];
        size_t len;

        if (c >= 0xD800 && c <= 0xDFFF)
            continue;
        len = utf8_encode(c, bytes);
        if (!utf8_valid((struct span){bytes, len}))
            fail_msg("U+%04X", c);
    }
}

static void
encodes_at_the_edges(void **state UNUSED)
{
    char bytes[4];

    CHECK_SPAN(((struct span){bytes, utf8_encode(0x7F, bytes)}), "\x7F");
    CHECK_SPAN(((struct span){bytes, utf8_encode(0x80, bytes)}), "\xC2\x80");
    CHECK_SPAN(((struct span){bytes, utf8_encode(0x7FF, bytes)}), "\xDF\xBF");
    CHECK_SPAN(((struct span){bytes, utf8_encode(0x800, bytes)}), "\xE0\xA0\x80");
    CHECK_SPAN(((struct span){bytes, utf8_encode(0xFFFF, bytes)}), "\xEF\xBF\xBF");
    CHECK_SPAN(((struct span){bytes, utf8_encode(0x10000, bytes)}), "\xF0\x90\x80\x80");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(knows_well_formed_text),
        cmocka_unit_test(refuses_malformed_text),
        cmocka_unit_test(encodes_every_code_point_validly),
        cmocka_unit_test(encodes_at_the_edges),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
