/* router: what was written is not written again, what is new goes to every mapping of its table. */
#include "engine/router.h"

#include "harness/check.h"
#include "harness/sample.h"

struct fixture {
    struct arena *arena;
    struct mapping mapping;
    struct router_mapping mappings[2];
    struct router router;
    struct route routes[2];
};

static void
begin(struct fixture *f)
{

    f->arena = arena_new("test");
    f->mapping = sample_mapping();
    for (size_t i = 0; i < 2; i++)
        f->mappings[i] = (struct router_mapping){.mapping = &f->mapping};
    router_init(&f->router, f->arena, f->mappings, 2);
    for (size_t i = 0; i < 2; i++)
        CHECK(router_relation(&f->router, i, &sample_schema));
}

static size_t
route(struct fixture *f, enum change_op op, lsn_t commit, uint64_t ordinal)
{
    const struct sample_change from = {op, .id = "1", .name = "a"};
    struct change change = sample_change_make(&from, (struct position){commit, ordinal});

    return router_route(&f->router, &change, f->routes, 2);
}

static void
every_mapping_of_the_table_gets_the_row(void **state UNUSED)
{
    struct fixture f;

    begin(&f);
    CHECK_INT(route(&f, CHANGE_INSERT, 100, 1), 2);
    CHECK_INT(f.routes[0].mapping, 0);
    CHECK_INT(f.routes[1].mapping, 1);
    arena_free(f.arena);
}

static void
a_table_without_mapping_goes_nowhere(void **state UNUSED)
{
    struct schema other = sample_schema;
    struct change change;
    struct fixture f;

    begin(&f);
    other.relation = 99;
    change = sample_change_make(&(struct sample_change){CHANGE_INSERT, .id = "1"},
                                (struct position){100, 1});
    change.schema = &other;
    CHECK_INT(router_route(&f.router, &change, f.routes, 2), 0);
    arena_free(f.arena);
}

static void
rule_06_rows_at_or_below_their_mappings_checkpoint_are_dropped(void **state UNUSED)
{
    struct fixture f;

    begin(&f);
    f.mappings[1].checkpoint = 150; /* the end of the transaction that commits at 140 */
    CHECK_INT(route(&f, CHANGE_INSERT, 140, 1), 1);
    CHECK_INT(f.routes[0].mapping, 0);
    CHECK_INT(route(&f, CHANGE_INSERT, 150, 1), 2);
    arena_free(f.arena);
}

static void
rule_18_rows_below_the_truncate_position_are_dropped(void **state UNUSED)
{
    struct fixture f;

    begin(&f);
    f.mappings[0].truncate = (struct position){200, 5};
    CHECK_INT(route(&f, CHANGE_INSERT, 200, 4), 1);
    CHECK_INT(f.routes[0].mapping, 1);
    CHECK_INT(route(&f, CHANGE_TRUNCATE, 200, 5), 2); /* a replay sends the filter again */
    CHECK_INT(route(&f, CHANGE_INSERT, 200, 6), 2);
    CHECK_INT(f.mappings[1].truncate.ordinal, 5);
    arena_free(f.arena);
}

static void
rule_26_a_stopped_mapping_gets_nothing(void **state UNUSED)
{
    struct fixture f;

    begin(&f);
    router_stop(&f.router, 0);
    CHECK_INT(route(&f, CHANGE_INSERT, 100, 1), 1);
    CHECK_INT(f.routes[0].mapping, 1);
    arena_free(f.arena);
}

static void
rule_26_a_relation_that_lost_a_column_is_refused(void **state UNUSED)
{
    static const struct column left[] = {
        {.name = {"id", 2}, .type = 20, .typmod = -1, .key = true}};
    struct schema narrow = sample_schema;
    struct fixture f;

    begin(&f);
    f.mappings[1].checkpoint = 150;
    narrow.count = 1;
    narrow.columns = left;
    for (size_t i = 0; i < 2; i++)
        CHECK(!router_relation(&f.router, i, &narrow));
    CHECK_STR(f.mappings[0].refusal,
              "column \"name\" of public.items was dropped or renamed; write a new version of "
              "puffgres/migrations/001_items.toml without it or with its new name");

    CHECK_INT(route(&f, CHANGE_TRUNCATE, 140, 1), 1); /* the second has it, whatever it was like */
    CHECK_INT(f.routes[0].mapping, 0);
    CHECK(!f.routes[0].projection);
    CHECK_INT(f.mappings[0].truncate.commit, 0);
    router_stop(&f.router, 0);
    CHECK_INT(route(&f, CHANGE_INSERT, 145, 1), 0);

    CHECK(router_relation(&f.router, 1, &sample_schema));
    CHECK(!f.mappings[1].refusal);
    CHECK_INT(route(&f, CHANGE_INSERT, 160, 1), 1);
    CHECK(f.routes[0].projection);
    arena_free(f.arena);
}

static void
what_was_handed_on_before_a_reconnect_is_not_handed_on_again(void **state UNUSED)
{
    struct fixture f;

    begin(&f);
    CHECK_INT(route(&f, CHANGE_INSERT, 100, 1), 2);
    CHECK_INT(route(&f, CHANGE_INSERT, 100, 2), 2);
    CHECK_INT(route(&f, CHANGE_INSERT, 100, 1), 0);
    CHECK_INT(route(&f, CHANGE_INSERT, 100, 2), 0);
    CHECK_INT(route(&f, CHANGE_INSERT, 100, 3), 2);
    arena_free(f.arena);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_mapping_of_the_table_gets_the_row),
        cmocka_unit_test(a_table_without_mapping_goes_nowhere),
        cmocka_unit_test(rule_06_rows_at_or_below_their_mappings_checkpoint_are_dropped),
        cmocka_unit_test(rule_18_rows_below_the_truncate_position_are_dropped),
        cmocka_unit_test(rule_26_a_stopped_mapping_gets_nothing),
        cmocka_unit_test(rule_26_a_relation_that_lost_a_column_is_refused),
        cmocka_unit_test(what_was_handed_on_before_a_reconnect_is_not_handed_on_again),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
