#ifndef SOURCE_PREFLIGHT_H
#define SOURCE_PREFLIGHT_H

/*
 * Everything about the server that would keep a flow from running, in one go, each fault with the
 * SQL that mends it.  Changes nothing.
 *
 * Faults of the tables' columns and ids are mapping_bind()'s, not repeated here.
 */

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/err.h"
#include "model/report.h"
#include "model/table.h"
#include "source/publication.h"
#include "source/settings.h"

struct pg_session;

struct preflight {
    const struct source_settings *settings;
    const struct publication_spec
        *spec;        /* the mapped tables, and what is asked of the publication */
    bool create_slot; /* a slot that is missing will be made */
};

/* False only when the server could not be asked; faults are findings. */
MUST_CHECK bool preflight_check(struct pg_session *pg, const struct preflight *args,
                                struct arena *arena, struct report *report, struct err *err);

/*
 * Hosts and ports that are known for connection poolers, which carry neither replication nor
 * session locks.  Returns the product's name, and in *ret_remedy what to use instead; NULL: none
 * known.  Pure.
 */
const char *pooler_known(const char *host, const char *port, const char **ret_remedy);

#endif
