#ifndef LOCAL_DEFERRED_H
#define LOCAL_DEFERRED_H

/*
 * Writes that were taken in and are applied later: the zombies of a service that lost the
 * connection but not the request, and the writes behind a 202.
 *
 * They are applied in the order they came in, among those that are due.  What became of one is
 * kept for whoever polls for it.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/json.h"
#include "base/span.h"
#include "local/database.h"

#define DEFERRED_MAX 100000

struct deferred_write {
    char *ns_name;
    struct buf body; /* freed once applied */
    uint64_t due;    /* applied when that many requests have come in; FAULT_NEVER */
    bool polled;     /* somebody will ask for the outcome */
    bool done;
    int status;        /* 200, or that of the refusal */
    struct buf answer; /* the body that belongs to it; only when polled */
};

struct deferred {
    struct deferred_write *items;
    size_t count, capacity;
    size_t first_pending; /* all before it are done */
};

void deferred_done(struct deferred *deferred);

/* Takes a copy of both.  The number to poll with; DEFERRED_MAX is refused as a 503. */
MUST_CHECK bool deferred_add(struct deferred *deferred, struct span ns_name, struct span body,
                             uint64_t due, bool polled, size_t *ret, struct err *err);

/* Applies what is due at `now` requests; FAULT_NEVER: everything.  How many were applied. */
size_t deferred_apply(struct deferred *deferred, struct database *db, uint64_t now, int64_t now_ms);

size_t deferred_pending(const struct deferred *deferred);

/* {"status": "running"} or {"status": "finished", "result": ...}; false: there is no such number.
 */
MUST_CHECK bool deferred_write_status(const struct deferred *deferred, size_t number,
                                      struct json_writer *w);

#endif
