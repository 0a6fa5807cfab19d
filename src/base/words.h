#ifndef BASE_WORDS_H
#define BASE_WORDS_H

/* Word lists: `const char *const words[]` in the order of an enum, ended by NULL. */

#include <stddef.h>
#include <stdint.h>

#include "base/span.h"

int word_find(const char *const *words, struct span word); /* -1 when absent */

/*
 * The nearest word by edit distance (Damerau-Levenshtein, at most a third of the longer one's
 * length; case and dash against underscore cost nothing), or NULL: the material of every "did you
 * mean".  Of several equally near the first.
 */
const char *word_nearest(const char *const *words, size_t count, struct span word);

#endif
