/* match: globs, approximate substrings, regular expressions. */
#include "local/match.h"

#include <ctype.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "local/limits.h"
#include "local/refuse.h"

#define PATTERN_BYTES_MAX 4096

static int
folded(char c, bool ignore_case)
{
    return ignore_case ? tolower((unsigned char)c) : (unsigned char)c;
}

/* ---- globs ---- */

/*
 * One set, *at standing behind its "[".  Moves *at behind the "]"; a set that never ends matches
 * nothing.
 */
static bool
match_set(struct span pattern, size_t *at, int c, bool ignore_case)
{
    bool negated = *at < pattern.len && pattern.ptr[*at] == '!';
    bool found = false;
    size_t i = *at + negated, first = i;

    for (; i < pattern.len && (pattern.ptr[i] != ']' || i == first); i++) {
        int low = folded(pattern.ptr[i], ignore_case), high = low;

        if (i + 2 < pattern.len && pattern.ptr[i + 1] == '-' && pattern.ptr[i + 2] != ']') {
            high = folded(pattern.ptr[i + 2], ignore_case);
            i += 2;
        }
        found = found || (c >= low && c <= high);
    }
    *at = i + 1;
    return i < pattern.len && found != negated;
}

/* One pattern element other than "*" against one byte; moves *at behind the element. */
static bool
match_one(struct span pattern, size_t *at, char text, bool ignore_case)
{
    int c = folded(text, ignore_case);
    char p = pattern.ptr[(*at)++];

    if (p == '?')
        return true;
    if (p == '[')
        return match_set(pattern, at, c, ignore_case);
    if (p == '\\' && *at < pattern.len)
        p = pattern.ptr[(*at)++];
    return folded(p, ignore_case) == c;
}

bool
match_glob(struct span pattern, struct span text, bool ignore_case)
{
    size_t p = 0, t = 0, star = SIZE_MAX, star_text = 0;

    while (t < text.len) {
        if (p < pattern.len && pattern.ptr[p] == '*') {
            star = ++p;
            star_text = t;
            continue;
        }
        if (p < pattern.len && match_one(pattern, &p, text.ptr[t], ignore_case)) {
            t++;
            continue;
        }
        if (star == SIZE_MAX)
            return false;
        p = star; /* let the last star take one byte more */
        t = ++star_text;
    }
    while (p < pattern.len && pattern.ptr[p] == '*')
        p++;
    return p == pattern.len;
}

/* ---- approximate substrings (Sellers): a column per byte of text, free to start anywhere ---- */

bool
match_fuzzy(struct span query, struct span text, size_t distance, bool ignore_case)
{
    size_t column[PATTERN_BYTES_MAX + 1];

    if (query.len > PATTERN_BYTES_MAX)
        return false;
    for (size_t i = 0; i <= query.len; i++)
        column[i] = i;
    if (column[query.len] <= distance)
        return true;
    for (size_t t = 0; t < text.len; t++) {
        size_t diagonal = 0;

        for (size_t i = 1; i <= query.len; i++) {
            bool same = folded(query.ptr[i - 1], ignore_case) == folded(text.ptr[t], ignore_case);
            size_t best = diagonal + !same;

            best = column[i] + 1 < best ? column[i] + 1 : best;
            best = column[i - 1] + 1 < best ? column[i - 1] + 1 : best;
            diagonal = column[i];
            column[i] = best;
        }
        if (column[query.len] <= distance)
            return true;
    }
    return false;
}

/* ---- regular expressions ---- */

bool
match_compile(struct span pattern, regex_t *ret, struct err *err)
{
    char text[PATTERN_BYTES_MAX + 1], why[128];
    int status;

    if (pattern.len > PATTERN_BYTES_MAX || memchr(pattern.ptr, '\0', pattern.len))
        return refuse(err, 400, "a regular expression has at most %d bytes and no NUL",
                      PATTERN_BYTES_MAX);
    memcpy(text, pattern.ptr, pattern.len);
    text[pattern.len] = '\0';
    status = regcomp(ret, text, REG_EXTENDED | REG_NOSUB);
    if (status == 0)
        return true;
    regerror(status, ret, why, sizeof(why));
    return refuse(err, 400, "regular expression \"%s\": %s", text, why);
}

/* The C library wants a NUL behind the text; one inside ends it. */
bool
match_regex(const regex_t *regex, struct span text)
{
    char *copy = strndup(text.ptr, text.len);
    bool matches;

    if (!copy)
        abort();
    matches = regexec(regex, copy, 0, NULL, 0) == 0;
    free(copy);
    return matches;
}
