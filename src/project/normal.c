/* normal: the normal form and the hash of a migration. */
#include "project/normal.h"

#include <assert.h>

#include "base/buf.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/toml.h"
#include "project/keys.h"
#include "project/migration.h"

#define NORMAL_LIMIT MEGABYTES(8)

static void
put_text(struct json_writer *w, const char *key, const char *text)
{
    json_key(w, span_of(key));
    if (text)
        json_string(w, span_of(text));
    else
        json_null(w);
}

static void
put_number(struct json_writer *w, const char *key, int64_t number)
{
    json_key(w, span_of(key));
    json_int(w, number);
}

/* Only when the file says it: the project's default may change without a new version. */
static void
put_written(struct json_writer *w, const struct keys *keys, enum key_field field, const char *key,
            int64_t number)
{
    if (keys->field[field])
        put_number(w, key, number);
}

static void
put_id(struct json_writer *w, const struct mapping *m)
{
    json_key(w, SPAN("id"));
    json_object_begin(w);
    put_text(w, "column", m->id_name);
    put_text(w, "type", id_type_names[m->id_type]);
    put_text(w, "encode", m->id_encode_string ? "string" : NULL);
    json_object_end(w);
}

static void
put_columns(struct json_writer *w, const struct mapping *m)
{
    json_key(w, SPAN("columns"));
    json_array_begin(w);
    for (size_t i = 0; i < m->name_count; i++)
        json_string(w, span_of(m->names[i]));
    json_array_end(w);
}

static void
put_target(struct json_writer *w, const struct mapping *m, const struct keys *keys)
{
    const struct toml *namespace = keys->field[KEY_NAMESPACE];

    put_text(w, "destination", m->destination);
    json_key(w, SPAN("namespace"));
    json_string(w, namespace ? namespace->text : span_of(m->name));
    put_text(w, "distance_metric", m->distance_metric);
    json_key(w, SPAN("schema"));
    if (m->hints)
        json_value(w, m->hints);
    else
        json_null(w);
    put_text(w, "on_unrepresentable", unrepresentable_names[m->on_unrepresentable]);
    put_number(w, "lanes", m->lanes);
    put_text(w, "format", write_format_names[m->format]);
    put_written(w, keys, KEY_MAX_ROWS, "batch_max_rows", m->batch_max_rows);
    put_written(w, keys, KEY_MAX_BYTES, "batch_max_bytes", m->batch_max_bytes);
    put_written(w, keys, KEY_FLUSH_INTERVAL, "flush_interval_ms", m->flush_interval_ms);
}

static void
render(struct buf *out, const struct mapping *m, const struct keys *keys)
{
    struct json_writer w = {.out = out};

    json_object_begin(&w);
    put_text(&w, "name", m->name);
    put_number(&w, "version", m->version);
    put_text(&w, "source_schema", m->schema);
    put_text(&w, "source_table", m->table);
    put_id(&w, m);
    put_columns(&w, m);
    put_text(&w, "membership", m->predicate_text);
    put_text(&w, "transform", "identity");
    put_target(&w, m, keys);
    put_text(&w, "versioning", versioning_names[m->versioning]);
    if (keys->field[KEY_DELETES])
        put_text(&w, "deletes", deletes_names[m->deletes]);
    put_written(&w, keys, KEY_GRACE, "grace_ms", m->grace_ms);
    json_object_end(&w);
}

void
normal_make(struct migration *migration, const struct keys *keys, struct span text,
            struct arena *arena)
{
    CLEANUP(buf_free) struct buf out = buf_make(NORMAL_LIMIT + text.len);

    render(&out, &migration->mapping, keys);
    assert(!out.overflow); /* a file is at most 1 MiB */
    migration->normal = arena_text(arena, buf_span(&out));
    buf_putc(&out, '\n');
    buf_put(&out, text);
    hash_sha256_hex(buf_span(&out), migration->mapping.hash);
}
