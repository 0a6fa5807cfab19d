/* pg_wire: messages of the Postgres protocol as a server writes them. */
#include "harness/pg_wire.h"

#include <endian.h>

#include "harness/pgoutput.h"

#define BODY_MAX MEGABYTES(64)

uint32_t
pg_wire_u32(const char *at)
{
    uint32_t n;

    memcpy(&n, at, sizeof(n));
    return be32toh(n);
}

uint64_t
pg_wire_u64(const char *at)
{
    return (uint64_t)pg_wire_u32(at) << 32 | pg_wire_u32(at + 4);
}

/* A message: type, length, body (manual 55.7). */
void
pg_wire_message(struct buf *out, char type, struct span body)
{
    buf_putc(out, type);
    wire_u32(out, (uint32_t)body.len + 4);
    buf_put(out, body);
}

void
pg_wire_text(struct buf *out, char type, const char *text)
{
    pg_wire_message(out, type, (struct span){text, strlen(text) + 1});
}

void
pg_wire_ready(struct buf *out)
{
    pg_wire_message(out, 'Z', SPAN("I"));
}

/* "55006 text" */
void
pg_wire_error(struct buf *out, const char *severity, const char *error)
{
    CLEANUP(buf_free) struct buf body = buf_make(BODY_MAX);

    buf_putf(&body, "S%s%cV%s%cC%.5s%cM%s%c", severity, 0, severity, 0, error, 0, error + 6, 0);
    wire_u8(&body, 0);
    pg_wire_message(out, 'E', buf_span(&body));
}

/* ---- rows ---- */

static size_t
count_columns(const char *line)
{
    size_t count = 1;

    for (; *line && *line != '\n'; line++)
        count += *line == '|';
    return count;
}

static void
put_description(struct buf *out, size_t columns)
{
    CLEANUP(buf_free) struct buf body = buf_make(BODY_MAX);

    wire_u16(&body, (unsigned)columns);
    for (size_t i = 0; i < columns; i++) {
        wire_string(&body, "c");
        wire_u32(&body, 0);
        wire_u16(&body, 0);
        wire_u32(&body, 25);
        wire_u16(&body, 0xffff);
        wire_u32(&body, UINT32_MAX);
        wire_u16(&body, 0);
    }
    pg_wire_message(out, 'T', buf_span(&body));
}

static void
put_row(struct buf *out, const char *line, size_t columns)
{
    CLEANUP(buf_free) struct buf body = buf_make(BODY_MAX);

    wire_u16(&body, (unsigned)columns);
    for (size_t i = 0; i < columns; i++) {
        size_t len = strcspn(line, "|\n");

        if (len == 1 && *line == '~') {
            wire_u32(&body, UINT32_MAX);
        } else {
            wire_u32(&body, (uint32_t)len);
            buf_put(&body, (struct span){line, len});
        }
        line += len + 1;
    }
    pg_wire_message(out, 'D', buf_span(&body));
}

void
pg_wire_rows(struct buf *out, const char *rows)
{
    bool any = rows && *rows;
    size_t columns = any ? count_columns(rows) : 0;

    put_description(out, columns);
    while (any) {
        const char *end = strchr(rows, '\n');

        put_row(out, rows, columns);
        any = end && end[1];
        rows = end ? end + 1 : rows;
    }
    pg_wire_text(out, 'C', "SELECT");
}
