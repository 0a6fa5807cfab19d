#ifndef MODEL_ACTION_H
#define MODEL_ACTION_H

/*
 * What a destination is told to do: the outcome of mapping, membership and transform for a row.
 *
 * Actions live in the lane's arena for the duration of one batch and point into the batch.
 */

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "model/batch.h"
#include "model/docid.h"

enum action_kind {
    ACTION_UPSERT,   /* the whole document */
    ACTION_DELETE,   /* by id */
    ACTION_TRUNCATE, /* everything of the target up to this version */
    ACTION_ERROR,    /* this row can never be delivered: text says why */
    ACTION_KIND_MAX_,
};

extern const char *const action_kind_names[ACTION_KIND_MAX_ + 1];

struct action {
    enum action_kind kind;
    struct position position;
    struct docid id;           /* not for TRUNCATE; of an ERROR, when it is known */
    const struct value *image; /* UPSERT: mapping->column_count values, none UNCHANGED */
    const struct row *row;     /* where it came from; NULL for repeated deletes */
    const char *error;         /* ERROR: what is wrong and what to do */
};

#endif
