/* record: what the source looked like, as JSON, and what has changed since. */
#include "source/record.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>

#include "base/json.h"

#define TEXT_MAX 256

/* ---- writing ---- */

static void
put_member(struct json_writer *w, const char *key, const char *text)
{
    json_key(w, span_of(key));
    json_string(w, span_of(text));
}

static void
put_number(struct json_writer *w, const char *key, uint64_t n)
{
    json_key(w, span_of(key));
    json_uint(w, n);
}

static void
put_publication(struct json_writer *w, const struct publication_info *publication)
{
    char operations[5];

    snprintf(operations, sizeof(operations), "%s%s%s%s", publication->insert ? "i" : "",
             publication->update ? "u" : "", publication->delete ? "d" : "",
             publication->truncate ? "t" : "");
    json_key(w, SPAN("publication"));
    json_object_begin(w);
    put_number(w, "oid", publication->oid);
    json_key(w, SPAN("via_root"));
    json_bool(w, publication->via_root);
    put_member(w, "publish", operations);
    json_object_end(w);
}

static void
put_table(struct json_writer *w, const struct publication_info *publication,
          const struct table *table)
{
    const struct publication_member *member = publication_find(publication, table->oid);

    json_object_begin(w);
    put_member(w, "schema", table->schema);
    put_member(w, "name", table->name);
    put_number(w, "oid", table->oid);
    put_number(w, "member", member ? member->oid : 0);
    json_object_end(w);
}

void
record_write(const struct publication_info *publication, const struct table *const *tables,
             size_t count, struct buf *out)
{
    struct json_writer w = {.out = out};

    json_object_begin(&w);
    put_publication(&w, publication);
    json_key(&w, SPAN("tables"));
    json_array_begin(&w);
    for (size_t i = 0; i < count; i++)
        put_table(&w, publication, tables[i]);
    json_array_end(&w);
    json_object_end(&w);
}

/* ---- reading; what is missing reads as nothing, so records of older versions compare ---- */

static uint64_t
number_of(const struct json *object, const char *key)
{
    const struct json *value = object ? json_get(object, key) : NULL;
    uint64_t n;

    return value && json_to_uint(value, &n) ? n : 0;
}

static struct span
text_of(const struct json *object, const char *key)
{
    const struct json *value = object ? json_get(object, key) : NULL;

    return value && value->type == JSON_STRING ? value->text : (struct span){"", 0};
}

static bool
flag_of(const struct json *object, const char *key)
{
    const struct json *value = object ? json_get(object, key) : NULL;

    return value && value->type == JSON_BOOL && value->yes;
}

static bool
parse(struct span text, struct arena *arena, struct json **ret, struct err *err)
{
    if (!json_parse(text, arena, ret, err))
        return err_wrap(err, "the record of the source's tables");
    if ((*ret)->type != JSON_OBJECT)
        return err_set(err, ERR_DATA, "the record of the source's tables is no JSON object");
    return true;
}

/* ---- comparing ---- */

struct comparison {
    struct arena *arena;
    struct record_difference *found;
    size_t count;
};

static void differs(struct comparison *c, const struct json *table, const char *fmt, ...)
    PRINTF(3, 4);

static void
differs(struct comparison *c, const struct json *table, const char *fmt, ...)
{
    char text[TEXT_MAX];
    va_list args;

    va_start(args, fmt);
    vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);
    c->found[c->count++] = (struct record_difference){
        .schema = table ? arena_text(c->arena, text_of(table, "schema")) : NULL,
        .name = table ? arena_text(c->arena, text_of(table, "name")) : NULL,
        .text = arena_strdup(c->arena, text),
    };
}

static void
compare_publication(struct comparison *c, const struct json *old, const struct json *now)
{
    struct span before = text_of(old, "publish"), after = text_of(now, "publish");

    if (number_of(old, "oid") != number_of(now, "oid"))
        differs(c, NULL, "the publication was dropped and made again");
    else if (flag_of(old, "via_root") != flag_of(now, "via_root"))
        differs(c, NULL, "publish_via_partition_root of the publication was changed");
    else if (!span_eq(before, after))
        differs(c, NULL, "the publication published other operations (%.*s, now %.*s)",
                SPAN_ARG(before), SPAN_ARG(after));
}

static void
compare_table(struct comparison *c, const struct json *old, const struct json *now)
{
    uint64_t old_oid = number_of(old, "oid"), now_oid = number_of(now, "oid");

    if (old_oid != now_oid)
        differs(c, now, "the table was dropped and made again (oid %llu, now %llu)",
                (unsigned long long)old_oid, (unsigned long long)now_oid);
    else if (number_of(old, "member") != number_of(now, "member"))
        differs(c, now, "the table left the publication and came back");
}

static const struct json *
find_table(const struct json *tables, const struct json *wanted)
{
    for (const struct json *table = tables ? tables->first : NULL; table; table = table->next) {
        if (span_eq(text_of(table, "schema"), text_of(wanted, "schema")) &&
            span_eq(text_of(table, "name"), text_of(wanted, "name")))
            return table;
    }
    return NULL;
}

bool
record_compare(struct span old_text, struct span new_text, struct arena *arena,
               const struct record_difference **ret, size_t *ret_count, struct err *err)
{
    struct comparison c = {.arena = arena};
    struct json *old, *now;
    const struct json *tables;

    *ret = NULL;
    *ret_count = 0;
    if (old_text.len == 0)
        return true;
    if (!parse(old_text, arena, &old, err) || !parse(new_text, arena, &now, err))
        return false;
    tables = json_get(now, "tables");
    c.found = arena_new_n(arena, struct record_difference, (tables ? tables->count : 0) + 1);
    compare_publication(&c, json_get(old, "publication"), json_get(now, "publication"));
    for (const struct json *table = tables ? tables->first : NULL; table; table = table->next) {
        const struct json *before = find_table(json_get(old, "tables"), table);

        if (before)
            compare_table(&c, before, table);
    }
    *ret = c.found;
    *ret_count = c.count;
    return true;
}

bool
record_publication(struct span text, struct arena *arena, oid_t *ret, struct err *err)
{
    struct json *record;

    *ret = 0;
    if (text.len == 0)
        return true;
    if (!parse(text, arena, &record, err))
        return false;
    *ret = (oid_t)number_of(json_get(record, "publication"), "oid");
    return true;
}
