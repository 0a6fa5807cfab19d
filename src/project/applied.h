#ifndef PROJECT_APPLIED_H
#define PROJECT_APPLIED_H

/*
 * The project's migrations against those that the store has recorded.  Pure.
 *
 *   - the newest applied version of a name is active, older ones have stopped
 *   - an applied version never changes: other content needs the next number.  Comments and
 *     spelling may change (the normal form is compared)
 *   - versions of a name are applied upwards
 *   - a name whose files are gone has stopped; its namespace stays
 */

#include <stdbool.h>
#include <stddef.h>

#include "contract/store.h"
#include "project/project.h"

struct applied {
    size_t pending_count;
    struct migration **pending; /* not applied yet, in the order to apply them */
    size_t active_count;
    struct migration **active; /* what run serves now */
    size_t next_count;
    struct migration **next; /* what run serves once everything is applied */
    size_t lost_count;
    const struct store_migration **lost; /* applied, without a file, and a newer version waits:
                                            run would stop serving them */
};

/* Faults go to the report; the result is whole when there is no error among them. */
void applied_judge(const struct project *project, const struct store_migration *rows, size_t count,
                   struct arena *arena, struct report *report, struct applied *ret);

/* The row that migration_add() gets. */
struct store_migration applied_row(const struct migration *migration, int64_t now_ms);

#endif
