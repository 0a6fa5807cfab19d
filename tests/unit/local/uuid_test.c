/* uuid: four forms to one. */
#include "local/uuid.h"

#include "harness/check.h"

#define CANONICAL "0189f7e1-1f2e-7abc-8def-0123456789ab"

static void
makes_one_of_four_forms(void **state UNUSED)
{
    static const char *const forms[] = {
        CANONICAL,
        "0189F7E1-1F2E-7ABC-8DEF-0123456789AB",
        "0189f7e11f2e7abc8def0123456789ab",
        "0189F7E11F2E7ABC8DEF0123456789AB",
        "{0189f7e1-1f2e-7abc-8def-0123456789ab}",
        "urn:uuid:0189f7e1-1f2e-7abc-8def-0123456789ab",
        "URN:UUID:0189F7E1-1F2E-7ABC-8DEF-0123456789AB",
    };

    for (size_t i = 0; i < ARRAY_LEN(forms); i++) {
        char text[UUID_TEXT_SIZE];

        if (!uuid_canonical(span_of(forms[i]), text))
            fail_msg("%s was refused", forms[i]);
        CHECK_STR(text, CANONICAL);
    }
}

static void
refuses(void **state UNUSED)
{
    static const char *const cases[] = {
        "",
        "0189f7e1",
        "0189f7e1-1f2e-7abc-8def-0123456789a",
        "0189f7e1-1f2e-7abc-8def-0123456789abc",
        "0189f7e1-1f2e-7abc-8def-0123456789ag",
        "0189f7e1-1f2e-7abc-8def+0123456789ab",
        "0189f7e11f2e-7abc-8def-00123456789ab",
        "{0189f7e1-1f2e-7abc-8def-0123456789ab",
        "(0189f7e1-1f2e-7abc-8def-0123456789ab)",
        "{0189f7e11f2e7abc8def0123456789ab}",
        "urn:uuid:0189f7e11f2e7abc8def0123456789ab",
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char text[UUID_TEXT_SIZE] = "untouched";

        if (uuid_canonical(span_of(cases[i]), text))
            fail_msg("\"%s\" was taken", cases[i]);
        CHECK_STR(text, "untouched");
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(makes_one_of_four_forms),
        cmocka_unit_test(refuses),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
