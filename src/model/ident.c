/* ident: quoting of SQL names and literals. */
#include "model/ident.h"

#include <stdbool.h>

#include "base/attr.h"

/*
 * Every word that Postgres 13 to 18 does not take as a plain name everywhere
 * (pg_get_keywords(): all but unreserved), in order.
 */
static const char *const keywords[] = {
    "all",
    "analyse",
    "analyze",
    "and",
    "any",
    "array",
    "as",
    "asc",
    "asymmetric",
    "authorization",
    "between",
    "bigint",
    "binary",
    "bit",
    "boolean",
    "both",
    "case",
    "cast",
    "char",
    "character",
    "check",
    "coalesce",
    "collate",
    "collation",
    "column",
    "concurrently",
    "constraint",
    "create",
    "cross",
    "current_catalog",
    "current_date",
    "current_role",
    "current_schema",
    "current_time",
    "current_timestamp",
    "current_user",
    "dec",
    "decimal",
    "default",
    "deferrable",
    "desc",
    "distinct",
    "do",
    "else",
    "end",
    "except",
    "exists",
    "extract",
    "false",
    "fetch",
    "float",
    "for",
    "foreign",
    "freeze",
    "from",
    "full",
    "grant",
    "greatest",
    "group",
    "grouping",
    "having",
    "ilike",
    "in",
    "initially",
    "inner",
    "inout",
    "int",
    "integer",
    "intersect",
    "interval",
    "into",
    "is",
    "isnull",
    "join",
    "json",
    "json_array",
    "json_arrayagg",
    "json_exists",
    "json_object",
    "json_objectagg",
    "json_query",
    "json_scalar",
    "json_serialize",
    "json_table",
    "json_value",
    "lateral",
    "leading",
    "least",
    "left",
    "like",
    "limit",
    "localtime",
    "localtimestamp",
    "merge_action",
    "national",
    "natural",
    "nchar",
    "none",
    "normalize",
    "not",
    "notnull",
    "null",
    "nullif",
    "numeric",
    "offset",
    "on",
    "only",
    "or",
    "order",
    "out",
    "outer",
    "overlaps",
    "overlay",
    "placing",
    "position",
    "precision",
    "primary",
    "real",
    "references",
    "returning",
    "right",
    "row",
    "select",
    "session_user",
    "setof",
    "similar",
    "smallint",
    "some",
    "substring",
    "symmetric",
    "system_user",
    "table",
    "tablesample",
    "then",
    "time",
    "timestamp",
    "to",
    "trailing",
    "treat",
    "trim",
    "true",
    "union",
    "unique",
    "user",
    "using",
    "values",
    "varchar",
    "variadic",
    "verbose",
    "when",
    "where",
    "window",
    "with",
    "xmlattributes",
    "xmlconcat",
    "xmlelement",
    "xmlexists",
    "xmlforest",
    "xmlnamespaces",
    "xmlparse",
    "xmlpi",
    "xmlroot",
    "xmlserialize",
    "xmltable",
};

/* The text between two quotes, every quote inside doubled. */
static void
put_quoted(struct buf *out, struct span text, char quote)
{
    buf_putc(out, quote);
    while (text.len > 0) {
        const char *at = memchr(text.ptr, quote, text.len);
        size_t len = at ? (size_t)(at - text.ptr) + 1 : text.len;

        buf_put(out, (struct span){text.ptr, len});
        if (at)
            buf_putc(out, quote);
        text = span_skip(text, len);
    }
    buf_putc(out, quote);
}

void
ident_put(struct buf *out, struct span name)
{
    put_quoted(out, name, '"');
}

void
ident_put_qualified(struct buf *out, struct span schema, struct span name)
{
    ident_put(out, schema);
    buf_putc(out, '.');
    ident_put(out, name);
}

/* E'' has one meaning whatever standard_conforming_strings is; '' has not once there is a \. */
void
ident_put_literal(struct buf *out, struct span text)
{
    if (text.len == 0 || !memchr(text.ptr, '\\', text.len)) {
        put_quoted(out, text, '\'');
        return;
    }
    buf_put(out, SPAN("E'"));
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];

        if (c == '\'' || c == '\\')
            buf_putc(out, c);
        buf_putc(out, c);
    }
    buf_putc(out, '\'');
}

static bool
is_keyword(struct span name)
{
    for (size_t i = 0; i < ARRAY_LEN(keywords); i++) {
        if (span_eq(span_of(keywords[i]), name))
            return true;
    }
    return false;
}

static bool
starts_plain(char c)
{
    return (c >= 'a' && c <= 'z') || c == '_';
}

static bool
is_plain(struct span name)
{
    if (name.len == 0 || !starts_plain(name.ptr[0]))
        return false;
    for (size_t i = 1; i < name.len; i++) {
        char c = name.ptr[i];

        if (!starts_plain(c) && !(c >= '0' && c <= '9'))
            return false;
    }
    return !is_keyword(name);
}

void
ident_put_plain(struct buf *out, struct span name)
{
    if (is_plain(name))
        buf_put(out, name);
    else
        ident_put(out, name);
}
