/* report: findings in the order they were made. */
#include "model/report.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>

#define TEXT_MAX 2048

/* clang-format off */
static const char *const severity_names[] = {
    [SEVERITY_NOTE]    = "note",
    [SEVERITY_WARNING] = "warning",
    [SEVERITY_ERROR]   = "error",
};
/* clang-format on */

_Static_assert(ARRAY_LEN(severity_names) == SEVERITY_MAX_, "one name per severity");

struct report
report_make(struct arena *arena)
{
    return (struct report){.arena = arena};
}

void
report_add(struct report *report, enum severity severity, const char *where, const char *remedy,
           const char *fmt, ...)
{
    struct finding *finding = arena_new_of(report->arena, struct finding);
    char text[TEXT_MAX];
    va_list args;

    assert(severity < SEVERITY_MAX_);
    va_start(args, fmt);
    vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);

    *finding = (struct finding){
        .severity = severity,
        .where = arena_strdup(report->arena, where),
        .text = arena_strdup(report->arena, text),
        .remedy = remedy ? arena_strdup(report->arena, remedy) : NULL,
    };
    if (report->last)
        report->last->next = finding;
    else
        report->first = finding;
    report->last = finding;
    report->count[severity]++;
}

static void
print_indented(const char *text, struct buf *out)
{
    while (*text) {
        size_t len = strcspn(text, "\n");

        buf_putf(out, "    %.*s\n", (int)len, text);
        text += len;
        text += *text == '\n';
    }
}

static void
print_from(const struct report *report, enum severity least, struct buf *out)
{
    for (const struct finding *f = report->first; f; f = f->next) {
        if (f->severity < least)
            continue;
        buf_putf(out, "%s: %s: %s\n", severity_names[f->severity], f->where, f->text);
        if (f->remedy)
            print_indented(f->remedy, out);
    }
}

void
report_print(const struct report *report, struct buf *out)
{
    print_from(report, SEVERITY_NOTE, out);
}

void
report_print_errors(const struct report *report, struct buf *out)
{
    print_from(report, SEVERITY_ERROR, out);
}
