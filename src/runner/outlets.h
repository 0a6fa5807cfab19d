#ifndef RUNNER_OUTLETS_H
#define RUNNER_OUTLETS_H

/*
 * The destinations of a project: each is opened once, and only when a mapping writes to it, so
 * that a key is needed only where it is used.  Secrets among their settings are never logged.
 *
 * Flow lifetime, owner thread.
 */

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/err.h"
#include "contract/destination.h"
#include "project/config.h"

#define OUTLETS_MAX 16

struct outlets {
    const struct config *config;
    struct arena *arena;
    struct destination *items[OUTLETS_MAX];
    size_t count;
};

/* Names of all destinations, ended by NULL: what [target] destination may say. */
const char *const *outlet_names(struct arena *arena);

struct outlets outlets_make(const struct config *config, struct arena *arena);
void outlets_close(struct outlets *outlets);

/* Keys that no option table knows, with their places. */
void outlets_check(struct outlets *outlets, const char *name, struct report *report);

/* Ask every destination that was opened whether it is there and knows us; the time is for all. */
void outlets_probe(const struct outlets *outlets, int64_t deadline_ms, struct report *report);

MUST_CHECK bool outlets_get(struct outlets *outlets, const char *name, struct destination **ret,
                            struct err *err);

#endif
