#ifndef UNIT_LOCAL_BENCH_H
#define UNIT_LOCAL_BENCH_H

/*
 * A database to try writes and queries on.  JSON is written with single quotes, so that cases can
 * be read; answers come back as the body, refusals as "STATUS text".
 */

#include <stdio.h>

#include "base/arena.h"
#include "base/json.h"
#include "harness/check.h"
#include "local/database.h"
#include "local/query.h"
#include "local/refuse.h"
#include "local/write.h"

#define NOW_MS INT64_C(1700000000000)

struct bench {
    struct database db;
    struct arena *arena;
    struct buf out;
    uint64_t requests;
    struct span conflict; /* of the last refusal */
};

static inline void
bench_open(struct bench *bench, const struct limits *limits)
{
    *bench = (struct bench){.arena = arena_new("bench"), .out = buf_make(MEGABYTES(64))};
    database_init(&bench->db, limits, 1000);
}

static inline void
bench_close(struct bench *bench)
{
    database_done(&bench->db);
    arena_free(bench->arena);
    buf_free(&bench->out);
}

/* 'a' to "a". */
static inline struct span
quoted(struct arena *arena, const char *text)
{
    char *copy = arena_strdup(arena, text);

    for (char *c = copy; *c; c++)
        *c = *c == '\'' ? '"' : *c;
    return span_of(copy);
}

static inline const struct json *
json_of(struct arena *arena, const char *text)
{
    struct json *json;
    struct err err;

    CHECK_OK(json_parse(quoted(arena, text), arena, &json, &err), err);
    return json;
}

/* The text a case wants, quotes as in quoted(). */
static inline void
check_text(struct arena *arena, const char *got, const char *want, const char *what)
{
    struct span w = quoted(arena, want);

    if (!span_eq(span_of(got), w)) {
        print_error("%s\ngot  %s\nwant %.*s\n", what, got, SPAN_ARG(w));
        fail();
    }
}

typedef bool bench_call(struct call *call, struct span name, const struct json *body,
                        struct buf *out, struct err *err);

static inline const char *
bench_run(struct bench *bench, bench_call *run, const char *name, const char *text)
{
    struct call call = {
        .db = &bench->db, .arena = bench->arena, .request = ++bench->requests, .now_ms = NOW_MS};
    struct err err = {0};

    buf_clear(&bench->out);
    if (!run(&call, span_of(name), json_of(bench->arena, text), &bench->out, &err)) {
        buf_clear(&bench->out);
        buf_putf(&bench->out, "%d %s", err.code, err.text);
    }
    bench->conflict = call.conflict;
    return arena_strdup(bench->arena, bench->out.ptr);
}

static inline const char *
bench_write(struct bench *bench, const char *text)
{
    return bench_run(bench, write_run, "ns", text);
}

static inline void
must_write(struct bench *bench, const char *text)
{
    const char *got = bench_write(bench, text);

    if (strncmp(got, "{\"status\":\"OK\"", 14) != 0)
        fail_msg("%s: %s", text, got);
}

/* All documents, as one JSON object. */
static inline const char *
bench_dump(struct bench *bench)
{
    struct call call = {.db = &bench->db, .arena = bench->arena};
    struct json_writer w = {.out = &bench->out};

    buf_clear(&bench->out);
    database_dump(&call, NULL, &w);
    return arena_strdup(bench->arena, bench->out.ptr);
}

/* One member of an answer, as text; a refusal stays as it is. */
static inline const char *
member(struct bench *bench, const char *answer, const char *name)
{
    struct json_writer w = {.out = &bench->out};
    struct json *json;
    const struct json *found;
    struct err err;

    if (answer[0] != '{')
        return answer;
    CHECK_OK(json_parse(span_of(answer), bench->arena, &json, &err), err);
    found = json_get(json, name);
    if (!found)
        return "";
    buf_clear(&bench->out);
    json_value(&w, found);
    return arena_strdup(bench->arena, bench->out.ptr);
}

#endif
