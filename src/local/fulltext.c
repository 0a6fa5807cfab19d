/* fulltext: options from a table, and words out of text. */
#include "local/fulltext.h"

#include <assert.h>
#include <ctype.h>

#include "base/words.h"
#include "local/datum.h"
#include "local/refuse.h"

static const char *const tokenizers[] = {
    "word_v0", "word_v1", "word_v2", "word_v3", "word_v4", "pre_tokenized_array", NULL,
};

static const char *const languages[] = {
    "arabic",  "danish",    "dutch",   "english",   "finnish",    "french",   "german",
    "greek",   "hungarian", "italian", "norwegian", "portuguese", "romanian", "russian",
    "spanish", "swedish",   "tamil",   "turkish",   NULL,
};

static const struct fulltext defaults = {
    .on = true,
    .tokenizer = 4, /* word_v4 */
    .language = 3,  /* english */
    .max_token_length = 39,
    .k1 = 1.2,
    .b = 0.75,
    .k3 = 8.0,
};

enum option_kind { OPTION_BOOL, OPTION_WORD, OPTION_INT, OPTION_DOUBLE };

/* clang-format off */
static const struct option {
    const char *name;
    enum option_kind kind;
    size_t offset;
    const char *const *words; /* OPTION_WORD */
    int64_t min, max;         /* OPTION_INT */
} options[] = {
    {"tokenizer",        OPTION_WORD,   offsetof(struct fulltext, tokenizer), tokenizers, 0, 0},
    {"language",         OPTION_WORD,   offsetof(struct fulltext, language), languages, 0, 0},
    {"stemming",         OPTION_BOOL,   offsetof(struct fulltext, stemming), NULL, 0, 0},
    {"remove_stopwords", OPTION_BOOL,   offsetof(struct fulltext, remove_stopwords), NULL, 0, 0},
    {"case_sensitive",   OPTION_BOOL,   offsetof(struct fulltext, case_sensitive), NULL, 0, 0},
    {"ascii_folding",    OPTION_BOOL,   offsetof(struct fulltext, ascii_folding), NULL, 0, 0},
    {"max_token_length", OPTION_INT,    offsetof(struct fulltext, max_token_length), NULL, 1, 254},
    {"k1",               OPTION_DOUBLE, offsetof(struct fulltext, k1), NULL, 0, 0},
    {"b",                OPTION_DOUBLE, offsetof(struct fulltext, b), NULL, 0, 0},
    {"k3",               OPTION_DOUBLE, offsetof(struct fulltext, k3), NULL, 0, 0},
};
/* clang-format on */

static bool
read_word(const struct option *option, const struct json *json, int *ret)
{
    int found = json->type == JSON_STRING ? word_find(option->words, json->text) : -1;

    if (found < 0)
        return false;
    *ret = found;
    return true;
}

static bool
read_option(const struct option *option, const struct json *json, void *member)
{
    int64_t number;

    switch (option->kind) {
    case OPTION_BOOL:
        *(bool *)member = json->yes;
        return json->type == JSON_BOOL;
    case OPTION_WORD:
        return read_word(option, json, member);
    case OPTION_DOUBLE:
        return json_to_double(json, member);
    case OPTION_INT:
        if (!json_to_int(json, &number) || number < option->min || number > option->max)
            return false;
        *(int64_t *)member = number;
        return true;
    }
    return false;
}

static bool
read_object(const struct json *json, struct fulltext *fulltext, struct err *err)
{
    for (size_t i = 0; i < ARRAY_LEN(options); i++) {
        const struct json *member = json_get(json, options[i].name);

        if (!member || member->type == JSON_NULL)
            continue;
        if (!read_option(&options[i], member, (char *)fulltext + options[i].offset))
            return refuse(err, 400, "full_text_search: the value of %s is not one it can have",
                          options[i].name);
    }
    return true;
}

bool
fulltext_read(const struct json *json, struct fulltext *fulltext, struct err *err)
{
    struct fulltext changed = fulltext->on ? *fulltext : defaults;

    if (json->type == JSON_BOOL) {
        *fulltext = json->yes ? changed : (struct fulltext){0};
        return true;
    }
    if (json->type != JSON_OBJECT)
        return refuse(err, 422, "full_text_search is true, false or an object");
    if (!read_object(json, &changed, err))
        return false;
    *fulltext = changed;
    return true;
}

static void
write_option(struct json_writer *w, const struct option *option, const void *member)
{
    assert(member);
    switch (option->kind) {
    case OPTION_BOOL:
        json_bool(w, *(const bool *)member);
        return;
    case OPTION_WORD:
        json_string(w, span_of(option->words[*(const int *)member]));
        return;
    case OPTION_INT:
        json_int(w, *(const int64_t *)member);
        return;
    case OPTION_DOUBLE:
        json_double(w, *(const double *)member);
        return;
    }
}

void
fulltext_write(struct json_writer *w, const struct fulltext *fulltext)
{
    if (!fulltext->on) {
        json_bool(w, false);
        return;
    }
    json_object_begin(w);
    for (size_t i = 0; i < ARRAY_LEN(options); i++) {
        json_key(w, span_of(options[i].name));
        write_option(w, &options[i], (const char *)fulltext + options[i].offset);
    }
    json_object_end(w);
}

/* ---- tokens ---- */

static bool
is_word_byte(char c)
{
    return (c & 0x80) || isalnum((unsigned char)c);
}

static struct span
fold(const struct fulltext *fulltext, struct span word, struct arena *arena)
{
    char *folded;

    if (fulltext->case_sensitive)
        return word;
    folded = arena_alloc(arena, word.len);
    for (size_t i = 0; i < word.len; i++)
        folded[i] = (char)tolower((unsigned char)word.ptr[i]);
    return (struct span){folded, word.len};
}

struct tokens
fulltext_tokens(const struct fulltext *fulltext, struct span text, struct arena *arena)
{
    struct tokens tokens = {arena_new_n(arena, struct span, text.len / 2 + 1), 0};
    size_t at = 0;

    assert(fulltext->on);
    while (at < text.len) {
        size_t start;

        while (at < text.len && !is_word_byte(text.ptr[at]))
            at++;
        start = at;
        while (at < text.len && is_word_byte(text.ptr[at]))
            at++;
        if (at > start && at - start <= (size_t)fulltext->max_token_length)
            tokens.items[tokens.count++] =
                fold(fulltext, (struct span){text.ptr + start, at - start}, arena);
    }
    return tokens;
}
