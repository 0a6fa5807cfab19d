/* reader_pg: rows by id, in a snapshot that sees the event's transaction. */
#include "source/reader_pg.h"

#include <assert.h>
#include <poll.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/number.h"
#include "model/ident.h"
#include "pg/session.h"

#define SQL_LIMIT        MEGABYTES(1)
#define IDS_LIMIT        MEGABYTES(256)
#define PAUSE_FIRST_MS   5
#define PAUSE_MAX_MS     500
#define FIRST_VALUE      2 /* columns of the statement: number, snapshot, id, then the image */
#define SESSION_SETTINGS "SET default_transaction_read_only = on; SET row_security = off"

struct reader_pg {
    struct reader base;
    const struct source_settings *settings;
    struct pg_session *pg; /* NULL: not connected */

    /* the statement of the last mapping asked for: a lane has one */
    const struct mapping *mapping;
    struct buf sql;
};

/* ---- snapshots (manual 9.27) ---- */

static struct span
take_until(struct span *rest, char stop)
{
    const char *at = rest->len ? memchr(rest->ptr, stop, rest->len) : NULL;
    struct span word = {rest->ptr, at ? (size_t)(at - rest->ptr) : rest->len};

    *rest = span_skip(*rest, at ? word.len + 1 : word.len);
    return word;
}

/*
 * 32 bits of a transaction id to all 64 (xid8): the candidate nearest to the snapshot's xmax.  A
 * slot holds back wraparound, so an event is never 2^31 transactions old.
 */
static uint64_t
widen(uint32_t xid, uint64_t xmax)
{
    return xmax + (uint64_t)(int64_t)(int32_t)(xid - (uint32_t)xmax);
}

static bool
in_progress(struct span list, uint64_t xid, bool *ret_found)
{
    *ret_found = false;
    while (list.len > 0) {
        struct span word = take_until(&list, ',');
        uint64_t running;

        if (!span_to_uint(word, &running))
            return false;
        if (running == xid)
            *ret_found = true;
    }
    return true;
}

bool
snapshot_sees(struct span snapshot, uint32_t xid, bool *ret_visible)
{
    struct span rest = snapshot;
    struct span xmin_text = take_until(&rest, ':'), xmax_text = take_until(&rest, ':');
    uint64_t xmin, xmax, wide;
    bool running;

    if (!span_to_uint(xmin_text, &xmin) || !span_to_uint(xmax_text, &xmax))
        return false;
    wide = widen(xid, xmax);
    if (!in_progress(rest, wide, &running))
        return false;
    *ret_visible = wide < xmin || (wide < xmax && !running);
    return true;
}

/* ---- the statement ---- */

static void
put_column(struct buf *out, const char *name)
{
    buf_put(out, SPAN("t."));
    ident_put(out, span_of(name));
}

/*
 * The snapshot comes with the first id only: its list of transactions may be long.  ONLY for plain
 * tables, as in the publication; a partitioned one is asked as a whole.
 */
void
reader_sql(const struct mapping *mapping, struct buf *out)
{
    const struct mapping_column *id = &mapping->columns[mapping->id_column];

    buf_put(out, SPAN("SELECT r.n, CASE r.n WHEN 1 THEN pg_catalog.pg_current_snapshot() END, "));
    put_column(out, id->name);
    for (size_t i = 0; i < mapping->column_count; i++) {
        buf_put(out, SPAN(", "));
        put_column(out, mapping->columns[i].name);
    }
    buf_putf(out, " FROM pg_catalog.unnest($1::%s[]) WITH ORDINALITY AS r(id, n) LEFT JOIN %s",
             id->type.name, mapping->source->kind == 'r' ? "ONLY " : "");
    ident_put_qualified(out, span_of(mapping->schema), span_of(mapping->table));
    buf_put(out, SPAN(" AS t ON "));
    put_column(out, id->name);
    buf_put(out, SPAN(" = r.id"));
}

static void
put_element(struct buf *out, struct span id)
{
    buf_putc(out, '"');
    for (size_t i = 0; i < id.len; i++) {
        if (id.ptr[i] == '"' || id.ptr[i] == '\\')
            buf_putc(out, '\\');
        buf_putc(out, id.ptr[i]);
    }
    buf_putc(out, '"');
}

void
reader_ids(const struct reader_request *requests, size_t count, struct buf *out)
{
    buf_putc(out, '{');
    for (size_t i = 0; i < count; i++) {
        if (i)
            buf_putc(out, ',');
        put_element(out, requests[i].id);
    }
    buf_putc(out, '}');
}

/* ---- one attempt ---- */

struct answer {
    const struct mapping *mapping;
    struct reader_request *requests;
    size_t count;
    struct arena *arena;
    struct span snapshot;
    size_t bytes, max_bytes; /* of values so far */
};

static const struct value *
copy_image(const struct pg_rows *row, const struct answer *answer)
{
    size_t count = answer->mapping->column_count;
    struct value *image = arena_new_n(answer->arena, struct value, count);

    for (size_t i = 0; i < count; i++) {
        int column = FIRST_VALUE + 1 + (int)i;
        struct span value = pg_value(row, 0, column);

        if (pg_is_null(row, 0, column)) {
            image[i] = (struct value){.ptr = "", .kind = VALUE_NULL};
            continue;
        }
        image[i] = (struct value){
            .ptr = arena_span(answer->arena, value).ptr,
            .len = (uint32_t)value.len,
            .kind = VALUE_TEXT,
        };
    }
    return image;
}

/* Values that the WAL left out are large: a batch of them has to be read in parts. */
static bool
count_bytes(struct answer *answer, const struct pg_rows *row, struct err *err)
{
    for (size_t i = 0; i < answer->mapping->column_count; i++)
        answer->bytes += pg_value(row, 0, FIRST_VALUE + 1 + (int)i).len;
    if (answer->count > 1 && answer->bytes > answer->max_bytes)
        return err_set(err, ERR_DATA, "more than %zu bytes at once", answer->max_bytes);
    return true;
}

static bool
take_row(void *ctx, const struct pg_rows *row, struct err *err)
{
    struct answer *answer = ctx;
    int64_t n = pg_int(row, 0, 0);

    if (n < 1 || (size_t)n > answer->count)
        return err_set(err, ERR_BUG, "a read-back answered row %lld of %zu", (long long)n,
                       answer->count);
    if (n == 1)
        answer->snapshot = arena_span(answer->arena, pg_value(row, 0, 1));
    if (pg_is_null(row, 0, FIRST_VALUE)) /* ids are NOT NULL (SEMANTICS 28): no such row */
        return true;
    if (!count_bytes(answer, row, err))
        return false;
    answer->requests[n - 1].image = copy_image(row, answer);
    return true;
}

static bool
ask(struct reader_pg *reader, struct answer *answer, const struct buf *ids, struct err *err)
{
    for (size_t i = 0; i < answer->count; i++)
        answer->requests[i].image = NULL;
    answer->snapshot = (struct span){"", 0};
    answer->bytes = 0;
    if (!pg_query_each(reader->pg, reader->sql.ptr, (const char *const[]){ids->ptr}, 1, take_row,
                       answer, err))
        return false;
    if (answer->snapshot.len == 0)
        return err_set(err, ERR_BUG, "a read-back answered without a snapshot");
    return true;
}

/* The first request whose transaction this snapshot does not see yet; count: all are seen. */
static bool
find_unseen(const struct answer *answer, size_t *ret, struct err *err)
{
    bool visible = true;
    size_t i;

    for (i = 0; i < answer->count && visible; i++) {
        if (!snapshot_sees(answer->snapshot, answer->requests[i].xid, &visible))
            return err_set(err, ERR_BUG, "\"%.*s\" is no snapshot", SPAN_ARG(answer->snapshot));
    }
    *ret = visible ? answer->count : i - 1;
    return true;
}

/* ---- until it is visible ---- */

static bool
not_visible(const struct answer *answer, uint32_t xid, struct err *err)
{
    return err_set(
        err, ERR_TRANSIENT,
        "waiting to read back %s.%s: transaction %u has been sent but is not visible yet; "
        "is a synchronous standby missing (synchronous_standby_names)?",
        answer->mapping->schema, answer->mapping->table, xid);
}

static bool
pause_for(int64_t pause_ms, const struct reader_wait *wait, struct err *err)
{
    struct pollfd fd = {.fd = wait->cancel_fd, .events = POLLIN};
    int64_t left_ms = wait->deadline_ms - clock_mono_ms();

    if (left_ms < 0) /* poll() would wait for ever: time may have passed since the caller looked */
        left_ms = 0;
    if (poll(&fd, 1, (int)(pause_ms < left_ms ? pause_ms : left_ms)) > 0)
        return err_set(err, ERR_CANCELED, "reading rows back: stopped");
    return true;
}

static bool
ask_until_visible(struct reader_pg *reader, struct answer *answer, const struct buf *ids,
                  const struct reader_wait *wait, struct err *err)
{
    struct arena_mark mark = arena_mark(answer->arena);

    for (int64_t pause_ms = PAUSE_FIRST_MS;; pause_ms *= 2) {
        size_t unseen = 0;

        arena_rewind(answer->arena, mark);
        if (!ask(reader, answer, ids, err) || !find_unseen(answer, &unseen, err))
            return false;
        if (unseen == answer->count)
            return true;
        if (clock_mono_ms() >= wait->deadline_ms)
            return not_visible(answer, answer->requests[unseen].xid, err);
        if (pause_ms > PAUSE_MAX_MS)
            pause_ms = PAUSE_MAX_MS;
        if (!pause_for(pause_ms, wait, err))
            return false;
    }
}

/* ---- contract/reader.h ---- */

static bool
prepare_session(struct reader_pg *reader, const struct reader_wait *wait, struct err *err)
{
    int64_t left_ms = wait->deadline_ms - clock_mono_ms();

    if (!reader->pg) {
        struct pg_connect_args args = {
            .conninfo = reader->settings->conninfo,
            .purpose = "reader",
            .deadline_ms = wait->deadline_ms,
            .cancel_fd = wait->cancel_fd,
        };

        if (!pg_connect(&args, &reader->pg, err) ||
            !pg_exec(reader->pg, SESSION_SETTINGS, NULL, err))
            return false;
    }
    pg_set_cancel_fd(reader->pg, wait->cancel_fd);
    pg_set_timeout(reader->pg, left_ms > 1 ? left_ms : 1);
    return true;
}

static bool
prepare_sql(struct reader_pg *reader, const struct mapping *mapping, struct err *err)
{
    if (reader->mapping == mapping)
        return true;
    buf_clear(&reader->sql);
    reader_sql(mapping, &reader->sql);
    reader->mapping = mapping;
    return buf_ok(&reader->sql, err);
}

static bool
read_rows(struct reader_pg *reader, struct answer *answer, const struct reader_wait *wait,
          struct err *err)
{
    CLEANUP(buf_free) struct buf ids = buf_make(IDS_LIMIT);

    reader_ids(answer->requests, answer->count, &ids);
    return buf_ok(&ids, err) && prepare_sql(reader, answer->mapping, err) &&
           prepare_session(reader, wait, err) && ask_until_visible(reader, answer, &ids, wait, err);
}

static bool
reader_pg_read(struct reader *base, const struct mapping *mapping, struct reader_request *requests,
               size_t count, const struct reader_wait *wait, struct arena *arena, struct err *err)
{
    struct reader_pg *reader = (struct reader_pg *)base;
    struct answer answer = {.mapping = mapping,
                            .requests = requests,
                            .count = count,
                            .arena = arena,
                            .max_bytes = wait->max_bytes};

    assert(mapping->source);
    if (count == 0 || read_rows(reader, &answer, wait, err))
        return true;
    /* A session that failed is not trusted again; the next read makes a new one. */
    pg_closep(&reader->pg);
    return err_wrap(err, "reading %zu rows of %s.%s back", count, mapping->schema, mapping->table);
}

static void
reader_pg_close(struct reader *base)
{
    struct reader_pg *reader = (struct reader_pg *)base;

    pg_close(reader->pg);
    buf_free(&reader->sql);
    free(reader);
}

static const struct reader_type reader_pg = {
    .read = reader_pg_read,
    .close = reader_pg_close,
};

struct reader *
reader_pg_new(const struct source_settings *settings)
{
    struct reader_pg *reader = calloc(1, sizeof(*reader));

    if (!reader)
        abort();
    reader->base.type = &reader_pg;
    reader->settings = settings;
    reader->sql = buf_make(SQL_LIMIT);
    return &reader->base;
}
