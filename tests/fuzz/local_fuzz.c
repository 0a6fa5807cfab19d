/* local_fuzz: requests to turbopuffer-local, one per line; what is refused changes nothing. */
#include "fuzz/fuzz.h"

#include <assert.h>
#include <string.h>

#include "base/buf.h"
#include "base/json.h"
#include "local/database.h"
#include "local/query.h"
#include "local/write.h"

struct session {
    struct database db;
    struct arena *arena;
    uint64_t requests;
};

static void
dump(struct session *s, struct buf *out)
{
    struct call call = {.db = &s->db, .arena = s->arena};
    struct json_writer w = {.out = out};

    database_dump(&call, NULL, &w);
}

/* "q" and a query, or a write. */
static bool
run(struct session *s, struct span line, struct err *err)
{
    CLEANUP(buf_free) struct buf out = buf_make(MEGABYTES(4));
    struct call call = {.db = &s->db, .arena = s->arena, .request = ++s->requests};
    bool query = line.len > 0 && line.ptr[0] == 'q';
    struct json *body;

    if (query)
        line = (struct span){line.ptr + 1, line.len - 1};
    if (!json_parse(line, s->arena, &body, err))
        return false;
    if (query ? !query_run(&call, SPAN("ns"), body, &out, err)
              : !write_run(&call, SPAN("ns"), body, &out, err)) {
        assert(err->code >= 400 && err->code <= 422 && err->text[0]);
        return false;
    }
    assert(json_parse(buf_span(&out), s->arena, &body, err)); /* what is answered is JSON */
    return true;
}

static void
run_line(struct session *s, struct span line)
{
    CLEANUP(buf_free) struct buf before = buf_make(MEGABYTES(4)), after = buf_make(MEGABYTES(4));
    uint64_t entries = s->db.journal.count;
    struct err err = {0};

    dump(s, &before);
    if (run(s, line, &err))
        return;
    dump(s, &after);
    assert(span_eq(buf_span(&before), buf_span(&after)));
    assert(s->db.journal.count == entries);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct session s = {.arena = arena_new("fuzz")};
    const char *at = (const char *)data, *end = at + size;

    database_init(&s.db, &limits_small, 100);
    while (at < end) {
        const char *newline = memchr(at, '\n', (size_t)(end - at));
        size_t len = (size_t)((newline ? newline : end) - at);

        run_line(&s, (struct span){at, len});
        at += len + 1;
    }
    database_done(&s.db);
    arena_free(s.arena);
    return 0;
}
