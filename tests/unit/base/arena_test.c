/* arena: memory comes zeroed, aligned, and goes by mark. */
#include "base/arena.h"

#include "harness/check.h"

static void
rewinds_to_a_mark(void **state UNUSED)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new("test");
    struct arena_mark mark;

    arena_strdup(arena, "kept");
    mark = arena_mark(arena);
    for (int i = 0; i < 1000; i++)
        arena_alloc(arena, 1000);
    CHECK(arena_used(arena) > 1000 * 1000);
    arena_rewind(arena, mark);
    CHECK_INT(arena_used(arena), 16);
}

static void
makes_a_c_string_of_a_span(void **state UNUSED)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new("test");

    CHECK_STR(arena_text(arena, (struct span){"abcdef", 3}), "abc");
    CHECK_STR(arena_text(arena, (struct span){0}), "");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rewinds_to_a_mark),
        cmocka_unit_test(makes_a_c_string_of_a_span),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
