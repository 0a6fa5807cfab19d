/* server: routes, keys, status codes and every fault, over HTTP. */
#include "local/server.h"

#include "base/clock.h"
#include "net/http.h"
#include "unit/local/bench.h"

struct fixture {
    struct arena *arena;
    struct local_server *server;
    struct http *http;
    struct http_response response; /* of the last request */
};

static void
open_fixture(struct fixture *f, int64_t latency_ms)
{
    struct local_server_args args = {.listen = "127.0.0.1:0",
                                     .limits = limits_small,
                                     .latency_ms = latency_ms,
                                     .journal_size = 100};
    struct err err;

    *f = (struct fixture){.arena = arena_new("test"),
                          .http = http_open(&(struct http_settings){.connect_timeout_ms = 2000})};
    CHECK_OK(local_server_open(&args, &f->server, &err), err);
}

static void
close_fixture(struct fixture *f)
{
    http_close(f->http);
    local_server_close(f->server);
    arena_free(f->arena);
}

/* "STATUS body", or "lost" when no answer came. */
static const char *
ask_with(struct fixture *f, const char *key, const char *method, const char *path, const char *body)
{
    struct span text = quoted(f->arena, body ? body : "");
    char url[256], answer[8192];
    const char *headers[] = {key, NULL};
    struct http_request request = {
        .method = method,
        .url = url,
        .headers = headers,
        .body = &text,
        .body_count = body ? 1 : 0,
        .deadline_ms = clock_mono_ms() + 10000,
        .cancel_fd = -1,
    };
    struct err err;

    snprintf(url, sizeof(url), "%s%s", local_server_url(f->server), path);
    if (!http_send(f->http, &request, &f->response, &err))
        return "lost";
    snprintf(answer, sizeof(answer), "%d %.*s", f->response.status, SPAN_ARG(f->response.body));
    return arena_strdup(f->arena, answer);
}

static const char *
ask(struct fixture *f, const char *method, const char *path, const char *body)
{
    return ask_with(f, "Authorization: Bearer tpuf_x", method, path, body);
}

static void
script(struct fixture *f, const char *rules)
{
    const char *got = ask(f, "POST", "/_local/faults", rules);

    if (strncmp(got, "200 ", 4) != 0)
        fail_msg("%s: %s", rules, got);
}

static void
check_starts(const char *got, const char *want, const char *what)
{
    if (strncmp(got, want, strlen(want)) != 0)
        fail_msg("%s: got %s, want %s", what, got, want);
}

#define UPSERT "{'upsert_rows':[{'id':1,'a':'x'}]}"
#define NS     "/v2/namespaces/ns"

static void
routes(void **state UNUSED)
{
    /* clang-format off */
    static const struct { const char *method, *path, *body, *want; } cases[] = {
        {"GET",    "/v1/namespaces",                       NULL,   "200 {\"namespaces\":[]}"},
        {"POST",   NS,                                     UPSERT, "200 {\"status\":\"OK\""},
        {"POST",   NS "?stainless_overload=x",             UPSERT, "200 {\"status\":\"OK\""},
        {"POST",   NS "/query",       "{'rank_by':['id','asc']}",  "200 {\"rows\":[{\"id\":1}]"},
        {"POST",   NS "/explain_query", "{'rank_by':['id','asc']}", "200 {\"plan_text\":"},
        {"POST",   "/v1/namespaces/ns/_debug/recall",      "{}",   "400 {\"status\":\"error\",\"error\":\"recall needs a dense vector\"}"},
        {"GET",    "/v1/namespaces/ns/schema",             NULL,   "200 {\"id\":{\"type\":\"uint\""},
        {"POST",   "/v1/namespaces/ns/schema", "{'b':'int'}",      "200 {\"id\":{\"type\":\"uint\""},
        {"POST",   "/v1/namespaces/ns/schema", "{'a':'int'}",
         "400 {\"status\":\"error\",\"error\":\"schema: attribute \\\"a\\\": its type is string and cannot become int\",\"attribute\":\"a\"}"},
        {"POST",   "/v1/namespaces/ns/schema", "{'schema':{'a':'int'}}", "422 "},
        {"GET",    "/v1/namespaces/ns/metadata",           NULL,   "200 {\"schema\":"},
        {"GET",    NS "/metadata",                         NULL,   "200 {\"schema\":"},
        {"PATCH",  "/v1/namespaces/ns/metadata", "{'read_only':true}", "200 {\"schema\":"},
        {"POST",   NS,                                     UPSERT, "400 {\"status\":\"error\",\"error\":\"namespace \\\"ns\\\" is read-only\"}"},
        {"POST",   "/v1/namespaces/ns/schema", "{'c':'int'}",      "400 "},
        {"GET",    "/v1/namespaces/ns/hint_cache_warm",    NULL,   "200 {\"status\":\"ACCEPTED\""},
        {"GET",    "/v1/namespaces/ns",                    NULL,   "200 {\"ids\":[1],\"vectors\":[null],\"attributes\":{\"a\":[\"x\"],\"b\":[null]},\"next_cursor\":null}"},
        {"GET",    "/v1/namespaces/ns?cursor=x",           NULL,   "400 {"},
        {"GET",    "/v1/namespaces?prefix=n&page_size=1",  NULL,   "200 {\"namespaces\":[{\"id\":\"ns\"}]}"},
        {"GET",    "/v1/namespaces?page_size=x",           NULL,   "400 {"},
        {"DELETE", NS,                                     NULL,   "200 {\"status\":\"OK\"}"},
        /* gone */
        {"DELETE", NS,                                     NULL,   "404 {\"status\":\"error\",\"error\":\"namespace \\\"ns\\\" was not found\"}"},
        {"POST",   NS "/query",       "{'rank_by':['id','asc']}",  "404 {"},
        {"GET",    "/v1/namespaces/ns/schema",             NULL,   "404 {"},
        {"POST",   "/v1/namespaces/ns/schema", "{'c':'int'}",      "404 {"},
        {"GET",    "/v1/namespaces/ns/metadata",           NULL,   "404 {"},
        {"PATCH",  "/v1/namespaces/ns/metadata", "{'read_only':true}", "404 {"},
        {"GET",    "/v1/namespaces/ns/hint_cache_warm",    NULL,   "404 {"},
        /* JSON that is none */
        {"POST",   NS,                                     "{",    "400 {\"status\":\"error\",\"error\":\"malformed JSON"},
        {"POST",   NS,                                     "",     "400 {\"status\":\"error\",\"error\":\"malformed JSON"},
        /* what is wrong with the URL is told in plain text */
        {"POST",   "/v2/namespaces/a%20b",                 UPSERT, "400 a namespace name has 1 to 128 characters"},
        {"POST",   "/v2/namespaces/a%2Fb",                 UPSERT, "400 a namespace name has 1 to 128 characters"},
        {"POST",   "/v2/namespaces/",                      UPSERT, "400 a namespace name has 1 to 128 characters"},
        {"GET",    "/v3/namespaces/ns",                    NULL,   "404 there is nothing at this path"},
        {"GET",    "/",                                    NULL,   "404 there is nothing at this path"},
        {"GET",    "/1/2/3/4/5/6/7/8/9/10",                NULL,   "404 there is nothing at this path"},
        {"GET",    "/v1/namespaces/ns",                    NULL,   "404 {"},
        {"DELETE", "/v1/namespaces",                       NULL,   "405 method not allowed"},
        {"GET",    "/_local/nothing",                      NULL,   "404 there is nothing at this path"},
        {"DELETE", "/_local/dump",                         NULL,   "405 method not allowed"},
        {"GET",    "/_local/journal?since=x",              NULL,   "400 {"},
        {"GET",    "/_local/async/0",                      NULL,   "404 {"},
    };
    /* clang-format on */
    struct fixture f;

    open_fixture(&f, 0);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        check_starts(ask(&f, cases[i].method, cases[i].path, cases[i].body), cases[i].want,
                     cases[i].path);
    close_fixture(&f);
}

static void
keys(void **state UNUSED)
{
    static const char *const bad[] = {"X-Nothing: x", "Authorization: tpuf_x",
                                      "Authorization: Basic dTpw", "Authorization: Bearer "};
    struct fixture f;

    open_fixture(&f, 0);
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        check_starts(ask_with(&f, bad[i], "POST", NS, UPSERT), "401 {\"status\":\"error\"", bad[i]);
    check_starts(ask_with(&f, "authorization: bearer any", "POST", NS, UPSERT), "200 ", "any case");
    check_starts(ask_with(&f, "X-Nothing: x", "GET", "/_local/dump", NULL), "200 ",
                 "no key needed");
    close_fixture(&f);
}

static void
large_requests(void **state UNUSED)
{
    struct fixture f;
    char *body;

    open_fixture(&f, 0);
    body = arena_alloc(f.arena, limits_small.request_bytes + 2);
    memset(body, ' ', limits_small.request_bytes + 1);
    check_starts(ask(&f, "POST", NS, body), "413 the request body is too large", "too large");
    memcpy(body, "{\"deletes\":[]}", 14);
    body[limits_small.request_bytes] = '\0';
    check_starts(ask(&f, "POST", NS, body), "200 ", "just right");
    close_fixture(&f);
}

static void
faults_answer_and_reset(void **state UNUSED)
{
    struct fixture f;

    open_fixture(&f, 0);
    script(&f, "[{'action':'status','status':429,'retry_after_ms':50},"
               "{'action':'status','status':503,'retry_after':'2','plain':true,'error':'upstream'},"
               "{'action':'reset_before'},{'action':'reset_after'}]");
    check_text(f.arena, ask(&f, "POST", NS, UPSERT),
               "429 {'status':'error','error':'the fault script says so'}", "429");
    CHECK_INT(f.response.retry_after_ms, 50);
    CHECK_STR(ask(&f, "POST", NS, UPSERT), "503 upstream");
    CHECK_INT(f.response.retry_after_ms, 2000);
    CHECK_STR(ask(&f, "POST", NS, UPSERT), "lost");
    check_text(f.arena, ask(&f, "GET", "/_local/dump", NULL), "200 {}", "not applied");
    CHECK_STR(ask(&f, "POST", NS, UPSERT), "lost");
    check_text(f.arena, ask(&f, "GET", "/_local/dump?namespace=ns", NULL),
               "200 {'ns':[{'id':1,'a':'x'}]}", "applied");
    check_text(f.arena, ask(&f, "GET", "/_local/dump?namespace=other", NULL), "200 {}", "other");
    check_text(f.arena, ask(&f, "GET", "/_local/faults", NULL),
               "200 {'rules':[{'action':'status','seen':4,'fired':1},{'action':'status','seen':4,"
               "'fired':1},{'action':'reset_before','seen':4,'fired':1},{'action':'reset_after',"
               "'seen':4,'fired':1}],'pending':0,'requests':4}",
               "rules");
    close_fixture(&f);
}

static void
faults_delay(void **state UNUSED)
{
    struct fixture f;
    int64_t start;

    open_fixture(&f, 30);
    start = clock_mono_ms();
    check_starts(ask(&f, "POST", NS, UPSERT), "200 ", "latency");
    CHECK(clock_mono_ms() - start >= 30);
    script(&f, "[{'action':'delay','delay_ms':100}]");
    start = clock_mono_ms();
    check_starts(ask(&f, "POST", NS, UPSERT), "200 ", "delay");
    CHECK(clock_mono_ms() - start >= 130);
    close_fixture(&f);
}

/* A server that is told to stop does not sit out a delay. */
static void
stopping_cuts_delays_short(void **state UNUSED)
{
    struct fixture f;
    struct http_request request = {.method = "GET", .cancel_fd = -1};
    const char *headers[] = {"Authorization: Bearer x", NULL};
    char url[128];
    struct http_response response;
    int64_t start = clock_mono_ms();
    struct err err;

    open_fixture(&f, 0);
    script(&f, "[{'action':'delay','delay_ms':600000}]");
    snprintf(url, sizeof(url), "%s/v1/namespaces", local_server_url(f.server));
    request.url = url;
    request.headers = headers;
    request.deadline_ms = clock_mono_ms() + 200;
    CHECK(!http_send(f.http, &request, &response, &err));
    close_fixture(&f);
    CHECK(clock_mono_ms() - start < 30000);
}

static void
faults_accept_with_202(void **state UNUSED)
{
    struct fixture f;

    open_fixture(&f, 0);
    script(&f, "[{'action':'accepted_202','apply_after':2},{'action':'accepted_202'}]");
    check_text(f.arena, ask(&f, "POST", NS, UPSERT), "202 {'status':'running'}", "202");
    check_text(f.arena, ask(&f, "GET", "/_local/dump", NULL), "200 {}", "not yet");
    check_text(f.arena, ask(&f, "GET", "/_local/async/0", NULL), "200 {'status':'running'}", "1");
    check_starts(ask(&f, "GET", "/_local/async/0", NULL),
                 "200 {\"status\":\"finished\",\"result\":{\"success\":{\"status\":\"OK\"", "2");
    check_text(f.arena, ask(&f, "GET", "/_local/dump", NULL), "200 {'ns':[{'id':1,'a':'x'}]}",
               "applied");
    check_starts(ask(&f, "POST", NS, "{'deletes':[1,1]}"), "202 ", "202");
    check_starts(ask(&f, "GET", "/_local/async/1", NULL),
                 "200 {\"status\":\"finished\",\"result\":{\"error\":{\"status_code\":400,", "400");
    close_fixture(&f);
}

static void
faults_apply_later(void **state UNUSED)
{
    struct fixture f;

    open_fixture(&f, 0);
    script(&f, "[{'action':'apply_later','apply_after':2},{'action':'apply_later'}]");
    CHECK_STR(ask(&f, "POST", NS, UPSERT), "lost");
    CHECK_STR(ask(&f, "POST", NS, "{'upsert_rows':[{'id':2}]}"), "lost"); /* one more */
    check_text(f.arena, ask(&f, "GET", "/_local/dump", NULL), "200 {}", "not yet");
    check_starts(ask(&f, "GET", "/v1/namespaces", NULL), "200 ", "two more");
    check_text(f.arena, ask(&f, "GET", "/_local/dump", NULL), "200 {'ns':[{'id':1,'a':'x'}]}",
               "applied");
    check_starts(ask(&f, "DELETE", "/_local/faults", NULL), "200 {\"rules\":[],\"pending\":1,",
                 "no more rules, still one write");
    check_text(f.arena, ask(&f, "POST", "/_local/apply", NULL), "200 {'applied':1}", "apply");
    check_text(f.arena, ask(&f, "GET", "/_local/dump", NULL),
               "200 {'ns':[{'id':1,'a':'x'},{'id':2}]}", "both");
    check_text(f.arena, ask(&f, "POST", "/_local/reset", NULL),
               "200 {'rules':[],'pending':0,'requests':3}", "reset");
    check_text(f.arena, ask(&f, "GET", "/_local/dump", NULL), "200 {}", "empty");
    check_text(f.arena, ask(&f, "GET", "/_local/journal", NULL),
               "200 {'entries':[],'last':0,'dropped':0,'regressions':0,'first_regression':null}",
               "empty");
    close_fixture(&f);
}

static void
a_bad_script_is_refused(void **state UNUSED)
{
    struct fixture f;

    open_fixture(&f, 0);
    check_text(f.arena, ask(&f, "POST", "/_local/faults", "[{}]"),
               "400 {'status':'error','error':'rule 0: a rule needs an \\'action\\''}", "script");
    close_fixture(&f);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(routes),
        cmocka_unit_test(keys),
        cmocka_unit_test(large_requests),
        cmocka_unit_test(faults_answer_and_reset),
        cmocka_unit_test(faults_delay),
        cmocka_unit_test(stopping_cuts_delays_short),
        cmocka_unit_test(faults_accept_with_202),
        cmocka_unit_test(faults_apply_later),
        cmocka_unit_test(a_bad_script_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
