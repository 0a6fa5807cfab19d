/* turbopuffer_values: one value of Postgres text to JSON. */
#include "destinations/turbopuffer/turbopuffer_values.h"

#include <assert.h>

#include "base/arena.h"
#include "base/json.h"
#include "base/number.h"
#include "model/docid.h"
#include "model/pgtext.h"

/* An element of at most a whole attribute: what is longer is refused before it is taken apart. */
#define SCRATCH_LIMIT (TURBOPUFFER_ATTRIBUTE_BYTES * 2)

enum turbopuffer_fit
turbopuffer_put_raw(const struct turbopuffer_cell *cell UNUSED, struct span text, struct buf *out)
{
    buf_put(out, text);
    return TURBOPUFFER_FITS;
}

enum turbopuffer_fit
turbopuffer_put_quoted(const struct turbopuffer_cell *cell UNUSED, struct span text,
                       struct buf *out)
{
    char *at = buf_reserve(out, text.len + 2);

    if (!at)
        return TURBOPUFFER_TOO_LONG;
    at[0] = '"';
    memcpy(at + 1, text.ptr, text.len);
    at[text.len + 1] = '"';
    buf_commit(out, text.len + 2);
    return TURBOPUFFER_FITS;
}

enum turbopuffer_fit
turbopuffer_put_string(const struct turbopuffer_cell *cell, struct span text, struct buf *out)
{
    assert(cell->max_bytes > 0);
    if (text.len > cell->max_bytes)
        return TURBOPUFFER_TOO_LONG;
    json_put_string(out, text);
    return TURBOPUFFER_FITS;
}

static bool
is_true(struct span text)
{
    return text.len > 0 && text.ptr[0] == 't';
}

enum turbopuffer_fit
turbopuffer_put_bool(const struct turbopuffer_cell *cell UNUSED, struct span text, struct buf *out)
{
    buf_put(out, is_true(text) ? SPAN("true") : SPAN("false"));
    return TURBOPUFFER_FITS;
}

enum turbopuffer_fit
turbopuffer_put_bool_word(const struct turbopuffer_cell *cell UNUSED, struct span text,
                          struct buf *out)
{
    buf_put(out, is_true(text) ? SPAN("\"true\"") : SPAN("\"false\""));
    return TURBOPUFFER_FITS;
}

enum turbopuffer_fit
turbopuffer_put_base64(const struct turbopuffer_cell *cell, struct span text, struct buf *out)
{
    size_t bytes = text.len / 2; /* one more than there are: \x */

    if ((bytes + 1) / 3 * 4 > cell->max_bytes)
        return TURBOPUFFER_TOO_LONG;
    buf_putc(out, '"');
    if (!pgtext_put_base64(text, out))
        return TURBOPUFFER_MALFORMED;
    buf_putc(out, '"');
    return TURBOPUFFER_FITS;
}

enum turbopuffer_fit
turbopuffer_put_text_uuid(const struct turbopuffer_cell *cell, struct span text, struct buf *out)
{
    char canonical[DOCID_UUID_LEN];

    if (!docid_uuid_canonical(text, canonical))
        return TURBOPUFFER_UNFIT;
    return turbopuffer_put_quoted(cell, (struct span){canonical, sizeof(canonical)}, out);
}

/* ---- numbers ---- */

#define SURELY_FINITE_LEN 300 /* a double reaches 1.8e308 */

enum turbopuffer_fit
turbopuffer_put_float(const struct turbopuffer_cell *cell UNUSED, struct span text, struct buf *out)
{
    double n;

    if (!pgtext_is_number(text))
        return TURBOPUFFER_UNFIT;
    if (text.len > SURELY_FINITE_LEN && !span_to_double(text, &n))
        return TURBOPUFFER_UNFIT;
    buf_put(out, text);
    return TURBOPUFFER_FITS;
}

/* 12.000 is the integer 12; 12.5 is none, and keeps its point. */
static struct span
whole_part(struct span text)
{
    size_t len = text.len;

    while (len > 0 && text.ptr[len - 1] == '0')
        len--;
    if (len < text.len && len > 0 && text.ptr[len - 1] == '.')
        return (struct span){text.ptr, len - 1};
    return text;
}

enum turbopuffer_fit
turbopuffer_put_numeric_int(const struct turbopuffer_cell *cell UNUSED, struct span text,
                            struct buf *out)
{
    int64_t n;

    if (!span_to_int(whole_part(text), &n))
        return TURBOPUFFER_UNFIT;
    buf_put_int(out, n);
    return TURBOPUFFER_FITS;
}

enum turbopuffer_fit
turbopuffer_put_numeric_uint(const struct turbopuffer_cell *cell UNUSED, struct span text,
                             struct buf *out)
{
    uint64_t n;

    if (!span_to_uint(whole_part(text), &n))
        return TURBOPUFFER_UNFIT;
    buf_put_uint(out, n);
    return TURBOPUFFER_FITS;
}

/* ---- times ---- */

static bool
is_infinity(struct span text)
{
    return span_eq(text, SPAN("infinity")) || span_eq(text, SPAN("-infinity"));
}

/* Slow and sure: other zones, BC, long years. */
static enum turbopuffer_fit
put_instant(struct span text, int digits, struct buf *out)
{
    struct pgtext_instant instant;

    if (is_infinity(text))
        return TURBOPUFFER_UNFIT;
    if (!pgtext_instant(text, &instant))
        return TURBOPUFFER_MALFORMED;
    buf_putc(out, '"');
    if (!pgtext_put_utc(instant, digits, out))
        return TURBOPUFFER_UNFIT;
    buf_putc(out, '"');
    return TURBOPUFFER_FITS;
}

/* YYYY-MM-DD with nothing behind it that would make it another day or another era. */
static bool
is_plain_date(struct span text)
{
    return text.len >= 10 && text.ptr[4] == '-' && text.ptr[7] == '-';
}

enum turbopuffer_fit
turbopuffer_put_date(const struct turbopuffer_cell *cell, struct span text, struct buf *out)
{
    if (text.len == 10 && is_plain_date(text))
        return turbopuffer_put_quoted(cell, text, out);
    return put_instant(text, 3, out);
}

/* The digits of the fraction, and whether behind it stands nothing or the zone of UTC. */
static bool
read_utc_tail(struct span tail, struct span *ret_fraction)
{
    size_t at = 0;

    *ret_fraction = (struct span){tail.ptr, 0};
    if (tail.len > 0 && tail.ptr[0] == '.') {
        at = 1;
        while (at < tail.len && tail.ptr[at] >= '0' && tail.ptr[at] <= '9')
            at++;
        *ret_fraction = (struct span){tail.ptr + 1, at - 1};
    }
    tail = span_skip(tail, at);
    return tail.len == 0 || span_eq(tail, SPAN("+00"));
}

/* "2024-03-02 10:00:00.123456+00" needs no calendar: this is what a session in UTC sends. */
static bool
put_utc_at_once(struct span text, struct buf *out)
{
    static const struct span pattern = SPAN_INIT("\"YYYY-MM-DDTHH:MM:SS.000Z\"");
    struct span fraction;
    char *at;

    if (text.len < 19 || !is_plain_date(text) || text.ptr[10] != ' ' || text.ptr[13] != ':' ||
        !read_utc_tail(span_skip(text, 19), &fraction))
        return false;
    at = buf_reserve(out, pattern.len);
    if (!at)
        return true;
    memcpy(at, pattern.ptr, pattern.len);
    memcpy(at + 1, text.ptr, 10);
    memcpy(at + 12, text.ptr + 11, 8);
    memcpy(at + 21, fraction.ptr, fraction.len < 3 ? fraction.len : 3);
    buf_commit(out, pattern.len);
    return true;
}

enum turbopuffer_fit
turbopuffer_put_datetime(const struct turbopuffer_cell *cell UNUSED, struct span text,
                         struct buf *out)
{
    if (put_utc_at_once(text, out))
        return TURBOPUFFER_FITS;
    return put_instant(text, 3, out);
}

enum turbopuffer_fit
turbopuffer_put_time_text(const struct turbopuffer_cell *cell, struct span text, struct buf *out)
{
    struct pgtext_instant instant;
    size_t begin = out->len;

    if (cell->source.kind == TYPE_DATE || !pgtext_instant(text, &instant))
        return turbopuffer_put_string(cell, text, out);
    buf_putc(out, '"');
    if (!pgtext_put_utc(instant, 6, out)) {
        out->len = begin;
        return turbopuffer_put_string(cell, text, out);
    }
    buf_putc(out, '"');
    return TURBOPUFFER_FITS;
}

enum turbopuffer_fit
turbopuffer_put_micros(const struct turbopuffer_cell *cell UNUSED, struct span text,
                       struct buf *out)
{
    struct pgtext_instant instant;
    int64_t us;

    if (is_infinity(text))
        return TURBOPUFFER_UNFIT;
    if (!pgtext_instant(text, &instant))
        return TURBOPUFFER_MALFORMED;
    if (!pgtext_micros(instant, &us))
        return TURBOPUFFER_UNFIT;
    buf_put_int(out, us);
    return TURBOPUFFER_FITS;
}

/* ---- arrays, vectors, documents ---- */

/* Everything between { and }: one dimension, no nulls. */
static enum turbopuffer_fit
put_elements(const struct turbopuffer_cell *cell, struct span text, struct buf *out,
             size_t *ret_count)
{
    CLEANUP(buf_free) struct buf scratch = buf_make(SCRATCH_LIMIT);
    struct pgtext_array array = pgtext_array_make(text, cell->source.delimiter);
    struct turbopuffer_cell single = *cell;
    size_t count = 0;

    assert(cell->source.array && cell->put_element);
    single.source.array = false;
    for (;;) {
        struct span element;
        enum turbopuffer_fit fit;

        switch (pgtext_array_next(&array, &scratch, &element)) {
        case PGTEXT_OPEN:
            if (array.depth > 1)
                return TURBOPUFFER_UNFIT;
            buf_putc(out, '[');
            break;
        case PGTEXT_ELEMENT:
            if (count++ > 0)
                buf_putc(out, ',');
            fit = cell->put_element(&single, element, out);
            if (fit != TURBOPUFFER_FITS)
                return fit;
            break;
        case PGTEXT_NULL:
            return TURBOPUFFER_UNFIT;
        case PGTEXT_CLOSE:
            buf_putc(out, ']');
            break;
        case PGTEXT_END:
            *ret_count = count;
            return TURBOPUFFER_FITS;
        case PGTEXT_MALFORMED:
            return TURBOPUFFER_MALFORMED;
        }
    }
}

enum turbopuffer_fit
turbopuffer_put_array(const struct turbopuffer_cell *cell, struct span text, struct buf *out)
{
    size_t count;

    if (text.len > TURBOPUFFER_ATTRIBUTE_BYTES)
        return TURBOPUFFER_TOO_LONG;
    return put_elements(cell, text, out, &count);
}

enum turbopuffer_fit
turbopuffer_put_json_text(const struct turbopuffer_cell *cell, struct span text, struct buf *out)
{
    CLEANUP(buf_free) struct buf json = buf_make(SCRATCH_LIMIT);

    if (text.len > cell->max_bytes)
        return TURBOPUFFER_TOO_LONG;
    if (!pgtext_put_json(&cell->source, text, &json))
        return TURBOPUFFER_MALFORMED;
    if (json.overflow)
        return TURBOPUFFER_TOO_LONG;
    return turbopuffer_put_string(cell, buf_span(&json), out);
}

enum turbopuffer_fit
turbopuffer_put_vector(const struct turbopuffer_cell *cell, struct span text, struct buf *out)
{
    uint32_t elements = 1;

    assert(cell->target.dimensions > 0);
    if (text.len < 3 || text.ptr[0] != '[' || text.ptr[text.len - 1] != ']')
        return TURBOPUFFER_MALFORMED;
    for (size_t i = 0; i < text.len; i++)
        elements += text.ptr[i] == ',';
    if (elements != cell->target.dimensions)
        return TURBOPUFFER_UNFIT;
    buf_put(out, text);
    return TURBOPUFFER_FITS;
}

static enum turbopuffer_fit
put_vector_element(const struct turbopuffer_cell *cell UNUSED, struct span text, struct buf *out)
{
    if (!pgtext_is_number(text))
        return TURBOPUFFER_UNFIT;
    buf_put(out, text);
    return TURBOPUFFER_FITS;
}

enum turbopuffer_fit
turbopuffer_put_array_vector(const struct turbopuffer_cell *cell, struct span text, struct buf *out)
{
    struct turbopuffer_cell elements = *cell;
    size_t count = 0;
    enum turbopuffer_fit fit;

    assert(cell->target.dimensions > 0);
    elements.put_element = put_vector_element;
    fit = put_elements(&elements, text, out, &count);
    if (fit == TURBOPUFFER_FITS && count != cell->target.dimensions)
        return TURBOPUFFER_UNFIT;
    return fit;
}

/* {"token": weight}: facts 3.5 has at most 1,024 entries. */
static bool
is_sparse(struct span text, struct arena *arena)
{
    struct json *document;
    struct err err;

    if (!json_parse(text, arena, &document, &err) || document->type != JSON_OBJECT ||
        document->count > TURBOPUFFER_SPARSE_MAX)
        return false;
    for (const struct json *weight = document->first; weight; weight = weight->next)
        if (weight->type != JSON_NUMBER)
            return false;
    return true;
}

enum turbopuffer_fit
turbopuffer_put_sparse(const struct turbopuffer_cell *cell, struct span text, struct buf *out)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new("sparse vector");

    if (text.len > TURBOPUFFER_ATTRIBUTE_BYTES)
        return TURBOPUFFER_TOO_LONG;
    if (!is_sparse(text, arena))
        return TURBOPUFFER_UNFIT;
    return pgtext_put_json(&cell->source, text, out) ? TURBOPUFFER_FITS : TURBOPUFFER_MALFORMED;
}
