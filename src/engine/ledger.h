#ifndef ENGINE_LEDGER_H
#define ENGINE_LEDGER_H

/*
 * The ledger: the one place that decides what may be acknowledged (SEMANTICS 6 and 7).
 *
 * It counts three things that may not run ahead of each other:
 *
 *     flush      what Postgres was told          <= checkpoint
 *     checkpoint what the store has recorded     <= durable
 *     durable    what every destination has      <= end of the last transaction read
 *
 * Every unfinished batch is an entry with a floor: the end of the last transaction before its
 * first row's.  durable is the least floor of all entries and holds, else the end of what was
 * read.  The end moves at a commit or a keepalive only, so a transaction whose commit has not
 * arrived holds everything by itself.
 *
 * Pure: no clock, no I/O.  Owned by the owner thread.
 *
 *     ledger_begin(l);
 *     entry = ledger_open(l, mapping);     first row of a batch
 *     ledger_commit(l, end);
 *     ledger_finish(l, entry);               its lane has written it
 *     save ledger_durable(l); ledger_saved(l, lsn);
 *     tell Postgres ledger_flush(l);
 */

#include <stdbool.h>
#include <stddef.h>

#include "model/lsn.h"

/* No floor: not held. */
#define LEDGER_FREE UINT64_MAX

struct ledger_entry {
    size_t mapping;
    lsn_t floor; /* LEDGER_FREE: the slot is unused */
};

struct ledger {
    lsn_t end; /* of the last transaction read, or a later keepalive */
    bool in_transaction;
    lsn_t checkpoint;
    lsn_t flush;
    size_t mapping_count;
    lsn_t *holds; /* per mapping: LEDGER_FREE, or where it stopped */
    struct ledger_entry *entries;
    size_t entry_count; /* slots, used or not */
    size_t unfinished;
};

/* `start`: what the store has recorded; the stream begins there. */
void ledger_init(struct ledger *ledger, size_t mapping_count, lsn_t start);
void ledger_done(struct ledger *ledger); /* frees; a zeroed ledger is fine */

/* ---- what was read ---- */

void ledger_begin(struct ledger *ledger);
void ledger_commit(struct ledger *ledger, lsn_t end);
void ledger_keepalive(struct ledger *ledger, lsn_t wal_end);
void ledger_abandon(struct ledger *ledger); /* the stream was lost, perhaps inside a transaction */

/* ---- what is on its way ---- */

/*
 * Returns the entry.  Its rows are of the transaction that is being read, or was when the stream
 * was lost: either way nothing past `end` has been read but it.
 */
size_t ledger_open(struct ledger *ledger, size_t mapping);
lsn_t ledger_floor(const struct ledger *ledger, size_t entry);
void ledger_finish(struct ledger *ledger, size_t entry);

/* From here on nothing of this mapping becomes durable (SEMANTICS 26). */
void ledger_hold(struct ledger *ledger, size_t mapping);
bool ledger_held(const struct ledger *ledger, size_t mapping);

/* ---- what may be acknowledged ---- */

lsn_t ledger_durable(const struct ledger *ledger);
lsn_t ledger_mapping_durable(const struct ledger *ledger, size_t mapping);

/* The mapping that holds durable back, or mapping_count when none does. */
size_t ledger_holder(const struct ledger *ledger);

void ledger_saved(struct ledger *ledger, lsn_t checkpoint); /* the store has recorded it */
lsn_t ledger_flush(struct ledger *ledger);                  /* what Postgres may be told now */

#endif
