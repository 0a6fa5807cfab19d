/* match: globs, approximate substrings, regular expressions. */
#include "local/match.h"

#include "harness/check.h"

static void
globs(void **state UNUSED)
{
    /* clang-format off */
    static const struct { const char *pattern, *text; bool exact, folded; } cases[] = {
        {"",          "",          true,  true},
        {"",          "a",         false, false},
        {"*",         "",          true,  true},
        {"*",         "anything",  true,  true},
        {"abc",       "abc",       true,  true},
        {"abc",       "ABC",       false, true},
        {"abc",       "abcd",      false, false},
        {"a*",        "abc",       true,  true},
        {"*c",        "abc",       true,  true},
        {"a*c",       "abcbc",     true,  true},
        {"a*b*c",     "axxbxxbyc", true,  true},
        {"a*b*c",     "axxcxx",    false, false},
        {"a?c",       "abc",       true,  true},
        {"a?c",       "ac",        false, false},
        {"[abc]x",    "bx",        true,  true},
        {"[abc]x",    "Bx",        false, true},
        {"[a-c]x",    "dx",        false, false},
        {"[!a-c]x",   "dx",        true,  true},
        {"[!a-c]x",   "ax",        false, false},
        {"[]]",       "]",         true,  true},
        {"[a",        "a",         false, false},
        {"\\*",       "*",         true,  true},
        {"\\*",       "a",         false, false},
        {"**a",       "bba",       true,  true},
        {"*.txt",     "a.txt.txt", true,  true},
    };
    /* clang-format on */

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct span pattern = span_of(cases[i].pattern), text = span_of(cases[i].text);

        if (match_glob(pattern, text, false) != cases[i].exact ||
            match_glob(pattern, text, true) != cases[i].folded)
            fail_msg("glob \"%s\" against \"%s\"", cases[i].pattern, cases[i].text);
    }
}

static void
fuzzy(void **state UNUSED)
{
    /* clang-format off */
    static const struct { const char *query, *text; size_t distance; bool fold, want; } cases[] = {
        {"puffer",  "turbopuffer", 0, false, true},
        {"pufer",   "turbopuffer", 0, false, false},
        {"pufer",   "turbopuffer", 1, false, true},  /* one missing */
        {"pufffer", "turbopuffer", 1, false, true},  /* one too many */
        {"paffer",  "turbopuffer", 1, false, true},  /* another */
        {"PUFFER",  "turbopuffer", 1, false, false},
        {"PUFFER",  "turbopuffer", 0, true,  true},
        {"xyz",     "turbopuffer", 2, false, false},
        {"ab",      "",            2, false, true},
        {"abc",     "",            2, false, false},
    };
    /* clang-format on */

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        if (match_fuzzy(span_of(cases[i].query), span_of(cases[i].text), cases[i].distance,
                        cases[i].fold) != cases[i].want)
            fail_msg("fuzzy \"%s\" against \"%s\"", cases[i].query, cases[i].text);
    }
}

static void
regular_expressions(void **state UNUSED)
{
    struct err err;
    regex_t regex;

    CHECK_OK(match_compile(SPAN("^a[0-9]+$"), &regex, &err), err);
    CHECK(match_regex(&regex, SPAN("a12")));
    CHECK(!match_regex(&regex, SPAN("a12x")));
    CHECK(match_regex(&regex, (struct span){"a12x", 3})); /* ends where the span ends */
    regfree(&regex);
    CHECK(!match_compile(SPAN("a("), &regex, &err));
    CHECK_INT(err.code, 400);
    CHECK(!match_compile((struct span){"a\0b", 3}, &regex, &err));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(globs),
        cmocka_unit_test(fuzzy),
        cmocka_unit_test(regular_expressions),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
