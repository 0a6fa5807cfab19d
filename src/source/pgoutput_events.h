#ifndef SOURCE_PGOUTPUT_EVENTS_H
#define SOURCE_PGOUTPUT_EVENTS_H

/*
 * From pgoutput messages (protocol version 1) to the events of contract/source.h: transactions,
 * ordinals (SEMANTICS 1), relation versions (SEMANTICS 26), one event per relation of a TRUNCATE.
 *
 * Pure: bytes in, events out; the connection is somebody else's business.  A stream that breaks
 * the protocol (a change outside a transaction, of an unknown relation, of another width) is
 * ERR_BUG: going on could write wrong rows.
 *
 *     pgoutput_events_take(&events, payload, &event, &has_event, err)
 *     while (pgoutput_events_more(&events, &event)) ...        the rest of a TRUNCATE
 *
 * What an event points to is valid until the next call, schemas for the flow.  Owner thread.
 */

#include <stdbool.h>

#include "contract/source.h"
#include "source/pgoutput_decode.h"
#include "source/relations.h"

struct pgoutput_events {
    struct pgoutput_decoder decoder;
    struct relations relations;

    /* the transaction that is being sent */
    bool in_transaction;
    uint32_t xid;
    lsn_t commit;
    int64_t commit_us;
    uint64_t ordinal; /* of the last change */

    /* relations of a TRUNCATE that still want their event */
    struct pgoutput_message truncate;
    size_t truncate_next;
};

/* 100 KB: on the heap or in an arena. */
void pgoutput_events_init(struct pgoutput_events *events, struct arena *flow);
void pgoutput_events_done(struct pgoutput_events *events);

/* Another connection begins: no transaction is open; relation versions stay known. */
void pgoutput_events_restart(struct pgoutput_events *events);

MUST_CHECK bool pgoutput_events_take(struct pgoutput_events *events, struct span payload,
                                     struct source_event *ret, bool *ret_has_event,
                                     struct err *err);

/* The event of the next relation of the TRUNCATE that was taken last; *ret_has_event is false when
 * there is none. */
MUST_CHECK bool pgoutput_events_more(struct pgoutput_events *events, struct source_event *ret,
                                     bool *ret_has_event, struct err *err);

#endif
