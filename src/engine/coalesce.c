/* coalesce: of several actions on one id only the newest is sent (SEMANTICS 17). */
#include <assert.h>
#include <stdint.h>

#include "base/hash.h"
#include "engine/mapper.h"

/*
 * Which ids have been met, walking backwards: a slot holds the index + 1 of the action kept for
 * its id.  Kept actions are gathered at the end of the array while the walk goes on.
 */
struct seen {
    uint32_t *slots;
    size_t mask;
};

static struct seen
seen_make(size_t count, struct arena *arena)
{
    size_t cap = 16;

    while (cap < count * 2)
        cap *= 2;
    return (struct seen){.slots = arena_new_n(arena, uint32_t, cap), .mask = cap - 1};
}

/* The slot of this id, or a free one; what was kept behind `border` is out of reach. */
static uint32_t *
seen_slot(const struct seen *seen, const struct action *actions, struct span id, size_t border)
{
    size_t at = hash_bytes(id) & seen->mask;

    for (;; at = (at + 1) & seen->mask) {
        uint32_t *slot = &seen->slots[at];

        if (*slot == 0)
            return slot;
        if (*slot <= border && span_eq(actions[*slot - 1].id.text, id))
            return slot;
    }
}

size_t
mapper_coalesce(struct action *actions, size_t count, struct arena *arena)
{
    size_t kept = count, border = count;
    struct seen seen;

    assert(count < UINT32_MAX);
    if (count < 2)
        return count;
    seen = seen_make(count, arena);
    for (size_t i = count; i-- > 0;) {
        uint32_t *slot;

        assert(kept > i && border >= kept);
        if (actions[i].kind == ACTION_TRUNCATE || actions[i].kind == ACTION_ERROR) {
            bool truncate = actions[i].kind == ACTION_TRUNCATE;

            actions[--kept] = actions[i];
            border = truncate ? kept : border;
            continue;
        }
        slot = seen_slot(&seen, actions, actions[i].id.text, border);
        if (*slot == 0) {
            actions[--kept] = actions[i];
            *slot = (uint32_t)kept + 1;
        } else if (position_compare(actions[i].position, actions[*slot - 1].position) > 0) {
            actions[*slot - 1] = actions[i]; /* a snapshot's row came after a newer one */
        }
    }
    memmove(actions, actions + kept, (count - kept) * sizeof(*actions));
    return count - kept;
}
