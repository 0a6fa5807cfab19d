/* store_small: applied migrations, unknown requests, small texts by name. */
#include <assert.h>

#include "state/store.h"

/* ---- migrations ---- */

static void
migration_read(struct db_query *query, struct arena *arena, struct store_migration *migration)
{
    migration->mapping = db_text(query, 0, arena);
    migration->version = db_int(query, 1);
    migration->file = db_text(query, 2, arena);
    migration->hash = db_text(query, 3, arena);
    migration->target = db_text(query, 4, arena);
    migration->normal = db_text(query, 5, arena);
    migration->applied_ms = db_int(query, 6);
}

bool
store_migrations_load(struct store *store, struct arena *arena, struct store_migration **ret,
                      size_t *ret_count, struct err *err)
{
    CLEANUP(db_work_end) struct db_work work = {0};
    struct store_rows rows = {.size = sizeof(struct store_migration)};
    struct db_query query;
    bool row = true;

    if (!db_work_begin(&work, store_db(store), DB_READ, err))
        return err_wrap(err, "loading the migrations");
    query = db_query(store_db(store), SQL_MIGRATIONS_LOAD);
    while (row) {
        if (!db_row(&query, &row, err))
            return err_wrap(err, "loading the migrations");
        if (row)
            migration_read(&query, arena, store_rows_add(&rows, arena));
    }
    if (!db_work_commit(&work, err))
        return err_wrap(err, "loading the migrations");
    *ret = rows.items;
    *ret_count = rows.count;
    return true;
}

/* The version is there already: the same again is fine, another content is not. */
static bool
migration_compare(struct db *db, const struct store_migration *migration, struct err *err)
{
    struct db_query query = db_query(db, SQL_MIGRATION_GET);
    bool row, same;

    db_put_text(&query, migration->mapping);
    db_put_int(&query, migration->version);
    if (!db_row(&query, &row, err))
        return false;
    assert(row);
    same = span_eq(db_peek(&query, 0), span_of(migration->hash));
    if (!same)
        err_set(err, ERR_CONFIG,
                "%s: version %lld of mapping %s was applied from %.*s with other content; give the "
                "change a new version",
                migration->file, (long long)migration->version, migration->mapping,
                SPAN_ARG(db_peek(&query, 1)));
    db_query_end(&query);
    return same;
}

static bool
migration_write(struct db *db, const struct store_migration *migration, struct err *err)
{
    struct db_query query = db_query(db, SQL_MIGRATION_ADD);
    int64_t changes;

    db_put_text(&query, migration->mapping);
    db_put_int(&query, migration->version);
    db_put_text(&query, migration->file);
    db_put_text(&query, migration->hash);
    db_put_text(&query, migration->target);
    db_put_text(&query, migration->normal);
    db_put_int(&query, migration->applied_ms);
    if (!db_exec(&query, &changes, err))
        return false;
    return changes > 0 || migration_compare(db, migration, err);
}

bool
store_migration_add(struct store *store, const struct store_migration *migration, struct err *err)
{
    CLEANUP(db_work_end) struct db_work work = {0};

    if (!db_work_begin(&work, store_db(store), DB_WRITE, err) ||
        !migration_write(store_db(store), migration, err) || !db_work_commit(&work, err))
        return err_wrap(err, "recording a migration");
    return true;
}

/* ---- unknown requests ---- */

bool
store_unknown_put(struct store *store, const char *target, int64_t until_ms, struct err *err)
{
    CLEANUP(db_work_end) struct db_work work = {0};
    struct db_query query;

    if (!db_work_begin(&work, store_db(store), DB_WRITE, err))
        return err_wrap(err, "recording an unknown request");
    query = db_query(store_db(store), SQL_UNKNOWN_PUT);
    db_put_text(&query, target);
    db_put_int(&query, until_ms);
    if (!db_exec(&query, NULL, err) || !db_work_commit(&work, err))
        return err_wrap(err, "recording an unknown request");
    return true;
}

bool
store_unknown_get(struct store *store, const char *target, int64_t *ret_until_ms, struct err *err)
{
    CLEANUP(db_work_end) struct db_work work = {0};
    struct db_query query;
    int64_t until_ms = 0;
    bool row;

    if (!db_work_begin(&work, store_db(store), DB_READ, err))
        return err_wrap(err, "loading unknown requests");
    query = db_query(store_db(store), SQL_UNKNOWN_GET);
    db_put_text(&query, target);
    if (!db_row(&query, &row, err))
        return err_wrap(err, "loading unknown requests");
    if (row)
        until_ms = db_int(&query, 0);
    db_query_end(&query);
    if (!db_work_commit(&work, err))
        return err_wrap(err, "loading unknown requests");
    *ret_until_ms = until_ms;
    return true;
}

/* ---- small texts ---- */

bool
store_meta_put(struct store *store, const char *key, struct span text, struct err *err)
{
    CLEANUP(db_work_end) struct db_work work = {0};
    struct db_query query;

    if (!db_work_begin(&work, store_db(store), DB_WRITE, err))
        return err_wrap(err, "saving \"%s\"", key);
    query = db_query(store_db(store), SQL_META_PUT);
    db_put_text(&query, key);
    db_put_span(&query, text);
    if (!db_exec(&query, NULL, err) || !db_work_commit(&work, err))
        return err_wrap(err, "saving \"%s\"", key);
    return true;
}

bool
store_meta_get(struct store *store, const char *key, struct arena *arena, struct span *ret,
               struct err *err)
{
    CLEANUP(db_work_end) struct db_work work = {0};
    struct span text = SPAN("");
    struct db_query query;
    bool row;

    if (!db_work_begin(&work, store_db(store), DB_READ, err))
        return err_wrap(err, "loading \"%s\"", key);
    query = db_query(store_db(store), SQL_META_GET);
    db_put_text(&query, key);
    if (!db_row(&query, &row, err))
        return err_wrap(err, "loading \"%s\"", key);
    if (row)
        text = db_span(&query, 0, arena);
    db_query_end(&query);
    if (!db_work_commit(&work, err))
        return err_wrap(err, "loading \"%s\"", key);
    *ret = text;
    return true;
}
