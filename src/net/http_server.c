/* http_server: libmicrohttpd with one thread per connection, whole bodies in and out. */
#include "net/http_server.h"

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <microhttpd.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/number.h"
#include "net/gzip.h"

#define BODY_LIMIT_DEFAULT MEGABYTES(1)
#define ANSWER_LIMIT       MEGABYTES(1024)
#define GZIP_WORTH_IT      1024 /* below, the header outweighs what is saved */
#define CONNECTIONS_MAX    1000
#define CONNECTION_MEMORY  ((size_t)256 * 1024) /* headers, and how much is read at a time */
#define URL_SIZE           (NI_MAXHOST + 32)

struct http_server {
    struct http_server_args args;
    struct MHD_Daemon *daemon;
    uint16_t port;
    char url[URL_SIZE];
};

/* What is known of a request while its body arrives. */
struct exchange {
    struct arena *arena;
    struct buf raw;
    struct buf unpacked;
};

/* ---- requests ---- */

static int
hex_digit(char c)
{
    static const char digits[] = "0123456789abcdef";
    const char *at = memchr(digits, c | 0x20, sizeof(digits) - 1);

    if (c < '0' || !at)
        return -1;
    return (int)(at - digits);
}

/* %XX to bytes; a percent sign that starts no escape stays as it is. */
static struct span
percent_decode(struct span in, struct arena *arena)
{
    char *out = arena_alloc(arena, in.len + 1);
    size_t len = 0;

    assert(arena);
    for (size_t i = 0; i < in.len; i++) {
        bool escape = in.ptr[i] == '%' && i + 2 < in.len;
        int high = escape ? hex_digit(in.ptr[i + 1]) : -1;
        int low = escape ? hex_digit(in.ptr[i + 2]) : -1;

        if (high >= 0 && low >= 0) {
            out[len++] = (char)(high * 16 + low);
            i += 2;
        } else {
            out[len++] = in.ptr[i];
        }
    }
    return (struct span){out, len};
}

static void
split_path(struct http_server_request *request)
{
    const char *at = request->path.ptr, *end = at + request->path.len;

    while (at < end) {
        const char *start = at + 1; /* behind the slash */
        const char *slash = start < end ? memchr(start, '/', (size_t)(end - start)) : NULL;
        struct span piece = {start, (size_t)((slash ? slash : end) - start)};

        if (request->segment_count == HTTP_SERVER_SEGMENTS_MAX) {
            request->segment_count++;
            return;
        }
        request->segments[request->segment_count++] = percent_decode(piece, request->arena);
        at = slash ? slash : end;
    }
}

const char *
http_server_header(const struct http_server_request *request, const char *name)
{
    return MHD_lookup_connection_value(request->connection, MHD_HEADER_KIND, name);
}

const char *
http_server_query(const struct http_server_request *request, const char *name)
{
    const char *raw = MHD_lookup_connection_value(request->connection, MHD_GET_ARGUMENT_KIND, name);

    return raw ? percent_decode(span_of(raw), request->arena).ptr : NULL;
}

/* ---- answers ---- */

void
http_server_add_field(struct http_server_answer *answer, const char *name, const char *value)
{
    assert(answer->field_count < HTTP_SERVER_FIELDS_MAX);
    answer->fields[answer->field_count++] = (struct http_server_field){name, value};
}

static void
answer_plainly(struct http_server_answer *answer, int status, const char *text)
{
    answer->status = status;
    answer->content_type = "text/plain; charset=utf-8";
    buf_clear(&answer->body);
    buf_putf(&answer->body, "%s\n", text);
}

/* Dissolving the association (connect(2), AF_UNSPEC) sends a reset where a close would say
 * goodbye: what a lost connection looks like. */
static enum MHD_Result
reset_connection(struct MHD_Connection *connection)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    struct sockaddr none = {.sa_family = AF_UNSPEC};

    if (info)
        (void)connect(info->connect_fd, &none, sizeof(none));
    return MHD_NO;
}

/* True when `list` ("gzip, br;q=0.5") names gzip without refusing it. */
static bool
accepts_gzip(const char *list)
{
    const char *at = list ? strcasestr(list, "gzip") : NULL;

    if (!at)
        return false;
    at += strlen("gzip");
    return strncmp(at, ";q=0", 4) != 0 || strncmp(at, ";q=0.", 5) == 0;
}

static void
pack_answer(const struct http_server_request *request, struct http_server_answer *answer)
{
    struct buf packed = buf_make(ANSWER_LIMIT);
    struct err ignored;

    if (answer->body.len < GZIP_WORTH_IT ||
        !accepts_gzip(http_server_header(request, MHD_HTTP_HEADER_ACCEPT_ENCODING)))
        return;
    if (!gzip_pack(buf_span(&answer->body), GZIP_FAST, &packed, &ignored)) {
        buf_free(&packed);
        return;
    }
    buf_free(&answer->body);
    answer->body = packed;
    http_server_add_field(answer, MHD_HTTP_HEADER_CONTENT_ENCODING, "gzip");
}

/* Hands the body's memory over to libmicrohttpd. */
static enum MHD_Result
send_answer(const struct http_server_request *request, struct http_server_answer *answer)
{
    struct MHD_Response *response;
    enum MHD_Result queued;

    if (answer->reset) {
        buf_free(&answer->body);
        return reset_connection(request->connection);
    }
    pack_answer(request, answer);
    response =
        MHD_create_response_from_buffer(answer->body.len, answer->body.ptr, MHD_RESPMEM_MUST_FREE);
    if (!response) {
        buf_free(&answer->body);
        return MHD_NO;
    }
    MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE,
                            answer->content_type ? answer->content_type : "application/json");
    for (size_t i = 0; i < answer->field_count; i++)
        MHD_add_response_header(response, answer->fields[i].name, answer->fields[i].value);
    queued = MHD_queue_response(request->connection, (unsigned)answer->status, response);
    MHD_destroy_response(response);
    return queued;
}

/* ---- one exchange, from the first header to the answer ---- */

static struct exchange *
exchange_new(size_t body_limit)
{
    struct exchange *exchange = calloc(1, sizeof(*exchange));

    if (!exchange)
        abort();
    exchange->arena = arena_new("request");
    exchange->raw = buf_make(body_limit);
    exchange->unpacked = buf_make(body_limit);
    return exchange;
}

static void
on_completed(void *owner UNUSED, struct MHD_Connection *connection UNUSED, void **context,
             enum MHD_RequestTerminationCode why UNUSED)
{
    struct exchange *exchange = *context;

    if (!exchange)
        return;
    arena_free(exchange->arena);
    buf_free(&exchange->raw);
    buf_free(&exchange->unpacked);
    free(exchange);
    *context = NULL;
}

/* The body as the handler shall see it; false: `answer` says what is wrong with it. */
static bool
unpack_body(struct exchange *exchange, struct http_server_request *request,
            struct http_server_answer *answer)
{
    const char *encoding = http_server_header(request, MHD_HTTP_HEADER_CONTENT_ENCODING);
    struct err err = {0};

    request->body = buf_span(&exchange->raw);
    if (exchange->raw.overflow) {
        answer_plainly(answer, MHD_HTTP_CONTENT_TOO_LARGE, "the request body is too large");
        return false;
    }
    if (!encoding || strcasecmp(encoding, "identity") == 0)
        return true;
    if (strcasecmp(encoding, "gzip") != 0) {
        answer_plainly(answer, MHD_HTTP_UNSUPPORTED_MEDIA_TYPE,
                       "the only content encoding understood is gzip");
        return false;
    }
    if (!gzip_unpack(request->body, &exchange->unpacked, &err)) {
        bool large = exchange->unpacked.overflow;

        answer_plainly(answer, large ? MHD_HTTP_CONTENT_TOO_LARGE : MHD_HTTP_BAD_REQUEST, err.text);
        return false;
    }
    buf_free(&exchange->raw);
    request->body = buf_span(&exchange->unpacked);
    return true;
}

static enum MHD_Result
handle_whole(struct http_server *server, struct exchange *exchange,
             struct MHD_Connection *connection, const char *url, const char *method)
{
    struct http_server_answer answer = {.status = 500, .body = buf_make(ANSWER_LIMIT)};
    struct http_server_request request = {
        .method = span_of(method),
        .path = span_of(url),
        .arena = exchange->arena,
        .connection = connection,
    };
    struct err err;

    split_path(&request);
    if (unpack_body(exchange, &request, &answer))
        server->args.handler(server->args.owner, &request, &answer);
    if (!buf_ok(&answer.body, &err)) {
        answer.field_count = 0;
        answer_plainly(&answer, MHD_HTTP_INTERNAL_SERVER_ERROR, err.text);
    }
    return send_answer(&request, &answer);
}

/* libmicrohttpd calls this once for the headers, once per piece of body, and once at the end. */
static enum MHD_Result
on_access(void *owner, struct MHD_Connection *connection, const char *url, const char *method,
          const char *version UNUSED, const char *upload, size_t *upload_size, void **context)
{
    struct http_server *server = owner;
    struct exchange *exchange = *context;

    if (!exchange) {
        *context = exchange_new(server->args.body_limit);
        return MHD_YES;
    }
    if (*upload_size > 0) {
        buf_put(&exchange->raw, (struct span){upload, *upload_size});
        *upload_size = 0;
        return MHD_YES;
    }
    return handle_whole(server, exchange, connection, url, method);
}

/* Escapes are decoded by us, after the path is cut: an encoded slash is part of a name. */
static size_t
leave_escaped(void *owner UNUSED, struct MHD_Connection *connection UNUSED, char *text)
{
    return strlen(text);
}

/* ---- listening ---- */

/* "host:port" or "[v6]:port" to both halves, in the caller's memory. */
static bool
split_address(const char *address, char *host, size_t host_size, char *port, size_t port_size,
              struct err *err)
{
    const char *colon = strrchr(address, ':');
    size_t len = colon ? (size_t)(colon - address) : 0;
    const char *start = address;
    uint64_t number;

    if (len >= 2 && address[0] == '[' && address[len - 1] == ']') {
        start++;
        len -= 2;
    }
    if (len == 0 || len >= host_size || memchr(start, ']', len) ||
        !span_to_uint(span_of(colon + 1), &number) || number > UINT16_MAX)
        return err_set(err, ERR_CONFIG,
                       "\"%s\" is no address to listen on; write HOST:PORT, as in 127.0.0.1:8080",
                       address);
    snprintf(host, host_size, "%.*s", (int)len, start);
    snprintf(port, port_size, "%s", colon + 1);
    return true;
}

static void
free_addresses(struct addrinfo **list)
{
    if (*list)
        freeaddrinfo(*list);
}

static bool
bind_socket(const struct addrinfo *info, const char *address, int *ret_fd, struct err *err)
{
    int fd = socket(info->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    int on = 1;

    if (fd < 0)
        return err_set_code(err, ERR_CONFIG, errno, "socket: %s", strerror(errno));
    (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    if (bind(fd, info->ai_addr, info->ai_addrlen) != 0 || listen(fd, SOMAXCONN) != 0) {
        err_set_code(err, ERR_CONFIG, errno, "cannot listen on %s: %s", address, strerror(errno));
        close(fd);
        return false;
    }
    *ret_fd = fd;
    return true;
}

static bool
listen_on(const char *address, int *ret_fd, int *ret_family, struct err *err)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE};
    CLEANUP(free_addresses) struct addrinfo *list = NULL;
    char host[NI_MAXHOST], port[NI_MAXSERV];
    int status;

    if (!split_address(address, host, sizeof(host), port, sizeof(port), err))
        return false;
    status = getaddrinfo(host, port, &hints, &list);
    if (status != 0)
        return err_set(err, ERR_CONFIG, "cannot listen on %s: %s", address, gai_strerror(status));
    *ret_family = list->ai_family;
    return bind_socket(list, address, ret_fd, err);
}

static bool
learn_address(struct http_server *server, int fd, struct err *err)
{
    struct sockaddr_storage bound = {0};
    socklen_t size = sizeof(bound);
    char host[NI_MAXHOST], port[NI_MAXSERV];
    uint64_t number;

    if (getsockname(fd, (struct sockaddr *)&bound, &size) != 0 ||
        getnameinfo((struct sockaddr *)&bound, size, host, sizeof(host), port, sizeof(port),
                    NI_NUMERICHOST | NI_NUMERICSERV) != 0 ||
        !span_to_uint(span_of(port), &number))
        return err_set(err, ERR_BUG, "a listening socket without an address");
    server->port = (uint16_t)number;
    snprintf(server->url, sizeof(server->url),
             bound.ss_family == AF_INET6 ? "http://[%s]:%s" : "http://%s:%s", host, port);
    return true;
}

static struct MHD_Daemon *
start_daemon(struct http_server *server, int fd, int family)
{
    unsigned flags = MHD_USE_THREAD_PER_CONNECTION | MHD_USE_INTERNAL_POLLING_THREAD |
                     MHD_USE_POLL | (family == AF_INET6 ? MHD_USE_IPv6 : 0U);

    /* clang-format off */
    return MHD_start_daemon(flags, 0, NULL, NULL, on_access, server,
                            MHD_OPTION_LISTEN_SOCKET, fd,
                            MHD_OPTION_CONNECTION_LIMIT, (unsigned)CONNECTIONS_MAX,
                            MHD_OPTION_CONNECTION_MEMORY_LIMIT, CONNECTION_MEMORY,
                            MHD_OPTION_NOTIFY_COMPLETED, on_completed, NULL,
                            MHD_OPTION_UNESCAPE_CALLBACK, leave_escaped, NULL,
                            MHD_OPTION_END);
    /* clang-format on */
}

bool
http_server_open(const struct http_server_args *args, struct http_server **ret, struct err *err)
{
    CLEANUP(http_server_closep) struct http_server *server = calloc(1, sizeof(*server));
    int fd, family;

    assert(args->handler && args->listen);
    if (!server)
        abort();
    server->args = *args;
    if (server->args.body_limit == 0)
        server->args.body_limit = BODY_LIMIT_DEFAULT;
    if (!listen_on(args->listen, &fd, &family, err))
        return false;
    if (!learn_address(server, fd, err)) {
        close(fd);
        return false;
    }
    server->daemon = start_daemon(server, fd, family);
    if (!server->daemon) {
        close(fd);
        return err_set(err, ERR_BUG, "libmicrohttpd cannot start on %s", args->listen);
    }
    *ret = server;
    server = NULL;
    return true;
}

void
http_server_close(struct http_server *server)
{
    if (!server)
        return;
    if (server->daemon)
        MHD_stop_daemon(server->daemon); /* closes the listening socket */
    free(server);
}

void
http_server_closep(struct http_server **server)
{
    http_server_close(*server);
    *server = NULL;
}

uint16_t
http_server_port(const struct http_server *server)
{
    return server->port;
}

const char *
http_server_url(const struct http_server *server)
{
    return server->url;
}
