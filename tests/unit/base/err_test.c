/* err: texts grow from the inside out, kinds keep, and every kind has its policy. */
#include "base/err.h"

#include "harness/check.h"

static void
wraps_from_the_inside_out(void **state UNUSED)
{
    struct err err;

    CHECK(!err_set_code(&err, ERR_TRANSIENT, 111, "connection %s", "refused"));
    CHECK(!err_wrap(&err, "checkpoint %d", 7));
    CHECK(!err_wrap(&err, "flow \"%s\"", "orders"));
    CHECK_STR(err.text, "flow \"orders\": checkpoint 7: connection refused");
    CHECK_INT(err.kind, ERR_TRANSIENT);
    CHECK_INT(err.code, 111);
    CHECK(strstr(err.file, "err_test.c"));
    CHECK(err.line > 0);
}

static void
a_text_that_does_not_fit_loses_its_end(void **state UNUSED)
{
    struct err err;
    char many[3000];

    memset(many, 'x', sizeof(many) - 1);
    many[sizeof(many) - 1] = '\0';
    err_set(&err, ERR_DATA, "%s", many);
    CHECK_INT(strlen(err.text), sizeof(err.text) - 1);
    err_wrap(&err, "outer");
    CHECK_INT(strlen(err.text), sizeof(err.text) - 1);
    CHECK(strncmp(err.text, "outer: xxx", 10) == 0);
    err_wrap(&err, "%s", many); /* an outer text may take a quarter */
    CHECK_INT(strlen(err.text), sizeof(err.text) - 1);
    CHECK_STR(strchr(err.text, ':') - 3, err.text + 252);
}

static void
every_kind_has_a_policy(void **state UNUSED)
{
    static const struct {
        enum err_kind kind;
        const char *name;
        bool retry;
        int exit_status;
    } cases[] = {
        {ERR_NONE, "none", false, 0},      {ERR_TRANSIENT, "transient", true, 75},
        {ERR_CONFIG, "config", false, 78}, {ERR_DATA, "data", false, 65},
        {ERR_FENCED, "fenced", false, 73}, {ERR_CANCELED, "canceled", false, 0},
        {ERR_BUG, "bug", false, 70},
    };

    CHECK_INT(ARRAY_LEN(cases), ERR_KIND_MAX_);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const struct err_policy *policy = err_policy(cases[i].kind);

        CHECK_STR(policy->name, cases[i].name);
        CHECK_INT(policy->retry, cases[i].retry);
        CHECK_INT(policy->exit_status, cases[i].exit_status);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(wraps_from_the_inside_out),
        cmocka_unit_test(a_text_that_does_not_fit_loses_its_end),
        cmocka_unit_test(every_kind_has_a_policy),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
