/* routes_local: what tests reach beside the API. */
#include <assert.h>

#include "base/number.h"
#include "local/refuse.h"
#include "local/routes.h"
#include "local/server_state.h"
#include "net/http_server.h"

#define JOURNAL_PAGE 10000

static bool
read_query_number(const struct visit *visit, const char *name, uint64_t fallback, uint64_t *ret,
                  struct err *err)
{
    const char *text = http_server_query(visit->request, name);

    *ret = fallback;
    if (text && !span_to_uint(span_of(text), ret))
        return refuse(err, 400, "%s is a number", name);
    return true;
}

static bool
do_dump(struct visit *visit, struct call *call, const struct json *body UNUSED,
        struct err *err UNUSED)
{
    struct json_writer w = {.out = &visit->answer->body};

    database_dump(call, http_server_query(visit->request, "namespace"), &w);
    return true;
}

static bool
do_journal(struct visit *visit, struct call *call, const struct json *body UNUSED, struct err *err)
{
    struct json_writer w = {.out = &visit->answer->body};
    uint64_t since, limit;

    if (!read_query_number(visit, "since", 0, &since, err) ||
        !read_query_number(visit, "limit", JOURNAL_PAGE, &limit, err))
        return false;
    journal_write(&w, &call->db->journal, since, limit);
    return true;
}

static bool
do_show_faults(struct visit *visit, struct call *call UNUSED, const struct json *body UNUSED,
               struct err *err UNUSED)
{
    struct json_writer w = {.out = &visit->answer->body};

    json_object_begin(&w);
    json_key(&w, SPAN("rules"));
    faults_write(&w, &visit->server->faults);
    json_key(&w, SPAN("pending"));
    json_uint(&w, deferred_pending(&visit->server->deferred));
    json_key(&w, SPAN("requests"));
    json_uint(&w, visit->server->requests);
    json_object_end(&w);
    return true;
}

static bool
do_add_faults(struct visit *visit, struct call *call, const struct json *body, struct err *err)
{
    return faults_add(&visit->server->faults, body, err) && do_show_faults(visit, call, body, err);
}

static bool
do_clear_faults(struct visit *visit, struct call *call, const struct json *body, struct err *err)
{
    faults_clear(&visit->server->faults);
    return do_show_faults(visit, call, body, err);
}

static bool
do_apply(struct visit *visit, struct call *call, const struct json *body UNUSED,
         struct err *err UNUSED)
{
    size_t applied = deferred_apply(&visit->server->deferred, call->db, FAULT_NEVER, call->now_ms);

    buf_putf(&visit->answer->body, "{\"applied\":%zu}", applied);
    return true;
}

static bool
do_reset(struct visit *visit, struct call *call, const struct json *body, struct err *err)
{
    database_clear(call->db);
    deferred_done(&visit->server->deferred);
    faults_clear(&visit->server->faults);
    return do_show_faults(visit, call, body, err);
}

/* A poll counts as a request, so that a write behind a 202 gets its turn. */
static bool
do_async(struct visit *visit, struct call *call, const struct json *body UNUSED, struct err *err)
{
    struct json_writer w = {.out = &visit->answer->body};
    uint64_t number;

    deferred_apply(&visit->server->deferred, call->db, ++visit->server->requests, call->now_ms);
    if (!span_to_uint(visit->ns_name, &number) ||
        !deferred_write_status(&visit->server->deferred, number, &w))
        return refuse(err, 404, "there is no such operation");
    return true;
}

/* clang-format off */
const struct route local_routes[] = {
    {"GET",    "_local/dump",    FAULT_OP_ANY, false, do_dump},
    {"GET",    "_local/journal", FAULT_OP_ANY, false, do_journal},
    {"GET",    "_local/faults",  FAULT_OP_ANY, false, do_show_faults},
    {"POST",   "_local/faults",  FAULT_OP_ANY, true,  do_add_faults},
    {"DELETE", "_local/faults",  FAULT_OP_ANY, false, do_clear_faults},
    {"POST",   "_local/apply",   FAULT_OP_ANY, false, do_apply},
    {"POST",   "_local/reset",   FAULT_OP_ANY, false, do_reset},
    {"GET",    "_local/async/*", FAULT_OP_ANY, false, do_async},
    {0},
};
/* clang-format on */
