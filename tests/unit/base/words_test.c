/* words: exact and near look-up. */
#include "base/words.h"

#include "harness/check.h"

static const char *const words[] = {"host", "batch_max_rows", "batch_max_bytes",
                                    "id",   "versioning",     NULL};

static void
finds_a_word(void **state UNUSED)
{
    CHECK_INT(word_find(words, SPAN("host")), 0);
    CHECK_INT(word_find(words, SPAN("versioning")), 4);
    CHECK_INT(word_find(words, SPAN("Host")), -1);
    CHECK_INT(word_find(words, SPAN("hos")), -1);
    CHECK_INT(word_find(words, SPAN("")), -1);
}

static void
guesses_what_was_meant(void **state UNUSED)
{
    static const struct {
        const char *word, *want;
    } cases[] = {
        {"hsot", "host"},                     /* a swap is one mistake */
        {"hots", "host"},                     /* at the end too */
        {"hst", "host"},                      /* one missing */
        {"hosts", "host"},                    /* one too many */
        {"HOST", "host"},                     /* case is no mistake */
        {"batch-max-rows", "batch_max_rows"}, /* nor is a dash */
        {"batch_maxrow", "batch_max_rows"},   /* two of fourteen */
        {"max_bytes", NULL},                  /* six of fifteen are too many */
        {"versionning", "versioning"},
        {"ix", NULL},   /* half of a short word is another word */
        {"port", NULL}, /* two of four */
        {"", NULL},
        {"a_word_so_long_that_it_cannot_be_any_of_ours_and_is_not_compared_at_all", NULL},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const char *got = word_nearest(words, 5, span_of(cases[i].word));

        if ((got == NULL) != (cases[i].want == NULL) || (got && strcmp(got, cases[i].want) != 0))
            fail_msg("\"%s\": got %s, want %s", cases[i].word, got ? got : "none",
                     cases[i].want ? cases[i].want : "none");
    }
}

static void
looks_only_at_the_words_it_is_given(void **state UNUSED)
{
    CHECK(!word_nearest(words, 0, SPAN("host")));
    CHECK(!word_nearest(words, 3, SPAN("versionin")));
    CHECK_STR(word_nearest(words + 1, 2, SPAN("batch_max_byte")), "batch_max_bytes");
}

static void
a_word_of_ours_may_be_too_long_to_compare(void **state UNUSED)
{
    static const char *const long_words[] = {
        "a_word_so_long_that_no_one_would_ever_type_it_and_that_is_not_compared", "host"};

    CHECK_STR(word_nearest(long_words, 2, SPAN("hosd")), "host");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_a_word),
        cmocka_unit_test(guesses_what_was_meant),
        cmocka_unit_test(looks_only_at_the_words_it_is_given),
        cmocka_unit_test(a_word_of_ours_may_be_too_long_to_compare),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
