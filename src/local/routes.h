#ifndef LOCAL_ROUTES_H
#define LOCAL_ROUTES_H

/*
 * Which request does what: a table for the API and one for /_local.
 *
 * Handlers write the body of a 200 answer, or refuse.  They run under the server's lock, on the
 * thread of their connection.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/json.h"
#include "base/span.h"
#include "local/database.h"
#include "local/faults.h"

struct http_server_answer;
struct http_server_request;
struct local_server;

/* One request on its way. */
struct visit {
    struct local_server *server;
    const struct http_server_request *request;
    struct http_server_answer *answer;
    struct span ns_name; /* what the * of the path stands for; empty where it has none */
    uint64_t number;     /* among the requests of the API */
};

typedef bool route_handler(struct visit *visit, struct call *call, const struct json *body,
                           struct err *err);

struct route {
    const char *method; /* NULL ends a table */
    const char *path;   /* without the first slash; * is one piece of any text */
    enum fault_op op;
    bool has_body;
    route_handler *handler;
};

extern const struct route api_routes[];
extern const struct route local_routes[];

/*
 * NULL: no such route; *ret_known then says whether the path exists under another method.
 * *ret_ns_name is set with the route.
 */
const struct route *route_find(const struct route *table, const struct http_server_request *request,
                               struct span *ret_ns_name, bool *ret_known);

#endif
