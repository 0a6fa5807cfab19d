/* metrics_server: its two pages, over a real connection. */
#include "telemetry/metrics_server.h"

#include "base/clock.h"
#include "harness/check.h"
#include "net/http.h"
#include "telemetry/metrics.h"

struct fixture {
    struct metrics *metrics;
    struct metrics_server *server;
    struct http *http;
    struct http_response response;
    const char *trouble;
    int64_t events;
    struct err err;
};

static void
collect(void *owner, struct metrics *metrics)
{
    struct fixture *f = owner;

    metrics_set(metrics, METRIC_EVENTS, NULL, f->events);
}

static const char *
health(void *owner)
{
    return ((struct fixture *)owner)->trouble;
}

static struct fixture shared;

static int
setup(void **state)
{
    struct fixture *f = &shared;

    *f = (struct fixture){.metrics = metrics_new()};
    CHECK_OK(metrics_server_open(&(struct metrics_server_args){.listen = "0",
                                                               .metrics = f->metrics,
                                                               .collect = collect,
                                                               .health = health,
                                                               .owner = f},
                                 &f->server, &f->err),
             f->err);
    f->http = http_open(&(struct http_settings){.connect_timeout_ms = 10000});
    *state = f;
    return 0;
}

static int
teardown(void **state)
{
    struct fixture *f = *state;

    http_close(f->http);
    metrics_server_closep(&f->server);
    metrics_freep(&f->metrics);
    return 0;
}

static void
ask(struct fixture *f, const char *method, const char *path)
{
    char url[200];

    snprintf(url, sizeof(url), "%s%s", metrics_server_url(f->server), path);
    CHECK_OK(http_send(f->http,
                       &(struct http_request){.method = method,
                                              .url = url,
                                              .deadline_ms = clock_mono_ms() + 10000,
                                              .cancel_fd = -1},
                       &f->response, &f->err),
             f->err);
}

static void
metrics_are_collected_at_each_scrape(void **state)
{
    struct fixture *f = *state;

    f->events = 41;
    ask(f, "GET", "/metrics");
    CHECK_INT(f->response.status, 200);
    CHECK(memmem(f->response.body.ptr, f->response.body.len, "\npuffgres_events_total 41\n", 26));
    f->events = 42;
    ask(f, "GET", "/metrics");
    CHECK(memmem(f->response.body.ptr, f->response.body.len, "\npuffgres_events_total 42\n", 26));
}

static void
health_says_what_is_wrong(void **state)
{
    struct fixture *f = *state;

    ask(f, "GET", "/healthz");
    CHECK_INT(f->response.status, 200);
    CHECK_SPAN(f->response.body, "ok\n");
    f->trouble = "the source is not connected";
    ask(f, "GET", "/healthz");
    CHECK_INT(f->response.status, 503);
    CHECK_SPAN(f->response.body, "the source is not connected\n");
}

static void
there_is_nothing_else(void **state)
{
    static const struct {
        const char *method, *path;
        int want_status;
    } cases[] = {
        {"GET", "/", 404},         {"GET", "/metrics/", 404},
        {"GET", "/metric", 404},   {"GET", "/metrics?a=1", 200},
        {"POST", "/metrics", 405}, {"DELETE", "/healthz", 405},
    };
    struct fixture *f = *state;

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        ask(f, cases[i].method, cases[i].path);
        if (f->response.status != cases[i].want_status)
            fail_msg("%s %s: got %d, want %d", cases[i].method, cases[i].path, f->response.status,
                     cases[i].want_status);
    }
}

static void
without_a_host_it_is_loopback(void **state)
{
    struct fixture *f = *state;

    CHECK(strncmp(metrics_server_url(f->server), "http://127.0.0.1:", 17) == 0);
}

static void
addresses_are_judged(void **state)
{
    static const char *const bad[] = {"", ":9187", "port", "-1", "65536", "9187x", "host"};
    struct fixture *f = *state;
    struct metrics_server *server;

    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        CLEANUP(buf_free) struct buf want = buf_make(300);

        buf_putf(&want,
                 "--metrics-listen: \"%s\" is no address to listen on; write PORT (loopback) or "
                 "HOST:PORT, as in 9187 or 0.0.0.0:9187",
                 bad[i]);
        CHECK_FAILS(metrics_server_open(
                        &(struct metrics_server_args){.listen = bad[i], .metrics = f->metrics},
                        &server, &f->err),
                    f->err, ERR_CONFIG, want.ptr);
    }
    /* what is taken */
    CHECK(!metrics_server_open(
        &(struct metrics_server_args){.listen = metrics_server_url(f->server) + strlen("http://"),
                                      .metrics = f->metrics},
        &server, &f->err));
    CHECK_INT(f->err.kind, ERR_CONFIG);
    CHECK(strstr(f->err.text, "--metrics-listen: cannot listen on 127.0.0.1:"));
}

static void
nobody_has_to_collect(void **state)
{
    struct fixture *f = *state;
    CLEANUP(metrics_server_closep) struct metrics_server *plain = NULL;
    struct metrics_server *first = f->server;

    CHECK_OK(metrics_server_open(
                 &(struct metrics_server_args){.listen = "127.0.0.1:0", .metrics = f->metrics},
                 &plain, &f->err),
             f->err);
    f->server = plain;
    ask(f, "GET", "/metrics");
    CHECK_INT(f->response.status, 200);
    ask(f, "GET", "/healthz");
    CHECK_INT(f->response.status, 200);
    f->server = first;
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(metrics_are_collected_at_each_scrape),
        TEST(health_says_what_is_wrong),
        TEST(there_is_nothing_else),
        TEST(without_a_host_it_is_loopback),
        TEST(addresses_are_judged),
        TEST(nobody_has_to_collect),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
