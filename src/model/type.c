/* type: the types that every Postgres server knows by the same oid. */
#include "model/type.h"

#include <assert.h>
#include <stddef.h>

/* clang-format off */
const char *const type_kind_names[TYPE_KIND_MAX_ + 1] = {
    [TYPE_BOOL]        = "bool",
    [TYPE_INT2]        = "int2",
    [TYPE_INT4]        = "int4",
    [TYPE_INT8]        = "int8",
    [TYPE_OID]         = "oid",
    [TYPE_FLOAT4]      = "float4",
    [TYPE_FLOAT8]      = "float8",
    [TYPE_NUMERIC]     = "numeric",
    [TYPE_MONEY]       = "money",
    [TYPE_TEXT]        = "text",
    [TYPE_BYTEA]       = "bytea",
    [TYPE_UUID]        = "uuid",
    [TYPE_DATE]        = "date",
    [TYPE_TIME]        = "time",
    [TYPE_TIMETZ]      = "timetz",
    [TYPE_TIMESTAMP]   = "timestamp",
    [TYPE_TIMESTAMPTZ] = "timestamptz",
    [TYPE_INTERVAL]    = "interval",
    [TYPE_JSON]        = "json",
    [TYPE_XML]         = "xml",
    [TYPE_NETWORK]     = "network",
    [TYPE_BIT]         = "bit",
    [TYPE_ENUM]        = "enum",
    [TYPE_RANGE]       = "range",
    [TYPE_COMPOSITE]   = "composite",
    [TYPE_VECTOR]      = "vector",
    [TYPE_HALFVEC]     = "halfvec",
    [TYPE_OTHER]       = "other",
};

static const enum type_family families[] = {
    [TYPE_BOOL]        = FAMILY_BOOL,
    [TYPE_INT2]        = FAMILY_INTEGER,
    [TYPE_INT4]        = FAMILY_INTEGER,
    [TYPE_INT8]        = FAMILY_INTEGER,
    [TYPE_OID]         = FAMILY_INTEGER,
    [TYPE_FLOAT4]      = FAMILY_FLOAT,
    [TYPE_FLOAT8]      = FAMILY_FLOAT,
    [TYPE_NUMERIC]     = FAMILY_NUMERIC,
    [TYPE_MONEY]       = FAMILY_OTHER, /* its text is a locale's: "$1,000.00" */
    [TYPE_TEXT]        = FAMILY_TEXT,
    [TYPE_BYTEA]       = FAMILY_BINARY,
    [TYPE_UUID]        = FAMILY_UUID,
    [TYPE_DATE]        = FAMILY_DATE,
    [TYPE_TIME]        = FAMILY_OTHER,
    [TYPE_TIMETZ]      = FAMILY_OTHER,
    [TYPE_TIMESTAMP]   = FAMILY_TIMESTAMP,
    [TYPE_TIMESTAMPTZ] = FAMILY_TIMESTAMPTZ,
    [TYPE_INTERVAL]    = FAMILY_OTHER,
    [TYPE_JSON]        = FAMILY_JSON,
    [TYPE_XML]         = FAMILY_OTHER,
    [TYPE_NETWORK]     = FAMILY_OTHER,
    [TYPE_BIT]         = FAMILY_OTHER,
    [TYPE_ENUM]        = FAMILY_TEXT,
    [TYPE_RANGE]       = FAMILY_OTHER,
    [TYPE_COMPOSITE]   = FAMILY_OTHER,
    [TYPE_VECTOR]      = FAMILY_VECTOR,
    [TYPE_HALFVEC]     = FAMILY_HALFVEC,
    [TYPE_OTHER]       = FAMILY_OTHER,
};
/* clang-format on */

_Static_assert(ARRAY_LEN(families) == TYPE_KIND_MAX_, "one family per kind");

struct builtin {
    oid_t oid;
    oid_t array; /* 0: none */
    enum type_kind kind;
    const char *name;
    const char *array_name;
};

#define ROW(oid, array, kind, name)                                                                \
    {                                                                                              \
        oid, array, TYPE_##kind, name, name "[]"                                                   \
    }

/* Names as format_type() gives them without a modifier. */
/* clang-format off */
static const struct builtin builtins[] = {
    ROW(  16, 1000, BOOL,        "boolean"),
    ROW(  17, 1001, BYTEA,       "bytea"),
    ROW(  18, 1002, TEXT,        "\"char\""),
    ROW(  19, 1003, TEXT,        "name"),
    ROW(  20, 1016, INT8,        "bigint"),
    ROW(  21, 1005, INT2,        "smallint"),
    ROW(  22, 1006, OTHER,       "int2vector"), /* "1 2 3": not written like an array */
    ROW(  23, 1007, INT4,        "integer"),
    ROW(  24, 1008, OTHER,       "regproc"),
    ROW(  25, 1009, TEXT,        "text"),
    ROW(  26, 1028, OID,         "oid"),
    ROW(  27, 1010, OTHER,       "tid"),
    ROW(  28, 1011, OID,         "xid"),
    ROW(  29, 1012, OID,         "cid"),
    ROW(  30, 1013, OTHER,       "oidvector"),
    ROW( 114,  199, JSON,        "json"),
    ROW( 142,  143, XML,         "xml"),
    ROW( 600, 1017, OTHER,       "point"),
    ROW( 601, 1018, OTHER,       "lseg"),
    ROW( 602, 1019, OTHER,       "path"),
    ROW( 603, 1020, OTHER,       "box"),
    ROW( 604, 1027, OTHER,       "polygon"),
    ROW( 628,  629, OTHER,       "line"),
    ROW( 650,  651, NETWORK,     "cidr"),
    ROW( 700, 1021, FLOAT4,      "real"),
    ROW( 701, 1022, FLOAT8,      "double precision"),
    ROW( 718,  719, OTHER,       "circle"),
    ROW( 774,  775, NETWORK,     "macaddr8"),
    ROW( 790,  791, MONEY,       "money"),
    ROW( 829, 1040, NETWORK,     "macaddr"),
    ROW( 869, 1041, NETWORK,     "inet"),
    ROW(1033, 1034, OTHER,       "aclitem"),
    ROW(1042, 1014, TEXT,        "character"),
    ROW(1043, 1015, TEXT,        "character varying"),
    ROW(1082, 1182, DATE,        "date"),
    ROW(1083, 1183, TIME,        "time without time zone"),
    ROW(1114, 1115, TIMESTAMP,   "timestamp without time zone"),
    ROW(1184, 1185, TIMESTAMPTZ, "timestamp with time zone"),
    ROW(1186, 1187, INTERVAL,    "interval"),
    ROW(1266, 1270, TIMETZ,      "time with time zone"),
    ROW(1560, 1561, BIT,         "bit"),
    ROW(1562, 1563, BIT,         "bit varying"),
    ROW(1700, 1231, NUMERIC,     "numeric"),
    ROW(1790, 2201, TEXT,        "refcursor"),
    ROW(2202, 2207, OTHER,       "regprocedure"),
    ROW(2203, 2208, OTHER,       "regoper"),
    ROW(2204, 2209, OTHER,       "regoperator"),
    ROW(2205, 2210, OTHER,       "regclass"),
    ROW(2206, 2211, OTHER,       "regtype"),
    ROW(2249, 2287, COMPOSITE,   "record"),
    ROW(2950, 2951, UUID,        "uuid"),
    ROW(2970, 2949, OTHER,       "txid_snapshot"),
    ROW(3220, 3221, OTHER,       "pg_lsn"),
    ROW(3614, 3643, OTHER,       "tsvector"),
    ROW(3615, 3645, OTHER,       "tsquery"),
    ROW(3642, 3644, OTHER,       "gtsvector"),
    ROW(3734, 3735, OTHER,       "regconfig"),
    ROW(3769, 3770, OTHER,       "regdictionary"),
    ROW(3802, 3807, JSON,        "jsonb"),
    ROW(3904, 3905, RANGE,       "int4range"),
    ROW(3906, 3907, RANGE,       "numrange"),
    ROW(3908, 3909, RANGE,       "tsrange"),
    ROW(3910, 3911, RANGE,       "tstzrange"),
    ROW(3912, 3913, RANGE,       "daterange"),
    ROW(3926, 3927, RANGE,       "int8range"),
    ROW(4072, 4073, OTHER,       "jsonpath"),
    ROW(4089, 4090, OTHER,       "regnamespace"),
    ROW(4096, 4097, OTHER,       "regrole"),
    ROW(4191, 4192, OTHER,       "regcollation"),
    ROW(4451, 6150, RANGE,       "int4multirange"),
    ROW(4532, 6151, RANGE,       "nummultirange"),
    ROW(4533, 6152, RANGE,       "tsmultirange"),
    ROW(4534, 6153, RANGE,       "tstzmultirange"),
    ROW(4535, 6155, RANGE,       "datemultirange"),
    ROW(4536, 6157, RANGE,       "int8multirange"),
    ROW(5038, 5039, OTHER,       "pg_snapshot"),
    ROW(5069,  271, OTHER,       "xid8"), /* 64 bits, unsigned */
};

static const struct {
    struct span name;
    enum type_kind kind;
} extensions[] = {
    {SPAN_INIT("citext"),  TYPE_TEXT},
    {SPAN_INIT("vector"),  TYPE_VECTOR},
    {SPAN_INIT("halfvec"), TYPE_HALFVEC},
};
/* clang-format on */

#define BOX_OID 603 /* the one type whose array elements are parted by ';' */

bool
type_builtin(oid_t oid, struct type *ret)
{
    if (oid == 0)
        return false;
    for (size_t i = 0; i < ARRAY_LEN(builtins); i++) {
        const struct builtin *b = &builtins[i];
        bool array = oid == b->array;

        if (!array && oid != b->oid)
            continue;
        *ret = (struct type){
            .oid = oid,
            .typmod = -1,
            .kind = b->kind,
            .array = array,
            .delimiter = b->oid == BOX_OID ? ';' : ',',
            .name = array ? b->array_name : b->name,
        };
        return true;
    }
    return false;
}

enum type_kind
type_by_extension_name(struct span name)
{
    for (size_t i = 0; i < ARRAY_LEN(extensions); i++) {
        if (span_eq(extensions[i].name, name))
            return extensions[i].kind;
    }
    return TYPE_OTHER;
}

enum type_family
type_family(const struct type *type)
{
    assert(type->kind < TYPE_KIND_MAX_);
    return families[type->kind];
}

bool
type_same_family(const struct type *a, const struct type *b)
{
    enum type_family family = type_family(a);

    if (family != type_family(b) || a->array != b->array)
        return false;
    if (family == FAMILY_OTHER)
        return a->kind == b->kind;
    if (family == FAMILY_VECTOR || family == FAMILY_HALFVEC)
        return a->typmod == b->typmod;
    return true;
}
