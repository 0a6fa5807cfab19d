#ifndef HARNESS_SAMPLE_H
#define HARNESS_SAMPLE_H

/*
 * A sample table "public.items" (id bigint primary key, name text), its mapping, and a source that
 * streams transactions over it from a script.
 *
 *     static const struct sample_change changes[] = {{CHANGE_INSERT, .id = "1", .name = "a"}};
 *     static const struct sample_transaction script[] = {{100, 110, changes, 1}};
 *
 *     sample_source_reset(script, 1);
 *     args.source = sample_source();
 *
 * When the script is over the source stays idle; sample_source_stop_fd() becomes readable once
 * feedback has reached the end of the script, so an engine under test ends by itself.
 */

#include "contract/source.h"
#include "model/mapping.h"
#include "model/projection.h"

struct sample_change {
    enum change_op op;
    const char *id;     /* of the new row; of the old one for DELETE */
    const char *name;   /* NULL: null; "?": not carried (unchanged TOAST) */
    const char *old_id; /* UPDATE: the key was another one */
};

struct sample_transaction {
    lsn_t commit; /* start of the commit record */
    lsn_t end;
    const struct sample_change *changes;
    size_t count;
};

/* A fresh bound mapping "items" into namespace "items"; the caller may change settings. */
struct mapping sample_mapping(void);
extern const struct schema sample_schema;

/* The change as a source would hand it over; values live until the next call. */
struct change sample_change_make(const struct sample_change *change, struct position position);

/* ---- the source ---- */

void sample_source_reset(const struct sample_transaction *script, size_t count);
struct source *sample_source(void);

/* The stream is lost (TRANSIENT) when so many events of it have been handed over, once. */
void sample_source_lose_after(size_t events);

/* The next feedback fails (TRANSIENT), once. */
void sample_source_lose_feedback(void);

/* As after a large message: idle is SOURCE_RENEW in every session that has handed over an event. */
void sample_source_want_renewal(void);

/* Another schema from this transaction on: the Relation message comes again. */
void sample_source_alter(size_t transaction, const struct schema *schema);

int sample_source_stop_fd(void);
lsn_t sample_source_flush(void);             /* the last feedback */
int64_t sample_source_feedback_gap_ms(void); /* the longest between two feedbacks */
size_t sample_source_opens(void);
bool sample_source_flush_grew(void); /* feedback never went back */

#endif
