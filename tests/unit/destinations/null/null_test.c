/* null: counts and drops. */
#include "destinations/null/null.h"

#include "harness/check.h"
#include "harness/target.h"

static void
counts_and_drops(void **state UNUSED)
{
    static const struct target_column columns[] = {{.name = "id", .kind = TYPE_INT8}};
    CLEANUP(arena_freep) struct arena *arena = arena_new("test");
    CLEANUP(destination_closep) struct destination *destination = NULL;
    struct mapping *mapping = target_mapping(arena, columns, 1);
    const struct action actions[] = {
        target_upsert(arena, mapping, ((struct position){1, 1}), "1"),
        target_delete(arena, mapping, ((struct position){1, 2}), "2"),
    };
    const struct destination_write write = {.actions = actions, .count = 2, .cancel_fd = -1};
    struct destination_result result = {0};
    struct destination_lane *lane = NULL;
    struct err err;

    CHECK_OK(destination_open(&null_destination, NULL, 0, arena, &destination, &err), err);
    CHECK_OK(destination_lane_open(destination, mapping, 0, arena, &lane, &err), err);
    for (int i = 0; i < 3; i++)
        CHECK_OK(null_destination.write(lane, &write, &result, &err), err);
    CHECK_INT(((struct null_lane *)lane)->writes, 3);
    CHECK_INT(((struct null_lane *)lane)->actions, 6);
    CHECK_INT(result.requests, 0);
    destination_lane_close(lane);
}

static void
promises_nothing(void **state UNUSED)
{
    CLEANUP(buf_free) struct buf out = buf_make(10);
    const struct destination_write write = {0};
    struct err err;

    CHECK_INT(null_destination.caps, 0);
    CHECK(!null_destination.check);
    CHECK_OK(null_destination.render(NULL, &write, &out, &err), err);
    CHECK_INT(out.len, 0);
}

static void
has_no_settings(void **state UNUSED)
{
    static const struct opt_value values[] = {{.name = SPAN_INIT("url"), .value = SPAN_INIT("x")}};
    CLEANUP(arena_freep) struct arena *arena = arena_new("test");
    struct destination *destination = NULL;
    struct err err;

    CHECK_FAILS(destination_open(&null_destination, values, 1, arena, &destination, &err), err,
                ERR_CONFIG, "destination null: unknown option url");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counts_and_drops),
        cmocka_unit_test(promises_nothing),
        cmocka_unit_test(has_no_settings),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
