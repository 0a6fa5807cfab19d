/* pgoutput_decode: bytes of the logical replication protocol to messages (manual 55.9). */
#include "source/pgoutput_decode.h"

#include <assert.h>
#include <endian.h>
#include <string.h>

/* Microseconds from 1970 to 2000, where Postgres counts from. */
#define POSTGRES_EPOCH_US INT64_C(946684800000000)

/* ---- reading; the first failure sticks, so decoders are straight lines ---- */

struct cursor {
    const char *at;
    const char *end;
    const char *failed; /* where; NULL: all is well */
};

static COLD void
fail(struct cursor *c)
{
    if (!c->failed)
        c->failed = c->at;
    c->at = c->end;
}

static inline bool
has(struct cursor *c, size_t size)
{
    if ((size_t)(c->end - c->at) >= size)
        return true;
    fail(c);
    return false;
}

static inline uint8_t
take_u8(struct cursor *c)
{
    return has(c, 1) ? (uint8_t)*c->at++ : 0;
}

static inline uint16_t
take_u16(struct cursor *c)
{
    uint16_t n;

    if (!has(c, sizeof(n)))
        return 0;
    memcpy(&n, c->at, sizeof(n));
    c->at += sizeof(n);
    return be16toh(n);
}

static inline uint32_t
take_u32(struct cursor *c)
{
    uint32_t n;

    if (!has(c, sizeof(n)))
        return 0;
    memcpy(&n, c->at, sizeof(n));
    c->at += sizeof(n);
    return be32toh(n);
}

static inline uint64_t
take_u64(struct cursor *c)
{
    uint64_t n;

    if (!has(c, sizeof(n)))
        return 0;
    memcpy(&n, c->at, sizeof(n));
    c->at += sizeof(n);
    return be64toh(n);
}

static int64_t
take_time(struct cursor *c)
{
    int64_t us;

    if (__builtin_add_overflow((int64_t)take_u64(c), POSTGRES_EPOCH_US, &us)) {
        fail(c);
        return 0;
    }
    return us;
}

static inline struct span
take_bytes(struct cursor *c, size_t len)
{
    struct span s = {c->at, len};

    if (!has(c, len))
        return (struct span){"", 0};
    c->at += len;
    return s;
}

/* A string that ends in NUL. */
static struct span
take_string(struct cursor *c)
{
    const char *nul = c->at < c->end ? memchr(c->at, '\0', (size_t)(c->end - c->at)) : NULL;
    struct span s = {c->at, 0};

    if (!nul) {
        fail(c);
        return (struct span){"", 0};
    }
    s.len = (size_t)(nul - c->at);
    c->at = nul + 1;
    return s;
}

/* The empty name stands for pg_catalog. */
static struct span
take_namespace(struct cursor *c)
{
    struct span name = take_string(c);

    return name.len ? name : SPAN("pg_catalog");
}

/* ---- rows ---- */

static inline void
take_value(struct cursor *c, enum value_kind kind, struct value *ret)
{
    uint32_t len = take_u32(c);

    *ret = (struct value){.ptr = c->at, .len = len, .kind = kind};
    if (has(c, len))
        c->at += len;
}

static void
take_column(struct cursor *c, struct value *ret)
{
    const char *tag = c->at;

    switch (take_u8(c)) {
    case 't':
        take_value(c, VALUE_TEXT, ret);
        return;
    case 'n':
        *ret = (struct value){.ptr = "", .kind = VALUE_NULL};
        return;
    case 'u':
        *ret = (struct value){.ptr = "", .kind = VALUE_UNCHANGED};
        return;
    case 'b':
        take_value(c, VALUE_BINARY, ret);
        return;
    default:
        c->at = tag;
        fail(c);
    }
}

static void
take_tuple(struct cursor *c, struct value *values, struct pgoutput_tuple *ret)
{
    size_t count = take_u16(c);

    if (count > PGOUTPUT_COLUMNS_MAX) {
        fail(c);
        return;
    }
    for (size_t i = 0; i < count && !c->failed; i++)
        take_column(c, &values[i]);
    *ret = (struct pgoutput_tuple){.values = values, .count = count};
}

static void
take_new_tuple(struct cursor *c, struct pgoutput_decoder *decoder, struct pgoutput_message *ret)
{
    take_tuple(c, decoder->new_values, &ret->new_tuple);
}

/* 'K' or 'O' and the tuple. */
static void
take_old_tuple(struct cursor *c, char tag, struct pgoutput_decoder *decoder,
               struct pgoutput_message *ret)
{
    ret->old_kind = tag == 'K' ? PGOUTPUT_OLD_KEY : PGOUTPUT_OLD_FULL;
    take_tuple(c, decoder->old_values, &ret->old_tuple);
}

static void
expect(struct cursor *c, char got, char want)
{
    if (got == want || c->failed)
        return;
    c->at--;
    fail(c);
}

static void
decode_insert(struct cursor *c, struct pgoutput_decoder *decoder, struct pgoutput_message *ret)
{
    ret->oid = take_u32(c);
    expect(c, (char)take_u8(c), 'N');
    take_new_tuple(c, decoder, ret);
}

static void
decode_update(struct cursor *c, struct pgoutput_decoder *decoder, struct pgoutput_message *ret)
{
    char tag;

    ret->oid = take_u32(c);
    tag = (char)take_u8(c);
    if (tag == 'K' || tag == 'O') {
        take_old_tuple(c, tag, decoder, ret);
        tag = (char)take_u8(c);
    }
    expect(c, tag, 'N');
    take_new_tuple(c, decoder, ret);
}

static void
decode_delete(struct cursor *c, struct pgoutput_decoder *decoder, struct pgoutput_message *ret)
{
    char tag;

    ret->oid = take_u32(c);
    tag = (char)take_u8(c);
    if (tag != 'O')
        expect(c, tag, 'K');
    take_old_tuple(c, tag, decoder, ret);
}

static void
decode_truncate(struct cursor *c, struct pgoutput_message *ret)
{
    uint32_t count = take_u32(c);
    uint8_t flags = take_u8(c);

    ret->cascade = flags & 1;
    ret->restart_identity = flags & 2;
    ret->relation_count = count;
    ret->relations = take_bytes(c, (size_t)count * sizeof(uint32_t));
}

/* ---- relations, types, messages ---- */

static void
take_relation_column(struct cursor *c, struct column *ret)
{
    ret->key = take_u8(c) & 1;
    ret->name = take_string(c);
    ret->type = take_u32(c);
    ret->typmod = (int32_t)take_u32(c);
}

static void
decode_relation(struct cursor *c, struct pgoutput_message *ret)
{
    struct column column;

    ret->oid = take_u32(c);
    ret->namespace = take_namespace(c);
    ret->name = take_string(c);
    ret->identity = (char)take_u8(c);
    ret->columns.left = take_u16(c);
    if (ret->columns.left > PGOUTPUT_COLUMNS_MAX) {
        fail(c);
        return;
    }
    ret->columns.rest = (struct span){c->at, (size_t)(c->end - c->at)};
    for (size_t i = 0; i < ret->columns.left && !c->failed; i++)
        take_relation_column(c, &column);
}

static void
decode_type(struct cursor *c, struct pgoutput_message *ret)
{
    ret->oid = take_u32(c);
    ret->namespace = take_namespace(c);
    ret->name = take_string(c);
}

static void
decode_message(struct cursor *c, struct pgoutput_message *ret)
{
    ret->transactional = take_u8(c) & 1;
    ret->lsn = take_u64(c);
    ret->name = take_string(c);
    ret->content = take_bytes(c, take_u32(c));
}

static void
decode_origin(struct cursor *c, struct pgoutput_message *ret)
{
    ret->lsn = take_u64(c);
    ret->name = take_string(c);
}

/* ---- transactions ---- */

static void
decode_begin(struct cursor *c, struct pgoutput_message *ret)
{
    ret->lsn = take_u64(c);
    ret->time_us = take_time(c);
    ret->xid = take_u32(c);
}

/* Flags are reserved; then two positions and a time. */
static void
decode_commit(struct cursor *c, struct pgoutput_message *ret)
{
    take_u8(c);
    ret->lsn = take_u64(c);
    ret->end_lsn = take_u64(c);
    ret->time_us = take_time(c);
}

static void
decode_stream_commit(struct cursor *c, struct pgoutput_message *ret)
{
    ret->xid = take_u32(c);
    decode_commit(c, ret);
}

static void
decode_stream_start(struct cursor *c, struct pgoutput_message *ret)
{
    ret->xid = take_u32(c);
    ret->first_segment = take_u8(c) == 1;
}

/* Position and time of the abort are there only with streaming = parallel (from version 4). */
static void
decode_stream_abort(struct cursor *c, struct pgoutput_message *ret)
{
    ret->xid = take_u32(c);
    ret->subxid = take_u32(c);
    if (c->at == c->end)
        return;
    ret->lsn = take_u64(c);
    ret->time_us = take_time(c);
}

static void
decode_begin_prepare(struct cursor *c, struct pgoutput_message *ret)
{
    ret->lsn = take_u64(c);
    ret->end_lsn = take_u64(c);
    ret->time_us = take_time(c);
    ret->xid = take_u32(c);
    ret->gid = take_string(c);
}

/* Prepare, Commit Prepared and Stream Prepare have one shape. */
static void
decode_prepare(struct cursor *c, struct pgoutput_message *ret)
{
    take_u8(c);
    decode_begin_prepare(c, ret);
}

static void
decode_rollback_prepared(struct cursor *c, struct pgoutput_message *ret)
{
    take_u8(c);
    ret->lsn = take_u64(c);
    ret->end_lsn = take_u64(c);
    ret->prepare_time_us = take_time(c);
    ret->time_us = take_time(c);
    ret->xid = take_u32(c);
    ret->gid = take_string(c);
}

/* ---- dispatch ---- */

/* Change messages: inside a stream the xid of the subtransaction comes first. */
static void
decode_change(struct cursor *c, struct pgoutput_decoder *decoder, struct pgoutput_message *ret)
{
    if (decoder->in_stream)
        ret->xid = take_u32(c);
    switch ((char)ret->type) {
    case PGOUTPUT_INSERT:
        decode_insert(c, decoder, ret);
        return;
    case PGOUTPUT_UPDATE:
        decode_update(c, decoder, ret);
        return;
    case PGOUTPUT_DELETE:
        decode_delete(c, decoder, ret);
        return;
    case PGOUTPUT_TRUNCATE:
        decode_truncate(c, ret);
        return;
    case PGOUTPUT_RELATION:
        decode_relation(c, ret);
        return;
    case PGOUTPUT_TYPE:
        decode_type(c, ret);
        return;
    default:
        assert(ret->type == PGOUTPUT_MESSAGE);
        decode_message(c, ret);
    }
}

static void
decode_body(struct cursor *c, struct pgoutput_decoder *decoder, struct pgoutput_message *ret)
{
    switch (ret->type) {
    case PGOUTPUT_INSERT:
    case PGOUTPUT_UPDATE:
    case PGOUTPUT_DELETE:
    case PGOUTPUT_TRUNCATE:
    case PGOUTPUT_RELATION:
    case PGOUTPUT_TYPE:
    case PGOUTPUT_MESSAGE:
        decode_change(c, decoder, ret);
        return;
    case PGOUTPUT_BEGIN:
        decode_begin(c, ret);
        return;
    case PGOUTPUT_COMMIT:
        decode_commit(c, ret);
        return;
    case PGOUTPUT_ORIGIN:
        decode_origin(c, ret);
        return;
    case PGOUTPUT_STREAM_START:
        decode_stream_start(c, ret);
        return;
    case PGOUTPUT_STREAM_STOP:
        return;
    case PGOUTPUT_STREAM_COMMIT:
        decode_stream_commit(c, ret);
        return;
    case PGOUTPUT_STREAM_ABORT:
        decode_stream_abort(c, ret);
        return;
    case PGOUTPUT_BEGIN_PREPARE:
        decode_begin_prepare(c, ret);
        return;
    case PGOUTPUT_PREPARE:
    case PGOUTPUT_COMMIT_PREPARED:
    case PGOUTPUT_STREAM_PREPARE:
        decode_prepare(c, ret);
        return;
    case PGOUTPUT_ROLLBACK_PREPARED:
        decode_rollback_prepared(c, ret);
        return;
    }
    fail(c); /* a byte that is no type */
}

void
pgoutput_clear(struct pgoutput_decoder *decoder)
{
    decoder->in_stream = false;
}

bool
pgoutput_decode(struct pgoutput_decoder *decoder, struct span payload, struct pgoutput_message *ret,
                struct err *err)
{
    struct cursor c = {.at = payload.ptr, .end = payload.ptr + payload.len};
    char type = (char)take_u8(&c);
    struct pgoutput_message message = {.type = (enum pgoutput_type)type};

    decode_body(&c, decoder, &message);
    if (!c.failed && c.at != c.end)
        fail(&c); /* bytes that nobody asked for */
    if (c.failed)
        return err_set(err, ERR_BUG, "malformed message from pgoutput: %s, at byte %zu of %zu",
                       pgoutput_type_name(type), (size_t)(c.failed - payload.ptr), payload.len);
    if (type == PGOUTPUT_STREAM_START)
        decoder->in_stream = true;
    if (type == PGOUTPUT_STREAM_STOP)
        decoder->in_stream = false;
    *ret = message;
    return true;
}

bool
pgoutput_column_next(struct pgoutput_columns *columns, struct column *ret)
{
    struct cursor c = {0};

    if (columns->left == 0)
        return false;
    c.at = columns->rest.ptr;
    c.end = c.at + columns->rest.len;
    take_relation_column(&c, ret);
    assert(!c.failed); /* decode_relation walked it */
    columns->left--;
    columns->rest = (struct span){c.at, (size_t)(c.end - c.at)};
    return true;
}

oid_t
pgoutput_truncate_oid(const struct pgoutput_message *message, size_t i)
{
    uint32_t oid;

    assert(i < message->relation_count);
    memcpy(&oid, message->relations.ptr + i * sizeof(oid), sizeof(oid));
    return be32toh(oid);
}

const char *
pgoutput_type_name(char type)
{
    /* clang-format off */
    static const struct {
        char type;
        const char *name;
    } names[] = {
        {PGOUTPUT_BEGIN, "Begin"},
        {PGOUTPUT_COMMIT, "Commit"},
        {PGOUTPUT_ORIGIN, "Origin"},
        {PGOUTPUT_RELATION, "Relation"},
        {PGOUTPUT_TYPE, "Type"},
        {PGOUTPUT_INSERT, "Insert"},
        {PGOUTPUT_UPDATE, "Update"},
        {PGOUTPUT_DELETE, "Delete"},
        {PGOUTPUT_TRUNCATE, "Truncate"},
        {PGOUTPUT_MESSAGE, "Message"},
        {PGOUTPUT_STREAM_START, "Stream Start"},
        {PGOUTPUT_STREAM_STOP, "Stream Stop"},
        {PGOUTPUT_STREAM_COMMIT, "Stream Commit"},
        {PGOUTPUT_STREAM_ABORT, "Stream Abort"},
        {PGOUTPUT_BEGIN_PREPARE, "Begin Prepare"},
        {PGOUTPUT_PREPARE, "Prepare"},
        {PGOUTPUT_COMMIT_PREPARED, "Commit Prepared"},
        {PGOUTPUT_ROLLBACK_PREPARED, "Rollback Prepared"},
        {PGOUTPUT_STREAM_PREPARE, "Stream Prepare"},
    };
    /* clang-format on */

    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        if (names[i].type == type)
            return names[i].name;
    }
    return "unknown";
}
