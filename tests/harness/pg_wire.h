#ifndef HARNESS_PG_WIRE_H
#define HARNESS_PG_WIRE_H

/* The server's half of the Postgres protocol (manual 55.7), as far as harness/scripted_pg needs it.
 */

#include <stdint.h>

#include "base/buf.h"

uint32_t pg_wire_u32(const char *at);
uint64_t pg_wire_u64(const char *at);

/* Type, length, body. */
void pg_wire_message(struct buf *out, char type, struct span body);
void pg_wire_text(struct buf *out, char type, const char *text); /* with its NUL */
void pg_wire_ready(struct buf *out);

/* "55006 text"; severity: "ERROR", "FATAL" */
void pg_wire_error(struct buf *out, const char *severity, const char *error);

/* A whole answer: "a|b\nc|d", ~ is NULL; NULL or "": none. */
void pg_wire_rows(struct buf *out, const char *rows);

#endif
