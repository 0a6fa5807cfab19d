/* env: what expands to what, and which variable is missing. */
#include "base/env.h"

#include <stdlib.h>

#include "base/buf.h"
#include "harness/check.h"

static int
set_variables(void **state UNUSED)
{
    return setenv("T_URL", "postgres://u:p@h/d", 1) | setenv("T_EMPTY", "", 1) |
           setenv("T_NESTED", "${T_URL}", 1) | setenv("_9", "nine", 1) | unsetenv("T_ABSENT");
}

static void
reads_the_environment(void **state UNUSED)
{
    CHECK_STR(env_get("T_URL"), "postgres://u:p@h/d");
    CHECK_STR(env_get("T_EMPTY"), "");
    CHECK(!env_get("T_ABSENT"));
}

static void
expands(void **state UNUSED)
{
    static const struct {
        const char *text, *want;
    } cases[] = {
        {"", ""},
        {"plain", "plain"},
        {"${T_URL}", "postgres://u:p@h/d"},
        {"<${T_URL}|${_9}>", "<postgres://u:p@h/d|nine>"},
        {"${T_EMPTY}", ""},
        {"${T_ABSENT:-else}", "else"},
        {"${T_EMPTY:-else}", "else"},
        {"${T_URL:-else}", "postgres://u:p@h/d"},
        {"${T_ABSENT:-}", ""},
        {"${T_ABSENT:-a:-b $x}", "a:-b $x"},
        {"${T_NESTED}", "${T_URL}"}, /* once, not again */
        {"pa$$word $5 $", "pa$$word $5 $"},
        {"$T_URL", "$T_URL"},
        {"$${T_URL}", "${T_URL}"},
        {"$$${T_URL}", "$${T_URL}"},
        {"{T_URL}", "{T_URL}"},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        CLEANUP(arena_freep) struct arena *arena = arena_new("test");
        struct span got;
        struct err err;

        CHECK_OK(env_expand(span_of(cases[i].text), arena, &got, &err), err);
        CHECK_SPAN(got, cases[i].want);
    }
}

static void
says_what_is_wrong(void **state UNUSED)
{
    static const struct {
        const char *text, *want;
    } cases[] = {
        {"a ${T_ABSENT} b",
         "environment variable T_ABSENT is not set; set it, or write ${T_ABSENT:-default}"},
        {"${T_URL", "\"${T_URL\" lacks its closing }"},
        {"x${", "\"${\" lacks its closing }"},
        {"${}", "${} is neither ${NAME} nor ${NAME:-default}"},
        {"${T URL}", "${T URL} is neither ${NAME} nor ${NAME:-default}"},
        {"${9}", "${9} is neither ${NAME} nor ${NAME:-default}"},
        {"${T_URL-x}", "${T_URL-x} is neither ${NAME} nor ${NAME:-default}"},
        {"${T_URL:?x}", "${T_URL:?x} is neither ${NAME} nor ${NAME:-default}"},
        {"${:-x}", "${:-x} is neither ${NAME} nor ${NAME:-default}"},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        CLEANUP(arena_freep) struct arena *arena = arena_new("test");
        struct span got;
        struct err err;

        CHECK_FAILS(env_expand(span_of(cases[i].text), arena, &got, &err), err, ERR_CONFIG,
                    cases[i].want);
    }
}

static void
what_has_no_variable_is_not_copied(void **state UNUSED)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new("test");
    struct span text = SPAN("pa$$word"), got;
    struct err err;

    CHECK_OK(env_expand(text, arena, &got, &err), err);
    CHECK(got.ptr == text.ptr);
}

static void
what_expands_without_end_is_refused(void **state UNUSED)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new("test");
    CLEANUP(buf_free) struct buf text = buf_make(MEGABYTES(4));
    struct span got;
    struct err err;

    while (text.len < MEGABYTES(1))
        buf_put(&text, SPAN("${T_URL}"));
    CHECK(!env_expand(buf_span(&text), arena, &got, &err));
    CHECK_STR(err.text, "expanding variables: larger than the limit of 1048576 bytes");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_the_environment),
        cmocka_unit_test(expands),
        cmocka_unit_test(says_what_is_wrong),
        cmocka_unit_test(what_has_no_variable_is_not_copied),
        cmocka_unit_test(what_expands_without_end_is_refused),
    };

    return cmocka_run_group_tests(tests, set_variables, NULL);
}
