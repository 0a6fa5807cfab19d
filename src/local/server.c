/* server: requests to calls; faults on the way. */
#include "local/server.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>
#include <time.h>

#include "base/clock.h"
#include "local/refuse.h"
#include "local/reply.h"
#include "local/routes.h"
#include "local/server_state.h"
#include "net/http_server.h"

/* ---- answers ---- */

static void
answer_plainly(struct http_server_answer *answer, int status, const char *text)
{
    answer->status = status;
    answer->content_type = "text/plain; charset=utf-8";
    buf_clear(&answer->body);
    buf_putf(&answer->body, "%s", text);
}

static void
answer_refusal(struct http_server_answer *answer, const struct err *err, struct span attribute)
{
    buf_clear(&answer->body);
    answer->status = reply_refusal(err, attribute, &answer->body);
}

/* ---- waiting ---- */

/* Until the time is up or the server stops. */
static void
wait_ms(struct local_server *server, int64_t ms)
{
    struct timespec until;

    if (ms <= 0)
        return;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += ms / 1000;
    until.tv_nsec += ms % 1000 * 1000000;
    until.tv_sec += until.tv_nsec / 1000000000;
    until.tv_nsec %= 1000000000;
    pthread_mutex_lock(&server->stop_lock);
    while (!server->stopping &&
           pthread_cond_timedwait(&server->stop_cond, &server->stop_lock, &until) != ETIMEDOUT)
        ;
    pthread_mutex_unlock(&server->stop_lock);
}

/* ---- carrying out a request ---- */

static struct call
make_call(struct visit *visit)
{
    return (struct call){
        .db = &visit->server->db,
        .arena = visit->request->arena,
        .request = visit->number,
        .now_ms = clock_wall_ms(),
    };
}

static void
carry_out(struct visit *visit, const struct route *route)
{
    struct call call = make_call(visit);
    struct json *body = NULL;
    struct err err;
    bool good =
        !route->has_body || json_parse(visit->request->body, visit->request->arena, &body, &err);

    visit->answer->status = 200;
    if (good) {
        pthread_mutex_lock(&visit->server->lock);
        good = route->handler(visit, &call, body, &err);
        pthread_mutex_unlock(&visit->server->lock);
    }
    if (!good)
        answer_refusal(visit->answer, &err, call.conflict);
}

static void
answer_status(struct visit *visit, const struct fault *fault)
{
    struct http_server_answer *answer = visit->answer;
    struct arena *arena = visit->request->arena;
    const char *text = fault->error[0] ? fault->error : "the fault script says so";
    struct err err;

    if (fault->retry_after[0])
        http_server_add_field(answer, "retry-after", arena_strdup(arena, fault->retry_after));
    if (fault->retry_after_ms[0])
        http_server_add_field(answer, "retry-after-ms", arena_strdup(arena, fault->retry_after_ms));
    if (fault->plain) {
        answer_plainly(answer, (int)fault->status, text);
        return;
    }
    refuse(&err, (int)fault->status, "%s", text);
    answer_refusal(answer, &err, (struct span){0});
}

/* Keeps the write for later; the number to poll with. */
static bool
put_off(struct visit *visit, const struct fault *fault, size_t *ret)
{
    struct local_server *server = visit->server;
    bool polled = fault->action == FAULT_ACCEPTED_202;
    uint64_t due =
        fault->apply_after == FAULT_NEVER ? FAULT_NEVER : visit->number + fault->apply_after;
    struct err err;
    bool good;

    assert(fault->action == FAULT_ACCEPTED_202 || fault->action == FAULT_APPLY_LATER);
    pthread_mutex_lock(&server->lock);
    good = deferred_add(&server->deferred, visit->ns_name, visit->request->body, due, polled, ret,
                        &err);
    pthread_mutex_unlock(&server->lock);
    if (!good)
        answer_refusal(visit->answer, &err, (struct span){0});
    return good;
}

static void
accept_202(struct visit *visit, const struct fault *fault)
{
    char *location = arena_alloc(visit->request->arena, 64);
    size_t number;

    if (!put_off(visit, fault, &number))
        return;
    snprintf(location, 64, "/_local/async/%zu", number);
    visit->answer->status = 202;
    http_server_add_field(visit->answer, "preference-applied", "respond-async");
    http_server_add_field(visit->answer, "location", location);
    buf_put(&visit->answer->body, SPAN("{\"status\":\"running\"}"));
}

static void
carry_out_with(struct visit *visit, const struct route *route, const struct fault *fault)
{
    size_t ignored;

    switch (fault->action) {
    case FAULT_NONE:
        carry_out(visit, route);
        return;
    case FAULT_DELAY:
        wait_ms(visit->server, (int64_t)fault->delay_ms);
        carry_out(visit, route);
        return;
    case FAULT_STATUS:
        answer_status(visit, fault);
        return;
    case FAULT_RESET_BEFORE:
        visit->answer->reset = true;
        return;
    case FAULT_RESET_AFTER:
        carry_out(visit, route);
        visit->answer->reset = true;
        return;
    case FAULT_ACCEPTED_202:
        accept_202(visit, fault);
        return;
    case FAULT_APPLY_LATER:
        visit->answer->reset = put_off(visit, fault, &ignored);
        return;
    }
}

static bool
has_key(const struct http_server_request *request)
{
    const char *value = http_server_header(request, "Authorization");

    return value && strncasecmp(value, "Bearer ", 7) == 0 && value[7] != '\0';
}

static void
apply_due(struct local_server *server, uint64_t now)
{
    deferred_apply(&server->deferred, &server->db, now, clock_wall_ms());
}

static void
handle_route(struct visit *visit, const struct route *route)
{
    struct local_server *server = visit->server;
    struct fault fault;

    pthread_mutex_lock(&server->lock);
    visit->number = ++server->requests;
    fault = faults_pick(&server->faults, visit->ns_name, route->op);
    pthread_mutex_unlock(&server->lock);

    wait_ms(server, server->args.latency_ms);
    carry_out_with(visit, route, &fault);

    pthread_mutex_lock(&server->lock);
    apply_due(server, visit->number);
    pthread_mutex_unlock(&server->lock);
}

static void
handle_api(struct visit *visit, const struct route *route)
{
    struct err err;

    if (!has_key(visit->request)) {
        refuse(&err, 401, "the header Authorization: Bearer KEY is missing");
        answer_refusal(visit->answer, &err, (struct span){0});
    } else if (route->op != FAULT_OP_LIST && !database_name_ok(visit->ns_name)) {
        answer_plainly(visit->answer, 400,
                       "a namespace name has 1 to 128 characters of A-Z a-z 0-9 - _ .");
    } else {
        handle_route(visit, route);
    }
}

static void
handle(void *owner, const struct http_server_request *request, struct http_server_answer *answer)
{
    struct visit visit = {.server = owner, .request = request, .answer = answer};
    bool local = request->segment_count > 0 && span_eq(request->segments[0], SPAN("_local"));
    bool known = false;
    const struct route *route =
        route_find(local ? local_routes : api_routes, request, &visit.ns_name, &known);

    if (!route && known)
        answer_plainly(answer, 405, "method not allowed");
    else if (!route)
        answer_plainly(answer, 404, "there is nothing at this path");
    else if (local)
        carry_out(&visit, route);
    else
        handle_api(&visit, route);
}

/* ---- life ---- */

static void
init_locks(struct local_server *server)
{
    pthread_condattr_t attributes;

    pthread_mutex_init(&server->lock, NULL);
    pthread_mutex_init(&server->stop_lock, NULL);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&server->stop_cond, &attributes);
    pthread_condattr_destroy(&attributes);
}

bool
local_server_open(const struct local_server_args *args, struct local_server **ret, struct err *err)
{
    CLEANUP(local_server_closep) struct local_server *server = calloc(1, sizeof(*server));
    struct http_server_args http = {
        .listen = args->listen,
        .body_limit = args->limits.request_bytes,
        .handler = handle,
        .owner = server,
    };

    assert(args->journal_size > 0 && args->latency_ms >= 0);
    if (!server)
        abort();
    server->args = *args;
    init_locks(server);
    database_init(&server->db, &args->limits, (size_t)args->journal_size);
    if (!http_server_open(&http, &server->http, err))
        return false;
    *ret = server;
    server = NULL;
    return true;
}

static void
stop_waiting(struct local_server *server)
{
    pthread_mutex_lock(&server->stop_lock);
    server->stopping = true;
    pthread_cond_broadcast(&server->stop_cond);
    pthread_mutex_unlock(&server->stop_lock);
}

void
local_server_close(struct local_server *server)
{
    if (!server)
        return;
    stop_waiting(server);
    http_server_close(server->http);
    database_done(&server->db);
    deferred_done(&server->deferred);
    pthread_cond_destroy(&server->stop_cond);
    pthread_mutex_destroy(&server->stop_lock);
    pthread_mutex_destroy(&server->lock);
    free(server);
}

void
local_server_closep(struct local_server **server)
{
    local_server_close(*server);
    *server = NULL;
}

const char *
local_server_url(const struct local_server *server)
{
    return http_server_url(server->http);
}
