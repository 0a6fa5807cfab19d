#ifndef HARNESS_STREAM_BENCH_H
#define HARNESS_STREAM_BENCH_H

/*
 * A pgoutput stream against a scripted server where all is well; a test puts its own rules in
 * front of the good ones.
 *
 *     CLEANUP(bench_freep) struct bench *b = bench_opened(NULL, 0);
 *
 *     wire_begin(&b->message, 0x2000, 7);
 *     bench_push(b, 0x2000);
 *     bench_expect(b, SOURCE_BEGIN);
 */

#include "base/buf.h"
#include "harness/scripted_pg.h"
#include "source/pg_source.h"
#include "source/pgoutput_stream.h"

#define USERS 16400
#define START 0x1000

/* Columns of slot_inspect(): physical, plugin, database, temporary, active, pid, restart,
 * confirmed, wal_status, two_phase, invalidation. */
#define SLOT(confirmed, wal_status, invalid)                                                       \
    "f|pgoutput|shop|f|f|~|0/500|" confirmed "|" wal_status "|f|" invalid

struct bench {
    struct arena *arena;
    struct pg_rule rules[16];
    struct scripted_pg *peer;
    struct source_settings settings;
    struct pg_source *pg;
    struct source *source;
    struct buf message;
    struct source_event event;
    struct err err;
};

struct bench *bench_new(const struct pg_rule *own, size_t count);
struct bench *bench_opened(const struct pg_rule *own, size_t count); /* at START */
void bench_freep(struct bench **b);
MUST_CHECK bool bench_open_at(struct bench *b, lsn_t start);

/* The next event that is not IDLE, or the failure. */
MUST_CHECK bool bench_next(struct bench *b);
void bench_expect(struct bench *b, enum source_event_type type);
void bench_expect_idle(struct bench *b); /* there is nothing to read now */

void bench_push(struct bench *b, lsn_t end); /* send what was built in b->message */
void bench_push_begin(struct bench *b);      /* a transaction over table USERS */

#endif
