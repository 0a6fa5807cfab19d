#ifndef STATE_STORE_H
#define STATE_STORE_H

/*
 * The functions of the SQLite store, by what they keep: store_flow.c, store_dead_letters.c,
 * store_journal.c.  contract/store.h is their manual; sqlite.c lists them.
 */

#include "contract/store.h"
#include "state/db.h"

struct sqlite_store {
    struct store base; /* first */
    struct db *db;
};

static inline struct db *
store_db(struct store *store)
{
    return ((struct sqlite_store *)store)->db;
}

/* ---- result rows: an array that grows in the caller's arena ---- */

struct store_rows {
    void *items;
    size_t count, cap, size; /* size: of one item */
};

void *store_rows_add(struct store_rows *rows, struct arena *arena); /* zeroed */

/* ---- LSNs and positions as text (state/sql.h) ---- */

#define STORE_LSN_SIZE      18 /* "00000000/016B3748" */
#define STORE_POSITION_SIZE 35 /* that, '.', 16 digits */

const char *store_lsn_text(char dst[STORE_LSN_SIZE], lsn_t lsn);
const char *store_position_text(char dst[STORE_POSITION_SIZE], struct position position);
MUST_CHECK bool store_lsn_read(struct span text, lsn_t *ret, struct err *err);
MUST_CHECK bool store_position_read(struct span text, struct position *ret, struct err *err);

/* ---- store_flow.c ---- */

bool store_flow_load(struct store *store, struct arena *arena, struct store_flow *ret,
                     struct err *err);
bool store_flow_save(struct store *store, const struct store_flow *flow, struct err *err);
bool store_checkpoints_load(struct store *store, struct arena *arena, struct store_checkpoint **ret,
                            size_t *ret_count, struct err *err);
bool store_checkpoints_save(struct store *store, lsn_t flow,
                            const struct store_checkpoint *checkpoints, size_t count,
                            struct err *err);
bool store_checkpoints_reset(struct store *store, struct err *err);

/* ---- store_small.c ---- */

bool store_migrations_load(struct store *store, struct arena *arena, struct store_migration **ret,
                           size_t *ret_count, struct err *err);
bool store_migration_add(struct store *store, const struct store_migration *migration,
                         struct err *err);
bool store_unknown_put(struct store *store, const char *target, int64_t until_ms, struct err *err);
bool store_unknown_get(struct store *store, const char *target, int64_t *ret_until_ms,
                       struct err *err);
bool store_meta_put(struct store *store, const char *key, struct span text, struct err *err);
bool store_meta_get(struct store *store, const char *key, struct arena *arena, struct span *ret,
                    struct err *err);

/* ---- store_dead_letters.c ---- */

bool store_dead_letters_add(struct store *store, const struct store_dead_letter *letters,
                            size_t count, struct err *err);
bool store_dead_letters_list(struct store *store, const struct store_dead_letter_filter *filter,
                             struct arena *arena, struct store_dead_letter **ret, size_t *ret_count,
                             struct err *err);
bool store_dead_letters_count(struct store *store, const char *mapping, int64_t *ret,
                              struct err *err);
bool store_dead_letters_have(struct store *store, const char *mapping, const struct span *ids,
                             size_t count, bool *ret_has, struct err *err);

/* ---- store_journal.c ---- */

bool store_journal_add(struct store *store, const char *target,
                       const struct store_journal_entry *entries, size_t count, struct err *err);
bool store_journal_due(struct store *store, const char *target, int64_t now_ms, size_t limit,
                       struct arena *arena, struct store_journal_entry **ret, size_t *ret_count,
                       struct err *err);
bool store_journal_remove(struct store *store, const char *target,
                          const struct store_journal_entry *entries, size_t count, struct err *err);
bool store_journal_size(struct store *store, const char *target, int64_t *ret_bytes,
                        int64_t *ret_count, int64_t *ret_due_ms, struct err *err);

#endif
