/* heartbeat_json: the stored form of the heartbeat. */
#include <assert.h>
#include <stddef.h>
#include <stdio.h>

#include "base/json.h"
#include "state/heartbeat.h"

enum field_type { FIELD_BOOL, FIELD_INT, FIELD_UINT, FIELD_LSN, FIELD_TEXT };

struct field {
    const char *name;
    enum field_type type;
    size_t offset;
    size_t size;
};

#define FIELD(type, member)                                                                        \
    {                                                                                              \
#member, type, offsetof(struct heartbeat, member), sizeof(((struct heartbeat *)0)->member) \
    }

/* clang-format off */
static const struct field fields[] = {
    FIELD(FIELD_INT,  pid),
    FIELD(FIELD_INT,  started_ms),
    FIELD(FIELD_INT,  written_ms),
    FIELD(FIELD_BOOL, streaming),
    FIELD(FIELD_LSN,  received),
    FIELD(FIELD_LSN,  durable),
    FIELD(FIELD_LSN,  checkpoint),
    FIELD(FIELD_LSN,  flush),
    FIELD(FIELD_UINT, lag_bytes),
    FIELD(FIELD_INT,  lag_ms),
    FIELD(FIELD_UINT, memory_bytes),
    FIELD(FIELD_INT,  last_flush_ms),
    FIELD(FIELD_INT,  last_commit_ms),
    FIELD(FIELD_TEXT, retrying),
    FIELD(FIELD_TEXT, holder),
    FIELD(FIELD_TEXT, holder_reason),
};
/* clang-format on */

/* ---- writing ---- */

static void
write_lsn(struct json_writer *w, lsn_t lsn)
{
    char text[LSN_TEXT_SIZE];

    snprintf(text, sizeof(text), LSN_FMT, LSN_ARG(lsn));
    json_string(w, span_of(text));
}

static void
write_field(struct json_writer *w, const struct field *field, const void *member)
{
    json_key(w, span_of(field->name));
    switch (field->type) {
    case FIELD_BOOL:
        json_bool(w, *(const bool *)member);
        break;
    case FIELD_INT:
        json_int(w, *(const int64_t *)member);
        break;
    case FIELD_UINT:
        json_uint(w, *(const uint64_t *)member);
        break;
    case FIELD_LSN:
        write_lsn(w, *(const lsn_t *)member);
        break;
    case FIELD_TEXT:
        json_string(w, span_of(member));
        break;
    }
}

static void
write_counts(struct json_writer *w, const struct heartbeat *beat)
{
    char text[32];

    json_key(w, SPAN("counts"));
    json_object_begin(w);
    for (size_t i = 0; i < HEARTBEAT_COUNT_MAX_; i++) {
        json_key(w, span_of(heartbeat_count_names[i]));
        json_uint(w, beat->counts[i]);
    }
    json_object_end(w);
    json_key(w, SPAN("rates"));
    json_object_begin(w);
    for (size_t i = 0; i < HEARTBEAT_COUNT_MAX_; i++) {
        snprintf(text, sizeof(text), "%.1f", beat->rates[i]);
        json_key(w, span_of(heartbeat_count_names[i]));
        json_raw(w, span_of(text));
    }
    json_object_end(w);
}

static void
write_errors(struct json_writer *w, const struct heartbeat *beat)
{
    json_key(w, SPAN("errors"));
    json_array_begin(w);
    for (size_t i = 0; i < beat->error_count; i++) {
        const struct heartbeat_error *error = &beat->errors[i];

        json_object_begin(w);
        json_key(w, SPAN("at_ms"));
        json_int(w, error->at_ms);
        json_key(w, SPAN("mapping"));
        json_string(w, span_of(error->mapping));
        json_key(w, SPAN("text"));
        json_string(w, span_of(error->text));
        json_object_end(w);
    }
    json_array_end(w);
}

void
heartbeat_write(const struct heartbeat *beat, struct buf *out)
{
    struct json_writer w = {.out = out};

    assert(beat->error_count <= HEARTBEAT_ERRORS);
    json_object_begin(&w);
    for (size_t i = 0; i < ARRAY_LEN(fields); i++)
        write_field(&w, &fields[i], (const char *)beat + fields[i].offset);
    write_counts(&w, beat);
    write_errors(&w, beat);
    json_object_end(&w);
}

/* ---- reading ---- */

static bool
read_text(const struct json *value, char *dst, size_t size, struct arena *scratch)
{
    if (value->type != JSON_STRING)
        return false;
    heartbeat_set_text(dst, size, arena_text(scratch, value->text));
    return true;
}

static bool
read_field(const struct json *value, const struct field *field, void *member, struct arena *scratch)
{
    switch (field->type) {
    case FIELD_BOOL:
        *(bool *)member = value->yes;
        return value->type == JSON_BOOL;
    case FIELD_INT:
        return json_to_int(value, member);
    case FIELD_UINT:
        return json_to_uint(value, member);
    case FIELD_LSN:
        return value->type == JSON_STRING && lsn_parse(value->text, member);
    case FIELD_TEXT:
        return read_text(value, member, field->size, scratch);
    }
    return false;
}

static bool
bad(const char *name, struct err *err)
{
    return err_set(err, ERR_DATA, "heartbeat: \"%s\" is not what `run` writes there", name);
}

static bool
read_counts(const struct json *counts, const struct json *rates, struct heartbeat *beat,
            struct err *err)
{
    for (size_t i = 0; i < HEARTBEAT_COUNT_MAX_; i++) {
        const char *name = heartbeat_count_names[i];
        const struct json *count = counts ? json_get(counts, name) : NULL;
        const struct json *rate = rates ? json_get(rates, name) : NULL;

        if ((count && !json_to_uint(count, &beat->counts[i])) ||
            (rate && !json_to_double(rate, &beat->rates[i])))
            return bad(name, err);
    }
    return true;
}

static bool
read_error(const struct json *from, struct arena *scratch, struct heartbeat_error *error)
{
    const struct json *at = json_get(from, "at_ms");
    const struct json *mapping = json_get(from, "mapping");
    const struct json *text = json_get(from, "text");

    return at && mapping && text && json_to_int(at, &error->at_ms) &&
           read_text(mapping, error->mapping, sizeof(error->mapping), scratch) &&
           read_text(text, error->text, sizeof(error->text), scratch);
}

static bool
read_errors(const struct json *errors, struct arena *scratch, struct heartbeat *beat,
            struct err *err)
{
    const struct json *error = errors ? errors->first : NULL;

    for (; error && beat->error_count < HEARTBEAT_ERRORS; error = error->next) {
        if (error->type != JSON_OBJECT ||
            !read_error(error, scratch, &beat->errors[beat->error_count++]))
            return bad("errors", err);
    }
    return true;
}

/* The member if it is of this type; NULL and *ret_ok = false if it is of another. */
static const struct json *
member(const struct json *object, const char *name, enum json_type type, bool *ret_ok)
{
    const struct json *value = json_get(object, name);

    if (value && value->type != type)
        *ret_ok = false;
    return *ret_ok ? value : NULL;
}

static bool
read_object(const struct json *root, struct arena *scratch, struct heartbeat *beat, struct err *err)
{
    const struct json *counts, *rates, *errors;
    bool ok = true;

    for (size_t i = 0; i < ARRAY_LEN(fields); i++) {
        const struct json *value = json_get(root, fields[i].name);

        if (value && !read_field(value, &fields[i], (char *)beat + fields[i].offset, scratch))
            return bad(fields[i].name, err);
    }
    counts = member(root, "counts", JSON_OBJECT, &ok);
    rates = member(root, "rates", JSON_OBJECT, &ok);
    errors = member(root, "errors", JSON_ARRAY, &ok);
    if (!ok)
        return bad("counts, rates or errors", err);
    return read_counts(counts, rates, beat, err) && read_errors(errors, scratch, beat, err);
}

bool
heartbeat_read(struct span json, struct arena *scratch, struct heartbeat *ret, struct err *err)
{
    struct heartbeat beat = {0};
    struct json *root;

    if (!json_parse(json, scratch, &root, err))
        return err_wrap(err, "heartbeat");
    if (root->type != JSON_OBJECT)
        return err_set(err, ERR_DATA, "heartbeat: not a JSON object");
    if (!read_object(root, scratch, &beat, err))
        return false;
    *ret = beat;
    return true;
}
