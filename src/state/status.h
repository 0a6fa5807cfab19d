#ifndef STATE_STATUS_H
#define STATE_STATUS_H

/*
 * What `status` prints, for people and as JSON.  Pure: the command collects the facts, from the
 * store and from the source, and either may be missing.
 *
 * Lag in bytes is the server's position minus the checkpoint; while neither is known it is what
 * the run said.  Rates and lag in time are the living run's: of a run that has ended, and of a
 * record older than STATUS_FRESH_MS (idle: nothing to tell), rates are zero.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "model/lsn.h"

struct heartbeat;
struct store_checkpoint;
struct store_flow;

#define STATUS_FRESH_MS 10000

enum status_liveness {
    STATUS_UNKNOWN, /* the source could not be asked: status.source_error says why */
    STATUS_STOPPED,
    STATUS_RUNNING,
    STATUS_LIVENESS_MAX_,
};

struct status_slot {
    const char *name;
    bool exists; /* false: the rest is not set */
    bool active;
    lsn_t confirmed_flush;
    lsn_t restart;
    int64_t retained_bytes; /* of WAL, because of it */
    const char *wal_status; /* "reserved", ...; NULL: the server does not say */
};

struct status_mapping {
    const char *name;
    int64_t version;
    const char *target;
    const struct store_checkpoint *checkpoint; /* NULL: none yet */
    int64_t dead_letters;
    int64_t journal_entries; /* of its target: deletes that will be repeated */
};

struct status {
    int64_t now_ms;  /* wall clock */
    bool persistent; /* false: the store is in the memory of the run, nothing is known */
    const struct store_flow *flow;
    const struct heartbeat *heartbeat; /* NULL: none was written */
    enum status_liveness liveness;
    const char *source_error;       /* NULL: the source was asked */
    lsn_t server_lsn;               /* where the source writes now; 0 unknown */
    const struct status_slot *slot; /* NULL: unknown */
    const struct status_mapping *mappings;
    size_t mapping_count;
    int64_t dead_letters; /* of all mappings */
};

void status_text(const struct status *status, struct arena *scratch, struct buf *out);
void status_json(const struct status *status, struct arena *scratch, struct buf *out);

/* ---- what both forms are made from ---- */

struct status_lag {
    bool has_bytes, has_ms;
    uint64_t bytes;
    int64_t ms;
};

struct status_holder {
    const char *mapping; /* NULL: nothing holds the slot back */
    const char *reason;
};

struct status_lag status_lag(const struct status *status);
struct status_holder status_holder(const struct status *status);
bool status_is_fresh(const struct status *status); /* the heartbeat's rates are of now */

/* "ok", "stopped", "re-read needed", "older rows not loaded", "not started"; of one mapping. */
const char *status_mapping_state(const struct status_mapping *mapping);

#endif
