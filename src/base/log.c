/* log: a line per event, in logfmt or JSON, without secrets. */
#include "base/log.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/json.h"
#include "base/utf8.h"
#include "base/words.h"

#define LINE_MAX_BYTES   MEGABYTES(4) /* above any number of fields that a call can name */
#define FIELD_MAX_BYTES  ((size_t)8 * 1024)
#define SECRET_MIN_BYTES ((size_t)4) /* shorter ones would blank out half the log */

static const char *const level_words[] = {"error", "warn", "info", "debug", "trace", "off", NULL};

_Static_assert(ARRAY_LEN(level_words) == LOG_LEVEL_OFF + 2, "one word per level");

/* The log sink is one of the few globals of the tree. */
static struct {
    atomic_int level, format;
    pthread_mutex_t guard; /* of the secrets */
    struct span *secrets;  /* longest first: one may begin with another */
    size_t count;
} sink = {.level = LOG_LEVEL_INFO, .guard = PTHREAD_MUTEX_INITIALIZER};

/* ---- secrets ---- */

/* under guard: the length of the secret that starts at `at`, 0 for none */
static size_t
secret_at(struct span text, size_t at)
{
    for (size_t i = 0; i < sink.count; i++) {
        struct span secret = sink.secrets[i];

        if (secret.len <= text.len - at && memcmp(text.ptr + at, secret.ptr, secret.len) == 0)
            return secret.len;
    }
    return 0;
}

/* under guard: a copy in its place by length */
static void
remember(struct span secret)
{
    struct span *grown = realloc(sink.secrets, (sink.count + 1) * sizeof(*grown));
    char *copy = malloc(secret.len);
    size_t at = sink.count;

    if (!copy || !grown)
        abort();
    memcpy(copy, secret.ptr, secret.len);
    sink.secrets = grown;
    sink.count++;
    for (; at > 0 && grown[at - 1].len < secret.len; at--)
        grown[at] = grown[at - 1];
    grown[at] = (struct span){copy, secret.len};
}

void
log_secret(struct span secret)
{
    if (secret.len < SECRET_MIN_BYTES)
        return;
    pthread_mutex_lock(&sink.guard);
    if (secret_at(secret, 0) != secret.len)
        remember(secret);
    pthread_mutex_unlock(&sink.guard);
}

/* under guard: the bytes of the character at `at`, 0 when they are no UTF-8 */
static size_t
character_at(struct span text, size_t at)
{
    for (size_t len = 1; len <= 4 && len <= text.len - at; len++) {
        if (utf8_valid((struct span){text.ptr + at, len}))
            return len;
    }
    return 0;
}

/* The text without secrets, as valid UTF-8, cut at `most` bytes or a few more. */
static void
put_clean(struct buf *out, struct span text, size_t most)
{
    size_t at = 0;

    pthread_mutex_lock(&sink.guard);
    while (at < text.len && out->len < most) {
        size_t secret = secret_at(text, at);
        size_t character = secret ? 0 : character_at(text, at);

        if (secret)
            buf_put(out, SPAN("***"));
        else if (character)
            buf_put(out, (struct span){text.ptr + at, character});
        else
            buf_put(out, UTF8_REPLACEMENT);
        at += secret ? secret : character ? character : 1;
    }
    pthread_mutex_unlock(&sink.guard);
    if (at < text.len)
        buf_put(out, SPAN("..."));
}

const char *
log_redact(char *dst, size_t size, const char *text)
{
    CLEANUP(buf_free) struct buf clean = buf_make(LINE_MAX_BYTES);
    size_t len;

    assert(size > 0);
    put_clean(&clean, span_of(text), size < FIELD_MAX_BYTES ? size : FIELD_MAX_BYTES);
    len = clean.len < size ? clean.len : size - 1;
    memcpy(dst, buf_span(&clean).ptr, len);
    dst[len] = '\0';
    return dst;
}

/* ---- rendering ---- */

static bool
wants_quotes(struct span value)
{
    for (size_t i = 0; i < value.len; i++) {
        unsigned char c = (unsigned char)value.ptr[i];

        if (c <= ' ' || c == '"' || c == '=' || c == '\\' || c == 0x7F)
            return true;
    }
    return value.len == 0;
}

static void
put_logfmt(struct json_writer *w, const char *key, struct span value, bool text)
{
    buf_putf(w->out, "%s%s=", w->out->len ? " " : "", key);
    if (text && wants_quotes(value))
        json_put_string(w->out, value);
    else
        buf_put(w->out, value);
}

static void
put_json(struct json_writer *w, const char *key, struct span value, bool text)
{
    json_key(w, span_of(key));
    if (text)
        json_string(w, value);
    else
        json_raw(w, value);
}

typedef void put_fn(struct json_writer *w, const char *key, struct span value, bool text);

static void
put_field(struct json_writer *w, put_fn *put, const struct log_field *field)
{
    CLEANUP(buf_free) struct buf value = buf_make(LINE_MAX_BYTES);
    bool text = true;

    switch (field->type) {
    case LOG_FIELD_SPAN:
        put_clean(&value, field->text, FIELD_MAX_BYTES);
        break;
    case LOG_FIELD_INT:
        buf_put_int(&value, (int64_t)field->number);
        text = false;
        break;
    case LOG_FIELD_UINT:
        buf_put_uint(&value, field->number);
        text = false;
        break;
    case LOG_FIELD_LSN: /* as Postgres prints a pg_lsn */
        buf_putf(&value, "%X/%X", (unsigned)(field->number >> 32), (unsigned)field->number);
        break;
    case LOG_FIELD_END:
        break;
    }
    put(w, field->key, buf_span(&value), text);
}

static void
render(struct buf *line, enum log_level level, enum log_format format,
       const struct log_field *fields)
{
    put_fn *put = format == LOG_FORMAT_JSON ? put_json : put_logfmt;
    struct json_writer w = {.out = line};
    char now[CLOCK_TEXT_SIZE];

    if (format == LOG_FORMAT_JSON)
        json_object_begin(&w);
    put(&w, "ts", span_of(clock_text(now, sizeof(now), clock_wall_ms())), true);
    put(&w, "level", span_of(level_words[level]), true);
    for (; fields->type != LOG_FIELD_END; fields++)
        put_field(&w, put, fields);
    if (format == LOG_FORMAT_JSON)
        json_object_end(&w);
    buf_putc(line, '\n');
}

/* When stderr takes nothing more there is nobody left to tell. */
static void
write_line(struct span line)
{
    while (line.len > 0) {
        ssize_t n = write(STDERR_FILENO, line.ptr, line.len);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return;
        line = span_skip(line, (size_t)n);
    }
}

bool
log_enabled(enum log_level level)
{
    int most = atomic_load_explicit(&sink.level, memory_order_relaxed);

    return most != LOG_LEVEL_OFF && (int)level <= most;
}

void
log_event(enum log_level level, const struct log_field *fields)
{
    CLEANUP(buf_free) struct buf line = buf_make(LINE_MAX_BYTES);
    int saved_errno = errno;

    assert(level < LOG_LEVEL_OFF);
    if (!log_enabled(level))
        return;
    render(&line, level, (enum log_format)atomic_load(&sink.format), fields);
    write_line(buf_span(&line));
    errno = saved_errno; /* logging must not change what the caller looks at next */
}

struct log_field
log_err(const struct err *err)
{
    return log_str("err", err->text);
}

/* ---- set-up ---- */

void
log_set_format(enum log_format format)
{
    atomic_store(&sink.format, (int)format);
}

void
log_set_level(enum log_level level)
{
    atomic_store(&sink.level, (int)level);
}

/* What stands before the separator; `rest` goes on behind it. */
static struct span
cut(struct span *rest, char separator)
{
    const char *at = rest->len ? memchr(rest->ptr, separator, rest->len) : NULL;
    struct span head = {rest->ptr, at ? (size_t)(at - rest->ptr) : rest->len};

    *rest = span_skip(*rest, at ? head.len + 1 : head.len);
    return head;
}

static struct span
trim(struct span s)
{
    while (s.len > 0 && s.ptr[0] == ' ')
        s = span_skip(s, 1);
    while (s.len > 0 && s.ptr[s.len - 1] == ' ')
        s.len--;
    return s;
}

bool
log_set_filter(const char *filter, const char *target)
{
    struct span rest = span_of(filter);
    int bare = -1, named = -1;

    while (rest.len > 0) {
        struct span part = trim(cut(&rest, ','));
        bool has_name = part.len && memchr(part.ptr, '=', part.len);
        struct span name = has_name ? trim(cut(&part, '=')) : (struct span){0};
        int level = word_find(level_words, trim(part));

        if (part.len == 0 && !has_name)
            continue;
        if (level < 0)
            return false;
        if (!has_name)
            bare = level;
        else if (span_eq(name, span_of(target)))
            named = level;
    }
    if (named >= 0 || bare >= 0)
        log_set_level((enum log_level)(named >= 0 ? named : bare));
    return true;
}
