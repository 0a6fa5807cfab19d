/* preflight: everything about the server that would keep a flow from running. */
#include "source/preflight.h"

#include <assert.h>
#include <fnmatch.h>
#include <stdio.h>

#include "base/buf.h"
#include "model/ident.h"
#include "pg/session.h"
#include "source/server.h"
#include "source/slot.h"

#define TEXT_LIMIT MEGABYTES(4)
#define WHERE      "postgres"

/* ---- poolers ---- */

/* Patterns of fnmatch(3); NULL matches anything. */
static const struct pooler {
    const char *host;
    const char *port;
    const char *name;
    const char *remedy;
} poolers[] = {
    /* clang-format off */
    {"*-pooler.*",                NULL,   "Neon's pooler",           "take \"-pooler\" out of the host name"},
    {"*.pooler.supabase.com",     NULL,   "Supabase's pooler",       "use the direct connection: host db.<project>.supabase.co, port 5432"},
    {"*.supabase.co",             "6543", "Supabase's pooler",       "use port 5432"},
    {"*.proxy-*.rds.amazonaws.com", NULL, "RDS Proxy",               "use the endpoint of the instance or the cluster"},
    {"*.psdb.cloud",              "6432", "PlanetScale's pooler",    "use port 5432"},
    {"*.ondigitalocean.com",      "25061", "DigitalOcean's pool",    "use port 25060"},
    {NULL,                        "6432", "PgBouncer's usual port",  "use the server's own port, usually 5432"},
    /* clang-format on */
};

static bool
matches(const char *pattern, const char *text)
{
    return !pattern || fnmatch(pattern, text, 0) == 0;
}

const char *
pooler_known(const char *host, const char *port, const char **ret_remedy)
{
    for (size_t i = 0; i < ARRAY_LEN(poolers); i++) {
        if (matches(poolers[i].host, host) && matches(poolers[i].port, port)) {
            *ret_remedy = poolers[i].remedy;
            return poolers[i].name;
        }
    }
    return NULL;
}

/* ---- what is asked once ---- */

static const char server_sql[] =
    "SELECT pg_catalog.pg_backend_pid(), current_setting('wal_level'),"
    "       current_setting('max_replication_slots')::int,"
    "       (SELECT count(*) FROM pg_catalog.pg_replication_slots),"
    "       current_setting('max_wal_senders')::int,"
    "       (SELECT count(*) FROM pg_catalog.pg_stat_replication),"
    "       pg_catalog.pg_is_in_recovery(), current_user, current_database(),"
    "       r.rolsuper OR r.rolreplication, r.rolsuper,"
    "       pg_catalog.has_database_privilege(current_database(), 'CREATE'),"
    "       coalesce((SELECT m.rolname FROM pg_catalog.pg_roles m"
    "                  WHERE m.rolname IN ('rds_superuser', 'cloudsqlsuperuser', 'azure_pg_admin',"
    "                                      'alloydbsuperuser') LIMIT 1), ''),"
    "       EXISTS (SELECT FROM pg_catalog.pg_roles m"
    "                WHERE m.rolname IN ('rds_replication')"
    "                  AND pg_catalog.pg_has_role(m.oid, 'MEMBER')),"
    "       coalesce(current_setting('idle_replication_slot_timeout', true), '0'),"
    "       current_setting('server_encoding')"
    "  FROM pg_catalog.pg_roles r WHERE r.rolname = current_user";

/* The order of server_sql. */
enum {
    SRV_PID,
    SRV_WAL_LEVEL,
    SRV_SLOTS_MAX,
    SRV_SLOTS,
    SRV_SENDERS_MAX,
    SRV_SENDERS,
    SRV_RECOVERY,
    SRV_USER,
    SRV_DATABASE,
    SRV_REPLICATION,
    SRV_SUPERUSER,
    SRV_CREATE,
    SRV_PROVIDER,
    SRV_RDS_REPLICATION,
    SRV_SLOT_TIMEOUT,
    SRV_ENCODING,
};

struct check {
    struct pg_session *pg;
    const struct preflight *args;
    struct arena *arena;
    struct report *report;
    const struct pg_rows *server;
    struct slot_info slot;
    struct publication_info publication;
    struct publication_plan plan;
    bool superuser;
    struct buf foreign; /* tables that would have to enter, and are not ours */
};

/* How a provider lets one do what ALTER SYSTEM does elsewhere. */
static const struct provider {
    const char *role; /* that only exists there */
    const char *wal_level;
    const char *settings;
} providers[] = {
    /* clang-format off */
    {"rds_superuser",     "set rds.logical_replication = 1 in the parameter group, then reboot", "set it in the parameter group, then reboot"},
    {"cloudsqlsuperuser", "set the flag cloudsql.logical_decoding = on, then restart",           "set it as a database flag, then restart"},
    {"alloydbsuperuser",  "set the flag alloydb.logical_decoding = on, then restart",            "set it as a database flag, then restart"},
    {"azure_pg_admin",    "set the server parameter wal_level to LOGICAL, then restart",         "set it as a server parameter, then restart"},
    /* clang-format on */
};

static const struct provider *
provider_of(const struct check *check)
{
    for (size_t i = 0; i < ARRAY_LEN(providers); i++) {
        if (strcmp(pg_text(check->server, 0, SRV_PROVIDER), providers[i].role) == 0)
            return &providers[i];
    }
    return NULL;
}

/* "ALTER ROLE \"u\" REPLICATION;" with quoting. */
static const char *
remedy_for_user(const struct check *check, const char *before, const char *after)
{
    CLEANUP(buf_free) struct buf sql = buf_make(TEXT_LIMIT);

    buf_put(&sql, span_of(before));
    ident_put(&sql, span_of(pg_text(check->server, 0, SRV_USER)));
    buf_put(&sql, span_of(after));
    return arena_strdup(check->arena, sql.ptr);
}

/* ---- the server ---- */

static void
check_version(struct check *check)
{
    int version = pg_server_version(check->pg), major = version / 10000;

    if (major < SERVER_MAJOR_MIN)
        report_add(check->report, SEVERITY_ERROR, WHERE, NULL,
                   "this is Postgres %d; versions %d to %d are supported", major, SERVER_MAJOR_MIN,
                   SERVER_MAJOR_MAX);
    else if (major > SERVER_MAJOR_MAX)
        report_add(check->report, SEVERITY_WARNING, WHERE, NULL,
                   "this is Postgres %d, which was not there yet to be tested with (%d to %d were)",
                   major, SERVER_MAJOR_MIN, SERVER_MAJOR_MAX);
}

/* A pooler tells another process id than the backend behind it. */
static void
check_pooler(struct check *check)
{
    const char *remedy = "connect to the database server itself, not to a pooler";
    const char *known = pooler_known(pg_host(check->pg), pg_port(check->pg), &remedy);
    bool behind = pg_int(check->server, 0, SRV_PID) != pg_backend_pid(check->pg);

    if (behind)
        report_add(check->report, SEVERITY_ERROR, WHERE, remedy,
                   "the connection goes through a pooler (%s), which carries neither replication "
                   "nor session locks",
                   known ? known : "the process behind it is another one");
    else if (known)
        report_add(check->report, SEVERITY_WARNING, WHERE, remedy,
                   "%s:%s looks like a pooler (%s), which would carry neither replication nor "
                   "session locks",
                   pg_host(check->pg), pg_port(check->pg), known);
}

static void
check_standby(struct check *check)
{
    if (pg_bool(check->server, 0, SRV_RECOVERY))
        report_add(check->report, SEVERITY_ERROR, WHERE,
                   "connect to the primary (with several hosts: target_session_attrs=primary)",
                   "this server is a standby: publications and slots are made on the primary");
}

static void
check_wal_level(struct check *check)
{
    const struct provider *provider = provider_of(check);

    if (strcmp(pg_text(check->server, 0, SRV_WAL_LEVEL), "logical") == 0)
        return;
    report_add(check->report, SEVERITY_ERROR, WHERE,
               provider ? provider->wal_level
                        : "ALTER SYSTEM SET wal_level = logical;\n-- then restart the server",
               "wal_level is \"%s\", and has to be \"logical\"",
               pg_text(check->server, 0, SRV_WAL_LEVEL));
}

static void
report_setting(struct check *check, const char *setting, int64_t used, int64_t max,
               const char *also)
{
    const struct provider *provider = provider_of(check);
    char remedy[256];

    if (provider)
        snprintf(remedy, sizeof(remedy), "%s = %lld or more: %s", setting, (long long)max + 4,
                 provider->settings);
    else
        snprintf(remedy, sizeof(remedy),
                 "ALTER SYSTEM SET %s = %lld;\n-- then restart the server%s", setting,
                 (long long)max + 4, also);
    report_add(check->report, SEVERITY_ERROR, WHERE, remedy, "%s is %lld, and %lld are in use",
               setting, (long long)max, (long long)used);
}

static void
check_capacity(struct check *check)
{
    int64_t slots = pg_int(check->server, 0, SRV_SLOTS);
    int64_t slots_max = pg_int(check->server, 0, SRV_SLOTS_MAX);
    int64_t senders = pg_int(check->server, 0, SRV_SENDERS);
    int64_t senders_max = pg_int(check->server, 0, SRV_SENDERS_MAX);

    if (slots >= slots_max && !check->slot.exists && check->args->create_slot)
        report_setting(check, "max_replication_slots", slots, slots_max,
                       "; or drop a slot nobody uses:\n"
                       "SELECT slot_name FROM pg_replication_slots WHERE NOT active;");
    if (senders >= senders_max && !check->slot.active)
        report_setting(check, "max_wal_senders", senders, senders_max, "");
}

/* The server removes WAL beyond max_slot_wal_keep_size; this slot is next. */
static void
check_slot_health(struct check *check)
{
    if (strcmp(check->slot.wal_status, "unreserved") == 0)
        report_add(check->report, SEVERITY_WARNING, WHERE,
                   "ALTER SYSTEM SET max_slot_wal_keep_size = -1;\nSELECT pg_reload_conf();",
                   "slot \"%s\" is about to be invalidated: it is further behind than "
                   "max_slot_wal_keep_size",
                   check->args->settings->slot);
}

static void
check_encoding(struct check *check)
{
    if (strcmp(pg_text(check->server, 0, SRV_ENCODING), "SQL_ASCII") == 0)
        report_add(check->report, SEVERITY_WARNING, WHERE, NULL,
                   "the database has the encoding SQL_ASCII, which checks nothing: text that is "
                   "not UTF-8 cannot be delivered and becomes a dead letter");
}

static void
check_slot_timeout(struct check *check)
{
    const char *timeout = pg_text(check->server, 0, SRV_SLOT_TIMEOUT);

    if (strcmp(timeout, "0") != 0)
        report_add(check->report, SEVERITY_WARNING, WHERE,
                   "ALTER SYSTEM SET idle_replication_slot_timeout = 0;\nSELECT pg_reload_conf();",
                   "the server invalidates slots that are idle for %s: a longer stop would lose "
                   "changes",
                   timeout);
}

static void
check_role(struct check *check)
{
    bool rds = strcmp(pg_text(check->server, 0, SRV_PROVIDER), "rds_superuser") == 0;

    if (pg_bool(check->server, 0, SRV_REPLICATION) ||
        pg_bool(check->server, 0, SRV_RDS_REPLICATION))
        return;
    report_add(check->report, SEVERITY_ERROR, WHERE,
               rds ? remedy_for_user(check, "GRANT rds_replication TO ", ";")
                   : remedy_for_user(check, "ALTER ROLE ", " REPLICATION;"),
               "role \"%s\" may not replicate", pg_text(check->server, 0, SRV_USER));
}

/* ---- the publication ---- */

static const char *
plan_text(const struct check *check)
{
    CLEANUP(buf_free) struct buf sql = buf_make(TEXT_LIMIT);

    for (size_t i = 0; i < check->plan.statement_count; i++)
        buf_putf(&sql, "%s%s;", i ? "\n" : "", check->plan.statements[i]);
    return arena_strdup(check->arena, sql.ptr ? sql.ptr : "");
}

/* The database owner's grant is the least; that of the plan's own SQL by an owner does as well. */
static void
check_create(struct check *check)
{
    CLEANUP(buf_free) struct buf remedy = buf_make(TEXT_LIMIT);

    if (!check->plan.create || pg_bool(check->server, 0, SRV_CREATE))
        return;
    buf_put(&remedy, SPAN("GRANT CREATE ON DATABASE "));
    ident_put(&remedy, span_of(pg_text(check->server, 0, SRV_DATABASE)));
    buf_put(&remedy, SPAN(" TO "));
    ident_put(&remedy, span_of(pg_text(check->server, 0, SRV_USER)));
    buf_putf(&remedy, ";\n-- or let another role run:\n%s", plan_text(check));
    report_add(check->report, SEVERITY_ERROR, WHERE, remedy.ptr,
               "role \"%s\" may not make publication \"%s\"", pg_text(check->server, 0, SRV_USER),
               check->args->spec->name);
}

static void
check_all_tables(struct check *check)
{
    if (!check->plan.create || !check->args->spec->all_tables || check->superuser)
        return;
    report_add(check->report, SEVERITY_ERROR, WHERE, plan_text(check),
               "only a superuser may make a publication FOR ALL TABLES");
}

static bool
check_publication(struct check *check, struct err *err)
{
    const struct publication_spec *spec = check->args->spec;

    if (!publication_inspect(check->pg, spec->name, check->arena, &check->publication, err))
        return false;
    publication_plan(&check->publication, spec, pg_server_version(check->pg), check->arena,
                     &check->plan, check->report);
    check_all_tables(check);
    return true;
}

/* ---- tables ---- */

/* `root`: with it in the publication, the partition's changes come under the root's name. */
static const char table_sql[] =
    "SELECT pg_catalog.has_schema_privilege(c.relnamespace, 'USAGE'),"
    "       pg_catalog.has_table_privilege(c.oid, 'SELECT'),"
    "       pg_catalog.pg_has_role(c.relowner, 'USAGE'),"
    "       pg_catalog.pg_get_userbyid(c.relowner),"
    "       coalesce((SELECT string_agg(a.relid::regclass::text, ', ')"
    "                   FROM pg_catalog.pg_partition_ancestors(c.oid) a"
    "                  WHERE a.relid <> c.oid AND a.relid = ANY ($2::oid[])), ''),"
    "       c.relkind = 'r' AND EXISTS (SELECT FROM pg_catalog.pg_inherits i"
    "                                    WHERE i.inhparent = c.oid)"
    "  FROM pg_catalog.pg_class c WHERE c.oid = $1::oid";

enum {
    TAB_USAGE,
    TAB_SELECT,
    TAB_OWNED,
    TAB_OWNER,
    TAB_ROOTS,
    TAB_PARENT,
};

/* What cannot be replicated at all. */
static const struct unfit {
    char kind;
    char persistence;
    const char *text;
    const char *remedy;
} unfits[] = {
    /* clang-format off */
    {'v', 0,   "is a view: a view writes no log", "map the tables below it"},
    {'m', 0,   "is a materialized view: it writes no log that can be decoded", "map the tables below it"},
    {'f', 0,   "is a foreign table: its rows are elsewhere", "run puffgres against the server that has them"},
    {0,   'u', "is unlogged: its changes are not in the log", "ALTER TABLE %s SET LOGGED;"},
    {0,   't', "is temporary: its changes are not in the log", "map a permanent table"},
    /* clang-format on */
};

static const char *
table_title(const struct table *table, struct arena *arena)
{
    CLEANUP(buf_free) struct buf title = buf_make(TEXT_LIMIT);

    ident_put_plain(&title, span_of(table->schema));
    buf_putc(&title, '.');
    ident_put_plain(&title, span_of(table->name));
    return arena_strdup(arena, title.ptr);
}

/* The remedy with the table's name in the place of %s. */
static const char *
put_name_into(const char *remedy, const char *title, struct arena *arena)
{
    CLEANUP(buf_free) struct buf text = buf_make(TEXT_LIMIT);
    const char *mark = strstr(remedy, "%s");

    if (!mark)
        return remedy;
    buf_put(&text, (struct span){remedy, (size_t)(mark - remedy)});
    buf_put(&text, span_of(title));
    buf_put(&text, span_of(mark + 2));
    return arena_strdup(arena, text.ptr);
}

static bool
check_fit(struct check *check, const struct table *table, const char *where, const char *title)
{
    for (size_t i = 0; i < ARRAY_LEN(unfits); i++) {
        if (unfits[i].kind != table->kind && unfits[i].persistence != table->persistence)
            continue;
        report_add(check->report, SEVERITY_ERROR, where,
                   put_name_into(unfits[i].remedy, title, check->arena), "it %s", unfits[i].text);
        return false;
    }
    return true;
}

static void
check_select(struct check *check, const struct pg_rows *row, const struct table *table,
             const char *where, const char *title)
{
    CLEANUP(buf_free) struct buf remedy = buf_make(TEXT_LIMIT);
    bool usage = pg_bool(row, 0, TAB_USAGE), select = pg_bool(row, 0, TAB_SELECT);

    if (usage && select)
        return;
    if (!usage) {
        buf_put(&remedy, SPAN("GRANT USAGE ON SCHEMA "));
        ident_put(&remedy, span_of(table->schema));
        buf_put(&remedy, span_of(remedy_for_user(check, " TO ", ";")));
    }
    if (!select)
        buf_putf(&remedy, "%sGRANT SELECT ON %s%s", usage ? "" : "\n", title,
                 remedy_for_user(check, " TO ", ";"));
    report_add(check->report, SEVERITY_ERROR, where, remedy.ptr, "role \"%s\" may not read it",
               pg_text(check->server, 0, SRV_USER));
}

static bool
is_added(const struct check *check, const struct table *table)
{
    for (size_t i = 0; i < check->plan.added_count; i++) {
        if (check->plan.added[i]->oid == table->oid)
            return true;
    }
    return false;
}

/* One finding for all of them, at the end: one role has to run one statement. */
static void
note_foreign(struct check *check, const struct pg_rows *row, const struct table *table,
             const char *title)
{
    if (!is_added(check, table) || check->args->spec->all_tables || pg_bool(row, 0, TAB_OWNED))
        return;
    buf_putf(&check->foreign, "%s%s (of \"%s\")", check->foreign.len ? ", " : "", title,
             pg_text(row, 0, TAB_OWNER));
}

/* Tables of others need another role in any case: its one statement makes a grant superfluous. */
static void
report_rights(struct check *check)
{
    if (check->publication.exists && !check->publication.owned)
        return;
    if (check->foreign.len == 0) {
        check_create(check);
        return;
    }
    report_add(check->report, SEVERITY_ERROR, WHERE, plan_text(check),
               "role \"%s\" may not publish tables of others: %s; let a role that owns them run "
               "this once",
               pg_text(check->server, 0, SRV_USER), check->foreign.ptr);
}

/* As it will be, once the plan has run. */
static bool
comes_under_root(const struct check *check)
{
    if (!check->publication.exists || check->publication.via_root)
        return true;
    for (size_t i = 0; i < check->args->spec->count; i++) {
        if (check->args->spec->tables[i]->kind == 'p')
            return true;
    }
    return false;
}

static void
check_family(struct check *check, const struct pg_rows *row, const char *where)
{
    const char *roots = pg_text(row, 0, TAB_ROOTS);

    if (*roots && comes_under_root(check))
        report_add(check->report, SEVERITY_ERROR, where, NULL,
                   "it is a partition of %s, which is published too: its changes come under that "
                   "name; map that table, or take it out of publication \"%s\"",
                   roots, check->args->spec->name);
    if (pg_bool(row, 0, TAB_PARENT))
        report_add(check->report, SEVERITY_WARNING, where, NULL,
                   "tables inherit from it: their rows are not part of it and need mappings of "
                   "their own");
}

/* Oids of what the publication has and will have, as an array literal. */
static const char *
published_oids(const struct check *check)
{
    CLEANUP(buf_free) struct buf text = buf_make(TEXT_LIMIT);

    buf_putc(&text, '{');
    for (size_t i = 0; i < check->publication.count; i++)
        buf_putf(&text, "%s%u", text.len > 1 ? "," : "", check->publication.members[i].relation);
    for (size_t i = 0; i < check->plan.added_count; i++)
        buf_putf(&text, "%s%u", text.len > 1 ? "," : "", check->plan.added[i]->oid);
    buf_putc(&text, '}');
    return arena_strdup(check->arena, text.ptr);
}

static bool
check_table(struct check *check, const struct table *table, struct err *err)
{
    CLEANUP(pg_rows_free) struct pg_rows row = {0};
    const char *title = table_title(table, check->arena);
    char where[256], oid[16];

    snprintf(where, sizeof(where), "table %s", title);
    snprintf(oid, sizeof(oid), "%u", table->oid);
    if (!check_fit(check, table, where, title))
        return true;
    if (!pg_query(check->pg, table_sql, (const char *const[]){oid, published_oids(check)}, 2, &row,
                  err))
        return err_wrap(err, "checking table %s", title);
    if (row.count == 0)
        return true; /* dropped just now; binding will say so */
    check_select(check, &row, table, where, title);
    note_foreign(check, &row, table, title);
    check_family(check, &row, where);
    return publication_check_identity(check->pg, table, check->arena, check->report, err);
}

static bool
is_first(const struct publication_spec *spec, size_t at)
{
    for (size_t i = 0; i < at; i++) {
        if (spec->tables[i]->oid == spec->tables[at]->oid)
            return false;
    }
    return true;
}

/* ---- the whole ---- */

static bool
check_everything(struct check *check, struct err *err)
{
    const struct publication_spec *spec = check->args->spec;

    check->superuser = pg_bool(check->server, 0, SRV_SUPERUSER);
    check_version(check);
    check_pooler(check);
    check_standby(check);
    check_wal_level(check);
    check_role(check);
    check_capacity(check);
    check_slot_timeout(check);
    check_slot_health(check);
    check_encoding(check);
    if (!check_publication(check, err))
        return false;
    for (size_t i = 0; i < spec->count; i++) {
        if (is_first(spec, i) && !check_table(check, spec->tables[i], err))
            return false;
    }
    report_rights(check);
    return true;
}

bool
preflight_check(struct pg_session *pg, const struct preflight *args, struct arena *arena,
                struct report *report, struct err *err)
{
    CLEANUP(pg_rows_free) struct pg_rows server = {0};
    struct check check = {
        .pg = pg,
        .args = args,
        .arena = arena,
        .report = report,
        .server = &server,
        .foreign = buf_make(TEXT_LIMIT),
    };
    bool done;

    assert(args->settings && args->spec);
    if (!pg_query(pg, server_sql, NULL, 0, &server, err))
        return err_wrap(err, "asking the server about itself");
    if (server.count != 1)
        return err_set(err, ERR_BUG, "the connected role is not in pg_roles");
    if (!slot_inspect(pg, args->settings->slot, arena, &check.slot, err))
        return false;
    done = check_everything(&check, err);
    buf_free(&check.foreign);
    return done || err_wrap(err, "checking the source");
}
