#ifndef LOCAL_JOURNAL_H
#define LOCAL_JOURNAL_H

/*
 * The order in which documents changed: one entry per document and operation, applied or not,
 * with the values of __source_lsn and __source_seq before and after.
 *
 * A ring: when it is full the oldest entries go, and `dropped` says how many.  Every entry is
 * looked at as it is written: one whose document stays present while its version falls is a
 * regression, and those are counted for ever, so that a long run needs no reader that keeps up.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/json.h"
#include "base/map.h"
#include "base/span.h"
#include "local/limits.h"
#include "local/ns_schema.h"

enum journal_op {
    JOURNAL_UPSERT,
    JOURNAL_PATCH,
    JOURNAL_DELETE,
    JOURNAL_DELETE_BY_FILTER,
    JOURNAL_PATCH_BY_FILTER,
    JOURNAL_COPY,
    JOURNAL_DROP_NAMESPACE,
    JOURNAL_OP_MAX_,
};

enum journal_effect {
    JOURNAL_APPLIED,
    JOURNAL_SKIPPED, /* the condition was false */
    JOURNAL_ABSENT,  /* there was no document to patch or delete */
    JOURNAL_EFFECT_MAX_,
};

struct journal_version {
    bool present; /* the document is there */
    bool has_lsn, has_seq;
    uint64_t lsn, seq;
};

struct journal_entry {
    uint64_t number; /* from 1, without gaps */
    uint64_t request;
    const char *ns_name; /* the journal's own copy */
    enum journal_op op;
    enum journal_effect effect;
    bool regressed;
    bool id_is_number;
    uint64_t id_number;
    uint32_t id_len;
    char id[ID_BYTES_MAX];
    struct journal_version before, after;
};

struct journal {
    struct journal_entry *ring;
    size_t size;
    uint64_t count; /* entries ever written */
    uint64_t regressions;
    struct journal_entry first_regression;
    struct map names; /* namespace -> its own copy */
    struct arena *arena;
};

void journal_init(struct journal *journal, size_t size);
void journal_done(struct journal *journal);
void journal_clear(struct journal *journal);

/* The journal's copy of a namespace's name, for the entries of one request. */
const char *journal_name(struct journal *journal, struct span name);

/* number and regressed are filled in. */
void journal_add(struct journal *journal, const struct journal_entry *entry);

/* {"entries": [...], "last": n, "dropped": n, "regressions": n} from the entry after `since`. */
void journal_write(struct json_writer *w, const struct journal *journal, uint64_t since,
                   size_t limit);

#endif
