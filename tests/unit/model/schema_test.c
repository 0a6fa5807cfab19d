/* schema: two Relation messages are one version when they say the same. */
#include "model/schema.h"

#include "harness/check.h"

#define COLUMNS 2

static const struct column usual_columns[COLUMNS] = {
    {.name = SPAN_INIT("id"), .type = 20, .typmod = -1, .key = true},
    {.name = SPAN_INIT("name"), .type = 1043, .typmod = 24},
};

static const struct schema usual = {
    .relation = 16384,
    .namespace = SPAN_INIT("public"),
    .name = SPAN_INIT("users"),
    .identity = IDENTITY_DEFAULT,
    .count = COLUMNS,
    .columns = usual_columns,
};

/* Each case changes one thing. */
static void
change(int what, struct schema *schema, struct column *columns)
{
    switch (what) {
    case 0:
        schema->relation++;
        break;
    case 1:
        schema->namespace = SPAN("other");
        break;
    case 2:
        schema->name = SPAN("people");
        break;
    case 3:
        schema->identity = IDENTITY_FULL;
        break;
    case 4:
        schema->count--;
        break;
    case 5:
        columns[1].name = SPAN("title");
        break;
    case 6:
        columns[1].type = 25;
        break;
    case 7:
        columns[1].typmod = -1;
        break;
    default:
        columns[1].key = true;
        break;
    }
}

static void
rule_26_a_repeated_relation_message_is_no_change(void **state UNUSED)
{
    struct column columns[COLUMNS];
    struct schema copy = usual;

    memcpy(columns, usual_columns, sizeof(columns));
    copy.columns = columns;
    CHECK(schema_equal(&usual, &copy));
    CHECK(schema_equal(&usual, &usual));
}

static void
rule_26_every_difference_is_a_change(void **state UNUSED)
{
    for (int what = 0; what <= 8; what++) {
        struct column columns[COLUMNS];
        struct schema copy = usual;

        memcpy(columns, usual_columns, sizeof(columns));
        copy.columns = columns;
        change(what, &copy, columns);
        if (schema_equal(&usual, &copy) || schema_equal(&copy, &usual))
            fail_msg("change %d is not seen", what);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rule_26_a_repeated_relation_message_is_no_change),
        cmocka_unit_test(rule_26_every_difference_is_a_change),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
