/* preflight: poolers by their addresses, and one finding per fault of a scripted server. */
#include "source/preflight.h"

#include "base/clock.h"
#include "harness/check.h"
#include "harness/scripted_pg.h"
#include "pg/session.h"

static void
knows_poolers(void **state UNUSED)
{
    static const struct {
        const char *host, *port, *want; /* part of the name; NULL: no pooler */
    } cases[] = {
        {"ep-cool-1-pooler.eu-central-1.aws.neon.tech", "5432", "Neon"},
        {"ep-cool-1.eu-central-1.aws.neon.tech", "5432", NULL},
        {"aws-0-eu-central-1.pooler.supabase.com", "5432", "Supabase"},
        {"aws-0-eu-central-1.pooler.supabase.com", "6543", "Supabase"},
        {"db.abc.supabase.co", "6543", "Supabase"},
        {"db.abc.supabase.co", "5432", NULL},
        {"app.proxy-abc123.eu-west-1.rds.amazonaws.com", "5432", "RDS Proxy"},
        {"app.abc123.eu-west-1.rds.amazonaws.com", "5432", NULL},
        {"eu.connect.psdb.cloud", "6432", "PlanetScale"},
        {"db-1.b.db.ondigitalocean.com", "25061", "DigitalOcean"},
        {"db-1.b.db.ondigitalocean.com", "25060", NULL},
        {"10.0.0.1", "6432", "PgBouncer"},
        {"10.0.0.1", "5432", NULL},
        {"", "", NULL},
        {"/var/run/postgresql", "5432", NULL},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const char *remedy = NULL, *got = pooler_known(cases[i].host, cases[i].port, &remedy);

        if ((got == NULL) != (cases[i].want == NULL) ||
            (got && (!strstr(got, cases[i].want) || !remedy)))
            fail_msg("%s:%s: got %s, want %s", cases[i].host, cases[i].port, got ? got : "none",
                     cases[i].want ? cases[i].want : "none");
    }
}

/* ---- the server's answers, one fault at a time ---- */

/* Columns of the question about the server; the first connection has process id 4000. */
enum {
    PID,
    WAL_LEVEL,
    SLOTS_MAX,
    SLOTS,
    SENDERS_MAX,
    SENDERS,
    RECOVERY,
    USER,
    DATABASE,
    REPLICATION,
    SUPERUSER,
    CREATE,
    PROVIDER,
    RDS,
    SLOT_TIMEOUT,
    ENCODING,
    SERVER_COLUMNS
};

static const char *const healthy[SERVER_COLUMNS] = {
    "4000", "logical", "10", "1", "10", "1", "f", "me", "shop", "t", "f", "t", "", "f", "0", "UTF8",
};

static const struct table users = {
    .oid = 100, .schema = "public", .name = "users", .kind = 'r', .persistence = 'p'};
static const struct table view = {
    .oid = 101, .schema = "public", .name = "My view", .kind = 'v', .persistence = 'p'};
static const struct table unlogged = {
    .oid = 102, .schema = "public", .name = "cache", .kind = 'r', .persistence = 'u'};
static const struct table foreign = {
    .oid = 103, .schema = "public", .name = "far", .kind = 'f', .persistence = 'p'};

/* What differs from a healthy server, and what has to be found. */
struct fault {
    int column; /* of the answer about the server; -1: none */
    const char *value;
    const char *slot;     /* the answer about the slot; NULL: there is none */
    const char *table;    /* about the table; NULL: all is well */
    const char *identity; /* relations without one; NULL: none */
    const char *publication;
    const char *members;
    const struct table *mapped; /* NULL: users */
    const char *version;        /* NULL: 15.4 */
    const char *want;           /* the findings; "" none */
};

#define SLOT_ROW(wal_status) "f|pgoutput|shop|f|f|~|0/500|0/800|" wal_status "|f|"
#define GOOD_TABLE           "t|t|t|me||f"
#define CREATE_SQL                                                                                 \
    "CREATE PUBLICATION \"p\" FOR TABLE ONLY \"public\".\"users\" WITH (publish = 'insert, "       \
    "update, "                                                                                     \
    "delete, truncate', publish_via_partition_root = true);\n"

/* clang-format off */
static const struct fault faults[] = {
    {.column = -1, .want = ""},
    {.column = WAL_LEVEL, .value = "replica",
     .want = "error: postgres: wal_level is \"replica\", and has to be \"logical\"\n"
             "    ALTER SYSTEM SET wal_level = logical;\n    -- then restart the server\n"},
    {.column = RECOVERY, .value = "t",
     .want = "error: postgres: this server is a standby: publications and slots are made on the primary\n"
             "    connect to the primary (with several hosts: target_session_attrs=primary)\n"},
    {.column = PID, .value = "77",
     .want = "error: postgres: the connection goes through a pooler (the process behind it is another one), "
             "which carries neither replication nor session locks\n"
             "    connect to the database server itself, not to a pooler\n"},
    {.column = SLOTS, .value = "10",
     .want = "error: postgres: max_replication_slots is 10, and 10 are in use\n"
             "    ALTER SYSTEM SET max_replication_slots = 14;\n"
             "    -- then restart the server; or drop a slot nobody uses:\n"
             "    SELECT slot_name FROM pg_replication_slots WHERE NOT active;\n"},
    {.column = SLOTS, .value = "10", .slot = SLOT_ROW("reserved"), .want = ""}, /* ours is one of them */
    {.column = SENDERS, .value = "10",
     .want = "error: postgres: max_wal_senders is 10, and 10 are in use\n"
             "    ALTER SYSTEM SET max_wal_senders = 14;\n    -- then restart the server\n"},
    {.column = REPLICATION, .value = "f",
     .want = "error: postgres: role \"me\" may not replicate\n    ALTER ROLE \"me\" REPLICATION;\n"},
    {.column = CREATE, .value = "f",
     .want = "error: postgres: role \"me\" may not make publication \"p\"\n"
             "    GRANT CREATE ON DATABASE \"shop\" TO \"me\";\n"
             "    -- or let another role run:\n    " CREATE_SQL},
    {.column = CREATE, .value = "f", .publication = "400|me|t|f|t|t|t|t|t|f", .members = "100|500|public|users|f|f",
     .want = ""}, /* it is there already */
    {.column = SLOT_TIMEOUT, .value = "1h",
     .want = "warning: postgres: the server invalidates slots that are idle for 1h: a longer stop would lose changes\n"
             "    ALTER SYSTEM SET idle_replication_slot_timeout = 0;\n    SELECT pg_reload_conf();\n"},
    {.column = ENCODING, .value = "SQL_ASCII",
     .want = "warning: postgres: the database has the encoding SQL_ASCII, which checks nothing: text that is "
             "not UTF-8 cannot be delivered and becomes a dead letter\n"},
    {.column = -1, .slot = SLOT_ROW("unreserved"),
     .want = "warning: postgres: slot \"ours\" is about to be invalidated: it is further behind than max_slot_wal_keep_size\n"
             "    ALTER SYSTEM SET max_slot_wal_keep_size = -1;\n    SELECT pg_reload_conf();\n"},
    {.column = -1, .version = "12.9",
     .want = "error: postgres: this is Postgres 12; versions 13 to 18 are supported\n"},
    {.column = -1, .version = "19.1",
     .want = "warning: postgres: this is Postgres 19, which was not there yet to be tested with (13 to 18 were)\n"},
    {.column = -1, .table = "t|f|t|me||f",
     .want = "error: table public.users: role \"me\" may not read it\n    GRANT SELECT ON public.users TO \"me\";\n"},
    {.column = -1, .table = "f|f|t|me||f",
     .want = "error: table public.users: role \"me\" may not read it\n    GRANT USAGE ON SCHEMA \"public\" TO \"me\";\n"
             "    GRANT SELECT ON public.users TO \"me\";\n"},
    {.column = -1, .table = "t|t|f|boss||f",
     .want = "error: postgres: role \"me\" may not publish tables of others: public.users (of \"boss\"); let a role "
             "that owns them run this once\n    " CREATE_SQL},
    {.column = CREATE, .value = "f", .table = "t|t|f|boss||f", /* one statement mends both: said once */
     .want = "error: postgres: role \"me\" may not publish tables of others: public.users (of \"boss\"); let a role "
             "that owns them run this once\n    " CREATE_SQL},
    {.column = -1, .table = "t|t|f|boss||f", .publication = "400|me|t|f|t|t|t|t|t|f",
     .members = "100|500|public|users|f|f", .want = ""}, /* it has entered already */
    {.column = -1, .table = "t|t|t|me|events|f",
     .want = "error: table public.users: it is a partition of events, which is published too: its changes come "
             "under that name; map that table, or take it out of publication \"p\"\n"},
    {.column = -1, .table = "t|t|t|me||t",
     .want = "warning: table public.users: tables inherit from it: their rows are not part of it and need mappings "
             "of their own\n"},
    {.column = -1, .mapped = &view,
     .want = "error: table public.\"My view\": it is a view: a view writes no log\n    map the tables below it\n"},
    {.column = -1, .mapped = &unlogged,
     .want = "error: table public.cache: it is unlogged: its changes are not in the log\n"
             "    ALTER TABLE public.cache SET LOGGED;\n"},
    {.column = -1, .mapped = &foreign,
     .want = "error: table public.far: it is a foreign table: its rows are elsewhere\n"
             "    run puffgres against the server that has them\n"},
    /* replica identity: name, kind, a unique index that would do, a primary key that does not */
    {.column = -1, .identity = "public|users|d||f",
     .want = "error: table public.users: it has no primary key: once published, UPDATE and DELETE on it would fail\n"
             "    ALTER TABLE \"public\".\"users\" ADD PRIMARY KEY (...);\n"
             "    -- or, at the price of more WAL:\n"
             "    ALTER TABLE \"public\".\"users\" REPLICA IDENTITY FULL;\n"},
    {.column = -1, .identity = "public|users|d|users_email|f",
     .want = "error: table public.users: it has no primary key: once published, UPDATE and DELETE on it would fail\n"
             "    ALTER TABLE \"public\".\"users\" REPLICA IDENTITY USING INDEX \"users_email\";\n"},
    {.column = -1, .identity = "public|users|d||t",
     .want = "error: table public.users: it has only a deferrable primary key, which is no replica identity: once "
             "published, UPDATE and DELETE on it would fail\n"
             "    ALTER TABLE \"public\".\"users\" REPLICA IDENTITY FULL;\n"},
    {.column = -1, .identity = "public|users|n||t",
     .want = "error: table public.users: it has REPLICA IDENTITY NOTHING: once published, UPDATE and DELETE on it "
             "would fail\n    ALTER TABLE \"public\".\"users\" REPLICA IDENTITY FULL;\n"},
    {.column = -1, .identity = "public|Leaf 1|i||f",
     .want = "error: table public.\"Leaf 1\": it has lost the index of its replica identity: once published, UPDATE "
             "and DELETE on it would fail\n"
             "    ALTER TABLE \"public\".\"Leaf 1\" ADD PRIMARY KEY (...);\n"
             "    -- or, at the price of more WAL:\n"
             "    ALTER TABLE \"public\".\"Leaf 1\" REPLICA IDENTITY FULL;\n"},
};
/* clang-format on */

static void
put_server_row(const struct fault *fault, struct buf *out)
{
    for (int i = 0; i < SERVER_COLUMNS; i++)
        buf_putf(out, "%s%s", i ? "|" : "", i == fault->column ? fault->value : healthy[i]);
}

static void
find(struct scripted_pg *peer, const struct fault *fault, struct report *report)
{
    const struct table *const tables[] = {fault->mapped ? fault->mapped : &users};
    const struct publication_spec spec = {.name = "p", .tables = tables, .count = 1};
    const struct source_settings settings = {.slot = "ours", .publication = "p"};
    const struct preflight args = {.settings = &settings, .spec = &spec, .create_slot = true};
    CLEANUP(pg_closep) struct pg_session *pg = NULL;
    struct err err;

    CHECK_OK(pg_connect(&(struct pg_connect_args){.conninfo = scripted_pg_conninfo(peer),
                                                  .purpose = "test",
                                                  .deadline_ms = clock_mono_ms() + 5000,
                                                  .cancel_fd = -1},
                        &pg, &err),
             err);
    CHECK_OK(preflight_check(pg, &args, report->arena, report, &err), err);
}

static void
check_fault(const struct fault *fault)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new("test");
    CLEANUP(buf_free) struct buf server = buf_make(10000), got = buf_make(100000);
    struct report report = report_make(arena);
    const struct pg_rule rules[] = {
        {.on = "max_wal_senders", .rows = server.ptr},
        {.on = "pg_replication_slots s", .rows = fault->slot},
        {.on = "p.pubname = $1", .rows = fault->publication},
        {.on = "pg_get_publication_tables", .rows = fault->members},
        {.on = "has_table_privilege", .rows = fault->table ? fault->table : GOOD_TABLE},
        {.on = "relreplident", .rows = fault->identity},
    };
    struct pg_rule own[ARRAY_LEN(rules)];
    struct scripted_pg *peer;

    put_server_row(fault, &server);
    memcpy(own, rules, sizeof(own));
    own[0].rows = server.ptr;
    peer = scripted_pg_start(own, ARRAY_LEN(own));
    if (fault->version)
        scripted_pg_set_version(peer, fault->version);
    find(peer, fault, &report);
    scripted_pg_stop(peer);
    report_print(&report, &got);
    CHECK_STR(got.ptr ? got.ptr : "", fault->want);
}

static void
every_fault_has_its_finding(void **state UNUSED)
{
    for (size_t i = 0; i < ARRAY_LEN(faults); i++)
        check_fault(&faults[i]);
}

/* All at once: nothing hides behind something else. */
static void
all_faults_are_collected(void **state UNUSED)
{
    static const struct pg_rule rules[] = {
        {.on = "max_wal_senders", .rows = "77|replica|10|10|10|10|t|me|shop|f|f|f||f|1h|SQL_ASCII"},
        {.on = "pg_replication_slots s", .rows = ""},
        {.on = "p.pubname = $1", .rows = ""},
        {.on = "has_table_privilege", .rows = "f|f|f|boss|events|t"},
        {.on = "relreplident", .rows = "public|users|d||f"},
    };
    CLEANUP(scripted_pg_stopp)
    struct scripted_pg *peer = scripted_pg_start(rules, ARRAY_LEN(rules));
    CLEANUP(arena_freep) struct arena *arena = arena_new("test");
    struct report report = report_make(arena);

    scripted_pg_set_version(peer, "12.1");
    find(peer, &(struct fault){.column = -1}, &report);
    CHECK_INT(report.count[SEVERITY_ERROR], 11);
    CHECK_INT(report.count[SEVERITY_WARNING], 3);
}

/* Where ALTER SYSTEM is not for its users, the provider's own way is shown. */
static void
providers_have_their_own_remedies(void **state UNUSED)
{
    static const struct {
        const char *provider, *remedy;
    } cases[] = {
        {"rds_superuser", "rds.logical_replication"},
        {"cloudsqlsuperuser", "cloudsql.logical_decoding"},
        {"alloydbsuperuser", "alloydb.logical_decoding"},
        {"azure_pg_admin", "server parameter wal_level"},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char row[256];
        const struct pg_rule rules[] = {
            {.on = "max_wal_senders", .rows = row},
            {.on = "pg_replication_slots s", .rows = ""},
            {.on = "p.pubname = $1", .rows = ""},
            {.on = "has_table_privilege", .rows = GOOD_TABLE},
            {.on = "relreplident", .rows = ""},
        };
        CLEANUP(arena_freep) struct arena *arena = arena_new("test");
        struct report report = report_make(arena);
        struct scripted_pg *peer;

        snprintf(row, sizeof(row), "4000|replica|10|1|10|1|f|me|shop|f|f|t|%s|t|0|UTF8",
                 cases[i].provider);
        peer = scripted_pg_start(rules, ARRAY_LEN(rules));
        find(peer, &(struct fault){.column = -1}, &report);
        scripted_pg_stop(peer);
        CHECK_INT(report.count[SEVERITY_ERROR],
                  1); /* rds_replication is as good as the attribute */
        if (!strstr(report.first->remedy, cases[i].remedy))
            fail_msg("%s: got \"%s\"", cases[i].provider, report.first->remedy);
    }
}

/* A server that cannot be asked is no finding. */
static void
every_failure_to_ask_is_passed_on(void **state UNUSED)
{
    static const char *const statements[] = {"max_wal_senders",     "pg_replication_slots s",
                                             "p.pubname = $1",      "pg_get_publication_tables",
                                             "has_table_privilege", "relreplident"};
    static const struct table *const tables[] = {&users};
    const struct publication_spec spec = {.name = "p", .tables = tables, .count = 1};
    const struct source_settings settings = {.slot = "ours", .publication = "p"};
    const struct preflight args = {.settings = &settings, .spec = &spec, .create_slot = true};

    for (size_t i = 0; i < ARRAY_LEN(statements); i++) {
        const struct pg_rule rules[] = {
            {.on = statements[i], .error = "57P01 terminating connection"},
            {.on = "max_wal_senders", .rows = "4000|logical|9|1|9|1|f|me|shop|t|f|t||f|0|UTF8"},
            {.on = "pg_replication_slots s", .rows = ""},
            {.on = "p.pubname = $1", .rows = "400|me|t|f|t|t|t|t|t|f"},
            {.on = "pg_get_publication_tables", .rows = ""},
            {.on = "has_table_privilege", .rows = GOOD_TABLE},
        };
        CLEANUP(scripted_pg_stopp)
        struct scripted_pg *peer = scripted_pg_start(rules, ARRAY_LEN(rules));
        CLEANUP(arena_freep) struct arena *arena = arena_new("test");
        CLEANUP(pg_closep) struct pg_session *pg = NULL;
        struct report report = report_make(arena);
        struct err err;

        CHECK_OK(pg_connect(&(struct pg_connect_args){.conninfo = scripted_pg_conninfo(peer),
                                                      .purpose = "test",
                                                      .deadline_ms = clock_mono_ms() + 5000,
                                                      .cancel_fd = -1},
                            &pg, &err),
                 err);
        if (preflight_check(pg, &args, arena, &report, &err))
            fail_msg("passes without an answer to %s", statements[i]);
        CHECK_INT(err.kind, ERR_TRANSIENT);
        CHECK_INT(report.count[SEVERITY_ERROR], 0);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(knows_poolers),
        cmocka_unit_test(every_fault_has_its_finding),
        cmocka_unit_test(all_faults_are_collected),
        cmocka_unit_test(providers_have_their_own_remedies),
        cmocka_unit_test(every_failure_to_ask_is_passed_on),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
