#ifndef SOURCE_PGOUTPUT_DECODE_H
#define SOURCE_PGOUTPUT_DECODE_H

/*
 * Decode one message of the pgoutput plug-in, protocol versions 1 to 4 (manual 55.9, "Logical
 * Replication Message Formats").
 *
 * Pure: no I/O, no allocation.  Everything a message holds points into the input or, for column
 * values, into the decoder, and is valid until the next call.  Every length is checked against the
 * input; a message that does not add up, or is followed by bytes that nobody asked for, is ERR_BUG
 * naming the message and the offset.
 *
 * Inside a streamed transaction (between Stream Start and Stream Stop) change messages begin with
 * the xid of their subtransaction; the decoder remembers that it is inside.  After an error it must
 * be cleared.
 *
 *     struct pgoutput_decoder *decoder = arena_new_of(flow, struct pgoutput_decoder);
 *     struct pgoutput_message message;
 *
 *     if (!pgoutput_decode(decoder, payload, &message, err))
 *         return false;
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/span.h"
#include "model/lsn.h"
#include "model/schema.h"
#include "model/value.h"

/* MaxTupleAttributeNumber (access/htup_details.h): no tuple is wider. */
#define PGOUTPUT_COLUMNS_MAX 1664

/* The message type bytes. */
enum pgoutput_type {
    PGOUTPUT_BEGIN = 'B',
    PGOUTPUT_COMMIT = 'C',
    PGOUTPUT_ORIGIN = 'O',
    PGOUTPUT_RELATION = 'R',
    PGOUTPUT_TYPE = 'Y',
    PGOUTPUT_INSERT = 'I',
    PGOUTPUT_UPDATE = 'U',
    PGOUTPUT_DELETE = 'D',
    PGOUTPUT_TRUNCATE = 'T',
    PGOUTPUT_MESSAGE = 'M',
    PGOUTPUT_STREAM_START = 'S',  /* from version 2 */
    PGOUTPUT_STREAM_STOP = 'E',   /* 2 */
    PGOUTPUT_STREAM_COMMIT = 'c', /* 2 */
    PGOUTPUT_STREAM_ABORT = 'A',  /* 2 */
    PGOUTPUT_BEGIN_PREPARE = 'b', /* 3 */
    PGOUTPUT_PREPARE = 'P',
    PGOUTPUT_COMMIT_PREPARED = 'K',
    PGOUTPUT_ROLLBACK_PREPARED = 'r',
    PGOUTPUT_STREAM_PREPARE = 'p',
};

/* Which kind of old tuple came along. */
enum pgoutput_old {
    PGOUTPUT_OLD_NONE = 0,
    PGOUTPUT_OLD_KEY = 'K',  /* only key columns are meant; the others are sent as null */
    PGOUTPUT_OLD_FULL = 'O', /* replica identity FULL */
};

struct pgoutput_tuple {
    const struct value *values; /* in the decoder; NULL: no such tuple */
    size_t count;
};

/* Columns of a Relation message are read one by one: pgoutput_column_next(). */
struct pgoutput_columns {
    struct span rest;
    size_t left;
};

struct pgoutput_message {
    enum pgoutput_type type;
    uint32_t xid; /* of the transaction; of the subtransaction inside a stream */

    /* transactions; times are microseconds since 1970 UTC */
    lsn_t lsn;     /* BEGIN: start of the commit record; COMMIT kinds: the same;
                      PREPARE kinds: of the prepare; MESSAGE: its own; ORIGIN: at the origin;
                      ROLLBACK PREPARED: end of the prepare; STREAM ABORT: of the abort, or 0 */
    lsn_t end_lsn; /* COMMIT, PREPARE and ROLLBACK PREPARED kinds */
    int64_t time_us;
    int64_t prepare_time_us; /* ROLLBACK PREPARED */
    uint32_t subxid;         /* STREAM ABORT */
    bool first_segment;      /* STREAM START */
    struct span gid;         /* PREPARE kinds */

    /* relations and types */
    oid_t oid; /* RELATION, INSERT, UPDATE, DELETE: the relation; TYPE: the type */
    struct span namespace;
    struct span name; /* RELATION, TYPE, ORIGIN; MESSAGE: the prefix */
    char identity;    /* enum replica_identity, as sent */
    struct pgoutput_columns columns;

    /* rows */
    enum pgoutput_old old_kind;
    struct pgoutput_tuple old_tuple;
    struct pgoutput_tuple new_tuple;

    /* TRUNCATE: relation_count big-endian oids, see pgoutput_truncate_oid() */
    bool cascade;
    bool restart_identity;
    size_t relation_count;
    struct span relations;

    /* MESSAGE */
    bool transactional;
    struct span content;
};

struct pgoutput_decoder {
    bool in_stream;
    struct value old_values[PGOUTPUT_COLUMNS_MAX];
    struct value new_values[PGOUTPUT_COLUMNS_MAX];
};

void pgoutput_clear(struct pgoutput_decoder *decoder);

MUST_CHECK bool pgoutput_decode(struct pgoutput_decoder *decoder, struct span payload,
                                struct pgoutput_message *ret, struct err *err);

/* The next column of a Relation message that was decoded without error; false at the end. */
bool pgoutput_column_next(struct pgoutput_columns *columns, struct column *ret);

oid_t pgoutput_truncate_oid(const struct pgoutput_message *message, size_t i);

/* "Insert", for messages; "unknown" for bytes that are no type. */
const char *pgoutput_type_name(char type);

#endif
