/* batch: rows cut down to their mapping, copied once, counted. */
#include "model/batch.h"

#include "harness/check.h"
#include "model/action.h"
#include "model/table.h"

#define MAPPED 3

static const struct mapping mapping = {.name = "users", .column_count = MAPPED};
static const struct schema schema = {.relation = 1, .count = 4};
static const uint16_t sources[MAPPED] = {2, 0, PROJECTION_ABSENT};
static const struct projection projection = {&mapping, &schema, sources, false};

static const struct value row_values[] = {{"ann", 3, VALUE_TEXT},
                                          {"unmapped", 8, VALUE_TEXT},
                                          {"7", 1, VALUE_TEXT},
                                          {"x", 1, VALUE_TEXT}};
static const struct value key_values[] = {
    {.kind = VALUE_UNCHANGED}, {.kind = VALUE_NULL}, {"6", 1, VALUE_TEXT}, {.kind = VALUE_NULL}};

static struct change
update(void)
{
    return (struct change){
        .op = CHANGE_UPDATE,
        .schema = &schema,
        .position = {100, 3},
        .xid = 750,
        .commit_us = 12345,
        .after = row_values,
        .before = key_values,
        .before_is_key = true,
    };
}

static void
rows_are_cut_down_and_copied(void **state UNUSED)
{
    struct batch *batch = batch_new(&mapping, 2);
    struct change change = update();
    const struct row *row;

    batch_add(batch, &projection, &change, ROW_NEW_HALF);
    CHECK_INT(batch->count, 1);
    row = &batch->rows[0];
    CHECK_INT(row->op, CHANGE_UPDATE);
    CHECK_INT(row->half, ROW_NEW_HALF);
    CHECK(row->before_is_key);
    CHECK_INT(row->xid, 750);
    CHECK_INT(row->position.commit, 100);
    CHECK_INT(row->position.ordinal, 3);
    CHECK_INT(row->commit_us, 12345);

    CHECK_SPAN(value_span(&row->after[0]), "7");
    CHECK(row->after[0].ptr != row_values[2].ptr);
    CHECK_SPAN(value_span(&row->after[1]), "ann");
    CHECK_INT(row->after[2].kind, VALUE_UNCHANGED);
    CHECK_SPAN(value_span(&row->before[0]), "6");
    CHECK_INT(row->before[1].kind, VALUE_UNCHANGED);
    CHECK_INT(row->before[2].kind, VALUE_UNCHANGED);
    batch_free(batch);
}

static void
rows_without_images_have_none(void **state UNUSED)
{
    struct batch *batch = batch_new(&mapping, 0);
    struct change change = update();

    change.op = CHANGE_TRUNCATE;
    change.after = change.before = NULL;
    batch_add(batch, &projection, &change, ROW_WHOLE);
    CHECK(!batch->rows[0].after && !batch->rows[0].before);
    batch_free(batch);
}

static void
rule_30_bytes_are_counted_for_the_budget(void **state UNUSED)
{
    struct batch *batch = batch_new(&mapping, 0);
    struct change change = update();
    size_t one;

    batch_add(batch, &projection, &change, ROW_WHOLE);
    one = batch->bytes;
    CHECK_INT(one, sizeof(struct row) + 2 * MAPPED * sizeof(struct value) + strlen("7ann6"));
    for (int i = 1; i < 1000; i++)
        batch_add(batch, &projection, &change, ROW_WHOLE);
    CHECK_INT(batch->count, 1000);
    CHECK_INT(batch->bytes, 1000 * one);
    batch_free(batch);
}

static void
a_cleared_batch_is_as_new(void **state UNUSED)
{
    struct batch *batch = batch_new(&mapping, 1);
    struct change change = update();

    batch_add(batch, &projection, &change, ROW_WHOLE);
    batch->floor = 99;
    batch->has_floor = true;
    batch->opened_ms = 5;
    batch_clear(batch);
    CHECK_INT(batch->count, 0);
    CHECK_INT(batch->bytes, 0);
    CHECK_INT(batch->floor, 0);
    CHECK(!batch->has_floor);
    CHECK_INT(batch->opened_ms, 0);
    CHECK_INT(batch->lane, 1);
    batch_add(batch, &projection, &change, ROW_WHOLE);
    CHECK_SPAN(value_span(&batch->rows[0].after[1]), "ann");
    batch_free(batch);
    batch_free(NULL);
}

static void
words_of_operations_and_actions(void **state UNUSED)
{
    for (int i = 0; i < CHANGE_OP_MAX_; i++)
        CHECK(change_op_names[i] && *change_op_names[i]);
    for (int i = 0; i < ACTION_KIND_MAX_; i++)
        CHECK(action_kind_names[i] && *action_kind_names[i]);
    CHECK(!change_op_names[CHANGE_OP_MAX_] && !action_kind_names[ACTION_KIND_MAX_]);
}

static void
columns_are_found_by_their_whole_name(void **state UNUSED)
{
    static const struct table_column columns[] = {{.name = "id"}, {.name = "identity"}};
    static const struct table table = {.column_count = 2, .columns = columns};

    CHECK(table_column_find(&table, SPAN("identity")) == &columns[1]);
    CHECK(table_column_find(&table, SPAN("id")) == &columns[0]);
    CHECK(table_column_find(&table, SPAN("ID")) == NULL);
    CHECK(table_column_find(&table, SPAN("")) == NULL);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_are_cut_down_and_copied),
        cmocka_unit_test(rows_without_images_have_none),
        cmocka_unit_test(rule_30_bytes_are_counted_for_the_budget),
        cmocka_unit_test(a_cleared_batch_is_as_new),
        cmocka_unit_test(words_of_operations_and_actions),
        cmocka_unit_test(columns_are_found_by_their_whole_name),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
