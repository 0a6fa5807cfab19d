#ifndef MODEL_IDENT_H
#define MODEL_IDENT_H

/*
 * SQL names and literals, quoted (manual 4.1.1 and 4.1.2).  The only way a name or a value enters
 * SQL text, besides parameters.
 */

#include "base/buf.h"
#include "base/span.h"

void ident_put(struct buf *out, struct span name); /* always "quoted" */
void ident_put_qualified(struct buf *out, struct span schema, struct span name);
void ident_put_literal(struct buf *out, struct span text); /* 'text', E'' when it has \ */

/* As a person would write it: quoted only where needed. */
void ident_put_plain(struct buf *out, struct span name);

#endif
