/* registry: the parts that this build has. */
#include "runner/registry.h"

#include <assert.h>

#include "base/words.h"
#include "destinations/null/null.h"
#include "destinations/stdout/stdout.h"
#include "destinations/turbopuffer/turbopuffer.h"

#define NAMES_MAX 64

const struct destination_type *const destinations[] = {
    &turbopuffer_destination,
    &null_destination,
    &stdout_destination,
    NULL,
};

const struct destination_type *
destination_find(struct span name)
{
    for (size_t i = 0; destinations[i]; i++)
        if (span_eq(name, span_of(destinations[i]->name)))
            return destinations[i];
    return NULL;
}

bool
destination_require(struct span name, const struct destination_type **ret, struct err *err)
{
    const struct destination_type *found = destination_find(name);
    CLEANUP(buf_free) struct buf list = buf_make(1000);
    const char *names[NAMES_MAX], *near;
    size_t count = 0;

    if (found) {
        *ret = found;
        return true;
    }
    for (; destinations[count]; count++) {
        assert(count < NAMES_MAX);
        names[count] = destinations[count]->name;
        buf_putf(&list, "%s%s", count ? ", " : "", names[count]);
    }
    near = word_nearest(names, count, name);
    if (near)
        return err_set(err, ERR_CONFIG, "there is no destination \"%.*s\"; did you mean \"%s\"?",
                       SPAN_ARG(name), near);
    return err_set(err, ERR_CONFIG, "there is no destination \"%.*s\"; there are %s",
                   SPAN_ARG(name), list.ptr);
}
