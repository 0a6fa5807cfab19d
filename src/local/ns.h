#ifndef LOCAL_NS_H
#define LOCAL_NS_H

/*
 * One namespace: its schema and its documents, by id.
 *
 * Writes change documents through a change list, which keeps what was there before.  A request
 * that is refused half-way takes everything back (changes_roll_back); one that succeeds lets the
 * old documents go (changes_commit) after the journal has seen the list.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/map.h"
#include "local/doc.h"
#include "local/journal.h"
#include "local/ns_schema.h"

struct ns {
    struct span name;
    struct arena *arena; /* name, schema */
    struct ns_schema schema;
    struct map docs; /* row_key -> struct doc */
    size_t bytes;
    int64_t created_ms, updated_ms;
    bool read_only;
    bool pinned;
    struct span parent; /* branched from */
};

struct ns *ns_new(struct span name, int64_t now_ms);
void ns_free(struct ns *ns); /* NULL is fine */
void ns_freep(struct ns **ns);

struct doc *ns_get(const struct ns *ns, const struct ns_schema *schema, const struct datum *id);

/* Walk in no order: for (size_t at = 0; (doc = ns_next(ns, &at));) */
struct doc *ns_next(const struct ns *ns, size_t *at);

/* ---- changes ---- */

struct change {
    enum journal_op op;
    enum journal_effect effect;
    struct datum id;    /* of the request, or of the document */
    struct doc *before; /* NULL: was absent */
    struct doc *after;  /* NULL: is absent; the same as before when not applied */
};

struct changes {
    struct ns *ns;
    const struct ns_schema *schema; /* the write's copy: it knows the type of the id */
    struct change *items;
    size_t count, capacity;
};

void changes_free(struct changes *changes);

/* The list takes over `doc`.  `before` is what ns_get() said. */
void changes_put(struct changes *changes, enum journal_op op, struct doc *before, struct doc *doc);
void changes_remove(struct changes *changes, enum journal_op op, struct doc *doc);

/* Nothing happened to this id: skipped or absent. */
void changes_note(struct changes *changes, enum journal_op op, enum journal_effect effect,
                  const struct datum *id, struct doc *doc);

void changes_roll_back(struct changes *changes);
void changes_commit(struct changes *changes, struct journal *journal, uint64_t request);

#endif
