#ifndef MODEL_BATCH_H
#define MODEL_BATCH_H

/*
 * Rows of one mapping on their way into one lane.
 *
 * The owner thread copies each row's mapped columns into the batch's arena, once; then batch and
 * arena change hands together: owner -> lane -> owner.  Nobody shares one.
 *
 * floor is the end LSN of the last transaction before the first row's: what may be acknowledged
 * while this batch is unfinished (SEMANTICS 6).
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "model/change.h"
#include "model/mapping.h"
#include "model/projection.h"

/* Which halves of a key-changing update this row stands for: its two ids may have two lanes. */
enum row_half {
    ROW_WHOLE,
    ROW_OLD_HALF, /* only: delete the old id */
    ROW_NEW_HALF, /* only: write the new id */
};

/* A change cut down to its mapping's image. */
struct row {
    enum change_op op;
    enum row_half half;
    bool before_is_key;
    uint32_t xid;
    struct position position;
    int64_t commit_us;
    const struct value *after;  /* mapping->column_count values, or NULL */
    const struct value *before; /* or NULL */
};

struct batch {
    struct batch *next; /* for whoever owns it */
    struct arena *arena;
    const struct mapping *mapping;
    unsigned lane;
    lsn_t floor;
    bool has_floor;    /* false: repeated deletes, retries (SEMANTICS 6) */
    int64_t opened_ms; /* clock_mono_ms of the first row, for the linger */
    size_t bytes;      /* of rows and values: what the memory budget counts */
    struct row *rows;
    size_t count;
    size_t cap;
};

struct batch *batch_new(const struct mapping *mapping, unsigned lane);
void batch_free(struct batch *batch); /* NULL is fine */
void batch_clear(struct batch *batch);

/* Copy the change's mapped columns.  The projection is of the change's schema. */
void batch_add(struct batch *batch, const struct projection *projection,
               const struct change *change, enum row_half half);

#endif
