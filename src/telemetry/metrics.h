#ifndef TELEMETRY_METRICS_H
#define TELEMETRY_METRICS_H

/*
 * The metrics of a run, and their text for Prometheus (exposition format 0.0.4).
 *
 * What exists is the table metric_rows: name, kind, unit, label, help.  A value is a cell: a metric
 * without a label has one from the start, a metric with a label one per label value ("mapping" or
 * "target"), made when it is first asked for and kept.  Values are integers in the unit of the
 * row; milliseconds become seconds in the text, as Prometheus wants.
 *
 * Threads: any.  Cells are atomic and never move, so a thread may keep one:
 *
 *     struct metric_cell *written = metrics_cell(metrics, METRIC_UPSERTS, NULL);
 *
 *     metric_add(written, 100);
 *
 * What is counted elsewhere is copied before each scrape: metrics_set().
 */

#include <stdatomic.h>
#include <stdint.h>

#include "base/buf.h"

enum metric {
    METRIC_INFO,
    METRIC_START_TIME,
    METRIC_STREAMING,

    METRIC_TRANSACTIONS,
    METRIC_EVENTS,
    METRIC_ROWS,
    METRIC_BATCHES,
    METRIC_UPSERTS,
    METRIC_DELETES,
    METRIC_REQUESTS,
    METRIC_SENT_BYTES,
    METRIC_RETRIES,
    METRIC_DEAD_LETTERS,
    METRIC_READ_BACKS,
    METRIC_JOURNALLED,
    METRIC_RECONNECTS,

    METRIC_RECEIVED_LSN,
    METRIC_DURABLE_LSN,
    METRIC_CHECKPOINT_LSN,
    METRIC_FLUSH_LSN,
    METRIC_LAG_BYTES,
    METRIC_LAG_TIME,
    METRIC_LAST_WRITE,
    METRIC_LAST_COMMIT,
    METRIC_MEMORY_BYTES,
    METRIC_MEMORY_BUDGET_BYTES,

    METRIC_MAPPING_CHECKPOINT_LSN,
    METRIC_MAPPING_STOPPED,
    METRIC_MAPPING_HOLDS_SLOT,
    METRIC_MAPPING_DEAD_LETTERS,
    METRIC_JOURNAL_ENTRIES,
    METRIC_JOURNAL_BYTES,
    METRIC_UNKNOWN_UNTIL,
    METRIC_MAX_,
};

enum metric_kind {
    METRIC_COUNTER, /* only grows, from 0 at the start of the process */
    METRIC_GAUGE,
    METRIC_KIND_MAX_,
};

enum metric_unit {
    METRIC_NUMBER,
    METRIC_BYTES,
    METRIC_MILLIS, /* a duration or a wall clock time; seconds in the text */
};

struct metric_row {
    const char *name;
    enum metric_kind kind;
    enum metric_unit unit;
    const char *label; /* NULL: none */
    const char *help;
};

extern const struct metric_row metric_rows[METRIC_MAX_];

struct metric_cell {
    struct metric_cell *next;
    char *label; /* value; NULL: the metric has none */
    _Atomic int64_t value;
};

struct metrics;

struct metrics *metrics_new(void);
void metrics_free(struct metrics *metrics); /* NULL is fine */
void metrics_freep(struct metrics **metrics);

/* label: NULL exactly when the metric has none. */
struct metric_cell *metrics_cell(struct metrics *metrics, enum metric metric, const char *label);
void metrics_set(struct metrics *metrics, enum metric metric, const char *label, int64_t value);

static inline void
metric_add(struct metric_cell *cell, int64_t n)
{
    atomic_fetch_add_explicit(&cell->value, n, memory_order_relaxed);
}

static inline void
metric_set(struct metric_cell *cell, int64_t value)
{
    atomic_store_explicit(&cell->value, value, memory_order_relaxed);
}

/* All metrics that have a cell, in the order of the table. */
void metrics_render(struct metrics *metrics, struct buf *out);

#endif
