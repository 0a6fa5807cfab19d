/* sqlstate: codes as numbers, and what each means. */
#include "pg/sqlstate.h"

#include "harness/check.h"

static void
packs_and_unpacks(void **state UNUSED)
{
    static const char *const codes[] = {"57P01", "00000", "ZZZZZ", "28P01", "40001", "XX000"};
    char text[6];

    for (size_t i = 0; i < ARRAY_LEN(codes); i++)
        CHECK_STR(pg_sqlstate_text(pg_sqlstate_code(span_of(codes[i])), text), codes[i]);
    CHECK_INT(pg_sqlstate_code(SPAN("57P01")), PG_ADMIN_SHUTDOWN);
    CHECK_INT(pg_sqlstate_code(SPAN("55006")), PG_OBJECT_IN_USE);
}

static void
refuses_what_is_no_code(void **state UNUSED)
{
    static const char *const texts[] = {"", "57P0", "57P011", "57p01", "57 01", "-----"};

    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        if (pg_sqlstate_code(span_of(texts[i])) != 0)
            fail_msg("\"%s\" taken for a code", texts[i]);
    }
}

static void
says_what_to_do(void **state UNUSED)
{
    static const struct {
        const char *code;
        enum err_kind kind;
        bool hint;
    } cases[] = {
        {"57P01", ERR_TRANSIENT, false}, /* shutting down */
        {"57P03", ERR_TRANSIENT, false}, /* starting up */
        {"57P04", ERR_CONFIG, true},     /* database dropped */
        {"57014", ERR_TRANSIENT, false}, /* statement_timeout */
        {"08006", ERR_TRANSIENT, false}, /* connection failure */
        {"08P01", ERR_CONFIG, false},    /* protocol: a pooler */
        {"53300", ERR_TRANSIENT, true},  /* too many connections */
        {"53400", ERR_CONFIG, true},     /* all slots in use */
        {"53100", ERR_TRANSIENT, false}, /* disk full */
        {"28P01", ERR_CONFIG, true},     /* wrong password */
        {"28000", ERR_CONFIG, true},     /* pg_hba */
        {"3D000", ERR_CONFIG, true},     /* no such database */
        {"42501", ERR_CONFIG, true},     /* no privilege */
        {"42P01", ERR_CONFIG, false},    /* no such table */
        {"40P01", ERR_TRANSIENT, false}, /* deadlock */
        {"55006", ERR_FENCED, false},    /* slot in use */
        {"55000", ERR_CONFIG, false},    /* slot lost */
        {"55P03", ERR_TRANSIENT, true},  /* lock_timeout */
        {"58P01", ERR_CONFIG, true},     /* WAL segment removed */
        {"58030", ERR_TRANSIENT, false}, /* I/O error */
        {"XX000", ERR_TRANSIENT, false}, /* internal error */
        {"P0001", ERR_CONFIG, false},    /* unlisted */
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const struct pg_sqlstate_meaning *got =
            pg_sqlstate_meaning(pg_sqlstate_code(span_of(cases[i].code)));

        if (got->kind != cases[i].kind || (got->hint != NULL) != cases[i].hint)
            fail_msg("%s: got %s, hint %s; want %s", cases[i].code, err_policy(got->kind)->name,
                     got->hint ? got->hint : "none", err_policy(cases[i].kind)->name);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(packs_and_unpacks),
        cmocka_unit_test(refuses_what_is_no_code),
        cmocka_unit_test(says_what_to_do),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
