#ifndef DESTINATIONS_TURBOPUFFER_TURBOPUFFER_H
#define DESTINATIONS_TURBOPUFFER_TURBOPUFFER_H

/*
 * turbopuffer: one target is one namespace, one write one or a few POST /v2/namespaces/:ns.
 *
 * Every request is complete: schema, conditions, version.  Requests of one lane never overlap.
 * See turbopuffer_types.h (values), turbopuffer_schema.h (attributes), turbopuffer_plan.h (what is
 * compiled), turbopuffer_render.h (bodies), turbopuffer_answer.h (what answers mean).
 */

#include "contract/destination.h"

extern const struct destination_type turbopuffer_destination;

#endif
