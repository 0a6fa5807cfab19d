#ifndef ENGINE_DEAD_LETTER_H
#define ENGINE_DEAD_LETTER_H

/*
 * Rows that can never be delivered, held until their batch has been bisected (SEMANTICS 16).
 *
 * When all rows of a batch of at least DEAD_LETTER_ALIKE failed with the same text it is not the
 * rows: nothing is written and the failure is a configuration error.
 */

#include "base/buf.h"
#include "contract/store.h"
#include "model/action.h"

#define DEAD_LETTER_ALIKE 16

struct dead_letter {
    const struct action *action;
    enum err_kind kind;
    const char *text;
};

struct dead_letters {
    struct arena *arena;
    struct dead_letter *items;
    size_t count, cap;
};

void dead_letters_hold(struct dead_letters *held, const struct action *action, enum err_kind kind,
                       const char *text);

/* All `total` rows failed alike: ERR_CONFIG with their text. */
MUST_CHECK bool dead_letters_plausible(const struct dead_letters *held, size_t total,
                                       struct err *err);

/* As the store keeps them; `now_ms` is wall clock. */
struct store_dead_letter *dead_letters_render(const struct dead_letters *held,
                                              const struct mapping *mapping, int64_t now_ms);

/* The raw event: {"op":..,"xid":..,"before":{..},"after":{..}}, values in Postgres text. */
void dead_letter_event(const struct row *row, const struct mapping *mapping, struct buf *out);

#endif
