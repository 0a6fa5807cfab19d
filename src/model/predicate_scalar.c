/* predicate_scalar: reading and comparing values by type. */
#include "model/predicate_scalar.h"

#include <assert.h>
#include <float.h>
#include <math.h>
#include <strings.h>

#include "base/number.h"
#include "model/datetime.h"

/* src/include/catalog/pg_type.dat, src/include/access/transam.h */
#define BPCHAR_OID       1042
#define FIRST_NORMAL_OID 16384

/* clang-format off */
static const enum compare compares[] = {
    [TYPE_BOOL]        = COMPARE_BOOL,
    [TYPE_INT2]        = COMPARE_DECIMAL,
    [TYPE_INT4]        = COMPARE_DECIMAL,
    [TYPE_INT8]        = COMPARE_DECIMAL,
    [TYPE_OID]         = COMPARE_DECIMAL,
    [TYPE_FLOAT4]      = COMPARE_FLOAT,
    [TYPE_FLOAT8]      = COMPARE_FLOAT,
    [TYPE_NUMERIC]     = COMPARE_DECIMAL,
    [TYPE_MONEY]       = COMPARE_MAX_, /* printed by locale */
    [TYPE_TEXT]        = COMPARE_BYTES,
    [TYPE_BYTEA]       = COMPARE_MAX_,
    [TYPE_UUID]        = COMPARE_UUID,
    [TYPE_DATE]        = COMPARE_DATE,
    [TYPE_TIME]        = COMPARE_TIME,
    [TYPE_TIMETZ]      = COMPARE_MAX_,
    [TYPE_TIMESTAMP]   = COMPARE_TIMESTAMP,
    [TYPE_TIMESTAMPTZ] = COMPARE_TIMESTAMPTZ,
    [TYPE_INTERVAL]    = COMPARE_MAX_, /* 1 day equals 24 hours */
    [TYPE_JSON]        = COMPARE_MAX_,
    [TYPE_XML]         = COMPARE_MAX_,
    [TYPE_NETWORK]     = COMPARE_MAX_, /* 10.0.0.1 equals 10.0.0.1/32 */
    [TYPE_BIT]         = COMPARE_MAX_,
    [TYPE_ENUM]        = COMPARE_BYTES,
    [TYPE_RANGE]       = COMPARE_MAX_,
    [TYPE_COMPOSITE]   = COMPARE_MAX_,
    [TYPE_VECTOR]      = COMPARE_MAX_,
    [TYPE_HALFVEC]     = COMPARE_MAX_,
    [TYPE_OTHER]       = COMPARE_MAX_,
};
/* clang-format on */

_Static_assert(ARRAY_LEN(compares) == TYPE_KIND_MAX_, "one way of comparing per kind");

enum compare
scalar_compare(const struct type *type)
{
    bool citext = type->kind == TYPE_TEXT && type->oid >= FIRST_NORMAL_OID;

    assert(type->kind < TYPE_KIND_MAX_);
    return type->array || citext ? COMPARE_MAX_ : compares[type->kind];
}

static bool
read_bytes(const struct type *type, struct span text, struct scalar *ret)
{
    ret->bytes = text;
    if (!type || type->oid != BPCHAR_OID)
        return true;
    while (ret->bytes.len > 0 && ret->bytes.ptr[ret->bytes.len - 1] == ' ')
        ret->bytes.len--;
    return true;
}

/* The unique beginnings of these words in any case, as boolin() has it. */
static bool
read_bool(const struct type *type UNUSED, struct span text, struct scalar *ret)
{
    /* clang-format off */
    static const struct {
        struct span word;
        size_t least;
        bool yes;
    } words[] = {
        {SPAN_INIT("true"),  1, true},
        {SPAN_INIT("false"), 1, false},
        {SPAN_INIT("yes"),   1, true},
        {SPAN_INIT("no"),    1, false},
        {SPAN_INIT("on"),    2, true},
        {SPAN_INIT("off"),   2, false},
        {SPAN_INIT("1"),     1, true},
        {SPAN_INIT("0"),     1, false},
    };
    /* clang-format on */

    for (size_t i = 0; i < ARRAY_LEN(words); i++) {
        if (text.len < words[i].least || text.len > words[i].word.len ||
            strncasecmp(text.ptr, words[i].word.ptr, text.len) != 0)
            continue;
        ret->integer = words[i].yes;
        return true;
    }
    return false;
}

static bool
read_decimal(const struct type *type UNUSED, struct span text, struct scalar *ret)
{
    return decimal_parse(text, &ret->decimal);
}

/* Numbers beyond the range are no literals of the type, and never printed by it. */
static bool
read_float(const struct type *type, struct span text, struct scalar *ret)
{
    bool single = type && type->kind == TYPE_FLOAT4;
    struct decimal decimal;
    double number;

    if (!decimal_parse(text, &decimal))
        return false;
    if (decimal.kind == DECIMAL_NAN) {
        ret->number = (double)NAN;
        return true;
    }
    if (decimal.kind == DECIMAL_INFINITY) {
        ret->number = decimal.negative ? -(double)INFINITY : (double)INFINITY;
        return true;
    }
    if (!span_to_double(span_skip(text, text.ptr[0] == '+'), &number))
        return false;
    if (single && (number > (double)FLT_MAX || number < -(double)FLT_MAX))
        return false;
    ret->number = single ? (double)(float)number : number;
    return true;
}

static bool
read_uuid(const struct type *type UNUSED, struct span text, struct scalar *ret)
{
    return docid_uuid_canonical(text, ret->uuid);
}

static bool
read_date(const struct type *type UNUSED, struct span text, struct scalar *ret)
{
    return datetime_parse_date(text, &ret->integer);
}

static bool
read_time(const struct type *type UNUSED, struct span text, struct scalar *ret)
{
    return datetime_parse_time(text, &ret->integer);
}

static bool
read_timestamp(const struct type *type UNUSED, struct span text, struct scalar *ret)
{
    return datetime_parse_timestamp(text, false, &ret->integer);
}

static bool
read_timestamptz(const struct type *type UNUSED, struct span text, struct scalar *ret)
{
    return datetime_parse_timestamp(text, true, &ret->integer);
}

static bool
equal_bytes(const struct scalar *a, const struct scalar *b)
{
    return span_eq(a->bytes, b->bytes);
}

static bool
equal_integers(const struct scalar *a, const struct scalar *b)
{
    return a->integer == b->integer;
}

static bool
equal_decimals(const struct scalar *a, const struct scalar *b)
{
    return decimal_equal(&a->decimal, &b->decimal);
}

/* NaN equals itself, as Postgres has it. */
static bool
equal_floats(const struct scalar *a, const struct scalar *b)
{
    bool a_nan = a->number != a->number, b_nan = b->number != b->number;

    return a_nan || b_nan ? a_nan && b_nan : a->number == b->number;
}

static bool
equal_uuids(const struct scalar *a, const struct scalar *b)
{
    return memcmp(a->uuid, b->uuid, sizeof(a->uuid)) == 0;
}

/* clang-format off */
static const struct {
    bool (*read)(const struct type *type, struct span text, struct scalar *ret);
    bool (*equal)(const struct scalar *a, const struct scalar *b);
    const char *example;
} ways[] = {
    [COMPARE_NULL]        = {NULL,             NULL,           ""},
    [COMPARE_BYTES]       = {read_bytes,       equal_bytes,    "'text'"},
    [COMPARE_BOOL]        = {read_bool,        equal_integers, "TRUE or FALSE"},
    [COMPARE_DECIMAL]     = {read_decimal,     equal_decimals, "42 or -1.50"},
    [COMPARE_FLOAT]       = {read_float,       equal_floats,   "0.5, 1e6 or 'NaN'"},
    [COMPARE_UUID]        = {read_uuid,        equal_uuids,    "'c0ffee00-0000-4000-8000-000000000000'"},
    [COMPARE_DATE]        = {read_date,        equal_integers, "'2024-03-02'"},
    [COMPARE_TIME]        = {read_time,        equal_integers, "'10:30:00'"},
    [COMPARE_TIMESTAMP]   = {read_timestamp,   equal_integers, "'2024-03-02 10:30:00'"},
    [COMPARE_TIMESTAMPTZ] = {read_timestamptz, equal_integers, "'2024-03-02 10:30:00+00', with its UTC offset"},
};
/* clang-format on */

_Static_assert(ARRAY_LEN(ways) == COMPARE_MAX_, "one row per way of comparing");

bool
scalar_read(enum compare compare, const struct type *type, struct span text, struct scalar *ret)
{
    assert(compare < COMPARE_MAX_ && ways[compare].read);
    return ways[compare].read(type, text, ret);
}

bool
scalar_equal(enum compare compare, const struct scalar *a, const struct scalar *b)
{
    assert(compare < COMPARE_MAX_ && ways[compare].equal);
    return ways[compare].equal(a, b);
}

const char *
scalar_example(enum compare compare)
{
    assert(compare < COMPARE_MAX_);
    return ways[compare].example;
}
