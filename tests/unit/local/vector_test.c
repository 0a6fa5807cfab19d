/* vector: base64, half floats, distances. */
#include "local/vector.h"

#include <math.h>

#include "harness/check.h"

static void
base64_goes_both_ways(void **state UNUSED)
{
    /* RFC 4648, section 10 */
    static const char *const cases[][2] = {
        {"", ""},
        {"f", "Zg=="},
        {"fo", "Zm8="},
        {"foo", "Zm9v"},
        {"foob", "Zm9vYg=="},
        {"fooba", "Zm9vYmE="},
        {"foobar", "Zm9vYmFy"},
        {"\xfb\xff", "+/8="},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        CLEANUP(buf_free) struct buf text = buf_make(64);
        unsigned char bytes[16] = {0};
        size_t size = 99;

        base64_put(&text, span_of(cases[i][0]));
        CHECK_SPAN(buf_span(&text), cases[i][1]);
        CHECK(base64_size(span_of(cases[i][1]), &size));
        CHECK_INT(size, strlen(cases[i][0]));
        base64_decode(span_of(cases[i][1]), bytes);
        CHECK_STR((const char *)bytes, cases[i][0]);
    }
}

static void
base64_is_checked(void **state UNUSED)
{
    static const char *const bad[] = {"Z", "Zg", "Zg=", "Zg===", "Z=g=", "Zm9v\n", "Zm-v", "Zm 9"};
    size_t size = 7;

    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        if (base64_size(span_of(bad[i]), &size))
            fail_msg("\"%s\" was taken", bad[i]);
    }
    CHECK_INT(size, 7);
}

static void
halves_round_to_even(void **state UNUSED)
{
    /* clang-format off */
    static const struct { float f; uint16_t half; } cases[] = {
        {0.0F, 0x0000}, {-0.0F, 0x8000}, {1.0F, 0x3c00}, {-2.0F, 0xc000}, {0.5F, 0x3800},
        {65504.0F, 0x7bff},          /* the largest */
        {65519.0F, 0x7bff},          /* still rounds down to it */
        {6.103515625e-05F, 0x0400},  /* the smallest normal */
        {5.9604644775390625e-08F, 0x0001}, /* the smallest of all */
        {2.9802322387695312e-08F, 0x0000}, /* half of it: to even */
        {4.470348358154297e-08F, 0x0001},  /* three quarters of it */
        {6.097555160522461e-05F, 0x03ff},  /* the largest subnormal */
        {1.00048828125F, 0x3c00},    /* between 1 and its neighbour: to even */
        {1.00146484375F, 0x3c02},    /* between the first and second neighbour: to even */
        {0.1F, 0x2e66}, {3.14159265F, 0x4248}, {2047.5F, 0x6800}, /* carries into the exponent */
    };
    /* clang-format on */

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        uint16_t half = 0xffff;

        CHECK(half_from_float(cases[i].f, &half));
        if (half != cases[i].half)
            fail_msg("%.10g: got 0x%04x, want 0x%04x", (double)cases[i].f, half, cases[i].half);
    }
}

/* Every half there is survives the way to a float and back. */
static void
halves_come_back(void **state UNUSED)
{
    for (uint32_t half = 0; half < 0x10000; half++) {
        uint16_t back = 0;

        if ((half & 0x7c00) == 0x7c00) /* infinities and NaN */
            continue;
        CHECK(half_from_float(half_to_float((uint16_t)half), &back));
        if (back != half)
            fail_msg("0x%04x came back as 0x%04x", half, back);
    }
}

static void
halves_have_a_range(void **state UNUSED)
{
    static const float out[] = {65520.0F, -65520.0F, 1e30F, INFINITY, -INFINITY, NAN};
    uint16_t half = 7;

    for (size_t i = 0; i < ARRAY_LEN(out); i++)
        CHECK(!half_from_float(out[i], &half));
    CHECK_INT(half, 7);
}

static void
distances(void **state UNUSED)
{
    static const float x[] = {1, 0, 0}, y[] = {0, 2, 0}, back[] = {-3, 0, 0}, zero[] = {0, 0, 0};
    /* clang-format off */
    static const struct { enum distance_metric metric; const float *a, *b; double want; } cases[] = {
        {DISTANCE_COSINE,            x, x,    0},
        {DISTANCE_COSINE,            x, y,    1},
        {DISTANCE_COSINE,            x, back, 2},
        {DISTANCE_COSINE,            x, zero, 1},
        {DISTANCE_EUCLIDEAN_SQUARED, x, x,    0},
        {DISTANCE_EUCLIDEAN_SQUARED, x, y,    5},
        {DISTANCE_EUCLIDEAN_SQUARED, x, back, 16},
    };
    /* clang-format on */

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        double got = vector_distance(cases[i].metric, cases[i].a, cases[i].b, 3);

        if (fabs(got - cases[i].want) > 1e-9)
            fail_msg("case %zu: got %g, want %g", i, got, cases[i].want);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(base64_goes_both_ways), cmocka_unit_test(base64_is_checked),
        cmocka_unit_test(halves_round_to_even),  cmocka_unit_test(halves_come_back),
        cmocka_unit_test(halves_have_a_range),   cmocka_unit_test(distances),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
