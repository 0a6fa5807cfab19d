/* store_text: positions as text, whose order must be theirs. */
#include "harness/check.h"
#include "state/store.h"

/* In ascending order. */
static const struct position positions[] = {
    {0, 0},
    {0, 1},
    {0, UINT64_MAX},
    {1, 0},
    {0x16B3748, 7},
    {0x16B3748, 10},
    {0xFFFFFFFF, 0},
    {UINT64_C(0x100000000), 0},
    {INT64_MAX, 5},
    {UINT64_C(0x8000000000000000), 0},
    {UINT64_MAX, UINT64_MAX - 1},
    {UINT64_MAX, UINT64_MAX},
};

static void
texts_are_in_the_order_of_their_positions(void **state UNUSED)
{
    char before[STORE_POSITION_SIZE], after[STORE_POSITION_SIZE];

    for (size_t i = 1; i < ARRAY_LEN(positions); i++) {
        CHECK(position_compare(positions[i - 1], positions[i]) < 0);
        CHECK(strcmp(store_position_text(before, positions[i - 1]),
                     store_position_text(after, positions[i])) < 0);
        CHECK_INT(strlen(after), STORE_POSITION_SIZE - 1);
    }
}

static void
texts_come_back(void **state UNUSED)
{
    char text[STORE_POSITION_SIZE], lsn_text[STORE_LSN_SIZE];
    struct position got;
    struct err err;
    lsn_t lsn;

    for (size_t i = 0; i < ARRAY_LEN(positions); i++) {
        store_position_text(text, positions[i]);
        CHECK_OK(store_position_read(span_of(text), &got, &err), err);
        CHECK_INT(position_compare(got, positions[i]), 0);
        store_lsn_text(lsn_text, positions[i].commit);
        CHECK_OK(store_lsn_read(span_of(lsn_text), &lsn, &err), err);
        CHECK(lsn == positions[i].commit);
    }
}

static void
they_look_like_this(void **state UNUSED)
{
    char text[STORE_POSITION_SIZE];

    CHECK_STR(store_position_text(text, (struct position){UINT64_C(0x16016B3748), 255}),
              "00000016/016B3748.00000000000000FF");
    CHECK_STR(store_lsn_text(text, UINT64_C(0x16016B3748)), "00000016/016B3748");
}

static void
other_texts_are_refused(void **state UNUSED)
{
    static const char *const bad[] = {
        "",
        "0/16B3748",
        "00000000/016B3748",
        "00000000/016B3748.",
        "00000000/016B3748.000000000000000",
        "00000000/016B3748.00000000000000000",
        "00000000/016B3748:0000000000000007",
        "00000000/016B3748.000000000000000g",
        "00000000/016B3748.-000000000000007",
        "0000000x/016B3748.0000000000000007",
        "000000000016B37480.000000000000007",
    };
    struct position got = {7, 7};
    struct err err;

    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        if (store_position_read(span_of(bad[i]), &got, &err))
            fail_msg("\"%s\" was taken", bad[i]);
        CHECK_INT(err.kind, ERR_CONFIG);
    }
    CHECK_INT(got.commit, 7); /* untouched */
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(texts_are_in_the_order_of_their_positions),
        cmocka_unit_test(texts_come_back),
        cmocka_unit_test(they_look_like_this),
        cmocka_unit_test(other_texts_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
