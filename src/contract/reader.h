#ifndef CONTRACT_READER_H
#define CONTRACT_READER_H

/*
 * Reading rows back by id (SEMANTICS 4).
 *
 * A reader returns the row as it is now, in a snapshot in which the event's transaction is
 * proven visible; it waits, in short growing steps, until that is so.  One reader per lane, used
 * by the lane's thread only.
 *
 * Errors: TRANSIENT (connection), CONFIG (table or column gone, privilege missing), CANCELED.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "model/mapping.h"
#include "model/value.h"

struct reader_request {
    struct span id; /* the id column's value in Postgres text */
    uint32_t xid;   /* must be visible in the snapshot that answers */

    /* the answer */
    const struct value *image; /* mapping->column_count values; NULL: no such row */
};

struct reader_wait {
    int64_t deadline_ms; /* clock_mono_ms; TRANSIENT afterwards */
    int cancel_fd;
    size_t max_bytes; /* of several rows together; more is DATA: ask for fewer (SEMANTICS 30) */
};

/* First member of every reader's own struct. */
struct reader {
    const struct reader_type *type;
};

struct reader_type {
    /* Answers all requests, in one query per mapping; images live in `arena`. */
    MUST_CHECK bool (*read)(struct reader *reader, const struct mapping *mapping,
                            struct reader_request *requests, size_t count,
                            const struct reader_wait *wait, struct arena *arena, struct err *err);
    void (*close)(struct reader *reader);
};

static inline void
reader_close(struct reader *reader)
{
    if (reader)
        reader->type->close(reader);
}

#endif
