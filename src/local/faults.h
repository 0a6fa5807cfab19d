#ifndef LOCAL_FAULTS_H
#define LOCAL_FAULTS_H

/*
 * The fault script: rules that break requests, as data.
 *
 *     [{"match": {"namespace": "users", "op": "write"}, "after": 3, "times": 2,
 *       "action": "status", "status": 429, "retry_after_ms": 50}]
 *
 * Every rule counts the requests it matches: it lets `after` of them pass, then fires on each, or
 * on every `every`-th, at most `times` times (default 1; with `every`, without bound; 0 is without
 * bound).  When several want one request, the first in the script has it.
 *
 *     action         what happens
 *     status         `status` is answered, with retry-after and retry-after-ms when given;
 *                    "plain": true makes the body plain text, as a proxy's is
 *     delay          the answer comes `delay_ms` later
 *     reset_before   the connection is reset, nothing is applied
 *     reset_after    the request is carried out, then the connection is reset
 *     accepted_202   202 with a Location; the write is applied after `apply_after` further
 *                    requests, polls included (default 0: at once)
 *     apply_later    the connection is reset and the write applied after `apply_after` further
 *                    requests, or when POST /_local/apply says so (the only way without
 *                    `apply_after`)
 *
 * The last two concern writes only, whatever they match.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/json.h"
#include "base/span.h"

#define FAULT_RULES_MAX    256
#define FAULT_TEXT_SIZE    160
#define FAULT_NEVER        UINT64_MAX
#define FAULT_DELAY_MAX_MS (10 * 60 * 1000)

enum fault_action {
    FAULT_NONE,
    FAULT_STATUS,
    FAULT_DELAY,
    FAULT_RESET_BEFORE,
    FAULT_RESET_AFTER,
    FAULT_ACCEPTED_202,
    FAULT_APPLY_LATER,
};

/* What a request is, for "match": {"op": ...}. */
enum fault_op {
    FAULT_OP_ANY,
    FAULT_OP_WRITE,
    FAULT_OP_QUERY,
    FAULT_OP_DELETE_NAMESPACE,
    FAULT_OP_SCHEMA,
    FAULT_OP_METADATA,
    FAULT_OP_LIST,
    FAULT_OP_WARM,
};

extern const char *const fault_op_words[];

struct fault {
    enum fault_action action;
    uint64_t status;
    char retry_after[FAULT_TEXT_SIZE];    /* empty: no header */
    char retry_after_ms[FAULT_TEXT_SIZE]; /* empty: no header */
    char error[FAULT_TEXT_SIZE];          /* the text of a status; empty: a standard one */
    bool plain;
    uint64_t delay_ms;
    uint64_t apply_after; /* FAULT_NEVER: not by itself */
};

struct fault_rule {
    struct fault fault;
    char ns_name[FAULT_TEXT_SIZE]; /* empty: any */
    int op;
    uint64_t after, every, times; /* every 1: each; times FAULT_NEVER: without bound */
    uint64_t seen, fired;
};

struct faults {
    struct fault_rule rules[FAULT_RULES_MAX];
    size_t count;
};

/* Adds the rules of a list, all or none. */
MUST_CHECK bool faults_add(struct faults *faults, const struct json *list, struct err *err);
void faults_clear(struct faults *faults);

/* What happens to this request; counts it. */
struct fault faults_pick(struct faults *faults, struct span ns_name, enum fault_op op);

/* [{"action": ..., "seen": n, "fired": n}, ...] */
void faults_write(struct json_writer *w, const struct faults *faults);

#endif
