/* turbopuffer_types: the table of conversions, and the names of turbopuffer's types. */
#include "destinations/turbopuffer/turbopuffer_types.h"

#include <assert.h>

#include "base/number.h"
#include "destinations/turbopuffer/turbopuffer_values.h"

/* ---- the names of types ---- */

/* clang-format off */
static const struct form_name {
    const char *name;
    bool array;  /* []name exists */
    bool vector; /* [N]name */
} form_names[] = {
    [TURBOPUFFER_STRING]   = {"string",   true,  false},
    [TURBOPUFFER_INT]      = {"int",      true,  false},
    [TURBOPUFFER_UINT]     = {"uint",     true,  false},
    [TURBOPUFFER_FLOAT]    = {"float",    true,  false},
    [TURBOPUFFER_BOOL]     = {"bool",     true,  false},
    [TURBOPUFFER_UUID]     = {"uuid",     true,  false},
    [TURBOPUFFER_DATETIME] = {"datetime", true,  false},
    [TURBOPUFFER_BYTES]    = {"bytes",    false, false},
    [TURBOPUFFER_SPARSE]   = {"{}f16",    false, false},
    [TURBOPUFFER_F32]      = {"f32",      false, true},
    [TURBOPUFFER_F16]      = {"f16",      false, true},
    [TURBOPUFFER_I8]       = {"i8",       false, true},
};
/* clang-format on */

_Static_assert(ARRAY_LEN(form_names) == TURBOPUFFER_FORM_MAX_, "one name per form");

static bool
find_form(struct span name, bool vector, enum turbopuffer_form *ret)
{
    for (size_t i = 0; i < ARRAY_LEN(form_names); i++) {
        if (form_names[i].vector == vector && span_eq(name, span_of(form_names[i].name))) {
            *ret = (enum turbopuffer_form)i;
            return true;
        }
    }
    return false;
}

bool
turbopuffer_type_parse(struct span text, struct turbopuffer_type *ret)
{
    struct turbopuffer_type type = {0};
    const char *close = text.len > 1 && text.ptr[0] == '[' ? memchr(text.ptr, ']', text.len) : NULL;
    size_t inside = close ? (size_t)(close - text.ptr) - 1 : 0;
    struct span rest = close ? span_skip(text, inside + 2) : text;
    uint64_t dimensions = 0;

    if (inside > 0 && (!span_to_uint((struct span){text.ptr + 1, inside}, &dimensions) ||
                       dimensions < 1 || dimensions > TURBOPUFFER_DIMENSIONS_MAX))
        return false;
    if (!find_form(rest, inside > 0, &type.form))
        return false;
    type.array = close && inside == 0;
    type.dimensions = (uint32_t)dimensions;
    if (type.array && !form_names[type.form].array)
        return false;
    *ret = type;
    return true;
}

bool
turbopuffer_type_is_vector(const struct turbopuffer_type *type)
{
    return form_names[type->form].vector;
}

void
turbopuffer_type_put(const struct turbopuffer_type *type, struct buf *out)
{
    if (turbopuffer_type_is_vector(type) && type->dimensions)
        buf_putf(out, "[%u]", type->dimensions);
    else if (turbopuffer_type_is_vector(type))
        buf_put(out, SPAN("[N]"));
    else if (type->array)
        buf_put(out, SPAN("[]"));
    buf_put(out, span_of(form_names[type->form].name));
}

/* ---- what a Postgres type becomes ---- */

/* Requirements 2.6; whatever is not named is a string of its Postgres text. */
/* clang-format off */
static const enum turbopuffer_form defaults[TYPE_KIND_MAX_] = {
    [TYPE_BOOL]        = TURBOPUFFER_BOOL,
    [TYPE_INT2]        = TURBOPUFFER_INT,
    [TYPE_INT4]        = TURBOPUFFER_INT,
    [TYPE_INT8]        = TURBOPUFFER_INT,
    [TYPE_OID]         = TURBOPUFFER_UINT,
    [TYPE_FLOAT4]      = TURBOPUFFER_FLOAT,
    [TYPE_FLOAT8]      = TURBOPUFFER_FLOAT,
    [TYPE_UUID]        = TURBOPUFFER_UUID,
    [TYPE_DATE]        = TURBOPUFFER_DATETIME,
    [TYPE_TIMESTAMP]   = TURBOPUFFER_DATETIME,
    [TYPE_TIMESTAMPTZ] = TURBOPUFFER_DATETIME,
    [TYPE_VECTOR]      = TURBOPUFFER_F32,
    [TYPE_HALFVEC]     = TURBOPUFFER_F16,
};
/* clang-format on */

_Static_assert(TURBOPUFFER_STRING == 0, "what `defaults` leaves out is a string");

struct turbopuffer_type
turbopuffer_type_default(const struct type *source, bool exact)
{
    struct turbopuffer_type type = {.form = defaults[source->kind], .array = source->array};
    struct turbopuffer_cell cell;

    assert(source->kind < TYPE_KIND_MAX_);
    if (turbopuffer_type_is_vector(&type) && source->array)
        return (struct turbopuffer_type){.form = TURBOPUFFER_STRING};
    if (turbopuffer_type_is_vector(&type))
        type.dimensions = source->typmod > 0 ? (uint32_t)source->typmod : 0;
    if (!exact || turbopuffer_type_is_vector(&type))
        return type;
    if (!turbopuffer_cell_make(source, &type, 0, &cell) || turbopuffer_cell_loss(&cell) ||
        turbopuffer_cell_unfit(&cell))
        return (struct turbopuffer_type){.form = TURBOPUFFER_STRING};
    return type;
}

/* ---- conversions ---- */

#define KIND(name) (1u << TYPE_##name)
#define INTEGERS   (KIND(INT2) | KIND(INT4) | KIND(INT8))
#define FLOATS     (KIND(FLOAT4) | KIND(FLOAT8))
#define TIMES      (KIND(DATE) | KIND(TIMESTAMP) | KIND(TIMESTAMPTZ))
#define ANY        (~(0u))

_Static_assert(TYPE_KIND_MAX_ <= 32, "a set of kinds is 32 bits");

struct conversion {
    enum turbopuffer_form to;
    unsigned from; /* set of kinds */
    turbopuffer_put put;
    const char *loss;  /* what is cut off */
    const char *unfit; /* what has no form */
};

#define NOT_FINITE "NaN and infinity have no form in JSON"
#define NO_CALENDAR                                                                                \
    "infinity, years before 1 and years after 9999 have no form as datetime (ISO 8601)"

/* The first row that matches holds. */
/* clang-format off */
static const struct conversion conversions[] = {
    {TURBOPUFFER_STRING,   KIND(BOOL),                 turbopuffer_put_bool_word, NULL, NULL},
    {TURBOPUFFER_STRING,   KIND(BYTEA),                turbopuffer_put_base64,    NULL, NULL},
    {TURBOPUFFER_STRING,   KIND(COMPOSITE),            turbopuffer_put_json_text, NULL, NULL},
    {TURBOPUFFER_STRING,   TIMES,                      turbopuffer_put_time_text, NULL, NULL},
    {TURBOPUFFER_STRING,   ANY,                        turbopuffer_put_string,    NULL, NULL},
    {TURBOPUFFER_INT,      INTEGERS | KIND(OID),       turbopuffer_put_raw,       NULL, NULL},
    {TURBOPUFFER_INT,      KIND(NUMERIC),              turbopuffer_put_numeric_int, NULL,
     "only whole numbers that 64 bits hold have a form as int"},
    {TURBOPUFFER_INT,      TIMES,                      turbopuffer_put_micros,    NULL,
     "infinity has no form as microseconds since 1970"},
    {TURBOPUFFER_UINT,     KIND(OID),                  turbopuffer_put_raw,       NULL, NULL},
    {TURBOPUFFER_UINT,     INTEGERS | KIND(NUMERIC),   turbopuffer_put_numeric_uint, NULL,
     "only whole numbers from 0 to 2^64-1 have a form as uint"},
    {TURBOPUFFER_FLOAT,    KIND(INT2) | KIND(INT4) | KIND(OID), turbopuffer_put_raw, NULL, NULL},
    {TURBOPUFFER_FLOAT,    KIND(INT8),                 turbopuffer_put_raw,
     "integers beyond 2^53 are rounded", NULL},
    {TURBOPUFFER_FLOAT,    FLOATS,                     turbopuffer_put_float,     NULL, NOT_FINITE},
    {TURBOPUFFER_FLOAT,    KIND(NUMERIC),              turbopuffer_put_float,
     "about 16 significant digits are kept", "NaN, infinity and values beyond 1.8e308 have no form as float"},
    {TURBOPUFFER_BOOL,     KIND(BOOL),                 turbopuffer_put_bool,      NULL, NULL},
    {TURBOPUFFER_UUID,     KIND(UUID),                 turbopuffer_put_quoted,    NULL, NULL},
    {TURBOPUFFER_UUID,     KIND(TEXT),                 turbopuffer_put_text_uuid, NULL,
     "text that is no uuid has no form as uuid"},
    {TURBOPUFFER_DATETIME, KIND(DATE),                 turbopuffer_put_date,      NULL, NO_CALENDAR},
    {TURBOPUFFER_DATETIME, KIND(TIMESTAMP) | KIND(TIMESTAMPTZ), turbopuffer_put_datetime,
     "milliseconds are kept, microseconds are cut off", NO_CALENDAR},
    {TURBOPUFFER_BYTES,    KIND(BYTEA),                turbopuffer_put_base64,    NULL, NULL},
    {TURBOPUFFER_SPARSE,   KIND(JSON),                 turbopuffer_put_sparse,
     "weights are rounded to 16 bits", "only an object of at most 1024 numbers has a form as {}f16"},
    {TURBOPUFFER_F32,      KIND(VECTOR) | KIND(HALFVEC), turbopuffer_put_vector,  NULL, NULL},
    {TURBOPUFFER_F16,      KIND(HALFVEC),              turbopuffer_put_vector,    NULL, NULL},
    {TURBOPUFFER_F16,      KIND(VECTOR),               turbopuffer_put_vector,
     "elements are rounded to 16 bits", NULL},
    {TURBOPUFFER_I8,       KIND(VECTOR),               turbopuffer_put_vector,
     "elements have to be whole numbers from -128 to 127", NULL},
};

/* A Postgres array that becomes a vector. */
static const struct conversion array_vectors[] = {
    {TURBOPUFFER_F32, KIND(FLOAT4) | KIND(INT2),                   turbopuffer_put_array_vector, NULL, NULL},
    {TURBOPUFFER_F32, KIND(FLOAT8) | KIND(NUMERIC) | KIND(INT4),   turbopuffer_put_array_vector,
     "elements are rounded to 32 bits", NULL},
    {TURBOPUFFER_F16, FLOATS | KIND(NUMERIC) | KIND(INT2) | KIND(INT4), turbopuffer_put_array_vector,
     "elements are rounded to 16 bits", NULL},
    {TURBOPUFFER_I8,  KIND(INT2) | KIND(INT4),                     turbopuffer_put_array_vector,
     "elements have to be whole numbers from -128 to 127", NULL},
};
/* clang-format on */

static const struct conversion *
find(const struct conversion *table, size_t count, enum type_kind from, enum turbopuffer_form to)
{
    for (size_t i = 0; i < count; i++)
        if (table[i].to == to && (table[i].from >> from & 1))
            return &table[i];
    return NULL;
}

/* The conversion of a value, or of one element of an array that stays an array. */
static const struct conversion *
conversion_of(const struct type *source, const struct turbopuffer_type *target)
{
    if (source->array && turbopuffer_type_is_vector(target))
        return find(array_vectors, ARRAY_LEN(array_vectors), source->kind, target->form);
    if (target->array && !source->array)
        return NULL;
    if (source->array && !target->array && target->form != TURBOPUFFER_STRING)
        return NULL;
    return find(conversions, ARRAY_LEN(conversions), source->kind, target->form);
}

bool
turbopuffer_cell_make(const struct type *source, const struct turbopuffer_type *target,
                      size_t max_bytes, struct turbopuffer_cell *ret)
{
    const struct conversion *row = conversion_of(source, target);

    if (!row)
        return false;
    *ret = (struct turbopuffer_cell){
        .put = row->put,
        .put_element = row->put,
        .source = *source,
        .target = *target,
        .max_bytes = max_bytes,
    };
    if (source->array && target->array)
        ret->put = turbopuffer_put_array;
    else if (source->array && target->form == TURBOPUFFER_STRING)
        ret->put = turbopuffer_put_json_text;
    return true;
}

/* timestamp(3) and less lose nothing: the modifier is the number of digits (manual, 8.5). */
static bool
keeps_all_digits(const struct turbopuffer_cell *cell)
{
    return cell->target.form == TURBOPUFFER_DATETIME && cell->source.typmod >= 0 &&
           cell->source.typmod <= 3;
}

const char *
turbopuffer_cell_loss(const struct turbopuffer_cell *cell)
{
    const struct conversion *row = conversion_of(&cell->source, &cell->target);

    assert(row);
    if (cell->put == turbopuffer_put_json_text || keeps_all_digits(cell))
        return NULL;
    return row->loss;
}

const char *
turbopuffer_cell_unfit(const struct turbopuffer_cell *cell)
{
    const struct conversion *row = conversion_of(&cell->source, &cell->target);

    assert(row);
    if (cell->put == turbopuffer_put_json_text)
        return NULL;
    if (cell->put != turbopuffer_put_array)
        return row->unfit;
    return row->unfit ? "arrays with nulls inside, with several dimensions, or with elements that "
                        "have no form in the target's type have none either"
                      : "arrays with nulls inside or with several dimensions have no form here";
}

void
turbopuffer_cell_choices(const struct type *source, struct buf *out)
{
    bool any = false;

    for (size_t i = 0; i < TURBOPUFFER_FORM_MAX_ * 2u; i++) {
        struct turbopuffer_type target = {.form = (enum turbopuffer_form)(i / 2), .array = i % 2};

        if ((target.array && !form_names[target.form].array) || !conversion_of(source, &target))
            continue;
        if (any)
            buf_put(out, SPAN(", "));
        turbopuffer_type_put(&target, out);
        any = true;
    }
}
