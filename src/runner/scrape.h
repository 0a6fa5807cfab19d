#ifndef RUNNER_SCRAPE_H
#define RUNNER_SCRAPE_H

/*
 * The figures of a run as metrics, brought up to date when somebody asks for them.
 *
 * Threads: the server's own; counters are atomic, the store locks itself, mappings are immutable
 * once scrape_mappings() was called (before the engine starts).
 */

#include <stdbool.h>

#include "base/err.h"
#include "contract/store.h"
#include "engine/counters.h"
#include "engine/engine.h"

struct scrape;

MUST_CHECK bool scrape_open(const char *listen, const struct counters *counters,
                            struct store *store, int64_t memory_budget, struct scrape **ret,
                            struct err *err);
void scrape_close(struct scrape *scrape); /* NULL is fine */

/* From now on figures per mapping are there too. */
void scrape_mappings(struct scrape *scrape, const struct engine_mapping *mappings, size_t count);

#endif
