/* turbopuffer_plan: what is the same in all requests of a mapping. */
#include "destinations/turbopuffer/turbopuffer_plan.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>

#include "base/words.h"

#define NAMESPACE_BYTES_MAX 128
#define NAMES_MAX           1024
#define VECTORS_MAX         2 /* facts 3.5: "more later" */
#define SCHEMA_LIMIT        MEGABYTES(4)

#define LSN_BITS 56

/* Stored (v, s) below the incoming one, or never versioned.  `Lt` matches a missing value too. */
#define NEWER_WINS                                                                                 \
    "\"upsert_condition\":[\"Or\",["                                                               \
    "[\"" TURBOPUFFER_LSN "\",\"Lt\",{\"$ref_new\":\"" TURBOPUFFER_LSN "\"}],"                     \
    "[\"And\",[[\"" TURBOPUFFER_LSN "\",\"Eq\",{\"$ref_new\":\"" TURBOPUFFER_LSN "\"}],"           \
    "[\"" TURBOPUFFER_SEQ "\",\"Lt\",{\"$ref_new\":\"" TURBOPUFFER_SEQ "\"}]]],"                   \
    "[\"" TURBOPUFFER_LSN "\",\"Eq\",null]]]"

static const char *const metrics[] = {"cosine_distance", "euclidean_squared", NULL};

void
turbopuffer_put_older(uint64_t version, uint64_t seq, struct buf *out)
{
    buf_put(out, SPAN("[\"Or\",[[\"" TURBOPUFFER_LSN "\",\"Lt\","));
    buf_put_uint(out, version);
    buf_put(out, SPAN("],[\"And\",[[\"" TURBOPUFFER_LSN "\",\"Eq\","));
    buf_put_uint(out, version);
    buf_put(out, SPAN("],[\"" TURBOPUFFER_SEQ "\",\"Lt\","));
    buf_put_uint(out, seq);
    buf_put(out, SPAN("]]],[\"" TURBOPUFFER_LSN "\",\"Eq\",null]]]"));
}

bool
turbopuffer_version(const struct turbopuffer_plan *plan, lsn_t lsn, uint64_t *ret, struct err *err)
{
    if (lsn >> LSN_BITS)
        return err_set(err, ERR_CONFIG, "LSN " LSN_FMT " does not fit beside an epoch into 64 bits",
                       LSN_ARG(lsn));
    *ret = plan->epoch << LSN_BITS | lsn;
    return true;
}

bool
turbopuffer_namespace_ok(const char *name)
{
    static const char letters[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.";
    size_t len = strlen(name);

    return len >= 1 && len <= NAMESPACE_BYTES_MAX && strspn(name, letters) == len;
}

/* ---- judging ---- */

struct making {
    const struct mapping *mapping;
    struct report *report;
    struct turbopuffer_attribute *attributes;
    size_t vectors;
    char where[512]; /* "users.toml: mapping users" */
};

static bool
refuse(const struct making *m, const char *remedy, const char *what)
{
    report_add(m->report, SEVERITY_ERROR, m->where, remedy, "%s", what);
    return false;
}

static bool
check_namespace(const struct making *m)
{
    if (turbopuffer_namespace_ok(m->mapping->target))
        return true;
    report_add(m->report, SEVERITY_ERROR, m->where, NULL,
               "\"%s\" cannot be a namespace; it has 1 to 128 letters, digits, - _ and .",
               m->mapping->target);
    return false;
}

static bool
check_metric(const struct making *m)
{
    const char *metric = m->mapping->distance_metric;

    if (!metric && m->vectors > 0)
        return refuse(m,
                      "[target] distance_metric = \"cosine_distance\"    (or "
                      "\"euclidean_squared\")",
                      "vectors need a distance metric, and it can never be changed");
    if (metric && word_find(metrics, span_of(metric)) < 0)
        return refuse(m, NULL, "distance_metric is \"cosine_distance\" or \"euclidean_squared\"");
    if (metric && m->vectors == 0)
        report_add(m->report, SEVERITY_WARNING, m->where, NULL,
                   "distance_metric is not sent: no column is a vector");
    return true;
}

static void
note_versioning(const struct making *m)
{
    if (m->mapping->versioning == VERSIONING_NONE)
        report_add(m->report, SEVERITY_WARNING, m->where, NULL,
                   "versioning.mode = \"none\": writes carry no version, so a replay, a late "
                   "request or a second writer can put an older row over a newer one");
    if (m->vectors > VECTORS_MAX)
        report_add(m->report, SEVERITY_WARNING, m->where, NULL,
                   "%zu vector columns: turbopuffer may hold only %d per namespace", m->vectors,
                   VECTORS_MAX);
}

static bool
check_counts(const struct making *m, uint64_t epoch)
{
    if (m->mapping->field_count + 3 > NAMES_MAX) /* ours are three */
        return refuse(m, NULL, "a namespace holds at most 1024 attribute names; map fewer columns");
    if (epoch > TURBOPUFFER_EPOCH_MAX)
        return refuse(m, NULL, "the epoch is over 255: versions would not fit into 64 bits");
    return true;
}

static bool
make_attributes(struct making *m, struct arena *arena)
{
    bool ok = true;

    for (size_t i = 0; i < m->mapping->field_count; i++) {
        struct turbopuffer_attribute *attribute = &m->attributes[i];

        if (!turbopuffer_attribute_make(m->mapping, i, arena, m->report, attribute))
            ok = false;
        else
            m->vectors += attribute->vector;
    }
    return ok;
}

/* ---- compiling ---- */

static struct span
schema_json(const struct turbopuffer_plan *plan, struct arena *arena)
{
    CLEANUP(buf_free) struct buf out = buf_make(SCHEMA_LIMIT);

    buf_putf(&out, "\"schema\":{\"id\":\"%s\"", turbopuffer_id_type(plan->mapping));
    for (size_t i = 0; i < plan->count; i++) {
        buf_putc(&out, ',');
        buf_put(&out, plan->attributes[i].declaration);
    }
    if (plan->versioned)
        buf_put(&out, SPAN(",\"" TURBOPUFFER_LSN "\":\"uint\",\"" TURBOPUFFER_SEQ "\":\"uint\""));
    if (plan->tombstones)
        buf_put(&out, SPAN(",\"" TURBOPUFFER_DELETED "\":\"bool\""));
    buf_putc(&out, '}');
    assert(!out.overflow);
    return arena_span(arena, buf_span(&out));
}

static struct span
metric_json(const struct mapping *mapping, size_t vectors, struct arena *arena)
{
    char text[64];

    if (vectors == 0)
        return SPAN("");
    snprintf(text, sizeof(text), "\"distance_metric\":\"%s\"", mapping->distance_metric);
    return span_of(arena_strdup(arena, text));
}

static struct span
key_json(struct span name, enum write_format format, struct arena *arena)
{
    CLEANUP(buf_free) struct buf out = buf_make(MEGABYTES(1));

    buf_put(&out, format == WRITE_COLUMNS ? SPAN("],") : SPAN(","));
    json_put_string(&out, name);
    buf_put(&out, format == WRITE_COLUMNS ? SPAN(":[") : SPAN(":"));
    return arena_span(arena, buf_span(&out));
}

/* A tombstone needs a vector too, and zero has no direction (facts 4.3). */
static struct span
unit_vector(uint32_t dimensions, struct arena *arena)
{
    CLEANUP(buf_free) struct buf out = buf_make(MEGABYTES(1));

    buf_put(&out, SPAN("[1"));
    for (uint32_t i = 1; i < dimensions; i++)
        buf_put(&out, SPAN(",0"));
    buf_putc(&out, ']');
    return arena_span(arena, buf_span(&out));
}

static void
compile_attributes(struct turbopuffer_plan *plan, struct turbopuffer_attribute *attributes,
                   struct arena *arena)
{
    struct span *keys = arena_new_n(arena, struct span, plan->count + 1);

    for (size_t i = 0; i < plan->count; i++) {
        struct turbopuffer_attribute *attribute = &attributes[i];

        keys[i] = key_json(attribute->name, plan->mapping->format, arena);
        plan->frame_bytes += keys[i].len;
        if (attribute->embeds)
            plan->max_rows = TURBOPUFFER_EMBED_ROWS;
        if (attribute->vector && plan->tombstones)
            attribute->unit = unit_vector(attribute->cell.target.dimensions, arena);
    }
    plan->keys = keys;
}

static void
compile(struct turbopuffer_plan *plan, struct making *m, struct arena *arena)
{
    compile_attributes(plan, m->attributes, arena);
    plan->schema = schema_json(plan, arena);
    plan->metric = metric_json(plan->mapping, m->vectors, arena);
    plan->upsert_condition = plan->versioned ? SPAN(NEWER_WINS) : SPAN("");
    plan->frame_bytes += plan->schema.len + plan->metric.len + plan->upsert_condition.len + 1024;
}

static size_t
request_bytes(const struct mapping *mapping)
{
    size_t wanted = (size_t)mapping->batch_max_bytes;

    assert(mapping->batch_max_bytes > 0);
    return wanted < TURBOPUFFER_REQUEST_BYTES ? wanted : TURBOPUFFER_REQUEST_BYTES;
}

bool
turbopuffer_plan_make(const struct mapping *mapping, uint64_t epoch, struct arena *arena,
                      struct report *report, struct turbopuffer_plan *ret)
{
    struct making m = {
        .mapping = mapping,
        .report = report,
        .attributes = arena_new_n(arena, struct turbopuffer_attribute, mapping->field_count + 1),
    };
    struct turbopuffer_plan plan = {
        .mapping = mapping,
        .epoch = epoch,
        .versioned = mapping->versioning != VERSIONING_NONE,
        .tombstones = mapping->deletes == DELETES_TOMBSTONE,
        .count = mapping->field_count,
        .attributes = m.attributes,
        .max_bytes = request_bytes(mapping),
        .max_rows = SIZE_MAX,
    };
    bool named, counted, made;

    snprintf(m.where, sizeof(m.where), "%s: mapping %s", mapping->file, mapping->name);
    named = check_namespace(&m);
    counted = check_counts(&m, epoch);
    made = make_attributes(&m, arena);
    if (!made || !check_metric(&m) || !named || !counted)
        return false;
    note_versioning(&m);
    compile(&plan, &m, arena);
    *ret = plan;
    return true;
}
