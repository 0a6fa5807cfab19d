/* buf: appends, growth and the ceiling. */
#include "base/buf.h"

#include "harness/check.h"

static void
appends_and_stays_a_c_string(void **state UNUSED)
{
    CLEANUP(buf_free) struct buf buf = buf_make(1000);
    struct err err;

    CHECK_SPAN(buf_span(&buf), "");
    buf_put(&buf, SPAN("a"));
    buf_put(&buf, SPAN(""));
    buf_putc(&buf, 'b');
    buf_putf(&buf, "%s=%d", "c", 5);
    CHECK_STR(buf.ptr, "abc=5");
    CHECK_SPAN(buf_span(&buf), "abc=5");
    CHECK_OK(buf_ok(&buf, &err), err);
}

static void
writes_integers(void **state UNUSED)
{
    CLEANUP(buf_free) struct buf buf = buf_make(1000);

    buf_put_uint(&buf, 0);
    buf_putc(&buf, ' ');
    buf_put_uint(&buf, UINT64_MAX);
    buf_putc(&buf, ' ');
    buf_put_int(&buf, INT64_MIN);
    buf_putc(&buf, ' ');
    buf_put_int(&buf, INT64_MAX);
    CHECK_STR(buf.ptr, "0 18446744073709551615 -9223372036854775808 9223372036854775807");
}

static void
holds_exactly_its_limit(void **state UNUSED)
{
    static const size_t limits[] = {0, 1, 255, 256, 257, 511, 512, 1000, 4096};

    for (size_t i = 0; i < ARRAY_LEN(limits); i++) {
        CLEANUP(buf_free) struct buf buf = buf_make(limits[i]);
        struct err err;

        for (size_t n = 0; n < limits[i]; n++)
            buf_putc(&buf, 'x');
        CHECK_OK(buf_ok(&buf, &err), err);
        CHECK(buf.cap <= limits[i] + 1);
        buf_putc(&buf, 'y');
        CHECK(!buf_ok(&buf, &err));
        CHECK_INT(err.kind, ERR_DATA);
        CHECK_INT(buf.len, limits[i]);
    }
}

static void
an_overflow_ends_appending(void **state UNUSED)
{
    CLEANUP(buf_free) struct buf buf = buf_make(6);
    struct err err;

    buf_put(&buf, SPAN("abc"));
    buf_put(&buf, SPAN("defg"));
    buf_put(&buf, SPAN("h")); /* would fit, but would stand in the wrong place */
    buf_putf(&buf, "%d", 1);
    CHECK_FAILS(buf_ok(&buf, &err), err, ERR_DATA, "larger than the limit of 6 bytes");
    CHECK_STR(buf.ptr, "abc");
}

static void
a_format_that_does_not_fit_leaves_nothing_behind(void **state UNUSED)
{
    CLEANUP(buf_free) struct buf buf = buf_make(300);
    char many[301] = {0};
    struct err err;

    memset(many, 'm', sizeof(many) - 1);
    buf_put(&buf, SPAN("head"));
    buf_putf(&buf, "%s", many);
    CHECK(!buf_ok(&buf, &err));
    CHECK_STR(buf.ptr, "head");

    buf_clear(&buf);
    buf_putf(&buf, "%s", many);
    CHECK_OK(buf_ok(&buf, &err), err);
    CHECK_INT(buf.len, 300);
    CHECK_STR(buf.ptr, many);
}

static void
clear_keeps_the_memory_and_free_gives_it_back(void **state UNUSED)
{
    struct buf buf = buf_make(MEGABYTES(1));
    size_t cap;

    for (int i = 0; i < 1000; i++)
        buf_put(&buf, SPAN("0123456789"));
    cap = buf.cap;
    buf_clear(&buf);
    CHECK_INT(buf.cap, cap);
    CHECK_SPAN(buf_span(&buf), "");
    buf_free(&buf);
    CHECK(!buf.ptr);
    CHECK_INT(buf.limit, MEGABYTES(1));
    buf_free(&buf);
}

static void
reserved_room_counts_when_committed(void **state UNUSED)
{
    CLEANUP(buf_free) struct buf buf = buf_make(1000);
    char *at = buf_reserve(&buf, 500);

    CHECK(at);
    memcpy(at, "xyz", 3);
    CHECK_INT(buf.len, 0);
    buf_commit(&buf, 3);
    CHECK_SPAN(buf_span(&buf), "xyz");
    CHECK(!buf_reserve(&buf, 998));
    CHECK(buf.overflow);
}

static void
grows_by_doubling(void **state UNUSED)
{
    CLEANUP(buf_free) struct buf buf = buf_make(MEGABYTES(64));
    size_t grown = 0, cap = 0;

    while (buf.len < MEGABYTES(8)) {
        buf_put(&buf, SPAN("0123456789abcdef"));
        grown += buf.cap != cap;
        cap = buf.cap;
    }
    CHECK(grown <= 20);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(appends_and_stays_a_c_string),
        cmocka_unit_test(writes_integers),
        cmocka_unit_test(holds_exactly_its_limit),
        cmocka_unit_test(an_overflow_ends_appending),
        cmocka_unit_test(a_format_that_does_not_fit_leaves_nothing_behind),
        cmocka_unit_test(clear_keeps_the_memory_and_free_gives_it_back),
        cmocka_unit_test(reserved_room_counts_when_committed),
        cmocka_unit_test(grows_by_doubling),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
