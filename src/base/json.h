#ifndef BASE_JSON_H
#define BASE_JSON_H

/*
 * JSON (RFC 8259): a streaming writer, a pull parser, and a tree for small documents.
 *
 * Numbers stay text from end to end, so 2^64-1 and 1.10 survive.  The parser takes exactly
 * RFC 8259: no comments, no trailing commas, valid UTF-8, \u0000 kept, depth at most
 * JSON_DEPTH_MAX.
 *
 *     struct json_writer w = {.out = &buf};
 *
 *     json_object_begin(&w);
 *     json_key(&w, SPAN("id"));
 *     json_uint(&w, 7);
 *     json_object_end(&w);
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/span.h"

#define JSON_DEPTH_MAX 128

/* ---- writing; the limit of `out` is the only thing that can fail: ask buf_ok() at the end ---- */

struct json_writer {
    struct buf *out;
    bool comma; /* the next key or value needs a comma first */
};

void json_object_begin(struct json_writer *w);
void json_object_end(struct json_writer *w);
void json_array_begin(struct json_writer *w);
void json_array_end(struct json_writer *w);
void json_key(struct json_writer *w, struct span name);
void json_string(struct json_writer *w, struct span s); /* bytes must be UTF-8 */
void json_int(struct json_writer *w, int64_t n);
void json_uint(struct json_writer *w, uint64_t n);
void json_bool(struct json_writer *w, bool yes);
void json_null(struct json_writer *w);
void json_raw(struct json_writer *w, struct span json); /* JSON text or number, as it is */

/* Only the quoted string, without comma bookkeeping: for renderers on the hot path. */
void json_put_string(struct buf *out, struct span s);

/* ---- reading ---- */

enum json_type {
    JSON_END, /* the document is complete */
    JSON_NULL,
    JSON_BOOL,
    JSON_NUMBER,
    JSON_STRING,
    JSON_ARRAY,      /* token: an array begins */
    JSON_ARRAY_END,  /* token only */
    JSON_OBJECT,     /* token: an object begins */
    JSON_OBJECT_END, /* token only */
    JSON_KEY,        /* token only */
};

struct json_token {
    enum json_type type;
    bool yes;         /* JSON_BOOL */
    struct span text; /* JSON_STRING, JSON_KEY: decoded; JSON_NUMBER: as written */
    size_t offset;    /* where the token starts in the input */
};

struct json_reader {
    struct span input;
    struct arena *arena; /* decoded strings that hold escapes; the others point into input */
    size_t at;
    int depth;
    bool after_key, need_comma, done;
    bool in_object[JSON_DEPTH_MAX];
};

struct json_reader json_reader_make(struct span input, struct arena *arena);

/* ERR_DATA with the byte offset on malformed input. */
MUST_CHECK bool json_next(struct json_reader *r, struct json_token *ret, struct err *err);

/* ---- a whole document as a tree, in an arena ---- */

struct json {
    enum json_type type; /* NULL, BOOL, NUMBER, STRING, ARRAY or OBJECT */
    bool yes;
    struct span text;  /* STRING: decoded; NUMBER: as written */
    struct span key;   /* when a member of an object */
    struct json *next; /* sibling */
    struct json *first;
    size_t count; /* children */
};

/* A key that occurs twice in one object is ERR_DATA. */
MUST_CHECK bool json_parse(struct span input, struct arena *arena, struct json **ret,
                           struct err *err);

const struct json *json_get(const struct json *object, const char *key); /* NULL when absent */
void json_value(struct json_writer *w, const struct json *value);

/* Integers only, no fraction or exponent; false when it does not fit. */
MUST_CHECK bool json_to_int(const struct json *value, int64_t *ret);
MUST_CHECK bool json_to_uint(const struct json *value, uint64_t *ret);
MUST_CHECK bool json_to_double(const struct json *value, double *ret);

#endif
