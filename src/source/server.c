/* server: identity, timelines, and what which version can do. */
#include "source/server.h"

#include <assert.h>
#include <stdio.h>

#include "base/number.h"
#include "pg/session.h"

/* ---- feature x version (SEMANTICS 14) ---- */

/* clang-format off */
static const struct {
    const char *name;
    int major;
} features[] = {
    [FEATURE_PUBLISH_VIA_ROOT]         = {"publish_via_partition_root",  13},
    [FEATURE_MESSAGES]                 = {"logical messages",            14},
    [FEATURE_BINARY]                   = {"binary column values",        14},
    [FEATURE_STREAMING]                = {"streaming of open transactions", 14},
    [FEATURE_TID_RANGE_SCAN]           = {"TID range scans",             14},
    [FEATURE_IDLE_SESSION_TIMEOUT]     = {"idle_session_timeout",        14},
    [FEATURE_ROW_FILTER]               = {"row filters",                 15},
    [FEATURE_COLUMN_LIST]              = {"column lists",                15},
    [FEATURE_SCHEMA_PUBLICATION]       = {"publications of schemas",     15},
    [FEATURE_TWO_PHASE]                = {"two-phase commit",            15},
    [FEATURE_PARALLEL_STREAMING]       = {"parallel streaming",          16},
    [FEATURE_STANDBY_DECODING]         = {"decoding on standbys",        16},
    [FEATURE_SLOT_CONFLICTING]         = {"slot conflicts",              16},
    [FEATURE_FAILOVER_SLOT]            = {"failover slots",              17},
    [FEATURE_SLOT_INVALIDATION_REASON] = {"slot invalidation reasons",   17},
    [FEATURE_GENERATED_COLUMNS]        = {"generated columns",           18},
};
/* clang-format on */

_Static_assert(ARRAY_LEN(features) == FEATURE_MAX_, "one version per feature");

bool
server_has(int server_version, enum server_feature feature)
{
    return server_version / 10000 >= server_feature_major(feature);
}

const char *
server_feature_name(enum server_feature feature)
{
    assert(feature < FEATURE_MAX_);
    return features[feature].name;
}

int
server_feature_major(enum server_feature feature)
{
    assert(feature < FEATURE_MAX_);
    return features[feature].major;
}

/* ---- identity ---- */

bool
server_identify(struct pg_session *replication, struct arena *arena, struct server_identity *ret,
                struct err *err)
{
    CLEANUP(pg_rows_free) struct pg_rows rows = {0};

    if (!pg_exec(replication, "IDENTIFY_SYSTEM", &rows, err))
        return err_wrap(err, "asking the server who it is");
    if (rows.count != 1)
        return err_set(err, ERR_BUG, "IDENTIFY_SYSTEM answered %d rows", rows.count);
    *ret = (struct server_identity){
        .system_id = arena_strdup(arena, pg_text(&rows, 0, 0)),
        .timeline = pg_int(&rows, 0, 1),
        .wal_end = pg_lsn(&rows, 0, 2),
        .database = arena_strdup(arena, pg_text(&rows, 0, 3)),
    };
    return true;
}

bool
server_insert_lsn(struct pg_session *pg, lsn_t *ret, struct err *err)
{
    CLEANUP(pg_rows_free) struct pg_rows rows = {0};

    if (!pg_exec(pg, "SELECT pg_catalog.pg_current_wal_insert_lsn()", &rows, err))
        return err_wrap(err, "asking where the log ends");
    if (rows.count != 1)
        return err_set(err, ERR_BUG, "pg_current_wal_insert_lsn answered %d rows", rows.count);
    *ret = pg_lsn(&rows, 0, 0);
    return true;
}

/* ---- timelines ---- */

/* Up to any of `stops`; the rest begins behind it. */
static struct span
take_until(struct span *rest, const char *stops)
{
    struct span word = {rest->ptr, 0};

    while (word.len < rest->len && !strchr(stops, rest->ptr[word.len]))
        word.len++;
    *rest = span_skip(*rest, word.len < rest->len ? word.len + 1 : word.len);
    return word;
}

/* "1\t0/3000000\tno recovery target specified", one line per timeline that was left. */
static bool
history_line(struct span line, int64_t *ret_timeline, lsn_t *ret_lsn)
{
    struct span rest = line;
    struct span timeline = take_until(&rest, "\t ");
    struct span lsn = take_until(&rest, "\t ");

    return span_to_int(timeline, ret_timeline) && lsn_parse(lsn, ret_lsn);
}

bool
timeline_switch_point(struct span history, int64_t timeline, lsn_t *ret)
{
    while (history.len > 0) {
        struct span line = take_until(&history, "\n");
        int64_t left = 0;
        lsn_t lsn = 0;

        if (history_line(line, &left, &lsn) && left == timeline) {
            *ret = lsn;
            return true;
        }
    }
    return false;
}

bool
server_switch_point(struct pg_session *replication, const struct server_identity *identity,
                    int64_t timeline, bool *ret_found, lsn_t *ret_lsn, struct err *err)
{
    CLEANUP(pg_rows_free) struct pg_rows rows = {0};
    char command[64];

    *ret_found = timeline == identity->timeline;
    *ret_lsn = UINT64_MAX;
    if (*ret_found || identity->timeline <= 1) /* the first timeline has no history file */
        return true;
    snprintf(command, sizeof(command), "TIMELINE_HISTORY %lld", (long long)identity->timeline);
    if (!pg_exec(replication, command, &rows, err))
        return err_wrap(err, "reading the history of timeline %lld", (long long)identity->timeline);
    *ret_found = rows.count == 1 && timeline_switch_point(pg_value(&rows, 0, 1), timeline, ret_lsn);
    return true;
}
