#ifndef STATE_DEAD_LETTER_TEXT_H
#define STATE_DEAD_LETTER_TEXT_H

/*
 * What `dlq list` and `dlq show` print, for people and as JSON.  Pure.
 *
 * The JSON form holds the raw event as JSON when it is some, else as a string; the document id is
 * a string always.
 */

#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"

struct store_dead_letter;

struct dead_letter_list {
    const struct store_dead_letter *letters;
    size_t count;
    int64_t total; /* how many there are, shown or not */
};

void dead_letter_list_text(const struct dead_letter_list *list, struct arena *scratch,
                           struct buf *out);
void dead_letter_list_json(const struct dead_letter_list *list, struct arena *scratch,
                           struct buf *out);

void dead_letter_show_text(const struct store_dead_letter *letter, struct arena *scratch,
                           struct buf *out);
void dead_letter_show_json(const struct store_dead_letter *letter, struct arena *scratch,
                           struct buf *out);

#endif
