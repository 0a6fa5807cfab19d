/* pgoutput_events: sessions as lines of text, played and written down again as events. */
#include "source/pgoutput_events.h"

#include <stdlib.h>

#include "harness/check.h"
#include "harness/pgoutput.h"

#define USERS 16400
#define PARTS 16401

/* ---- playing ---- */

struct player {
    struct arena *arena;
    struct pgoutput_events *events;
    struct buf message;
    struct buf log; /* events as text */
    struct err err;
};

static int
set_up(void **state)
{
    struct player *p = calloc(1, sizeof(*p));

    p->arena = arena_new("test");
    p->events = arena_new_of(p->arena, struct pgoutput_events);
    p->message = buf_make(MEGABYTES(1));
    p->log = buf_make(MEGABYTES(1));
    pgoutput_events_init(p->events, p->arena);
    *state = p;
    return 0;
}

static int
tear_down(void **state)
{
    struct player *p = *state;

    pgoutput_events_done(p->events);
    buf_free(&p->message);
    buf_free(&p->log);
    arena_free(p->arena);
    free(p);
    return 0;
}

static void
put_row(struct buf *log, const char *tag, const struct value *values, size_t count)
{
    if (!values)
        return;
    buf_putf(log, " %s", tag);
    for (size_t i = 0; i < count; i++) {
        buf_put(log, i ? SPAN(",") : SPAN(" "));
        if (values[i].kind == VALUE_NULL)
            buf_putc(log, '~');
        else if (values[i].kind == VALUE_UNCHANGED)
            buf_putc(log, '^');
        else
            buf_put(log, value_span(&values[i]));
    }
}

static void
put_change(struct buf *log, const struct change *change, bool last)
{
    buf_putf(log, "%llu/%llu %s %.*s", (unsigned long long)change->position.commit,
             (unsigned long long)change->position.ordinal, change_op_names[change->op],
             SPAN_ARG(change->schema->name));
    put_row(log, "after", change->after, change->schema->count);
    put_row(log, change->before_is_key ? "key" : "before", change->before, change->schema->count);
    buf_put(log, last ? SPAN(" last\n") : SPAN("\n"));
}

static void
put_event(struct buf *log, const struct source_event *event)
{
    switch (event->type) {
    case SOURCE_BEGIN:
        buf_putf(log, "begin %llu xid %u\n", (unsigned long long)event->lsn, event->xid);
        return;
    case SOURCE_COMMIT:
        buf_putf(log, "commit %llu\n", (unsigned long long)event->lsn);
        return;
    case SOURCE_RELATION:
        buf_putf(log, "relation %.*s of %zu\n", SPAN_ARG(event->schema->name),
                 event->schema->count);
        return;
    case SOURCE_CHANGE:
        put_change(log, &event->change, event->truncate_last);
        return;
    case SOURCE_IDLE:
    case SOURCE_KEEPALIVE:
    case SOURCE_RENEW:
        fail_msg("event of type %d", event->type);
    }
}

/* Take the message that was built; its events go to the log. */
static bool
take(struct player *p)
{
    struct source_event event;
    bool has_event, good;

    good = pgoutput_events_take(p->events, buf_span(&p->message), &event, &has_event, &p->err);
    while (good && has_event) {
        put_event(&p->log, &event);
        good = pgoutput_events_more(p->events, &event, &has_event, &p->err);
    }
    buf_clear(&p->message);
    return good;
}

#define TAKE(p, call)                                                                              \
    do {                                                                                           \
        call;                                                                                      \
        CHECK_OK(take(p), (p)->err);                                                               \
    } while (0)

static void
check_log(struct player *p, const char *want)
{
    CHECK_STR(p->log.ptr ? p->log.ptr : "", want);
    buf_clear(&p->log);
}

static void
begin_with_users(struct player *p)
{
    TAKE(p, wire_begin(&p->message, 1000, 7));
    TAKE(p, wire_relation(&p->message, USERS, "users", 'd', "*id:23 name:25 bio:25"));
    check_log(p, "begin 1000 xid 7\nrelation users of 3\n");
}

/* ---- transactions and ordinals ---- */

static void
rule_01_every_change_has_its_ordinal(void **state)
{
    struct player *p = *state;

    begin_with_users(p);
    TAKE(p, wire_insert(&p->message, USERS, "1 ada ~"));
    TAKE(p, wire_insert(&p->message, USERS, "2 bob x"));
    TAKE(p, wire_update(&p->message, USERS, 0, NULL, "1 eva ^"));
    TAKE(p, wire_delete(&p->message, USERS, 'K', "2 ~ ~"));
    TAKE(p, wire_commit(&p->message, 1000, 1030));
    check_log(p, "1000/1 insert users after 1,ada,~\n"
                 "1000/2 insert users after 2,bob,x\n"
                 "1000/3 update users after 1,eva,^\n"
                 "1000/4 delete users key 2,^,^\n"
                 "commit 1030\n");
}

static void
rule_01_ordinals_begin_again_with_each_transaction(void **state)
{
    struct player *p = *state;

    begin_with_users(p);
    TAKE(p, wire_insert(&p->message, USERS, "1 ada ~"));
    TAKE(p, wire_commit(&p->message, 1000, 1030));
    TAKE(p, wire_begin(&p->message, 2000, 8));
    TAKE(p, wire_insert(&p->message, USERS, "2 bob ~"));
    TAKE(p, wire_commit(&p->message, 2000, 2030));
    check_log(p, "1000/1 insert users after 1,ada,~\ncommit 1030\n"
                 "begin 2000 xid 8\n2000/1 insert users after 2,bob,~\ncommit 2030\n");
}

static void
rule_01_a_truncate_counts_each_of_its_relations(void **state)
{
    static const uint32_t both[] = {USERS, PARTS};
    struct player *p = *state;

    begin_with_users(p);
    TAKE(p, wire_relation(&p->message, PARTS, "parts", 'd', "*id:23"));
    TAKE(p, wire_insert(&p->message, PARTS, "1"));
    TAKE(p, wire_truncate(&p->message, both, 2));
    TAKE(p, wire_insert(&p->message, PARTS, "2"));
    TAKE(p, wire_truncate(&p->message, both + 1, 1));
    TAKE(p, wire_commit(&p->message, 1000, 1030));
    check_log(p, "relation parts of 1\n"
                 "1000/1 insert parts after 1\n"
                 "1000/2 truncate users\n"
                 "1000/3 truncate parts last\n"
                 "1000/4 insert parts after 2\n"
                 "1000/5 truncate parts last\n"
                 "commit 1030\n");
}

/* The same messages in another connection: the same positions. */
static void
rule_01_a_replay_gives_the_same_positions(void **state)
{
    struct player *p = *state;
    static const char want[] = "1000/1 insert users after 1,ada,~\n1000/2 delete users key 1,^,^\n";

    begin_with_users(p);
    TAKE(p, wire_insert(&p->message, USERS, "1 ada ~"));
    TAKE(p, wire_delete(&p->message, USERS, 'K', "1 ~ ~"));
    check_log(p, want);
    pgoutput_events_restart(p->events); /* in the middle of the transaction */
    TAKE(p, wire_begin(&p->message, 1000, 7));
    TAKE(p, wire_relation(&p->message, USERS, "users", 'd', "*id:23 name:25 bio:25"));
    buf_clear(&p->log);
    TAKE(p, wire_insert(&p->message, USERS, "1 ada ~"));
    TAKE(p, wire_delete(&p->message, USERS, 'K', "1 ~ ~"));
    check_log(p, want);
}

static void
messages_origins_and_types_are_no_changes(void **state)
{
    struct player *p = *state;

    begin_with_users(p);
    buf_putc(&p->message, 'O');
    wire_u64(&p->message, 5);
    TAKE(p, wire_string(&p->message, "elsewhere"));
    buf_putc(&p->message, 'Y');
    wire_u32(&p->message, 16500);
    wire_string(&p->message, "public");
    TAKE(p, wire_string(&p->message, "mood"));
    buf_putc(&p->message, 'M');
    wire_u8(&p->message, 1);
    wire_u64(&p->message, 5);
    wire_string(&p->message, "prefix");
    wire_u32(&p->message, 0);
    CHECK_OK(take(p), p->err);
    check_log(p, "");
    TAKE(p, wire_insert(&p->message, USERS, "1 ada ~"));
    check_log(p, "1000/1 insert users after 1,ada,~\n");
}

static void
the_time_of_the_commit_is_on_every_event(void **state)
{
    struct player *p = *state;
    struct source_event event;
    bool has_event;

    begin_with_users(p);
    wire_insert(&p->message, USERS, "1 ada ~");
    CHECK_OK(pgoutput_events_take(p->events, buf_span(&p->message), &event, &has_event, &p->err),
             p->err);
    CHECK_INT(event.change.commit_us, WIRE_COMMIT_US);
    CHECK_INT(event.change.xid, 7);
}

/* ---- old rows ---- */

static void
a_key_leaves_the_other_columns_unknown(void **state)
{
    struct player *p = *state;

    begin_with_users(p);
    TAKE(p, wire_update(&p->message, USERS, 'K', "1 ~ ~", "2 ada ^"));
    check_log(p, "1000/1 update users after 2,ada,^ key 1,^,^\n");
}

static void
a_full_row_keeps_its_nulls(void **state)
{
    struct player *p = *state;

    TAKE(p, wire_begin(&p->message, 1000, 7));
    TAKE(p, wire_relation(&p->message, USERS, "users", 'f', "*id:23 *name:25"));
    TAKE(p, wire_update(&p->message, USERS, 'O', "1 ~", "1 ada"));
    TAKE(p, wire_delete(&p->message, USERS, 'O', "1 ada"));
    check_log(p, "begin 1000 xid 7\nrelation users of 2\n"
                 "1000/1 update users after 1,ada before 1,~\n"
                 "1000/2 delete users before 1,ada\n");
}

/* ---- relations ---- */

static void
rule_26_only_a_relation_that_differs_is_an_event(void **state)
{
    struct player *p = *state;

    begin_with_users(p);
    TAKE(p, wire_relation(&p->message, USERS, "users", 'd', "*id:23 name:25 bio:25"));
    check_log(p, ""); /* ANALYZE, CREATE INDEX, GRANT, another connection */
    TAKE(p, wire_relation(&p->message, USERS, "users", 'd', "*id:23 name:25 bio:25 age:23"));
    TAKE(p, wire_relation(&p->message, USERS, "users", 'd', "*id:23 name:25 bio:25 age:20"));
    TAKE(p, wire_relation(&p->message, USERS, "users", 'f', "*id:23 name:25 bio:25 age:20"));
    TAKE(p, wire_relation(&p->message, USERS, "people", 'f', "*id:23 name:25 bio:25 age:20"));
    check_log(p, "relation users of 4\nrelation users of 4\nrelation users of 4\n"
                 "relation people of 4\n");
}

static void
rule_26_a_version_seen_before_is_the_same_again(void **state)
{
    struct player *p = *state;
    struct source_event event;
    const struct schema *first;
    bool has_event;

    begin_with_users(p);
    first = relations_find(&p->events->relations, USERS);
    TAKE(p, wire_relation(&p->message, USERS, "users", 'd', "*id:23"));
    CHECK(relations_find(&p->events->relations, USERS) != first);
    pgoutput_events_restart(p->events); /* read again from before the ALTER */
    wire_relation(&p->message, USERS, "users", 'd', "*id:23 name:25 bio:25");
    CHECK_OK(pgoutput_events_take(p->events, buf_span(&p->message), &event, &has_event, &p->err),
             p->err);
    CHECK(has_event && event.schema == first);
}

/* ---- what breaks the protocol ---- */

static void
refuses_what_breaks_the_protocol(void **state)
{
    static const uint32_t unknown = 999;
    struct player *p = *state;

    wire_insert(&p->message, USERS, "1 ada ~");
    CHECK_FAILS(take(p), p->err, ERR_BUG, "pgoutput sent a change outside a transaction");
    wire_commit(&p->message, 1000, 1030);
    CHECK_FAILS(take(p), p->err, ERR_BUG, "pgoutput committed at 0/3E8 what it did not begin");

    begin_with_users(p);
    wire_begin(&p->message, 2000, 8);
    CHECK_FAILS(take(p), p->err, ERR_BUG, "pgoutput began transaction 8 inside transaction 7");
    wire_insert(&p->message, 999, "1");
    CHECK_FAILS(take(p), p->err, ERR_BUG,
                "pgoutput sent a change of relation 999 without describing it");
    wire_truncate(&p->message, &unknown, 1);
    CHECK_FAILS(take(p), p->err, ERR_BUG,
                "pgoutput sent a change of relation 999 without describing it");
    pgoutput_events_restart(p->events);
    TAKE(p, wire_begin(&p->message, 1000, 7));
    wire_insert(&p->message, USERS, "1 ada");
    CHECK_FAILS(take(p), p->err, ERR_BUG,
                "a row of public.users has 2 columns, its relation has 3");
    wire_delete(&p->message, USERS, 'K', "1 ~ ~ ~");
    CHECK_FAILS(take(p), p->err, ERR_BUG,
                "a row of public.users has 4 columns, its relation has 3");
    wire_commit(&p->message, 1001, 1030);
    CHECK_FAILS(take(p), p->err, ERR_BUG, "pgoutput committed at 0/3E9 what it did not begin");
}

static void
rule_29_prepared_and_streamed_transactions_are_refused(void **state)
{
    struct player *p = *state;

    buf_putc(&p->message, 'S');
    wire_u32(&p->message, 7);
    wire_u8(&p->message, 1);
    CHECK_FAILS(take(p), p->err, ERR_BUG,
                "pgoutput sent Stream Start, which protocol version 1 does not have");
    pgoutput_events_restart(p->events);
    buf_putc(&p->message, 'b');
    wire_u64(&p->message, 1000);
    wire_u64(&p->message, 1030);
    wire_u64(&p->message, 5);
    wire_u32(&p->message, 7);
    wire_string(&p->message, "gid");
    CHECK_FAILS(take(p), p->err, ERR_BUG,
                "pgoutput sent Begin Prepare, which protocol version 1 does not have");
}

#define PLAY(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        PLAY(rule_01_every_change_has_its_ordinal),
        PLAY(rule_01_ordinals_begin_again_with_each_transaction),
        PLAY(rule_01_a_truncate_counts_each_of_its_relations),
        PLAY(rule_01_a_replay_gives_the_same_positions),
        PLAY(messages_origins_and_types_are_no_changes),
        PLAY(the_time_of_the_commit_is_on_every_event),
        PLAY(a_key_leaves_the_other_columns_unknown),
        PLAY(a_full_row_keeps_its_nulls),
        PLAY(rule_26_only_a_relation_that_differs_is_an_event),
        PLAY(rule_26_a_version_seen_before_is_the_same_again),
        PLAY(refuses_what_breaks_the_protocol),
        PLAY(rule_29_prepared_and_streamed_transactions_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
