/* words: look-up in word lists, exact and nearly. */
#include "base/words.h"

#include <assert.h>
#include <stdbool.h>

/* Longer words are not guessed at: the three rows of the table below live on the stack. */
#define WORD_MAX 64

int
word_find(const char *const *words, struct span word)
{
    for (int i = 0; words[i]; i++) {
        if (span_eq(span_of(words[i]), word))
            return i;
    }
    return -1;
}

/* Case, and dash against underscore, are no mistakes worth a point. */
static char
fold(char c)
{
    if (c >= 'A' && c <= 'Z')
        return (char)(c - 'A' + 'a');
    return c == '-' ? '_' : c;
}

static bool
same(char a, char b)
{
    return fold(a) == fold(b);
}

static size_t
least(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* Damerau-Levenshtein with adjacent swaps (optimal string alignment), three rows at a time. */
static size_t
distance(struct span a, struct span b)
{
    size_t rows[3][WORD_MAX + 1];

    assert(a.len <= WORD_MAX && b.len <= WORD_MAX);
    for (size_t j = 0; j <= b.len; j++)
        rows[0][j] = j;
    for (size_t i = 1; i <= a.len; i++) {
        const size_t *two_up = rows[(i + 1) % 3], *up = rows[(i - 1) % 3];
        size_t *row = rows[i % 3];

        row[0] = i;
        for (size_t j = 1; j <= b.len; j++) {
            size_t change = up[j - 1] + !same(a.ptr[i - 1], b.ptr[j - 1]);

            row[j] = least(change, least(up[j], row[j - 1]) + 1);
            if (i > 1 && j > 1 && same(a.ptr[i - 1], b.ptr[j - 2]) &&
                same(a.ptr[i - 2], b.ptr[j - 1]))
                row[j] = least(row[j], two_up[j - 2] + 1);
        }
    }
    return rows[a.len % 3][b.len];
}

const char *
word_nearest(const char *const *words, size_t count, struct span word)
{
    const char *nearest = NULL;
    size_t nearest_distance = SIZE_MAX;

    if (word.len == 0 || word.len > WORD_MAX)
        return NULL;
    for (size_t i = 0; i < count; i++) {
        struct span candidate = span_of(words[i]);
        size_t longer = candidate.len > word.len ? candidate.len : word.len;
        size_t d;

        if (longer > WORD_MAX)
            continue;
        d = distance(candidate, word);
        if (d <= longer / 3 && d < nearest_distance) {
            nearest = words[i];
            nearest_distance = d;
        }
    }
    return nearest;
}
