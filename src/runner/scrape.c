/* scrape: the figures of a run as metrics. */
#include "runner/scrape.h"

#include <stdatomic.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "telemetry/metrics.h"
#include "telemetry/metrics_server.h"

struct scrape {
    const struct counters *counters;
    struct store *store;
    struct metrics *metrics;
    struct metrics_server *server;
    const struct engine_mapping *mappings;
    _Atomic size_t mapping_count; /* set last: mappings is valid once it is not 0 */
};

#define FIGURE(name, member)                                                                       \
    {                                                                                              \
        (name), offsetof(struct counters, member)                                                  \
    }
/* clang-format off */
static const struct {
    enum metric metric;
    size_t offset;
} figures[] = {
    FIGURE(METRIC_TRANSACTIONS,   transactions),
    FIGURE(METRIC_EVENTS,         changes),
    FIGURE(METRIC_ROWS,           rows),
    FIGURE(METRIC_BATCHES,        batches),
    FIGURE(METRIC_UPSERTS,        upserts),
    FIGURE(METRIC_DELETES,        deletes),
    FIGURE(METRIC_REQUESTS,       requests),
    FIGURE(METRIC_SENT_BYTES,     bytes_sent),
    FIGURE(METRIC_RETRIES,        retries),
    FIGURE(METRIC_DEAD_LETTERS,   dead_letters),
    FIGURE(METRIC_READ_BACKS,     read_backs),
    FIGURE(METRIC_JOURNALLED,     journalled),
    FIGURE(METRIC_RECONNECTS,     reconnects),
    FIGURE(METRIC_MEMORY_BYTES,   memory_bytes),
    FIGURE(METRIC_RECEIVED_LSN,   received),
    FIGURE(METRIC_DURABLE_LSN,    durable),
    FIGURE(METRIC_CHECKPOINT_LSN, checkpoint),
    FIGURE(METRIC_FLUSH_LSN,      flush),
};
/* clang-format on */

static uint64_t
counter_at(const struct counters *counters, size_t offset)
{
    const _Atomic uint64_t *counter =
        (const _Atomic uint64_t *)(const void *)((const char *)counters + offset);

    return atomic_load(counter);
}

static void
collect_flow(const struct scrape *scrape, struct metrics *metrics)
{
    const struct counters *counters = scrape->counters;
    uint64_t received = atomic_load(&counters->received);
    uint64_t durable = atomic_load(&counters->durable);
    int64_t commit_ms = atomic_load(&counters->last_commit_us) / 1000;

    for (size_t i = 0; i < ARRAY_LEN(figures); i++)
        metrics_set(metrics, figures[i].metric, NULL,
                    (int64_t)counter_at(counters, figures[i].offset));
    metrics_set(metrics, METRIC_STREAMING, NULL, atomic_load(&counters->streaming));
    metrics_set(metrics, METRIC_LAG_BYTES, NULL,
                received > durable ? (int64_t)(received - durable) : 0);
    metrics_set(metrics, METRIC_LAG_TIME, NULL,
                received > durable && commit_ms > 0 ? clock_wall_ms() - commit_ms : 0);
    metrics_set(metrics, METRIC_LAST_WRITE, NULL, atomic_load(&counters->last_write_ms));
    metrics_set(metrics, METRIC_LAST_COMMIT, NULL, commit_ms);
}

static const struct store_checkpoint *
find_checkpoint(const struct store_checkpoint *checkpoints, size_t count, const char *mapping)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(checkpoints[i].mapping, mapping) == 0)
            return &checkpoints[i];
    }
    return NULL;
}

static void
collect_target(const struct scrape *scrape, struct metrics *metrics, const char *target)
{
    const struct store_type *type = scrape->store->type;
    int64_t bytes, count, due_ms, until_ms;
    struct err err;

    if (!type->journal_size(scrape->store, target, &bytes, &count, &due_ms, &err) ||
        !type->unknown_get(scrape->store, target, &until_ms, &err))
        return; /* the run itself reports a store that fails */
    metrics_set(metrics, METRIC_JOURNAL_BYTES, target, bytes);
    metrics_set(metrics, METRIC_JOURNAL_ENTRIES, target, count);
    metrics_set(metrics, METRIC_UNKNOWN_UNTIL, target, until_ms);
}

static void
collect_mappings(const struct scrape *scrape, struct metrics *metrics)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new("scrape");
    const uint64_t holder = atomic_load(&scrape->counters->holder);
    const size_t mapping_count = atomic_load(&scrape->mapping_count);
    struct store_checkpoint *checkpoints = NULL;
    size_t count = 0;
    struct err err;

    if (!scrape->store->type->checkpoints_load(scrape->store, arena, &checkpoints, &count, &err))
        return;
    for (size_t i = 0; i < mapping_count; i++) {
        const struct mapping *mapping = scrape->mappings[i].mapping;
        const struct store_checkpoint *checkpoint =
            find_checkpoint(checkpoints, count, mapping->name);
        int64_t letters;

        metrics_set(metrics, METRIC_MAPPING_HOLDS_SLOT, mapping->name, i == holder);
        if (checkpoint) {
            metrics_set(metrics, METRIC_MAPPING_CHECKPOINT_LSN, mapping->name,
                        (int64_t)checkpoint->lsn);
            metrics_set(metrics, METRIC_MAPPING_STOPPED, mapping->name,
                        (checkpoint->flags & STORE_STOPPED) != 0);
        }
        if (scrape->store->type->dead_letters_count(scrape->store, mapping->name, &letters, &err))
            metrics_set(metrics, METRIC_MAPPING_DEAD_LETTERS, mapping->name, letters);
        collect_target(scrape, metrics, mapping->target);
    }
}

/* thread: the server's */
static void
collect(void *owner, struct metrics *metrics)
{
    const struct scrape *scrape = owner;

    collect_flow(scrape, metrics);
    collect_mappings(scrape, metrics);
}

static const char *
health(void *owner)
{
    const struct scrape *scrape = owner;

    return atomic_load(&scrape->counters->streaming) ? NULL : "not streaming";
}

bool
scrape_open(const char *listen, const struct counters *counters, struct store *store,
            int64_t memory_budget, struct scrape **ret, struct err *err)
{
    struct scrape *scrape = calloc(1, sizeof(*scrape));
    struct metrics_server_args args = {.listen = listen, .collect = collect, .health = health};

    if (!scrape)
        abort();
    scrape->counters = counters;
    scrape->store = store;
    scrape->metrics = metrics_new();
    metrics_set(scrape->metrics, METRIC_INFO, WALLABY_VERSION, 1);
    metrics_set(scrape->metrics, METRIC_START_TIME, NULL, clock_wall_ms());
    metrics_set(scrape->metrics, METRIC_MEMORY_BUDGET_BYTES, NULL, memory_budget);
    args.metrics = scrape->metrics;
    args.owner = scrape;
    if (!metrics_server_open(&args, &scrape->server, err)) {
        scrape_close(scrape);
        return false;
    }
    log_info(log_msg("serving metrics"), log_str("url", metrics_server_url(scrape->server)));
    *ret = scrape;
    return true;
}

void
scrape_close(struct scrape *scrape)
{
    if (!scrape)
        return;
    metrics_server_close(scrape->server);
    metrics_free(scrape->metrics);
    free(scrape);
}

void
scrape_mappings(struct scrape *scrape, const struct engine_mapping *mappings, size_t count)
{
    scrape->mappings = mappings;
    atomic_store(&scrape->mapping_count, count);
}
