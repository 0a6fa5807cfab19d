#ifndef MODEL_REPORT_H
#define MODEL_REPORT_H

/*
 * A list of findings: `check` and the preflight collect every fault before they say no, each with
 * what mends it.
 */

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/attr.h"
#include "base/buf.h"

enum severity {
    SEVERITY_NOTE,    /* worth knowing: a value that loses digits */
    SEVERITY_WARNING, /* works, but */
    SEVERITY_ERROR,   /* nothing starts before this is mended */
    SEVERITY_MAX_,
};

struct finding {
    struct finding *next;
    enum severity severity;
    const char *where;  /* "postgres", "mapping users", "puffgres.toml:3:1"; never NULL */
    const char *text;   /* what is wrong */
    const char *remedy; /* the SQL or text that mends it; NULL when text says it */
};

struct report {
    struct arena *arena;
    struct finding *first, *last;
    size_t count[SEVERITY_MAX_];
};

struct report report_make(struct arena *arena);

/* remedy may be NULL; where and remedy are copied. */
void report_add(struct report *report, enum severity severity, const char *where,
                const char *remedy, const char *fmt, ...) PRINTF(5, 6);

/* One line per finding ("error: where: text"), remedies indented below. */
void report_print(const struct report *report, struct buf *out);

/* Only what stopped it: whoever wanted to run does not want to read every note of `check` again. */
void report_print_errors(const struct report *report, struct buf *out);

#endif
