/* scripted_http: one thread, one connection at a time, one step per request. */
#include "harness/scripted_http.h"

#include <arpa/inet.h>
#include <assert.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#define ZLIB_CONST
#include <zlib.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/number.h"

#define REQUESTS_MAX 512
#define REQUEST_MAX  MEGABYTES(128)

struct scripted_http {
    const struct scripted_step *steps;
    size_t step_count;
    int listener;
    int stop; /* eventfd */
    char url[64];
    pthread_t thread;

    pthread_mutex_t lock; /* of what follows */
    struct arena *arena;
    struct scripted_request requests[REQUESTS_MAX];
    size_t count;
};

/* One connection, with what has arrived on it and is not consumed yet. */
struct peer_connection {
    int fd;
    size_t number;
    struct buf in;
};

/* ---- requests ---- */

static struct span
unpack(struct arena *arena, struct span packed)
{
    CLEANUP(buf_free) struct buf out = buf_make(REQUEST_MAX);
    z_stream z = {.next_in = (const Bytef *)packed.ptr, .avail_in = (uInt)packed.len};
    int rc = inflateInit2(&z, 31);

    while (rc == Z_OK) {
        char *room = buf_reserve(&out, 65536);

        assert(room);
        z.next_out = (Bytef *)room;
        z.avail_out = 65536;
        rc = inflate(&z, Z_NO_FLUSH);
        buf_commit(&out, 65536 - z.avail_out);
    }
    inflateEnd(&z);
    assert(rc == Z_STREAM_END);
    return arena_span(arena, buf_span(&out));
}

bool
scripted_request_has(const struct scripted_request *request, const char *line)
{
    size_t len = strlen(line);

    for (struct span left = request->head; left.len >= len; left = span_skip(left, 1))
        if (strncasecmp(left.ptr, line, len) == 0 && left.ptr[len] == '\r')
            return true;
    return false;
}

static size_t
content_length(struct span head)
{
    static const char name[] = "\r\ncontent-length: ";
    uint64_t n = 0;

    for (size_t at = 0; at + sizeof(name) < head.len; at++) {
        struct span value = span_skip(head, at + sizeof(name) - 1);
        const char *end;

        if (strncasecmp(head.ptr + at, name, sizeof(name) - 1) != 0)
            continue;
        end = memchr(value.ptr, '\r', value.len);
        assert(end && span_to_uint((struct span){value.ptr, (size_t)(end - value.ptr)}, &n));
        return (size_t)n;
    }
    return 0;
}

static void
record(struct scripted_http *peer, const struct peer_connection *c, struct span head,
       struct span body)
{
    struct scripted_request *request = &peer->requests[peer->count];

    pthread_mutex_lock(&peer->lock);
    assert(peer->count < REQUESTS_MAX);
    *request = (struct scripted_request){
        .head = arena_span(peer->arena, head),
        .body = arena_span(peer->arena, body),
        .connection = c->number,
    };
    request->text = scripted_request_has(request, "content-encoding: gzip")
                        ? unpack(peer->arena, request->body)
                        : request->body;
    peer->count++;
    pthread_mutex_unlock(&peer->lock);
}

/* ---- the thread ---- */

/* False when told to stop, or when somebody else wants the only place. */
static bool
wait_readable(struct scripted_http *peer, int fd, bool watch_listener)
{
    struct pollfd p[] = {
        {.fd = peer->stop, .events = POLLIN},
        {.fd = fd, .events = POLLIN},
        {.fd = watch_listener ? peer->listener : -1, .events = POLLIN},
    };

    poll(p, ARRAY_LEN(p), -1);
    return !p[0].revents && !p[2].revents;
}

static bool
read_more(struct scripted_http *peer, struct peer_connection *c)
{
    char *room = buf_reserve(&c->in, 65536);
    ssize_t n;

    assert(room);
    if (!wait_readable(peer, c->fd, c->in.len == 0))
        return false;
    n = recv(c->fd, room, 65536, 0);
    if (n <= 0)
        return false;
    buf_commit(&c->in, (size_t)n);
    return true;
}

static void
answer(const struct scripted_step *step, int fd)
{
    const char *text = step->body ? step->body : "{\"status\":\"OK\"}";
    size_t len = step->body_len ? step->body_len : strlen(text);
    CLEANUP(buf_free) struct buf out = buf_make(REQUEST_MAX);

    buf_putf(&out, "HTTP/1.1 %d Scripted\r\nContent-Length: %zu\r\n%s\r\n",
             step->status ? step->status : 200, len, step->headers ? step->headers : "");
    buf_put(&out, (struct span){text, len});
    for (size_t at = 0; at < out.len;) {
        ssize_t n = send(fd, out.ptr + at, out.len - at, MSG_NOSIGNAL);

        if (n <= 0)
            return;
        at += (size_t)n;
    }
}

/* One request; false when the connection is over. */
static bool
serve_request(struct scripted_http *peer, struct peer_connection *c)
{
    static const struct scripted_step beyond = {.deed = SCRIPT_ANSWER};
    const struct scripted_step *step =
        peer->count < peer->step_count ? &peer->steps[peer->count] : &beyond;
    const char *end = NULL;
    size_t head, whole;

    while (!(end = c->in.len ? memmem(c->in.ptr, c->in.len, "\r\n\r\n", 4) : NULL))
        if (!read_more(peer, c))
            return false;
    head = (size_t)(end - c->in.ptr) + 2;
    whole = head + 2 + content_length((struct span){c->in.ptr, head});
    while (step->deed != SCRIPT_DROP_EARLY && c->in.len < whole)
        if (!read_more(peer, c))
            return false;
    if (c->in.len < whole)
        whole = c->in.len;
    record(peer, c, (struct span){c->in.ptr, head},
           (struct span){c->in.ptr + head + 2, whole - head - 2});
    buf_clear(&c->in);

    if (step->deed == SCRIPT_HANG)
        wait_readable(peer, -1, false);
    if (step->deed != SCRIPT_ANSWER)
        return false;
    answer(step, c->fd);
    return !step->close;
}

static void *
serve(void *user)
{
    struct scripted_http *peer = user;
    struct peer_connection c = {.in = buf_make(REQUEST_MAX)};

    while (wait_readable(peer, peer->listener, false)) {
        c.fd = accept4(peer->listener, NULL, NULL, SOCK_CLOEXEC);
        c.number++;
        while (c.fd >= 0 && serve_request(peer, &c))
            ;
        close(c.fd);
        buf_clear(&c.in);
    }
    buf_free(&c.in);
    return NULL;
}

/* ---- from outside ---- */

struct scripted_http *
scripted_http_start(const struct scripted_step *steps, size_t count)
{
    struct scripted_http *peer = calloc(1, sizeof(*peer));
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(address);

    assert(peer);
    peer->steps = steps;
    peer->step_count = count;
    peer->arena = arena_new("scripted http");
    pthread_mutex_init(&peer->lock, NULL);
    peer->stop = eventfd(0, EFD_CLOEXEC);
    peer->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (bind(peer->listener, (struct sockaddr *)&address, len) != 0 ||
        listen(peer->listener, 16) != 0 ||
        getsockname(peer->listener, (struct sockaddr *)&address, &len) != 0)
        abort();
    snprintf(peer->url, sizeof(peer->url), "http://127.0.0.1:%d", ntohs(address.sin_port));
    if (pthread_create(&peer->thread, NULL, serve, peer) != 0)
        abort();
    return peer;
}

void
scripted_http_stop(struct scripted_http *peer)
{
    if (!peer)
        return;
    eventfd_write(peer->stop, 1);
    pthread_join(peer->thread, NULL);
    close(peer->listener);
    close(peer->stop);
    pthread_mutex_destroy(&peer->lock);
    arena_free(peer->arena);
    free(peer);
}

void
scripted_http_stopp(struct scripted_http **peer)
{
    scripted_http_stop(*peer);
    *peer = NULL;
}

const char *
scripted_http_url(const struct scripted_http *peer)
{
    return peer->url;
}

size_t
scripted_http_count(struct scripted_http *peer)
{
    size_t count;

    pthread_mutex_lock(&peer->lock);
    count = peer->count;
    pthread_mutex_unlock(&peer->lock);
    return count;
}

struct scripted_request
scripted_http_request(struct scripted_http *peer, size_t index)
{
    struct scripted_request request;

    pthread_mutex_lock(&peer->lock);
    assert(index < peer->count);
    request = peer->requests[index];
    pthread_mutex_unlock(&peer->lock);
    return request;
}
