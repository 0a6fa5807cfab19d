#ifndef CONTRACT_STORE_H
#define CONTRACT_STORE_H

/*
 * What must survive: applied migrations, checkpoints, dead letters, the delete journal, unknown
 * requests, intents, the heartbeat.
 *
 * Every function is one transaction and is durable when it returns true (SEMANTICS 7); all may be
 * called from any thread, one at a time (the store locks itself).  Functions block: the owner
 * thread goes through the store thread.
 *
 * Errors: TRANSIENT (disk full, busy: may pass), CONFIG (wrong file, version, rights), BUG.
 * Results live in the arena given.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "model/lsn.h"

/* ---- the flow: one record ---- */

struct store_flow {
    const char *system_id; /* pg_control_system(); "" before the first start */
    int64_t timeline;
    const char *database;
    const char *slot;
    const char *publication;
    uint64_t epoch;
    bool slot_intent; /* we were about to create the slot and have not recorded its success */
    lsn_t checkpoint; /* least of the mappings' at the last save; 0 none */
    bool clean_end;   /* the last run ended in order; cleared by the next */
    bool has_started; /* a run has recorded a start position */
};

/* ---- checkpoints: one record per mapping ---- */

enum store_mapping_flags {
    STORE_STOPPED = 1 << 0,       /* this mapping stopped and holds the slot; text says why */
    STORE_REREAD_NEEDED = 1 << 1, /* rows changed without events (SEMANTICS 26) */
    STORE_BACKFILLED = 1 << 2,    /* rows older than the slot are known to be there */
};

struct store_checkpoint {
    const char *mapping;
    lsn_t lsn;                /* everything that ended at or before it is durable */
    struct position truncate; /* events at or below it are dropped (SEMANTICS 18); 0 none; a save
                                 never lowers it */
    unsigned flags;
    const char *text; /* of STOPPED or REREAD_NEEDED; "" none */
};

/* ---- migrations ---- */

struct store_migration {
    const char *mapping;
    int64_t version;
    const char *file;
    const char *hash;   /* struct mapping hash */
    const char *target; /* namespace: a type change in place is refused (C12) */
    const char *normal; /* the normal form, JSON */
    int64_t applied_ms; /* wall clock */
};

/* ---- dead letters ---- */

struct store_dead_letter {
    int64_t id; /* given by the store */
    const char *mapping;
    int64_t mapping_version;
    struct position position;
    const char *op;     /* change_op_names, or "" */
    struct span doc_id; /* canonical; empty when it could not be made */
    struct span event;  /* the raw event, JSON */
    const char *kind;   /* err_policy()->name */
    const char *error;
    int64_t retry_count;
    int64_t first_ms, last_ms; /* wall clock */
};

struct store_dead_letter_filter {
    const char *mapping; /* NULL: all */
    int64_t id;          /* 0: all */
    int64_t limit;       /* 0: no limit */
};

/* ---- delete journal (SEMANTICS 18, 19) ---- */

struct store_journal_entry {
    struct span id; /* canonical id text; empty: the target's TRUNCATE filter */
    bool quoted;    /* as in struct docid */
    struct position position;
    int64_t due_ms; /* wall clock: when the reason ends and it is repeated */
};

struct store {
    const struct store_type *type;
};

struct store_type {
    const char *name;
    bool persistent; /* false: memory; `status` and `dlq` say that there is no stored state */

    void (*close)(struct store *store);

    MUST_CHECK bool (*flow_load)(struct store *store, struct arena *arena, struct store_flow *ret,
                                 struct err *err);
    /* All of it, the checkpoint by the rule of checkpoints_save. */
    MUST_CHECK bool (*flow_save)(struct store *store, const struct store_flow *flow,
                                 struct err *err);

    MUST_CHECK bool (*checkpoints_load)(struct store *store, struct arena *arena,
                                        struct store_checkpoint **ret, size_t *ret_count,
                                        struct err *err);
    /* The mappings named, and the flow's checkpoint; others stay.  A smaller LSN than the stored
     * one is ERR_BUG: a checkpoint never goes back (checkpoint_reset does, on an order). */
    MUST_CHECK bool (*checkpoints_save)(struct store *store, lsn_t flow,
                                        const struct store_checkpoint *checkpoints, size_t count,
                                        struct err *err);
    /* Forget all checkpoints: another slot or epoch begins. */
    MUST_CHECK bool (*checkpoints_reset)(struct store *store, struct err *err);

    MUST_CHECK bool (*migrations_load)(struct store *store, struct arena *arena,
                                       struct store_migration **ret, size_t *ret_count,
                                       struct err *err);
    /* The same again is fine; a version that was applied with another hash is ERR_CONFIG. */
    MUST_CHECK bool (*migration_add)(struct store *store, const struct store_migration *migration,
                                     struct err *err);

    /* Same (mapping, position, doc_id): one entry, its retry_count and last_ms go up. */
    MUST_CHECK bool (*dead_letters_add)(struct store *store,
                                        const struct store_dead_letter *letters, size_t count,
                                        struct err *err);
    /* In the order of their ids: oldest first. */
    MUST_CHECK bool (*dead_letters_list)(struct store *store,
                                         const struct store_dead_letter_filter *filter,
                                         struct arena *arena, struct store_dead_letter **ret,
                                         size_t *ret_count, struct err *err);
    MUST_CHECK bool (*dead_letters_count)(struct store *store, const char *mapping, int64_t *ret,
                                          struct err *err); /* mapping NULL: all */
    /* ret_has[i]: ids[i] has a dead letter of this mapping. */
    MUST_CHECK bool (*dead_letters_have)(struct store *store, const char *mapping,
                                         const struct span *ids, size_t count, bool *ret_has,
                                         struct err *err);

    /* Entries of one id keep the greatest position and the latest due_ms. */
    MUST_CHECK bool (*journal_add)(struct store *store, const char *target,
                                   const struct store_journal_entry *entries, size_t count,
                                   struct err *err);
    /* At most `limit` entries with due_ms <= now_ms, earliest first. */
    MUST_CHECK bool (*journal_due)(struct store *store, const char *target, int64_t now_ms,
                                   size_t limit, struct arena *arena,
                                   struct store_journal_entry **ret, size_t *ret_count,
                                   struct err *err);
    /* Only entries that still have exactly these positions and due times go. */
    MUST_CHECK bool (*journal_remove)(struct store *store, const char *target,
                                      const struct store_journal_entry *entries, size_t count,
                                      struct err *err);
    /* Bytes and entries of one target (NULL: all), and the earliest due_ms (INT64_MAX: none). */
    MUST_CHECK bool (*journal_size)(struct store *store, const char *target, int64_t *ret_bytes,
                                    int64_t *ret_count, int64_t *ret_due_ms, struct err *err);

    /* Until when (wall clock) a request of unknown outcome may still reach this target; only
     * grows. */
    MUST_CHECK bool (*unknown_put)(struct store *store, const char *target, int64_t until_ms,
                                   struct err *err);
    MUST_CHECK bool (*unknown_get)(struct store *store, const char *target, int64_t *ret_until_ms,
                                   struct err *err); /* 0: none */

    /* Small texts by name: "heartbeat", "tables" (SEMANTICS 13), ... */
    MUST_CHECK bool (*meta_put)(struct store *store, const char *key, struct span text,
                                struct err *err);
    MUST_CHECK bool (*meta_get)(struct store *store, const char *key, struct arena *arena,
                                struct span *ret, struct err *err); /* empty: none */
};

static inline void
store_close(struct store *store)
{
    if (store)
        store->type->close(store);
}

static inline void
store_closep(struct store **store)
{
    store_close(*store);
    *store = NULL;
}

#endif
