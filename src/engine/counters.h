#ifndef ENGINE_COUNTERS_H
#define ENGINE_COUNTERS_H

/*
 * What the flow has done, for status, heartbeat and metrics.  One per flow, written by the owner
 * and the lanes, read by the store thread.  Counters only grow; texts are kept under the lock.
 */

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "model/lsn.h"

#define COUNTERS_ERRORS 5

struct counters_error {
    int64_t at_ms; /* wall clock */
    char mapping[64];
    char text[512];
};

struct counters {
    _Atomic uint64_t transactions;
    _Atomic uint64_t changes; /* read, mapped or not */
    _Atomic uint64_t rows;    /* handed to lanes */
    _Atomic uint64_t batches;
    _Atomic uint64_t upserts; /* written */
    _Atomic uint64_t deletes;
    _Atomic uint64_t requests;
    _Atomic uint64_t bytes_sent;
    _Atomic uint64_t retries;
    _Atomic uint64_t dead_letters;
    _Atomic uint64_t read_backs;
    _Atomic uint64_t journalled;
    _Atomic uint64_t reconnects;
    _Atomic uint64_t memory_bytes;  /* rows that are held now */
    _Atomic int64_t last_write_ms;  /* wall clock of the last write that succeeded */
    _Atomic int64_t last_commit_us; /* commit time of the last transaction read */

    _Atomic lsn_t received; /* end of what was read */
    _Atomic lsn_t durable;
    _Atomic lsn_t checkpoint;
    _Atomic lsn_t flush;
    _Atomic uint64_t holder; /* the mapping that holds durable back; mapping count: none */
    _Atomic bool streaming;

    pthread_mutex_t lock; /* what follows */
    uint64_t error_count;
    struct counters_error errors[COUNTERS_ERRORS]; /* error_count % COUNTERS_ERRORS is the oldest */
    char retrying[512];                            /* what is being tried again; "" nothing */
};

void counters_init(struct counters *counters);
void counters_done(struct counters *counters);

/* Remember a failure that was survived or that ended a mapping. */
void counters_error(struct counters *counters, const char *mapping, int64_t now_ms,
                    const char *text);
void counters_retrying(struct counters *counters, const char *text); /* "" when it is over */

#endif
