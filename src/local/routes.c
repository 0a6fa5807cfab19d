/* routes: the API, and how a request finds its handler. */
#include "local/routes.h"

#include <assert.h>
#include <string.h>

#include "local/export.h"
#include "local/query.h"
#include "local/refuse.h"
#include "local/write.h"
#include "net/http_server.h"

/* ---- handlers ---- */

static bool
do_write(struct visit *visit, struct call *call, const struct json *body, struct err *err)
{
    return write_run(call, visit->ns_name, body, &visit->answer->body, err);
}

static bool
do_query(struct visit *visit, struct call *call, const struct json *body, struct err *err)
{
    return query_run(call, visit->ns_name, body, &visit->answer->body, err);
}

static bool
do_explain(struct visit *visit, struct call *call, const struct json *body, struct err *err)
{
    return query_explain(call, visit->ns_name, body, &visit->answer->body, err);
}

static bool
do_recall(struct visit *visit, struct call *call, const struct json *body, struct err *err)
{
    return query_recall(call, visit->ns_name, body, &visit->answer->body, err);
}

static bool
do_delete(struct visit *visit, struct call *call, const struct json *body UNUSED, struct err *err)
{
    buf_put(&visit->answer->body, SPAN("{\"status\":\"OK\"}"));
    return database_drop(call, visit->ns_name, err);
}

static bool
do_warm(struct visit *visit, struct call *call, const struct json *body UNUSED, struct err *err)
{
    buf_put(&visit->answer->body,
            SPAN("{\"status\":\"ACCEPTED\",\"message\":\"everything is in memory\"}"));
    return database_need(call->db, visit->ns_name, err) != NULL;
}

static bool
do_list(struct visit *visit, struct call *call, const struct json *body UNUSED, struct err *err)
{
    struct json_writer w = {.out = &visit->answer->body};

    return database_list(call, http_server_query(visit->request, "prefix"),
                         http_server_query(visit->request, "cursor"),
                         http_server_query(visit->request, "page_size"), &w, err);
}

static bool
do_export(struct visit *visit, struct call *call, const struct json *body UNUSED, struct err *err)
{
    struct json_writer w = {.out = &visit->answer->body};

    return export_run(call, visit->ns_name, http_server_query(visit->request, "cursor"), &w, err);
}

static bool
do_get_schema(struct visit *visit, struct call *call, const struct json *body UNUSED,
              struct err *err)
{
    struct json_writer w = {.out = &visit->answer->body};
    struct ns *ns = database_need(call->db, visit->ns_name, err);

    if (!ns)
        return false;
    ns_schema_write(&w, &ns->schema, SCHEMA_VIEW_FULL);
    return true;
}

static bool
do_set_schema(struct visit *visit, struct call *call, const struct json *body, struct err *err)
{
    struct ns *ns = database_need(call->db, visit->ns_name, err);
    struct ns_schema changed;

    if (!ns)
        return false;
    if (ns->read_only)
        return refuse(err, 400, "namespace \"%.*s\" is read-only", SPAN_ARG(visit->ns_name));
    changed = ns_schema_copy(&ns->schema, call->arena);
    if (!ns_schema_declare_all(&changed, body, err)) {
        call->conflict = changed.conflict;
        return false;
    }
    ns_schema_adopt(&ns->schema, &changed);
    ns->updated_ms = call->now_ms;
    return do_get_schema(visit, call, body, err);
}

static bool
do_get_metadata(struct visit *visit, struct call *call, const struct json *body UNUSED,
                struct err *err)
{
    struct json_writer w = {.out = &visit->answer->body};
    struct ns *ns = database_need(call->db, visit->ns_name, err);

    if (!ns)
        return false;
    database_write_metadata(&w, ns);
    return true;
}

static bool
do_patch_metadata(struct visit *visit, struct call *call, const struct json *body, struct err *err)
{
    struct ns *ns = database_need(call->db, visit->ns_name, err);

    if (!ns)
        return false;
    return database_patch_metadata(ns, body, err) && do_get_metadata(visit, call, body, err);
}

/* ---- the table ---- */

/* clang-format off */
const struct route api_routes[] = {
    {"POST",   "v2/namespaces/*",                  FAULT_OP_WRITE,            true,  do_write},
    {"DELETE", "v2/namespaces/*",                  FAULT_OP_DELETE_NAMESPACE, false, do_delete},
    {"POST",   "v2/namespaces/*/query",            FAULT_OP_QUERY,            true,  do_query},
    {"POST",   "v2/namespaces/*/explain_query",    FAULT_OP_QUERY,            true,  do_explain},
    {"POST",   "v1/namespaces/*/_debug/recall",    FAULT_OP_QUERY,            true,  do_recall},
    {"GET",    "v1/namespaces/*/schema",           FAULT_OP_SCHEMA,           false, do_get_schema},
    {"POST",   "v1/namespaces/*/schema",           FAULT_OP_SCHEMA,           true,  do_set_schema},
    {"GET",    "v1/namespaces/*/metadata",         FAULT_OP_METADATA,         false, do_get_metadata},
    {"GET",    "v2/namespaces/*/metadata",         FAULT_OP_METADATA,         false, do_get_metadata},
    {"PATCH",  "v1/namespaces/*/metadata",         FAULT_OP_METADATA,         true,  do_patch_metadata},
    {"PATCH",  "v2/namespaces/*/metadata",         FAULT_OP_METADATA,         true,  do_patch_metadata},
    {"GET",    "v1/namespaces/*/hint_cache_warm",  FAULT_OP_WARM,             false, do_warm},
    {"GET",    "v1/namespaces",                    FAULT_OP_LIST,             false, do_list},
    {"GET",    "v1/namespaces/*",                  FAULT_OP_QUERY,            false, do_export},
    {0},
};
/* clang-format on */

/* ---- finding ---- */

/* Cuts the next piece off a route's path. */
static struct span
next_piece(const char **path)
{
    size_t len = strcspn(*path, "/");
    struct span piece = {*path, len};

    *path += len + ((*path)[len] == '/');
    return piece;
}

static bool
path_matches(const char *path, const struct http_server_request *request, struct span *ret_ns)
{
    for (size_t i = 0; i < request->segment_count; i++) {
        struct span piece = next_piece(&path);

        if (piece.len == 0)
            return false;
        if (span_eq(piece, SPAN("*")))
            *ret_ns = request->segments[i];
        else if (!span_eq(piece, request->segments[i]))
            return false;
    }
    return *path == '\0';
}

const struct route *
route_find(const struct route *table, const struct http_server_request *request,
           struct span *ret_ns_name, bool *ret_known)
{
    assert(table->method);
    *ret_known = false;
    if (request->segment_count > HTTP_SERVER_SEGMENTS_MAX)
        return NULL;
    for (const struct route *route = table; route->method; route++) {
        struct span ns_name = {0};

        if (!path_matches(route->path, request, &ns_name))
            continue;
        *ret_known = true;
        if (!span_eq(request->method, span_of(route->method)))
            continue;
        *ret_ns_name = ns_name;
        return route;
    }
    return NULL;
}
