/* status: what follows from the facts, and the text for people. */
#include "state/status.h"

#include <assert.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/human.h"
#include "contract/store.h"
#include "state/columns.h"
#include "state/heartbeat.h"

/* ---- what follows from the facts ---- */

bool
status_is_fresh(const struct status *status)
{
    return status->liveness == STATUS_RUNNING && status->heartbeat &&
           status->now_ms - status->heartbeat->written_ms < STATUS_FRESH_MS;
}

struct status_lag
status_lag(const struct status *status)
{
    const struct heartbeat *beat = status->heartbeat;
    lsn_t server = status->server_lsn, checkpoint = status->flow->checkpoint;
    struct status_lag lag = {0};

    if (server && checkpoint) {
        lag.has_bytes = true;
        lag.bytes = server > checkpoint ? server - checkpoint : 0;
    } else if (status_is_fresh(status)) {
        lag.has_bytes = true;
        lag.bytes = beat->lag_bytes;
    }
    if (status->liveness == STATUS_RUNNING && beat) {
        /* What was late when it was last told has not caught up since: that would have been told.
         */
        int64_t since_ms = status->now_ms - beat->written_ms;

        lag.has_ms = true;
        lag.ms = beat->lag_ms > 0 ? beat->lag_ms + (since_ms > 0 ? since_ms : 0) : 0;
    }
    return lag;
}

/* Of several that stopped the one that is farthest behind. */
static const struct store_checkpoint *
stopped_mapping(const struct status *status)
{
    const struct store_checkpoint *found = NULL;

    for (size_t i = 0; i < status->mapping_count; i++) {
        const struct store_checkpoint *checkpoint = status->mappings[i].checkpoint;

        if (checkpoint && checkpoint->flags & STORE_STOPPED &&
            (!found || checkpoint->lsn < found->lsn))
            found = checkpoint;
    }
    return found;
}

struct status_holder
status_holder(const struct status *status)
{
    const struct heartbeat *beat = status->heartbeat;
    const struct store_checkpoint *stopped = stopped_mapping(status);

    if (stopped)
        return (struct status_holder){stopped->mapping, stopped->text};
    if (status->liveness == STATUS_RUNNING && beat && beat->holder[0])
        return (struct status_holder){beat->holder, beat->holder_reason};
    return (struct status_holder){0};
}

const char *
status_mapping_state(const struct status_mapping *mapping)
{
    static const struct {
        unsigned flag;
        bool set;
        const char *name;
    } states[] = {
        {STORE_STOPPED, true, "stopped"},
        {STORE_REREAD_NEEDED, true, "re-read needed"},
        {STORE_BACKFILLED, false, "older rows not loaded"},
    };

    if (!mapping->checkpoint)
        return "not started";
    for (size_t i = 0; i < ARRAY_LEN(states); i++) {
        if (((mapping->checkpoint->flags & states[i].flag) != 0) == states[i].set)
            return states[i].name;
    }
    return "ok";
}

/* ---- for people ---- */

struct printer {
    const struct status *status;
    struct arena *scratch;
    struct buf *out;
};

#define NAME_WIDTH "%-13s "

static void
put_safe(struct printer *p, const char *text)
{
    buf_put(p->out, columns_clean(span_of(text), 0, p->scratch));
}

/* "2026-01-02T03:04:05.678Z (1.2s ago)" */
static void
put_time(struct printer *p, int64_t wall_ms)
{
    char at[CLOCK_TEXT_SIZE], ago[HUMAN_SIZE];
    int64_t age_ms = p->status->now_ms - wall_ms;

    buf_putf(p->out, "%s (%s ago)", clock_text(at, sizeof(at), wall_ms),
             human_millis(ago, age_ms > 0 ? age_ms : 0));
}

static void
put_liveness(struct printer *p)
{
    const struct heartbeat *beat = p->status->heartbeat;
    const struct store_flow *flow = p->status->flow;

    buf_putf(p->out, NAME_WIDTH, "run");
    switch (p->status->liveness) {
    case STATUS_UNKNOWN:
        buf_put(p->out, SPAN("unknown"));
        break;
    case STATUS_STOPPED:
        buf_put(p->out, SPAN("not running"));
        if (flow->has_started)
            buf_putf(p->out, ", the last run %s",
                     flow->clean_end ? "ended in order" : "did not end in order");
        break;
    case STATUS_RUNNING:
        buf_put(p->out, SPAN("running"));
        break;
    case STATUS_LIVENESS_MAX_:
        break;
    }
    if (beat && p->status->liveness == STATUS_RUNNING) {
        buf_putf(p->out, ", process %lld, since ", (long long)beat->pid);
        put_time(p, beat->started_ms);
        if (!beat->streaming)
            buf_put(p->out, SPAN(", not connected to the source"));
    }
    buf_putc(p->out, '\n');
}

static void
put_source(struct printer *p)
{
    const struct store_flow *flow = p->status->flow;

    if (p->status->source_error) {
        buf_putf(p->out, NAME_WIDTH "not reachable: ", "source");
        put_safe(p, p->status->source_error);
        buf_putc(p->out, '\n');
    }
    if (!flow->has_started)
        return;
    buf_putf(p->out, NAME_WIDTH, "flow");
    put_safe(p, flow->database);
    buf_put(p->out, SPAN(", slot "));
    put_safe(p, flow->slot);
    buf_put(p->out, SPAN(", publication "));
    put_safe(p, flow->publication);
    if (flow->epoch > 0)
        buf_putf(p->out, ", epoch %llu", (unsigned long long)flow->epoch);
    buf_putc(p->out, '\n');
}

static void
put_positions(struct printer *p)
{
    const struct status *status = p->status;
    struct status_lag lag = status_lag(status);
    char text[HUMAN_SIZE];

    if (status->flow->checkpoint)
        buf_putf(p->out, NAME_WIDTH LSN_FMT "\n", "checkpoint", LSN_ARG(status->flow->checkpoint));
    else
        buf_putf(p->out, NAME_WIDTH "none yet\n", "checkpoint");
    if (!lag.has_bytes && !lag.has_ms)
        return;
    buf_putf(p->out, NAME_WIDTH, "lag");
    if (lag.has_bytes)
        buf_put(p->out, span_of(human_bytes(text, lag.bytes)));
    if (lag.has_bytes && status->server_lsn)
        buf_putf(p->out, " behind " LSN_FMT, LSN_ARG(status->server_lsn));
    if (lag.has_ms)
        buf_putf(p->out, "%s%s", lag.has_bytes ? ", " : "", human_millis(text, lag.ms));
    buf_putc(p->out, '\n');
}

static void
put_slot(struct printer *p)
{
    const struct status_slot *slot = p->status->slot;
    char text[HUMAN_SIZE];

    if (!slot)
        return;
    buf_putf(p->out, NAME_WIDTH, "slot");
    put_safe(p, slot->name);
    if (!slot->exists) {
        buf_put(p->out, SPAN(" does not exist\n"));
        return;
    }
    buf_putf(p->out, ", %s, confirmed " LSN_FMT ", restarts at " LSN_FMT ", keeps %s of WAL",
             slot->active ? "active" : "not active", LSN_ARG(slot->confirmed_flush),
             LSN_ARG(slot->restart),
             human_bytes(text, slot->retained_bytes > 0 ? (uint64_t)slot->retained_bytes : 0));
    if (slot->wal_status)
        buf_putf(p->out, " (%s)", slot->wal_status);
    buf_putc(p->out, '\n');
}

static void
put_holder(struct printer *p)
{
    struct status_holder holder = status_holder(p->status);

    if (!holder.mapping)
        return;
    buf_putf(p->out, NAME_WIDTH "mapping ", "held by");
    put_safe(p, holder.mapping);
    buf_put(p->out, SPAN(": "));
    put_safe(p, holder.reason);
    buf_putc(p->out, '\n');
}

static void
put_rates(struct printer *p, const struct heartbeat *beat)
{
    static const struct {
        enum heartbeat_count count;
        const char *name;
    } shown[] = {
        {HEARTBEAT_EVENTS, "events/s"},
        {HEARTBEAT_BATCHES, "batches/s"},
        {HEARTBEAT_UPSERTS, "upserts/s"},
        {HEARTBEAT_DELETES, "deletes/s"},
    };
    bool fresh = status_is_fresh(p->status);
    char text[HUMAN_SIZE];

    buf_putf(p->out, NAME_WIDTH, "rates");
    for (size_t i = 0; i < ARRAY_LEN(shown); i++)
        buf_putf(p->out, "%s %s, ", human_rate(text, fresh ? beat->rates[shown[i].count] : 0),
                 shown[i].name);
    buf_putf(p->out, "%s/s\n",
             human_bytes(text, fresh ? (uint64_t)beat->rates[HEARTBEAT_BYTES] : 0));
}

static void
put_counts(struct printer *p, const struct heartbeat *beat)
{
    const uint64_t *counts = beat->counts;
    char text[HUMAN_SIZE];

    buf_putf(
        p->out,
        NAME_WIDTH "%llu events, %llu batches, %llu upserts, %llu deletes, %s since its start\n",
        "total", (unsigned long long)counts[HEARTBEAT_EVENTS],
        (unsigned long long)counts[HEARTBEAT_BATCHES],
        (unsigned long long)counts[HEARTBEAT_UPSERTS],
        (unsigned long long)counts[HEARTBEAT_DELETES], human_bytes(text, counts[HEARTBEAT_BYTES]));
    buf_putf(p->out, NAME_WIDTH, "last flush");
    if (beat->last_flush_ms)
        put_time(p, beat->last_flush_ms);
    else
        buf_put(p->out, SPAN("none yet"));
    buf_putf(p->out, "\n" NAME_WIDTH "%llu", "retries",
             (unsigned long long)counts[HEARTBEAT_RETRIES]);
    if (beat->retrying[0] && p->status->liveness == STATUS_RUNNING) {
        buf_put(p->out, SPAN(", now: "));
        put_safe(p, beat->retrying);
    }
    buf_putc(p->out, '\n');
}

static void
put_mappings(struct printer *p)
{
    /* clang-format off */
    static const struct column columns[] = {
        {.title = "MAPPING",      .max = 40},
        {.title = "VERSION",      .right = true},
        {.title = "TARGET",       .max = 40},
        {.title = "CHECKPOINT"},
        {.title = "DEAD LETTERS", .right = true},
        {.title = "JOURNAL",      .right = true},
        {.title = "STATE"},
    };
    /* clang-format on */
    struct columns table = columns_make(columns, ARRAY_LEN(columns), p->scratch);

    if (p->status->mapping_count == 0)
        return;
    for (size_t i = 0; i < p->status->mapping_count; i++) {
        const struct status_mapping *mapping = &p->status->mappings[i];

        columns_add(&table, span_of(mapping->name));
        columns_addf(&table, "%lld", (long long)mapping->version);
        columns_add(&table, span_of(mapping->target));
        if (mapping->checkpoint)
            columns_addf(&table, LSN_FMT, LSN_ARG(mapping->checkpoint->lsn));
        else
            columns_add(&table, SPAN("-"));
        columns_addf(&table, "%lld", (long long)mapping->dead_letters);
        columns_addf(&table, "%lld", (long long)mapping->journal_entries);
        columns_add(&table, span_of(status_mapping_state(mapping)));
    }
    buf_putc(p->out, '\n');
    columns_print(&table, p->out);
}

static void
put_errors(struct printer *p)
{
    const struct heartbeat *beat = p->status->heartbeat;
    char at[CLOCK_TEXT_SIZE];

    if (!beat || beat->error_count == 0)
        return;
    buf_put(p->out, SPAN("\nlast errors\n"));
    for (size_t i = 0; i < beat->error_count; i++) {
        buf_putf(p->out, "  %s ", clock_text(at, sizeof(at), beat->errors[i].at_ms));
        if (beat->errors[i].mapping[0]) {
            put_safe(p, beat->errors[i].mapping);
            buf_put(p->out, SPAN(": "));
        }
        put_safe(p, beat->errors[i].text);
        buf_putc(p->out, '\n');
    }
}

void
status_text(const struct status *status, struct arena *scratch, struct buf *out)
{
    struct printer p = {status, scratch, out};

    assert(status->flow);
    put_liveness(&p);
    if (!status->persistent)
        buf_put(out, SPAN("state         none is stored: [state] backend is \"memory\"\n"));
    put_source(&p);
    if (status->persistent)
        put_positions(&p);
    put_slot(&p);
    put_holder(&p);
    if (status->heartbeat) {
        put_rates(&p, status->heartbeat);
        put_counts(&p, status->heartbeat);
    }
    if (status->persistent)
        buf_putf(out, NAME_WIDTH "%lld\n", "dead letters", (long long)status->dead_letters);
    put_mappings(&p);
    put_errors(&p);
}
