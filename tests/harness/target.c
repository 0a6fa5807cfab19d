/* target: mappings and actions for tests of destinations. */
#include "harness/target.h"

#include <assert.h>
#include <stdlib.h>

#include "base/json.h"

const struct json *
target_json(struct arena *arena, const char *text)
{
    struct json *ret;
    struct err err;

    if (!json_parse(span_of(text), arena, &ret, &err))
        abort();
    return ret;
}

static enum id_type
id_type_of(enum type_kind kind)
{
    if (kind == TYPE_UUID)
        return ID_UUID;
    return kind == TYPE_TEXT ? ID_STRING : ID_UINT;
}

struct mapping *
target_mapping(struct arena *arena, const struct target_column *columns, size_t count)
{
    struct mapping *mapping = arena_new_of(arena, struct mapping);
    struct mapping_column *read = arena_new_n(arena, struct mapping_column, count);
    struct mapping_field *fields = arena_new_n(arena, struct mapping_field, count);

    assert(count > 0);
    for (size_t i = 0; i < count; i++) {
        read[i] = (struct mapping_column){
            .name = columns[i].name,
            .type = {.typmod = columns[i].typmod ? columns[i].typmod : -1,
                     .kind = columns[i].kind,
                     .array = columns[i].array,
                     .delimiter = ',',
                     .name = type_kind_names[columns[i].kind]},
        };
        fields[i] = (struct mapping_field){
            .name = columns[i].name,
            .column = i,
            .hint = columns[i].hint ? target_json(arena, columns[i].hint) : NULL,
            .exact = columns[i].exact,
        };
    }
    *mapping = (struct mapping){
        .file = "puffgres/migrations/001_items.toml",
        .name = "items",
        .version = 1,
        .schema = "public",
        .table = "items",
        .id_name = columns[0].name,
        .id_type = id_type_of(columns[0].kind),
        .destination = "turbopuffer",
        .target = "items",
        .grace_ms = 3600 * 1000,
        .batch_max_rows = 1000,
        .batch_max_bytes = 8 * 1024 * 1024,
        .lanes = 1,
        .column_count = count,
        .columns = read,
        .field_count = count - 1,
        .fields = fields + 1,
    };
    return mapping;
}

static struct value
value_of(const char *text)
{
    if (strcmp(text, "\\N") == 0)
        return (struct value){.ptr = "", .kind = VALUE_NULL};
    return (struct value){.ptr = text, .len = (uint32_t)strlen(text), .kind = VALUE_TEXT};
}

static struct docid
id_of(struct arena *arena, const struct mapping *mapping, const struct value *value)
{
    struct docid id;
    struct err err;

    if (!docid_make(mapping, value, arena, &id, &err))
        abort();
    return id;
}

struct action
target_upsert_at(struct arena *arena, const struct mapping *mapping, struct position position,
                 const char *const *values)
{
    struct value *image = arena_new_n(arena, struct value, mapping->column_count);

    for (size_t i = 0; i < mapping->column_count; i++)
        image[i] = value_of(values[i]);
    return (struct action){
        .kind = ACTION_UPSERT,
        .position = position,
        .id = id_of(arena, mapping, &image[0]),
        .image = image,
    };
}

struct action
target_delete(struct arena *arena, const struct mapping *mapping, struct position position,
              const char *id)
{
    struct value value = value_of(id);

    return (struct action){
        .kind = ACTION_DELETE,
        .position = position,
        .id = id_of(arena, mapping, &value),
    };
}

struct action
target_truncate(struct position position)
{
    return (struct action){.kind = ACTION_TRUNCATE, .position = position};
}
