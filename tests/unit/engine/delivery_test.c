/* delivery: whatever the destination answers, a batch ends durable, dead-lettered, or unfinished.
 */
#include "engine/delivery.h"

#include <pthread.h>
#include <stdlib.h>

#include "base/clock.h"
#include "harness/check.h"
#include "harness/mock_destination.h"
#include "harness/sample.h"
#include "state/sqlite.h"

#define CAPS (DEST_KEYED | DEST_VERSIONED | DEST_DURABLE | DEST_LATE_WRITES)

struct fixture {
    struct arena *arena;
    struct mapping mapping;
    const struct projection *projection;
    struct destination *destination;
    struct store *store;
    struct gate gate;
    struct counters counters;
    struct delivery delivery;
    struct batch *batch;
    lsn_t commit;
};

static void
begin_with(struct fixture *f, unsigned caps, struct mapping mapping, bool unclean)
{
    struct err err;

    *f = (struct fixture){.arena = arena_new("test"), .mapping = mapping, .commit = 100};
    mock_reset(caps);
    gate_init(&f->gate);
    gate_set(&f->gate, true);
    counters_init(&f->counters);
    CHECK_OK(state_memory_open(&f->store, &err), err);
    CHECK_OK(destination_open(mock_destination_type(), NULL, 0, f->arena, &f->destination, &err),
             err);
    CHECK_OK(projection_make(&f->mapping, &sample_schema, NULL, f->arena, &f->projection, &err),
             err);
    f->delivery = (struct delivery){
        .store = f->store,
        .gate = &f->gate,
        .counters = &f->counters,
        .journal_max_bytes = 1024 * 1024,
        .backoff = {.base_ms = 2, .cap_ms = 20, .jitter = 0.25},
    };
    CHECK_OK(
        destination_lane_open(f->destination, &f->mapping, 0, f->arena, &f->delivery.lane, &err),
        err);
    CHECK_OK(delivery_init(&f->delivery, unclean, &err), err);
    f->batch = batch_new(&f->mapping, 0);
}

static void
begin(struct fixture *f)
{
    begin_with(f, CAPS, sample_mapping(), false);
}

static void
end(struct fixture *f)
{
    batch_free(f->batch);
    delivery_done(&f->delivery);
    destination_lane_close(f->delivery.lane);
    destination_close(f->destination);
    store_close(f->store);
    counters_done(&f->counters);
    gate_done(&f->gate);
    arena_free(f->arena);
}

static void
add(struct fixture *f, enum change_op op, const char *id, const char *name)
{
    const struct sample_change from = {op, .id = id, .name = name};
    struct position position = {f->commit, f->batch->count + 1};
    struct change change = sample_change_make(&from, position);

    batch_add(f->batch, f->projection, &change, ROW_WHOLE);
}

static void
add_rows(struct fixture *f, int from, int to)
{
    for (int i = from; i <= to; i++) {
        char id[16];

        snprintf(id, sizeof(id), "%d", i);
        add(f, CHANGE_INSERT, id, "x");
    }
}

static bool
run(struct fixture *f, struct err *err)
{
    bool done = delivery_run(&f->delivery, f->batch, err);

    batch_clear(f->batch);
    f->commit += 100;
    return done;
}

static int64_t
letters(struct fixture *f)
{
    struct err err;
    int64_t count;

    CHECK_OK(f->store->type->dead_letters_count(f->store, NULL, &count, &err), err);
    return count;
}

static int64_t
journalled(struct fixture *f, int64_t *ret_due_ms)
{
    struct err err;
    int64_t bytes, count;

    CHECK_OK(f->store->type->journal_size(f->store, "items", &bytes, &count, ret_due_ms, &err),
             err);
    return count;
}

/* ---- writing ---- */

static void
writes_in_stream_order(void **state UNUSED)
{
    struct fixture f;
    struct err err;

    begin(&f);
    add(&f, CHANGE_INSERT, "1", "a");
    add(&f, CHANGE_INSERT, "2", "b");
    add(&f, CHANGE_DELETE, "3", NULL);
    CHECK_OK(run(&f, &err), err);
    CHECK_STR(mock_log(), "U1@100.1 U2@100.2 D3@100.3\n");
    end(&f);
}

static void
rule_17_one_action_per_id_in_one_write(void **state UNUSED)
{
    struct fixture f;
    struct err err;

    begin(&f);
    add(&f, CHANGE_INSERT, "1", "a");
    add(&f, CHANGE_INSERT, "2", "b");
    add(&f, CHANGE_UPDATE, "1", "c");
    add(&f, CHANGE_DELETE, "2", NULL);
    CHECK_OK(run(&f, &err), err);
    CHECK_STR(mock_log(), "U1@100.3 D2@100.4\n");
    end(&f);
}

static void
without_keyed_every_action_is_written(void **state UNUSED)
{
    struct fixture f;
    struct err err;

    begin_with(&f, DEST_DURABLE, sample_mapping(), false);
    add(&f, CHANGE_INSERT, "1", "a");
    add(&f, CHANGE_UPDATE, "1", "b");
    CHECK_OK(run(&f, &err), err);
    CHECK_STR(mock_log(), "U1@100.1 U1@100.2\n");
    end(&f);
}

static void
rule_18_truncate_stands_alone(void **state UNUSED)
{
    struct fixture f;
    struct err err;

    begin(&f);
    add(&f, CHANGE_INSERT, "1", "a");
    add(&f, CHANGE_TRUNCATE, NULL, NULL);
    add(&f, CHANGE_INSERT, "1", "b");
    CHECK_OK(run(&f, &err), err);
    CHECK_STR(mock_log(), "U1@100.1\nT@100.2\nU1@100.3\n");
    end(&f);
}

static void
transient_failures_are_tried_again_identically(void **state UNUSED)
{
    struct fixture f;
    struct err err;

    begin(&f);
    mock_answer((struct mock_answer){.kind = ERR_TRANSIENT, .text = "429"});
    mock_answer((struct mock_answer){.kind = ERR_TRANSIENT, .text = "503"});
    add_rows(&f, 1, 3);
    CHECK_OK(run(&f, &err), err);
    CHECK_STR(mock_log(), "U1@100.1 U2@100.2 U3@100.3\n");
    CHECK_INT(mock_writes(), 3);
    CHECK_INT(f.counters.retries, 2);
    CHECK_INT(letters(&f), 0);
    end(&f);
}

static void
config_failures_stop_and_leave_no_dead_letter(void **state UNUSED)
{
    struct fixture f;
    struct err err;

    begin(&f);
    mock_answer((struct mock_answer){.kind = ERR_CONFIG, .text = "401"});
    add_rows(&f, 1, 3);
    CHECK_FAILS(run(&f, &err), err, ERR_CONFIG, "mapping items: 401");
    CHECK_INT(letters(&f), 0);
    CHECK_INT(mock_writes(), 1);
    end(&f);
}

static void
a_canceled_gate_ends_the_wait(void **state UNUSED)
{
    struct fixture f;
    struct err err;

    begin(&f);
    mock_answer((struct mock_answer){.kind = ERR_TRANSIENT, .retry_after_ms = 60000});
    add_rows(&f, 1, 1);
    gate_cancel(&f.gate);
    CHECK(!run(&f, &err));
    CHECK_INT(err.kind, ERR_CANCELED);
    end(&f);
}

/* thread: another one */
static void *
open_gate_later(void *gate)
{
    CHECK(gate_sleep(gate, 50));
    gate_set(gate, true);
    return NULL;
}

static void
rule_10_the_time_before_a_shut_gate_is_not_the_writes_time(void **state UNUSED)
{
    int64_t begin_ms = clock_mono_ms();
    struct fixture f;
    pthread_t opener;
    struct err err;

    begin(&f);
    add_rows(&f, 1, 1);
    CHECK(run(&f, &err));
    CHECK(mock_deadline_ms() <= clock_mono_ms() + 60000);
    gate_set(&f.gate, false);
    CHECK_INT(pthread_create(&opener, NULL, open_gate_later, &f.gate), 0);
    add_rows(&f, 1, 1);
    CHECK_OK(run(&f, &err), err);
    CHECK_INT(pthread_join(opener, NULL), 0);
    CHECK(mock_deadline_ms() >= begin_ms + 50 + 60000);
    end(&f);
}

/* A reader that fails three times, and remembers how long it was given. */
static struct slow_reader {
    struct reader base;
    int64_t deadlines[4];
    size_t reads;
} slow;

static bool
slow_read(struct reader *reader UNUSED, const struct mapping *mapping UNUSED,
          struct reader_request *requests, size_t count, const struct reader_wait *wait,
          struct arena *arena UNUSED, struct err *err)
{
    slow.deadlines[slow.reads++] = wait->deadline_ms;
    if (slow.reads < ARRAY_LEN(slow.deadlines))
        return err_set(err, ERR_TRANSIENT, "not visible yet");
    for (size_t i = 0; i < count; i++)
        requests[i].image = NULL;
    return true;
}

static void
rule_04_every_attempt_to_read_back_has_a_deadline_of_its_own(void **state UNUSED)
{
    static const struct reader_type type = {.read = slow_read};
    struct fixture f;
    struct err err;

    begin(&f);
    slow = (struct slow_reader){.base.type = &type};
    f.delivery.reader = &slow.base;
    f.delivery.backoff = (struct retry_policy){.base_ms = 5, .cap_ms = 20};
    add(&f, CHANGE_UPDATE, "1", "?");
    CHECK_OK(run(&f, &err), err);
    CHECK_INT(slow.reads, ARRAY_LEN(slow.deadlines));
    for (size_t i = 1; i < slow.reads; i++)
        CHECK(slow.deadlines[i] >= slow.deadlines[i - 1] + 5);
    CHECK_STR(mock_log(), "D1@100.1\n");
    f.delivery.reader = NULL;
    end(&f);
}

/* A reader that answers two rows at once and no more. */
static bool
narrow_read(struct reader *reader UNUSED, const struct mapping *mapping UNUSED,
            struct reader_request *requests, size_t count, const struct reader_wait *wait,
            struct arena *arena UNUSED, struct err *err)
{
    static const struct value images[][2] = {
        {{"1", 1, VALUE_TEXT}, {"a", 1, VALUE_TEXT}}, {{"2", 1, VALUE_TEXT}, {"b", 1, VALUE_TEXT}},
        {{"3", 1, VALUE_TEXT}, {"c", 1, VALUE_TEXT}}, {{"4", 1, VALUE_TEXT}, {"d", 1, VALUE_TEXT}},
        {{"5", 1, VALUE_TEXT}, {"e", 1, VALUE_TEXT}},
    };

    CHECK_INT(wait->max_bytes, 8 * 1024 * 1024);
    if (count > 2)
        return err_set(err, ERR_DATA, "more at once than fits");
    for (size_t i = 0; i < count; i++)
        requests[i].image = images[requests[i].id.ptr[0] - '1'];
    return true;
}

static void
rule_30_a_read_back_that_is_too_large_is_done_in_parts_and_in_order(void **state UNUSED)
{
    static const struct reader_type type = {.read = narrow_read};
    struct reader narrow = {.type = &type};
    struct fixture f;
    struct err err;

    begin(&f);
    f.delivery.reader = &narrow;
    for (int i = 1; i <= 5; i++) {
        char id[2] = {(char)('0' + i), '\0'};

        add(&f, CHANGE_UPDATE, id, "?");
    }
    add(&f, CHANGE_DELETE, "1", NULL);
    CHECK_OK(run(&f, &err), err);
    CHECK_STR(mock_log(), "U1@100.1\nU2@100.2 U3@100.3\nU4@100.4 U5@100.5 D1@100.6\n");
    CHECK_INT(letters(&f), 0);
    f.delivery.reader = NULL;
    end(&f);
}

/* ---- poison ---- */

static void
rule_16_bisects_to_the_poison_rows_and_keeps_the_rest_in_order(void **state UNUSED)
{
    struct store_dead_letter *list;
    struct fixture f;
    struct err err;
    size_t count;

    begin(&f);
    mock_poison("3");
    mock_poison("7");
    add_rows(&f, 1, 8);
    CHECK_OK(run(&f, &err), err);
    CHECK_STR(mock_log(), "U1@100.1 U2@100.2\nU4@100.4\nU5@100.5 U6@100.6\nU8@100.8\n");
    CHECK_OK(f.store->type->dead_letters_list(f.store, &(struct store_dead_letter_filter){0},
                                              f.arena, &list, &count, &err),
             err);
    CHECK_INT(count, 2);
    for (size_t i = 0; i < count; i++) {
        bool third = span_eq(list[i].doc_id, SPAN("3"));

        CHECK(third || span_eq(list[i].doc_id, SPAN("7")));
        CHECK_INT(list[i].position.ordinal, third ? 3 : 7);
        CHECK_STR(list[i].error, "poison");
        CHECK_STR(list[i].kind, "data");
        CHECK_STR(list[i].op, "insert");
    }
    end(&f);
}

static void
the_raw_event_is_kept(void **state UNUSED)
{
    struct store_dead_letter *list;
    struct fixture f;
    struct err err;
    size_t count;

    begin(&f);
    mock_poison("1");
    add(&f, CHANGE_INSERT, "1", "O\"Brien");
    CHECK_OK(run(&f, &err), err);
    CHECK_OK(f.store->type->dead_letters_list(f.store, &(struct store_dead_letter_filter){0},
                                              f.arena, &list, &count, &err),
             err);
    CHECK_INT(count, 1);
    CHECK_SPAN(list[0].event, "{\"op\":\"insert\",\"xid\":100,\"commit_us\":0,"
                              "\"after\":{\"id\":\"1\",\"name\":\"O\\\"Brien\"}}");
    end(&f);
}

static void
rule_30_of_a_long_value_only_its_length_is_kept(void **state UNUSED)
{
    static char text[1024 * 1024 + 2];
    struct store_dead_letter *list;
    struct fixture f;
    struct err err;
    size_t count;

    memset(text, 'x', sizeof(text) - 1);
    begin(&f);
    mock_poison("1");
    add(&f, CHANGE_INSERT, "1", text);
    CHECK_OK(run(&f, &err), err);
    CHECK_OK(f.store->type->dead_letters_list(f.store, &(struct store_dead_letter_filter){0},
                                              f.arena, &list, &count, &err),
             err);
    CHECK_INT(count, 1);
    CHECK_SPAN(list[0].event, "{\"op\":\"insert\",\"xid\":100,\"commit_us\":0,"
                              "\"after\":{\"id\":\"1\",\"name\":{\"bytes\":1048577}}}");
    end(&f);
}

static void
rule_16_sixteen_rows_that_fail_alike_are_a_configuration_error(void **state UNUSED)
{
    struct fixture f;
    struct err err;

    begin(&f);
    for (int i = 1; i <= 16; i++) {
        char id[16];

        snprintf(id, sizeof(id), "%d", i);
        mock_poison(id);
    }
    add_rows(&f, 1, 16);
    CHECK(!run(&f, &err));
    CHECK_INT(err.kind, ERR_CONFIG);
    CHECK(strstr(err.text, "all 16 rows") && strstr(err.text, "poison"));
    CHECK_INT(letters(&f), 0);
    end(&f);
}

static void
rule_16_fifteen_of_fifteen_or_sixteen_of_seventeen_are_dead_letters(void **state UNUSED)
{
    for (int rows = 15; rows <= 17; rows += 2) {
        struct fixture f;
        struct err err;

        begin(&f);
        for (int i = 1; i <= 16; i++) {
            char id[16];

            snprintf(id, sizeof(id), "%d", i);
            mock_poison(id);
        }
        add_rows(&f, 1, rows);
        CHECK_OK(run(&f, &err), err);
        CHECK_INT(letters(&f), rows < 16 ? rows : 16);
        end(&f);
    }
}

static void
strict_stops_at_the_first_poison_row(void **state UNUSED)
{
    struct fixture f;
    struct err err;

    begin(&f);
    f.delivery.strict = true;
    mock_poison("2");
    add_rows(&f, 1, 3);
    CHECK(!run(&f, &err));
    CHECK_INT(err.kind, ERR_DATA);
    CHECK(strstr(err.text, "--strict") && strstr(err.text, "poison"));
    CHECK_INT(letters(&f), 0);
    end(&f);
}

static void
defect_p2_07_a_row_without_an_id_is_a_dead_letter(void **state UNUSED)
{
    struct fixture f;
    struct err err;

    begin(&f);
    add(&f, CHANGE_INSERT, "1", "a");
    add(&f, CHANGE_INSERT, NULL, "b");
    CHECK_OK(run(&f, &err), err);
    CHECK_STR(mock_log(), "U1@100.1\n");
    CHECK_INT(letters(&f), 1);
    end(&f);
}

/* ---- the delete journal ---- */

static void
rule_19_a_delete_after_a_definite_answer_needs_no_journal(void **state UNUSED)
{
    struct fixture f;
    struct err err;
    int64_t due;

    begin(&f);
    mock_answer((struct mock_answer){.kind = ERR_TRANSIENT, .unknown = false});
    add(&f, CHANGE_DELETE, "1", NULL);
    CHECK_OK(run(&f, &err), err);
    CHECK_INT(journalled(&f, &due), 0);
    end(&f);
}

static void
rule_19_a_delete_after_an_unknown_outcome_is_journalled_until_the_grace_has_passed(
    void **state UNUSED)
{
    int64_t before = clock_wall_ms(), due, until;
    struct fixture f;
    struct err err;

    begin(&f);
    mock_answer((struct mock_answer){.kind = ERR_TRANSIENT, .unknown = true});
    add(&f, CHANGE_INSERT, "1", "a");
    CHECK_OK(run(&f, &err), err);
    add(&f, CHANGE_DELETE, "1", NULL);
    CHECK_OK(run(&f, &err), err);
    CHECK_INT(journalled(&f, &due), 1);
    CHECK(due >= before + f.mapping.grace_ms);
    CHECK_OK(f.store->type->unknown_get(f.store, "items", &until, &err), err);
    CHECK(until >= before + f.mapping.grace_ms);
    end(&f);
}

static void
rule_19_an_unclean_end_journals_deletes_too(void **state UNUSED)
{
    struct fixture f;
    struct err err;
    int64_t due;

    begin_with(&f, CAPS, sample_mapping(), true);
    add(&f, CHANGE_DELETE, "1", NULL);
    CHECK_OK(run(&f, &err), err);
    CHECK_INT(journalled(&f, &due), 1);
    end(&f);
}

static void
rule_19_a_due_delete_is_repeated_at_its_own_version_and_forgotten(void **state UNUSED)
{
    struct mapping mapping = sample_mapping();
    struct fixture f;
    struct err err;
    int64_t due;

    mapping.grace_ms = 0;
    begin_with(&f, CAPS, mapping, true);
    f.delivery.late_until_ms = clock_wall_ms() + 30; /* a grace window of 30 ms */
    add(&f, CHANGE_DELETE, "1", NULL);
    add(&f, CHANGE_TRUNCATE, NULL, NULL);
    CHECK_OK(run(&f, &err), err);
    CHECK_INT(journalled(&f, &due), 2);
    CHECK_INT(f.delivery.repeat_ms, due);
    CHECK(gate_sleep(&f.gate, 40));
    CHECK_OK(delivery_repeat(&f.delivery, &err), err);
    CHECK_INT(journalled(&f, &due), 0);
    CHECK(strstr(mock_log(), "D1@100.1\nT@100.2\n"));
    CHECK_INT(mock_writes(), 4);
    CHECK_INT(f.delivery.repeat_ms, INT64_MAX);
    end(&f);
}

static void
rule_19_a_delete_of_an_id_with_a_dead_letter_waits_for_it(void **state UNUSED)
{
    struct fixture f;
    struct err err;
    int64_t due;

    begin(&f);
    mock_poison("1");
    add(&f, CHANGE_INSERT, "1", "a");
    CHECK_OK(run(&f, &err), err);
    mock_reset(CAPS);
    add(&f, CHANGE_DELETE, "1", NULL);
    add(&f, CHANGE_DELETE, "2", NULL);
    CHECK_OK(run(&f, &err), err);
    CHECK_INT(journalled(&f, &due), 1);
    CHECK_INT(due, INT64_MAX);
    end(&f);
}

static void
rule_19_a_dead_letter_does_not_put_off_a_repetition_that_has_its_time(void **state UNUSED)
{
    struct fixture f;
    struct err err;
    int64_t due;

    begin(&f);
    mock_poison("1");
    add(&f, CHANGE_INSERT, "1", "a");
    CHECK_OK(run(&f, &err), err);
    mock_reset(CAPS);
    mock_answer((struct mock_answer){.kind = ERR_TRANSIENT, .unknown = true});
    add(&f, CHANGE_DELETE, "1", NULL);
    CHECK_OK(run(&f, &err), err);
    CHECK_INT(journalled(&f, &due), 1);
    CHECK(due <= clock_wall_ms() + f.mapping.grace_ms);
    end(&f);
}

static void
rule_18_a_truncate_is_said_again_when_another_lane_is_in_doubt(void **state UNUSED)
{
    int64_t until = clock_wall_ms() + 60000, due;
    struct fixture f;
    struct err err;

    begin(&f);
    add(&f, CHANGE_TRUNCATE, NULL, NULL);
    CHECK_OK(run(&f, &err), err);
    CHECK_INT(journalled(&f, &due), 0);
    CHECK_OK(f.store->type->unknown_put(f.store, "items", until, &err), err);
    add(&f, CHANGE_DELETE, "1", NULL); /* an id has one lane, which knows of its own doubt */
    add(&f, CHANGE_TRUNCATE, NULL, NULL);
    CHECK_OK(run(&f, &err), err);
    CHECK_INT(journalled(&f, &due), 1);
    CHECK_INT(due, until);
    end(&f);
}

static void
rule_18_a_truncate_does_not_wait_for_dead_letters(void **state UNUSED)
{
    struct fixture f;
    struct err err;
    int64_t due;

    begin(&f);
    mock_poison("1");
    add(&f, CHANGE_INSERT, "1", "a");
    CHECK_OK(run(&f, &err), err);
    add(&f, CHANGE_TRUNCATE, NULL, NULL);
    CHECK_OK(run(&f, &err), err);
    CHECK_INT(journalled(&f, &due), 0);
    end(&f);
}

/* The disk is full, twice. */
static const struct store_type *sound;
static int failures;

static bool
unknown_put_later(struct store *store, const char *target, int64_t until_ms, struct err *err)
{
    if (failures-- > 0)
        return err_set(err, ERR_TRANSIENT, "disk full");
    return sound->unknown_put(store, target, until_ms, err);
}

static void
rule_19_doubt_waits_for_the_store_and_does_not_end_the_flow(void **state UNUSED)
{
    struct store_type full;
    struct fixture f;
    struct err err;
    int64_t until;

    begin(&f);
    sound = f.store->type;
    full = *sound;
    full.unknown_put = unknown_put_later;
    f.store->type = &full;
    failures = 2;
    mock_answer((struct mock_answer){.kind = ERR_TRANSIENT, .unknown = true});
    add(&f, CHANGE_DELETE, "1", NULL);
    CHECK_OK(run(&f, &err), err);
    CHECK_OK(sound->unknown_get(f.store, "items", &until, &err), err);
    CHECK(until > clock_wall_ms());
    f.store->type = sound;
    end(&f);
}

static void
rule_20_tombstones_and_unversioned_targets_need_no_journal(void **state UNUSED)
{
    for (int i = 0; i < 2; i++) {
        struct mapping mapping = sample_mapping();
        struct fixture f;
        struct err err;
        int64_t due;

        if (i == 0)
            mapping.deletes = DELETES_TOMBSTONE;
        else
            mapping.versioning = VERSIONING_NONE;
        begin_with(&f, CAPS, mapping, true);
        add(&f, CHANGE_DELETE, "1", NULL);
        CHECK_OK(run(&f, &err), err);
        CHECK_INT(journalled(&f, &due), 0);
        add(&f, CHANGE_TRUNCATE, NULL, NULL); /* leaves no tombstones */
        CHECK_OK(run(&f, &err), err);
        CHECK_INT(journalled(&f, &due), i == 0);
        end(&f);
    }
}

static void
rule_19_over_its_cap_the_journal_makes_the_lane_wait(void **state UNUSED)
{
    struct mapping mapping = sample_mapping();
    struct fixture f;
    struct err err;
    int64_t due;

    mapping.grace_ms = 0;
    begin_with(&f, CAPS, mapping, true);
    f.delivery.journal_max_bytes = 1;
    f.delivery.late_until_ms = clock_wall_ms() + 300;
    add(&f, CHANGE_DELETE, "1", NULL);
    CHECK_OK(run(&f, &err), err); /* empty: there is room */
    f.delivery.late_until_ms = clock_wall_ms() + 60000;
    add(&f, CHANGE_DELETE, "2", NULL);
    CHECK_OK(run(&f, &err), err); /* waits until the first has been repeated */
    CHECK_STR(mock_log(), "D1@100.1\nD2@200.1\nD1@100.1\n");
    CHECK_INT(journalled(&f, &due), 1);
    end(&f);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(writes_in_stream_order),
        cmocka_unit_test(rule_17_one_action_per_id_in_one_write),
        cmocka_unit_test(without_keyed_every_action_is_written),
        cmocka_unit_test(rule_18_truncate_stands_alone),
        cmocka_unit_test(transient_failures_are_tried_again_identically),
        cmocka_unit_test(config_failures_stop_and_leave_no_dead_letter),
        cmocka_unit_test(a_canceled_gate_ends_the_wait),
        cmocka_unit_test(rule_10_the_time_before_a_shut_gate_is_not_the_writes_time),
        cmocka_unit_test(rule_04_every_attempt_to_read_back_has_a_deadline_of_its_own),
        cmocka_unit_test(rule_30_a_read_back_that_is_too_large_is_done_in_parts_and_in_order),
        cmocka_unit_test(rule_16_bisects_to_the_poison_rows_and_keeps_the_rest_in_order),
        cmocka_unit_test(the_raw_event_is_kept),
        cmocka_unit_test(rule_30_of_a_long_value_only_its_length_is_kept),
        cmocka_unit_test(rule_16_sixteen_rows_that_fail_alike_are_a_configuration_error),
        cmocka_unit_test(rule_16_fifteen_of_fifteen_or_sixteen_of_seventeen_are_dead_letters),
        cmocka_unit_test(strict_stops_at_the_first_poison_row),
        cmocka_unit_test(defect_p2_07_a_row_without_an_id_is_a_dead_letter),
        cmocka_unit_test(rule_19_a_delete_after_a_definite_answer_needs_no_journal),
        cmocka_unit_test(
            rule_19_a_delete_after_an_unknown_outcome_is_journalled_until_the_grace_has_passed),
        cmocka_unit_test(rule_19_an_unclean_end_journals_deletes_too),
        cmocka_unit_test(rule_19_a_due_delete_is_repeated_at_its_own_version_and_forgotten),
        cmocka_unit_test(rule_19_a_delete_of_an_id_with_a_dead_letter_waits_for_it),
        cmocka_unit_test(rule_19_a_dead_letter_does_not_put_off_a_repetition_that_has_its_time),
        cmocka_unit_test(rule_18_a_truncate_is_said_again_when_another_lane_is_in_doubt),
        cmocka_unit_test(rule_18_a_truncate_does_not_wait_for_dead_letters),
        cmocka_unit_test(rule_19_doubt_waits_for_the_store_and_does_not_end_the_flow),
        cmocka_unit_test(rule_20_tombstones_and_unversioned_targets_need_no_journal),
        cmocka_unit_test(rule_19_over_its_cap_the_journal_makes_the_lane_wait),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
