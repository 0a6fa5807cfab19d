#ifndef CONTRACT_DESTINATION_H
#define CONTRACT_DESTINATION_H

/*
 * What a destination must do.
 *
 * A destination is one const struct destination_type and the functions it points to, listed once
 * in runner/registry.c.  The engine knows nothing else about it.
 *
 * The engine promises: open once per flow, lane_open once per lane before its first write; the
 * actions of one lane in stream order, from the lane's own thread; never a second write of a lane
 * before the first has returned; UPSERT images whole (no VALUE_UNCHANGED); with DEST_KEYED at most
 * one action per id in one write; TRUNCATE alone in its write; ACTION_ERROR never; lane_close and
 * close once each, also after a failed open.  Lanes of one destination run in parallel: what they
 * share is read-only after open.
 *
 * The destination promises: when write returns true everything is durable over there; writing the
 * same actions again changes nothing (or caps say otherwise); it returns soon after cancel_fd
 * becomes readable or the deadline passes; on failure the err kind is honest, because the kind
 * alone decides: TRANSIENT is written again, identically, after a pause; DATA is halved until one
 * action is left, which becomes a dead letter; CONFIG stops the flow; CANCELED only after
 * cancel_fd.  result->unknown is set when a failed write may still be applied later.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/opt.h"
#include "model/action.h"
#include "model/mapping.h"
#include "model/report.h"

enum destination_caps {
    DEST_KEYED = 1 << 0,     /* state by id: only the last action of an id matters */
    DEST_VERSIONED = 1 << 1, /* compares (commit, ordinal): replays and late arrivals are skipped */
    DEST_DURABLE = 1 << 2,   /* keeps what is written; without it nothing is promised (null) */
    DEST_LATE_WRITES = 1 << 3 /* a request of unknown outcome may be applied later (SEMANTICS 19) */
};

/* First member of every destination's own struct. */
struct destination {
    const struct destination_type *type;
    struct arena *arena; /* flow lifetime */
};

/* First member of every destination's own lane struct. */
struct destination_lane {
    struct destination *destination;
    const struct mapping *mapping; /* bound */
    uint64_t epoch;                /* versions are epoch * 2^56 + LSN (SEMANTICS 5) */
    struct arena *arena;           /* flow lifetime */
};

struct destination_write {
    const struct action *actions;
    size_t count;
    struct arena *scratch; /* rewound by the caller */
    int64_t deadline_ms;   /* clock_mono_ms */
    int cancel_fd;         /* readable: give up now; -1 none */
};

/* Filled whether write succeeds or not. */
struct destination_result {
    size_t requests;
    size_t bytes;           /* sent, after compression */
    bool unknown;           /* failed, and may still be applied */
    int64_t retry_after_ms; /* what the peer asked for; 0 nothing */
};

struct destination_type {
    const char *name;    /* what mappings call it */
    const char *summary; /* one line for --help and the docs */
    unsigned caps;
    size_t size;               /* of the destination's own struct, zeroed before open */
    size_t lane_size;          /* of its lane struct */
    const struct opt *options; /* offsets are into the destination's struct */

    /* Check settings, make clients; no traffic. */
    MUST_CHECK bool (*open)(struct destination *dest, struct err *err);
    void (*close)(struct destination *dest);

    /*
     * Judge a bound mapping before anything runs: every column that cannot be stored, and every
     * loss a type brings, by name (SEMANTICS 31).  May be NULL.
     */
    void (*check)(const struct destination *dest, const struct mapping *mapping,
                  struct report *report);

    /*
     * What the target's attributes are, as a JSON object: name -> type, or -> {"type": ..., ...}.
     * A type is for ever (C12): `migrate` compares it with what was applied before.  NULL when
     * there are none; only for mappings that `check` has found no error in.
     */
    MUST_CHECK bool (*attributes)(const struct destination *dest, const struct mapping *mapping,
                                  struct buf *out, struct err *err);

    /*
     * Ask the other side whether it is there and knows us, changing nothing; waits at most until
     * deadline_ms (clock_mono_ms).  For `check`; may be NULL.
     */
    MUST_CHECK bool (*probe)(const struct destination *dest, int64_t deadline_ms, struct err *err);

    MUST_CHECK bool (*lane_open)(struct destination_lane *lane, struct err *err);
    void (*lane_close)(struct destination_lane *lane);

    /*
     * The pure half of write: the bytes of the request (of all requests, one after another).
     * Dry runs, fixtures and tests use it.
     */
    MUST_CHECK bool (*render)(const struct destination_lane *lane,
                              const struct destination_write *write, struct buf *out,
                              struct err *err);
    MUST_CHECK bool (*write)(struct destination_lane *lane, const struct destination_write *write,
                             struct destination_result *result, struct err *err);
};

MUST_CHECK bool destination_open(const struct destination_type *type,
                                 const struct opt_value *values, size_t count, struct arena *arena,
                                 struct destination **ret, struct err *err);
void destination_close(struct destination *dest); /* NULL is fine */
void destination_closep(struct destination **dest);

MUST_CHECK bool destination_lane_open(struct destination *dest, const struct mapping *mapping,
                                      uint64_t epoch, struct arena *arena,
                                      struct destination_lane **ret, struct err *err);
void destination_lane_close(struct destination_lane *lane); /* NULL is fine */

#endif
