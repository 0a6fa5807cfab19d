#ifndef LOCAL_FULLTEXT_H
#define LOCAL_FULLTEXT_H

/*
 * Full-text options of an attribute, and a plain tokenizer for the token filters: words are runs
 * of letters, digits and bytes above 0x7f, lower-cased (ASCII) unless the attribute is case
 * sensitive.  Options for stemming, stop words, folding and ranking are kept and shown, not
 * applied.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/json.h"
#include "base/span.h"

struct fulltext {
    bool on;
    int tokenizer; /* index of its word */
    int language;
    bool stemming, remove_stopwords, case_sensitive, ascii_folding;
    int64_t max_token_length;
    double k1, b, k3;
};

struct tokens {
    struct span *items;
    size_t count;
};

/*
 * true, false or an object; members that are missing keep what they were, or take the defaults
 * when full-text search was off.
 */
MUST_CHECK bool fulltext_read(const struct json *json, struct fulltext *fulltext, struct err *err);
void fulltext_write(struct json_writer *w, const struct fulltext *fulltext);

struct tokens fulltext_tokens(const struct fulltext *fulltext, struct span text,
                              struct arena *arena);

#endif
