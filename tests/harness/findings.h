#ifndef HARNESS_FINDINGS_H
#define HARNESS_FINDINGS_H

/* What a report says, one "where: text" a line, to compare with what a test wants. */

#include "base/buf.h"
#include "harness/check.h"
#include "model/report.h"

#define CHECK_FINDINGS(report, want) check_findings_at((report), (want), __FILE__, __LINE__)

static inline void
check_findings_at(const struct report *report, const char *want, const char *file, int line)
{
    CLEANUP(buf_free) struct buf got = buf_make(MEGABYTES(1));

    for (const struct finding *f = report->first; f; f = f->next)
        buf_putf(&got, "%s%s: %s\n",
                 f->severity == SEVERITY_NOTE      ? "note: "
                 : f->severity == SEVERITY_WARNING ? "warning: "
                                                   : "",
                 f->where, f->text);
    if (!span_eq(buf_span(&got), span_of(want))) {
        print_error("got  \"%s\"\nwant \"%s\"\n", buf_span(&got).ptr, want);
        _fail(file, line);
    }
}

#endif
