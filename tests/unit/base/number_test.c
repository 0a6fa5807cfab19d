/* number: what is a number, what is not, and the edges of each type. */
#include "base/number.h"

#include <float.h>

#include "base/buf.h"
#include "harness/check.h"

#define UNTOUCHED 42

static void
reads_integers(void **state UNUSED)
{
    static const struct {
        const char *text;
        bool ok;
        int64_t want;
    } cases[] = {
        {"0", true, 0},
        {"-0", true, 0},
        {"7", true, 7},
        {"007", true, 7},
        {"9223372036854775807", true, INT64_MAX},
        {"-9223372036854775808", true, INT64_MIN},
        {"9223372036854775808", false, 0},
        {"-9223372036854775809", false, 0},
        {"99999999999999999999999", false, 0},
        {"", false, 0},
        {"-", false, 0},
        {"--1", false, 0},
        {"+1", false, 0},
        {" 1", false, 0},
        {"1 ", false, 0},
        {"1.0", false, 0},
        {"0x10", false, 0},
        {"1e3", false, 0},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        int64_t got = UNTOUCHED;
        bool ok = span_to_int(span_of(cases[i].text), &got);

        if (ok != cases[i].ok || got != (ok ? cases[i].want : UNTOUCHED))
            fail_msg("\"%s\": got %d %lld", cases[i].text, ok, (long long)got);
    }
}

static void
reads_unsigned_integers(void **state UNUSED)
{
    uint64_t n = UNTOUCHED;

    CHECK(span_to_uint(SPAN("18446744073709551615"), &n));
    CHECK(n == UINT64_MAX);
    CHECK(!span_to_uint(SPAN("18446744073709551616"), &n));
    CHECK(!span_to_uint(SPAN("184467440737095516150"), &n));
    CHECK(!span_to_uint(SPAN("-1"), &n));
    CHECK(!span_to_uint(SPAN(""), &n));
    CHECK(n == UINT64_MAX);
}

static void
a_span_need_not_end_in_nul(void **state UNUSED)
{
    int64_t n;
    double d;

    CHECK(span_to_int((struct span){"12345", 3}, &n));
    CHECK_INT(n, 123);
    CHECK(span_to_double((struct span){"1.55", 3}, &d));
    CHECK(d == 1.5);
}

static void
reads_doubles(void **state UNUSED)
{
    static const struct {
        const char *text;
        bool ok;
        double want;
    } cases[] = {
        {"0", true, 0},       {"-1.5", true, -1.5}, {"1e+20", true, 1e20},
        {"1E-7", true, 1e-7}, {"0.1", true, 0.1},   {"1.7976931348623157e308", true, DBL_MAX},
        {"1e-400", true, 0},  {"1e400", false, 0},  {"inf", false, 0},
        {"NaN", false, 0},    {"0x1p3", false, 0},  {".5", false, 0},
        {"5.", false, 0},     {"1e", false, 0},     {"1e+", false, 0},
        {" 1", false, 0},     {"1x", false, 0},     {"1.5x", false, 0},
        {"-", false, 0},      {"", false, 0},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        double got = UNTOUCHED;
        bool ok = span_to_double(span_of(cases[i].text), &got);

        if (ok != cases[i].ok || got != (ok ? cases[i].want : UNTOUCHED))
            fail_msg("\"%s\": got %d %.17g", cases[i].text, ok, got);
    }
}

static void
reads_a_double_of_any_length(void **state UNUSED)
{
    char text[1000];
    double n;

    memset(text, '0', sizeof(text));
    text[1] = '.';
    text[200] = '7';
    CHECK(span_to_double((struct span){text, sizeof(text)}, &n));
    CHECK(n == 7e-199);
}

static void
reads_sizes(void **state UNUSED)
{
    static const struct {
        const char *text;
        bool ok;
        int64_t want;
    } cases[] = {
        {"512", true, 512},
        {"0", true, 0},
        {"64KiB", true, 65536},
        {"8MiB", true, 8388608},
        {"1GiB", true, 1073741824},
        {"2TiB", true, 2199023255552},
        {"3kB", true, 3000},
        {"3MB", true, 3000000},
        {"3GB", true, 3000000000},
        {"10B", true, 10},
        {"8mib", false, 0},
        {"8 MiB", false, 0},
        {"1.5MiB", false, 0},
        {"-1MiB", false, 0},
        {"MiB", false, 0},
        {"", false, 0},
        {"9007199254740993TiB", false, 0},
        {"99999999999999999999", false, 0},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        int64_t got = UNTOUCHED;
        bool ok = span_to_bytes(span_of(cases[i].text), &got);

        if (ok != cases[i].ok || got != (ok ? cases[i].want : UNTOUCHED))
            fail_msg("\"%s\": got %d %lld", cases[i].text, ok, (long long)got);
    }
}

static void
reads_durations(void **state UNUSED)
{
    static const struct {
        const char *text;
        bool ok;
        int64_t want;
    } cases[] = {
        {"250ms", true, 250},    {"10s", true, 10000},
        {"5m", true, 300000},    {"1h", true, 3600000},
        {"7d", true, 604800000}, {"0s", true, 0},
        {"10", false, 0},        {"s", false, 0},
        {"", false, 0},          {"1.5s", false, 0},
        {"-1s", false, 0},       {"1h30m", false, 0},
        {"1S", false, 0},        {"200000000000d", false, 0},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        int64_t got = UNTOUCHED;
        bool ok = span_to_millis(span_of(cases[i].text), &got);

        if (ok != cases[i].ok || got != (ok ? cases[i].want : UNTOUCHED))
            fail_msg("\"%s\": got %d %lld", cases[i].text, ok, (long long)got);
    }
}

static void
writes_in_units_what_reads_back(void **state UNUSED)
{
    static const struct {
        int64_t n;
        const char *bytes, *millis;
    } cases[] = {
        {0, "0", "0ms"},
        {1, "1", "1ms"},
        {1000, "1kB", "1s"},
        {1024, "1KiB", "1024ms"},
        {90000, "90kB", "90s"},
        {8388608, "8MiB", "8388608ms"},
        {604800000, "590625KiB", "7d"},
        {INT64_MAX, "9223372036854775807", "9223372036854775807ms"},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        CLEANUP(buf_free) struct buf bytes = buf_make(100), millis = buf_make(100);
        int64_t n;

        number_put_bytes(&bytes, cases[i].n);
        number_put_millis(&millis, cases[i].n);
        CHECK_STR(bytes.ptr, cases[i].bytes);
        CHECK_STR(millis.ptr, cases[i].millis);
        CHECK(span_to_bytes(buf_span(&bytes), &n) && n == cases[i].n);
        CHECK(span_to_millis(buf_span(&millis), &n) && n == cases[i].n);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_integers),
        cmocka_unit_test(reads_unsigned_integers),
        cmocka_unit_test(a_span_need_not_end_in_nul),
        cmocka_unit_test(reads_doubles),
        cmocka_unit_test(reads_a_double_of_any_length),
        cmocka_unit_test(reads_sizes),
        cmocka_unit_test(reads_durations),
        cmocka_unit_test(writes_in_units_what_reads_back),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
