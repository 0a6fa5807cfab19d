/* sqlite: the two stores that are made of SQLite, in a file and in memory. */
#include "state/sqlite.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "state/store.h"

static void
sqlite_close(struct store *store)
{
    db_close(store_db(store));
    free(store);
}

/* clang-format off */
#define FUNCTIONS                                   \
    .close             = sqlite_close,              \
    .flow_load         = store_flow_load,           \
    .flow_save         = store_flow_save,           \
    .checkpoints_load  = store_checkpoints_load,    \
    .checkpoints_save  = store_checkpoints_save,    \
    .checkpoints_reset = store_checkpoints_reset,   \
    .migrations_load   = store_migrations_load,     \
    .migration_add     = store_migration_add,       \
    .dead_letters_add  = store_dead_letters_add,    \
    .dead_letters_list = store_dead_letters_list,   \
    .dead_letters_count = store_dead_letters_count, \
    .dead_letters_have = store_dead_letters_have,   \
    .journal_add       = store_journal_add,         \
    .journal_due       = store_journal_due,         \
    .journal_remove    = store_journal_remove,      \
    .journal_size      = store_journal_size,        \
    .unknown_put       = store_unknown_put,         \
    .unknown_get       = store_unknown_get,         \
    .meta_put          = store_meta_put,            \
    .meta_get          = store_meta_get

static const struct store_type in_file   = {.name = "sqlite", .persistent = true,  FUNCTIONS};
static const struct store_type in_memory = {.name = "memory", .persistent = false, FUNCTIONS};
/* clang-format on */

static bool
open_as(const struct store_type *type, const char *path, enum state_access access,
        struct store **ret, struct err *err)
{
    struct sqlite_store *store;
    struct db *db;

    if (!db_open(path, access, &db, err))
        return false;
    store = calloc(1, sizeof(*store));
    if (!store)
        abort();
    *store = (struct sqlite_store){.base.type = type, .db = db};
    *ret = &store->base;
    return true;
}

bool
state_sqlite_open(const char *path, enum state_access access, struct store **ret, struct err *err)
{
    assert(path);
    return open_as(&in_file, path, access, ret, err);
}

bool
state_memory_open(struct store **ret, struct err *err)
{
    return open_as(&in_memory, NULL, STATE_CREATE, ret, err);
}

/* ---- what the parts share ---- */

void *
store_rows_add(struct store_rows *rows, struct arena *arena)
{
    void *grown;

    assert(rows->size > 0);
    if (rows->count == rows->cap) {
        rows->cap = rows->cap ? rows->cap * 2 : 16;
        grown = arena_alloc_n(arena, rows->cap, rows->size);
        if (rows->count)
            memcpy(grown, rows->items, rows->count * rows->size);
        rows->items = grown;
    }
    return (char *)rows->items + rows->count++ * rows->size;
}
