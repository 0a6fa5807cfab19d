/* metrics: cells and their text. */
#include "telemetry/metrics.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

struct metrics {
    pthread_mutex_t lock; /* guards the lists; cells are added and never leave */
    struct metric_cell *cells[METRIC_MAX_];
};

static const char *const kind_names[METRIC_KIND_MAX_] = {
    [METRIC_COUNTER] = "counter",
    [METRIC_GAUGE] = "gauge",
};

/* ---- cells ---- */

static void *
allocate(size_t size)
{
    void *memory = calloc(1, size);

    if (!memory)
        abort();
    return memory;
}

static struct metric_cell *
cell_new(const char *label)
{
    struct metric_cell *cell = allocate(sizeof(*cell));
    size_t size = label ? strlen(label) + 1 : 0;

    if (label)
        cell->label = memcpy(allocate(size), label, size);
    return cell;
}

struct metrics *
metrics_new(void)
{
    struct metrics *metrics = allocate(sizeof(*metrics));

    pthread_mutex_init(&metrics->lock, NULL);
    for (size_t i = 0; i < METRIC_MAX_; i++) {
        assert(metric_rows[i].name);
        if (!metric_rows[i].label)
            metrics->cells[i] = cell_new(NULL);
    }
    return metrics;
}

void
metrics_free(struct metrics *metrics)
{
    if (!metrics)
        return;
    for (size_t i = 0; i < METRIC_MAX_; i++) {
        struct metric_cell *cell = metrics->cells[i], *next;

        for (; cell; cell = next) {
            next = cell->next;
            free(cell->label);
            free(cell);
        }
    }
    pthread_mutex_destroy(&metrics->lock);
    free(metrics);
}

void
metrics_freep(struct metrics **metrics)
{
    metrics_free(*metrics);
    *metrics = NULL;
}

/* The place of the cell with this label, or the end of the list. */
static struct metric_cell **
cell_place(struct metric_cell **place, const char *label)
{
    while (*place && label && strcmp((*place)->label, label) != 0)
        place = &(*place)->next;
    return place;
}

struct metric_cell *
metrics_cell(struct metrics *metrics, enum metric metric, const char *label)
{
    struct metric_cell **place, *cell;

    assert(metric < METRIC_MAX_);
    assert((label != NULL) == (metric_rows[metric].label != NULL));
    pthread_mutex_lock(&metrics->lock);
    place = cell_place(&metrics->cells[metric], label);
    if (!*place)
        *place = cell_new(label);
    cell = *place;
    pthread_mutex_unlock(&metrics->lock);
    return cell;
}

void
metrics_set(struct metrics *metrics, enum metric metric, const char *label, int64_t value)
{
    metric_set(metrics_cell(metrics, metric, label), value);
}

/* ---- text: https://prometheus.io/docs/instrumenting/exposition_formats/ ---- */

static void
put_label(struct buf *out, const char *name, const char *value)
{
    buf_putf(out, "{%s=\"", name);
    for (; *value; value++) {
        if (*value == '\n') {
            buf_put(out, SPAN("\\n"));
            continue;
        }
        if (*value == '\\' || *value == '"')
            buf_putc(out, '\\');
        buf_putc(out, *value);
    }
    buf_put(out, SPAN("\"}"));
}

static void
put_value(struct buf *out, enum metric_unit unit, int64_t value)
{
    bool negative = value < 0;
    uint64_t size = negative ? 0 - (uint64_t)value : (uint64_t)value;

    if (negative)
        buf_putc(out, '-');
    if (unit == METRIC_MILLIS)
        buf_putf(out, "%llu.%03u\n", (unsigned long long)(size / 1000), (unsigned)(size % 1000));
    else
        buf_putf(out, "%llu\n", (unsigned long long)size);
}

static void
put_metric(struct buf *out, const struct metric_row *row, const struct metric_cell *cell)
{
    if (!cell)
        return;
    buf_putf(out, "# HELP %s %s\n# TYPE %s %s\n", row->name, row->help, row->name,
             kind_names[row->kind]);
    for (; cell; cell = cell->next) {
        buf_put(out, span_of(row->name));
        if (row->label)
            put_label(out, row->label, cell->label);
        buf_putc(out, ' ');
        put_value(out, row->unit, atomic_load_explicit(&cell->value, memory_order_relaxed));
    }
}

void
metrics_render(struct metrics *metrics, struct buf *out)
{
    pthread_mutex_lock(&metrics->lock);
    for (size_t i = 0; i < METRIC_MAX_; i++)
        put_metric(out, &metric_rows[i], metrics->cells[i]);
    pthread_mutex_unlock(&metrics->lock);
}
