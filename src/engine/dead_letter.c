/* dead_letter: what is kept of a row that can never be delivered. */
#include "engine/dead_letter.h"

#include <assert.h>

#include "base/json.h"

#define EVENT_MAX MEGABYTES(64)

/* Of a longer value only the length is kept: a retry reads the row anyway (SEMANTICS 22), and the
 * copies of a row of 100 MB would be the largest thing in memory (30). */
#define VALUE_MAX MEGABYTES(1)

void
dead_letters_hold(struct dead_letters *held, const struct action *action, enum err_kind kind,
                  const char *text)
{
    if (held->count == held->cap) {
        size_t cap = held->cap ? held->cap * 2 : 16;
        struct dead_letter *grown = arena_new_n(held->arena, struct dead_letter, cap);

        if (held->count)
            memcpy(grown, held->items, held->count * sizeof(*grown));
        held->items = grown;
        held->cap = cap;
    }
    held->items[held->count++] = (struct dead_letter){
        .action = action,
        .kind = kind,
        .text = arena_strdup(held->arena, text),
    };
}

bool
dead_letters_plausible(const struct dead_letters *held, size_t total, struct err *err)
{
    if (held->count < DEAD_LETTER_ALIKE || held->count < total)
        return true;
    for (size_t i = 1; i < held->count; i++) {
        if (strcmp(held->items[i].text, held->items[0].text) != 0)
            return true;
    }
    return err_set(err, ERR_CONFIG,
                   "all %zu rows of a batch failed alike, so none is taken for a dead letter: %s",
                   held->count, held->items[0].text);
}

static void
put_value(struct json_writer *w, const struct value *value)
{
    switch (value->kind) {
    case VALUE_NULL:
        json_null(w);
        return;
    case VALUE_UNCHANGED: /* an object cannot be mistaken for a value: values are strings */
        json_raw(w, SPAN("{\"unchanged\":true}"));
        return;
    case VALUE_TEXT:
    case VALUE_BINARY:
    case VALUE_JSON:
        break;
    }
    if (value->len <= VALUE_MAX) {
        json_string(w, value_span(value));
        return;
    }
    json_object_begin(w);
    json_key(w, SPAN("bytes"));
    json_uint(w, value->len);
    json_object_end(w);
}

static void
put_image(struct json_writer *w, struct span name, const struct value *image,
          const struct mapping *mapping)
{
    if (!image)
        return;
    json_key(w, name);
    json_object_begin(w);
    for (size_t i = 0; i < mapping->column_count; i++) {
        json_key(w, span_of(mapping->columns[i].name));
        put_value(w, &image[i]);
    }
    json_object_end(w);
}

void
dead_letter_event(const struct row *row, const struct mapping *mapping, struct buf *out)
{
    struct json_writer w = {.out = out};

    json_object_begin(&w);
    json_key(&w, SPAN("op"));
    json_string(&w, span_of(change_op_names[row->op]));
    json_key(&w, SPAN("xid"));
    json_uint(&w, row->xid);
    json_key(&w, SPAN("commit_us"));
    json_int(&w, row->commit_us);
    put_image(&w, SPAN("before"), row->before, mapping);
    put_image(&w, SPAN("after"), row->after, mapping);
    json_object_end(&w);
}

static struct store_dead_letter
render(const struct dead_letter *letter, const struct mapping *mapping, int64_t now_ms,
       struct arena *arena)
{
    const struct action *action = letter->action;
    CLEANUP(buf_free) struct buf event = buf_make(EVENT_MAX);

    if (action->row)
        dead_letter_event(action->row, mapping, &event);
    if (event.overflow) {
        buf_clear(&event);
        buf_put(&event, SPAN("{\"too_large\":true}"));
    }
    return (struct store_dead_letter){
        .mapping = mapping->name,
        .mapping_version = mapping->version,
        .position = action->position,
        .op = action->row ? change_op_names[action->row->op] : "",
        .doc_id = action->id.text,
        .event = arena_span(arena, buf_span(&event)),
        .kind = err_policy(letter->kind)->name,
        .error = letter->text,
        .first_ms = now_ms,
        .last_ms = now_ms,
    };
}

struct store_dead_letter *
dead_letters_render(const struct dead_letters *held, const struct mapping *mapping, int64_t now_ms)
{
    struct store_dead_letter *letters =
        arena_new_n(held->arena, struct store_dead_letter, held->count);

    assert(held->count > 0);
    for (size_t i = 0; i < held->count; i++)
        letters[i] = render(&held->items[i], mapping, now_ms, held->arena);
    return letters;
}
