/* deferred: writes that are applied later than they came in. */
#include "local/deferred.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "local/refuse.h"
#include "local/reply.h"
#include "local/write.h"

static void
write_free(struct deferred_write *write)
{
    free(write->ns_name);
    buf_free(&write->body);
    buf_free(&write->answer);
}

void
deferred_done(struct deferred *deferred)
{
    for (size_t i = 0; i < deferred->count; i++)
        write_free(&deferred->items[i]);
    free(deferred->items);
    *deferred = (struct deferred){0};
}

static void
reserve(struct deferred *deferred)
{
    if (deferred->count < deferred->capacity)
        return;
    deferred->capacity = deferred->capacity ? deferred->capacity * 2 : 64;
    deferred->items = realloc(deferred->items, deferred->capacity * sizeof(*deferred->items));
    if (!deferred->items)
        abort();
}

bool
deferred_add(struct deferred *deferred, struct span ns_name, struct span body, uint64_t due,
             bool polled, size_t *ret, struct err *err)
{
    struct deferred_write write = {
        .ns_name = strndup(ns_name.ptr, ns_name.len),
        .body = buf_make(body.len),
        .due = due,
        .polled = polled,
        .answer = buf_make(MEGABYTES(64)),
    };

    if (!write.ns_name)
        abort();
    if (deferred->count == DEFERRED_MAX) {
        write_free(&write);
        return refuse(err, 503, "at most %d writes can be put off", DEFERRED_MAX);
    }
    buf_put(&write.body, body);
    reserve(deferred);
    *ret = deferred->count;
    deferred->items[deferred->count++] = write;
    return true;
}

static void
apply(struct deferred_write *write, struct database *db, uint64_t now, int64_t now_ms)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new("deferred");
    struct call call = {.db = db, .arena = arena, .request = now, .now_ms = now_ms};
    struct json *body;
    struct err err;

    assert(!write->done);
    write->status = 200;
    if (!json_parse(buf_span(&write->body), arena, &body, &err) ||
        !write_run(&call, span_of(write->ns_name), body, &write->answer, &err)) {
        buf_clear(&write->answer);
        write->status = reply_refusal(&err, call.conflict, &write->answer);
    }
    write->done = true;
    buf_free(&write->body);
    if (!write->polled)
        buf_free(&write->answer);
}

size_t
deferred_apply(struct deferred *deferred, struct database *db, uint64_t now, int64_t now_ms)
{
    size_t applied = 0;

    assert(deferred->first_pending <= deferred->count);
    for (size_t i = deferred->first_pending; i < deferred->count; i++) {
        struct deferred_write *write = &deferred->items[i];

        if (!write->done && write->due <= now) {
            apply(write, db, now, now_ms);
            applied++;
        }
        if (write->done && i == deferred->first_pending)
            deferred->first_pending++;
    }
    return applied;
}

size_t
deferred_pending(const struct deferred *deferred)
{
    size_t pending = 0;

    for (size_t i = deferred->first_pending; i < deferred->count; i++)
        pending += !deferred->items[i].done;
    return pending;
}

static void
write_result(const struct deferred_write *write, struct json_writer *w)
{
    json_key(w, SPAN("result"));
    json_object_begin(w);
    if (write->status == 200) {
        json_key(w, SPAN("success"));
    } else {
        json_key(w, SPAN("error"));
        json_object_begin(w);
        json_key(w, SPAN("status_code"));
        json_int(w, write->status);
        json_key(w, SPAN("detail"));
    }
    json_raw(w, buf_span(&write->answer));
    if (write->status != 200)
        json_object_end(w);
    json_object_end(w);
}

bool
deferred_write_status(const struct deferred *deferred, size_t number, struct json_writer *w)
{
    const struct deferred_write *write;

    if (number >= deferred->count || !deferred->items[number].polled)
        return false;
    write = &deferred->items[number];
    json_object_begin(w);
    json_key(w, SPAN("status"));
    json_string(w, write->done ? SPAN("finished") : SPAN("running"));
    if (write->done)
        write_result(write, w);
    json_object_end(w);
    return true;
}
