/* pgoutput_stream: read a logical replication stream (manual 55.4) as source events. */
#include "source/pgoutput_stream.h"

#include <assert.h>
#include <endian.h>
#include <string.h>

#include "base/clock.h"
#include "pg/copy.h"
#include "pg/session.h"
#include "pg/sqlstate.h"
#include "source/pg_source.h"

/* Layouts of manual 55.4: XLogData, Primary keepalive message, Standby status update. */
#define XLOG_HEADER_SIZE   25 /* 'w', start, end, time */
#define XLOG_END_AT        9
#define KEEPALIVE_SIZE     18 /* 'k', end, time, reply */
#define KEEPALIVE_END_AT   1
#define KEEPALIVE_REPLY_AT 17
#define STATUS_SIZE        34 /* 'r', written, flushed, applied, time, reply */

#define POSTGRES_EPOCH_MS INT64_C(946684800000)
#define REPLY_MS          100 /* SEMANTICS 8: at most ten answers a second */
#define INTERVAL_MAX_MS   10000
#define CLOSE_MS          1000               /* how long an orderly end may take */
#define LOCK_EVERY        4096               /* messages between two looks at the lock while busy */
#define RENEW_BYTES       (16 * 1024 * 1024) /* SEMANTICS 30 */

static struct pg_source *
source_of(struct source *base)
{
    return (struct pg_source *)base; /* its first member */
}

static uint64_t
read_u64(const char *at)
{
    uint64_t n;

    memcpy(&n, at, sizeof(n));
    return be64toh(n);
}

static char *
write_u64(char *at, uint64_t n)
{
    n = htobe64(n);
    memcpy(at, &n, sizeof(n));
    return at + sizeof(n);
}

/* ---- out ---- */

/* Written: received by us.  Flushed is what moves the slot; 0 leaves it where it is. */
static bool
send_status(struct pg_source *source, struct err *err)
{
    lsn_t written = source->stats.received > source->flush ? source->stats.received : source->flush;
    int64_t now_us = (clock_wall_ms() - POSTGRES_EPOCH_MS) * 1000;
    char message[STATUS_SIZE] = {'r'};
    char *at = message + 1;

    at = write_u64(at, written);
    at = write_u64(at, source->flush);
    at = write_u64(at, source->flush);
    write_u64(at, (uint64_t)now_us);
    source->answered_ms = clock_mono_ms();
    return pg_copy_put(source->stream, (struct span){message, sizeof(message)}, err);
}

/* ---- the lock ---- */

/* Without the lock nothing may be read on.  The server hears what is durable before we go. */
static bool
check_lock(struct pg_source *source, struct err *err)
{
    struct err ignored;

    source->unchecked = 0;
    if (source_lock_check(source->lock, err))
        return true;
    source_lock_release(source->lock);
    source->lock = NULL;
    (void)!send_status(source, &ignored);
    return false;
}

/* ---- in ---- */

static COLD bool
malformed(char type, size_t len, struct err *err)
{
    return err_set(err, ERR_BUG, "malformed replication message '%c' of %zu bytes", type, len);
}

/* The first keepalive of a connection names the slot's confirmed position, which may be before the
 * one that was asked for. */
static void
advance_received(struct pg_source *source, lsn_t end)
{
    if (end > source->stats.received)
        source->stats.received = end;
}

static bool
on_xlog(struct pg_source *source, struct span message, struct source_event *ret,
        bool *ret_has_event, struct err *err)
{
    if (message.len < XLOG_HEADER_SIZE)
        return malformed('w', message.len, err);
    advance_received(source, read_u64(message.ptr + XLOG_END_AT));
    source->stats.messages++;
    source->stats.bytes += message.len;
    if (message.len > RENEW_BYTES)
        source->saw_large = true;
    return pgoutput_events_take(source->events, span_skip(message, XLOG_HEADER_SIZE), ret,
                                ret_has_event, err);
}

/*
 * Inside a transaction the position says nothing about what may be acknowledged, so the engine
 * does not see it; a question is answered here, with what is durable anyway.
 */
static bool
on_keepalive(struct pg_source *source, struct span message, struct source_event *ret,
             bool *ret_has_event, struct err *err)
{
    bool reply;

    if (message.len != KEEPALIVE_SIZE)
        return malformed('k', message.len, err);
    reply = message.ptr[KEEPALIVE_REPLY_AT] != 0;
    *ret_has_event = !source->events->in_transaction;
    if (!*ret_has_event)
        return !reply || clock_mono_ms() - source->answered_ms < REPLY_MS ||
               send_status(source, err);
    advance_received(source, read_u64(message.ptr + KEEPALIVE_END_AT));
    *ret = (struct source_event){
        .type = SOURCE_KEEPALIVE,
        .lsn = source->stats.received,
        .reply = reply,
    };
    return true;
}

static bool
on_message(struct pg_source *source, struct span message, struct source_event *ret,
           bool *ret_has_event, struct err *err)
{
    switch (message.ptr[0]) {
    case 'w':
        return on_xlog(source, message, ret, ret_has_event, err);
    case 'k':
        return on_keepalive(source, message, ret, ret_has_event, err);
    default:
        return malformed(message.ptr[0], message.len, err);
    }
}

/* Nothing to read. */
static bool
on_idle(struct pg_source *source, struct source_event *ret, struct err *err)
{
    bool renew =
        source->saw_large && !source->events->in_transaction && !source->settings->temporary_slot;

    if (!check_lock(source, err))
        return false;
    if (pg_copy_unsent(source->stream) && !pg_copy_flush(source->stream, err))
        return false;
    *ret = (struct source_event){.type = renew ? SOURCE_RENEW : SOURCE_IDLE};
    return true;
}

/* What the server says while it decodes: some of it has a remedy that it does not know. */
static bool
explain(const struct pg_source *source, struct err *err)
{
    if (err->code == PG_UNDEFINED_OBJECT)
        return err_wrap(err,
                        "publication \"%s\" did not exist when these changes were written, so they "
                        "cannot be read with it; drop slot \"%s\" and start with --create-slot "
                        "--accept-gap",
                        source->settings->publication, source->settings->slot);
    return err_wrap(err, "reading slot \"%s\"", source->settings->slot);
}

/* The next event; TRUNCATE of several relations has several. */
static bool
read_event(struct pg_source *source, struct source_event *ret, struct err *err)
{
    struct span message;
    bool has_event;

    if (!pgoutput_events_more(source->events, ret, &has_event, err))
        return false;
    if (has_event)
        return true;
    for (;;) {
        pg_copy_release(source->stream);
        if (!pg_copy_next(source->stream, &message, err))
            return explain(source, err);
        if (!message.ptr)
            return on_idle(source, ret, err);
        if (++source->unchecked >= LOCK_EVERY && !check_lock(source, err))
            return false;
        if (!on_message(source, message, ret, &has_event, err))
            return false;
        if (has_event)
            return true;
    }
}

/* ---- contract/source.h ---- */

static bool
stream_open(struct source *base, lsn_t start, int64_t deadline_ms, int cancel_fd, struct err *err)
{
    struct pg_source *source = source_of(base);

    if (!pg_source_open_stream(source, start, deadline_ms, cancel_fd, err))
        return false;
    pgoutput_events_restart(source->events);
    source->stats.received = start;
    source->flush = 0;
    source->unchecked = 0;
    source->answered_ms = 0;
    source->saw_large = false;
    source->broken = false;
    return true;
}

static void
stream_close(struct source *base)
{
    struct pg_source *source = source_of(base);

    if (!source->stream)
        return;
    if (source->broken)
        pg_copy_release(source->stream);
    else
        pg_copy_end(source->stream, CLOSE_MS);
    pg_close(source->stream);
    source->stream = NULL;
}

static bool
stream_next(struct source *base, struct source_event *ret, struct err *err)
{
    struct pg_source *source = source_of(base);

    assert(source->stream && !source->broken);
    if (read_event(source, ret, err))
        return true;
    source->broken = source->lock != NULL; /* without a lock the connection is still good */
    return false;
}

static bool
stream_feedback(struct source *base, lsn_t flush, struct err *err)
{
    struct pg_source *source = source_of(base);

    assert(source->stream);
    if (flush > source->flush)
        source->flush = flush;
    if (send_status(source, err) && check_lock(source, err))
        return true;
    source->broken = source->lock != NULL;
    return false;
}

static size_t
stream_poll_fds(struct source *base, struct pollfd *fds, size_t cap)
{
    struct pg_source *source = source_of(base);

    assert(cap >= 2);
    if (!source->stream)
        return 0;
    fds[0] = (struct pollfd){
        .fd = pg_socket(source->stream),
        .events = (short)(POLLIN | (pg_copy_unsent(source->stream) ? POLLOUT : 0)),
    };
    if (!source->lock)
        return 1;
    fds[1] = (struct pollfd){.fd = source_lock_fd(source->lock), .events = POLLIN};
    return 2;
}

static int64_t
stream_feedback_interval_ms(const struct source *base)
{
    const struct pg_source *source = (const struct pg_source *)base;
    int64_t third_ms = source->wal_sender_timeout_ms / 3;

    return third_ms > 0 && third_ms < INTERVAL_MAX_MS ? third_ms : INTERVAL_MAX_MS;
}

const struct source_type pgoutput_stream = {
    .name = "pgoutput_stream",
    .open = stream_open,
    .close = stream_close,
    .next = stream_next,
    .feedback = stream_feedback,
    .poll_fds = stream_poll_fds,
    .feedback_interval_ms = stream_feedback_interval_ms,
};
