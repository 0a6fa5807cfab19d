#ifndef LOCAL_SERVER_STATE_H
#define LOCAL_SERVER_STATE_H

/*
 * What server.c and the routes share.
 *
 * Handlers of routes run with `lock` held, so they see and change the database, the fault script
 * and the writes that were put off as one.  Nobody waits for time or a client under it.
 */

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "local/database.h"
#include "local/deferred.h"
#include "local/faults.h"
#include "local/server.h"

struct http_server;

struct local_server {
    struct local_server_args args;
    struct http_server *http;

    pthread_mutex_t lock; /* guards the group below */
    struct database db;
    struct faults faults;
    struct deferred deferred;
    uint64_t requests; /* of the API, since the start */

    pthread_mutex_t stop_lock; /* guards stopping */
    pthread_cond_t stop_cond;
    bool stopping;
};

#endif
