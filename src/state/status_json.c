/* status_json: what `status --json` prints. */
#include <assert.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/utf8.h"
#include "contract/store.h"
#include "state/columns.h"
#include "state/heartbeat.h"
#include "state/status.h"

/* clang-format off */
static const char *const liveness_names[] = {
    [STATUS_UNKNOWN] = "unknown",
    [STATUS_STOPPED] = "stopped",
    [STATUS_RUNNING] = "running",
};
/* clang-format on */

_Static_assert(ARRAY_LEN(liveness_names) == STATUS_LIVENESS_MAX_, "one name per liveness");

struct json_printer {
    const struct status *status;
    struct arena *scratch;
    struct json_writer w;
};

/* ---- members; what is not known is null ---- */

static void
put_text(struct json_printer *p, const char *key, const char *text)
{
    json_key(&p->w, span_of(key));
    if (!text)
        json_null(&p->w);
    else if (utf8_valid(span_of(text)))
        json_string(&p->w, span_of(text));
    else
        json_string(&p->w, columns_clean(span_of(text), 0, p->scratch));
}

static void
put_int(struct json_printer *p, const char *key, int64_t n)
{
    json_key(&p->w, span_of(key));
    json_int(&p->w, n);
}

static void
put_bool(struct json_printer *p, const char *key, bool yes)
{
    json_key(&p->w, span_of(key));
    json_bool(&p->w, yes);
}

static void
put_lsn(struct json_printer *p, const char *key, lsn_t lsn)
{
    char text[LSN_TEXT_SIZE];

    snprintf(text, sizeof(text), LSN_FMT, LSN_ARG(lsn));
    put_text(p, key, lsn ? text : NULL);
}

static void
put_time(struct json_printer *p, const char *key, int64_t wall_ms)
{
    char text[CLOCK_TEXT_SIZE];

    put_text(p, key, wall_ms ? clock_text(text, sizeof(text), wall_ms) : NULL);
}

static void
put_number(struct json_printer *p, const char *key, bool known, int digits, double n)
{
    char text[40];

    json_key(&p->w, span_of(key));
    if (!known) {
        json_null(&p->w);
        return;
    }
    snprintf(text, sizeof(text), "%.*f", digits, n);
    json_raw(&p->w, span_of(text));
}

static void
begin(struct json_printer *p, const char *key)
{
    json_key(&p->w, span_of(key));
    json_object_begin(&p->w);
}

/* ---- parts ---- */

static void
put_flow(struct json_printer *p)
{
    const struct store_flow *flow = p->status->flow;

    begin(p, "flow");
    put_bool(p, "started", flow->has_started);
    put_text(p, "database", flow->database);
    put_text(p, "slot", flow->slot);
    put_text(p, "publication", flow->publication);
    put_text(p, "system_id", flow->system_id);
    put_int(p, "timeline", flow->timeline);
    put_int(p, "epoch", (int64_t)flow->epoch);
    put_bool(p, "clean_end", flow->clean_end);
    json_object_end(&p->w);
}

static void
put_lag(struct json_printer *p)
{
    struct status_lag lag = status_lag(p->status);

    begin(p, "lag");
    json_key(&p->w, SPAN("bytes"));
    if (lag.has_bytes)
        json_uint(&p->w, lag.bytes);
    else
        json_null(&p->w);
    put_number(p, "seconds", lag.has_ms, 3, (double)lag.ms / 1000);
    json_object_end(&p->w);
}

static void
put_slot(struct json_printer *p)
{
    const struct status_slot *slot = p->status->slot;

    if (!slot) {
        put_text(p, "slot", NULL);
        return;
    }
    begin(p, "slot");
    put_text(p, "name", slot->name);
    put_bool(p, "exists", slot->exists);
    put_bool(p, "active", slot->active);
    put_lsn(p, "confirmed_flush_lsn", slot->confirmed_flush);
    put_lsn(p, "restart_lsn", slot->restart);
    put_int(p, "retained_bytes", slot->retained_bytes);
    put_text(p, "wal_status", slot->wal_status);
    json_object_end(&p->w);
}

static void
put_holder(struct json_printer *p)
{
    struct status_holder holder = status_holder(p->status);

    if (!holder.mapping) {
        put_text(p, "held_by", NULL);
        return;
    }
    begin(p, "held_by");
    put_text(p, "mapping", holder.mapping);
    put_text(p, "reason", holder.reason);
    json_object_end(&p->w);
}

static void
put_activity(struct json_printer *p, const struct heartbeat *beat)
{
    bool fresh = status_is_fresh(p->status);
    bool running = p->status->liveness == STATUS_RUNNING;

    begin(p, "counts");
    for (size_t i = 0; i < HEARTBEAT_COUNT_MAX_; i++)
        put_int(p, heartbeat_count_names[i], (int64_t)beat->counts[i]);
    json_object_end(&p->w);
    begin(p, "rates");
    for (size_t i = 0; i < HEARTBEAT_COUNT_MAX_; i++)
        put_number(p, heartbeat_count_names[i], true, 1, fresh ? beat->rates[i] : 0);
    json_object_end(&p->w);
    put_text(p, "retrying", running && beat->retrying[0] ? beat->retrying : NULL);
    put_time(p, "last_flush_at", beat->last_flush_ms);
    put_time(p, "last_commit_at", beat->last_commit_ms);
    put_int(p, "memory_bytes", (int64_t)beat->memory_bytes);
}

static void
put_run(struct json_printer *p)
{
    const struct heartbeat *beat = p->status->heartbeat;

    if (!beat) {
        put_text(p, "run", NULL);
        return;
    }
    begin(p, "run");
    put_int(p, "pid", beat->pid);
    put_time(p, "started_at", beat->started_ms);
    put_time(p, "heartbeat_at", beat->written_ms);
    put_bool(p, "streaming", p->status->liveness == STATUS_RUNNING && beat->streaming);
    put_lsn(p, "received_lsn", beat->received);
    put_lsn(p, "durable_lsn", beat->durable);
    put_lsn(p, "flush_lsn", beat->flush);
    put_activity(p, beat);
    json_object_end(&p->w);
}

static void
put_mapping(struct json_printer *p, const struct status_mapping *mapping)
{
    const struct store_checkpoint *checkpoint = mapping->checkpoint;

    json_object_begin(&p->w);
    put_text(p, "name", mapping->name);
    put_int(p, "version", mapping->version);
    put_text(p, "target", mapping->target);
    put_lsn(p, "checkpoint", checkpoint ? checkpoint->lsn : 0);
    put_text(p, "state", status_mapping_state(mapping));
    put_text(p, "reason", checkpoint && checkpoint->text[0] ? checkpoint->text : NULL);
    put_bool(p, "backfilled", checkpoint && checkpoint->flags & STORE_BACKFILLED);
    put_int(p, "dead_letters", mapping->dead_letters);
    put_int(p, "journal_entries", mapping->journal_entries);
    json_object_end(&p->w);
}

static void
put_errors(struct json_printer *p)
{
    const struct heartbeat *beat = p->status->heartbeat;

    json_key(&p->w, SPAN("errors"));
    json_array_begin(&p->w);
    for (size_t i = 0; beat && i < beat->error_count; i++) {
        const struct heartbeat_error *error = &beat->errors[i];

        json_object_begin(&p->w);
        put_time(p, "at", error->at_ms);
        put_text(p, "mapping", error->mapping[0] ? error->mapping : NULL);
        put_text(p, "text", error->text);
        json_object_end(&p->w);
    }
    json_array_end(&p->w);
}

void
status_json(const struct status *status, struct arena *scratch, struct buf *out)
{
    struct json_printer p = {status, scratch, {.out = out}};

    assert(status->flow && status->liveness < STATUS_LIVENESS_MAX_);
    json_object_begin(&p.w);
    put_text(&p, "state", liveness_names[status->liveness]);
    put_bool(&p, "stored", status->persistent);
    put_text(&p, "source_error", status->source_error);
    put_flow(&p);
    put_lsn(&p, "checkpoint", status->flow->checkpoint);
    put_lsn(&p, "server_lsn", status->server_lsn);
    put_lag(&p);
    put_slot(&p);
    put_holder(&p);
    put_run(&p);
    put_int(&p, "dead_letters", status->dead_letters);
    json_key(&p.w, SPAN("mappings"));
    json_array_begin(&p.w);
    for (size_t i = 0; i < status->mapping_count; i++)
        put_mapping(&p, &status->mappings[i]);
    json_array_end(&p.w);
    put_errors(&p);
    json_object_end(&p.w);
    buf_putc(out, '\n');
}
