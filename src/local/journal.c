/* journal: a ring of what happened to documents. */
#include "local/journal.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

static const char *const op_words[] = {
    "upsert", "patch", "delete", "delete_by_filter", "patch_by_filter", "copy", "drop_namespace",
};

static const char *const effect_words[] = {"applied", "skipped", "absent"};

_Static_assert(ARRAY_LEN(op_words) == JOURNAL_OP_MAX_, "one word per operation");
_Static_assert(ARRAY_LEN(effect_words) == JOURNAL_EFFECT_MAX_, "one word per effect");

void
journal_init(struct journal *journal, size_t size)
{
    assert(size > 0);
    *journal = (struct journal){
        .ring = calloc(size, sizeof(*journal->ring)),
        .size = size,
        .arena = arena_new("journal"),
    };
    if (!journal->ring)
        abort();
}

void
journal_done(struct journal *journal)
{
    free(journal->ring);
    map_free(&journal->names);
    arena_free(journal->arena);
    *journal = (struct journal){0};
}

/* Names stay: their number is bounded by what a test invents. */
void
journal_clear(struct journal *journal)
{
    journal->count = 0;
    journal->regressions = 0;
    journal->first_regression = (struct journal_entry){0};
}

const char *
journal_name(struct journal *journal, struct span name)
{
    char *own = map_get(&journal->names, name);

    if (own)
        return own;
    own = arena_alloc(journal->arena, name.len + 1);
    memcpy(own, name.ptr, name.len);
    map_put(&journal->names, (struct span){own, name.len}, own);
    return own;
}

/* A missing number is below every number, as in filters. */
static int
compare_part(bool has_a, uint64_t a, bool has_b, uint64_t b)
{
    if (!has_a || !has_b)
        return (int)has_a - (int)has_b;
    return (a > b) - (a < b);
}

static bool
has_regressed(const struct journal_entry *entry)
{
    const struct journal_version *before = &entry->before, *after = &entry->after;
    int order;

    if (!before->present || !after->present)
        return false;
    order = compare_part(after->has_lsn, after->lsn, before->has_lsn, before->lsn);
    if (order == 0)
        order = compare_part(after->has_seq, after->seq, before->has_seq, before->seq);
    return order < 0;
}

void
journal_add(struct journal *journal, const struct journal_entry *entry)
{
    struct journal_entry *slot = &journal->ring[journal->count % journal->size];

    assert(entry->ns_name && entry->op < JOURNAL_OP_MAX_);
    *slot = *entry;
    slot->number = ++journal->count;
    slot->regressed = has_regressed(entry);
    if (slot->regressed && journal->regressions++ == 0)
        journal->first_regression = *slot;
}

/* ---- showing ---- */

static void
write_part(struct json_writer *w, const char *name, bool has, uint64_t number)
{
    json_key(w, span_of(name));
    if (has)
        json_uint(w, number);
    else
        json_null(w);
}

static void
write_version(struct json_writer *w, const char *name, const struct journal_version *version)
{
    json_key(w, span_of(name));
    if (!version->present) {
        json_null(w);
        return;
    }
    json_object_begin(w);
    write_part(w, "__source_lsn", version->has_lsn, version->lsn);
    write_part(w, "__source_seq", version->has_seq, version->seq);
    json_object_end(w);
}

static void
write_word(struct json_writer *w, const char *name, const char *word)
{
    json_key(w, span_of(name));
    json_string(w, span_of(word));
}

static void
write_id(struct json_writer *w, const struct journal_entry *entry)
{
    json_key(w, SPAN("id"));
    if (entry->op == JOURNAL_DROP_NAMESPACE)
        json_null(w);
    else if (entry->id_is_number)
        json_uint(w, entry->id_number);
    else
        json_string(w, (struct span){entry->id, entry->id_len});
}

static void
write_entry(struct json_writer *w, const struct journal_entry *entry)
{
    json_object_begin(w);
    json_key(w, SPAN("number"));
    json_uint(w, entry->number);
    json_key(w, SPAN("request"));
    json_uint(w, entry->request);
    write_word(w, "namespace", entry->ns_name);
    write_word(w, "op", op_words[entry->op]);
    write_id(w, entry);
    write_word(w, "effect", effect_words[entry->effect]);
    write_version(w, "before", &entry->before);
    write_version(w, "after", &entry->after);
    json_key(w, SPAN("regressed"));
    json_bool(w, entry->regressed);
    json_object_end(w);
}

static void
write_summary(struct json_writer *w, const struct journal *journal, uint64_t dropped)
{
    json_key(w, SPAN("last"));
    json_uint(w, journal->count);
    json_key(w, SPAN("dropped"));
    json_uint(w, dropped);
    json_key(w, SPAN("regressions"));
    json_uint(w, journal->regressions);
    json_key(w, SPAN("first_regression"));
    if (journal->regressions)
        write_entry(w, &journal->first_regression);
    else
        json_null(w);
}

void
journal_write(struct json_writer *w, const struct journal *journal, uint64_t since, size_t limit)
{
    uint64_t dropped = journal->count > journal->size ? journal->count - journal->size : 0;
    uint64_t first = since > dropped ? since : dropped;

    assert(journal->size > 0);
    json_object_begin(w);
    json_key(w, SPAN("entries"));
    json_array_begin(w);
    for (uint64_t n = first; n < journal->count && n - first < limit; n++)
        write_entry(w, &journal->ring[n % journal->size]);
    json_array_end(w);
    write_summary(w, journal, dropped);
    json_object_end(w);
}
