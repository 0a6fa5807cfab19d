/* pgoutput: the writing side of the logical replication protocol, as far as tests need it. */
#include "harness/pgoutput.h"

#include <string.h>

#include "base/number.h"

void
wire_u8(struct buf *out, unsigned n)
{
    buf_putc(out, (char)n);
}

void
wire_u16(struct buf *out, unsigned n)
{
    wire_u8(out, n >> 8);
    wire_u8(out, n & 0xff);
}

void
wire_u32(struct buf *out, uint32_t n)
{
    wire_u16(out, n >> 16);
    wire_u16(out, n & 0xffff);
}

void
wire_u64(struct buf *out, uint64_t n)
{
    wire_u32(out, (uint32_t)(n >> 32));
    wire_u32(out, (uint32_t)n);
}

void
wire_string(struct buf *out, const char *text)
{
    buf_put(out, (struct span){text, strlen(text) + 1});
}

/* The next word of a line; false at its end. */
static bool
next_word(const char **at, struct span *ret)
{
    *at += strspn(*at, " ");
    *ret = (struct span){*at, strcspn(*at, " ")};
    *at += ret->len;
    return ret->len > 0;
}

static unsigned
count_words(const char *text)
{
    struct span word;
    unsigned count = 0;

    while (next_word(&text, &word))
        count++;
    return count;
}

static void
put_row(struct buf *out, const char *row)
{
    struct span word;

    wire_u16(out, count_words(row));
    while (next_word(&row, &word)) {
        if (span_eq(word, SPAN("~"))) {
            buf_putc(out, 'n');
        } else if (span_eq(word, SPAN("^"))) {
            buf_putc(out, 'u');
        } else {
            buf_putc(out, 't');
            wire_u32(out, (uint32_t)word.len);
            buf_put(out, word);
        }
    }
}

static void
put_column(struct buf *out, struct span word)
{
    const char *colon = memchr(word.ptr, ':', word.len);
    bool key = word.ptr[0] == '*';
    struct span name = {word.ptr + key, (size_t)(colon - word.ptr) - key};
    uint64_t type = 0;

    if (!span_to_uint(span_skip(word, (size_t)(colon - word.ptr) + 1), &type))
        return;
    wire_u8(out, key);
    buf_put(out, name);
    wire_u8(out, 0);
    wire_u32(out, (uint32_t)type);
    wire_u32(out, UINT32_MAX); /* no typmod */
}

void
wire_begin(struct buf *out, lsn_t commit, uint32_t xid)
{
    buf_putc(out, 'B');
    wire_u64(out, commit);
    wire_u64(out, 123);
    wire_u32(out, xid);
}

void
wire_commit(struct buf *out, lsn_t commit, lsn_t end)
{
    buf_putc(out, 'C');
    wire_u8(out, 0);
    wire_u64(out, commit);
    wire_u64(out, end);
    wire_u64(out, 123);
}

void
wire_relation(struct buf *out, uint32_t oid, const char *name, char identity, const char *columns)
{
    struct span word;

    buf_putc(out, 'R');
    wire_u32(out, oid);
    wire_string(out, "public");
    wire_string(out, name);
    buf_putc(out, identity);
    wire_u16(out, count_words(columns));
    while (next_word(&columns, &word))
        put_column(out, word);
}

void
wire_insert(struct buf *out, uint32_t oid, const char *row)
{
    buf_putc(out, 'I');
    wire_u32(out, oid);
    buf_putc(out, 'N');
    put_row(out, row);
}

void
wire_update(struct buf *out, uint32_t oid, char kind, const char *old_row, const char *row)
{
    buf_putc(out, 'U');
    wire_u32(out, oid);
    if (kind) {
        buf_putc(out, kind);
        put_row(out, old_row);
    }
    buf_putc(out, 'N');
    put_row(out, row);
}

void
wire_delete(struct buf *out, uint32_t oid, char kind, const char *old_row)
{
    buf_putc(out, 'D');
    wire_u32(out, oid);
    buf_putc(out, kind);
    put_row(out, old_row);
}

void
wire_truncate(struct buf *out, const uint32_t *oids, size_t count)
{
    buf_putc(out, 'T');
    wire_u32(out, (uint32_t)count);
    wire_u8(out, 0);
    for (size_t i = 0; i < count; i++)
        wire_u32(out, oids[i]);
}
