/* relations: versions by oid, found again, kept apart from the message they came in. */
#include "source/relations.h"

#include "harness/check.h"
#include "harness/pgoutput.h"
#include "source/pgoutput_decode.h"

static struct pgoutput_decoder decoder;

/* Decode and take in a Relation message; its bytes are gone afterwards. */
static bool
update(struct relations *relations, uint32_t oid, const char *name, const char *columns,
       const struct schema **ret)
{
    CLEANUP(buf_free) struct buf bytes = buf_make(10000);
    struct pgoutput_message message;
    struct err err;
    bool differs;

    wire_relation(&bytes, oid, name, 'd', columns);
    CHECK_OK(pgoutput_decode(&decoder, buf_span(&bytes), &message, &err), err);
    differs = relations_update(relations, &message, ret);
    memset(bytes.ptr, 'x', bytes.len);
    return differs;
}

static void
schemas_outlive_their_message(void **state UNUSED)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new("test");
    struct relations relations = relations_make(arena);
    const struct schema *schema;

    CHECK(update(&relations, 1, "users", "*id:23 name:25", &schema));
    CHECK_INT(schema->relation, 1);
    CHECK_SPAN(schema->namespace, "public");
    CHECK_SPAN(schema->name, "users");
    CHECK_INT(schema->identity, IDENTITY_DEFAULT);
    CHECK_INT(schema->count, 2);
    CHECK_SPAN(schema->columns[0].name, "id");
    CHECK_SPAN(schema->columns[1].name, "name");
    CHECK(schema->columns[0].key && !schema->columns[1].key);
    CHECK_INT(schema->columns[1].type, 25);
    CHECK_INT(schema->columns[1].typmod, -1);
    relations_free(&relations);
}

static void
rule_26_a_repetition_is_no_change(void **state UNUSED)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new("test");
    struct relations relations = relations_make(arena);
    const struct schema *first, *second, *third;

    CHECK(update(&relations, 1, "users", "*id:23", &first));
    CHECK(!update(&relations, 1, "users", "*id:23", &second));
    CHECK(first == second);
    CHECK(update(&relations, 1, "users", "*id:20", &third));
    CHECK(third != first);
    CHECK(update(&relations, 1, "users", "*id:23", &second)); /* a change, to a known version */
    CHECK(first == second);
    relations_free(&relations);
}

static void
relations_do_not_mix(void **state UNUSED)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new("test");
    struct relations relations = relations_make(arena);
    const struct schema *schemas[200];

    for (uint32_t oid = 0; oid < 200; oid++)
        CHECK(update(&relations, oid, "same", "*id:23", &schemas[oid]));
    for (uint32_t oid = 0; oid < 200; oid++) {
        CHECK(relations_find(&relations, oid) == schemas[oid]);
        CHECK_INT(schemas[oid]->relation, oid);
    }
    CHECK(!relations_find(&relations, 200));
    CHECK(relations_find(&relations, 3) == schemas[3]); /* right after a miss */
    relations_free(&relations);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(schemas_outlive_their_message),
        cmocka_unit_test(rule_26_a_repetition_is_no_change),
        cmocka_unit_test(relations_do_not_mix),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
