/* http_server: paths, headers, bodies in and out, limits, resets, many connections. */
#include "net/http_server.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "harness/check.h"
#include "net/gzip.h"
#include "net/http.h"

/* Answers with what it saw. */
static void
echo(void *owner, const struct http_server_request *request, struct http_server_answer *answer)
{
    const char *header = http_server_header(request, "x-test");
    const char *query = http_server_query(request, "q");

    if (owner)
        atomic_fetch_add((atomic_int *)owner, 1);
    answer->status = 200;
    answer->content_type = "text/plain";
    answer->reset = header && strcmp(header, "reset") == 0;
    http_server_add_field(answer, "x-seen", header ? header : "nothing");
    buf_putf(&answer->body, "%.*s %.*s", SPAN_ARG(request->method), SPAN_ARG(request->path));
    for (size_t i = 0; i < request->segment_count && i < HTTP_SERVER_SEGMENTS_MAX; i++)
        buf_putf(&answer->body, " [%.*s]", SPAN_ARG(request->segments[i]));
    if (query)
        buf_putf(&answer->body, " q=%s", query);
    if (request->body.len > 100)
        buf_put(&answer->body, request->body); /* long enough to be packed */
    else
        buf_putf(&answer->body, " %.*s", SPAN_ARG(request->body));
}

static struct http_server *
serve(atomic_int *count)
{
    struct http_server *server = NULL;
    struct http_server_args args = {
        .listen = "127.0.0.1:0", .body_limit = 5000, .handler = echo, .owner = count};
    struct err err;

    CHECK_OK(http_server_open(&args, &server, &err), err);
    CHECK(http_server_port(server) != 0);
    return server;
}

static int
dial(const struct http_server *server)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons(http_server_port(server)),
                                  .sin_addr = {htonl(INADDR_LOOPBACK)}};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    CHECK(fd >= 0);
    CHECK_INT(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    return fd;
}

/* Sends bytes as they are and reads until the peer closes; -1: it was reset. */
static ssize_t
talk(int fd, struct span bytes, char *answer, size_t size)
{
    size_t len = 0;

    CHECK_INT(send(fd, bytes.ptr, bytes.len, MSG_NOSIGNAL), bytes.len);
    for (;;) {
        ssize_t n = recv(fd, answer + len, size - 1 - len, 0);

        if (n <= 0) {
            answer[len] = '\0';
            return n < 0 ? -1 : (ssize_t)len;
        }
        len += (size_t)n;
    }
}

/* One request on a connection of its own, which the server closes. */
static const char *
once(const struct http_server *server, const char *head, struct span body)
{
    static char answer[16384];
    char request[8192];
    int fd = dial(server), n;

    n = snprintf(request, sizeof(request),
                 "%s\r\nHost: x\r\nConnection: close\r\nContent-Length: %zu\r\n\r\n", head,
                 body.len);
    memcpy(request + n, body.ptr, body.len);
    CHECK(talk(fd, (struct span){request, (size_t)n + body.len}, answer, sizeof(answer)) >= 0);
    close(fd);
    return answer;
}

static const char *
body_of(const char *answer)
{
    const char *body = strstr(answer, "\r\n\r\n");

    CHECK(body);
    return body + 4;
}

static void
cuts_and_decodes_paths(void **state UNUSED)
{
    /* clang-format off */
    static const struct { const char *target, *want; } cases[] = {
        {"/",                      "GET / [] "},
        {"/v1/namespaces",         "GET /v1/namespaces [v1] [namespaces] "},
        {"/v1/a%2Fb/c%20d",        "GET /v1/a%2Fb/c%20d [v1] [a/b] [c d] "},
        {"/v1/100%25/%zz/%4",      "GET /v1/100%25/%zz/%4 [v1] [100%] [%zz] [%4] "},
        {"/a//b/",                 "GET /a//b/ [a] [] [b] [] "},
        {"/a?q=x%20y&r=1",         "GET /a [a] q=x y "},
        {"/a?q=",                  "GET /a [a] q= "},
        {"/a?q=a%26b%3Dc",         "GET /a [a] q=a&b=c "},
        {"/1/2/3/4/5/6/7/8/9",     "GET /1/2/3/4/5/6/7/8/9 [1] [2] [3] [4] [5] [6] [7] [8] "},
    };
    /* clang-format on */
    CLEANUP(http_server_closep) struct http_server *server = serve(NULL);

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char head[256];

        snprintf(head, sizeof(head), "GET %s HTTP/1.1", cases[i].target);
        CHECK_STR(body_of(once(server, head, SPAN(""))), cases[i].want);
    }
}

static void
hands_over_headers_and_bodies(void **state UNUSED)
{
    CLEANUP(http_server_closep) struct http_server *server = serve(NULL);
    const char *answer = once(server, "PATCH /x HTTP/1.1\r\nX-TEST: yes", SPAN("some body"));

    CHECK_STR(body_of(answer), "PATCH /x [x] some body");
    CHECK(strncmp(answer, "HTTP/1.1 200 OK\r\n", 17) == 0);
    CHECK(strcasestr(answer, "\r\ncontent-type: text/plain\r\n"));
    CHECK(strcasestr(answer, "\r\nx-seen: yes\r\n"));
}

static void
unpacks_bodies(void **state UNUSED)
{
    CLEANUP(http_server_closep) struct http_server *server = serve(NULL);
    CLEANUP(buf_free) struct buf packed = buf_make(4096);
    struct err err;

    CHECK_OK(gzip_pack(SPAN("packed body"), GZIP_FAST, &packed, &err), err);
    CHECK_STR(
        body_of(once(server, "POST /x HTTP/1.1\r\nContent-Encoding: gzip", buf_span(&packed))),
        "POST /x [x] packed body");
    CHECK(strncmp(once(server, "POST /x HTTP/1.1\r\nContent-Encoding: gzip", SPAN("plain body")),
                  "HTTP/1.1 400 ", 13) == 0);
    CHECK(strncmp(once(server, "POST /x HTTP/1.1\r\nContent-Encoding: br", SPAN("plain body")),
                  "HTTP/1.1 415 ", 13) == 0);
}

/* The limit holds before and after unpacking; the handler never sees such a request. */
static void
bounds_bodies(void **state UNUSED)
{
    atomic_int count = 0;
    CLEANUP(http_server_closep) struct http_server *server = serve(&count);
    CLEANUP(buf_free) struct buf packed = buf_make(4096);
    static char large[5001];
    struct err err;

    CHECK(strncmp(once(server, "POST /x HTTP/1.1", (struct span){large, 5001}), "HTTP/1.1 413 ",
                  13) == 0);
    CHECK_OK(gzip_pack((struct span){large, 5001}, GZIP_FAST, &packed, &err), err);
    CHECK(strncmp(once(server, "POST /x HTTP/1.1\r\nContent-Encoding: gzip", buf_span(&packed)),
                  "HTTP/1.1 413 ", 13) == 0);
    CHECK_INT(atomic_load(&count), 0);
    memset(large, 'x', sizeof(large));
    CHECK(strncmp(once(server, "POST /x HTTP/1.1", (struct span){large, 5000}), "HTTP/1.1 200 ",
                  13) == 0);
    CHECK_INT(atomic_load(&count), 1);
}

static void
packs_answers_for_those_who_ask(void **state UNUSED)
{
    /* clang-format off */
    static const struct { const char *accept; size_t len; bool packed; } cases[] = {
        {"gzip",              3000, true},
        {"br, gzip;q=0.5",    3000, true},
        {"gzip;q=0",          3000, false},
        {"identity",          3000, false},
        {"gzip",              200,  false}, /* not worth it */
    };
    /* clang-format on */
    CLEANUP(http_server_closep) struct http_server *server = serve(NULL);
    static char body[3000];

    memset(body, 'x', sizeof(body));
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char head[128];
        const char *answer;

        snprintf(head, sizeof(head), "POST /x HTTP/1.1\r\nAccept-Encoding: %s", cases[i].accept);
        answer = once(server, head, (struct span){body, cases[i].len});
        if ((strcasestr(answer, "content-encoding: gzip") != NULL) != cases[i].packed)
            fail_msg("%s, %zu bytes: packed is not %d", cases[i].accept, cases[i].len,
                     cases[i].packed);
    }
}

static void
resets_connections(void **state UNUSED)
{
    atomic_int count = 0;
    CLEANUP(http_server_closep) struct http_server *server = serve(&count);
    int fd = dial(server);
    char answer[256];

    CHECK_INT(talk(fd, SPAN("GET /x HTTP/1.1\r\nHost: x\r\nX-Test: reset\r\n\r\n"), answer,
                   sizeof(answer)),
              -1);
    CHECK_INT(errno, ECONNRESET);
    CHECK_INT(atomic_load(&count), 1);
    close(fd);
}

static struct http_request
request_to(const struct http_server *server, const struct span *body)
{
    return (struct http_request){
        .method = "POST",
        .url = http_server_url(server),
        .body = body,
        .body_count = 1,
        .gzip = true,
        .deadline_ms = clock_mono_ms() + 5000,
        .cancel_fd = -1,
    };
}

/* Our own client against our own server: gzip both ways, over one connection. */
static void
speaks_with_our_client(void **state UNUSED)
{
    CLEANUP(http_server_closep) struct http_server *server = serve(NULL);
    CLEANUP(http_closep)
    struct http *http = http_open(&(struct http_settings){.connect_timeout_ms = 2000});
    static char text[4000];
    struct err err = {0};

    memset(text, 'y', sizeof(text));
    for (int i = 0; i < 3; i++) {
        struct span body = {text, sizeof(text)};
        struct http_request request = request_to(server, &body);
        struct http_response response;

        CHECK_OK(http_send(http, &request, &response, &err), err);
        CHECK_INT(response.status, 200);
        CHECK(response.sent_bytes < 200);
        CHECK_INT(response.body.len, strlen("POST / []") + sizeof(text));
        CHECK_INT(response.body.ptr[response.body.len - 1], 'y');
    }
}

struct client {
    const struct http_server *server;
    int done;
};

static void *
ask_many_times(void *arg)
{
    struct client *client = arg;
    CLEANUP(http_closep)
    struct http *http = http_open(&(struct http_settings){.connect_timeout_ms = 2000});

    for (int i = 0; i < 50; i++) {
        struct span body = SPAN("hello");
        struct http_request request = request_to(client->server, &body);
        struct http_response response;
        struct err err;

        if (http_send(http, &request, &response, &err) && response.status == 200)
            client->done++;
    }
    return NULL;
}

static void
serves_many_connections(void **state UNUSED)
{
    atomic_int count = 0;
    CLEANUP(http_server_closep) struct http_server *server = serve(&count);
    struct client clients[8];
    pthread_t threads[8];

    for (size_t i = 0; i < ARRAY_LEN(threads); i++) {
        clients[i] = (struct client){server, 0};
        CHECK_INT(pthread_create(&threads[i], NULL, ask_many_times, &clients[i]), 0);
    }
    for (size_t i = 0; i < ARRAY_LEN(threads); i++) {
        pthread_join(threads[i], NULL);
        CHECK_INT(clients[i].done, 50);
    }
    CHECK_INT(atomic_load(&count), 400);
}

static void
refuses_addresses(void **state UNUSED)
{
#define NO_ADDRESS "\"%s\" is no address to listen on; write HOST:PORT, as in 127.0.0.1:8080"
    static const char *const bad[] = {
        "",      "8080",        ":8080",           "127.0.0.1",    "127.0.0.1:",
        "[::1]", "127.0.0.1:x", "127.0.0.1:65536", "127.0.0.1:-1",
    };
    struct http_server *server;
    struct err err;

    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct http_server_args args = {.listen = bad[i], .handler = echo};
        char want[256];

        snprintf(want, sizeof(want), NO_ADDRESS, bad[i]);
        CHECK_FAILS(http_server_open(&args, &server, &err), err, ERR_CONFIG, want);
    }
}

static void
refuses_a_port_that_is_taken(void **state UNUSED)
{
    CLEANUP(http_server_closep) struct http_server *server = serve(NULL);
    struct http_server *second;
    char address[64], want[128];
    struct err err;

    snprintf(address, sizeof(address), "127.0.0.1:%u", http_server_port(server));
    snprintf(want, sizeof(want), "cannot listen on %s: Address already in use", address);
    CHECK_FAILS(http_server_open(&(struct http_server_args){.listen = address, .handler = echo},
                                 &second, &err),
                err, ERR_CONFIG, want);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cuts_and_decodes_paths),
        cmocka_unit_test(hands_over_headers_and_bodies),
        cmocka_unit_test(unpacks_bodies),
        cmocka_unit_test(bounds_bodies),
        cmocka_unit_test(packs_answers_for_those_who_ask),
        cmocka_unit_test(resets_connections),
        cmocka_unit_test(speaks_with_our_client),
        cmocka_unit_test(serves_many_connections),
        cmocka_unit_test(refuses_addresses),
        cmocka_unit_test(refuses_a_port_that_is_taken),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
