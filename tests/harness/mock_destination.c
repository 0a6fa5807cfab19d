/* mock_destination: records, and fails on demand. */
#include "harness/mock_destination.h"

#include <assert.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#define ANSWERS_MAX 64
#define POISON_MAX  64
#define IDS_MAX     100000

struct document {
    char id[72];
    struct position position;
    bool present;
};

static struct {
    pthread_mutex_t lock;
    struct mock_answer answers[ANSWERS_MAX];
    size_t answer_count, answer_next;
    char poison[POISON_MAX][72];
    size_t poison_count;
    struct buf log;
    size_t writes, failed, largest;
    struct document *documents;
    size_t document_count;
    bool disordered;
} mock = {.lock = PTHREAD_MUTEX_INITIALIZER};

static struct destination_type mock_type;

void
mock_answer(struct mock_answer answer)
{
    pthread_mutex_lock(&mock.lock);
    assert(mock.answer_count < ANSWERS_MAX);
    mock.answers[mock.answer_count++] = answer;
    pthread_mutex_unlock(&mock.lock);
}

void
mock_poison(const char *id)
{
    pthread_mutex_lock(&mock.lock);
    assert(mock.poison_count < POISON_MAX);
    snprintf(mock.poison[mock.poison_count++], sizeof(mock.poison[0]), "%s", id);
    pthread_mutex_unlock(&mock.lock);
}

/* ---- what is remembered ---- */

static struct document *
document_of(struct span id)
{
    struct document *grown;

    for (size_t i = 0; i < mock.document_count; i++) {
        if (span_eq(span_of(mock.documents[i].id), id))
            return &mock.documents[i];
    }
    assert(mock.document_count < IDS_MAX && id.len < sizeof(grown->id));
    grown = reallocarray(mock.documents, mock.document_count + 1, sizeof(*grown));
    if (!grown)
        abort();
    mock.documents = grown;
    grown += mock.document_count++;
    *grown = (struct document){.present = false};
    snprintf(grown->id, sizeof(grown->id), "%.*s", SPAN_ARG(id));
    return grown;
}

static void
remember(const struct action *action)
{
    struct document *document;

    if (action->kind == ACTION_TRUNCATE)
        return;
    document = document_of(action->id.text);
    if (document->present && position_compare(action->position, document->position) < 0)
        mock.disordered = true;
    document->position = action->position;
    document->present = action->kind == ACTION_UPSERT;
}

static void
log_action(const struct action *action, bool first)
{
    static const char letters[] = {[ACTION_UPSERT] = 'U',
                                   [ACTION_DELETE] = 'D',
                                   [ACTION_TRUNCATE] = 'T',
                                   [ACTION_ERROR] = 'E'};

    buf_putf(&mock.log, "%s%c%.*s@%llu.%llu", first ? "" : " ", letters[action->kind],
             SPAN_ARG(action->kind == ACTION_TRUNCATE ? SPAN("") : action->id.text),
             (unsigned long long)action->position.commit,
             (unsigned long long)action->position.ordinal);
}

static void
record(const struct destination_write *write)
{
    for (size_t i = 0; i < write->count; i++) {
        log_action(&write->actions[i], i == 0);
        remember(&write->actions[i]);
    }
    buf_put(&mock.log, SPAN("\n"));
    if (write->count > mock.largest)
        mock.largest = write->count;
}

/* ---- the destination ---- */

static bool
is_poison(const struct destination_write *write)
{
    for (size_t i = 0; i < write->count; i++) {
        for (size_t p = 0; p < mock.poison_count; p++) {
            if (write->actions[i].kind != ACTION_TRUNCATE &&
                span_eq(write->actions[i].id.text, span_of(mock.poison[p])))
                return true;
        }
    }
    return false;
}

static bool
answer_of(const struct destination_write *write, struct mock_answer *ret)
{
    *ret = (struct mock_answer){0};
    mock.writes++;
    if (mock.answer_next < mock.answer_count)
        *ret = mock.answers[mock.answer_next++];
    else if (is_poison(write))
        *ret = (struct mock_answer){.kind = ERR_DATA, .text = "poison"};
    return ret->kind == ERR_NONE;
}

static bool
delay(const struct destination_write *write, int64_t ms)
{
    struct pollfd fd = {.fd = write->cancel_fd, .events = POLLIN};

    return ms == 0 || poll(&fd, 1, (int)ms) == 0;
}

static bool
mock_write(struct destination_lane *lane UNUSED, const struct destination_write *write,
           struct destination_result *result, struct err *err)
{
    struct mock_answer answer;
    bool done;

    pthread_mutex_lock(&mock.lock);
    done = answer_of(write, &answer);
    pthread_mutex_unlock(&mock.lock);

    result->requests = 1;
    if (!delay(write, answer.delay_ms)) {
        result->unknown = true;
        return err_set(err, ERR_CANCELED, "canceled");
    }
    pthread_mutex_lock(&mock.lock);
    if (done)
        record(write);
    mock.failed += !done;
    pthread_mutex_unlock(&mock.lock);
    if (done)
        return true;
    result->unknown = answer.unknown;
    result->retry_after_ms = answer.retry_after_ms;
    return err_set(err, answer.kind, "%s", answer.text ? answer.text : "scripted");
}

static bool
mock_open(struct destination *dest UNUSED, struct err *err UNUSED)
{
    return true;
}

static void
mock_close(struct destination *dest UNUSED)
{
}

static bool
mock_lane_open(struct destination_lane *lane UNUSED, struct err *err UNUSED)
{
    return true;
}

static void
mock_lane_close(struct destination_lane *lane UNUSED)
{
}

static bool
mock_render(const struct destination_lane *lane UNUSED, const struct destination_write *write,
            struct buf *out, struct err *err)
{
    for (size_t i = 0; i < write->count; i++)
        buf_putf(out, "%s\n", action_kind_names[write->actions[i].kind]);
    return buf_ok(out, err);
}

static const struct opt no_options[] = {{0}};

static const struct destination_type mock_destination = {
    .name = "mock",
    .summary = "Records what it is told",
    .size = sizeof(struct destination),
    .lane_size = sizeof(struct destination_lane),
    .options = no_options,
    .open = mock_open,
    .close = mock_close,
    .lane_open = mock_lane_open,
    .lane_close = mock_lane_close,
    .render = mock_render,
    .write = mock_write,
};

/* ---- what a test asks ---- */

void
mock_reset(unsigned caps)
{
    pthread_mutex_lock(&mock.lock);
    buf_free(&mock.log);
    free(mock.documents);
    mock.log = buf_make(MEGABYTES(64));
    mock.documents = NULL;
    mock.document_count = 0;
    mock.answer_count = mock.answer_next = mock.poison_count = 0;
    mock.writes = mock.failed = mock.largest = 0;
    mock.disordered = false;
    mock_type = mock_destination;
    mock_type.caps = caps;
    pthread_mutex_unlock(&mock.lock);
}

const struct destination_type *
mock_destination_type(void)
{
    return &mock_type;
}

const char *
mock_log(void)
{
    return buf_span(&mock.log).ptr;
}

size_t
mock_writes(void)
{
    return mock.writes;
}

size_t
mock_failed_writes(void)
{
    return mock.failed;
}

size_t
mock_largest(void)
{
    return mock.largest;
}

size_t
mock_ids(void)
{
    size_t present = 0;

    for (size_t i = 0; i < mock.document_count; i++)
        present += mock.documents[i].present;
    return present;
}

bool
mock_ordered(void)
{
    return !mock.disordered;
}
