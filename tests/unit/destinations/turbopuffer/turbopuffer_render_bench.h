#ifndef UNIT_TURBOPUFFER_RENDER_BENCH_H
#define UNIT_TURBOPUFFER_RENDER_BENCH_H

/* A mapping with its plan and renderer, for the tests of turbopuffer_render. */

#include "destinations/turbopuffer/turbopuffer_render.h"
#include "harness/check.h"
#include "harness/target.h"

static const struct target_column columns[] UNUSED = {
    {.name = "id", .kind = TYPE_INT8},
    {.name = "name", .kind = TYPE_TEXT},
    {.name = "price", .kind = TYPE_FLOAT8},
};

#define SCHEMA                                                                                     \
    "\"schema\":{\"id\":\"uint\",\"name\":{\"type\":\"string\"},\"price\":\"float\","              \
    "\"__source_lsn\":\"uint\",\"__source_seq\":\"uint\"}"
#define NEWER                                                                                      \
    "\"upsert_condition\":[\"Or\",[[\"__source_lsn\",\"Lt\",{\"$ref_new\":\"__source_lsn\"}],"     \
    "[\"And\",[[\"__source_lsn\",\"Eq\",{\"$ref_new\":\"__source_lsn\"}],[\"__source_seq\","       \
    "\"Lt\","                                                                                      \
    "{\"$ref_new\":\"__source_seq\"}]]],[\"__source_lsn\",\"Eq\",null]]]"
#define OLDER(v, s)                                                                                \
    "[\"Or\",[[\"__source_lsn\",\"Lt\"," v "],[\"And\",[[\"__source_lsn\",\"Eq\"," v               \
    "],[\"__source_seq\",\"Lt\"," s "]]],[\"__source_lsn\",\"Eq\",null]]]"
#define NOTHING_SCHEMA                                                                             \
    "\"schema\":{\"id\":\"uint\",\"name\":{\"type\":\"string\"},\"price\":\"float\"}"

struct bench {
    struct arena *arena;
    struct mapping *mapping;
    struct turbopuffer_plan plan;
    struct turbopuffer_render render;
};

static inline void
bench_open(struct bench *b, const struct target_column *from, size_t count)
{
    *b = (struct bench){.arena = arena_new("test")};
    b->mapping = target_mapping(b->arena, from, count);
}

static inline void
bench_plan(struct bench *b)
{
    struct report report = report_make(b->arena);

    if (!turbopuffer_plan_make(b->mapping, 0, b->arena, &report, &b->plan))
        fail_msg("plan: %s", report.first ? report.first->text : "?");
    turbopuffer_render_init(&b->render, &b->plan, b->arena);
}

static inline void
bench_close(struct bench *b)
{
    turbopuffer_render_done(&b->render);
    arena_free(b->arena);
}

/* All requests, a line each; false with err when rendering failed. */
static inline bool
render_all(struct bench *b, const struct action *actions, size_t count, struct buf *out,
           size_t *ret_requests, struct err *err)
{
    bool more = true;

    *ret_requests = 0;
    turbopuffer_render_start(&b->render, actions, count);
    for (;;) {
        size_t begin = out->len;

        if (!turbopuffer_render_next(&b->render, &more, err))
            return false;
        if (!more)
            return true;
        for (size_t i = 0; i < b->render.part_count; i++)
            buf_put(out, b->render.parts[i]);
        CHECK_INT(b->render.bytes, out->len - begin);
        buf_putc(out, '\n');
        ++*ret_requests;
    }
}

#define CHECK_RENDERS(b, actions, want)                                                            \
    check_renders_at((b), (actions), ARRAY_LEN(actions), (want), __FILE__, __LINE__)

static inline void
check_renders_at(struct bench *b, const struct action *actions, size_t count, const char *want,
                 const char *file, int line)
{
    CLEANUP(buf_free) struct buf out = buf_make(MEGABYTES(1));
    struct err err;
    size_t requests;

    bench_plan(b);
    if (!render_all(b, actions, count, &out, &requests, &err))
        fail_msg("rendering: %s", err.text);
    if (strcmp(out.ptr, want) != 0) {
        print_error("got  %s\nwant %s\n", out.ptr, want);
        _fail(file, line);
    }
}

static inline size_t
count_of(const char *text, const char *what)
{
    size_t n = 0;

    for (const char *at = strstr(text, what); at; at = strstr(at + 1, what))
        n++;
    return n;
}

#endif
