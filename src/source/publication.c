/* publication: what is published, what has to be, and the SQL in between. */
#include "source/publication.h"

#include <assert.h>
#include <stdio.h>

#include "base/buf.h"
#include "model/ident.h"
#include "pg/session.h"
#include "source/server.h"

#define SQL_LIMIT    MEGABYTES(4)
#define LOCK_WAIT_MS 5000 /* SEMANTICS 13: never queue up behind a long transaction for longer */

/* ---- looking ---- */

/* Columns come with versions; as JSON a missing one is null. */
static const char inspect_sql[] =
    "SELECT p.oid, pg_catalog.pg_get_userbyid(p.pubowner),"
    "       pg_catalog.pg_has_role(p.pubowner, 'USAGE'), p.puballtables,"
    "       p.pubinsert, p.pubupdate, p.pubdelete, p.pubtruncate, p.pubviaroot,"
    "       coalesce(pg_catalog.to_jsonb(p)->>'pubgencols', 'n') = 's'"
    "  FROM pg_catalog.pg_publication p WHERE p.pubname = $1";

/*
 * pg_publication_rel has the tables that were named; the view adds those that come through schemas
 * and FOR ALL TABLES, but shows leaves only for partitioned tables without publish_via_root.
 */
static const char members_sql[] =
    "SELECT c.oid, coalesce(r.oid, 0), n.nspname, c.relname,"
    "       coalesce(r.j->>'prqual' IS NOT NULL, false),"
    "       coalesce(r.j->>'prattrs' IS NOT NULL, false)"
    "  FROM (SELECT pr.prrelid AS relid FROM pg_catalog.pg_publication_rel pr"
    "         WHERE pr.prpubid = $1::oid"
    "        UNION"
    "        SELECT g.relid FROM pg_catalog.pg_publication p,"
    "               LATERAL pg_catalog.pg_get_publication_tables(p.pubname) g"
    "         WHERE p.oid = $1::oid) m"
    "  JOIN pg_catalog.pg_class c ON c.oid = m.relid"
    "  JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace"
    "  LEFT JOIN (SELECT pr.oid, pr.prrelid, pg_catalog.to_jsonb(pr) AS j"
    "               FROM pg_catalog.pg_publication_rel pr WHERE pr.prpubid = $1::oid) r"
    "    ON r.prrelid = c.oid"
    " ORDER BY n.nspname, c.relname";

static void
fill_members(struct publication_info *info, const struct pg_rows *rows, struct arena *arena)
{
    struct publication_member *members =
        arena_new_n(arena, struct publication_member, (size_t)rows->count);

    for (int i = 0; i < rows->count; i++) {
        members[i] = (struct publication_member){
            .relation = (oid_t)pg_int(rows, i, 0),
            .oid = (oid_t)pg_int(rows, i, 1),
            .schema = arena_strdup(arena, pg_text(rows, i, 2)),
            .name = arena_strdup(arena, pg_text(rows, i, 3)),
            .filtered = pg_bool(rows, i, 4),
            .column_list = pg_bool(rows, i, 5),
        };
    }
    info->count = (size_t)rows->count;
    info->members = members;
}

static struct publication_info
row_publication(const struct pg_rows *rows, struct arena *arena)
{
    return (struct publication_info){
        .exists = true,
        .oid = (oid_t)pg_int(rows, 0, 0),
        .owner = arena_strdup(arena, pg_text(rows, 0, 1)),
        .owned = pg_bool(rows, 0, 2),
        .all_tables = pg_bool(rows, 0, 3),
        .insert = pg_bool(rows, 0, 4),
        .update = pg_bool(rows, 0, 5),
        .delete = pg_bool(rows, 0, 6),
        .truncate = pg_bool(rows, 0, 7),
        .via_root = pg_bool(rows, 0, 8),
        .generated_stored = pg_bool(rows, 0, 9),
    };
}

bool
publication_inspect(struct pg_session *pg, const char *name, struct arena *arena,
                    struct publication_info *ret, struct err *err)
{
    CLEANUP(pg_rows_free) struct pg_rows rows = {0};
    CLEANUP(pg_rows_free) struct pg_rows members = {0};
    struct publication_info info;

    if (!pg_query(pg, inspect_sql, (const char *const[]){name}, 1, &rows, err))
        return err_wrap(err, "looking at publication \"%s\"", name);
    if (rows.count == 0) {
        *ret = (struct publication_info){.owner = ""};
        return true;
    }
    info = row_publication(&rows, arena);
    if (!pg_query(pg, members_sql, (const char *const[]){pg_text(&rows, 0, 0)}, 1, &members, err))
        return err_wrap(err, "reading the tables of publication \"%s\"", name);
    fill_members(&info, &members, arena);
    *ret = info;
    return true;
}

const struct publication_member *
publication_find(const struct publication_info *info, oid_t relation)
{
    for (size_t i = 0; i < info->count; i++) {
        if (info->members[i].relation == relation)
            return &info->members[i];
    }
    return NULL;
}

/* ---- planning ---- */

struct planner {
    const struct publication_info *info;
    const struct publication_spec *spec;
    int server_version;
    struct arena *arena;
    const char **statements;
    const struct table **added;
    struct publication_plan plan;
    struct report *report;
    const char *where;
};

static const char *
keep(struct planner *p, struct buf *sql)
{
    return arena_strdup(p->arena, sql->ptr ? sql->ptr : "");
}

static void
add_statement(struct planner *p, struct buf *sql)
{
    p->statements[p->plan.statement_count++] = keep(p, sql);
}

/* Children by inheritance are tables of their own; partitions belong to their root. */
static void
put_relation(struct buf *out, const struct table *table)
{
    buf_put(out, table->kind == 'p' ? SPAN("") : SPAN("ONLY "));
    ident_put_qualified(out, span_of(table->schema), span_of(table->name));
}

/* The word TABLE once: Postgres 13 and 14 know no other form. */
static void
put_tables(struct buf *out, const struct table *const *tables, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        buf_put(out, i ? SPAN(", ") : SPAN("TABLE "));
        put_relation(out, tables[i]);
    }
}

static bool
wants_generated(const struct planner *p)
{
    return p->spec->generated && server_has(p->server_version, FEATURE_GENERATED_COLUMNS);
}

static void
plan_create(struct planner *p)
{
    CLEANUP(buf_free) struct buf sql = buf_make(SQL_LIMIT);

    buf_put(&sql, SPAN("CREATE PUBLICATION "));
    ident_put(&sql, span_of(p->spec->name));
    if (p->spec->all_tables) {
        buf_put(&sql, SPAN(" FOR ALL TABLES"));
    } else {
        buf_put(&sql, SPAN(" FOR "));
        put_tables(&sql, p->added, p->plan.added_count);
    }
    buf_put(&sql, SPAN(" WITH (publish = 'insert, update, delete, truncate', "
                       "publish_via_partition_root = true"));
    buf_put(&sql, wants_generated(p) ? SPAN(", publish_generated_columns = stored)") : SPAN(")"));
    p->plan.create = true;
    add_statement(p, &sql);
}

static void
begin_alter(const struct planner *p, struct buf *sql)
{
    buf_put(sql, SPAN("ALTER PUBLICATION "));
    ident_put(sql, span_of(p->spec->name));
}

static void
plan_set(struct planner *p, const char *options)
{
    CLEANUP(buf_free) struct buf sql = buf_make(SQL_LIMIT);

    begin_alter(p, &sql);
    buf_putf(&sql, " SET (%s)", options);
    add_statement(p, &sql);
}

static void
plan_options(struct planner *p)
{
    const struct publication_info *info = p->info;
    bool partitioned = false;

    for (size_t i = 0; i < p->spec->count; i++)
        partitioned = partitioned || p->spec->tables[i]->kind == 'p';
    if (!info->insert || !info->update || !info->delete || !info->truncate)
        plan_set(p, "publish = 'insert, update, delete, truncate'");
    if (partitioned && !info->via_root)
        plan_set(p, "publish_via_partition_root = true");
    if (wants_generated(p) && !info->generated_stored)
        plan_set(p, "publish_generated_columns = stored");
}

static void
plan_add(struct planner *p)
{
    CLEANUP(buf_free) struct buf sql = buf_make(SQL_LIMIT);

    if (p->plan.added_count == 0)
        return;
    begin_alter(p, &sql);
    buf_put(&sql, SPAN(" ADD "));
    put_tables(&sql, p->added, p->plan.added_count);
    add_statement(p, &sql);
}

/* Part of a table is not enough: what it leaves out would be missing, or never be deleted. */
static void
report_partial(struct planner *p, const struct table *table,
               const struct publication_member *member)
{
    CLEANUP(buf_free) struct buf remedy = buf_make(SQL_LIMIT);

    begin_alter(p, &remedy);
    buf_put(&remedy, SPAN(" DROP "));
    put_tables(&remedy, &table, 1);
    buf_put(&remedy, SPAN(";\n"));
    begin_alter(p, &remedy);
    buf_put(&remedy, SPAN(" ADD "));
    put_tables(&remedy, &table, 1);
    buf_put(&remedy, SPAN(";"));
    report_add(p->report, SEVERITY_ERROR, p->where, remedy.ptr,
               "it publishes %s.%s with a %s, and whole tables are needed", table->schema,
               table->name, member->filtered ? "row filter" : "column list");
}

/* Views, foreign and unlogged tables never enter one; the preflight says so. */
static bool
can_enter(const struct table *table)
{
    return (table->kind == 'r' || table->kind == 'p') && table->persistence == 'p';
}

static void
plan_tables(struct planner *p)
{
    for (size_t i = 0; i < p->spec->count; i++) {
        const struct table *table = p->spec->tables[i];
        const struct publication_member *member = publication_find(p->info, table->oid);

        if (!can_enter(table))
            continue;
        if (member && (member->filtered || member->column_list))
            report_partial(p, table, member);
        else if (!member && !p->info->all_tables)
            p->added[p->plan.added_count++] = table;
    }
}

/* One table may have several mappings. */
static bool
is_repeated(const struct publication_spec *spec, size_t at)
{
    for (size_t i = 0; i < at; i++) {
        if (spec->tables[i]->oid == spec->tables[at]->oid)
            return true;
    }
    return false;
}

static void
report_not_owner(struct planner *p)
{
    CLEANUP(buf_free) struct buf remedy = buf_make(SQL_LIMIT);

    for (size_t i = 0; i < p->plan.statement_count; i++)
        buf_putf(&remedy, "%s%s;", i ? "\n" : "", p->statements[i]);
    report_add(p->report, SEVERITY_ERROR, p->where, remedy.ptr,
               "it has to change, and only its owner \"%s\" may do that", p->info->owner);
}

static struct publication_spec
without_repetitions(const struct publication_spec *spec, struct arena *arena)
{
    const struct table **tables = arena_new_n(arena, const struct table *, spec->count);
    struct publication_spec own = *spec;

    own.count = 0;
    own.tables = tables;
    for (size_t i = 0; i < spec->count; i++) {
        if (!is_repeated(spec, i))
            tables[own.count++] = spec->tables[i];
    }
    return own;
}

void
publication_plan(const struct publication_info *info, const struct publication_spec *spec,
                 int server_version, struct arena *arena, struct publication_plan *ret,
                 struct report *report)
{
    struct publication_spec own = without_repetitions(spec, arena);
    char where[128];
    struct planner p = {
        .info = info,
        .spec = &own,
        .server_version = server_version,
        .arena = arena,
        .statements = arena_new_n(arena, const char *, 4),
        .added = arena_new_n(arena, const struct table *, spec->count + 1),
        .report = report,
        .where = where,
    };

    snprintf(where, sizeof(where), "publication \"%s\"", spec->name);
    plan_tables(&p);
    if (!info->exists) {
        if (p.plan.added_count > 0 || spec->all_tables)
            plan_create(&p);
    } else {
        plan_options(&p);
        plan_add(&p);
        if (p.plan.statement_count > 0 && !info->owned)
            report_not_owner(&p);
    }
    p.plan.statements = p.statements;
    p.plan.added = p.added;
    *ret = p.plan;
}

/* ---- replica identity ---- */

/*
 * Updates and deletes of these would fail once published (CheckCmdReplicaIdentity): no key under
 * DEFAULT, NOTHING, or an index that is gone.  A deferrable primary key is none.  `candidate`: a
 * unique index that could serve.
 */
static const char identity_sql[] =
    "SELECT n.nspname, c.relname, c.relreplident, coalesce(("
    "         SELECT ci.relname FROM pg_catalog.pg_index i"
    "           JOIN pg_catalog.pg_class ci ON ci.oid = i.indexrelid"
    "          WHERE i.indrelid = c.oid AND i.indisunique AND i.indimmediate AND i.indisvalid"
    "            AND i.indpred IS NULL AND i.indexprs IS NULL AND NOT EXISTS ("
    "                SELECT FROM pg_catalog.pg_attribute a WHERE a.attrelid = c.oid"
    "                   AND a.attnum = ANY (i.indkey) AND NOT a.attnotnull)"
    "          ORDER BY ci.relname LIMIT 1), ''),"
    "       EXISTS (SELECT FROM pg_catalog.pg_index i"
    "                WHERE i.indrelid = c.oid AND i.indisprimary)"
    "  FROM (SELECT $1::oid AS relid UNION"
    "        SELECT t.relid FROM pg_catalog.pg_partition_tree($1::oid) t WHERE t.isleaf) m"
    "  JOIN pg_catalog.pg_class c ON c.oid = m.relid"
    "  JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace"
    " WHERE c.relkind = 'r' AND c.relreplident <> 'f' AND NOT EXISTS ("
    "       SELECT FROM pg_catalog.pg_index i"
    "        WHERE i.indrelid = c.oid AND i.indisvalid AND i.indimmediate"
    "          AND (c.relreplident = 'd' AND i.indisprimary"
    "               OR c.relreplident = 'i' AND i.indisreplident))"
    " ORDER BY 1, 2";

static void
put_identity_remedy(const struct pg_rows *rows, int row, struct buf *out)
{
    const char *candidate = pg_text(rows, row, 3);
    bool has_primary = pg_bool(rows, row, 4);

    if (*candidate || has_primary) {
        buf_put(out, SPAN("ALTER TABLE "));
        ident_put_qualified(out, pg_value(rows, row, 0), pg_value(rows, row, 1));
        buf_put(out, SPAN(" REPLICA IDENTITY "));
        if (*candidate) {
            buf_put(out, SPAN("USING INDEX "));
            ident_put(out, span_of(candidate));
        } else {
            buf_put(out, SPAN("FULL"));
        }
        buf_put(out, SPAN(";"));
        return;
    }
    buf_put(out, SPAN("ALTER TABLE "));
    ident_put_qualified(out, pg_value(rows, row, 0), pg_value(rows, row, 1));
    buf_put(out, SPAN(" ADD PRIMARY KEY (...);\n-- or, at the price of more WAL:\nALTER TABLE "));
    ident_put_qualified(out, pg_value(rows, row, 0), pg_value(rows, row, 1));
    buf_put(out, SPAN(" REPLICA IDENTITY FULL;"));
}

static const char *
identity_fault(const struct pg_rows *rows, int row)
{
    switch (pg_text(rows, row, 2)[0]) {
    case 'n':
        return "has REPLICA IDENTITY NOTHING";
    case 'i':
        return "has lost the index of its replica identity";
    default:
        return pg_bool(rows, row, 4) ? "has only a deferrable primary key, which is no replica "
                                       "identity"
                                     : "has no primary key";
    }
}

bool
publication_check_identity(struct pg_session *pg, const struct table *table, struct arena *arena,
                           struct report *report, struct err *err)
{
    CLEANUP(pg_rows_free) struct pg_rows rows = {0};
    char oid[16];

    snprintf(oid, sizeof(oid), "%u", table->oid);
    if (!pg_query(pg, identity_sql, (const char *const[]){oid}, 1, &rows, err))
        return err_wrap(err, "checking the replica identity of %s.%s", table->schema, table->name);
    for (int i = 0; i < rows.count; i++) {
        CLEANUP(buf_free) struct buf remedy = buf_make(SQL_LIMIT), where = buf_make(SQL_LIMIT);

        put_identity_remedy(&rows, i, &remedy);
        buf_put(&where, SPAN("table "));
        ident_put_plain(&where, pg_value(&rows, i, 0));
        buf_putc(&where, '.');
        ident_put_plain(&where, pg_value(&rows, i, 1));
        report_add(report, SEVERITY_ERROR, arena_strdup(arena, where.ptr), remedy.ptr,
                   "it %s: once published, UPDATE and DELETE on it would fail",
                   identity_fault(&rows, i));
    }
    return true;
}

/* ---- doing ---- */

/* Keeps ALTER TABLE ... REPLICA IDENTITY out until we commit; partitions come with their root. */
static bool
lock_table(struct pg_session *pg, const struct table *table, struct err *err)
{
    CLEANUP(buf_free) struct buf sql = buf_make(SQL_LIMIT);

    buf_put(&sql, SPAN("LOCK "));
    put_tables(&sql, &table, 1);
    buf_put(&sql, SPAN(" IN SHARE UPDATE EXCLUSIVE MODE"));
    if (!buf_ok(&sql, err) || !pg_exec(pg, sql.ptr, NULL, err))
        return err_wrap(err, "locking %s.%s for a moment", table->schema, table->name);
    return true;
}

static bool
enter_tables(struct pg_session *pg, const struct publication_plan *plan, struct arena *arena,
             struct err *err)
{
    struct report report = report_make(arena);

    for (size_t i = 0; i < plan->added_count; i++) {
        if (!lock_table(pg, plan->added[i], err) ||
            !publication_check_identity(pg, plan->added[i], arena, &report, err))
            return false;
    }
    if (report.count[SEVERITY_ERROR] == 0)
        return true;
    return err_set(err, ERR_CONFIG, "%s: %s; %s", report.first->where, report.first->text,
                   report.first->remedy);
}

static bool
run_plan(struct pg_session *pg, const struct publication_plan *plan, struct arena *arena,
         struct err *err)
{
    char begin[64];

    snprintf(begin, sizeof(begin), "BEGIN; SET LOCAL lock_timeout = %d", LOCK_WAIT_MS);
    if (!pg_exec(pg, begin, NULL, err) || !enter_tables(pg, plan, arena, err))
        return false;
    for (size_t i = 0; i < plan->statement_count; i++) {
        if (!pg_exec(pg, plan->statements[i], NULL, err))
            return err_wrap(err, "%s", plan->statements[i]);
    }
    return pg_exec(pg, "COMMIT", NULL, err);
}

bool
publication_ensure(struct pg_session *pg, const struct publication_plan *plan, struct arena *arena,
                   struct err *err)
{
    struct err ignored;

    if (plan->statement_count == 0 || run_plan(pg, plan, arena, err))
        return true;
    (void)!pg_exec(pg, "ROLLBACK", NULL, &ignored);
    return err_wrap(err, "publishing the mapped tables");
}
