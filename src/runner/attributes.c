/* attributes: the types of a target's attributes stay as they were first written. */
#include "runner/attributes.h"

#include <stdio.h>

#include "base/json.h"
#include "contract/destination.h"
#include "project/migration.h"
#include "runner/outlets.h"
#include "runner/survey.h"

#define ATTRIBUTES_LIMIT MEGABYTES(4)
#define KEY_SIZE         512

static const char *
store_key(const struct mapping *mapping, struct arena *arena)
{
    char key[KEY_SIZE];

    snprintf(key, sizeof(key), "attributes:%s:%s", mapping->destination, mapping->target);
    return arena_strdup(arena, key);
}

/* "float", or the type of {"type":"float", ...}. */
static struct span
type_of(const struct json *attribute)
{
    const struct json *type =
        attribute->type == JSON_OBJECT ? json_get(attribute, "type") : attribute;

    return type && type->type == JSON_STRING ? type->text : (struct span){0};
}

static const struct json *
find(const struct json *object, struct span name)
{
    for (const struct json *child = object ? object->first : NULL; child; child = child->next) {
        if (span_eq(child->key, name))
            return child;
    }
    return NULL;
}

static void
compare(const struct mapping *mapping, const struct json *now, const struct json *before,
        struct report *report)
{
    for (const struct json *attribute = now->first; attribute; attribute = attribute->next) {
        const struct json *old = find(before, attribute->key);

        if (old && !span_eq(type_of(old), type_of(attribute)))
            report_add(report, SEVERITY_ERROR, mapping->file, NULL,
                       "attribute %.*s of %s is %.*s and would become %.*s; attributes keep their "
                       "types: a new type needs a version with a namespace of its own, such as "
                       "namespace = \"%s_v%lld\"",
                       SPAN_ARG(attribute->key), mapping->target, SPAN_ARG(type_of(old)),
                       SPAN_ARG(type_of(attribute)), mapping->target,
                       (long long)(mapping->version > 1 ? mapping->version : 2));
    }
}

/* Ours, and what others wrote before. */
static void
put_union(const struct json *now, const struct json *before, struct buf *out)
{
    struct json_writer w = {.out = out};

    json_object_begin(&w);
    for (const struct json *attribute = now->first; attribute; attribute = attribute->next) {
        json_key(&w, attribute->key);
        json_string(&w, type_of(attribute));
    }
    for (const struct json *old = before ? before->first : NULL; old; old = old->next) {
        if (find(now, old->key))
            continue;
        json_key(&w, old->key);
        json_string(&w, type_of(old));
    }
    json_object_end(&w);
}

bool
attributes_judge(struct store *store, const struct destination *destination,
                 const struct mapping *mapping, struct arena *arena, struct report *report,
                 struct span *ret, struct err *err)
{
    CLEANUP(buf_free) struct buf text = buf_make(ATTRIBUTES_LIMIT);
    struct json *now, *before = NULL;
    struct span stored = {0};

    *ret = (struct span){0};
    if (!destination->type->attributes)
        return true;
    if (!destination->type->attributes(destination, mapping, &text, err) ||
        !json_parse(arena_span(arena, buf_span(&text)), arena, &now, err))
        return false;
    if (store && !store->type->meta_get(store, store_key(mapping, arena), arena, &stored, err))
        return false;
    if (stored.len > 0 && !json_parse(stored, arena, &before, err))
        return false;
    compare(mapping, now, before, report);
    buf_clear(&text);
    put_union(now, before, &text);
    if (!buf_ok(&text, err))
        return false;
    *ret = arena_span(arena, buf_span(&text));
    return true;
}

bool
attributes_record(struct store *store, const struct mapping *mapping, struct span attributes,
                  struct arena *arena, struct err *err)
{
    return attributes.len == 0 ||
           store->type->meta_put(store, store_key(mapping, arena), attributes, err);
}

bool
attributes_compare(struct store *store, const struct survey_args *args, struct arena *arena,
                   struct report *report, struct err *err)
{
    for (size_t i = 0; i < args->count; i++) {
        const struct mapping *mapping = &args->migrations[i]->mapping;
        struct destination *destination;
        struct span ignored;
        struct err reported;

        if (!mapping->source ||
            !outlets_get(args->outlets, mapping->destination, &destination, &reported))
            continue;
        if (!attributes_judge(store, destination, mapping, arena, report, &ignored, err))
            return err_wrap(err, "mapping %s", mapping->name);
    }
    return true;
}
