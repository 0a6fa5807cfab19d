#ifndef DESTINATIONS_NULL_NULL_H
#define DESTINATIONS_NULL_NULL_H

/* null: counts what it is given and drops it.  For measuring, and for trying a flow out. */

#include "contract/destination.h"

struct null_lane {
    struct destination_lane base; /* first */
    uint64_t writes;
    uint64_t actions;
};

extern const struct destination_type null_destination;

#endif
