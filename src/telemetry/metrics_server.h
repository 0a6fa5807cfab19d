#ifndef TELEMETRY_METRICS_SERVER_H
#define TELEMETRY_METRICS_SERVER_H

/*
 * `--metrics-listen [HOST:]PORT`: GET /metrics (Prometheus text) and GET /healthz.
 *
 * Without a host it listens on the loopback address only: what it tells names tables and targets,
 * and it asks nobody for a password.
 *
 *     struct metrics_server_args args = {.listen = "9187", .metrics = metrics,
 *                                        .collect = collect, .health = health, .owner = run};
 *
 * Threads: `collect` and `health` are called on the server's threads, several at a time.
 */

#include <stdint.h>

#include "base/attr.h"
#include "base/err.h"

struct metrics;
struct metrics_server;

struct metrics_server_args {
    const char *listen; /* "9187", "0.0.0.0:9187", "[::1]:9187"; port 0: any free one */
    struct metrics *metrics;

    /* Bring up to date what is counted elsewhere; before each scrape.  NULL: nothing is. */
    void (*collect)(void *owner, struct metrics *metrics);

    /* NULL when all is well (200 "ok"), else what is not (503 and the text), a literal or of the
     * owner's lifetime.  NULL: always well. */
    const char *(*health)(void *owner);
    void *owner;
};

/* ERR_CONFIG for an address that cannot be had. */
MUST_CHECK bool metrics_server_open(const struct metrics_server_args *args,
                                    struct metrics_server **ret, struct err *err);
void metrics_server_close(struct metrics_server *server); /* NULL is fine */
void metrics_server_closep(struct metrics_server **server);

/* "http://127.0.0.1:9187", for the log. */
const char *metrics_server_url(const struct metrics_server *server);

#endif
