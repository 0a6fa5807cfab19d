/* destination: open and close through the type's table. */
#include "contract/destination.h"

bool
destination_open(const struct destination_type *type, const struct opt_value *values, size_t count,
                 struct arena *arena, struct destination **ret, struct err *err)
{
    CLEANUP(destination_closep) struct destination *dest = arena_alloc(arena, type->size);

    dest->type = type;
    dest->arena = arena;
    if (!opt_load(type->options, dest, values, count, arena, err) || !type->open(dest, err))
        return err_wrap(err, "destination %s", type->name);

    *ret = dest;
    dest = NULL;
    return true;
}

void
destination_close(struct destination *dest)
{
    if (dest)
        dest->type->close(dest);
}

void
destination_closep(struct destination **dest)
{
    destination_close(*dest);
    *dest = NULL;
}

bool
destination_lane_open(struct destination *dest, const struct mapping *mapping, uint64_t epoch,
                      struct arena *arena, struct destination_lane **ret, struct err *err)
{
    struct destination_lane *lane = arena_alloc(arena, dest->type->lane_size);

    lane->destination = dest;
    lane->mapping = mapping;
    lane->epoch = epoch;
    lane->arena = arena;
    if (!dest->type->lane_open(lane, err)) {
        dest->type->lane_close(lane);
        return err_wrap(err, "mapping %s", mapping->name);
    }
    *ret = lane;
    return true;
}

void
destination_lane_close(struct destination_lane *lane)
{
    if (lane)
        lane->destination->type->lane_close(lane);
}
