/* datum_vector: dense and sparse vectors, in and out. */
#include "local/datum_vector.h"

#include <assert.h>
#include <float.h>
#include <math.h>
#include <string.h>

#include "base/buf.h"
#include "local/limits.h"
#include "local/refuse.h"

const char *const vector_encoding_words[] = {"float", "base64", NULL};

size_t
datum_dense_width(enum datum_base base)
{
    assert(datum_type_is_dense((struct datum_type){.base = base}));
    return base == DATUM_F32 ? sizeof(float) : base == DATUM_F16 ? sizeof(uint16_t) : 1;
}

/* ---- reading ---- */

bool
datum_infer_vector(const struct json *json, struct datum_type *ret, struct err *err)
{
    size_t size = 0, count = json->count;

    if (json->type == JSON_STRING && base64_size(json->text, &size))
        count = size / sizeof(float);
    else if (json->type != JSON_ARRAY)
        return refuse(err, 400, "a vector is an array of numbers or base64");
    if (count == 0 || count > DIMENSIONS_MAX)
        return refuse(err, 400, "a vector has 1 to %d dimensions, this one %zu", DIMENSIONS_MAX,
                      count);
    *ret = (struct datum_type){.base = DATUM_F32, .dimensions = (uint32_t)count};
    return true;
}

static bool
read_float(const struct json *json, float *ret)
{
    double wide;

    if (!json_to_double(json, &wide) || fabs(wide) > (double)FLT_MAX)
        return false;
    *ret = (float)wide;
    return true;
}

static bool
read_float_list(const struct json *json, float *floats, struct err *err)
{
    size_t i = 0;

    for (const struct json *element = json->first; element; element = element->next, i++) {
        if (!read_float(element, &floats[i]))
            return refuse(err, 400, "dimension %zu is no 32-bit float", i);
    }
    return true;
}

/* The machine is little-endian, as the format is. */
static bool
read_float_bytes(struct span text, float *floats, uint32_t count, struct err *err)
{
    _Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "vectors are copied as they are");

    base64_decode(text, (unsigned char *)floats);
    for (uint32_t i = 0; i < count; i++) {
        if (!isfinite(floats[i]))
            return refuse(err, 400, "dimension %u is not finite", i);
    }
    return true;
}

bool
datum_read_floats(const struct json *json, uint32_t dimensions, struct arena *arena,
                  const float **ret, struct err *err)
{
    float *floats = arena_new_n(arena, float, dimensions);
    size_t count = json->count, size = 0;

    if (json->type != JSON_ARRAY && (json->type != JSON_STRING || !base64_size(json->text, &size)))
        return refuse(err, 400, "a vector is an array of numbers or base64");
    if (json->type == JSON_STRING)
        count = size % sizeof(float) == 0 ? size / sizeof(float) : 0;
    if (count != dimensions)
        return refuse(err, 400, "the vector has %zu dimensions, its column %u", count, dimensions);
    if (json->type == JSON_ARRAY ? !read_float_list(json, floats, err)
                                 : !read_float_bytes(json->text, floats, dimensions, err))
        return false;
    *ret = floats;
    return true;
}

/* What the column can hold of it; false when it is out of range. */
static bool
fit(enum datum_base base, float *f)
{
    uint16_t half;

    if (base == DATUM_F32)
        return true;
    if (base == DATUM_I8)
        return *f >= -128.0F && *f <= 127.0F && rintf(*f) >= *f && rintf(*f) <= *f;
    if (!half_from_float(*f, &half))
        return false;
    *f = half_to_float(half);
    return true;
}

bool
datum_read_dense(struct datum_type type, const struct json *json, struct arena *arena,
                 struct datum *ret, struct err *err)
{
    char text[DATUM_TYPE_TEXT_SIZE];
    const float *floats;
    float *fitted;

    if (!datum_read_floats(json, type.dimensions, arena, &floats, err))
        return false;
    fitted = arena_new_n(arena, float, type.dimensions);
    for (uint32_t i = 0; i < type.dimensions; i++) {
        fitted[i] = floats[i];
        if (!fit(type.base, &fitted[i]))
            return refuse(err, 400, "dimension %u, %g, is out of the range of %s", i,
                          (double)floats[i], datum_type_text(type, text));
    }
    *ret = (struct datum){.count = type.dimensions, .floats = fitted};
    return true;
}

bool
datum_read_sparse(const struct json *json, struct arena *arena, struct datum *ret, struct err *err)
{
    CLEANUP(buf_free) struct buf text = buf_make(MEGABYTES(1));
    struct json_writer w = {.out = &text};

    if (json->type != JSON_OBJECT)
        return refuse(err, 400, "a sparse vector is an object of numbers");
    if (json->count > SPARSE_ENTRIES_MAX)
        return refuse(err, 400, "a sparse vector has at most %d entries", SPARSE_ENTRIES_MAX);
    for (const struct json *entry = json->first; entry; entry = entry->next) {
        float f;
        uint16_t half;

        if (!read_float(entry, &f) || !half_from_float(f, &half))
            return refuse(err, 400, "entry \"%.*s\" is no 16-bit float", SPAN_ARG(entry->key));
    }
    json_value(&w, json);
    if (!buf_ok(&text, err))
        return refuse(err, 400, "the sparse vector is too large");
    *ret = (struct datum){.scalar.s = arena_span(arena, buf_span(&text))};
    return true;
}

/* ---- writing ---- */

static void
write_base64(struct json_writer *w, enum datum_base base, const struct datum *value)
{
    CLEANUP(buf_free) struct buf bytes = buf_make(MEGABYTES(1));
    CLEANUP(buf_free) struct buf text = buf_make(MEGABYTES(2));

    for (uint32_t i = 0; i < value->count; i++) {
        uint16_t half = 0;
        int8_t byte = base == DATUM_I8 ? (int8_t)value->floats[i] : 0;
        bool fits = base != DATUM_F16 || half_from_float(value->floats[i], &half);

        assert(fits);
        if (base == DATUM_F32)
            buf_put(&bytes, (struct span){(const char *)&value->floats[i], sizeof(float)});
        else if (base == DATUM_F16)
            buf_put(&bytes, (struct span){(const char *)&half, sizeof(half)});
        else
            buf_put(&bytes, (struct span){(const char *)&byte, 1});
    }
    base64_put(&text, buf_span(&bytes));
    json_string(w, buf_span(&text));
}

void
datum_write_dense(struct json_writer *w, struct datum_type type, const struct datum *value,
                  enum vector_encoding encoding)
{
    assert(datum_type_is_dense(type));
    if (encoding == VECTOR_ENCODING_BASE64) {
        write_base64(w, type.base, value);
        return;
    }
    json_array_begin(w);
    for (uint32_t i = 0; i < value->count; i++)
        json_float(w, value->floats[i]);
    json_array_end(w);
}
