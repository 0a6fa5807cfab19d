/* fault: errors in a project's files, each with its place. */
#include "project/fault.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>

#define TEXT_MAX  2048
#define PLACE_MAX 1024

struct spot
spot_of_key(const char *file, const struct toml *node)
{
    return (struct spot){file, node->key_line, node->key_column};
}

struct spot
spot_of_value(const char *file, const struct toml *node)
{
    return (struct spot){file, node->line, node->column};
}

const char *
spot_text(struct spot spot, struct arena *arena)
{
    char place[PLACE_MAX];

    assert(spot.line > 0 && spot.column > 0);
    snprintf(place, sizeof(place), "%s:%d:%d", spot.file, spot.line, spot.column);
    return arena_strdup(arena, place);
}

void
fault_at(struct report *report, struct spot spot, const char *fmt, ...)
{
    char text[TEXT_MAX];
    va_list args;

    va_start(args, fmt);
    vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);
    report_add(report, SEVERITY_ERROR, spot_text(spot, report->arena), NULL, "%s", text);
}

void
fault_text(struct report *report, const char *text)
{
    const char *what = strstr(text, ": ");
    struct span place = {text, what ? (size_t)(what - text) : 0};

    report_add(report, SEVERITY_ERROR, what ? arena_text(report->arena, place) : "project", NULL,
               "%s", what ? what + 2 : text);
}
