/* batch: rows are copied once, cut down to what their mapping reads. */
#include "model/batch.h"

#include <assert.h>
#include <stdlib.h>

#define FIRST_ROWS 64

struct batch *
batch_new(const struct mapping *mapping, unsigned lane)
{
    struct batch *batch = calloc(1, sizeof(*batch));

    if (!batch)
        abort();
    batch->arena = arena_new("batch");
    batch->mapping = mapping;
    batch->lane = lane;
    return batch;
}

void
batch_free(struct batch *batch)
{
    if (!batch)
        return;
    arena_free(batch->arena);
    free(batch->rows);
    free(batch);
}

void
batch_clear(struct batch *batch)
{
    arena_reset(batch->arena);
    batch->next = NULL;
    batch->count = 0;
    batch->bytes = 0;
    batch->floor = 0;
    batch->has_floor = false;
    batch->opened_ms = 0;
}

static struct row *
next_row(struct batch *batch)
{
    if (batch->count == batch->cap) {
        size_t cap = batch->cap ? batch->cap * 2 : FIRST_ROWS;
        struct row *grown = reallocarray(batch->rows, cap, sizeof(*grown));

        if (!grown)
            abort();
        batch->rows = grown;
        batch->cap = cap;
    }
    return &batch->rows[batch->count++];
}

/* Value i of the image; the projection says where it stands in the row, if it does. */
static const struct value *
pick(const struct projection *projection, const struct value *from, size_t i)
{
    static const struct value absent = {.kind = VALUE_UNCHANGED};
    uint16_t source = projection->source[i];

    return source == PROJECTION_ABSENT ? &absent : &from[source];
}

static size_t
image_bytes(const struct projection *projection, const struct value *from)
{
    size_t bytes = 0;

    for (size_t i = 0; i < projection->mapping->column_count; i++)
        bytes += pick(projection, from, i)->len;
    return bytes;
}

static const struct value *
copy_image(struct batch *batch, const struct projection *projection, const struct value *from)
{
    size_t count = projection->mapping->column_count;
    size_t bytes = image_bytes(projection, from);
    char *at = arena_alloc_raw(batch->arena, count * sizeof(struct value) + bytes);
    struct value *to = (struct value *)(void *)at;

    at += count * sizeof(struct value);
    for (size_t i = 0; i < count; i++) {
        const struct value *value = pick(projection, from, i);

        to[i] = (struct value){.ptr = at, .len = value->len, .kind = value->kind};
        if (value->len)
            memcpy(at, value->ptr, value->len);
        at += value->len;
    }
    batch->bytes += count * sizeof(struct value) + bytes;
    return to;
}

void
batch_add(struct batch *batch, const struct projection *projection, const struct change *change,
          enum row_half half)
{
    struct row *row = next_row(batch);

    assert(projection->mapping == batch->mapping);
    assert(projection->schema == change->schema);
    *row = (struct row){
        .op = change->op,
        .half = half,
        .before_is_key = change->before_is_key,
        .xid = change->xid,
        .position = change->position,
        .commit_us = change->commit_us,
    };
    if (change->after)
        row->after = copy_image(batch, projection, change->after);
    if (change->before)
        row->before = copy_image(batch, projection, change->before);
    batch->bytes += sizeof(*row);
}
