/* store_journal: deletes that are repeated when the reason for it ends (SEMANTICS 19). */
#include <assert.h>

#include "state/store.h"

/* One statement per entry, all in one transaction; ADD and REMOVE take the same parameters. */
static bool
entries_run(struct store *store, enum sql sql, const char *target,
            const struct store_journal_entry *entries, size_t count, struct err *err)
{
    CLEANUP(db_work_end) struct db_work work = {0};

    if (!db_work_begin(&work, store_db(store), DB_WRITE, err))
        return false;
    for (size_t i = 0; i < count; i++) {
        struct db_query query = db_query(store_db(store), sql);
        char position[STORE_POSITION_SIZE];

        db_put_text(&query, target);
        db_put_span(&query, entries[i].id);
        db_put_int(&query, entries[i].quoted);
        db_put_text(&query, store_position_text(position, entries[i].position));
        db_put_int(&query, entries[i].due_ms);
        if (!db_exec(&query, NULL, err))
            return false;
    }
    return db_work_commit(&work, err);
}

bool
store_journal_add(struct store *store, const char *target,
                  const struct store_journal_entry *entries, size_t count, struct err *err)
{
    return entries_run(store, SQL_JOURNAL_ADD, target, entries, count, err) ||
           err_wrap(err, "writing the delete journal of %s", target);
}

bool
store_journal_remove(struct store *store, const char *target,
                     const struct store_journal_entry *entries, size_t count, struct err *err)
{
    return entries_run(store, SQL_JOURNAL_REMOVE, target, entries, count, err) ||
           err_wrap(err, "clearing the delete journal of %s", target);
}

static bool
entry_read(struct db_query *query, struct arena *arena, struct store_journal_entry *entry,
           struct err *err)
{
    entry->id = db_span(query, 0, arena);
    entry->quoted = db_int(query, 1) != 0;
    entry->due_ms = db_int(query, 3);
    return store_position_read(db_peek(query, 2), &entry->position, err);
}

bool
store_journal_due(struct store *store, const char *target, int64_t now_ms, size_t limit,
                  struct arena *arena, struct store_journal_entry **ret, size_t *ret_count,
                  struct err *err)
{
    CLEANUP(db_work_end) struct db_work work = {0};
    struct store_rows rows = {.size = sizeof(struct store_journal_entry)};
    struct db_query query;
    bool row = true;

    assert(limit <= INT64_MAX);
    if (!db_work_begin(&work, store_db(store), DB_READ, err))
        return err_wrap(err, "reading the delete journal of %s", target);
    query = db_query(store_db(store), SQL_JOURNAL_DUE);
    db_put_text(&query, target);
    db_put_int(&query, now_ms);
    db_put_int(&query, (int64_t)limit);
    while (row) {
        if (!db_row(&query, &row, err) ||
            (row && !entry_read(&query, arena, store_rows_add(&rows, arena), err)))
            return err_wrap(err, "reading the delete journal of %s", target);
    }
    if (!db_work_commit(&work, err))
        return err_wrap(err, "reading the delete journal of %s", target);
    *ret = rows.items;
    *ret_count = rows.count;
    return true;
}

bool
store_journal_size(struct store *store, const char *target, int64_t *ret_bytes, int64_t *ret_count,
                   int64_t *ret_due_ms, struct err *err)
{
    CLEANUP(db_work_end) struct db_work work = {0};
    struct db_query query;
    int64_t bytes, count, due_ms;
    bool row;

    if (!db_work_begin(&work, store_db(store), DB_READ, err))
        return err_wrap(err, "measuring the delete journal");
    query = db_query(store_db(store), SQL_JOURNAL_SIZE);
    db_put_text(&query, target);
    if (!db_row(&query, &row, err))
        return err_wrap(err, "measuring the delete journal");
    assert(row); /* an aggregate */
    bytes = db_int(&query, 0);
    count = db_int(&query, 1);
    due_ms = db_is_null(&query, 2) ? INT64_MAX : db_int(&query, 2);
    db_query_end(&query);
    if (!db_work_commit(&work, err))
        return err_wrap(err, "measuring the delete journal");
    *ret_bytes = bytes;
    *ret_count = count;
    *ret_due_ms = due_ms;
    return true;
}
