#ifndef BASE_LOG_H
#define BASE_LOG_H

/*
 * Structured logs on stderr: logfmt, or one JSON object per line.
 *
 *     log_info(log_msg("slot created"), log_str("slot", name), log_lsn("at", lsn));
 *     ts=2026-01-02T03:04:05.678Z level=info msg="slot created" slot=puffgres at=0/16B3748
 *
 * Only the runner and cmd/ log failures, once; a failure that is survived is logged where it
 * is survived.  Secrets registered with log_secret() are printed as *** wherever they occur.
 * Any thread; one line is one write.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/span.h"

struct err;

enum log_level {
    LOG_LEVEL_ERROR,
    LOG_LEVEL_WARN,
    LOG_LEVEL_INFO,
    LOG_LEVEL_DEBUG,
    LOG_LEVEL_TRACE,
    LOG_LEVEL_OFF,
};

enum log_format { LOG_FORMAT_LOGFMT, LOG_FORMAT_JSON };

enum log_field_type { LOG_FIELD_END, LOG_FIELD_SPAN, LOG_FIELD_INT, LOG_FIELD_UINT, LOG_FIELD_LSN };

struct log_field {
    enum log_field_type type;
    const char *key;
    struct span text;
    uint64_t number; /* int64_t by bits for LOG_FIELD_INT */
};

#define log_error(...) LOG_EVENT_(LOG_LEVEL_ERROR, __VA_ARGS__)
#define log_warn(...)  LOG_EVENT_(LOG_LEVEL_WARN, __VA_ARGS__)
#define log_info(...)  LOG_EVENT_(LOG_LEVEL_INFO, __VA_ARGS__)
#define log_debug(...) LOG_EVENT_(LOG_LEVEL_DEBUG, __VA_ARGS__)
#define log_trace(...) LOG_EVENT_(LOG_LEVEL_TRACE, __VA_ARGS__)

#define LOG_EVENT_(level, ...) log_event((level), (const struct log_field[]){__VA_ARGS__, {0}})

static inline struct log_field
log_span(const char *key, struct span text)
{
    return (struct log_field){.type = LOG_FIELD_SPAN, .key = key, .text = text};
}

static inline struct log_field
log_str(const char *key, const char *text)
{
    return log_span(key, span_of(text ? text : ""));
}

static inline struct log_field
log_msg(const char *text)
{
    return log_str("msg", text);
}

static inline struct log_field
log_int(const char *key, int64_t n)
{
    return (struct log_field){.type = LOG_FIELD_INT, .key = key, .number = (uint64_t)n};
}

static inline struct log_field
log_uint(const char *key, uint64_t n)
{
    return (struct log_field){.type = LOG_FIELD_UINT, .key = key, .number = n};
}

static inline struct log_field
log_lsn(const char *key, uint64_t lsn)
{
    return (struct log_field){.type = LOG_FIELD_LSN, .key = key, .number = lsn};
}

struct log_field log_err(const struct err *err); /* err="text" */

void log_event(enum log_level level, const struct log_field *fields);
bool log_enabled(enum log_level level); /* to save work that only a log line needs */

/* ---- set-up, once at start ---- */

void log_set_format(enum log_format format);
void log_set_level(enum log_level level);

/*
 * "info", "puffgres=debug", "warn,puffgres=debug,hyper=trace": the level named for `target`, else
 * the bare one, else the present level.  Unknown targets are ignored; false for a word that is no
 * level.
 */
MUST_CHECK bool log_set_filter(const char *filter, const char *target);

/* Never print this text again.  Copied; shorter than 4 bytes is ignored. */
void log_secret(struct span secret);

/* The text with every registered secret replaced, in a caller's buffer (cut to it); returns dst. */
const char *log_redact(char *dst, size_t size, const char *text);

#endif
