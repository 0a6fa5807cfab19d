#ifndef MODEL_LSN_H
#define MODEL_LSN_H

/*
 * Positions in the write-ahead log.
 *
 * The version of a row is (commit, ordinal): the LSN at which its commit record starts and the
 * number of the change inside the transaction, from 1 (SEMANTICS 1).  Rows of a snapshot have
 * ordinal 0.  All comparison is lexicographic on both.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/span.h"

typedef uint64_t lsn_t;

#define LSN_FMT       "%X/%X"
#define LSN_ARG(lsn)  (unsigned)((lsn) >> 32), (unsigned)(lsn)
#define LSN_TEXT_SIZE 20

struct position {
    lsn_t commit;
    uint64_t ordinal;
};

/* "16/B374D848", as pg_lsn prints it; at most 8 hexadecimal digits a side. */
MUST_CHECK bool lsn_parse(struct span text, lsn_t *ret);

static inline int
position_compare(struct position a, struct position b)
{
    if (a.commit != b.commit)
        return a.commit < b.commit ? -1 : 1;
    return (a.ordinal > b.ordinal) - (a.ordinal < b.ordinal);
}

#endif
