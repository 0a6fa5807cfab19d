#ifndef LOCAL_FILTER_H
#define LOCAL_FILTER_H

/*
 * Filters and conditions.
 *
 *     F := ["And",[F...]] | ["Or",[F...]] | ["Not",F] | [attribute, operator, operand, options?]
 *
 * Logic is two-valued and null is below everything: ["v","Lt",3] is true where v is missing,
 * ["v","NotEq",3] too, ["v","Gt",3] is not.  {"$ref_new": "v"} stands for the incoming row's
 * value where a condition is read; for deletes there is no incoming row and it is null.
 *
 * Refusals: 422 for a wrong shape, an unknown operator, a mixed list or null in In and NotIn;
 * 400 for an unknown or unfilterable attribute and for operands of another type.
 */

#include <stdbool.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/json.h"
#include "local/doc.h"
#include "local/ns_schema.h"

struct filter;

enum filter_use {
    FILTER_QUERY,     /* $ref_new is refused */
    FILTER_CONDITION, /* $ref_new is the incoming row's */
};

/*
 * The filter lives in the arena and keeps a pointer to the schema; filter_done() gives compiled
 * expressions back.
 */
MUST_CHECK bool filter_read(const struct ns_schema *schema, const struct json *json,
                            enum filter_use use, struct arena *arena, struct filter **ret,
                            struct err *err);
void filter_done(struct filter *filter); /* NULL is fine */
void filter_donep(struct filter **filter);

/* A NULL filter is true.  `incoming` may be NULL. */
bool filter_match(const struct filter *filter, const struct row *row, const struct row *incoming);

#endif
