/* mapper: rows to actions, with the membership predicate, unchanged values and read-backs. */
#include "engine/mapper.h"

#include <assert.h>

#include "base/map.h"
#include "model/predicate.h"

#define FIRST_REQUESTS 16

/* An id, or why there is none. */
struct identity {
    struct docid id;
    struct span text;  /* as Postgres printed it: what a read-back asks for */
    const char *error; /* NULL: there is an id */
};

/* A row taken apart: what it does to its old id and to its new one. */
struct event {
    const struct row *row;
    bool has_old, has_new;     /* delete, or the old half of a key change; write */
    struct identity old_id;    /* with has_old */
    struct identity new_id;    /* with has_new */
    bool moved;                /* a key change: the new id had no row before */
    const struct value *image; /* with has_new; values may still be UNCHANGED */
    bool whole;                /* none is */
};

/* What is decided when the row has been read back. */
struct pending {
    size_t action;
    bool was_there; /* a document may exist: it is deleted unless the row belongs */
};

struct mapper {
    const struct batch *batch;
    const struct mapping *mapping;
    struct arena *arena;
    struct actions actions;

    struct reader_request *requests;
    struct pending *pending; /* of each request */
    size_t request_count, request_cap;

    bool tracking;
    struct map images; /* id -> newest whole image of it in this batch, or none */
};

/* ---- taking a row apart ---- */

static void
identify(const struct mapper *mapper, const struct value *image, struct identity *ret)
{
    const struct value *value = &image[mapper->mapping->id_column];
    struct err err;

    ret->text = value_span(value);
    ret->error = NULL;
    if (!docid_make(mapper->mapping, value, mapper->arena, &ret->id, &err))
        *ret = (struct identity){.text = ret->text, .error = arena_strdup(mapper->arena, err.text)};
}

static bool
has_unchanged(const struct mapper *mapper, const struct value *image)
{
    for (size_t i = 0; i < mapper->mapping->column_count; i++) {
        if (image[i].kind == VALUE_UNCHANGED)
            return true;
    }
    return false;
}

/* Unchanged values of the image are taken from an older one of the same row, as far as it has
 * them; the copy may still have some. */
static const struct value *
fill_from(const struct mapper *mapper, const struct value *image, const struct value *older)
{
    size_t count = mapper->mapping->column_count;
    struct value *filled = arena_alloc_raw(mapper->arena, count * sizeof(*filled));

    for (size_t i = 0; i < count; i++)
        filled[i] = image[i].kind == VALUE_UNCHANGED ? older[i] : image[i];
    return filled;
}

static void
read_image(const struct mapper *mapper, struct event *event)
{
    const struct row *row = event->row;

    event->image = row->after;
    event->whole = !has_unchanged(mapper, row->after);
    if (event->whole || !row->before)
        return;
    event->image = fill_from(mapper, row->after, row->before);
    event->whole = !has_unchanged(mapper, event->image);
}

/* Did the update move the row to another id?  An old id that was not sent has not changed. */
static bool
read_old_id(const struct mapper *mapper, const struct row *row, struct event *event)
{
    const struct value *before = row->before ? &row->before[mapper->mapping->id_column] : NULL;

    if (!before || before->kind == VALUE_UNCHANGED ||
        span_eq(value_span(before), event->new_id.text))
        return false;
    identify(mapper, row->before, &event->old_id);
    if (event->old_id.error)
        return !event->new_id.error; /* two ids that cannot be: one error says it */
    return event->new_id.error || !span_eq(event->old_id.id.text, event->new_id.id.text);
}

static void
read_event(const struct mapper *mapper, const struct row *row, struct event *ret)
{
    ret->row = row;
    ret->moved = false;
    ret->has_old = row->op == CHANGE_DELETE;
    ret->has_new = row->op == CHANGE_INSERT || row->op == CHANGE_UPDATE;
    if (ret->has_old) {
        assert(row->before);
        identify(mapper, row->before, &ret->old_id);
        return;
    }
    if (!ret->has_new)
        return;
    assert(row->after);
    read_image(mapper, ret);
    identify(mapper, ret->image, &ret->new_id);
    if (row->op == CHANGE_UPDATE && read_old_id(mapper, row, ret)) {
        ret->moved = true;
        ret->has_old = row->half != ROW_NEW_HALF;
        ret->has_new = row->half != ROW_OLD_HALF;
    }
}

/* ---- images of earlier rows of the batch ---- */

static void
forget(struct mapper *mapper, const struct identity *identity)
{
    if (!identity->error)
        (void)map_remove(&mapper->images, identity->id.text);
}

/* map.h stores pointers that may be written through; these never are. */
static void *
as_map_value(const struct value *image)
{
    union {
        const struct value *in;
        void *out;
    } pointer = {.in = image};

    return pointer.out;
}

static void
track(struct mapper *mapper, const struct event *event)
{
    if (event->row->op == CHANGE_TRUNCATE)
        map_clear(&mapper->images);
    if (event->has_old)
        forget(mapper, &event->old_id);
    if (!event->has_new)
        return;
    forget(mapper, &event->new_id);
    if (event->whole && !event->new_id.error)
        (void)map_put(&mapper->images, event->new_id.id.text, as_map_value(event->image));
}

/* Nothing is tracked before the first row that asks for it: most batches never do. */
static void
start_tracking(struct mapper *mapper, const struct row *until)
{
    mapper->tracking = true;
    for (const struct row *row = mapper->batch->rows; row < until; row++) {
        struct event event;

        read_event(mapper, row, &event);
        track(mapper, &event);
    }
}

/*
 * While a deferrable key is violated two rows have one id, and an earlier image of the id may be
 * the other row's: then only reading back tells.
 */
static void
fill_from_batch(struct mapper *mapper, struct event *event)
{
    const struct row *row = event->row;
    const struct identity *old = event->moved ? &event->old_id : &event->new_id;
    const struct value *earlier;

    if (row->op != CHANGE_UPDATE || row->half != ROW_WHOLE || old->error ||
        mapper->mapping->read_back_deletes)
        return;
    if (!mapper->tracking)
        start_tracking(mapper, row);
    earlier = map_get(&mapper->images, old->id.text);
    if (!earlier)
        return;
    event->image = fill_from(mapper, event->image, earlier);
    event->whole = true;
}

/* ---- actions ---- */

static struct action *
add_action(struct mapper *mapper, enum action_kind kind, const struct row *row)
{
    struct actions *actions = &mapper->actions;

    if (actions->count == actions->cap) {
        struct action *grown = arena_new_n(mapper->arena, struct action, actions->cap * 2);

        memcpy(grown, actions->items, actions->count * sizeof(*grown));
        actions->items = grown;
        actions->cap *= 2;
    }
    actions->items[actions->count] = (struct action){
        .kind = kind,
        .position = row->position,
        .row = row,
    };
    return &actions->items[actions->count++];
}

/* An action for this id; without an id the row is an error, and NULL is returned. */
static struct action *
add_for(struct mapper *mapper, enum action_kind kind, const struct row *row,
        const struct identity *identity)
{
    struct action *action = add_action(mapper, identity->error ? ACTION_ERROR : kind, row);

    action->id = identity->id;
    action->error = identity->error;
    return identity->error ? NULL : action;
}

static void
grow_requests(struct mapper *mapper)
{
    size_t cap = mapper->request_cap ? mapper->request_cap * 2 : FIRST_REQUESTS;
    size_t count = mapper->request_count;
    struct reader_request *requests = arena_new_n(mapper->arena, struct reader_request, cap);
    struct pending *pending = arena_new_n(mapper->arena, struct pending, cap);

    if (count > 0) {
        memcpy(requests, mapper->requests, count * sizeof(*requests));
        memcpy(pending, mapper->pending, count * sizeof(*pending));
    }
    mapper->requests = requests;
    mapper->pending = pending;
    mapper->request_cap = cap;
}

/* What happens to the id is decided by the row as it is now (SEMANTICS 4). */
static void
add_read_back(struct mapper *mapper, const struct row *row, const struct identity *identity,
              bool was_there)
{
    assert(row->op != CHANGE_TRUNCATE);
    if (!add_for(mapper, ACTION_DELETE, row, identity))
        return;
    if (mapper->request_count == mapper->request_cap)
        grow_requests(mapper);
    mapper->requests[mapper->request_count] = (struct reader_request){
        .id = identity->text,
        .xid = row->xid,
    };
    mapper->pending[mapper->request_count++] = (struct pending){
        .action = mapper->actions.count - 1,
        .was_there = was_there,
    };
}

static void
add_delete(struct mapper *mapper, const struct row *row, const struct identity *identity)
{
    if (mapper->mapping->read_back_deletes)
        add_read_back(mapper, row, identity, true);
    else
        (void)add_for(mapper, ACTION_DELETE, row, identity);
}

/* ---- membership ---- */

static enum truth
belongs(const struct mapper *mapper, const struct value *image)
{
    if (!mapper->mapping->predicate)
        return TRUTH_TRUE;
    return predicate_eval(mapper->mapping->predicate, image);
}

/* A row belongs when the predicate is TRUE; when it cannot be told it may have belonged. */
static bool
may_belong(enum truth truth)
{
    return truth == TRUTH_TRUE || truth == TRUTH_UNAVAILABLE;
}

static bool
may_have_belonged(const struct mapper *mapper, const struct row *row)
{
    return !row->before || may_belong(belongs(mapper, row->before));
}

/* Was there perhaps a document under the new id before this row? */
static bool
may_replace(const struct mapper *mapper, const struct event *event)
{
    if (event->moved || event->row->op == CHANGE_INSERT)
        return false;
    return may_have_belonged(mapper, event->row);
}

static void
map_new(struct mapper *mapper, struct event *event)
{
    const struct row *row = event->row;
    enum truth truth = belongs(mapper, event->image);
    struct action *action;

    if (!may_belong(truth)) {
        if (may_replace(mapper, event))
            add_delete(mapper, row, &event->new_id);
        return;
    }
    if (!event->whole) {
        add_read_back(mapper, row, &event->new_id, may_replace(mapper, event));
        return;
    }
    action = add_for(mapper, ACTION_UPSERT, row, &event->new_id);
    if (action)
        action->image = event->image;
}

static void
map_row(struct mapper *mapper, const struct row *row)
{
    struct event event;

    read_event(mapper, row, &event);
    if (row->op == CHANGE_TRUNCATE)
        (void)add_action(mapper, ACTION_TRUNCATE, row);
    if (event.has_new && !event.whole)
        fill_from_batch(mapper, &event);
    if (event.has_old && may_have_belonged(mapper, row))
        add_delete(mapper, row, &event.old_id);
    if (event.has_new)
        map_new(mapper, &event);
    if (mapper->tracking)
        track(mapper, &event);
}

/* ---- reading back ---- */

/* Equal to the server is not always the same text (citext, 1.0 and 1.00): the document of another
 * text is another one, and this row is not there. */
static bool
is_row_of(const struct mapper *mapper, const struct value *image, const struct docid *id)
{
    struct identity found;

    identify(mapper, image, &found);
    return !found.error && span_eq(found.id.text, id->text);
}

/* False: nothing is to be done. */
static bool
settle(const struct mapper *mapper, const struct pending *pending, const struct value *image,
       struct action *action)
{
    assert(action->kind == ACTION_DELETE);
    if (!image || !is_row_of(mapper, image, &action->id))
        return true;
    assert(!has_unchanged(mapper, image));
    if (belongs(mapper, image) != TRUTH_TRUE)
        return pending->was_there;
    action->kind = ACTION_UPSERT;
    action->image = image;
    return true;
}

static void
settle_all(struct mapper *mapper)
{
    struct actions *actions = &mapper->actions;
    size_t kept = 0, next = 0;

    for (size_t i = 0; i < actions->count; i++) {
        bool keep = true;

        if (next < mapper->request_count && mapper->pending[next].action == i) {
            keep = settle(mapper, &mapper->pending[next], mapper->requests[next].image,
                          &actions->items[i]);
            next++;
        }
        if (keep)
            actions->items[kept++] = actions->items[i];
    }
    assert(next == mapper->request_count);
    actions->count = kept;
}

static bool
read_back(struct mapper *mapper, struct reader *reader, const struct reader_wait *wait,
          struct err *err)
{
    if (mapper->request_count == 0)
        return true;
    if (!reader)
        return err_set(err, ERR_BUG, "mapping %s has %zu rows to read back and no reader",
                       mapper->mapping->name, mapper->request_count);
    if (!reader->type->read(reader, mapper->mapping, mapper->requests, mapper->request_count, wait,
                            mapper->arena, err))
        return err_wrap(err, "reading back %zu rows", mapper->request_count);
    settle_all(mapper);
    return true;
}

bool
mapper_map(const struct batch *batch, struct reader *reader, const struct reader_wait *wait,
           struct arena *arena, struct actions *ret, struct err *err)
{
    struct mapper mapper = {.batch = batch, .mapping = batch->mapping, .arena = arena};
    bool ok;

    assert(batch->mapping->source);
    mapper.actions.cap = batch->count + 1;
    mapper.actions.items =
        arena_alloc_raw(arena, mapper.actions.cap * sizeof(*mapper.actions.items));
    for (size_t i = 0; i < batch->count; i++)
        map_row(&mapper, &batch->rows[i]);
    map_free(&mapper.images);
    ok = read_back(&mapper, reader, wait, err);
    if (ok)
        *ret = mapper.actions;
    return ok;
}
