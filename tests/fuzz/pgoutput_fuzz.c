/* pgoutput_fuzz: whatever bytes come, decoding stays inside them, and events keep their promises.
 */
#include "fuzz/fuzz.h"

#include <assert.h>

#include "base/arena.h"
#include "source/pgoutput_events.h"

/* Inputs are sessions: messages one after another, each behind its length in two bytes. */
static bool
next_message(struct span *rest, struct span *ret)
{
    size_t len;

    if (rest->len < 2)
        return false;
    len = (size_t)(uint8_t)rest->ptr[0] << 8 | (uint8_t)rest->ptr[1];
    *rest = span_skip(*rest, 2);
    if (len > rest->len)
        len = rest->len;
    *ret = (struct span){rest->ptr, len};
    *rest = span_skip(*rest, len);
    return true;
}

static void
check_inside(struct span inner, struct span outer)
{
    assert(inner.len == 0 ||
           (inner.ptr >= outer.ptr && inner.ptr + inner.len <= outer.ptr + outer.len) ||
           span_eq(inner, SPAN("pg_catalog"))); /* what the empty namespace stands for */
}

static void
check_tuple(const struct pgoutput_tuple *tuple, struct span input)
{
    assert(tuple->count <= PGOUTPUT_COLUMNS_MAX && (tuple->values || tuple->count == 0));
    for (size_t i = 0; i < tuple->count; i++)
        check_inside(value_span(&tuple->values[i]), input);
}

static void
check_message(const struct pgoutput_message *message, struct span input)
{
    struct pgoutput_columns columns = message->columns;
    struct column column;

    check_inside(message->name, input);
    check_inside(message->namespace, input);
    check_inside(message->gid, input);
    check_inside(message->content, input);
    check_tuple(&message->old_tuple, input);
    check_tuple(&message->new_tuple, input);
    while (pgoutput_column_next(&columns, &column))
        check_inside(column.name, input);
    for (size_t i = 0; i < message->relation_count; i++)
        (void)pgoutput_truncate_oid(message, i);
}

static void
decode_session(struct span session, struct pgoutput_decoder *decoder)
{
    struct pgoutput_message message;
    struct span payload;
    struct err err;

    while (next_message(&session, &payload)) {
        if (pgoutput_decode(decoder, payload, &message, &err))
            check_message(&message, payload);
        else
            assert(err.kind == ERR_BUG && err.text[0]);
    }
}

/* What contract/source.h promises of the order of events. */
struct promises {
    bool open;
    uint64_t ordinal;
};

static void
check_event(const struct source_event *event, struct promises *promises)
{
    switch (event->type) {
    case SOURCE_BEGIN:
        assert(!promises->open);
        *promises = (struct promises){.open = true};
        break;
    case SOURCE_COMMIT:
        assert(promises->open);
        promises->open = false;
        break;
    case SOURCE_CHANGE:
        assert(promises->open && event->change.schema);
        assert(event->change.position.ordinal == ++promises->ordinal);
        break;
    case SOURCE_RELATION:
        assert(event->schema->count <= PGOUTPUT_COLUMNS_MAX);
        break;
    case SOURCE_IDLE:
    case SOURCE_KEEPALIVE:
    case SOURCE_RENEW:
        assert(!"pgoutput has no such message");
    }
}

static void
play_session(struct span session, struct pgoutput_events *events)
{
    struct promises promises = {0};
    struct source_event event;
    struct span payload;
    struct err err;
    bool has_event;

    while (next_message(&session, &payload)) {
        if (!pgoutput_events_take(events, payload, &event, &has_event, &err))
            return; /* the stream would be closed */
        while (has_event) {
            check_event(&event, &promises);
            if (!pgoutput_events_more(events, &event, &has_event, &err))
                return;
        }
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new("fuzz");
    struct span session = {(const char *)data, size};
    struct pgoutput_events *events = arena_new_of(arena, struct pgoutput_events);

    pgoutput_events_init(events, arena);
    decode_session(session, &events->decoder);
    pgoutput_events_restart(events);
    play_session(session, events);
    pgoutput_events_done(events);
    return 0;
}
