/* store_dead_letters: what could not be delivered, once per change. */
#include <assert.h>

#include "state/store.h"

static bool
letter_write(struct db *db, const struct store_dead_letter *letter, struct err *err)
{
    struct db_query query = db_query(db, SQL_DEAD_LETTER_ADD);
    char position[STORE_POSITION_SIZE];

    db_put_text(&query, letter->mapping);
    db_put_int(&query, letter->mapping_version);
    db_put_text(&query, store_position_text(position, letter->position));
    db_put_text(&query, letter->op ? letter->op : "");
    db_put_span(&query, letter->doc_id);
    db_put_span(&query, letter->event);
    db_put_text(&query, letter->kind);
    db_put_text(&query, letter->error);
    db_put_int(&query, letter->retry_count);
    db_put_int(&query, letter->first_ms);
    db_put_int(&query, letter->last_ms);
    return db_exec(&query, NULL, err);
}

bool
store_dead_letters_add(struct store *store, const struct store_dead_letter *letters, size_t count,
                       struct err *err)
{
    CLEANUP(db_work_end) struct db_work work = {0};

    if (!db_work_begin(&work, store_db(store), DB_WRITE, err))
        return err_wrap(err, "writing dead letters");
    for (size_t i = 0; i < count; i++) {
        if (!letter_write(store_db(store), &letters[i], err))
            return err_wrap(err, "writing dead letters");
    }
    if (!db_work_commit(&work, err))
        return err_wrap(err, "writing dead letters");
    return true;
}

static bool
letter_read(struct db_query *query, struct arena *arena, struct store_dead_letter *letter,
            struct err *err)
{
    letter->id = db_int(query, 0);
    letter->mapping = db_text(query, 1, arena);
    letter->mapping_version = db_int(query, 2);
    letter->op = db_text(query, 4, arena);
    letter->doc_id = db_span(query, 5, arena);
    letter->event = db_span(query, 6, arena);
    letter->kind = db_text(query, 7, arena);
    letter->error = db_text(query, 8, arena);
    letter->retry_count = db_int(query, 9);
    letter->first_ms = db_int(query, 10);
    letter->last_ms = db_int(query, 11);
    return store_position_read(db_peek(query, 3), &letter->position, err);
}

bool
store_dead_letters_list(struct store *store, const struct store_dead_letter_filter *filter,
                        struct arena *arena, struct store_dead_letter **ret, size_t *ret_count,
                        struct err *err)
{
    CLEANUP(db_work_end) struct db_work work = {0};
    struct store_rows rows = {.size = sizeof(struct store_dead_letter)};
    struct db_query query;
    bool row = true;

    assert(filter->limit >= 0);
    if (!db_work_begin(&work, store_db(store), DB_READ, err))
        return err_wrap(err, "listing dead letters");
    query = db_query(store_db(store), SQL_DEAD_LETTERS_LIST);
    db_put_text(&query, filter->mapping);
    db_put_int(&query, filter->id);
    db_put_int(&query, filter->limit ? filter->limit : -1); /* negative: no limit, in SQLite */
    while (row) {
        if (!db_row(&query, &row, err) ||
            (row && !letter_read(&query, arena, store_rows_add(&rows, arena), err)))
            return err_wrap(err, "listing dead letters");
    }
    if (!db_work_commit(&work, err))
        return err_wrap(err, "listing dead letters");
    *ret = rows.items;
    *ret_count = rows.count;
    return true;
}

bool
store_dead_letters_count(struct store *store, const char *mapping, int64_t *ret, struct err *err)
{
    CLEANUP(db_work_end) struct db_work work = {0};
    struct db_query query;
    int64_t count;
    bool row;

    if (!db_work_begin(&work, store_db(store), DB_READ, err))
        return err_wrap(err, "counting dead letters");
    query = db_query(store_db(store), SQL_DEAD_LETTERS_COUNT);
    db_put_text(&query, mapping);
    if (!db_row(&query, &row, err))
        return err_wrap(err, "counting dead letters");
    assert(row);
    count = db_int(&query, 0);
    db_query_end(&query);
    if (!db_work_commit(&work, err))
        return err_wrap(err, "counting dead letters");
    *ret = count;
    return true;
}

bool
store_dead_letters_have(struct store *store, const char *mapping, const struct span *ids,
                        size_t count, bool *ret_has, struct err *err)
{
    CLEANUP(db_work_end) struct db_work work = {0};

    if (!db_work_begin(&work, store_db(store), DB_READ, err))
        return err_wrap(err, "looking for dead letters");
    for (size_t i = 0; i < count; i++) {
        struct db_query query = db_query(store_db(store), SQL_DEAD_LETTER_HAS);

        db_put_text(&query, mapping);
        db_put_span(&query, ids[i]);
        if (!db_row(&query, &ret_has[i], err))
            return err_wrap(err, "looking for dead letters");
        db_query_end(&query);
    }
    if (!db_work_commit(&work, err))
        return err_wrap(err, "looking for dead letters");
    return true;
}
