#ifndef SOURCE_SETTINGS_H
#define SOURCE_SETTINGS_H

/* What every part of the source needs to know.  Flow lifetime, immutable. */

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"

struct source_settings {
    const char *conninfo;    /* URL or keyword=value, ${VAR} already replaced */
    const char *slot;        /* lower-case letters, digits, underscore */
    const char *publication; /* any name */
    bool temporary_slot;     /* store "memory": the slot lives as long as the stream's connection */
    int64_t connect_timeout_ms; /* 0: 30 s */
    int64_t busy_wait_ms;       /* 0: 90 s; how long a busy slot or lock is waited for */
};

#define SOURCE_CONNECT_TIMEOUT_MS (30 * 1000)
#define SOURCE_BUSY_WAIT_MS       (90 * 1000)

/* Names that the server would refuse, with what it would take; ERR_CONFIG. */
MUST_CHECK bool source_settings_check(const struct source_settings *settings, struct err *err);

/* The publication's name when none is set: the slot's, `-` as `_`. */
const char *source_publication_default(const char *slot, struct arena *arena);

#endif
