#ifndef CONTRACT_DESTINATION_SUBJECT_H
#define CONTRACT_DESTINATION_SUBJECT_H

/*
 * The destinations under test, each with the other side of it: something that takes the writes,
 * can be made to fail, and can be asked what it holds.
 *
 * A subject that cannot do a thing says why in `excuses`; the suite prints it and goes on.
 */

#include "base/buf.h"
#include "contract/destination.h"

/* What the other side can be told to do to the next write. */
enum mischief {
    MISCHIEF_THROTTLE,    /* not now, twice */
    MISCHIEF_LOSE_BEFORE, /* the connection goes, nothing is applied */
    MISCHIEF_LOSE_AFTER,  /* the write is applied, then the connection goes */
    MISCHIEF_ACCEPT,      /* taken, and not done when the answer comes */
    MISCHIEF_APPLY_LATER, /* the connection goes, and the write arrives when it is told to */
    MISCHIEF_STALL,       /* no answer for a long time */
    MISCHIEF_MAX_,
};

struct subject_type {
    const char *name;
    const struct destination_type *destination;
    bool keeps;                         /* contents() says what it holds; else why not: */
    bool poison;                        /* a text over 4 KiB cannot be written */
    const char *excuses[MISCHIEF_MAX_]; /* NULL: it can be done */

    void *(*start)(void);
    void (*stop)(void *subject);
    size_t (*settings)(void *subject, struct opt_value *values); /* at most SETTINGS_MAX */
    void (*do_mischief)(void *subject, enum mischief mischief);
    void (*relent)(void *subject); /* late writes arrive, stalls end */

    /* "1=a 2=b": ids and names, by id. */
    void (*contents)(void *subject, struct buf *out);
};

#define SETTINGS_MAX 4

extern const struct subject_type *const subjects[]; /* ended by NULL */

#endif
