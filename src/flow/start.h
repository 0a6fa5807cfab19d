#ifndef FLOW_START_H
#define FLOW_START_H

/*
 * The decision how a flow starts (SEMANTICS 5 and 11), from plain facts.  Pure: nothing here asks
 * anybody anything, so every case is a row of a test.
 *
 * The rule behind all rules: positions may be repeated, never skipped.  Where the history has a
 * gap, or could have one, the answer is START_REFUSE with a text that says what is wrong and a
 * remedy to type.
 *
 * Before START_CREATE and START_DROP_AND_CREATE the runner records, in one save of the flow:
 * slot_intent, the slot, the database, the plan's epoch and the server's identity; when the slot is
 * made, in one save again: the checkpoint at its consistent point, without the intent.  So a slot
 * that is there with an intent of ours was never read from.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "model/lsn.h"

/* What the operator asked for. */
struct start_options {
    bool has_from_lsn;
    lsn_t from_lsn;
    bool accept_gap;
    bool new_epoch;
    bool create_slot;
};

/* What the store remembers; contract/store.h struct store_flow. */
struct start_record {
    bool persistent;  /* false: store "memory", which runs on a temporary slot */
    bool has_started; /* a run has recorded a start position */
    const char *system_id;
    int64_t timeline; /* 0: unknown */
    const char *database;
    const char *slot;
    uint64_t epoch;
    bool slot_intent; /* this slot was about to be created by us */
    lsn_t checkpoint; /* 0: none */
};

enum start_publication {
    START_PUBLICATION_UNKNOWN, /* exists, and the store has no record of it */
    START_PUBLICATION_SAME,    /* exists, with the recorded oid */
    START_PUBLICATION_ABSENT,
    START_PUBLICATION_REMADE, /* exists with another oid than the recorded one */
};

/* What the server says. */
struct start_server {
    const char *system_id;
    int64_t timeline;
    bool switch_found; /* its history knows the recorded timeline ... */
    lsn_t switch_lsn;  /* ... and left it here (UINT64_MAX: is on it still) */
    lsn_t wal_end;     /* flushed so far */
    const char *database;
    enum start_publication publication;

    bool slot_exists;
    bool slot_physical;
    bool slot_temporary;
    bool slot_two_phase;
    const char *slot_plugin;
    const char *slot_database;
    const char *slot_wal_status;
    const char *slot_invalid; /* why it was invalidated, "" fine */
    lsn_t slot_confirmed_flush;
};

struct start_facts {
    const char *slot; /* in use for this run */
    const char *publication;
    struct start_options options;
    struct start_record record;
    struct start_server server;
};

enum start_action {
    START_REFUSE,          /* text and remedy say why; ERR_CONFIG */
    START_STREAM,          /* the slot is ours: go on at `lsn` */
    START_ADOPT,           /* the slot is not ours, --from-lsn takes it over at `lsn` */
    START_CREATE,          /* make the slot; `lsn` comes from its consistent point */
    START_DROP_AND_CREATE, /* a slot that we began to make and did not record: drop it, then make */
    START_ACTION_MAX_,
};

extern const char *const start_action_names[START_ACTION_MAX_ + 1];

struct start_plan {
    enum start_action action;
    int rule;            /* of SEMANTICS, that decided */
    lsn_t lsn;           /* STREAM, ADOPT: where to begin */
    uint64_t epoch;      /* of versions, from now on */
    bool temporary;      /* CREATE: a temporary slot */
    bool reset;          /* forget the recorded checkpoints first (store checkpoints_reset) */
    bool not_backfilled; /* rows older than the start, or in a gap, are not synced: mark mappings */
    bool new_identity;   /* record the server's system identifier and timeline */
    const char *text;    /* what is wrong; for the others what is done, for the log */
    const char *remedy;  /* REFUSE: what to type; NULL when text says it */
};

/* Texts live in the arena or are literals. */
struct start_plan start_decide(const struct start_facts *facts, struct arena *arena);

#endif
