/* settings: names that the server takes, and those it does not. */
#include "source/settings.h"

#include "harness/check.h"

#define LONG_63 "abcdefghijklmnopqrstuvwxyz0123456789_abcdefghijklmnopqrstuvwxyz"

static void
takes_what_postgres_takes(void **state UNUSED)
{
    static const char *const slots[] = {"puffgres", "a", "_", "0", "a_1", LONG_63};
    struct err err;

    for (size_t i = 0; i < ARRAY_LEN(slots); i++) {
        struct source_settings settings = {.slot = slots[i], .publication = "Any \"name\""};

        CHECK_OK(source_settings_check(&settings, &err), err);
    }
}

static void
refuses_with_a_better_name(void **state UNUSED)
{
    static const struct {
        const char *slot, *better;
    } cases[] = {
        {"my-app", "for example \"my_app\""},  {"MyApp", "for example \"myapp\""},
        {"a b'c\"", "for example \"a_b_c_\""}, {LONG_63 "x", "for example \"" LONG_63 "\""},
        {"", "the slot name is empty"},
    };
    struct err err;

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct source_settings settings = {.slot = cases[i].slot, .publication = "p"};

        CHECK(!source_settings_check(&settings, &err));
        CHECK_INT(err.kind, ERR_CONFIG);
        if (!strstr(err.text, cases[i].better))
            fail_msg("got \"%s\", want \"%s\"", err.text, cases[i].better);
    }
}

static void
refuses_publications_without_or_with_too_long_a_name(void **state UNUSED)
{
    static const char *const names[] = {"", LONG_63 "x"};
    struct err err;

    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        struct source_settings settings = {.slot = "s", .publication = names[i]};

        CHECK(!source_settings_check(&settings, &err));
        CHECK_INT(err.kind, ERR_CONFIG);
    }
}

static void
names_the_publication_after_the_slot(void **state UNUSED)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new("test");

    CHECK_STR(source_publication_default("puffgres", arena), "puffgres");
    CHECK_STR(source_publication_default("my-app-2", arena), "my_app_2");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(takes_what_postgres_takes),
        cmocka_unit_test(refuses_with_a_better_name),
        cmocka_unit_test(refuses_publications_without_or_with_too_long_a_name),
        cmocka_unit_test(names_the_publication_after_the_slot),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
