/* counters: the last few failures, beside the numbers. */
#include "engine/counters.h"

#include <stdio.h>
#include <stdlib.h>

void
counters_init(struct counters *counters)
{
    *counters = (struct counters){0};
    if (pthread_mutex_init(&counters->lock, NULL))
        abort();
}

void
counters_done(struct counters *counters)
{
    pthread_mutex_destroy(&counters->lock);
}

void
counters_error(struct counters *counters, const char *mapping, int64_t now_ms, const char *text)
{
    struct counters_error *slot;

    pthread_mutex_lock(&counters->lock);
    slot = &counters->errors[counters->error_count++ % COUNTERS_ERRORS];
    slot->at_ms = now_ms;
    snprintf(slot->mapping, sizeof(slot->mapping), "%s", mapping);
    snprintf(slot->text, sizeof(slot->text), "%s", text);
    pthread_mutex_unlock(&counters->lock);
}

void
counters_retrying(struct counters *counters, const char *text)
{
    pthread_mutex_lock(&counters->lock);
    snprintf(counters->retrying, sizeof(counters->retrying), "%s", text);
    pthread_mutex_unlock(&counters->lock);
}
