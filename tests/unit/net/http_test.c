/* http: what is sent, what is understood, and what is admitted when it fails. */
#include "net/http.h"

#include <pthread.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/clock.h"
#include "harness/check.h"
#include "harness/scripted_http.h"

static const struct http_settings settings = {.connect_timeout_ms = 2000, .answer_limit = 4096};

static struct http_request
post(const char *url, const struct span *body)
{
    return (struct http_request){
        .method = "POST",
        .url = url,
        .body = body,
        .body_count = 1,
        .deadline_ms = clock_mono_ms() + 5000,
        .cancel_fd = -1,
    };
}

static void
sends_method_headers_and_pieces(void **state UNUSED)
{
    CLEANUP(scripted_http_stopp) struct scripted_http *peer = scripted_http_start(NULL, 0);
    CLEANUP(http_closep) struct http *http = http_open(&settings);
    struct span pieces[] = {SPAN("{\"a\":"), SPAN(""), SPAN("1"), SPAN("}")};
    static const char *const headers[] = {"Authorization: Bearer x", NULL};
    struct http_request request = post(scripted_http_url(peer), pieces);
    struct http_response response;
    struct scripted_request got;
    struct err err = {0};

    request.body_count = ARRAY_LEN(pieces);
    request.headers = headers;
    request.gzip = true; /* too short for it */
    CHECK_OK(http_send(http, &request, &response, &err), err);
    CHECK_INT(response.status, 200);
    CHECK(response.connected && response.sent);
    CHECK_INT(response.sent_bytes, 7);
    CHECK_SPAN(response.body, "{\"status\":\"OK\"}");

    got = scripted_http_request(peer, 0);
    CHECK(strncmp(got.head.ptr, "POST / HTTP/1.1\r\n", 17) == 0);
    CHECK(scripted_request_has(&got, "authorization: Bearer x"));
    CHECK(scripted_request_has(&got, "user-agent: puffgres/" WALLABY_VERSION));
    CHECK(scripted_request_has(&got, "accept-encoding: gzip"));
    CHECK(!scripted_request_has(&got, "content-encoding: gzip"));
    CHECK_SPAN(got.body, "{\"a\":1}");
}

static void
keeps_the_connection_and_sends_other_methods(void **state UNUSED)
{
    CLEANUP(scripted_http_stopp) struct scripted_http *peer = scripted_http_start(NULL, 0);
    CLEANUP(http_closep) struct http *http = http_open(&settings);
    static const char *const methods[] = {"POST", "GET", "DELETE", "PATCH"};
    struct span body = SPAN("x");
    struct err err = {0};

    for (size_t i = 0; i < ARRAY_LEN(methods); i++) {
        struct http_request request = post(scripted_http_url(peer), &body);
        struct http_response response;
        struct scripted_request got;

        request.method = methods[i];
        request.body_count = i == 0;
        CHECK_OK(http_send(http, &request, &response, &err), err);
        CHECK(response.sent);
        got = scripted_http_request(peer, i);
        CHECK(strncmp(got.head.ptr, methods[i], strlen(methods[i])) == 0);
        CHECK_INT(got.connection, 1);
    }
}

static void
compresses_long_bodies_in_pieces(void **state UNUSED)
{
    CLEANUP(scripted_http_stopp) struct scripted_http *peer = scripted_http_start(NULL, 0);
    CLEANUP(http_closep) struct http *http = http_open(&settings);
    CLEANUP(buf_free) struct buf text = buf_make(MEGABYTES(8));
    struct err err = {0};

    while (text.len < MEGABYTES(1))
        buf_putf(&text, "%zu,", text.len * 2654435761u);
    for (int round = 0; round < 2; round++) {
        struct span pieces[] = {{text.ptr, 1000}, {text.ptr + 1000, text.len - 1000}};
        struct http_request request = post(scripted_http_url(peer), pieces);
        struct http_response response;
        struct scripted_request got;

        request.body_count = 2;
        request.gzip = true;
        CHECK_OK(http_send(http, &request, &response, &err), err);
        got = scripted_http_request(peer, (size_t)round);
        CHECK(scripted_request_has(&got, "content-encoding: gzip"));
        CHECK_INT(response.sent_bytes, got.body.len);
        CHECK(got.body.len < text.len);
        CHECK(span_eq(got.text, buf_span(&text)));
    }
}

static void
reads_headers_of_the_answer(void **state UNUSED)
{
    static const struct {
        const char *headers;
        int64_t retry_after_ms;
        enum http_retry_advice advice;
        const char *content_type;
    } cases[] = {
        {"", 0, HTTP_RETRY_UNSAID, ""},
        {"Retry-After: 2\r\n", 2000, HTTP_RETRY_UNSAID, ""},
        {"Retry-After: 1.5\r\n", 1500, HTTP_RETRY_UNSAID, ""},
        {"retry-after-ms: 250\r\nRetry-After: 9\r\n", 250, HTTP_RETRY_UNSAID, ""},
        {"retry-after: -4\r\n", 0, HTTP_RETRY_UNSAID, ""},
        {"retry-after: Wed, 21 Oct 2015 07:28:00 GMT\r\n", 0, HTTP_RETRY_UNSAID, ""},
        {"retry-after: soon\r\nX-Should-Retry: true\r\n", 0, HTTP_RETRY_YES, ""},
        {"x-should-retry: false\r\n", 0, HTTP_RETRY_NO, ""},
        {"x-should-retry: maybe\r\n", 0, HTTP_RETRY_UNSAID, ""},
        {"Content-Type: application/json\r\n", 0, HTTP_RETRY_UNSAID, "application/json"},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct scripted_step step = {.status = 429, .headers = cases[i].headers, .body = "busy"};
        CLEANUP(scripted_http_stopp) struct scripted_http *peer = scripted_http_start(&step, 1);
        CLEANUP(http_closep) struct http *http = http_open(&settings);
        struct span body = SPAN("x");
        struct http_request request = post(scripted_http_url(peer), &body);
        struct http_response response;
        struct err err = {0};

        CHECK_OK(http_send(http, &request, &response, &err), err);
        CHECK_INT(response.status, 429);
        CHECK_INT(response.retry_after_ms, cases[i].retry_after_ms);
        CHECK_INT(response.should_retry, cases[i].advice);
        CHECK_STR(response.content_type, cases[i].content_type);
        CHECK_SPAN(response.body, "busy");
    }
}

static void
understands_a_date_in_retry_after(void **state UNUSED)
{
    struct scripted_step step = {.status = 503,
                                 .headers = "Retry-After: Fri, 31 Dec 2199 23:59:59 GMT\r\n"};
    CLEANUP(scripted_http_stopp) struct scripted_http *peer = scripted_http_start(&step, 1);
    CLEANUP(http_closep) struct http *http = http_open(&settings);
    struct span body = SPAN("x");
    struct http_request request = post(scripted_http_url(peer), &body);
    struct http_response response;
    struct err err = {0};

    CHECK_OK(http_send(http, &request, &response, &err), err);
    CHECK(response.retry_after_ms > INT64_C(365) * 24 * 3600 * 1000);
}

static void
unpacks_answers(void **state UNUSED)
{
    static const unsigned char packed[] = {0x1f, 0x8b, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x02,
                                           0x03, 0xab, 0x56, 0x4a, 0x54, 0xb2, 0x32, 0xac, 0x05,
                                           0x00, 0xaf, 0xac, 0x1b, 0x56, 0x07, 0x00, 0x00, 0x00};
    struct scripted_step step = {.headers = "Content-Encoding: gzip\r\n",
                                 .body = (const char *)packed,
                                 .body_len = sizeof(packed)};
    CLEANUP(scripted_http_stopp) struct scripted_http *peer = scripted_http_start(&step, 1);
    CLEANUP(http_closep) struct http *http = http_open(&settings);
    struct http_request request = post(scripted_http_url(peer), NULL);
    struct http_response response;
    struct err err = {0};

    request.method = "GET";
    request.body_count = 0;
    CHECK_OK(http_send(http, &request, &response, &err), err);
    CHECK_SPAN(response.body, "{\"a\":1}");
}

/* ---- failures ---- */

static void
rule_19_says_whether_a_lost_request_may_be_applied(void **state UNUSED)
{
    static const struct {
        const char *name;
        struct scripted_step step;
        bool sent;
        const char *text;
    } cases[] = {
        {"dropped after it was read", {.deed = SCRIPT_DROP}, true, NULL},
        {"dropped while it was sent", {.deed = SCRIPT_DROP_EARLY}, false, NULL},
        {"never answered", {.deed = SCRIPT_HANG}, true, NULL},
    };
    CLEANUP(buf_free) struct buf large = buf_make(MEGABYTES(64));

    while (large.len < MEGABYTES(48))
        buf_put(&large, SPAN("0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"));
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        CLEANUP(scripted_http_stopp)
        struct scripted_http *peer = scripted_http_start(&cases[i].step, 1);
        CLEANUP(http_closep) struct http *http = http_open(&settings);
        struct span body = cases[i].sent ? SPAN("x") : buf_span(&large);
        struct http_request request = post(scripted_http_url(peer), &body);
        struct http_response response;
        struct err err = {0};

        request.deadline_ms = clock_mono_ms() + (cases[i].step.deed == SCRIPT_HANG ? 200 : 5000);
        CHECK(!http_send(http, &request, &response, &err));
        CHECK_INT(err.kind, ERR_TRANSIENT);
        CHECK(response.connected);
        if (response.sent != cases[i].sent)
            fail_msg("%s: sent is %d (%s)", cases[i].name, response.sent, err.text);
        CHECK_INT(response.status, 0);
    }
}

/* libcurl repeats a request by itself when a kept connection dies under it; ours must not. */
static void
rule_19_never_repeats_a_request_by_itself(void **state UNUSED)
{
    static const struct scripted_step steps[] = {{.status = 200}, {.deed = SCRIPT_DROP}};
    CLEANUP(scripted_http_stopp) struct scripted_http *peer = scripted_http_start(steps, 2);
    CLEANUP(http_closep) struct http *http = http_open(&settings);
    struct span body = SPAN("x");
    struct http_request request = post(scripted_http_url(peer), &body);
    struct http_response response;
    struct err err = {0};

    CHECK_OK(http_send(http, &request, &response, &err), err);
    CHECK(!http_send(http, &request, &response, &err));
    CHECK_INT(err.kind, ERR_TRANSIENT);
    CHECK(response.sent);
    CHECK_INT(scripted_http_count(peer), 2);

    CHECK_OK(http_send(http, &request, &response, &err), err);
    CHECK_INT(scripted_http_count(peer), 3);
    CHECK(scripted_http_request(peer, 2).connection != 1);
}

static void
a_connection_closed_while_idle_is_no_failure(void **state UNUSED)
{
    static const struct scripted_step steps[] = {{.close = true}, {.close = true}};
    CLEANUP(scripted_http_stopp) struct scripted_http *peer = scripted_http_start(steps, 2);
    CLEANUP(http_closep) struct http *http = http_open(&settings);
    struct span body = SPAN("x");
    struct http_response response;
    struct err err = {0};

    for (int i = 0; i < 3; i++) {
        struct http_request request = post(scripted_http_url(peer), &body);

        CHECK_OK(http_send(http, &request, &response, &err), err);
        usleep(20 * 1000); /* let the FIN arrive */
    }
    CHECK_INT(scripted_http_count(peer), 3);
}

static void
refused_or_misspelled_is_surely_not_sent(void **state UNUSED)
{
    static const struct {
        const char *url;
        enum err_kind kind;
    } cases[] = {
        {"http://127.0.0.1:1/", ERR_TRANSIENT},
        {"http://no.such.host.invalid/", ERR_TRANSIENT},
        {"http://", ERR_CONFIG},
        {"ftp://127.0.0.1/", ERR_CONFIG},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        CLEANUP(http_closep) struct http *http = http_open(&settings);
        struct span body = SPAN("x");
        struct http_request request = post(cases[i].url, &body);
        struct http_response response;
        struct err err = {0};

        CHECK(!http_send(http, &request, &response, &err));
        if (err.kind != cases[i].kind)
            fail_msg("%s: kind %d: %s", cases[i].url, err.kind, err.text);
        CHECK(!response.sent && !response.connected);
        CHECK(err.text[0]);
    }
}

static void
refuses_answers_over_the_limit(void **state UNUSED)
{
    CLEANUP(buf_free) struct buf large = buf_make(MEGABYTES(1));
    struct scripted_step step;
    struct http_response response;
    struct err err = {0};

    while (large.len < 5000)
        buf_putc(&large, 'x');
    step = (struct scripted_step){.body = large.ptr};
    {
        CLEANUP(scripted_http_stopp) struct scripted_http *peer = scripted_http_start(&step, 1);
        CLEANUP(http_closep) struct http *http = http_open(&settings);
        struct span body = SPAN("x");
        struct http_request request = post(scripted_http_url(peer), &body);

        CHECK_FAILS(http_send(http, &request, &response, &err), err, ERR_TRANSIENT,
                    "the answer is longer than 4096 bytes");
        CHECK(response.sent);
        CHECK_OK(http_send(http, &request, &response, &err), err); /* usable afterwards */
    }
}

static void *
cancel_soon(void *fd)
{
    usleep(50 * 1000);
    eventfd_write(*(int *)fd, 1);
    return NULL;
}

static void
gives_up_when_the_descriptor_is_readable(void **state UNUSED)
{
    static const struct scripted_step step = {.deed = SCRIPT_HANG};
    CLEANUP(scripted_http_stopp) struct scripted_http *peer = scripted_http_start(&step, 1);
    CLEANUP(http_closep) struct http *http = http_open(&settings);
    struct span body = SPAN("x");
    struct http_request request = post(scripted_http_url(peer), &body);
    struct http_response response;
    struct err err = {0};
    int64_t begin = clock_mono_ms();
    pthread_t thread;
    int fd = eventfd(0, EFD_CLOEXEC);

    request.cancel_fd = fd;
    pthread_create(&thread, NULL, cancel_soon, &fd);
    CHECK_FAILS(http_send(http, &request, &response, &err), err, ERR_CANCELED, "canceled");
    pthread_join(thread, NULL);
    CHECK(response.sent);
    CHECK(clock_mono_ms() - begin < 3000);

    /* Already readable: nothing leaves us. */
    CHECK_FAILS(http_send(http, &request, &response, &err), err, ERR_CANCELED, "canceled");
    CHECK(!response.sent);
    close(fd);
}

static void
knows_loopback(void **state UNUSED)
{
    static const struct {
        const char *url;
        bool loopback;
    } cases[] = {
        {"http://localhost:1/x", true},
        {"http://127.0.0.1/", true},
        {"http://127.9.9.9:80", true},
        {"https://[::1]:9/", true},
        {"https://LOCALHOST", true},
        {"https://gcp-us-central1.turbopuffer.com", false},
        {"http://localhost.evil/", false},
        {"http://10.0.0.1/", false},
        {"not a url", false},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        if (http_url_is_loopback(cases[i].url) != cases[i].loopback)
            fail_msg("%s: want %d", cases[i].url, cases[i].loopback);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sends_method_headers_and_pieces),
        cmocka_unit_test(keeps_the_connection_and_sends_other_methods),
        cmocka_unit_test(compresses_long_bodies_in_pieces),
        cmocka_unit_test(reads_headers_of_the_answer),
        cmocka_unit_test(understands_a_date_in_retry_after),
        cmocka_unit_test(unpacks_answers),
        cmocka_unit_test(rule_19_says_whether_a_lost_request_may_be_applied),
        cmocka_unit_test(rule_19_never_repeats_a_request_by_itself),
        cmocka_unit_test(a_connection_closed_while_idle_is_no_failure),
        cmocka_unit_test(refused_or_misspelled_is_surely_not_sent),
        cmocka_unit_test(refuses_answers_over_the_limit),
        cmocka_unit_test(gives_up_when_the_descriptor_is_readable),
        cmocka_unit_test(knows_loopback),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
