/* metric_rows: the table of all metrics. */
#include "base/attr.h"
#include "telemetry/metrics.h"

#define LSN_HELP " as a byte position in the WAL (the number behind X/Y; exact up to 2^53)"

/* clang-format off */
#define COUNTER(name, unit, help)      {name, METRIC_COUNTER, unit, NULL,  help}
#define GAUGE(name, unit, help)        {name, METRIC_GAUGE,   unit, NULL,  help}
#define PER(label, name, unit, help)   {name, METRIC_GAUGE,   unit, label, help}

const struct metric_row metric_rows[METRIC_MAX_] = {
    [METRIC_INFO] = PER("version", "puffgres_info", METRIC_NUMBER,
        "Always 1; the version is the label"),
    [METRIC_START_TIME] = GAUGE("puffgres_start_time_seconds", METRIC_MILLIS,
        "When the process started, since 1970"),
    [METRIC_STREAMING] = GAUGE("puffgres_streaming", METRIC_NUMBER,
        "1 while the source sends, 0 while it is not connected"),

    [METRIC_TRANSACTIONS] = COUNTER("puffgres_transactions_total", METRIC_NUMBER,
        "Transactions read from the source"),
    [METRIC_EVENTS] = COUNTER("puffgres_events_total", METRIC_NUMBER,
        "Row changes read from the source, mapped or not"),
    [METRIC_ROWS] = COUNTER("puffgres_rows_total", METRIC_NUMBER,
        "Rows routed to a mapping"),
    [METRIC_BATCHES] = COUNTER("puffgres_batches_total", METRIC_NUMBER,
        "Batches finished"),
    [METRIC_UPSERTS] = COUNTER("puffgres_upserts_total", METRIC_NUMBER,
        "Documents written"),
    [METRIC_DELETES] = COUNTER("puffgres_deletes_total", METRIC_NUMBER,
        "Documents deleted"),
    [METRIC_REQUESTS] = COUNTER("puffgres_requests_total", METRIC_NUMBER,
        "Requests sent to destinations"),
    [METRIC_SENT_BYTES] = COUNTER("puffgres_sent_bytes_total", METRIC_BYTES,
        "Bytes sent to destinations, after compression"),
    [METRIC_RETRIES] = COUNTER("puffgres_retries_total", METRIC_NUMBER,
        "Writes that were tried again"),
    [METRIC_DEAD_LETTERS] = COUNTER("puffgres_dead_letters_total", METRIC_NUMBER,
        "Changes that could not be delivered, since the start"),
    [METRIC_READ_BACKS] = COUNTER("puffgres_read_backs_total", METRIC_NUMBER,
        "Rows read back from the source"),
    [METRIC_JOURNALLED] = COUNTER("puffgres_journalled_deletes_total", METRIC_NUMBER,
        "Deletes that were journalled to be repeated"),
    [METRIC_RECONNECTS] = COUNTER("puffgres_reconnects_total", METRIC_NUMBER,
        "Connections to the source made again"),

    [METRIC_RECEIVED_LSN] = GAUGE("puffgres_received_lsn_bytes", METRIC_BYTES,
        "The end of what was read," LSN_HELP),
    [METRIC_DURABLE_LSN] = GAUGE("puffgres_durable_lsn_bytes", METRIC_BYTES,
        "Up to here everything is in its destination," LSN_HELP),
    [METRIC_CHECKPOINT_LSN] = GAUGE("puffgres_checkpoint_lsn_bytes", METRIC_BYTES,
        "The checkpoint in the state," LSN_HELP),
    [METRIC_FLUSH_LSN] = GAUGE("puffgres_flush_lsn_bytes", METRIC_BYTES,
        "What was acknowledged to the source," LSN_HELP),
    [METRIC_LAG_BYTES] = GAUGE("puffgres_lag_bytes", METRIC_BYTES,
        "WAL between what is durable and what was received"),
    [METRIC_LAG_TIME] = GAUGE("puffgres_lag_seconds", METRIC_MILLIS,
        "Age of the oldest commit that is not durable, 0 when there is none"),
    [METRIC_LAST_WRITE] = GAUGE("puffgres_last_write_timestamp_seconds", METRIC_MILLIS,
        "When a write last succeeded, since 1970; 0 never"),
    [METRIC_LAST_COMMIT] = GAUGE("puffgres_last_commit_timestamp_seconds", METRIC_MILLIS,
        "Commit time of the last transaction read, since 1970; 0 none"),
    [METRIC_MEMORY_BYTES] = GAUGE("puffgres_memory_bytes", METRIC_BYTES,
        "Rows that are held in memory"),
    [METRIC_MEMORY_BUDGET_BYTES] = GAUGE("puffgres_memory_budget_bytes", METRIC_BYTES,
        "The most that rows may take: reading stops there"),

    [METRIC_MAPPING_CHECKPOINT_LSN] = PER("mapping", "puffgres_mapping_checkpoint_lsn_bytes",
        METRIC_BYTES, "The checkpoint of a mapping," LSN_HELP),
    [METRIC_MAPPING_STOPPED] = PER("mapping", "puffgres_mapping_stopped", METRIC_NUMBER,
        "1 when the mapping has stopped and waits for an operator"),
    [METRIC_MAPPING_HOLDS_SLOT] = PER("mapping", "puffgres_mapping_holds_slot", METRIC_NUMBER,
        "1 for the mapping that holds the slot back"),
    [METRIC_MAPPING_DEAD_LETTERS] = PER("mapping", "puffgres_mapping_dead_letters", METRIC_NUMBER,
        "Dead letters in the state"),
    [METRIC_JOURNAL_ENTRIES] = PER("target", "puffgres_journal_entries", METRIC_NUMBER,
        "Deletes in the journal, to be repeated"),
    [METRIC_JOURNAL_BYTES] = PER("target", "puffgres_journal_bytes", METRIC_BYTES,
        "Size of the delete journal"),
    [METRIC_UNKNOWN_UNTIL] = PER("target", "puffgres_unknown_until_timestamp_seconds",
        METRIC_MILLIS, "Until when a request of unknown outcome may still arrive; 0 none"),
};
/* clang-format on */

_Static_assert(ARRAY_LEN(metric_rows) == METRIC_MAX_, "one row per metric");
