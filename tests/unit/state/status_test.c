/* status: what follows from the facts, and both forms of it. */
#include "state/status.h"

#include "base/json.h"
#include "contract/store.h"
#include "harness/check.h"
#include "state/heartbeat.h"

#define NOW INT64_C(1767323045678) /* 2026-01-02T03:04:05.678Z */

struct facts {
    struct status status;
    struct store_flow flow;
    struct heartbeat beat;
    struct status_slot slot;
    struct store_checkpoint checkpoints[2];
    struct status_mapping mappings[2];
};

/* A run that goes well. */
static void
make(struct facts *f)
{
    *f = (struct facts){
        .flow = {.system_id = "7412369854123698541",
                 .timeline = 1,
                 .database = "shop",
                 .slot = "puffgres",
                 .publication = "puffgres",
                 .checkpoint = 0x1000000,
                 .has_started = true},
        .beat = {.pid = 4242,
                 .started_ms = NOW - 7980000,
                 .written_ms = NOW - 300,
                 .streaming = true,
                 .received = 0x1100000,
                 .durable = 0x1000000,
                 .checkpoint = 0x1000000,
                 .flush = 0x1000000,
                 .lag_bytes = 0x100000,
                 .lag_ms = 900,
                 .memory_bytes = 4096,
                 .last_flush_ms = NOW - 1200,
                 .last_commit_ms = NOW - 700},
        .slot = {.name = "puffgres",
                 .exists = true,
                 .active = true,
                 .confirmed_flush = 0x1000000,
                 .restart = 0xF00000,
                 .retained_bytes = 0x200000,
                 .wal_status = "reserved"},
        .checkpoints =
            {{.mapping = "orders", .lsn = 0x1000000, .text = ""},
             {.mapping = "users", .lsn = 0x1080000, .flags = STORE_BACKFILLED, .text = ""}},
    };
    f->beat.counts[HEARTBEAT_EVENTS] = 120400;
    f->beat.counts[HEARTBEAT_BATCHES] = 310;
    f->beat.counts[HEARTBEAT_UPSERTS] = 100000;
    f->beat.counts[HEARTBEAT_DELETES] = 400;
    f->beat.counts[HEARTBEAT_BYTES] = 5 << 20;
    f->beat.counts[HEARTBEAT_RETRIES] = 3;
    f->beat.rates[HEARTBEAT_EVENTS] = 1204.4;
    f->beat.rates[HEARTBEAT_BATCHES] = 3.1;
    f->beat.rates[HEARTBEAT_UPSERTS] = 1000;
    f->beat.rates[HEARTBEAT_BYTES] = 53000;
    f->mappings[0] = (struct status_mapping){"orders", 2, "shop-orders", &f->checkpoints[0], 0, 0};
    f->mappings[1] = (struct status_mapping){"users", 1, "shop-users", &f->checkpoints[1], 5, 12};
    f->status = (struct status){
        .now_ms = NOW,
        .persistent = true,
        .flow = &f->flow,
        .heartbeat = &f->beat,
        .liveness = STATUS_RUNNING,
        .server_lsn = 0x1200000,
        .slot = &f->slot,
        .mappings = f->mappings,
        .mapping_count = 2,
        .dead_letters = 5,
    };
}

static void
check_text(const struct facts *f, const char *want)
{
    CLEANUP(buf_free) struct buf out = buf_make(10000);
    CLEANUP(arena_freep) struct arena *scratch = arena_new("test");

    status_text(&f->status, scratch, &out);
    CHECK_SPAN(buf_span(&out), want);
}

/* One line of the text. */
static void
check_line(const struct facts *f, const char *want)
{
    CLEANUP(buf_free) struct buf out = buf_make(10000);
    CLEANUP(arena_freep) struct arena *scratch = arena_new("test");

    status_text(&f->status, scratch, &out);
    if (!strstr(out.ptr, want))
        fail_msg("got\n%s\nwant in it\n%s", out.ptr, want);
}

/* ---- what follows ---- */

static void
lag_in_bytes_is_from_the_checkpoint_to_the_server(void **state UNUSED)
{
    static const struct {
        lsn_t server, checkpoint;
        bool running, has_bytes;
        uint64_t want;
    } cases[] = {
        {0x300, 0x100, true, true, 0x200},
        {0x300, 0x100, false, true, 0x200},
        {0x300, 0x300, true, true, 0},
        {0x300, 0x400, true, true, 0},    /* the server was asked a moment before the store */
        {0, 0x100, true, true, 0x100000}, /* what the run said */
        {0, 0x100, false, false, 0},
        {0x300, 0, false, false, 0},
    };
    struct facts f;

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct status_lag got;

        make(&f);
        f.status.server_lsn = cases[i].server;
        f.flow.checkpoint = cases[i].checkpoint;
        f.status.liveness = cases[i].running ? STATUS_RUNNING : STATUS_STOPPED;
        got = status_lag(&f.status);
        CHECK_INT(got.has_bytes, cases[i].has_bytes);
        CHECK_INT(got.bytes, cases[i].want);
    }
}

static void
lag_in_time_grows_while_nothing_is_told(void **state UNUSED)
{
    static const struct {
        int64_t lag_ms, written_ago_ms, want;
    } cases[] = {
        {900, 300, 1200},
        {900, 60000, 60900}, /* stuck */
        {0, 60000, 0},       /* idle */
        {900, -500, 900},    /* clocks of two machines */
    };
    struct facts f;

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        make(&f);
        f.beat.lag_ms = cases[i].lag_ms;
        f.beat.written_ms = NOW - cases[i].written_ago_ms;
        CHECK(status_lag(&f.status).has_ms);
        CHECK_INT(status_lag(&f.status).ms, cases[i].want);
    }
    f.status.liveness = STATUS_STOPPED;
    CHECK(!status_lag(&f.status).has_ms);
    f.status.liveness = STATUS_RUNNING;
    f.status.heartbeat = NULL;
    CHECK(!status_lag(&f.status).has_ms);
}

static void
rule_26_a_stopped_mapping_is_named_as_the_holder(void **state UNUSED)
{
    struct facts f;

    make(&f);
    CHECK(!status_holder(&f.status).mapping);
    heartbeat_set_text(f.beat.holder, sizeof(f.beat.holder), "users");
    heartbeat_set_text(f.beat.holder_reason, sizeof(f.beat.holder_reason), "writing");
    CHECK_STR(status_holder(&f.status).mapping, "users");
    CHECK_STR(status_holder(&f.status).reason, "writing");
    f.checkpoints[1].flags = STORE_STOPPED;
    f.checkpoints[1].text = "column email is gone";
    CHECK_STR(status_holder(&f.status).mapping, "users");
    CHECK_STR(status_holder(&f.status).reason, "column email is gone");
    f.checkpoints[0].flags = STORE_STOPPED | STORE_BACKFILLED; /* farther behind */
    f.checkpoints[0].text = "table orders is gone";
    CHECK_STR(status_holder(&f.status).mapping, "orders");
    f.status.liveness = STATUS_STOPPED; /* also after the run */
    CHECK_STR(status_holder(&f.status).mapping, "orders");
    check_line(&f, "held by       mapping orders: table orders is gone\n");
    f.checkpoints[0].flags = f.checkpoints[1].flags = 0;
    CHECK(!status_holder(&f.status).mapping);
}

static void
every_mapping_has_a_state(void **state UNUSED)
{
    static const struct {
        unsigned flags;
        const char *want;
    } cases[] = {
        {STORE_BACKFILLED, "ok"},
        {0, "older rows not loaded"},
        {STORE_REREAD_NEEDED, "re-read needed"},
        {STORE_REREAD_NEEDED | STORE_BACKFILLED, "re-read needed"},
        {STORE_STOPPED | STORE_REREAD_NEEDED | STORE_BACKFILLED, "stopped"},
    };
    struct store_checkpoint checkpoint = {.mapping = "users", .text = ""};
    struct status_mapping mapping = {.name = "users", .target = "users"};

    CHECK_STR(status_mapping_state(&mapping), "not started");
    mapping.checkpoint = &checkpoint;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        checkpoint.flags = cases[i].flags;
        CHECK_STR(status_mapping_state(&mapping), cases[i].want);
    }
}

/* ---- for people ---- */

static void
a_run_that_goes_well(void **state UNUSED)
{
    struct facts f;

    make(&f);
    check_text(
        &f,
        "run           running, process 4242, since 2026-01-02T00:51:05.678Z (2h 13m ago)\n"
        "flow          shop, slot puffgres, publication puffgres\n"
        "checkpoint    0/1000000\n"
        "lag           2.0 MiB behind 0/1200000, 1.2s\n"
        "slot          puffgres, active, confirmed 0/1000000, restarts at 0/F00000, keeps 2.0 MiB "
        "of WAL (reserved)\n"
        "rates         1204 events/s, 3.1 batches/s, 1000 upserts/s, 0 deletes/s, 51.8 KiB/s\n"
        "total         120400 events, 310 batches, 100000 upserts, 400 deletes, 5.0 MiB since its "
        "start\n"
        "last flush    2026-01-02T03:04:04.478Z (1.2s ago)\n"
        "retries       3\n"
        "dead letters  5\n"
        "\n"
        "MAPPING  VERSION  TARGET       CHECKPOINT  DEAD LETTERS  JOURNAL  STATE\n"
        "orders         2  shop-orders  0/1000000              0        0  older rows not loaded\n"
        "users          1  shop-users   0/1080000              5       12  ok\n");
}

static void
nothing_has_ever_run(void **state UNUSED)
{
    struct facts f;

    make(&f);
    f.flow = (struct store_flow){.system_id = "", .database = "", .slot = "", .publication = ""};
    f.slot = (struct status_slot){.name = "puffgres"};
    f.status.heartbeat = NULL;
    f.status.liveness = STATUS_STOPPED;
    f.status.mapping_count = 0;
    f.status.dead_letters = 0;
    check_text(&f, "run           not running\n"
                   "checkpoint    none yet\n"
                   "slot          puffgres does not exist\n"
                   "dead letters  0\n");
}

static void
rule_10_liveness_is_not_read_from_the_heartbeat(void **state UNUSED)
{
    struct facts f;

    make(&f); /* with a record that is 300 ms old */
    f.status.liveness = STATUS_STOPPED;
    check_line(&f, "run           not running, the last run did not end in order\n");
    check_line(&f, "rates         0 events/s, 0 batches/s, 0 upserts/s, 0 deletes/s, 0 B/s\n");
    f.flow.clean_end = true;
    check_line(&f, "run           not running, the last run ended in order\n");
    make(&f);
    f.beat.written_ms = NOW - 3600000; /* idle for an hour */
    f.beat.lag_ms = 0;
    check_line(&f, "run           running, process 4242,");
    check_line(&f, "rates         0 events/s");
    check_line(&f, "lag           2.0 MiB behind 0/1200000, 0ms\n");
}

static void
trouble_is_told(void **state UNUSED)
{
    struct facts f;

    make(&f);
    f.beat.streaming = false;
    f.beat.last_flush_ms = 0;
    f.flow.epoch = 3;
    f.slot.wal_status = NULL;
    heartbeat_set_text(f.beat.retrying, sizeof(f.beat.retrying), "429: slow\ndown");
    heartbeat_add_error(&f.beat, NOW - 5000, "", "connection refused");
    heartbeat_add_error(&f.beat, NOW - 1000, "users", "vector \x1b[2J");
    check_line(&f, "(2h 13m ago), not connected to the source\n");
    check_line(&f, "publication puffgres, epoch 3\n");
    check_line(&f, "keeps 2.0 MiB of WAL\n");
    check_line(&f, "last flush    none yet\n");
    check_line(&f, "retries       3, now: 429: slow down\n");
    check_line(&f, "\nlast errors\n"
                   "  2026-01-02T03:04:04.678Z users: vector  [2J\n"
                   "  2026-01-02T03:04:00.678Z connection refused\n");
}

static void
a_source_that_does_not_answer(void **state UNUSED)
{
    struct facts f;

    make(&f);
    f.status.liveness = STATUS_UNKNOWN;
    f.status.source_error = "connection refused";
    f.status.server_lsn = 0;
    f.status.slot = NULL;
    check_line(&f, "run           unknown\n"
                   "source        not reachable: connection refused\n"
                   "flow          shop, slot puffgres, publication puffgres\n"
                   "checkpoint    0/1000000\n"
                   "rates         0 events/s");
}

static void
memory_says_that_nothing_is_stored(void **state UNUSED)
{
    struct facts f;

    make(&f);
    f.flow = (struct store_flow){.system_id = "", .database = "", .slot = "", .publication = ""};
    f.status.persistent = false;
    f.status.heartbeat = NULL;
    f.status.mapping_count = 0;
    check_text(&f, "run           running\n"
                   "state         none is stored: [state] backend is \"memory\"\n"
                   "slot          puffgres, active, confirmed 0/1000000, restarts at 0/F00000, "
                   "keeps 2.0 MiB of WAL (reserved)\n");
}

/* ---- JSON ---- */

static void
json_has_it_all(void **state UNUSED)
{
    CLEANUP(buf_free) struct buf out = buf_make(10000);
    CLEANUP(arena_freep) struct arena *scratch = arena_new("test");
    struct facts f;

    make(&f);
    heartbeat_set_text(f.beat.retrying, sizeof(f.beat.retrying), "429");
    heartbeat_add_error(&f.beat, NOW, "users", "no");
    f.checkpoints[0].flags = STORE_STOPPED;
    f.checkpoints[0].text = "table orders is gone";
    status_json(&f.status, scratch, &out);
    CHECK_SPAN(
        buf_span(&out),
        "{\"state\":\"running\",\"stored\":true,\"source_error\":null,"
        "\"flow\":{\"started\":true,\"database\":\"shop\",\"slot\":\"puffgres\","
        "\"publication\":\"puffgres\",\"system_id\":\"7412369854123698541\",\"timeline\":1,"
        "\"epoch\":0,\"clean_end\":false},"
        "\"checkpoint\":\"0/1000000\",\"server_lsn\":\"0/1200000\","
        "\"lag\":{\"bytes\":2097152,\"seconds\":1.200},"
        "\"slot\":{\"name\":\"puffgres\",\"exists\":true,\"active\":true,"
        "\"confirmed_flush_lsn\":\"0/1000000\",\"restart_lsn\":\"0/F00000\","
        "\"retained_bytes\":2097152,\"wal_status\":\"reserved\"},"
        "\"held_by\":{\"mapping\":\"orders\",\"reason\":\"table orders is gone\"},"
        "\"run\":{\"pid\":4242,\"started_at\":\"2026-01-02T00:51:05.678Z\","
        "\"heartbeat_at\":\"2026-01-02T03:04:05.378Z\",\"streaming\":true,"
        "\"received_lsn\":\"0/1100000\",\"durable_lsn\":\"0/1000000\",\"flush_lsn\":\"0/1000000\","
        "\"counts\":{\"transactions\":0,\"events\":120400,\"rows\":0,\"batches\":310,"
        "\"upserts\":100000,\"deletes\":400,\"requests\":0,\"bytes\":5242880,\"retries\":3,"
        "\"dead_letters\":0,\"read_backs\":0,\"journalled\":0,\"reconnects\":0},"
        "\"rates\":{\"transactions\":0.0,\"events\":1204.4,\"rows\":0.0,\"batches\":3.1,"
        "\"upserts\":1000.0,\"deletes\":0.0,\"requests\":0.0,\"bytes\":53000.0,\"retries\":0.0,"
        "\"dead_letters\":0.0,\"read_backs\":0.0,\"journalled\":0.0,\"reconnects\":0.0},"
        "\"retrying\":\"429\",\"last_flush_at\":\"2026-01-02T03:04:04.478Z\","
        "\"last_commit_at\":\"2026-01-02T03:04:04.978Z\",\"memory_bytes\":4096},"
        "\"dead_letters\":5,"
        "\"mappings\":[{\"name\":\"orders\",\"version\":2,\"target\":\"shop-orders\","
        "\"checkpoint\":\"0/1000000\",\"state\":\"stopped\",\"reason\":\"table orders is gone\","
        "\"backfilled\":false,\"dead_letters\":0,\"journal_entries\":0},"
        "{\"name\":\"users\",\"version\":1,\"target\":\"shop-users\","
        "\"checkpoint\":\"0/1080000\",\"state\":\"ok\",\"reason\":null,"
        "\"backfilled\":true,\"dead_letters\":5,\"journal_entries\":12}],"
        "\"errors\":[{\"at\":\"2026-01-02T03:04:05.678Z\",\"mapping\":\"users\",\"text\":\"no\"}]}"
        "\n");
}

static void
json_says_null_for_what_is_not_known(void **state UNUSED)
{
    static const char *const nulls[] = {"checkpoint", "server_lsn", "slot", "held_by", "run"};
    CLEANUP(buf_free) struct buf out = buf_make(10000);
    CLEANUP(arena_freep) struct arena *scratch = arena_new("test");
    struct facts f;
    struct json *parsed;
    struct err err;

    make(&f);
    f.flow = (struct store_flow){.system_id = "", .database = "", .slot = "", .publication = ""};
    f.mappings[0].checkpoint = NULL;
    f.status = (struct status){.now_ms = NOW,
                               .flow = &f.flow,
                               .mappings = f.mappings,
                               .mapping_count = 1,
                               .source_error = "refused \xFF"};
    status_json(&f.status, scratch, &out);
    CHECK_OK(json_parse(buf_span(&out), scratch, &parsed, &err), err);
    for (size_t i = 0; i < ARRAY_LEN(nulls); i++)
        CHECK_INT(json_get(parsed, nulls[i])->type, JSON_NULL);
    CHECK_SPAN(json_get(parsed, "state")->text, "unknown");
    CHECK(!json_get(parsed, "stored")->yes);
    CHECK_SPAN(json_get(parsed, "source_error")->text, "refused ?");
    CHECK_INT(json_get(json_get(parsed, "lag"), "bytes")->type, JSON_NULL);
    CHECK_INT(json_get(json_get(parsed, "lag"), "seconds")->type, JSON_NULL);
    CHECK_INT(json_get(json_get(parsed, "mappings")->first, "checkpoint")->type, JSON_NULL);
    CHECK_SPAN(json_get(json_get(parsed, "mappings")->first, "state")->text, "not started");
    CHECK_INT(json_get(parsed, "errors")->count, 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lag_in_bytes_is_from_the_checkpoint_to_the_server),
        cmocka_unit_test(lag_in_time_grows_while_nothing_is_told),
        cmocka_unit_test(rule_26_a_stopped_mapping_is_named_as_the_holder),
        cmocka_unit_test(every_mapping_has_a_state),
        cmocka_unit_test(a_run_that_goes_well),
        cmocka_unit_test(nothing_has_ever_run),
        cmocka_unit_test(rule_10_liveness_is_not_read_from_the_heartbeat),
        cmocka_unit_test(trouble_is_told),
        cmocka_unit_test(a_source_that_does_not_answer),
        cmocka_unit_test(memory_says_that_nothing_is_stored),
        cmocka_unit_test(json_has_it_all),
        cmocka_unit_test(json_says_null_for_what_is_not_known),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
