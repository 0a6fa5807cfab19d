#ifndef STATE_HEARTBEAT_H
#define STATE_HEARTBEAT_H

/*
 * What a living `run` tells other processes about itself, through the store: `status` reads it.
 *
 * The record is written at most once a second, and only when a counter changed (SEMANTICS 9: with
 * the state in the source database every write is a commit that comes back through the stream;
 * a record that followed the LSNs would feed itself for ever).  So an old record does not mean a
 * dead process; liveness is read from the lock (SEMANTICS 10).
 *
 * Pure: time comes in as an argument.  A plain struct, copied at will.
 *
 *     heartbeat_set_text(beat.retrying, sizeof(beat.retrying), text);
 *     if (heartbeat_tick(&meter, &beat, clock_mono_ms())) {
 *         beat.written_ms = clock_wall_ms();
 *         heartbeat_write(&beat, &out);
 *         ... meta_put(store, HEARTBEAT_KEY, buf_span(&out)) ...
 *     }
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "model/lsn.h"

#define HEARTBEAT_KEY          "heartbeat" /* its name in the store */
#define HEARTBEAT_JSON_MAX     ((size_t)64 * 1024)
#define HEARTBEAT_PERIOD_MS    1000
#define HEARTBEAT_SAMPLES      10 /* rates are of the last 10 seconds */
#define HEARTBEAT_ERRORS       5
#define HEARTBEAT_MAPPING_SIZE 64
#define HEARTBEAT_TEXT_SIZE    512

/* Since the start of the process. */
enum heartbeat_count {
    HEARTBEAT_TRANSACTIONS,
    HEARTBEAT_EVENTS,  /* row changes read, mapped or not */
    HEARTBEAT_ROWS,    /* handed to lanes */
    HEARTBEAT_BATCHES, /* finished */
    HEARTBEAT_UPSERTS, /* written */
    HEARTBEAT_DELETES, /* written */
    HEARTBEAT_REQUESTS,
    HEARTBEAT_BYTES, /* sent, after compression */
    HEARTBEAT_RETRIES,
    HEARTBEAT_DEAD_LETTERS,
    HEARTBEAT_READ_BACKS,
    HEARTBEAT_JOURNALLED,
    HEARTBEAT_RECONNECTS,
    HEARTBEAT_COUNT_MAX_,
};

extern const char *const heartbeat_count_names[HEARTBEAT_COUNT_MAX_ + 1];

struct heartbeat_error {
    int64_t at_ms;                        /* wall clock */
    char mapping[HEARTBEAT_MAPPING_SIZE]; /* "" the flow */
    char text[HEARTBEAT_TEXT_SIZE];
};

struct heartbeat {
    int64_t pid;
    int64_t started_ms; /* wall clock, as all times here */
    int64_t written_ms;
    bool streaming; /* the source sends */

    uint64_t counts[HEARTBEAT_COUNT_MAX_];
    double rates[HEARTBEAT_COUNT_MAX_]; /* per second */

    lsn_t received, durable, checkpoint, flush;
    uint64_t lag_bytes;     /* from what is durable to what was received */
    int64_t lag_ms;         /* age of the oldest commit that is not durable; 0 none */
    uint64_t memory_bytes;  /* rows that are held now */
    int64_t last_flush_ms;  /* the last write that succeeded; 0 none */
    int64_t last_commit_ms; /* commit time of the last transaction read; 0 none */

    char retrying[HEARTBEAT_TEXT_SIZE];      /* what is being tried again; "" nothing */
    char holder[HEARTBEAT_MAPPING_SIZE];     /* the mapping that holds the slot back; "" none */
    char holder_reason[HEARTBEAT_TEXT_SIZE]; /* why */
    struct heartbeat_error errors[HEARTBEAT_ERRORS]; /* newest first */
    size_t error_count;
};

/* Valid UTF-8, cut between characters where it does not fit. */
void heartbeat_set_text(char *dst, size_t size, const char *text);

/* Put in front of the others; the oldest goes. */
void heartbeat_add_error(struct heartbeat *beat, int64_t at_ms, const char *mapping,
                         const char *text);

/* ---- when to write ---- */

struct heartbeat_sample {
    int64_t at_ms;
    uint64_t counts[HEARTBEAT_COUNT_MAX_];
};

/* Zeroed at the start of the process. */
struct heartbeat_meter {
    struct heartbeat_sample samples[HEARTBEAT_SAMPLES]; /* sample_count % SAMPLES is the oldest */
    uint64_t sample_count;
    struct heartbeat told; /* as it was last written */
    bool has_told;
};

/*
 * To be called about once a second, more often does no harm.  Fills beat->rates; true: write it
 * now.  mono_ms: clock_mono_ms(), because the wall clock may jump.
 */
bool heartbeat_tick(struct heartbeat_meter *meter, struct heartbeat *beat, int64_t mono_ms);

/* ---- the stored form: one JSON object ---- */

void heartbeat_write(const struct heartbeat *beat, struct buf *out);

/* ERR_DATA when it is none.  What an older version did not write is zero, what a newer one adds is
 * ignored.  The arena is for scratch only. */
MUST_CHECK bool heartbeat_read(struct span json, struct arena *scratch, struct heartbeat *ret,
                               struct err *err);

#endif
