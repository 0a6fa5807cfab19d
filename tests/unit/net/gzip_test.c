/* gzip: there and back, bounded, and nothing broken taken for whole. */
#include "net/gzip.h"

#include <stdlib.h>

#include "harness/check.h"

/* Text that compresses, of any length. */
static struct buf
sample(size_t len)
{
    struct buf buf = buf_make(len);

    for (size_t i = 0; i < len; i++)
        buf_put(&buf, (struct span){&"turbopuffer "[i * 7 % 12], 1});
    return buf;
}

static void
goes_both_ways(void **state UNUSED)
{
    static const size_t lengths[] = {0, 1, 100, 32 * 1024, 32 * 1024 + 1, 1000 * 1000};

    for (size_t i = 0; i < ARRAY_LEN(lengths); i++) {
        CLEANUP(buf_free) struct buf plain = sample(lengths[i]);
        CLEANUP(buf_free) struct buf packed = buf_make(MEGABYTES(2));
        CLEANUP(buf_free) struct buf back = buf_make(lengths[i]);
        struct err err;

        CHECK_OK(gzip_pack(buf_span(&plain), GZIP_FAST, &packed, &err), err);
        CHECK_OK(gzip_unpack(buf_span(&packed), &back, &err), err);
        CHECK(span_eq(buf_span(&back), buf_span(&plain)));
    }
}

/* RFC 1952, 2.2: a body may be several members. */
static void
takes_several_members(void **state UNUSED)
{
    CLEANUP(buf_free) struct buf packed = buf_make(4096);
    CLEANUP(buf_free) struct buf back = buf_make(4096);
    struct err err;

    CHECK_OK(gzip_pack(SPAN("one "), GZIP_FAST, &packed, &err), err);
    CHECK_OK(gzip_pack(SPAN("two"), GZIP_FAST, &packed, &err), err);
    CHECK_OK(gzip_unpack(buf_span(&packed), &back, &err), err);
    CHECK_SPAN(buf_span(&back), "one two");
}

static void
is_bounded(void **state UNUSED)
{
    CLEANUP(buf_free) struct buf plain = sample(100000);
    CLEANUP(buf_free) struct buf packed = buf_make(MEGABYTES(1));
    CLEANUP(buf_free) struct buf back = buf_make(99999);
    CLEANUP(buf_free) struct buf tight = buf_make(10);
    struct err err;

    CHECK_OK(gzip_pack(buf_span(&plain), GZIP_FAST, &packed, &err), err);
    CHECK(packed.len < 5000);
    CHECK_FAILS(gzip_unpack(buf_span(&packed), &back, &err), err, ERR_DATA,
                "larger than the limit of 99999 bytes");
    CHECK(!gzip_pack(buf_span(&plain), GZIP_FAST, &tight, &err));
}

static void
refuses_what_is_broken(void **state UNUSED)
{
    CLEANUP(buf_free) struct buf packed = buf_make(4096);
    CLEANUP(buf_free) struct buf whole = buf_make(4096);
    struct err err;

    CHECK_OK(gzip_pack(SPAN("some text, some text"), GZIP_FAST, &packed, &err), err);
    for (size_t len = 0; len < packed.len; len++) { /* cut anywhere */
        CLEANUP(buf_free) struct buf back = buf_make(4096);

        if (gzip_unpack((struct span){packed.ptr, len}, &back, &err))
            fail_msg("cut to %zu bytes it was taken", len);
    }
    for (size_t at = 0; at < packed.len; at++) { /* any byte behind the header changed */
        CLEANUP(buf_free) struct buf back = buf_make(4096);

        if (at >= 4 && at < 10) /* time, extra flags and system say nothing about the content */
            continue;
        packed.ptr[at] = (char)(packed.ptr[at] ^ 0x55);
        if (gzip_unpack(buf_span(&packed), &back, &err))
            fail_msg("with byte %zu changed it was taken", at);
        packed.ptr[at] = (char)(packed.ptr[at] ^ 0x55);
    }
    buf_put(&packed, SPAN("junk"));
    CHECK(!gzip_unpack(buf_span(&packed), &whole, &err));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(goes_both_ways),
        cmocka_unit_test(takes_several_members),
        cmocka_unit_test(is_bounded),
        cmocka_unit_test(refuses_what_is_broken),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
