/* registry: what exists is complete, and what does not is refused by name. */
#include "runner/registry.h"

#include "harness/check.h"

static void
every_destination_is_whole(void **state UNUSED)
{
    for (size_t i = 0; destinations[i]; i++) {
        const struct destination_type *type = destinations[i];

        CHECK(type->name && type->summary && type->options);
        CHECK(type->size >= sizeof(struct destination));
        CHECK(type->lane_size >= sizeof(struct destination_lane));
        CHECK(type->open && type->close && type->lane_open && type->lane_close);
        CHECK(type->render && type->write);
        CHECK(destination_find(span_of(type->name)) == type);
        CHECK(!(type->caps & DEST_LATE_WRITES) || (type->caps & DEST_VERSIONED));
    }
}

static void
finds_by_name(void **state UNUSED)
{
    static const struct {
        const char *name, *want; /* NULL: it exists */
    } cases[] = {
        {"turbopuffer", NULL},
        {"null", NULL},
        {"stdout", NULL},
        {"turbopufer", "there is no destination \"turbopufer\"; did you mean \"turbopuffer\"?"},
        {"kafka", "there is no destination \"kafka\"; there are turbopuffer, null, stdout"},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const struct destination_type *type = NULL;
        struct err err = {0};

        if (!cases[i].want) {
            CHECK_OK(destination_require(span_of(cases[i].name), &type, &err), err);
            CHECK_STR(type->name, cases[i].name);
            continue;
        }
        CHECK_FAILS(destination_require(span_of(cases[i].name), &type, &err), err, ERR_CONFIG,
                    cases[i].want);
        CHECK(!type);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_destination_is_whole),
        cmocka_unit_test(finds_by_name),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
