#ifndef ENGINE_OWNER_H
#define ENGINE_OWNER_H

/*
 * The owner's state, shared by the four files of the owner thread (see engine.h).  Nobody else
 * includes this.
 */

#include "engine/engine.h"
#include "engine/gate.h"
#include "engine/lane.h"
#include "engine/ledger.h"
#include "engine/router.h"
#include "engine/saver.h"

/* A TRUNCATE that waits for all lanes of its mapping, and then for itself. */
struct barrier {
    size_t mapping;
    const struct projection *projection;
    struct change change; /* without images */
    bool sent;
};

/* A mapping's lane as the owner sees it. */
struct outlet {
    struct lane lane;
    size_t mapping;   /* index */
    struct job *open; /* being filled, or NULL */
    struct job *waiting, **waiting_end;
    size_t waiting_count;
    size_t in_lane;   /* jobs handed over and not yet back */
    struct job *lost; /* failed for good */
    bool failed;      /* then what follows is not sent */
};

struct owner {
    const struct engine_args *args;
    struct arena *arena;
    struct counters *counters;
    struct gate gate;
    struct ledger ledger;
    struct router router;
    struct queue *completions;
    struct saver saver;

    struct outlet *outlets; /* of mapping 0, then of mapping 1, … */
    size_t outlet_count;
    size_t *first_outlet; /* per mapping; first_outlet[i + 1] ends it */
    struct job *spare;    /* with an empty batch each */
    size_t spare_count;
    size_t held_bytes;    /* of all batches that are not finished */
    struct route *routes; /* scratch, one per mapping */
    struct arena *scratch;

    /* the stream */
    bool streaming;
    lsn_t commit_end; /* of the last transaction read */
    unsigned reopen_tries;
    int64_t reopen_ms;
    int64_t feedback_ms;      /* due */
    int64_t fed_back_ms;      /* when the last one went out */
    struct barrier *barriers; /* while there is one nothing is read */
    size_t barrier_count;

    /* checkpoints */
    struct saver_order order;
    bool saving;
    bool wrote_since_save; /* else progress is from keepalives alone (SEMANTICS 9) */
    bool flags_changed;    /* a mapping's flags or text: to be saved */
    int64_t saved_ms;

    bool failed; /* the flow ends with `failure` */
    struct err failure;
};

/* ---- intake.c ---- */

/* Read and route for a while; true when there may be more to read at once. */
bool intake_run(struct owner *owner, int64_t now_ms);
bool intake_may_read(const struct owner *owner);
void intake_order(struct owner *owner, const struct engine_order *order);

/* ---- outbound.c ---- */

MUST_CHECK bool outbound_start(struct owner *owner, struct err *err);
void outbound_add(struct owner *owner, struct outlet *outlet, const struct projection *projection,
                  const struct change *change, enum row_half half, int64_t now_ms);
void outbound_dispatch(struct outlet *outlet); /* its open batch, if any */
void outbound_dispatch_ready(struct owner *owner, int64_t now_ms);
void outbound_collect(struct owner *owner);
bool outbound_idle(const struct outlet *outlet);
bool outbound_all_idle(const struct owner *owner);
int64_t outbound_linger_ms(const struct owner *owner); /* when the next batch has waited enough */
MUST_CHECK bool outbound_join(struct owner *owner, int64_t deadline_ms);

/* ---- progress.c ---- */

MUST_CHECK bool progress_start(struct owner *owner, struct err *err);
void progress_collect(struct owner *owner, int64_t now_ms);
void progress_saved(struct owner *owner, const struct saver_order *order, int64_t now_ms);
void progress_save(struct owner *owner, int64_t now_ms, bool at_once);
void progress_feedback(struct owner *owner, int64_t now_ms);
int64_t progress_due_ms(const struct owner *owner);
void progress_publish(struct owner *owner);

/* ---- engine.c ---- */

void owner_fail(struct owner *owner, const struct err *err); /* the first failure counts */
void owner_stream_lost(struct owner *owner, const struct err *err, int64_t now_ms);
void owner_stream_renew(struct owner *owner, int64_t now_ms);

#endif
