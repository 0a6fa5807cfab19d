#ifndef HARNESS_PGOUTPUT_H
#define HARNESS_PGOUTPUT_H

/*
 * Messages of pgoutput, protocol version 1, for tests that play a stream (manual 55.9).
 *
 *     wire_begin(&out, 0x1000, 7);
 *     wire_relation(&out, 16400, "users", 'd', "*id:23 name:25");
 *     wire_insert(&out, 16400, "1 ada");
 *     wire_commit(&out, 0x1000, 0x1030);
 *
 * Rows are words: ~ is null, ^ an unchanged TOAST value.  Each function appends one message; clear
 * the buffer in between when they are to be taken one by one.
 */

#include <stdint.h>

#include "base/buf.h"
#include "model/lsn.h"

void wire_u8(struct buf *out, unsigned n);
void wire_u16(struct buf *out, unsigned n);
void wire_u32(struct buf *out, uint32_t n);
void wire_u64(struct buf *out, uint64_t n);
void wire_string(struct buf *out, const char *text); /* with its NUL */

/* Committed WIRE_COMMIT_US after 1970. */
#define WIRE_COMMIT_US INT64_C(946684800000123)

void wire_begin(struct buf *out, lsn_t commit, uint32_t xid);
void wire_commit(struct buf *out, lsn_t commit, lsn_t end);
/* columns: "*id:23 name:25", * marks the replica identity, then name:type */
void wire_relation(struct buf *out, uint32_t oid, const char *name, char identity,
                   const char *columns);
void wire_insert(struct buf *out, uint32_t oid, const char *row);
/* kind: 'K' or 'O'; 0: no old row */
void wire_update(struct buf *out, uint32_t oid, char kind, const char *old_row, const char *row);
void wire_delete(struct buf *out, uint32_t oid, char kind, const char *old_row);
void wire_truncate(struct buf *out, const uint32_t *oids, size_t count);

#endif
