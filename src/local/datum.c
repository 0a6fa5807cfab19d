/* datum: types and scalars; vectors are in datum_vector.c. */
#include "local/datum.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/number.h"
#include "local/datetime.h"
#include "local/datum_vector.h"
#include "local/refuse.h"
#include "local/uuid.h"

/* ---- types ---- */

/* clang-format off */
static const struct base_row {
    const char *name;
    bool in_array; /* may stand behind [] */
} bases[] = {
    [DATUM_UNKNOWN]  = {"unknown",  true},
    [DATUM_STRING]   = {"string",   true},
    [DATUM_INT]      = {"int",      true},
    [DATUM_UINT]     = {"uint",     true},
    [DATUM_FLOAT]    = {"float",    true},
    [DATUM_BOOL]     = {"bool",     true},
    [DATUM_UUID]     = {"uuid",     true},
    [DATUM_DATETIME] = {"datetime", true},
    [DATUM_BYTES]    = {"bytes",    false},
    [DATUM_F32]      = {"f32",      false},
    [DATUM_F16]      = {"f16",      false},
    [DATUM_I8]       = {"i8",       false},
    [DATUM_SPARSE]   = {"{}f16",    false},
};
/* clang-format on */

_Static_assert(ARRAY_LEN(bases) == DATUM_BASE_MAX_, "one row per base");

static bool
find_base(struct span name, enum datum_base *ret)
{
    for (size_t i = DATUM_UNKNOWN + 1; i < DATUM_BASE_MAX_; i++) {
        if (span_eq(name, span_of(bases[i].name))) {
            *ret = (enum datum_base)i;
            return true;
        }
    }
    return false;
}

/* What is between the brackets: nothing for an array, a number for a dense vector. */
static bool
parse_bracketed(struct span inside, enum datum_base base, struct datum_type *ret)
{
    bool dense = datum_type_is_dense((struct datum_type){.base = base});
    uint64_t dimensions;

    if (inside.len == 0 && bases[base].in_array) {
        *ret = (struct datum_type){.base = base, .array = true};
        return true;
    }
    if (!dense || !span_to_uint(inside, &dimensions) || dimensions == 0 || dimensions > UINT32_MAX)
        return false;
    *ret = (struct datum_type){.base = base, .dimensions = (uint32_t)dimensions};
    return true;
}

bool
datum_type_parse(struct span text, struct datum_type *ret)
{
    const char *close = text.len && text.ptr[0] == '[' ? memchr(text.ptr, ']', text.len) : NULL;
    struct span name = text;
    enum datum_base base;

    if (close)
        name = (struct span){close + 1, (size_t)(text.ptr + text.len - close - 1)};
    if (!find_base(name, &base))
        return false;
    if (close)
        return parse_bracketed((struct span){text.ptr + 1, (size_t)(close - text.ptr - 1)}, base,
                               ret);
    if (datum_type_is_dense((struct datum_type){.base = base}))
        return false;
    *ret = (struct datum_type){.base = base};
    return true;
}

const char *
datum_type_text(struct datum_type type, char dst[DATUM_TYPE_TEXT_SIZE])
{
    assert(type.base < DATUM_BASE_MAX_);
    if (datum_type_is_dense(type))
        snprintf(dst, DATUM_TYPE_TEXT_SIZE, "[%u]%s", type.dimensions, bases[type.base].name);
    else
        snprintf(dst, DATUM_TYPE_TEXT_SIZE, "%s%s", type.array ? "[]" : "", bases[type.base].name);
    return dst;
}

bool
datum_type_eq(struct datum_type a, struct datum_type b)
{
    return a.base == b.base && a.array == b.array && a.dimensions == b.dimensions;
}

/* ---- inference ---- */

static bool
infer_number(const struct json *json, struct datum_type *ret, struct err *err)
{
    int64_t i;

    if (!json_to_int(json, &i))
        return refuse(err, 400,
                      "the number %.*s is no 64-bit integer and no type is declared; declare "
                      "float or uint in the schema",
                      SPAN_ARG(json->text));
    *ret = (struct datum_type){.base = DATUM_INT};
    return true;
}

static bool
infer_scalar(const struct json *json, struct datum_type *ret, struct err *err)
{
    switch (json->type) {
    case JSON_STRING:
        *ret = (struct datum_type){.base = DATUM_STRING};
        return true;
    case JSON_BOOL:
        *ret = (struct datum_type){.base = DATUM_BOOL};
        return true;
    case JSON_NUMBER:
        return infer_number(json, ret, err);
    case JSON_OBJECT:
        *ret = (struct datum_type){.base = DATUM_SPARSE};
        return true;
    case JSON_NULL:
    case JSON_ARRAY:
    case JSON_END:
    case JSON_ARRAY_END:
    case JSON_OBJECT_END:
    case JSON_KEY:
        break;
    }
    return refuse(err, 400, "no type can be inferred from a nested array or a null in an array");
}

bool
datum_type_infer(const struct json *json, bool is_vector, struct datum_type *ret, struct err *err)
{
    struct datum_type element = {.base = DATUM_UNKNOWN};

    assert(json->type != JSON_NULL);
    if (is_vector)
        return datum_infer_vector(json, ret, err);
    if (json->type != JSON_ARRAY)
        return infer_scalar(json, ret, err);
    if (json->count && !infer_scalar(json->first, &element, err))
        return false;
    if (element.base == DATUM_SPARSE)
        return refuse(err, 400, "an array of objects has no type");
    *ret = (struct datum_type){.base = element.base, .array = true};
    return true;
}

/* ---- scalars ---- */

static const char *
json_kind(const struct json *json)
{
    /* clang-format off */
    static const char *const kinds[] = {
        [JSON_NULL] = "null", [JSON_BOOL] = "a bool", [JSON_NUMBER] = "the number ",
        [JSON_STRING] = "the string ", [JSON_ARRAY] = "an array", [JSON_OBJECT] = "an object",
    };
    /* clang-format on */

    assert(json->type < ARRAY_LEN(kinds) && kinds[json->type]);
    return kinds[json->type];
}

COLD static bool
refuse_mismatch(enum datum_base base, const struct json *json, struct err *err)
{
    bool text = json->type == JSON_NUMBER || json->type == JSON_STRING;
    const char *quote = json->type == JSON_STRING ? "\"" : "";
    int shown = text ? (int)(json->text.len < 40 ? json->text.len : 40) : 0;

    return refuse(err, 400, "expected %s, got %s%s%.*s%s", bases[base].name, json_kind(json), quote,
                  shown, text ? json->text.ptr : "", quote);
}

static bool
read_uuid(const struct json *json, struct arena *arena, union scalar *ret)
{
    char text[UUID_TEXT_SIZE];

    if (json->type != JSON_STRING || !uuid_canonical(json->text, text))
        return false;
    ret->s = arena_span(arena, (struct span){text, UUID_TEXT_SIZE - 1});
    return true;
}

static bool
read_bytes(const struct json *json, union scalar *ret)
{
    size_t size;

    ret->s = json->text;
    return json->type == JSON_STRING && base64_size(json->text, &size);
}

static bool
scalar_convert(enum datum_base base, const struct json *json, struct arena *arena,
               union scalar *ret)
{
    switch (base) {
    case DATUM_STRING:
        ret->s = json->text;
        return json->type == JSON_STRING;
    case DATUM_INT:
        return json_to_int(json, &ret->i);
    case DATUM_UINT:
        return json_to_uint(json, &ret->u);
    case DATUM_FLOAT:
        return json_to_double(json, &ret->f);
    case DATUM_BOOL:
        ret->b = json->yes;
        return json->type == JSON_BOOL;
    case DATUM_UUID:
        return read_uuid(json, arena, ret);
    case DATUM_DATETIME:
        return json->type == JSON_STRING && datetime_parse(json->text, &ret->i);
    case DATUM_BYTES:
        return read_bytes(json, ret);
    case DATUM_UNKNOWN:
    case DATUM_F32:
    case DATUM_F16:
    case DATUM_I8:
    case DATUM_SPARSE:
    case DATUM_BASE_MAX_:
        break;
    }
    return false;
}

bool
datum_read_scalar(enum datum_base base, const struct json *json, struct arena *arena,
                  union scalar *ret, struct err *err)
{
    union scalar scalar = {.s = {"", 0}};

    if (!scalar_convert(base, json, arena, &scalar))
        return refuse_mismatch(base, json, err);
    *ret = scalar;
    return true;
}

int
datum_compare_scalar(enum datum_base base, union scalar a, union scalar b)
{
    switch (base) {
    case DATUM_STRING:
    case DATUM_UUID:
    case DATUM_BYTES:
        return span_compare(a.s, b.s);
    case DATUM_INT:
    case DATUM_DATETIME:
        return (a.i > b.i) - (a.i < b.i);
    case DATUM_UINT:
        return (a.u > b.u) - (a.u < b.u);
    case DATUM_FLOAT:
        return (a.f > b.f) - (a.f < b.f);
    case DATUM_BOOL:
        return (int)a.b - (int)b.b;
    case DATUM_UNKNOWN:
        return 0;
    case DATUM_F32:
    case DATUM_F16:
    case DATUM_I8:
    case DATUM_SPARSE:
    case DATUM_BASE_MAX_:
        break;
    }
    assert(!"vectors have no order");
    return 0;
}

static size_t
scalar_bytes(enum datum_base base, union scalar scalar)
{
    switch (base) {
    case DATUM_STRING:
    case DATUM_SPARSE:
        return scalar.s.len;
    case DATUM_BYTES:
        return scalar.s.len / 4 * 3;
    case DATUM_UUID:
        return 16;
    case DATUM_BOOL:
        return 1;
    case DATUM_INT:
    case DATUM_UINT:
    case DATUM_FLOAT:
    case DATUM_DATETIME:
        return 8;
    case DATUM_UNKNOWN:
    case DATUM_F32:
    case DATUM_F16:
    case DATUM_I8:
    case DATUM_BASE_MAX_:
        break;
    }
    return 0;
}

/* With a point or an exponent, so that a reader takes it for a float. */
static void
write_float_text(struct json_writer *w, const char *text)
{
    char whole[48];

    if (!strpbrk(text, ".e")) {
        snprintf(whole, sizeof(whole), "%s.0", text);
        text = whole;
    }
    json_raw(w, span_of(text));
}

void
json_double(struct json_writer *w, double f)
{
    char text[40];
    double back;

    assert(isfinite(f));
    for (int digits = 15; digits <= 17; digits++) {
        snprintf(text, sizeof(text), "%.*g", digits, f);
        if (span_to_double(span_of(text), &back) && back == f)
            break;
    }
    write_float_text(w, text);
}

void
json_float(struct json_writer *w, float f)
{
    char text[40];
    double back;

    for (int digits = 6; digits <= 9; digits++) {
        snprintf(text, sizeof(text), "%.*g", digits, (double)f);
        if (span_to_double(span_of(text), &back) && !((float)back < f) && !((float)back > f))
            break;
    }
    write_float_text(w, text);
}

static void
write_datetime(struct json_writer *w, int64_t ms)
{
    char text[DATETIME_TEXT_SIZE];

    json_string(w, span_of(datetime_text(ms, text)));
}

void
datum_write_scalar(struct json_writer *w, enum datum_base base, union scalar scalar)
{
    switch (base) {
    case DATUM_STRING:
    case DATUM_UUID:
    case DATUM_BYTES:
        json_string(w, scalar.s);
        return;
    case DATUM_INT:
        json_int(w, scalar.i);
        return;
    case DATUM_UINT:
        json_uint(w, scalar.u);
        return;
    case DATUM_FLOAT:
        json_double(w, scalar.f);
        return;
    case DATUM_BOOL:
        json_bool(w, scalar.b);
        return;
    case DATUM_DATETIME:
        write_datetime(w, scalar.i);
        return;
    case DATUM_SPARSE:
        json_raw(w, scalar.s);
        return;
    case DATUM_UNKNOWN:
    case DATUM_F32:
    case DATUM_F16:
    case DATUM_I8:
    case DATUM_BASE_MAX_:
        break;
    }
    assert(!"not a scalar");
}

/* ---- values ---- */

static bool
read_array(struct datum_type type, const struct json *json, struct arena *arena, struct datum *ret,
           struct err *err)
{
    union scalar *items;
    size_t i = 0;

    if (json->type != JSON_ARRAY)
        return refuse(err, 400, "expected []%s, got %s", bases[type.base].name, json_kind(json));
    items = arena_new_n(arena, union scalar, json->count);
    for (const struct json *element = json->first; element; element = element->next, i++) {
        if (!datum_read_scalar(type.base, element, arena, &items[i], err))
            return err_wrap(err, "element %zu", i);
    }
    *ret = (struct datum){.count = (uint32_t)json->count, .items = items};
    return true;
}

bool
datum_read(struct datum_type type, const struct json *json, struct arena *arena, struct datum *ret,
           struct err *err)
{
    struct datum value = {0};

    assert(json->type != JSON_NULL);
    if (type.array)
        return read_array(type, json, arena, ret, err);
    if (datum_type_is_dense(type))
        return datum_read_dense(type, json, arena, ret, err);
    if (type.base == DATUM_SPARSE)
        return datum_read_sparse(json, arena, ret, err);
    if (!datum_read_scalar(type.base, json, arena, &value.scalar, err))
        return false;
    *ret = value;
    return true;
}

static int
array_compare(enum datum_base base, const struct datum *a, const struct datum *b)
{
    uint32_t common = a->count < b->count ? a->count : b->count;

    for (uint32_t i = 0; i < common; i++) {
        int order = datum_compare_scalar(base, a->items[i], b->items[i]);

        if (order)
            return order;
    }
    return (a->count > b->count) - (a->count < b->count);
}

int
datum_compare(struct datum_type type, const struct datum *a, const struct datum *b)
{
    if (!a || !b)
        return (a != NULL) - (b != NULL);
    if (type.array)
        return array_compare(type.base, a, b);
    return datum_compare_scalar(type.base, a->scalar, b->scalar);
}

size_t
datum_bytes(struct datum_type type, const struct datum *value)
{
    size_t total = 0;

    if (datum_type_is_dense(type))
        return value->count * datum_dense_width(type.base);
    if (!type.array)
        return scalar_bytes(type.base, value->scalar);
    for (uint32_t i = 0; i < value->count; i++)
        total += scalar_bytes(type.base, value->items[i]);
    return total;
}

size_t
datum_bytes_largest(struct datum_type type, const struct datum *value)
{
    size_t largest = 0;

    if (!type.array)
        return datum_bytes(type, value);
    for (uint32_t i = 0; i < value->count; i++) {
        size_t bytes = scalar_bytes(type.base, value->items[i]);

        largest = bytes > largest ? bytes : largest;
    }
    return largest;
}

void
datum_write(struct json_writer *w, struct datum_type type, const struct datum *value,
            enum vector_encoding encoding)
{
    if (datum_type_is_dense(type)) {
        datum_write_dense(w, type, value, encoding);
        return;
    }
    if (!type.array) {
        datum_write_scalar(w, type.base, value->scalar);
        return;
    }
    json_array_begin(w);
    for (uint32_t i = 0; i < value->count; i++)
        datum_write_scalar(w, type.base, value->items[i]);
    json_array_end(w);
}
