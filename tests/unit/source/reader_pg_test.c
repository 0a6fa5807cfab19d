/* reader_pg: snapshots, and the statement that asks for them. */
#include "source/reader_pg.h"

#include "harness/check.h"

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

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rule_04_an_event_counts_once_its_transaction_is_visible),
        cmocka_unit_test(refuses_what_is_no_snapshot),
        cmocka_unit_test(rule_04_the_snapshot_comes_with_the_rows),
        cmocka_unit_test(ids_are_quoted_as_array_elements),
        cmocka_unit_test(asking_for_nothing_needs_no_server),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
