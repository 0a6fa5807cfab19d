#ifndef SOURCE_SERVER_H
#define SOURCE_SERVER_H

/*
 * Which server is at the other end: system identifier and timeline (SEMANTICS 5), and what its
 * version can do (SEMANTICS 14).
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/span.h"
#include "model/lsn.h"

struct pg_session;

/* ---- identity; on a replication session ---- */

struct server_identity {
    const char *system_id; /* decimal */
    int64_t timeline;
    lsn_t wal_end; /* flushed so far */
    const char *database;
};

/* IDENTIFY_SYSTEM (manual 55.4). */
MUST_CHECK bool server_identify(struct pg_session *replication, struct arena *arena,
                                struct server_identity *ret, struct err *err);

/*
 * Where the server's history left `timeline`: *ret_found is false when it never was on it.  The
 * present timeline is left at LSN_MAX.
 */
MUST_CHECK bool server_switch_point(struct pg_session *replication,
                                    const struct server_identity *identity, int64_t timeline,
                                    bool *ret_found, lsn_t *ret_lsn, struct err *err);

/* The pure half: `history` is the content of a timeline history file. */
bool timeline_switch_point(struct span history, int64_t timeline, lsn_t *ret);

/* Where the log ends now; on an ordinary session. */
MUST_CHECK bool server_insert_lsn(struct pg_session *pg, lsn_t *ret, struct err *err);

/* ---- feature x version ---- */

enum server_feature {
    FEATURE_PUBLISH_VIA_ROOT,
    FEATURE_MESSAGES,
    FEATURE_BINARY,
    FEATURE_STREAMING,
    FEATURE_TID_RANGE_SCAN,
    FEATURE_IDLE_SESSION_TIMEOUT,
    FEATURE_ROW_FILTER,
    FEATURE_COLUMN_LIST,
    FEATURE_SCHEMA_PUBLICATION,
    FEATURE_TWO_PHASE,
    FEATURE_PARALLEL_STREAMING,
    FEATURE_STANDBY_DECODING,
    FEATURE_SLOT_CONFLICTING,
    FEATURE_FAILOVER_SLOT,
    FEATURE_SLOT_INVALIDATION_REASON,
    FEATURE_GENERATED_COLUMNS,
    FEATURE_MAX_,
};

#define SERVER_MAJOR_MIN 13
#define SERVER_MAJOR_MAX 18

/* server_version: pg_server_version(), 150004 */
bool server_has(int server_version, enum server_feature feature);
const char *server_feature_name(enum server_feature feature);
int server_feature_major(enum server_feature feature); /* the first major version that has it */

#endif
