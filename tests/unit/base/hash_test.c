/* hash: values that must never change, and SHA-256 against FIPS 180-4. */
#include "base/hash.h"

#include "harness/check.h"

/* Lanes and states on disk depend on these: a change here is a change of format. */
static void
is_stable(void **state UNUSED)
{
    static const struct {
        struct span text;
        uint64_t want;
    } cases[] = {
        {SPAN_INIT(""), UINT64_C(0xEFD01F60BA992926)},
        {SPAN_INIT("a"), UINT64_C(0x82A2A958A9BECE5B)},
        {SPAN_INIT("puffgres"), UINT64_C(0xAF07162637215E3C)},
        {SPAN_INIT("\0"), UINT64_C(0xB9034AD37056F5FB)},
        {SPAN_INIT("\xFF"), UINT64_C(0x1BBD5C813C69A8D7)},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        uint64_t got = hash_bytes(cases[i].text);

        if (got != cases[i].want)
            fail_msg("case %zu: got 0x%016llX", i, (unsigned long long)got);
    }
}

static void
spreads_consecutive_ids_over_lanes(void **state UNUSED)
{
    enum { LANES = 8, IDS = 8000 };
    int lanes[LANES] = {0};

    for (int id = 0; id < IDS; id++) {
        char text[16];
        int len = snprintf(text, sizeof(text), "%d", id);

        lanes[hash_bytes((struct span){text, (size_t)len}) % LANES]++;
    }
    for (int i = 0; i < LANES; i++) {
        if (lanes[i] < IDS / LANES * 9 / 10 || lanes[i] > IDS / LANES * 11 / 10)
            fail_msg("lane %d got %d of %d", i, lanes[i], IDS);
    }
}

static void
knows_sha256(void **state UNUSED)
{
    static const struct {
        const char *text, *want;
    } cases[] = {
        {"", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
        {"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
        {"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
         "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char hex[HASH_SHA256_HEX_SIZE];

        CHECK_STR(hash_sha256_hex(span_of(cases[i].text), hex), cases[i].want);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(is_stable),
        cmocka_unit_test(spreads_consecutive_ids_over_lanes),
        cmocka_unit_test(knows_sha256),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
