/* reader_pg: snapshots, and the statement that asks for them. */
#include "source/reader_pg.h"

#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "harness/check.h"
#include "harness/scripted_pg.h"

static void
rule_04_an_event_counts_once_its_transaction_is_visible(void **state UNUSED)
{
    static const struct {
        const char *snapshot;
        uint32_t xid;
        bool want;
    } cases[] = {
        {"100:100:", 99, true},      /* before xmin */
        {"100:100:", 100, false},    /* not begun for this snapshot */
        {"100:105:", 102, true},     /* between, and not in progress */
        {"100:105:102", 102, false}, /* sent, not visible yet */
        {"100:105:101,102,103", 102, false},
        {"100:105:101,103", 102, true},
        {"100:105:100", 99, true},
        {"100:105:100", 105, false}, /* from xmax on everything is in the future */
        {"100:105:100", 200, false},
        {"100:105:1020", 102, true}, /* not a prefix of a number */
        /* the upper half comes from the snapshot: epochs 1 and 2 */
        {"4294967400:4294967500:", 99, true},
        {"4294967400:4294967500:4294967450", 154, false},
        {"4294967400:4294967500:4294967450", 155, true},
        {"4294967400:4294967500:", 204, false},
        {"4294967290:4294967310:", 4294967289, true}, /* before the turn */
        {"4294967290:4294967310:4294967292", 4294967292, false},
        {"4294967290:4294967310:4294967297", 1, false}, /* behind it */
        {"4294967290:4294967310:4294967292", 1, true},
        {"4294967290:4294967310:", 20, false},
        {"8589934600:8589934700:", 50, true},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        bool got = false;

        CHECK(snapshot_sees(span_of(cases[i].snapshot), cases[i].xid, &got));
        if (got != cases[i].want)
            fail_msg("%s, xid %u: got %d, want %d", cases[i].snapshot, cases[i].xid, got,
                     cases[i].want);
    }
}

static void
refuses_what_is_no_snapshot(void **state UNUSED)
{
    static const char *const texts[] = {"", "1", "1:", ":1:", "a:2:", "1:b:", "1:2:x", "1:2:3,,4"};
    bool visible;

    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        if (snapshot_sees(span_of(texts[i]), 1, &visible))
            fail_msg("\"%s\" taken for a snapshot", texts[i]);
    }
}

static const struct mapping_column columns[] = {
    {.name = "name", .type = {.name = "text"}},
    {.name = "Weird \"id\"", .type = {.name = "numeric(10,2)"}},
};
static const struct table plain = {.kind = 'r'}, partitioned = {.kind = 'p'};

static void
rule_04_the_snapshot_comes_with_the_rows(void **state UNUSED)
{
    CLEANUP(buf_free) struct buf out = buf_make(10000);
    struct mapping mapping = {
        .schema = "public",
        .table = "users",
        .columns = columns,
        .column_count = 2,
        .id_column = 1,
        .source = &plain,
    };

    reader_sql(&mapping, &out);
    CHECK_STR(out.ptr, "SELECT r.n, CASE r.n WHEN 1 THEN pg_catalog.pg_current_snapshot() END, "
                       "t.\"Weird \"\"id\"\"\", t.\"name\", t.\"Weird \"\"id\"\"\" "
                       "FROM pg_catalog.unnest($1::numeric(10,2)[]) WITH ORDINALITY AS r(id, n) "
                       "LEFT JOIN ONLY \"public\".\"users\" AS t ON t.\"Weird \"\"id\"\"\" = r.id");
    buf_clear(&out);
    mapping.source = &partitioned;
    reader_sql(&mapping, &out);
    CHECK(strstr(out.ptr, "LEFT JOIN \"public\".\"users\"")); /* all of its partitions */
}

static void
ids_are_quoted_as_array_elements(void **state UNUSED)
{
    static const struct reader_request requests[] = {
        {.id = SPAN_INIT("1")},           {.id = SPAN_INIT("a,b")}, {.id = SPAN_INIT("{\"x\"}")},
        {.id = SPAN_INIT("back\\slash")}, {.id = SPAN_INIT("")},    {.id = SPAN_INIT("NULL")},
    };
    CLEANUP(buf_free) struct buf out = buf_make(10000);

    reader_ids(requests, ARRAY_LEN(requests), &out);
    CHECK_STR(out.ptr, "{\"1\",\"a,b\",\"{\\\"x\\\"}\",\"back\\\\slash\",\"\",\"NULL\"}");
    buf_clear(&out);
    reader_ids(requests, 0, &out);
    CHECK_STR(out.ptr, "{}");
}

static void
asking_for_nothing_needs_no_server(void **state UNUSED)
{
    const struct source_settings settings = {.conninfo = "host=/nonexistent"};
    const struct reader_wait wait = {.cancel_fd = -1};
    const struct mapping mapping = {.source = &plain};
    CLEANUP(arena_freep) struct arena *arena = arena_new("test");
    struct reader *reader = reader_pg_new(&settings);
    struct err err;

    CHECK_OK(reader->type->read(reader, &mapping, NULL, 0, &wait, arena, &err), err);
    reader_close(reader);
}

/* ---- against a server ---- */

struct bench {
    struct arena *arena;
    struct scripted_pg *peer;
    struct source_settings settings;
    struct reader *reader;
    struct reader_request requests[2];
    struct err err;
};

static const struct mapping users = {
    .schema = "public",
    .table = "users",
    .columns = columns,
    .column_count = 2,
    .id_column = 1,
    .source = &plain,
};

static struct bench *
bench_new(const struct pg_rule *rules, size_t count)
{
    struct bench *b = calloc(1, sizeof(*b));

    CHECK(b);
    b->peer = scripted_pg_start(rules, count);
    b->arena = arena_new("test");
    b->settings.conninfo = scripted_pg_conninfo(b->peer);
    b->reader = reader_pg_new(&b->settings);
    b->requests[0] = (struct reader_request){.id = SPAN("1"), .xid = 102};
    b->requests[1] = (struct reader_request){.id = SPAN("2"), .xid = 90};
    return b;
}

static void
bench_freep(struct bench **b)
{
    reader_close((*b)->reader);
    scripted_pg_stop((*b)->peer);
    arena_free((*b)->arena);
    free(*b);
}

static bool
read_both(struct bench *b, int64_t wait_ms)
{
    const struct reader_wait wait = {
        .deadline_ms = clock_mono_ms() + wait_ms, .cancel_fd = -1, .max_bytes = 100};

    return b->reader->type->read(b->reader, &users, b->requests, 2, &wait, b->arena, &b->err);
}

/* Number, snapshot (with the first id), id, then the image. */
#define SETTINGS                                                                                   \
    {                                                                                              \
        .on = "row_security = off"                                                                 \
    }

static void
rule_04_rows_and_their_absence_are_answered(void **state UNUSED)
{
    static const struct pg_rule rules[] = {
        SETTINGS,
        {.on = "unnest", .rows = "2|~|~|~|~\n1|100:105:|1|ada|1"},
    };
    CLEANUP(bench_freep) struct bench *b = bench_new(rules, ARRAY_LEN(rules));

    CHECK_OK(read_both(b, 5000), b->err);
    CHECK_SPAN(value_span(&b->requests[0].image[0]), "ada");
    CHECK_INT(b->requests[0].image[0].kind, VALUE_TEXT);
    CHECK(!b->requests[1].image); /* no such row */
    CHECK_OK(read_both(b, 5000), b->err);
    CHECK_INT(scripted_pg_count(b->peer, "row_security"), 1); /* one session */
}

static void
rule_04_a_read_before_the_commit_is_visible_is_repeated(void **state UNUSED)
{
    static const struct pg_rule rules[] = {
        SETTINGS,
        {.on = "unnest", .rows = "1|100:105:102|1|old|1\n2|~|2|x|2", .times = 3},
        {.on = "unnest", .rows = "1|103:105:|1|new|1\n2|~|~|~|~"},
    };
    CLEANUP(bench_freep) struct bench *b = bench_new(rules, ARRAY_LEN(rules));
    int64_t begin_ms = clock_mono_ms();

    CHECK_OK(read_both(b, 5000), b->err);
    CHECK_SPAN(value_span(&b->requests[0].image[0]), "new");
    CHECK(!b->requests[1].image); /* the whole answer is of one snapshot */
    CHECK_INT(scripted_pg_count(b->peer, "unnest"), 4);
    CHECK(clock_mono_ms() - begin_ms >= 5 + 10 + 20); /* growing pauses */
}

static void
rule_30_several_rows_over_the_ceiling_are_refused_and_one_is_not(void **state UNUSED)
{
#define SIXTY "123456789012345678901234567890123456789012345678901234567890"
    static const struct pg_rule rules[] = {
        SETTINGS,
        {.on = "unnest", .rows = "1|100:101:|1|" SIXTY "|1\n2|~|2|" SIXTY "|2", .times = 1},
        SETTINGS,
        {.on = "unnest", .rows = "1|103:105:|1|" SIXTY SIXTY "|1"},
    };
    CLEANUP(bench_freep) struct bench *b = bench_new(rules, ARRAY_LEN(rules));
    const struct reader_wait wait = {
        .deadline_ms = clock_mono_ms() + 5000, .cancel_fd = -1, .max_bytes = 100};

    CHECK(!read_both(b, 5000));
    CHECK_INT(b->err.kind, ERR_DATA);
    CHECK(strstr(b->err.text, "more than 100 bytes at once"));
    CHECK_OK(b->reader->type->read(b->reader, &users, b->requests, 1, &wait, b->arena, &b->err),
             b->err);
    CHECK_SPAN(value_span(&b->requests[0].image[0]), SIXTY SIXTY);
#undef SIXTY
}

static void
rule_04_the_wait_has_a_deadline_and_a_name(void **state UNUSED)
{
    static const struct pg_rule rules[] = {
        SETTINGS,
        {.on = "unnest", .rows = "1|100:105:102|1|old|1\n2|~|2|x|2"},
    };
    CLEANUP(bench_freep) struct bench *b = bench_new(rules, ARRAY_LEN(rules));

    CHECK(!read_both(b, 60));
    CHECK_INT(b->err.kind, ERR_TRANSIENT);
    CHECK(strstr(b->err.text, "public.users"));
    CHECK(strstr(b->err.text, "transaction 102 has been sent but is not visible yet"));
    CHECK(strstr(b->err.text, "synchronous_standby_names"));
}

static void
the_wait_can_be_stopped(void **state UNUSED)
{
    static const struct pg_rule rules[] = {
        SETTINGS,
        {.on = "unnest", .rows = "1|100:105:102|1|old|1\n2|~|2|x|2"},
    };
    CLEANUP(bench_freep) struct bench *b = bench_new(rules, ARRAY_LEN(rules));
    struct reader_wait wait = {.max_bytes = 100,
                               .deadline_ms = clock_mono_ms() + 60000,
                               .cancel_fd = eventfd(1, EFD_CLOEXEC)};

    CHECK(!b->reader->type->read(b->reader, &users, b->requests, 2, &wait, b->arena, &b->err));
    CHECK_INT(b->err.kind, ERR_CANCELED);
    close(wait.cancel_fd);
}

static void
a_table_that_is_gone_is_no_matter_of_retrying(void **state UNUSED)
{
    static const char *const errors[] = {"42P01 relation \"users\" does not exist",
                                         "42703 column \"name\" does not exist",
                                         "42501 query would be affected by row-level security"};

    for (size_t i = 0; i < ARRAY_LEN(errors); i++) {
        const struct pg_rule rules[] = {SETTINGS, {.on = "unnest", .error = errors[i]}};
        CLEANUP(bench_freep) struct bench *b = bench_new(rules, ARRAY_LEN(rules));

        CHECK(!read_both(b, 5000));
        CHECK_INT(b->err.kind, ERR_CONFIG);
    }
}

static void
a_lost_connection_is_made_again(void **state UNUSED)
{
    static const struct pg_rule rules[] = {
        SETTINGS,
        {.on = "unnest", .deed = PG_DROP, .times = 1},
        {.on = "unnest", .rows = "1|103:105:|1|new|1\n2|~|~|~|~"},
    };
    CLEANUP(bench_freep) struct bench *b = bench_new(rules, ARRAY_LEN(rules));

    CHECK(!read_both(b, 5000));
    CHECK_INT(b->err.kind, ERR_TRANSIENT);
    CHECK_OK(read_both(b, 5000), b->err);
    CHECK_INT(scripted_pg_count(b->peer, "row_security"), 2);
}

static void
refuses_answers_that_make_no_sense(void **state UNUSED)
{
    static const char *const answers[] = {
        "",                            /* no row at all, so no snapshot */
        "2|~|~|~|~",                   /* not the first */
        "1|nonsense|1|x|1\n2|~|~|~|~", /* no snapshot */
        "1|100:105:|1|x|1\n3|~|~|~|~", /* nobody asked for a third */
        "0|100:105:|1|x|1",
    };

    for (size_t i = 0; i < ARRAY_LEN(answers); i++) {
        const struct pg_rule rules[] = {SETTINGS, {.on = "unnest", .rows = answers[i]}};
        CLEANUP(bench_freep) struct bench *b = bench_new(rules, ARRAY_LEN(rules));

        CHECK(!read_both(b, 5000));
        CHECK_INT(b->err.kind, ERR_BUG);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rule_04_an_event_counts_once_its_transaction_is_visible),
        cmocka_unit_test(refuses_what_is_no_snapshot),
        cmocka_unit_test(rule_04_the_snapshot_comes_with_the_rows),
        cmocka_unit_test(ids_are_quoted_as_array_elements),
        cmocka_unit_test(asking_for_nothing_needs_no_server),
        cmocka_unit_test(rule_04_rows_and_their_absence_are_answered),
        cmocka_unit_test(rule_04_a_read_before_the_commit_is_visible_is_repeated),
        cmocka_unit_test(rule_30_several_rows_over_the_ceiling_are_refused_and_one_is_not),
        cmocka_unit_test(rule_04_the_wait_has_a_deadline_and_a_name),
        cmocka_unit_test(the_wait_can_be_stopped),
        cmocka_unit_test(a_table_that_is_gone_is_no_matter_of_retrying),
        cmocka_unit_test(a_lost_connection_is_made_again),
        cmocka_unit_test(refuses_answers_that_make_no_sense),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
