/* outlets: the destinations of a project, opened when a mapping writes to them. */
#include "runner/outlets.h"

#include <assert.h>
#include <string.h>

#include "base/log.h"
#include "runner/registry.h"

static size_t
type_count(void)
{
    size_t count = 0;

    while (destinations[count])
        count++;
    return count;
}

const char *const *
outlet_names(struct arena *arena)
{
    const char **names = arena_new_n(arena, const char *, type_count() + 1);

    for (size_t i = 0; destinations[i]; i++)
        names[i] = destinations[i]->name;
    return names;
}

struct outlets
outlets_make(const struct config *config, struct arena *arena)
{
    assert(type_count() <= OUTLETS_MAX);
    return (struct outlets){.config = config, .arena = arena};
}

void
outlets_close(struct outlets *outlets)
{
    while (outlets->count > 0)
        destination_close(outlets->items[--outlets->count]);
}

void
outlets_check(struct outlets *outlets, const char *name, struct report *report)
{
    const struct destination_type *type = destination_find(span_of(name));

    assert(type); /* project/migration refuses unknown names */
    for (size_t i = 0; i < outlets->count; i++) {
        if (outlets->items[i]->type == type)
            return;
    }
    config_destination_check(outlets->config, name, type->options, report);
}

void
outlets_probe(const struct outlets *outlets, int64_t deadline_ms, struct report *report)
{
    for (size_t i = 0; i < outlets->count; i++) {
        const struct destination *dest = outlets->items[i];
        struct err err;

        if (dest->type->probe && !dest->type->probe(dest, deadline_ms, &err))
            report_add(report, SEVERITY_ERROR, dest->type->name, NULL, "%s", err.text);
    }
}

static void
hide_secrets(const struct opt *options, const struct opt_value *values, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const struct opt *opt = opt_find(options, values[i].name);

        if (opt && (opt->flags & OPT_SECRET))
            log_secret(values[i].value);
    }
}

bool
outlets_get(struct outlets *outlets, const char *name, struct destination **ret, struct err *err)
{
    const struct destination_type *type = destination_find(span_of(name));
    struct opt_value *values;
    size_t count;

    assert(type);
    for (size_t i = 0; i < outlets->count; i++) {
        if (outlets->items[i]->type == type) {
            *ret = outlets->items[i];
            return true;
        }
    }
    if (!config_destination(outlets->config, name, type->options, outlets->arena, &values, &count,
                            err))
        return false;
    hide_secrets(type->options, values, count);
    if (!destination_open(type, values, count, outlets->arena, ret, err))
        return false;
    outlets->items[outlets->count++] = *ret;
    return true;
}
