/* scripted_pg: the server's side of the Postgres protocol, by rules. */
#include "harness/scripted_pg.h"

#include <assert.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "harness/pg_wire.h"
#include "harness/pgoutput.h"

#define CONNECTIONS_MAX 64
#define MESSAGE_MAX     MEGABYTES(64)
#define OUTGOING_MAX    MEGABYTES(128)
#define LOG_ROOM        MEGABYTES(8)
#define PORT            5432
#define WAIT_MS         5000

/* First words of a startup packet that is none (manual 55.7). */
#define CODE_SSL    80877103u
#define CODE_GSS    80877104u
#define CODE_CANCEL 80877102u

struct connection {
    struct scripted_pg *peer;
    pthread_t thread;
    int fd; /* -1: closed */
    char application[64];
    bool streaming;
    bool hanging;
    struct buf sql;
};

struct scripted_pg {
    const struct pg_rule *rules;
    size_t rule_count;
    size_t *used;
    char folder[64];
    char conninfo[160];
    int listener;
    pthread_t thread;
    pthread_t writer; /* of the stream: a test pushes more than a socket holds */

    pthread_mutex_t lock; /* of what follows */
    pthread_cond_t changed;
    struct buf outgoing;
    const char *version;
    const char *refusal;
    struct connection connections[CONNECTIONS_MAX];
    size_t count;
    struct buf log;
    struct pg_status status;
    size_t status_count;
    bool stopping;
};

/* ---- bytes ---- */

static bool
read_exact(int fd, char *dst, size_t len)
{
    while (len > 0) {
        ssize_t n = read(fd, dst, len);

        if (n <= 0)
            return false;
        dst += n;
        len -= (size_t)n;
    }
    return true;
}

static void
write_all(int fd, struct span bytes)
{
    while (bytes.len > 0) {
        ssize_t n = send(fd, bytes.ptr, bytes.len, MSG_NOSIGNAL);

        if (n <= 0)
            return; /* the client went away: its test knows */
        bytes = span_skip(bytes, (size_t)n);
    }
}

/* ---- statements ---- */

static const struct pg_rule *
find_rule(struct scripted_pg *peer, const char *sql)
{
    for (size_t i = 0; i < peer->rule_count; i++) {
        const struct pg_rule *rule = &peer->rules[i];

        if (!strstr(sql, rule->on) || (rule->times && peer->used[i] >= rule->times))
            continue;
        peer->used[i]++;
        return rule;
    }
    return NULL;
}

static void
send_buf(const struct connection *c, const struct buf *out)
{
    write_all(c->fd, buf_span(out));
}

static void
begin_stream(struct connection *c)
{
    CLEANUP(buf_free) struct buf out = buf_make(MESSAGE_MAX);

    pg_wire_message(&out, 'W', (struct span){"\0\0\0", 3});
    send_buf(c, &out);
    pthread_mutex_lock(&c->peer->lock);
    c->streaming = true;
    pthread_cond_broadcast(&c->peer->changed);
    pthread_mutex_unlock(&c->peer->lock);
}

/* Until a cancel request, or the end. */
static void
hang(struct connection *c)
{
    CLEANUP(buf_free) struct buf out = buf_make(MESSAGE_MAX);
    struct scripted_pg *peer = c->peer;

    pthread_mutex_lock(&peer->lock);
    c->hanging = true;
    while (c->hanging && !peer->stopping)
        pthread_cond_wait(&peer->changed, &peer->lock);
    pthread_mutex_unlock(&peer->lock);
    pg_wire_error(&out, "ERROR", "57014 canceling statement due to user request");
    pg_wire_ready(&out);
    send_buf(c, &out);
}

static const struct pg_rule *
note_statement(struct connection *c)
{
    struct scripted_pg *peer = c->peer;
    const struct pg_rule *rule;

    pthread_mutex_lock(&peer->lock);
    buf_putf(&peer->log, "%s: %s\n", c->application, c->sql.ptr);
    rule = find_rule(peer, c->sql.ptr);
    pthread_cond_broadcast(&peer->changed);
    pthread_mutex_unlock(&peer->lock);
    return rule;
}

/* False: the connection is to be closed. */
static bool
answer(struct connection *c, bool extended)
{
    CLEANUP(buf_free) struct buf out = buf_make(MESSAGE_MAX), unknown = buf_make(MESSAGE_MAX);
    const struct pg_rule *rule = note_statement(c);

    if (rule && rule->deed == PG_DROP)
        return false;
    if (rule && rule->deed == PG_HANG) {
        hang(c);
        return true;
    }
    if (rule && rule->deed == PG_STREAM) {
        begin_stream(c);
        return true;
    }
    if (extended && rule && !rule->error) {
        pg_wire_message(&out, '1', SPAN(""));
        pg_wire_message(&out, '2', SPAN(""));
    }
    buf_putf(&unknown, "XX000 no rule for: %s", c->sql.ptr);
    if (!rule || rule->error)
        pg_wire_error(&out, "ERROR", rule ? rule->error : unknown.ptr);
    else
        pg_wire_rows(&out, rule->rows);
    pg_wire_ready(&out);
    send_buf(c, &out);
    return true;
}

static void
note_status(struct connection *c, struct span data)
{
    struct scripted_pg *peer = c->peer;

    if (data.len < 34 || data.ptr[0] != 'r')
        return;
    pthread_mutex_lock(&peer->lock);
    peer->status = (struct pg_status){
        .written = pg_wire_u64(data.ptr + 1),
        .flushed = pg_wire_u64(data.ptr + 9),
    };
    peer->status_count++;
    pthread_cond_broadcast(&peer->changed);
    pthread_mutex_unlock(&peer->lock);
}

/* CopyDone from the client: ours, and the command is complete. */
static void
finish_copy(struct connection *c)
{
    CLEANUP(buf_free) struct buf out = buf_make(MESSAGE_MAX);

    pthread_mutex_lock(&c->peer->lock);
    c->streaming = false;
    pthread_mutex_unlock(&c->peer->lock);
    pg_wire_message(&out, 'c', SPAN(""));
    pg_wire_text(&out, 'C', "START_STREAMING");
    pg_wire_ready(&out);
    send_buf(c, &out);
}

/* Parse holds the statement behind its name. */
static void
take_parse(struct connection *c, struct span body)
{
    size_t name = strnlen(body.ptr, body.len);

    assert(name < body.len);
    buf_clear(&c->sql);
    buf_put(&c->sql, span_of(span_skip(body, name + 1).ptr));
}

static bool
on_message(struct connection *c, char type, struct span body)
{
    switch (type) {
    case 'Q':
        buf_clear(&c->sql);
        buf_put(&c->sql, span_of(body.ptr));
        return answer(c, false);
    case 'P':
        take_parse(c, body);
        return true;
    case 'S':
        return answer(c, true);
    case 'd':
        note_status(c, body);
        return true;
    case 'c':
        finish_copy(c);
        return true;
    case 'X':
        return false;
    default:
        return true; /* Bind, Describe, Execute: the statement says enough */
    }
}

static bool
read_message(struct connection *c, struct buf *body)
{
    char head[5];
    uint32_t len;
    char *room;

    if (!read_exact(c->fd, head, sizeof(head)))
        return false;
    len = pg_wire_u32(head + 1) - 4;
    buf_clear(body);
    room = buf_reserve(body, len + 1);
    assert(room);
    if (!read_exact(c->fd, room, len))
        return false;
    buf_commit(body, len);
    return on_message(c, head[0], buf_span(body));
}

/* ---- connecting ---- */

/* "user\0me\0application_name\0puffgres lock\0\0" */
static void
take_parameters(struct connection *c, const char *at)
{
    while (*at) {
        const char *value = at + strlen(at) + 1;

        if (strcmp(at, "application_name") == 0) {
            pthread_mutex_lock(&c->peer->lock);
            snprintf(c->application, sizeof(c->application), "%s", value);
            pthread_mutex_unlock(&c->peer->lock);
        }
        at = value + strlen(value) + 1;
    }
}

static void
welcome(struct connection *c, const char *version)
{
    CLEANUP(buf_free) struct buf out = buf_make(MESSAGE_MAX), body = buf_make(MESSAGE_MAX);

    pg_wire_message(&out, 'R', (struct span){"\0\0\0\0", 4});
    buf_putf(&body, "server_version%c%s%c", 0, version, 0);
    pg_wire_message(&out, 'S', buf_span(&body));
    pg_wire_message(&out, 'S', (struct span){"client_encoding\0UTF8\0", 21});
    buf_clear(&body);
    wire_u32(&body, 4000 + (uint32_t)(c - c->peer->connections));
    wire_u32(&body, 1);
    pg_wire_message(&out, 'K', buf_span(&body));
    pg_wire_ready(&out);
    send_buf(c, &out);
}

static void
refuse(struct connection *c, const char *refusal)
{
    CLEANUP(buf_free) struct buf out = buf_make(MESSAGE_MAX);

    pg_wire_error(&out, "FATAL", refusal);
    send_buf(c, &out);
}

static bool
admit(struct connection *c)
{
    struct scripted_pg *peer = c->peer;
    const char *refusal, *version;

    pthread_mutex_lock(&peer->lock);
    refusal = peer->refusal;
    version = peer->version;
    pthread_mutex_unlock(&peer->lock);
    if (refusal)
        refuse(c, refusal);
    else
        welcome(c, version);
    return !refusal;
}

static void
cancel(struct scripted_pg *peer, uint32_t pid)
{
    pthread_mutex_lock(&peer->lock);
    if (pid >= 4000 && pid - 4000 < peer->count)
        peer->connections[pid - 4000].hanging = false;
    pthread_cond_broadcast(&peer->changed);
    pthread_mutex_unlock(&peer->lock);
}

static bool
start_up(struct connection *c)
{
    char packet[4096] = {0};
    uint32_t len, code;

    for (;;) {
        if (!read_exact(c->fd, packet, 8))
            return false;
        len = pg_wire_u32(packet) - 8;
        code = pg_wire_u32(packet + 4);
        if (len >= sizeof(packet) || !read_exact(c->fd, packet, len))
            return false;
        if (code == CODE_CANCEL) {
            cancel(c->peer, pg_wire_u32(packet));
            return false;
        }
        if (code != CODE_SSL && code != CODE_GSS)
            break;
        write_all(c->fd, SPAN("N"));
    }
    take_parameters(c, packet);
    return admit(c);
}

static void
close_connection(struct connection *c)
{
    struct scripted_pg *peer = c->peer;

    pthread_mutex_lock(&peer->lock);
    if (c->fd >= 0)
        close(c->fd);
    c->fd = -1;
    c->streaming = false;
    pthread_cond_broadcast(&peer->changed);
    pthread_mutex_unlock(&peer->lock);
}

static void *
serve(void *arg)
{
    CLEANUP(buf_free) struct buf body = buf_make(MESSAGE_MAX);
    struct connection *c = arg;

    if (start_up(c)) {
        while (read_message(c, &body))
            ;
    }
    close_connection(c);
    return NULL;
}

static void *
accept_all(void *arg)
{
    struct scripted_pg *peer = arg;

    for (;;) {
        int fd = accept(peer->listener, NULL, NULL);
        struct connection *c;

        if (fd < 0)
            return NULL;
        pthread_mutex_lock(&peer->lock);
        assert(peer->count < CONNECTIONS_MAX);
        c = &peer->connections[peer->count++];
        c->peer = peer;
        c->fd = fd;
        c->sql = buf_make(MESSAGE_MAX);
        pthread_mutex_unlock(&peer->lock);
        if (pthread_create(&c->thread, NULL, serve, c) != 0)
            abort();
    }
}

/* ---- the stream's writer ---- */

/* Under the lock; the newest stream counts. */
static int
stream_fd(const struct scripted_pg *peer)
{
    for (size_t i = peer->count; i > 0; i--) {
        if (peer->connections[i - 1].streaming)
            return peer->connections[i - 1].fd;
    }
    return -1;
}

static void *
write_stream(void *arg)
{
    struct scripted_pg *peer = arg;

    pthread_mutex_lock(&peer->lock);
    while (!peer->stopping) {
        struct buf taken = peer->outgoing;
        int fd = stream_fd(peer);

        if (fd < 0 || taken.len == 0) {
            pthread_cond_wait(&peer->changed, &peer->lock);
            continue;
        }
        peer->outgoing = buf_make(OUTGOING_MAX);
        pthread_mutex_unlock(&peer->lock);
        write_all(fd, buf_span(&taken));
        buf_free(&taken);
        pthread_mutex_lock(&peer->lock);
    }
    pthread_mutex_unlock(&peer->lock);
    return NULL;
}

/* ---- life ---- */

static int
listen_in(const char *folder)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    snprintf(address.sun_path, sizeof(address.sun_path), "%s/.s.PGSQL.%d", folder, PORT);
    if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof(address)) != 0 ||
        listen(fd, 16) != 0)
        abort();
    return fd;
}

struct scripted_pg *
scripted_pg_start(const struct pg_rule *rules, size_t count)
{
    struct scripted_pg *peer = calloc(1, sizeof(*peer));

    assert(peer);
    peer->rules = rules;
    peer->rule_count = count;
    peer->used = calloc(count + 1, sizeof(*peer->used));
    peer->version = "15.4";
    peer->log = buf_make(MESSAGE_MAX);
    if (!buf_reserve(&peer->log, LOG_ROOM)) /* does not move while it is read */
        abort();
    snprintf(peer->folder, sizeof(peer->folder), "/tmp/scripted_pg.XXXXXX");
    if (!mkdtemp(peer->folder))
        abort();
    snprintf(peer->conninfo, sizeof(peer->conninfo),
             "host=%s port=%d user=me dbname=shop password=hidden-word", peer->folder, PORT);
    peer->listener = listen_in(peer->folder);
    pthread_mutex_init(&peer->lock, NULL);
    pthread_cond_init(&peer->changed, NULL);
    peer->outgoing = buf_make(OUTGOING_MAX);
    if (pthread_create(&peer->thread, NULL, accept_all, peer) != 0 ||
        pthread_create(&peer->writer, NULL, write_stream, peer) != 0)
        abort();
    return peer;
}

static void
end_connections(struct scripted_pg *peer)
{
    pthread_mutex_lock(&peer->lock);
    peer->stopping = true;
    for (size_t i = 0; i < peer->count; i++) {
        if (peer->connections[i].fd >= 0)
            shutdown(peer->connections[i].fd, SHUT_RDWR);
    }
    pthread_cond_broadcast(&peer->changed);
    pthread_mutex_unlock(&peer->lock);
    pthread_join(peer->writer, NULL);
    for (size_t i = 0; i < peer->count; i++) {
        pthread_join(peer->connections[i].thread, NULL);
        buf_free(&peer->connections[i].sql);
    }
}

void
scripted_pg_stop(struct scripted_pg *peer)
{
    char path[128];

    if (!peer)
        return;
    shutdown(peer->listener, SHUT_RDWR);
    pthread_join(peer->thread, NULL);
    close(peer->listener);
    end_connections(peer);
    snprintf(path, sizeof(path), "%s/.s.PGSQL.%d", peer->folder, PORT);
    unlink(path);
    rmdir(peer->folder);
    buf_free(&peer->log);
    buf_free(&peer->outgoing);
    free(peer->used);
    pthread_cond_destroy(&peer->changed);
    pthread_mutex_destroy(&peer->lock);
    free(peer);
}

void
scripted_pg_stopp(struct scripted_pg **peer)
{
    scripted_pg_stop(*peer);
    *peer = NULL;
}

const char *
scripted_pg_conninfo(const struct scripted_pg *peer)
{
    return peer->conninfo;
}

void
scripted_pg_set_version(struct scripted_pg *peer, const char *version)
{
    pthread_mutex_lock(&peer->lock);
    peer->version = version;
    pthread_mutex_unlock(&peer->lock);
}

void
scripted_pg_refuse(struct scripted_pg *peer, const char *error)
{
    pthread_mutex_lock(&peer->lock);
    peer->refusal = error;
    pthread_mutex_unlock(&peer->lock);
}

/* ---- looking ---- */

size_t
scripted_pg_count(struct scripted_pg *peer, const char *part)
{
    const char *at = scripted_pg_log(peer);
    size_t count = 0;

    while (*at) {
        size_t len = strcspn(at, "\n");
        const char *hit = strstr(at, part);

        count += hit && hit < at + len;
        at += len + (at[len] == '\n');
    }
    return count;
}

const char *
scripted_pg_log(struct scripted_pg *peer)
{
    const char *log;

    pthread_mutex_lock(&peer->lock);
    log = peer->log.ptr ? peer->log.ptr : "";
    pthread_mutex_unlock(&peer->lock);
    return log;
}

/* ---- the stream ---- */

static void
send_on_stream(struct scripted_pg *peer, const struct buf *out)
{
    pthread_mutex_lock(&peer->lock);
    buf_put(&peer->outgoing, buf_span(out));
    pthread_cond_broadcast(&peer->changed);
    pthread_mutex_unlock(&peer->lock);
}

void
scripted_pg_push(struct scripted_pg *peer, struct span payload)
{
    CLEANUP(buf_free) struct buf out = buf_make(MESSAGE_MAX);

    pg_wire_message(&out, 'd', payload);
    send_on_stream(peer, &out);
}

void
scripted_pg_push_xlog(struct scripted_pg *peer, lsn_t end, struct span message)
{
    CLEANUP(buf_free) struct buf payload = buf_make(MESSAGE_MAX);

    buf_putc(&payload, 'w');
    wire_u64(&payload, end);
    wire_u64(&payload, end);
    wire_u64(&payload, 0);
    buf_put(&payload, message);
    scripted_pg_push(peer, buf_span(&payload));
}

void
scripted_pg_push_keepalive(struct scripted_pg *peer, lsn_t end, bool reply)
{
    CLEANUP(buf_free) struct buf payload = buf_make(MESSAGE_MAX);

    buf_putc(&payload, 'k');
    wire_u64(&payload, end);
    wire_u64(&payload, 0);
    wire_u8(&payload, reply);
    scripted_pg_push(peer, buf_span(&payload));
}

void
scripted_pg_push_error(struct scripted_pg *peer, const char *error)
{
    CLEANUP(buf_free) struct buf out = buf_make(MESSAGE_MAX);

    pg_wire_error(&out, "ERROR", error);
    pg_wire_ready(&out);
    send_on_stream(peer, &out);
}

void
scripted_pg_end_stream(struct scripted_pg *peer)
{
    CLEANUP(buf_free) struct buf out = buf_make(MESSAGE_MAX);

    pg_wire_message(&out, 'c', SPAN(""));
    pg_wire_text(&out, 'C', "COPY 0");
    send_on_stream(peer, &out);
}

size_t
scripted_pg_status(struct scripted_pg *peer, struct pg_status *ret_last)
{
    size_t count;

    pthread_mutex_lock(&peer->lock);
    count = peer->status_count;
    if (ret_last)
        *ret_last = peer->status;
    pthread_mutex_unlock(&peer->lock);
    return count;
}

bool
scripted_pg_wait_status(struct scripted_pg *peer, size_t count)
{
    int64_t deadline_ms = clock_mono_ms() + WAIT_MS;

    while (clock_mono_ms() < deadline_ms) {
        if (scripted_pg_status(peer, NULL) >= count)
            return true;
        usleep(2000);
    }
    return false;
}

/* ---- trouble ---- */

void
scripted_pg_kill(struct scripted_pg *peer, const char *application, const char *error)
{
    CLEANUP(buf_free) struct buf out = buf_make(MESSAGE_MAX);

    if (error)
        pg_wire_error(&out, "FATAL", error);
    pthread_mutex_lock(&peer->lock);
    for (size_t i = 0; i < peer->count; i++) {
        struct connection *c = &peer->connections[i];

        if (c->fd < 0 || !strstr(c->application, application))
            continue;
        send_buf(c, &out);
        shutdown(c->fd, SHUT_RDWR);
    }
    pthread_mutex_unlock(&peer->lock);
}
