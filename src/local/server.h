#ifndef LOCAL_SERVER_H
#define LOCAL_SERVER_H

/*
 * turbopuffer-local: the HTTP API over one database in memory.
 *
 * What tests reach beside the API, without a key:
 *
 *     GET    /_local/dump[?namespace=x]      all documents, sorted, as JSON
 *     GET    /_local/journal?since=n&limit=n what happened to documents, in order (journal.h)
 *     POST   /_local/faults                  add rules to the fault script (faults.h)
 *     GET    /_local/faults                  the rules with their counts, and pending writes
 *     DELETE /_local/faults                  no more rules; pending writes stay
 *     POST   /_local/apply                   apply all pending writes now
 *     POST   /_local/reset                   forget everything
 *     GET    /_local/async/n                 where the Location of a 202 points
 *
 * Threads: one per connection; a lock guards the database, another none: parsing and waiting
 * happen outside it.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "local/limits.h"

struct local_server;

struct local_server_args {
    const char *listen; /* "127.0.0.1:0" */
    struct limits limits;
    int64_t latency_ms; /* every answer of the API takes at least that long */
    int64_t journal_size;
};

MUST_CHECK bool local_server_open(const struct local_server_args *args, struct local_server **ret,
                                  struct err *err);
void local_server_close(struct local_server *server); /* NULL is fine */
void local_server_closep(struct local_server **server);

const char *local_server_url(const struct local_server *server);

#endif
