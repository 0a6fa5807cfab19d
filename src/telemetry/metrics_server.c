/* metrics_server: two pages for those who watch a run. */
#include "telemetry/metrics_server.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/number.h"
#include "net/http_server.h"
#include "telemetry/metrics.h"

#define ADDRESS_SIZE 300 /* a host name has at most 253 characters (RFC 1035, section 2.3.4) */

struct metrics_server {
    struct metrics_server_args args;
    struct http_server *http;
};

/* ---- pages ---- */

static void
serve_metrics(struct metrics_server *server, struct http_server_answer *answer)
{
    if (server->args.collect)
        server->args.collect(server->args.owner, server->args.metrics);
    answer->status = 200;
    answer->content_type = "text/plain; version=0.0.4; charset=utf-8";
    metrics_render(server->args.metrics, &answer->body);
}

static void
serve_health(struct metrics_server *server, struct http_server_answer *answer)
{
    const char *trouble = server->args.health ? server->args.health(server->args.owner) : NULL;

    answer->status = trouble ? 503 : 200;
    answer->content_type = "text/plain; charset=utf-8";
    buf_putf(&answer->body, "%s\n", trouble ? trouble : "ok");
}

static const struct page {
    const char *path;
    void (*serve)(struct metrics_server *server, struct http_server_answer *answer);
} pages[] = {
    {"/metrics", serve_metrics},
    {"/healthz", serve_health},
};

static const struct page *
page_find(struct span path)
{
    for (size_t i = 0; i < ARRAY_LEN(pages); i++) {
        if (span_eq(path, span_of(pages[i].path)))
            return &pages[i];
    }
    return NULL;
}

static void
handle(void *owner, const struct http_server_request *request, struct http_server_answer *answer)
{
    struct metrics_server *server = owner;
    const struct page *page = page_find(request->path);

    answer->content_type = "text/plain; charset=utf-8";
    if (!page) {
        answer->status = 404;
        buf_put(&answer->body, SPAN("there are /metrics and /healthz\n"));
        return;
    }
    if (!span_eq(request->method, SPAN("GET"))) {
        answer->status = 405;
        http_server_add_field(answer, "Allow", "GET");
        buf_put(&answer->body, SPAN("only GET\n"));
        return;
    }
    page->serve(server, answer);
}

/* ---- open and close ---- */

/* "PORT" gets the loopback address; everything else is the HTTP server's to judge. */
static bool
full_address(const char *listen, char dst[ADDRESS_SIZE], struct err *err)
{
    bool port_only = !strchr(listen, ':');
    uint64_t port;
    int len = snprintf(dst, ADDRESS_SIZE, "%s%s", port_only ? "127.0.0.1:" : "", listen);

    if (len < 0 || len >= ADDRESS_SIZE || listen[0] == ':' ||
        (port_only && (!span_to_uint(span_of(listen), &port) || port > UINT16_MAX)))
        return err_set(err, ERR_CONFIG,
                       "\"%s\" is no address to listen on; write PORT (loopback) or HOST:PORT, as "
                       "in 9187 or 0.0.0.0:9187",
                       listen);
    return true;
}

bool
metrics_server_open(const struct metrics_server_args *args, struct metrics_server **ret,
                    struct err *err)
{
    CLEANUP(metrics_server_closep) struct metrics_server *server = NULL;
    char address[ADDRESS_SIZE];

    assert(args->listen && args->metrics);
    if (!full_address(args->listen, address, err))
        return err_wrap(err, "--metrics-listen");
    server = calloc(1, sizeof(*server));
    if (!server)
        abort();
    server->args = *args;
    if (!http_server_open(
            &(struct http_server_args){
                .listen = address, .body_limit = 1024, .handler = handle, .owner = server},
            &server->http, err))
        return err_wrap(err, "--metrics-listen");
    *ret = server;
    server = NULL;
    return true;
}

void
metrics_server_close(struct metrics_server *server)
{
    if (!server)
        return;
    http_server_close(server->http);
    free(server);
}

void
metrics_server_closep(struct metrics_server **server)
{
    metrics_server_close(*server);
    *server = NULL;
}

const char *
metrics_server_url(const struct metrics_server *server)
{
    return http_server_url(server->http);
}
