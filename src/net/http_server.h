#ifndef NET_HTTP_SERVER_H
#define NET_HTTP_SERVER_H

/*
 * A small HTTP/1.1 server (libmicrohttpd): one callback per complete request.
 *
 * Bodies are collected whole, gunzipped when they come with Content-Encoding: gzip, and bounded
 * before and after unpacking; a body over the bound is answered 413 without calling the handler.
 * Answers are gzipped when the client accepts it and it pays.  Connections are kept alive.
 *
 *     static void
 *     handle(void *owner, const struct http_server_request *request,
 *            struct http_server_answer *answer)
 *     {
 *         answer->status = 200;
 *         buf_put(&answer->body, SPAN("ok\n"));
 *     }
 *
 *     struct http_server_args args = {.listen = "127.0.0.1:0", .handler = handle};
 *     struct http_server *server;
 *
 *     if (!http_server_open(&args, &server, err))
 *         return false;
 *
 * Threads: the handler runs on one thread per connection, so it may block; `owner` is shared by
 * all of them and guards itself.  http_server_close() waits for handlers that are running.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/span.h"

#define HTTP_SERVER_SEGMENTS_MAX 8
#define HTTP_SERVER_FIELDS_MAX   8

struct MHD_Connection;
struct http_server;

struct http_server_request {
    struct span method;
    struct span path; /* as sent, percent signs and all, without the query */

    /* The path cut at its slashes, each piece percent-decoded: "/v1/a%2Fb" is {"v1", "a/b"}.
     * A longer path than the array holds has segment_count = HTTP_SERVER_SEGMENTS_MAX + 1. */
    struct span segments[HTTP_SERVER_SEGMENTS_MAX];
    size_t segment_count;

    struct span body;
    struct arena *arena; /* lives until the answer is handed over */
    struct MHD_Connection *connection;
};

struct http_server_field {
    const char *name;
    const char *value;
};

struct http_server_answer {
    int status;
    const char *content_type; /* NULL: application/json */

    /* Further headers; the texts must live in the request's arena or be literals. */
    struct http_server_field fields[HTTP_SERVER_FIELDS_MAX];
    size_t field_count;

    struct buf body; /* empty at the call, limit set; the server frees it */

    bool reset; /* no answer: drop the connection with a TCP reset */
};

typedef void http_server_handler(void *owner, const struct http_server_request *request,
                                 struct http_server_answer *answer);

struct http_server_args {
    const char *listen; /* "HOST:PORT", "[::1]:PORT"; port 0: any free one */
    size_t body_limit;  /* request bodies, packed and unpacked; 0: 1 MiB */
    http_server_handler *handler;
    void *owner;
};

/* ERR_CONFIG for an address that cannot be had. */
MUST_CHECK bool http_server_open(const struct http_server_args *args, struct http_server **ret,
                                 struct err *err);
void http_server_close(struct http_server *server); /* NULL is fine */
void http_server_closep(struct http_server **server);

uint16_t http_server_port(const struct http_server *server);

/* "http://127.0.0.1:41234": where a client on this machine reaches it. */
const char *http_server_url(const struct http_server *server);

/* ---- for handlers ---- */

/* A header's value, names compared without case; a query argument, percent-decoded.  NULL when
 * absent. */
const char *http_server_header(const struct http_server_request *request, const char *name);
const char *http_server_query(const struct http_server_request *request, const char *name);

void http_server_add_field(struct http_server_answer *answer, const char *name, const char *value);

#endif
