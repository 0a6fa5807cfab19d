/* null: counts and drops. */
#include "destinations/null/null.h"

static const struct opt options[] = {{0}};

static bool
null_open(struct destination *dest UNUSED, struct err *err UNUSED)
{
    return true;
}

static void
null_close(struct destination *dest UNUSED)
{
}

static bool
null_lane_open(struct destination_lane *lane UNUSED, struct err *err UNUSED)
{
    return true;
}

static void
null_lane_close(struct destination_lane *lane UNUSED)
{
}

static bool
null_render(const struct destination_lane *lane UNUSED,
            const struct destination_write *write UNUSED, struct buf *out UNUSED,
            struct err *err UNUSED)
{
    return true;
}

static bool
null_write(struct destination_lane *base, const struct destination_write *write,
           struct destination_result *result UNUSED, struct err *err UNUSED)
{
    struct null_lane *lane = (struct null_lane *)base;

    lane->writes++;
    lane->actions += write->count;
    return true;
}

const struct destination_type null_destination = {
    .name = "null",
    .summary = "counts rows and drops them",
    .caps = 0,
    .size = sizeof(struct destination),
    .lane_size = sizeof(struct null_lane),
    .options = options,
    .open = null_open,
    .close = null_close,
    .lane_open = null_lane_open,
    .lane_close = null_lane_close,
    .render = null_render,
    .write = null_write,
};
