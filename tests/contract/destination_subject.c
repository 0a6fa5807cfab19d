/* destination_subject: turbopuffer before its local server, stdout before a pipe, null. */
#include "destination_subject.h"

#include <assert.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/number.h"
#include "destinations/null/null.h"
#include "destinations/stdout/stdout.h"
#include "destinations/turbopuffer/turbopuffer.h"
#include "local/server.h"
#include "net/http.h"

/* What a document is to the suite. */
struct document {
    uint64_t id;
    struct span name;
    bool present;
};

static int
compare_documents(const void *a, const void *b)
{
    const struct document *left = a, *right = b;

    return (left->id > right->id) - (left->id < right->id);
}

static void
put_documents(struct document *documents, size_t count, struct buf *out)
{
    if (count)
        qsort(documents, count, sizeof(*documents), compare_documents);
    for (size_t i = 0; i < count; i++) {
        if (!documents[i].present)
            continue;
        buf_putf(out, "%s%llu=%.*s", out->len ? " " : "", (unsigned long long)documents[i].id,
                 SPAN_ARG(documents[i].name));
    }
}

static struct json *
parse(struct span text, struct arena *arena)
{
    struct json *ret;
    struct err err;

    if (!json_parse(text, arena, &ret, &err))
        abort();
    return ret;
}

static struct document
read_document(const struct json *from, const struct json *attributes)
{
    const struct json *name = attributes ? json_get(attributes, "name") : NULL;
    struct document document = {.present = attributes != NULL};

    if (!span_to_uint(json_get(from, "id")->text, &document.id))
        abort();
    if (name && name->type == JSON_STRING)
        document.name = name->text;
    else
        document.name = SPAN("-");
    return document;
}

/* ---- turbopuffer, before turbopuffer-local ---- */

struct turbopuffer_subject {
    struct local_server *server;
    struct http *http;
    struct arena *arena;
};

static struct span
call_local(struct turbopuffer_subject *s, const char *method, const char *path, const char *body)
{
    struct span piece = span_of(body ? body : "");
    char url[256];
    struct http_response response;
    struct err err;

    snprintf(url, sizeof(url), "%s%s", local_server_url(s->server), path);
    if (!http_send(s->http,
                   &(struct http_request){.method = method,
                                          .url = url,
                                          .body = &piece,
                                          .body_count = body != NULL,
                                          .deadline_ms = clock_mono_ms() + 10000,
                                          .cancel_fd = -1},
                   &response, &err) ||
        response.status != 200)
        abort();
    return response.body;
}

static void *
turbopuffer_start(void)
{
    struct turbopuffer_subject *s = calloc(1, sizeof(*s));
    const struct local_server_args args = {
        .listen = "127.0.0.1:0", .limits = limits_live, .journal_size = 100000};
    struct err err;

    if (!s || !local_server_open(&args, &s->server, &err))
        abort();
    s->http = http_open(
        &(struct http_settings){.connect_timeout_ms = 5000, .answer_limit = MEGABYTES(64)});
    s->arena = arena_new("subject");
    return s;
}

static void
turbopuffer_stop(void *subject)
{
    struct turbopuffer_subject *s = subject;

    http_close(s->http);
    local_server_close(s->server);
    arena_free(s->arena);
    free(s);
}

static size_t
turbopuffer_settings(void *subject, struct opt_value *values)
{
    struct turbopuffer_subject *s = subject;

    values[0] = (struct opt_value){.name = SPAN("api_key"), .value = SPAN("test-key")};
    values[1] =
        (struct opt_value){.name = SPAN("base_url"), .value = span_of(local_server_url(s->server))};
    return 2;
}

static void
turbopuffer_mischief(void *subject, enum mischief mischief)
{
    /* clang-format off */
    static const char *const rules[] = {
        [MISCHIEF_THROTTLE]    = "[{\"match\":{\"op\":\"write\"},\"times\":2,\"action\":\"status\",\"status\":429,\"retry_after_ms\":5}]",
        [MISCHIEF_LOSE_BEFORE] = "[{\"match\":{\"op\":\"write\"},\"action\":\"reset_before\"}]",
        [MISCHIEF_LOSE_AFTER]  = "[{\"match\":{\"op\":\"write\"},\"action\":\"reset_after\"}]",
        [MISCHIEF_ACCEPT]      = "[{\"match\":{\"op\":\"write\"},\"action\":\"accepted_202\"}]",
        [MISCHIEF_APPLY_LATER] = "[{\"match\":{\"op\":\"write\"},\"action\":\"apply_later\"}]",
        [MISCHIEF_STALL]       = "[{\"match\":{\"op\":\"write\"},\"action\":\"delay\",\"delay_ms\":1500}]",
    };
    /* clang-format on */

    call_local(subject, "POST", "/_local/faults", rules[mischief]);
}

static void
turbopuffer_relent(void *subject)
{
    call_local(subject, "POST", "/_local/apply", "{}");
}

static void
turbopuffer_contents(void *subject, struct buf *out)
{
    struct turbopuffer_subject *s = subject;
    const struct json *all, *items;
    struct document *documents;
    size_t count = 0;

    arena_reset(s->arena);
    all = parse(call_local(s, "GET", "/_local/dump", NULL), s->arena);
    items = json_get(all, "items");
    documents = arena_new_n(s->arena, struct document, items ? items->count + 1 : 1);
    for (const struct json *item = items ? items->first : NULL; item; item = item->next)
        documents[count++] = read_document(item, item);
    put_documents(documents, count, out);
}

static const struct subject_type turbopuffer_subject = {
    .name = "turbopuffer",
    .destination = &turbopuffer_destination,
    .keeps = true,
    .poison = true,
    .start = turbopuffer_start,
    .stop = turbopuffer_stop,
    .settings = turbopuffer_settings,
    .do_mischief = turbopuffer_mischief,
    .relent = turbopuffer_relent,
    .contents = turbopuffer_contents,
};

/* ---- stdout, before a reader in a thread ---- */

struct stdout_subject {
    int saved; /* the real standard output */
    int from;  /* end of the pipe that is read */
    pthread_t thread;
    pthread_mutex_t lock; /* got, stalled_until_ms */
    struct buf got;
    int64_t stalled_until_ms;
    bool running;
};

static bool
may_read(struct stdout_subject *s)
{
    bool yes;

    pthread_mutex_lock(&s->lock);
    yes = clock_mono_ms() >= s->stalled_until_ms;
    pthread_mutex_unlock(&s->lock);
    return yes;
}

static void *
read_lines(void *subject)
{
    struct stdout_subject *s = subject;
    char chunk[4096];

    for (;;) {
        ssize_t n;

        if (!may_read(s)) {
            poll(NULL, 0, 5);
            continue;
        }
        n = read(s->from, chunk, sizeof(chunk));
        if (n <= 0)
            return NULL;
        pthread_mutex_lock(&s->lock);
        buf_put(&s->got, (struct span){chunk, (size_t)n});
        pthread_mutex_unlock(&s->lock);
    }
}

static void *
stdout_start(void)
{
    struct stdout_subject *s = calloc(1, sizeof(*s));
    int fds[2];

    if (!s || pipe2(fds, O_CLOEXEC) != 0)
        abort();
    s->got = buf_make(MEGABYTES(64));
    pthread_mutex_init(&s->lock, NULL);
    s->from = fds[0];
    s->saved = dup(STDOUT_FILENO);
    dup2(fds[1], STDOUT_FILENO);
    close(fds[1]);
    if (pthread_create(&s->thread, NULL, read_lines, s) != 0)
        abort();
    s->running = true;
    return s;
}

/* The writing end goes, so that the reader sees the end. */
static void
finish_reading(struct stdout_subject *s)
{
    if (!s->running)
        return;
    dup2(s->saved, STDOUT_FILENO);
    pthread_join(s->thread, NULL);
    s->running = false;
}

static void
stdout_stop(void *subject)
{
    struct stdout_subject *s = subject;

    finish_reading(s);
    close(s->from);
    close(s->saved);
    buf_free(&s->got);
    pthread_mutex_destroy(&s->lock);
    free(s);
}

static size_t
no_settings(void *subject UNUSED, struct opt_value *values UNUSED)
{
    return 0;
}

static void
stdout_mischief(void *subject, enum mischief mischief)
{
    struct stdout_subject *s = subject;

    pthread_mutex_lock(&s->lock);
    s->stalled_until_ms = clock_mono_ms() + (mischief == MISCHIEF_STALL ? 1500 : 100);
    pthread_mutex_unlock(&s->lock);
}

static void
stdout_relent(void *subject)
{
    struct stdout_subject *s = subject;

    pthread_mutex_lock(&s->lock);
    s->stalled_until_ms = 0;
    pthread_mutex_unlock(&s->lock);
}

struct line {
    struct document document;
    lsn_t lsn;
    uint64_t seq;
};

/* A torn line, of a write that was cut, is none. */
static bool
read_line(struct span text, struct arena *arena, struct line *ret)
{
    struct json *json;
    struct err err;

    if (!json_parse(text, arena, &json, &err))
        return false;
    *ret = (struct line){.document = json_get(json, "id")
                                         ? read_document(json, json_get(json, "attributes"))
                                         : (struct document){.id = UINT64_MAX}};
    return lsn_parse(json_get(json, "lsn")->text, &ret->lsn) &&
           json_to_uint(json_get(json, "seq"), &ret->seq);
}

/* A reader of the lines keeps the newest version of every id; a truncate clears what is older. */
static void
apply_line(struct line *lines, size_t *count, const struct line *line)
{
    const struct position position = {line->lsn, line->seq};
    bool found = false;

    for (size_t i = 0; i < *count; i++) {
        bool newer = position_compare((struct position){lines[i].lsn, lines[i].seq}, position) < 0;

        if (line->document.id == UINT64_MAX && newer)
            lines[i].document.present = false;
        if (lines[i].document.id != line->document.id)
            continue;
        found = true;
        if (newer)
            lines[i] = *line;
    }
    if (!found && line->document.id != UINT64_MAX)
        lines[(*count)++] = *line;
}

static void
reduce_lines(struct span text, struct arena *arena, struct buf *out)
{
    struct line *lines = arena_new_n(arena, struct line, text.len / 40 + 1);
    struct document *documents;
    size_t count = 0;

    while (text.len > 0) {
        const char *end = memchr(text.ptr, '\n', text.len);
        size_t len = end ? (size_t)(end - text.ptr) : text.len;
        struct line line;

        if (read_line((struct span){text.ptr, len}, arena, &line))
            apply_line(lines, &count, &line);
        text = span_skip(text, end ? len + 1 : len);
    }
    documents = arena_new_n(arena, struct document, count + 1);
    for (size_t i = 0; i < count; i++)
        documents[i] = lines[i].document;
    put_documents(documents, count, out);
}

static void
stdout_contents(void *subject, struct buf *out)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new("lines");
    struct stdout_subject *s = subject;

    stdout_relent(s);
    finish_reading(s);
    reduce_lines(buf_span(&s->got), arena, out);
}

#define NO_ANSWERS "a pipe gives no answers that could get lost"

static const struct subject_type stdout_subject = {
    .name = "stdout",
    .destination = &stdout_destination,
    .keeps = true,
    .excuses = {[MISCHIEF_LOSE_BEFORE] = "a reader that went away is a configuration error",
                [MISCHIEF_LOSE_AFTER] = NO_ANSWERS,
                [MISCHIEF_ACCEPT] = NO_ANSWERS,
                [MISCHIEF_APPLY_LATER] = NO_ANSWERS},
    .start = stdout_start,
    .stop = stdout_stop,
    .settings = no_settings,
    .do_mischief = stdout_mischief,
    .relent = stdout_relent,
    .contents = stdout_contents,
};

/* ---- null: there is no other side ---- */

static void *
null_start(void)
{
    return calloc(1, 1);
}

static void
null_nothing(void *subject UNUSED)
{
}

static void
null_mischief(void *subject UNUSED, enum mischief mischief UNUSED)
{
    abort();
}

static void
null_contents(void *subject UNUSED, struct buf *out UNUSED)
{
    abort();
}

#define NOBODY "there is nobody on the other side"

static const struct subject_type null_subject = {
    .name = "null",
    .destination = &null_destination,
    .excuses = {[MISCHIEF_THROTTLE] = NOBODY,
                [MISCHIEF_LOSE_BEFORE] = NOBODY,
                [MISCHIEF_LOSE_AFTER] = NOBODY,
                [MISCHIEF_ACCEPT] = NOBODY,
                [MISCHIEF_APPLY_LATER] = NOBODY,
                [MISCHIEF_STALL] = NOBODY},
    .start = null_start,
    .stop = free,
    .settings = no_settings,
    .do_mischief = null_mischief,
    .relent = null_nothing,
    .contents = null_contents,
};

const struct subject_type *const subjects[] = {&turbopuffer_subject, &stdout_subject, &null_subject,
                                               NULL};
