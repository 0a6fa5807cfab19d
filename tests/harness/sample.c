/* sample: a table, a mapping and a scripted source. */
#include "harness/sample.h"

#include <assert.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/clock.h"

#define NEVER SIZE_MAX

/* ---- the table ---- */

static const struct column columns[] = {
    {.name = {"id", 2}, .type = 20, .typmod = -1, .key = true},
    {.name = {"name", 4}, .type = 25, .typmod = -1},
};

const struct schema sample_schema = {
    .relation = 16384,
    .namespace = {"public", 6},
    .name = {"items", 5},
    .identity = IDENTITY_DEFAULT,
    .count = 2,
    .columns = columns,
};

static const struct table_column table_columns[] = {
    {.name = "id",
     .type = {.oid = 20, .typmod = -1, .kind = TYPE_INT8, .delimiter = ',', .name = "bigint"},
     .attnum = 1,
     .not_null = true,
     .identity = true},
    {.name = "name",
     .type = {.oid = 25, .typmod = -1, .kind = TYPE_TEXT, .delimiter = ',', .name = "text"},
     .attnum = 2},
};

static const struct table table = {
    .oid = 16384,
    .schema = "public",
    .name = "items",
    .kind = 'r',
    .persistence = 'p',
    .identity = IDENTITY_DEFAULT,
    .column_count = 2,
    .columns = table_columns,
};

static const struct mapping_column mapping_columns[] = {
    {.name = "id",
     .type = {.oid = 20, .typmod = -1, .kind = TYPE_INT8, .delimiter = ',', .name = "bigint"}},
    {.name = "name",
     .type = {.oid = 25, .typmod = -1, .kind = TYPE_TEXT, .delimiter = ',', .name = "text"}},
};

static const struct mapping_field mapping_fields[] = {{.name = "name", .column = 1}};

struct mapping
sample_mapping(void)
{
    return (struct mapping){
        .file = "puffgres/migrations/001_items.toml",
        .name = "items",
        .version = 1,
        .schema = "public",
        .table = "items",
        .id_name = "id",
        .id_type = ID_UINT,
        .destination = "mock",
        .target = "items",
        .grace_ms = 3600 * 1000,
        .batch_max_rows = 1000,
        .batch_max_bytes = 8 * 1024 * 1024,
        .flush_interval_ms = 100,
        .lanes = 1,
        .source = &table,
        .column_count = 2,
        .columns = mapping_columns,
        .id_column = 0,
        .field_count = 1,
        .fields = mapping_fields,
    };
}

static struct value
value_of(const char *text)
{
    if (!text)
        return (struct value){.ptr = "", .kind = VALUE_NULL};
    if (strcmp(text, "?") == 0)
        return (struct value){.ptr = "", .kind = VALUE_UNCHANGED};
    return (struct value){.ptr = text, .len = (uint32_t)strlen(text), .kind = VALUE_TEXT};
}

struct change
sample_change_make(const struct sample_change *from, struct position position)
{
    static struct value after[2], before[2];
    const char *old_id = from->op == CHANGE_DELETE ? from->id : from->old_id;
    struct change change = {
        .op = from->op,
        .schema = &sample_schema,
        .position = position,
        .xid = (uint32_t)position.commit,
        .before_is_key = true,
    };

    if (from->op == CHANGE_INSERT || from->op == CHANGE_UPDATE) {
        after[0] = value_of(from->id);
        after[1] = value_of(from->name);
        change.after = after;
    }
    if (old_id) {
        before[0] = value_of(old_id);
        before[1] = value_of("?");
        change.before = before;
    }
    return change;
}

/* ---- the source ---- */

enum step { STEP_BEGIN, STEP_RELATION, STEP_CHANGES, STEP_COMMIT };

static struct {
    struct source base;
    const struct sample_transaction *script;
    size_t count;
    size_t at; /* transaction */
    enum step step;
    size_t change; /* in it */
    const struct schema *schema, *altered;
    size_t alter_at;
    bool related; /* the Relation message of `schema` was handed over */
    size_t events, lose_after;
    bool lose_feedback;
    int64_t fed_back_ms, gap_ms;
    bool renewal, handed_over;
    size_t opens;
    lsn_t flush;
    bool shrank;
    int stop_fd;
} sample = {.stop_fd = -1};

static bool
sample_open(struct source *source UNUSED, lsn_t start, int64_t deadline_ms UNUSED,
            int cancel_fd UNUSED, struct err *err UNUSED)
{
    sample.opens++;
    sample.handed_over = false;
    sample.at = 0;
    sample.step = STEP_BEGIN;
    while (sample.at < sample.count && sample.script[sample.at].end <= start)
        sample.at++;
    return true;
}

static void
sample_close(struct source *source UNUSED)
{
}

static bool
next_step(const struct sample_transaction *tx, struct source_event *ret)
{
    switch (sample.step) {
    case STEP_BEGIN:
        *ret = (struct source_event){.type = SOURCE_BEGIN, .lsn = tx->commit};
        sample.step = sample.related && sample.at != sample.alter_at ? STEP_CHANGES : STEP_RELATION;
        sample.change = 0;
        break;
    case STEP_RELATION:
        if (sample.at >= sample.alter_at)
            sample.schema = sample.altered;
        *ret = (struct source_event){.type = SOURCE_RELATION, .schema = sample.schema};
        sample.related = true;
        sample.step = STEP_CHANGES;
        break;
    case STEP_CHANGES:
        if (sample.change < tx->count) {
            struct position position = {tx->commit, sample.change + 1};

            *ret = (struct source_event){
                .type = SOURCE_CHANGE,
                .change = sample_change_make(&tx->changes[sample.change++], position),
            };
            ret->change.schema = sample.schema;
            break;
        }
        sample.step = STEP_COMMIT;
        return false;
    case STEP_COMMIT:
        *ret = (struct source_event){.type = SOURCE_COMMIT, .lsn = tx->end};
        sample.step = STEP_BEGIN;
        sample.at++;
        break;
    }
    return true;
}

static bool
sample_next(struct source *source UNUSED, struct source_event *ret, struct err *err)
{
    if (sample.events++ == sample.lose_after)
        return err_set(err, ERR_TRANSIENT, "the stream was lost");
    if (sample.at == sample.count) {
        bool renew = sample.renewal && sample.handed_over;

        *ret = (struct source_event){.type = renew ? SOURCE_RENEW : SOURCE_IDLE};
        return true;
    }
    sample.handed_over = true;
    return next_step(&sample.script[sample.at], ret) || next_step(&sample.script[sample.at], ret);
}

static bool
sample_feedback(struct source *source UNUSED, lsn_t flush, struct err *err)
{
    int64_t now_ms = clock_mono_ms();

    if (sample.fed_back_ms && now_ms - sample.fed_back_ms > sample.gap_ms)
        sample.gap_ms = now_ms - sample.fed_back_ms;
    sample.fed_back_ms = now_ms;
    if (sample.lose_feedback) {
        sample.lose_feedback = false;
        return err_set(err, ERR_TRANSIENT, "the stream was lost at feedback");
    }
    if (flush < sample.flush)
        sample.shrank = true;
    sample.flush = flush;
    if (sample.count && flush >= sample.script[sample.count - 1].end)
        return eventfd_write(sample.stop_fd, 1) == 0;
    return true;
}

static size_t
sample_poll_fds(struct source *source UNUSED, struct pollfd *fds UNUSED, size_t cap UNUSED)
{
    return 0;
}

static int64_t
sample_interval(const struct source *source UNUSED)
{
    return 10000;
}

static const struct source_type sample_type = {
    .name = "sample",
    .open = sample_open,
    .close = sample_close,
    .next = sample_next,
    .feedback = sample_feedback,
    .poll_fds = sample_poll_fds,
    .feedback_interval_ms = sample_interval,
};

void
sample_source_reset(const struct sample_transaction *script, size_t count)
{
    if (sample.stop_fd >= 0)
        close(sample.stop_fd);
    memset(&sample, 0, sizeof(sample));
    sample.base.type = &sample_type;
    sample.script = script;
    sample.count = count;
    sample.schema = sample.altered = &sample_schema;
    sample.alter_at = sample.lose_after = NEVER;
    sample.stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    assert(sample.stop_fd >= 0);
}

struct source *
sample_source(void)
{
    return &sample.base;
}

void
sample_source_lose_after(size_t events)
{
    sample.lose_after = events;
}

void
sample_source_lose_feedback(void)
{
    sample.lose_feedback = true;
}

void
sample_source_want_renewal(void)
{
    sample.renewal = true;
}

void
sample_source_alter(size_t transaction, const struct schema *schema)
{
    sample.alter_at = transaction;
    sample.altered = schema;
}

int
sample_source_stop_fd(void)
{
    return sample.stop_fd;
}

lsn_t
sample_source_flush(void)
{
    return sample.flush;
}

int64_t
sample_source_feedback_gap_ms(void)
{
    return sample.gap_ms;
}

size_t
sample_source_opens(void)
{
    return sample.opens;
}

bool
sample_source_flush_grew(void)
{
    return !sample.shrank;
}
