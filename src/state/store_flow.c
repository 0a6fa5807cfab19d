/* store_flow: the flow's record and the checkpoints of its mappings. */
#include <assert.h>

#include "state/store.h"

/* ---- the flow ---- */

static bool
flow_read(struct db_query *query, struct arena *arena, struct store_flow *flow, struct err *err)
{
    flow->system_id = db_text(query, 0, arena);
    flow->timeline = db_int(query, 1);
    flow->database = db_text(query, 2, arena);
    flow->slot = db_text(query, 3, arena);
    flow->publication = db_text(query, 4, arena);
    flow->epoch = (uint64_t)db_int(query, 5);
    flow->slot_intent = db_int(query, 6) != 0;
    flow->clean_end = db_int(query, 8) != 0;
    flow->has_started = db_int(query, 9) != 0;
    return store_lsn_read(db_peek(query, 7), &flow->checkpoint, err);
}

bool
store_flow_load(struct store *store, struct arena *arena, struct store_flow *ret, struct err *err)
{
    CLEANUP(db_work_end) struct db_work work = {0};
    struct store_flow flow = {.system_id = "", .database = "", .slot = "", .publication = ""};
    struct db_query query;
    bool row;

    if (!db_work_begin(&work, store_db(store), DB_READ, err))
        return err_wrap(err, "loading the flow");
    query = db_query(store_db(store), SQL_FLOW_LOAD);
    if (!db_row(&query, &row, err) || (row && !flow_read(&query, arena, &flow, err)))
        return err_wrap(err, "loading the flow");
    db_query_end(&query);
    if (!db_work_commit(&work, err))
        return err_wrap(err, "loading the flow");
    *ret = flow;
    return true;
}

/* ERR_BUG: what was to be saved is behind what is stored. */
static bool
went_back(struct db_query *stored, const char *what, const char *to, struct err *err)
{
    bool row;

    if (!db_row(stored, &row, err))
        return false;
    assert(row); /* or nothing was in the way */
    err_set(err, ERR_BUG, "the checkpoint of %s would go back from %.*s to %s", what,
            SPAN_ARG(db_peek(stored, 0)), to);
    db_query_end(stored);
    return false;
}

static bool
flow_write(struct db *db, const struct store_flow *flow, struct err *err)
{
    struct db_query query = db_query(db, SQL_FLOW_SAVE);
    char checkpoint[STORE_LSN_SIZE];
    int64_t changes;

    assert(flow->epoch <= INT64_MAX);
    db_put_text(&query, flow->system_id);
    db_put_int(&query, flow->timeline);
    db_put_text(&query, flow->database);
    db_put_text(&query, flow->slot);
    db_put_text(&query, flow->publication);
    db_put_int(&query, (int64_t)flow->epoch);
    db_put_int(&query, flow->slot_intent);
    db_put_text(&query, store_lsn_text(checkpoint, flow->checkpoint));
    db_put_int(&query, flow->clean_end);
    db_put_int(&query, flow->has_started);
    if (!db_exec(&query, &changes, err))
        return false;
    if (changes > 0)
        return true;
    query = db_query(db, SQL_FLOW_CHECKPOINT);
    return went_back(&query, "the flow", checkpoint, err);
}

bool
store_flow_save(struct store *store, const struct store_flow *flow, struct err *err)
{
    CLEANUP(db_work_end) struct db_work work = {0};

    if (!db_work_begin(&work, store_db(store), DB_WRITE, err) ||
        !flow_write(store_db(store), flow, err) || !db_work_commit(&work, err))
        return err_wrap(err, "saving the flow");
    return true;
}

/* ---- checkpoints ---- */

static bool
checkpoint_read(struct db_query *query, struct arena *arena, struct store_checkpoint *checkpoint,
                struct err *err)
{
    checkpoint->mapping = db_text(query, 0, arena);
    checkpoint->flags = (unsigned)db_int(query, 3);
    checkpoint->text = db_text(query, 4, arena);
    return store_lsn_read(db_peek(query, 1), &checkpoint->lsn, err) &&
           store_position_read(db_peek(query, 2), &checkpoint->truncate, err);
}

bool
store_checkpoints_load(struct store *store, struct arena *arena, struct store_checkpoint **ret,
                       size_t *ret_count, struct err *err)
{
    CLEANUP(db_work_end) struct db_work work = {0};
    struct store_rows rows = {.size = sizeof(struct store_checkpoint)};
    struct db_query query;
    bool row = true;

    if (!db_work_begin(&work, store_db(store), DB_READ, err))
        return err_wrap(err, "loading the checkpoints");
    query = db_query(store_db(store), SQL_CHECKPOINTS_LOAD);
    while (row) {
        if (!db_row(&query, &row, err) ||
            (row && !checkpoint_read(&query, arena, store_rows_add(&rows, arena), err)))
            return err_wrap(err, "loading the checkpoints");
    }
    if (!db_work_commit(&work, err))
        return err_wrap(err, "loading the checkpoints");
    *ret = rows.items;
    *ret_count = rows.count;
    return true;
}

static bool
checkpoint_write(struct db *db, const struct store_checkpoint *checkpoint, struct err *err)
{
    struct db_query query = db_query(db, SQL_CHECKPOINT_SAVE);
    char lsn[STORE_LSN_SIZE], truncate[STORE_POSITION_SIZE];
    int64_t changes;

    db_put_text(&query, checkpoint->mapping);
    db_put_text(&query, store_lsn_text(lsn, checkpoint->lsn));
    db_put_text(&query, store_position_text(truncate, checkpoint->truncate));
    db_put_int(&query, checkpoint->flags);
    db_put_text(&query, checkpoint->text ? checkpoint->text : "");
    if (!db_exec(&query, &changes, err))
        return false;
    if (changes > 0)
        return true;
    query = db_query(db, SQL_CHECKPOINT_GET);
    db_put_text(&query, checkpoint->mapping);
    return went_back(&query, checkpoint->mapping, lsn, err);
}

static bool
flow_checkpoint_write(struct db *db, lsn_t checkpoint, struct err *err)
{
    struct db_query query = db_query(db, SQL_FLOW_CHECKPOINT_SAVE);
    char lsn[STORE_LSN_SIZE];
    int64_t changes;

    db_put_text(&query, store_lsn_text(lsn, checkpoint));
    if (!db_exec(&query, &changes, err))
        return false;
    if (changes > 0)
        return true;
    query = db_query(db, SQL_FLOW_CHECKPOINT);
    return went_back(&query, "the flow", lsn, err);
}

static bool
checkpoints_write(struct db *db, lsn_t flow, const struct store_checkpoint *checkpoints,
                  size_t count, struct err *err)
{
    for (size_t i = 0; i < count; i++) {
        if (!checkpoint_write(db, &checkpoints[i], err))
            return false;
    }
    return flow_checkpoint_write(db, flow, err);
}

bool
store_checkpoints_save(struct store *store, lsn_t flow, const struct store_checkpoint *checkpoints,
                       size_t count, struct err *err)
{
    CLEANUP(db_work_end) struct db_work work = {0};

    if (!db_work_begin(&work, store_db(store), DB_WRITE, err) ||
        !checkpoints_write(store_db(store), flow, checkpoints, count, err) ||
        !db_work_commit(&work, err))
        return err_wrap(err, "saving the checkpoint");
    return true;
}

bool
store_checkpoints_reset(struct store *store, struct err *err)
{
    CLEANUP(db_work_end) struct db_work work = {0};
    struct db_query mappings, flow;

    if (!db_work_begin(&work, store_db(store), DB_WRITE, err))
        return err_wrap(err, "forgetting the checkpoints");
    mappings = db_query(store_db(store), SQL_CHECKPOINTS_RESET);
    flow = db_query(store_db(store), SQL_FLOW_CHECKPOINT_RESET);
    if (!db_exec(&mappings, NULL, err) || !db_exec(&flow, NULL, err) || !db_work_commit(&work, err))
        return err_wrap(err, "forgetting the checkpoints");
    return true;
}
