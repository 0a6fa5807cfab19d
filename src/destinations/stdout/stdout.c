/*
 * stdout: one JSON line per action.
 *
 * Replay    repeats lines; (lsn, seq) tells them
 * Threads   lanes render on their own and take turns at the descriptor
 */
#include "destinations/stdout/stdout.h"

#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/json.h"
#include "model/pgtext.h"

#define BODY_LIMIT MEGABYTES(1024)

struct stdout_destination {
    struct destination base; /* first */
    pthread_mutex_t turn;    /* of the descriptor, and of: */
    bool torn;               /* the last write ended inside a line */
};

static const struct opt options[] = {{0}};

/* ---- rendering ---- */

static void
put_value(const struct type *type, const struct value *value, struct buf *out)
{
    size_t begin = out->len;

    if (value->kind == VALUE_NULL) {
        buf_put(out, SPAN("null"));
        return;
    }
    if (value->kind == VALUE_JSON) {
        buf_put(out, value_span(value));
        return;
    }
    assert(value->kind == VALUE_TEXT);
    if (pgtext_put_json(type, value_span(value), out))
        return;
    out->len = begin; /* not as its type is written: its text then */
    json_put_string(out, value_span(value));
}

static void
put_attributes(const struct mapping *mapping, const struct value *image, struct buf *out)
{
    buf_put(out, SPAN(",\"attributes\":{"));
    for (size_t i = 0; i < mapping->field_count; i++) {
        const struct mapping_field *field = &mapping->fields[i];

        if (i > 0)
            buf_putc(out, ',');
        json_put_string(out, span_of(field->name));
        buf_putc(out, ':');
        put_value(&mapping->columns[field->column].type, &image[field->column], out);
    }
    buf_putc(out, '}');
}

static void
put_id(const struct docid *id, struct buf *out)
{
    buf_put(out, SPAN(",\"id\":"));
    if (id->quoted)
        json_put_string(out, id->text);
    else
        buf_put(out, id->text);
}

static void
put_action(const struct mapping *mapping, const struct action *action, struct buf *out)
{
    buf_putf(out, "{\"op\":\"%s\",\"mapping\":", action_kind_names[action->kind]);
    json_put_string(out, span_of(mapping->name));
    if (action->kind != ACTION_TRUNCATE)
        put_id(&action->id, out);
    buf_putf(out, ",\"lsn\":\"" LSN_FMT "\",\"seq\":", LSN_ARG(action->position.commit));
    buf_put_uint(out, action->position.ordinal);
    if (action->kind == ACTION_UPSERT)
        put_attributes(mapping, action->image, out);
    buf_put(out, SPAN("}\n"));
}

static bool
stdout_render(const struct destination_lane *lane, const struct destination_write *order,
              struct buf *out, struct err *err)
{
    for (size_t i = 0; i < order->count; i++)
        put_action(lane->mapping, &order->actions[i], out);
    return buf_ok(out, err);
}

/* ---- the descriptor ---- */

/* False when it is time to give up. */
static bool
wait_writable(const struct destination_write *order, struct err *err)
{
    struct pollfd p[] = {
        {.fd = STDOUT_FILENO, .events = POLLOUT},
        {.fd = order->cancel_fd, .events = POLLIN},
    };
    int64_t left_ms = order->deadline_ms - clock_mono_ms();
    int n = poll(p, ARRAY_LEN(p), left_ms > 60000 ? 60000 : left_ms > 0 ? (int)left_ms : 0);

    if (n > 0 && p[1].revents)
        return err_set(err, ERR_CANCELED, "canceled");
    if (n == 0 && clock_mono_ms() >= order->deadline_ms)
        return err_set(err, ERR_TRANSIENT, "nobody reads the standard output");
    return true;
}

/*
 * A blocking pipe takes PIPE_BUF bytes without blocking when poll says that it is writable, and
 * takes them whole (POSIX, write()): cut between lines, so that a stop tears only longer ones.
 */
static size_t
chunk_bytes(struct span left)
{
    const char *newline;

    if (left.len <= PIPE_BUF)
        return left.len;
    newline = memrchr(left.ptr, '\n', PIPE_BUF);
    return newline ? (size_t)(newline - left.ptr) + 1 : PIPE_BUF;
}

static bool
put_bytes(const struct destination_write *order, struct span left, size_t *ret_done,
          struct err *err)
{
    while (left.len > 0) {
        ssize_t n;

        if (!wait_writable(order, err))
            return false;
        n = write(STDOUT_FILENO, left.ptr, chunk_bytes(left));
        if (n < 0 && (errno == EINTR || errno == EAGAIN))
            continue;
        if (n < 0)
            return err_set_code(err, errno == ENOSPC ? ERR_TRANSIENT : ERR_CONFIG, errno,
                                "writing to the standard output: %s", strerror(errno));
        left = span_skip(left, (size_t)n);
        *ret_done += (size_t)n;
    }
    return true;
}

static bool
put_lines(struct stdout_destination *dest, const struct destination_write *order, struct span lines,
          struct destination_result *result, struct err *err)
{
    size_t done = 0, ignored = 0;

    if (dest->torn && !put_bytes(order, SPAN("\n"), &ignored, err))
        return false;
    dest->torn = false;
    if (put_bytes(order, lines, &done, err)) {
        result->bytes += done;
        return true;
    }
    assert(done < lines.len);
    dest->torn = done > 0 && lines.ptr[done - 1] != '\n';
    return false;
}

static bool
stdout_write(struct destination_lane *lane, const struct destination_write *order,
             struct destination_result *result, struct err *err)
{
    struct stdout_destination *dest = (struct stdout_destination *)lane->destination;
    CLEANUP(buf_free) struct buf body = buf_make(BODY_LIMIT);
    bool done;

    if (!stdout_render(lane, order, &body, err))
        return false;
    pthread_mutex_lock(&dest->turn);
    done = put_lines(dest, order, buf_span(&body), result, err);
    pthread_mutex_unlock(&dest->turn);
    result->requests++;
    return done;
}

/* ---- life ---- */

/* A reader that went away is an error to report, not a signal to die of. */
static bool
stdout_open(struct destination *base, struct err *err)
{
    struct stdout_destination *dest = (struct stdout_destination *)base;

    if (signal(SIGPIPE, SIG_IGN) == SIG_ERR || pthread_mutex_init(&dest->turn, NULL) != 0)
        return err_set(err, ERR_TRANSIENT, "preparing the standard output failed");
    return true;
}

static void
stdout_close(struct destination *base)
{
    pthread_mutex_destroy(&((struct stdout_destination *)base)->turn);
}

static bool
stdout_lane_open(struct destination_lane *lane UNUSED, struct err *err UNUSED)
{
    return true;
}

static void
stdout_lane_close(struct destination_lane *lane UNUSED)
{
}

/* ---- registration ---- */

const struct destination_type stdout_destination = {
    .name = "stdout",
    .summary = "one JSON line per action on the standard output",
    .caps = 0,
    .size = sizeof(struct stdout_destination),
    .lane_size = sizeof(struct destination_lane),
    .options = options,
    .open = stdout_open,
    .close = stdout_close,
    .lane_open = stdout_lane_open,
    .lane_close = stdout_lane_close,
    .render = stdout_render,
    .write = stdout_write,
};
