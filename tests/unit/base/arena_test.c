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

static bool
all_zero(const char *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        if (bytes[i])
            return false;
    }
    return true;
}

static void
memory_is_zeroed_and_aligned_even_when_reused(void **state UNUSED)
{
    static const size_t sizes[] = {1, 15, 16, 17, 1000, 8 * 1024, 300 * 1024, 3};
    CLEANUP(arena_freep) struct arena *arena = arena_new("test");

    for (int round = 0; round < 3; round++) {
        for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
            char *bytes = arena_alloc(arena, sizes[i]);

            CHECK_INT((uintptr_t)bytes % _Alignof(max_align_t), 0);
            CHECK(all_zero(bytes, sizes[i]));
            memset(bytes, 0xFF, sizes[i]);
        }
        arena_reset(arena);
        CHECK_INT(arena_used(arena), 0);
    }
}

static void
nothing_overlaps(void **state UNUSED)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new("test");
    int *numbers[5000];

    for (int i = 0; i < 5000; i++) {
        numbers[i] = arena_new_n(arena, int, (size_t)(1 + i % 50));
        *numbers[i] = i;
    }
    for (int i = 0; i < 5000; i++)
        CHECK_INT(*numbers[i], i);
}

static void
a_reset_keeps_one_chunk(void **state UNUSED)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new("test");
    size_t held;

    CHECK_INT(arena_held(arena), 0);
    for (int i = 0; i < 1000; i++)
        arena_alloc(arena, 1000);
    CHECK(arena_held(arena) >= arena_used(arena));
    arena_reset(arena);
    held = arena_held(arena);
    CHECK_INT(held, 256 * 1024);

    for (int i = 0; i < 200; i++) /* what fits into it asks malloc for nothing */
        arena_alloc(arena, 1000);
    CHECK_INT(arena_held(arena), held);
    arena_reset(arena);
    CHECK_INT(arena_held(arena), held);
}

static void
a_huge_chunk_is_not_kept(void **state UNUSED)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new("test");

    arena_alloc(arena, 10);
    arena_alloc(arena, 50 * 1024 * 1024);
    CHECK(arena_held(arena) > 50 * 1024 * 1024);
    arena_reset(arena);
    CHECK_INT(arena_held(arena), 8 * 1024);
}

static void
a_mark_within_a_chunk_keeps_what_stands_before(void **state UNUSED)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new("test");
    const char *kept = arena_strdup(arena, "kept");
    struct arena_mark mark = arena_mark(arena);
    size_t used = arena_used(arena);

    for (int i = 0; i < 10; i++) {
        arena_strdup(arena, "scratch");
        arena_alloc(arena, (size_t)i * 9000);
        arena_rewind(arena, mark);
        CHECK_INT(arena_used(arena), used);
        CHECK_STR(kept, "kept");
    }
}

static void
a_mark_of_an_empty_arena_empties_it(void **state UNUSED)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new("test");
    struct arena_mark mark = arena_mark(arena);

    arena_alloc(arena, 100);
    arena_rewind(arena, mark);
    CHECK_INT(arena_used(arena), 0);
    arena_rewind(arena, mark);
}

static void
copies_bytes(void **state UNUSED)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new("test");
    char text[] = "text";
    struct span copy = arena_span(arena, span_of(text));

    text[0] = 'n';
    CHECK_SPAN(copy, "text");
    CHECK_SPAN(arena_span(arena, (struct span){0}), "");
}

static void
freeing_nothing_is_fine(void **state UNUSED)
{
    struct arena *none = NULL;

    arena_free(none);
    arena_freep(&none);
    CHECK(!none);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rewinds_to_a_mark),
        cmocka_unit_test(makes_a_c_string_of_a_span),
        cmocka_unit_test(memory_is_zeroed_and_aligned_even_when_reused),
        cmocka_unit_test(nothing_overlaps),
        cmocka_unit_test(a_reset_keeps_one_chunk),
        cmocka_unit_test(a_huge_chunk_is_not_kept),
        cmocka_unit_test(a_mark_within_a_chunk_keeps_what_stands_before),
        cmocka_unit_test(a_mark_of_an_empty_arena_empties_it),
        cmocka_unit_test(copies_bytes),
        cmocka_unit_test(freeing_nothing_is_fine),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
