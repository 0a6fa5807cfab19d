/* fulltext: options merge, tokens are words. */
#include "local/fulltext.h"

#include "unit/local/bench.h"

#define DEFAULTS                                                                                   \
    "{'tokenizer':'word_v4','language':'english','stemming':false,'remove_stopwords':false,"       \
    "'case_sensitive':false,'ascii_folding':false,'max_token_length':39,'k1':1.2,'b':0.75,"        \
    "'k3':8.0}"

static const char *
shown(struct arena *arena, const struct fulltext *fulltext)
{
    CLEANUP(buf_free) struct buf out = buf_make(4096);
    struct json_writer w = {.out = &out};

    fulltext_write(&w, fulltext);
    return arena_strdup(arena, out.ptr);
}

static void
options_are_read_and_merged(void **state UNUSED)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new("test");
    struct fulltext f = {0};
    struct err err;

    check_text(arena, shown(arena, &f), "false", "off");
    CHECK_OK(fulltext_read(json_of(arena, "true"), &f, &err), err);
    check_text(arena, shown(arena, &f), DEFAULTS, "on");
    CHECK_OK(fulltext_read(json_of(arena, "{'language':'german','k1':2}"), &f, &err), err);
    CHECK_OK(fulltext_read(json_of(arena, "{'stemming':true,'b':null}"), &f, &err), err);
    CHECK_OK(fulltext_read(json_of(arena, "true"), &f, &err), err);
    check_text(arena, shown(arena, &f),
               "{'tokenizer':'word_v4','language':'german','stemming':true,"
               "'remove_stopwords':false,'case_sensitive':false,'ascii_folding':false,"
               "'max_token_length':39,'k1':2.0,'b':0.75,'k3':8.0}",
               "merged");
    CHECK_OK(fulltext_read(json_of(arena, "false"), &f, &err), err);
    CHECK(!f.on);
}

static void
options_are_checked(void **state UNUSED)
{
    /* clang-format off */
    static const struct { const char *json; int status; } cases[] = {
        {"'yes'",                      422},
        {"{'language':'klingon'}",     400},
        {"{'tokenizer':4}",            400},
        {"{'max_token_length':0}",     400},
        {"{'max_token_length':255}",   400},
        {"{'stemming':'true'}",        400},
        {"{'k1':'1'}",                 400},
    };
    /* clang-format on */
    CLEANUP(arena_freep) struct arena *arena = arena_new("test");

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct fulltext f = {0};
        struct err err;

        if (fulltext_read(json_of(arena, cases[i].json), &f, &err))
            fail_msg("%s was taken", cases[i].json);
        CHECK_INT(err.code, cases[i].status);
        CHECK(!f.on);
    }
}

static void
tokens_are_words(void **state UNUSED)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new("test");
    struct fulltext f = {.on = true, .max_token_length = 5};
    struct tokens tokens =
        fulltext_tokens(&f, SPAN(" The quick, Brown fox-42 \xc3\xa9t\xc3\xa9! toolong"), arena);
    static const char *const want[] = {"the", "quick", "brown", "fox", "42", "\xc3\xa9t\xc3\xa9"};

    CHECK_INT(tokens.count, ARRAY_LEN(want));
    for (size_t i = 0; i < tokens.count; i++)
        CHECK_SPAN(tokens.items[i], want[i]);
    f.case_sensitive = true;
    tokens = fulltext_tokens(&f, SPAN("The"), arena);
    CHECK_SPAN(tokens.items[0], "The");
    CHECK_INT(fulltext_tokens(&f, SPAN(""), arena).count, 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(options_are_read_and_merged),
        cmocka_unit_test(options_are_checked),
        cmocka_unit_test(tokens_are_words),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
