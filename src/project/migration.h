#ifndef PROJECT_MIGRATION_H
#define PROJECT_MIGRATION_H

/*
 * A migration file: one version of one mapping, in the nested or the flat layout
 * (project/keys.h).  Parsing is pure: text in, the written half of a struct mapping out; all
 * faults of a file are found in one go.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/span.h"
#include "model/mapping.h"
#include "model/report.h"

struct migration_input {
    const char *path; /* as shown in messages */
    const char *file; /* relative to the project */
    struct span text;
};

/* What the project says for all mappings. */
struct migration_defaults {
    const char *namespace_prefix;    /* "" for none */
    const char *const *destinations; /* names that exist, ended by NULL */
    int64_t batch_max_rows;
    int64_t batch_max_bytes;
    int64_t flush_interval_ms;
    enum deletes_mode deletes;
    int64_t grace_ms;
};

struct migration {
    struct mapping mapping; /* the written half */
    const char *normal;     /* the normal form, JSON: what the file says, whatever its layout */
};

/* False when there was a fault; they are in the report. */
MUST_CHECK bool migration_parse(const struct migration_input *input,
                                const struct migration_defaults *defaults, struct arena *arena,
                                struct report *report, struct migration *ret);

#endif
