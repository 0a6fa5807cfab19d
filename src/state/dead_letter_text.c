/* dead_letter_text: dead letters as a table, one by one, and as JSON. */
#include "state/dead_letter_text.h"

#include <stdio.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/utf8.h"
#include "contract/store.h"
#include "state/columns.h"

#define POSITION_SIZE 64

/* "0/16B3748 #7": the commit, and the change in it */
static const char *
position_text(char dst[POSITION_SIZE], struct position position)
{
    snprintf(dst, POSITION_SIZE, LSN_FMT " #%llu", LSN_ARG(position.commit),
             (unsigned long long)position.ordinal);
    return dst;
}

/* ---- for people ---- */

static void
put_count(const struct dead_letter_list *list, struct buf *out)
{
    if ((int64_t)list->count < list->total)
        buf_putf(out, "%zu of %lld dead letters\n", list->count, (long long)list->total);
    else
        buf_putf(out, "%zu dead letter%s\n", list->count, list->count == 1 ? "" : "s");
}

void
dead_letter_list_text(const struct dead_letter_list *list, struct arena *scratch, struct buf *out)
{
    /* clang-format off */
    static const struct column columns[] = {
        {.title = "ID",       .right = true},
        {.title = "MAPPING",  .max = 32},
        {.title = "OP"},
        {.title = "DOCUMENT", .max = 40},
        {.title = "POSITION"},
        {.title = "RETRIES",  .right = true},
        {.title = "LAST"},
        {.title = "ERROR",    .max = 100},
    };
    /* clang-format on */
    struct columns table = columns_make(columns, ARRAY_LEN(columns), scratch);
    char position[POSITION_SIZE], at[CLOCK_TEXT_SIZE];

    if (list->count == 0 && list->total == 0) {
        buf_put(out, SPAN("no dead letters\n"));
        return;
    }
    for (size_t i = 0; i < list->count; i++) {
        const struct store_dead_letter *letter = &list->letters[i];

        columns_addf(&table, "%lld", (long long)letter->id);
        columns_add(&table, span_of(letter->mapping));
        columns_add(&table, span_of(letter->op[0] ? letter->op : "-"));
        columns_add(&table, letter->doc_id.len ? letter->doc_id : SPAN("-"));
        columns_add(&table, span_of(position_text(position, letter->position)));
        columns_addf(&table, "%lld", (long long)letter->retry_count);
        columns_add(&table, span_of(clock_text(at, sizeof(at), letter->last_ms)));
        columns_add(&table, span_of(letter->error));
    }
    columns_print(&table, out);
    put_count(list, out);
}

static void
put_line(struct buf *out, const char *name, struct span value, struct arena *scratch)
{
    buf_putf(out, "%-10s ", name);
    buf_put(out, columns_clean(value, 0, scratch));
    buf_putc(out, '\n');
}

void
dead_letter_show_text(const struct store_dead_letter *letter, struct arena *scratch,
                      struct buf *out)
{
    char position[POSITION_SIZE], at[CLOCK_TEXT_SIZE];

    buf_putf(out, "%-10s %lld\n", "id", (long long)letter->id);
    put_line(out, "mapping", span_of(letter->mapping), scratch);
    buf_putf(out, "%-10s %lld\n", "version", (long long)letter->mapping_version);
    put_line(out, "document", letter->doc_id.len ? letter->doc_id : SPAN("-"), scratch);
    put_line(out, "op", span_of(letter->op[0] ? letter->op : "-"), scratch);
    put_line(out, "position", span_of(position_text(position, letter->position)), scratch);
    buf_putf(out, "%-10s %s\n", "first", clock_text(at, sizeof(at), letter->first_ms));
    buf_putf(out, "%-10s %s\n", "last", clock_text(at, sizeof(at), letter->last_ms));
    buf_putf(out, "%-10s %lld\n", "retries", (long long)letter->retry_count);
    put_line(out, "kind", span_of(letter->kind), scratch);
    put_line(out, "error", span_of(letter->error), scratch);
    put_line(out, "event", letter->event, scratch);
}

/* ---- JSON ---- */

static void
json_text(struct json_writer *w, const char *key, struct span text, struct arena *scratch)
{
    json_key(w, span_of(key));
    json_string(w, utf8_valid(text) ? text : columns_clean(text, 0, scratch));
}

static void
json_time(struct json_writer *w, const char *key, int64_t wall_ms)
{
    char at[CLOCK_TEXT_SIZE];

    json_key(w, span_of(key));
    json_string(w, span_of(clock_text(at, sizeof(at), wall_ms)));
}

static void
json_event(struct json_writer *w, struct span event, struct arena *scratch)
{
    struct json *parsed;
    struct err ignored;

    if (!json_parse(event, scratch, &parsed, &ignored)) {
        json_text(w, "event", event, scratch);
        return;
    }
    json_key(w, SPAN("event"));
    json_raw(w, event);
}

static void
put_letter(struct json_writer *w, const struct store_dead_letter *letter, struct arena *scratch)
{
    char lsn[LSN_TEXT_SIZE];

    snprintf(lsn, sizeof(lsn), LSN_FMT, LSN_ARG(letter->position.commit));
    json_object_begin(w);
    json_key(w, SPAN("id"));
    json_int(w, letter->id);
    json_text(w, "mapping", span_of(letter->mapping), scratch);
    json_key(w, SPAN("mapping_version"));
    json_int(w, letter->mapping_version);
    json_text(w, "document_id", letter->doc_id, scratch);
    json_text(w, "op", span_of(letter->op), scratch);
    json_text(w, "lsn", span_of(lsn), scratch);
    json_key(w, SPAN("seq"));
    json_uint(w, letter->position.ordinal);
    json_text(w, "kind", span_of(letter->kind), scratch);
    json_text(w, "error", span_of(letter->error), scratch);
    json_key(w, SPAN("retry_count"));
    json_int(w, letter->retry_count);
    json_time(w, "first_at", letter->first_ms);
    json_time(w, "last_at", letter->last_ms);
    json_event(w, letter->event, scratch);
    json_object_end(w);
}

void
dead_letter_list_json(const struct dead_letter_list *list, struct arena *scratch, struct buf *out)
{
    struct json_writer w = {.out = out};

    json_object_begin(&w);
    json_key(&w, SPAN("total"));
    json_int(&w, list->total);
    json_key(&w, SPAN("dead_letters"));
    json_array_begin(&w);
    for (size_t i = 0; i < list->count; i++)
        put_letter(&w, &list->letters[i], scratch);
    json_array_end(&w);
    json_object_end(&w);
    buf_putc(out, '\n');
}

void
dead_letter_show_json(const struct store_dead_letter *letter, struct arena *scratch,
                      struct buf *out)
{
    struct json_writer w = {.out = out};

    put_letter(&w, letter, scratch);
    buf_putc(out, '\n');
}
