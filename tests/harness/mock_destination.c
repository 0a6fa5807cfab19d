/* mock_destination: records, and fails on demand. */
#include "harness/mock_destination.h"

#include <assert.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#define ANSWERS_MAX  1024
#define POISON_MAX   64
#define IDS_MAX      100000
#define ZOMBIES_MAX  16
#define NAME_MAX_LEN 31

struct document {
    char id[72];
    char name[NAME_MAX_LEN + 1];
    struct position position;
    bool present;
};

/* A write that was answered with a failure and arrives later. */
struct zombie {
    int left; /* further writes until then; 0: none here */
    struct arena *arena;
    struct action *actions;
    size_t count;
};

static struct destination_type mock_type;

static struct {
    pthread_mutex_t lock;
    struct mock_answer answers[ANSWERS_MAX];
    size_t answer_count, answer_next;
    char poison[POISON_MAX][72];
    size_t poison_count;
    struct buf log;
    size_t writes, failed, largest;
    int64_t deadline_ms;
    struct document *documents;
    size_t document_count;
    bool disordered;
    struct zombie zombies[ZOMBIES_MAX];
} mock = {.lock = PTHREAD_MUTEX_INITIALIZER};

void
mock_answer(struct mock_answer answer)
{
    pthread_mutex_lock(&mock.lock);
    if (mock.answer_next == mock.answer_count) /* all used up */
        mock.answer_next = mock.answer_count = 0;
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
name_of(const struct action *action, char dst[NAME_MAX_LEN + 1])
{
    const struct value *name = action->image ? &action->image[1] : NULL;

    dst[0] = '\0';
    if (name && name->kind == VALUE_TEXT)
        snprintf(dst, NAME_MAX_LEN + 1, "%.*s", (int)name->len, name->ptr);
}

static void
apply_truncate(struct position position)
{
    for (size_t i = 0; i < mock.document_count; i++) {
        struct document *document = &mock.documents[i];

        if (position_compare(document->position, position) < 0)
            document->present = false;
    }
}

/* Deliberately as forgetful as the real thing: an absent document has no version. */
static void
apply(const struct action *action)
{
    struct document *document;
    int newer;

    if (action->kind == ACTION_TRUNCATE) {
        apply_truncate(action->position);
        return;
    }
    document = document_of(action->id.text);
    newer = position_compare(action->position, document->position);
    if (document->present && newer <= 0 && (mock_type.caps & DEST_VERSIONED))
        return;
    if (document->present && newer < 0)
        mock.disordered = true;
    document->position = action->position;
    document->present = action->kind == ACTION_UPSERT;
    name_of(action, document->name);
}

/* ---- zombies ---- */

static void
rise(struct zombie *zombie)
{
    for (size_t i = 0; i < zombie->count; i++)
        apply(&zombie->actions[i]);
    arena_free(zombie->arena);
    *zombie = (struct zombie){0};
}

static void
zombies_count_down(int by)
{
    for (size_t i = 0; i < ZOMBIES_MAX; i++) {
        struct zombie *zombie = &mock.zombies[i];

        if (zombie->left > 0 && (zombie->left -= by) <= 0)
            rise(zombie);
    }
}

static struct value *
copy_image(const struct value *image, struct arena *arena)
{
    struct value *copy = arena_new_n(arena, struct value, 2);

    for (size_t i = 0; i < 2; i++) {
        copy[i] = image[i];
        copy[i].ptr = arena_span(arena, value_span(&image[i])).ptr;
    }
    return copy;
}

static void
bury(const struct destination_write *write, int left)
{
    for (size_t z = 0; z < ZOMBIES_MAX; z++) {
        struct zombie *zombie = &mock.zombies[z];

        if (zombie->left > 0)
            continue;
        *zombie =
            (struct zombie){.left = left, .arena = arena_new("zombie"), .count = write->count};
        zombie->actions = arena_new_n(zombie->arena, struct action, write->count);
        for (size_t i = 0; i < write->count; i++) {
            zombie->actions[i] = write->actions[i];
            zombie->actions[i].id.text = arena_span(zombie->arena, write->actions[i].id.text);
            if (write->actions[i].image)
                zombie->actions[i].image = copy_image(write->actions[i].image, zombie->arena);
        }
        return;
    }
    abort(); /* a test that makes more zombies than this means something else */
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
        apply(&write->actions[i]);
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
    mock.deadline_ms = write->deadline_ms;
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
    zombies_count_down(1);
    if (done)
        record(write);
    else if (answer.zombie > 0)
        bury(write, answer.zombie);
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
    zombies_count_down(INT32_MAX);
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

int64_t
mock_deadline_ms(void)
{
    return mock.deadline_ms;
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

void
mock_settle(void)
{
    pthread_mutex_lock(&mock.lock);
    zombies_count_down(INT32_MAX);
    pthread_mutex_unlock(&mock.lock);
}

const char *
mock_name(const char *id)
{
    for (size_t i = 0; i < mock.document_count; i++) {
        if (mock.documents[i].present && strcmp(mock.documents[i].id, id) == 0)
            return mock.documents[i].name;
    }
    return NULL;
}
