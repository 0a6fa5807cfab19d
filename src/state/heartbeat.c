/* heartbeat: when the record of a living run is due, and its rates. */
#include "state/heartbeat.h"

#include <assert.h>
#include <string.h>

#include "base/utf8.h"

/* clang-format off */
const char *const heartbeat_count_names[HEARTBEAT_COUNT_MAX_ + 1] = {
    [HEARTBEAT_TRANSACTIONS] = "transactions",
    [HEARTBEAT_EVENTS]       = "events",
    [HEARTBEAT_ROWS]         = "rows",
    [HEARTBEAT_BATCHES]      = "batches",
    [HEARTBEAT_UPSERTS]      = "upserts",
    [HEARTBEAT_DELETES]      = "deletes",
    [HEARTBEAT_REQUESTS]     = "requests",
    [HEARTBEAT_BYTES]        = "bytes",
    [HEARTBEAT_RETRIES]      = "retries",
    [HEARTBEAT_DEAD_LETTERS] = "dead_letters",
    [HEARTBEAT_READ_BACKS]   = "read_backs",
    [HEARTBEAT_JOURNALLED]   = "journalled",
    [HEARTBEAT_RECONNECTS]   = "reconnects",
};
/* clang-format on */

/* ---- texts ---- */

/* Bytes of `text` that fit into `room` without cutting a character. */
static size_t
fitting(const char *text, size_t room)
{
    size_t len = strnlen(text, room);

    if (text[len] == '\0')
        return len;
    while (len > 0 && ((unsigned char)text[len] & 0xC0) == 0x80) /* inside of a character */
        len--;
    return len;
}

void
heartbeat_set_text(char *dst, size_t size, const char *text)
{
    size_t at = 0;
    struct span left = {text, fitting(text, size - 1)};

    assert(size > 0);
    while (left.len > 0) {
        size_t good = utf8_valid_len(left);

        memcpy(dst + at, left.ptr, good);
        at += good;
        left = span_skip(left, good);
        if (left.len > 0) { /* a byte that is none: as wide as what it replaces */
            dst[at++] = '?';
            left = span_skip(left, 1);
        }
    }
    dst[at] = '\0';
}

void
heartbeat_add_error(struct heartbeat *beat, int64_t at_ms, const char *mapping, const char *text)
{
    struct heartbeat_error *newest = &beat->errors[0];

    memmove(&beat->errors[1], newest, sizeof(*newest) * (HEARTBEAT_ERRORS - 1));
    newest->at_ms = at_ms;
    heartbeat_set_text(newest->mapping, sizeof(newest->mapping), mapping);
    heartbeat_set_text(newest->text, sizeof(newest->text), text);
    if (beat->error_count < HEARTBEAT_ERRORS)
        beat->error_count++;
}

/* ---- rates ---- */

static struct heartbeat_sample *
sample_at(struct heartbeat_meter *meter, uint64_t number)
{
    return &meter->samples[number % HEARTBEAT_SAMPLES];
}

static void
take_sample(struct heartbeat_meter *meter, const struct heartbeat *beat, int64_t mono_ms)
{
    struct heartbeat_sample *sample = sample_at(meter, meter->sample_count++);

    sample->at_ms = mono_ms;
    memcpy(sample->counts, beat->counts, sizeof(sample->counts));
}

/* From the oldest sample that is kept to now. */
static void
fill_rates(struct heartbeat_meter *meter, struct heartbeat *beat, int64_t mono_ms)
{
    uint64_t kept =
        meter->sample_count < HEARTBEAT_SAMPLES ? meter->sample_count : HEARTBEAT_SAMPLES;
    const struct heartbeat_sample *oldest = sample_at(meter, meter->sample_count - kept);
    int64_t elapsed_ms = kept ? mono_ms - oldest->at_ms : 0;

    memset(beat->rates, 0, sizeof(beat->rates));
    if (elapsed_ms <= 0)
        return;
    for (size_t i = 0; i < HEARTBEAT_COUNT_MAX_; i++) {
        assert(beat->counts[i] >= oldest->counts[i]);
        beat->rates[i] =
            (double)(beat->counts[i] - oldest->counts[i]) * 1000.0 / (double)elapsed_ms;
    }
}

/* ---- pace ---- */

/* Our own writes to a source database come back as transactions, though without events. */
static bool
counts_differ(const struct heartbeat *a, const struct heartbeat *b)
{
    for (size_t i = 0; i < HEARTBEAT_COUNT_MAX_; i++) {
        if (i != HEARTBEAT_TRANSACTIONS && a->counts[i] != b->counts[i])
            return true;
    }
    return false;
}

/* LSNs and lag do not count: they move with every commit anywhere, our own included. */
static bool
has_news(const struct heartbeat *now, const struct heartbeat *told)
{
    return counts_differ(now, told) || now->streaming != told->streaming ||
           now->error_count != told->error_count || now->errors[0].at_ms != told->errors[0].at_ms ||
           strcmp(now->retrying, told->retrying) != 0 || strcmp(now->holder, told->holder) != 0 ||
           strcmp(now->holder_reason, told->holder_reason) != 0;
}

bool
heartbeat_tick(struct heartbeat_meter *meter, struct heartbeat *beat, int64_t mono_ms)
{
    fill_rates(meter, beat, mono_ms);
    if (meter->sample_count > 0 &&
        mono_ms - sample_at(meter, meter->sample_count - 1)->at_ms < HEARTBEAT_PERIOD_MS)
        return false;
    take_sample(meter, beat, mono_ms);
    if (meter->has_told && !has_news(beat, &meter->told))
        return false;
    meter->told = *beat;
    meter->has_told = true;
    return true;
}
