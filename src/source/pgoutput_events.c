/* pgoutput_events: messages to events, with ordinals and relation versions. */
#include "source/pgoutput_events.h"

#include <assert.h>

void
pgoutput_events_init(struct pgoutput_events *events, struct arena *flow)
{
    *events = (struct pgoutput_events){.relations = relations_make(flow)};
}

void
pgoutput_events_done(struct pgoutput_events *events)
{
    relations_free(&events->relations);
}

void
pgoutput_events_restart(struct pgoutput_events *events)
{
    pgoutput_clear(&events->decoder);
    events->in_transaction = false;
    events->truncate_next = 0;
    events->truncate.relation_count = 0;
}

/* ---- transactions ---- */

static bool
on_begin(struct pgoutput_events *events, const struct pgoutput_message *message,
         struct source_event *ret, struct err *err)
{
    if (events->in_transaction)
        return err_set(err, ERR_BUG, "pgoutput began transaction %u inside transaction %u",
                       message->xid, events->xid);
    events->in_transaction = true;
    events->xid = message->xid;
    events->commit = message->lsn;
    events->commit_us = message->time_us;
    events->ordinal = 0;
    *ret = (struct source_event){
        .type = SOURCE_BEGIN,
        .lsn = message->lsn,
        .xid = message->xid,
        .commit_us = message->time_us,
    };
    return true;
}

static bool
on_commit(struct pgoutput_events *events, const struct pgoutput_message *message,
          struct source_event *ret, struct err *err)
{
    if (!events->in_transaction || message->lsn != events->commit)
        return err_set(err, ERR_BUG, "pgoutput committed at " LSN_FMT " what it did not begin",
                       LSN_ARG(message->lsn));
    events->in_transaction = false;
    *ret = (struct source_event){
        .type = SOURCE_COMMIT,
        .lsn = message->end_lsn,
        .xid = events->xid,
        .commit_us = message->time_us,
    };
    return true;
}

/* ---- changes ---- */

/* Counts it too: every change has its ordinal, whoever wants it. */
static bool
begin_change(struct pgoutput_events *events, oid_t oid, const struct schema **ret_schema,
             struct err *err)
{
    if (!events->in_transaction)
        return err_set(err, ERR_BUG, "pgoutput sent a change outside a transaction");
    *ret_schema = relations_find(&events->relations, oid);
    if (!*ret_schema)
        return err_set(err, ERR_BUG, "pgoutput sent a change of relation %u without describing it",
                       oid);
    events->ordinal++;
    return true;
}

static bool
check_width(const struct pgoutput_tuple *tuple, const struct schema *schema, struct err *err)
{
    if (!tuple->values || tuple->count == schema->count)
        return true;
    return err_set(err, ERR_BUG, "a row of %.*s.%.*s has %zu columns, its relation has %zu",
                   SPAN_ARG(schema->namespace), SPAN_ARG(schema->name), tuple->count,
                   schema->count);
}

/* A key tuple sends the other columns as null, which they need not be. */
static void
hide_unsent(struct value *values, const struct schema *schema)
{
    for (size_t i = 0; i < schema->count; i++) {
        if (!schema->columns[i].key)
            values[i] = (struct value){.ptr = "", .kind = VALUE_UNCHANGED};
    }
}

static void
fill_change(const struct pgoutput_events *events, enum change_op op, const struct schema *schema,
            struct source_event *ret)
{
    *ret = (struct source_event){
        .type = SOURCE_CHANGE,
        .change =
            {
                .op = op,
                .schema = schema,
                .position = {.commit = events->commit, .ordinal = events->ordinal},
                .xid = events->xid,
                .commit_us = events->commit_us,
            },
    };
}

static bool
on_row(struct pgoutput_events *events, enum change_op op, const struct pgoutput_message *message,
       struct source_event *ret, struct err *err)
{
    const struct schema *schema;

    if (!begin_change(events, message->oid, &schema, err) ||
        !check_width(&message->old_tuple, schema, err) ||
        !check_width(&message->new_tuple, schema, err))
        return false;
    if (message->old_kind == PGOUTPUT_OLD_KEY)
        hide_unsent(events->decoder.old_values, schema);
    fill_change(events, op, schema, ret);
    ret->change.after = message->new_tuple.values;
    ret->change.before = message->old_tuple.values;
    ret->change.before_is_key = message->old_kind == PGOUTPUT_OLD_KEY;
    return true;
}

static bool
on_truncate(struct pgoutput_events *events, const struct pgoutput_message *message,
            struct source_event *ret, bool *ret_has_event, struct err *err)
{
    events->truncate = *message;
    events->truncate_next = 0;
    return pgoutput_events_more(events, ret, ret_has_event, err);
}

bool
pgoutput_events_more(struct pgoutput_events *events, struct source_event *ret, bool *ret_has_event,
                     struct err *err)
{
    const struct pgoutput_message *message = &events->truncate;
    const struct schema *schema;

    *ret_has_event = events->truncate_next < message->relation_count;
    if (!*ret_has_event)
        return true;
    if (!begin_change(events, pgoutput_truncate_oid(message, events->truncate_next), &schema, err))
        return false;
    events->truncate_next++;
    fill_change(events, CHANGE_TRUNCATE, schema, ret);
    ret->truncate_last = events->truncate_next == message->relation_count;
    return true;
}

/* ---- relations ---- */

static bool
on_relation(struct pgoutput_events *events, const struct pgoutput_message *message,
            struct source_event *ret)
{
    const struct schema *schema;

    if (!relations_update(&events->relations, message, &schema))
        return false;
    *ret = (struct source_event){.type = SOURCE_RELATION, .schema = schema};
    return true;
}

/* ---- dispatch ---- */

static COLD bool
unasked(const struct pgoutput_message *message, struct err *err)
{
    return err_set(err, ERR_BUG, "pgoutput sent %s, which protocol version 1 does not have",
                   pgoutput_type_name((char)message->type));
}

bool
pgoutput_events_take(struct pgoutput_events *events, struct span payload, struct source_event *ret,
                     bool *ret_has_event, struct err *err)
{
    struct pgoutput_message message;

    assert(events->truncate_next == events->truncate.relation_count);
    if (!pgoutput_decode(&events->decoder, payload, &message, err))
        return false;
    *ret_has_event = true;
    switch (message.type) {
    case PGOUTPUT_INSERT:
        return on_row(events, CHANGE_INSERT, &message, ret, err);
    case PGOUTPUT_UPDATE:
        return on_row(events, CHANGE_UPDATE, &message, ret, err);
    case PGOUTPUT_DELETE:
        return on_row(events, CHANGE_DELETE, &message, ret, err);
    case PGOUTPUT_TRUNCATE:
        return on_truncate(events, &message, ret, ret_has_event, err);
    case PGOUTPUT_BEGIN:
        return on_begin(events, &message, ret, err);
    case PGOUTPUT_COMMIT:
        return on_commit(events, &message, ret, err);
    case PGOUTPUT_RELATION:
        *ret_has_event = on_relation(events, &message, ret);
        return true;
    case PGOUTPUT_TYPE:
    case PGOUTPUT_ORIGIN:
    case PGOUTPUT_MESSAGE: /* not a row change: it has no ordinal */
        *ret_has_event = false;
        return true;
    case PGOUTPUT_STREAM_START:
    case PGOUTPUT_STREAM_STOP:
    case PGOUTPUT_STREAM_COMMIT:
    case PGOUTPUT_STREAM_ABORT:
    case PGOUTPUT_BEGIN_PREPARE:
    case PGOUTPUT_PREPARE:
    case PGOUTPUT_COMMIT_PREPARED:
    case PGOUTPUT_ROLLBACK_PREPARED:
    case PGOUTPUT_STREAM_PREPARE:
        return unasked(&message, err);
    }
    return err_set(err, ERR_BUG, "pgoutput sent a message of unknown type");
}
