#ifndef PG_SQLSTATE_H
#define PG_SQLSTATE_H

/*
 * SQLSTATE codes (manual, Appendix A) and what each means to us: an err kind, and what the
 * operator can do about it.  One table, looked up by the longest matching prefix.
 *
 * A code travels in err->code as one number: compare with PG_SQLSTATE('5','7','P','0','1').
 */

#include "base/err.h"
#include "base/span.h"

/* Six bits a character, as the server packs them too (elog.h); never 0. */
#define PG_SIXBIT_(c) (((c) - '0') & 0x3F)
#define PG_SQLSTATE(a, b, c, d, e)                                                                 \
    (PG_SIXBIT_(a) | PG_SIXBIT_(b) << 6 | PG_SIXBIT_(c) << 12 | PG_SIXBIT_(d) << 18 |              \
     PG_SIXBIT_(e) << 24)

/* clang-format off */
enum pg_sqlstate {
    PG_ADMIN_SHUTDOWN       = PG_SQLSTATE('5', '7', 'P', '0', '1'),
    PG_CRASH_SHUTDOWN       = PG_SQLSTATE('5', '7', 'P', '0', '2'),
    PG_CANNOT_CONNECT_NOW   = PG_SQLSTATE('5', '7', 'P', '0', '3'),
    PG_OBJECT_IN_USE        = PG_SQLSTATE('5', '5', '0', '0', '6'),
    PG_WRONG_STATE          = PG_SQLSTATE('5', '5', '0', '0', '0'),
    PG_LOCK_NOT_AVAILABLE   = PG_SQLSTATE('5', '5', 'P', '0', '3'),
    PG_QUERY_CANCELED       = PG_SQLSTATE('5', '7', '0', '1', '4'),
    PG_UNDEFINED_OBJECT     = PG_SQLSTATE('4', '2', '7', '0', '4'),
    PG_DUPLICATE_OBJECT     = PG_SQLSTATE('4', '2', '7', '1', '0'),
    PG_UNDEFINED_TABLE      = PG_SQLSTATE('4', '2', 'P', '0', '1'),
    PG_UNDEFINED_COLUMN     = PG_SQLSTATE('4', '2', '7', '0', '3'),
    PG_NO_PRIVILEGE         = PG_SQLSTATE('4', '2', '5', '0', '1'),
    PG_BAD_PASSWORD         = PG_SQLSTATE('2', '8', 'P', '0', '1'),
    PG_PROTOCOL_VIOLATION   = PG_SQLSTATE('0', '8', 'P', '0', '1'),
};
/* clang-format on */

/* 0 unless the text is exactly five digits and capital letters. */
int pg_sqlstate_code(struct span text);

/* The five characters again, and a NUL. */
const char *pg_sqlstate_text(int code, char dst[6]);

struct pg_sqlstate_meaning {
    const char *prefix; /* two to five characters of a code */
    enum err_kind kind;
    const char *hint; /* what to do, or NULL */
};

/* Codes that nobody listed are ERR_CONFIG: better to stop with the text than to repeat it. */
const struct pg_sqlstate_meaning *pg_sqlstate_meaning(int code);

#endif
