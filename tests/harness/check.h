#ifndef HARNESS_CHECK_H
#define HARNESS_CHECK_H

/* cmocka with its required headers, and checks that print what was got and what was wanted. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/err.h"
#include "base/span.h"

#define CHECK(cond)                                                                                \
    do {                                                                                           \
        if (!(cond))                                                                               \
            fail_msg("not true: %s", #cond);                                                       \
    } while (0)

#define CHECK_STR(got, want) assert_string_equal((got), (want))

#define CHECK_SPAN(got, want) check_span_at((got), (want), __FILE__, __LINE__)

#define CHECK_INT(got, want)                                                                       \
    do {                                                                                           \
        int64_t got_ = (int64_t)(got), want_ = (int64_t)(want);                                    \
        if (got_ != want_)                                                                         \
            fail_msg("%s: got %lld, want %lld", #got, (long long)got_, (long long)want_);          \
    } while (0)

/* The call must succeed; its err is printed when it does not. */
#define CHECK_OK(call, err)                                                                        \
    do {                                                                                           \
        if (!(call))                                                                               \
            fail_msg("%s: %s", #call, (err).text);                                                 \
    } while (0)

/* The call must fail with exactly this kind and text. */
#define CHECK_FAILS(call, err, want_kind, want_text)                                               \
    do {                                                                                           \
        if (call)                                                                                  \
            fail_msg("%s: succeeded", #call);                                                      \
        assert_string_equal((err).text, (want_text));                                              \
        assert_int_equal((err).kind, (want_kind));                                                 \
    } while (0)

static inline void
check_span_at(struct span got, const char *want, const char *file, int line)
{
    if (!span_eq(got, span_of(want))) {
        print_error("got  \"%.*s\"\nwant \"%s\"\n", SPAN_ARG(got), want);
        _fail(file, line);
    }
}

#endif
