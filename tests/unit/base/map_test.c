/* map: against a plain array as the model, and at its edges. */
#include "base/map.h"

#include "base/random.h"
#include "harness/check.h"

static void
an_empty_map_has_nothing(void **state UNUSED)
{
    CLEANUP(map_free) struct map map = {0};
    struct map_entry entry;
    size_t at = 0;

    CHECK(!map_get(&map, SPAN("a")));
    CHECK(!map_remove(&map, SPAN("a")));
    CHECK(!map_next(&map, &at, &entry));
    map_clear(&map);
}

static void
puts_gets_and_removes(void **state UNUSED)
{
    CLEANUP(map_free) struct map map = {0};
    int one = 1, two = 2;

    CHECK(!map_put(&map, SPAN("a"), &one));
    CHECK(!map_put(&map, SPAN(""), &two)); /* the empty key is a key */
    CHECK(map_get(&map, SPAN("a")) == &one);
    CHECK(map_get(&map, SPAN("")) == &two);
    CHECK(map_put(&map, SPAN("a"), &two) == &one);
    CHECK_INT(map.count, 2);
    CHECK(map_remove(&map, SPAN("a")) == &two);
    CHECK(!map_get(&map, SPAN("a")));
    CHECK(!map_remove(&map, SPAN("a")));
    CHECK_INT(map.count, 1);
}

static void
keys_are_bytes(void **state UNUSED)
{
    CLEANUP(map_free) struct map map = {0};
    int values[3];

    map_put(&map, SPAN("a"), &values[0]);
    map_put(&map, SPAN("a\0"), &values[1]);
    map_put(&map, SPAN("a\0b"), &values[2]);
    CHECK(map_get(&map, SPAN("a")) == &values[0]);
    CHECK(map_get(&map, SPAN("a\0")) == &values[1]);
    CHECK(map_get(&map, SPAN("a\0b")) == &values[2]);
}

#define KEYS 500

struct model {
    char names[KEYS][8];
    bool present[KEYS];
    size_t count;
};

static struct span
name_of(const struct model *model, size_t i)
{
    return span_of(model->names[i]);
}

static void
check_against(const struct map *map, const struct model *model)
{
    struct map_entry entry;
    size_t walked = 0;

    CHECK_INT(map->count, model->count);
    for (size_t i = 0; i < KEYS; i++) {
        const void *got = map_get(map, name_of(model, i));

        if ((got != NULL) != model->present[i] || (got && got != model->names[i]))
            fail_msg("key %zu: present %d", i, model->present[i]);
    }
    for (size_t at = 0; map_next(map, &at, &entry);)
        walked++;
    CHECK_INT(walked, model->count);
}

/* Removal shifts entries back; only many mixed steps in a crowded table show whether rightly. */
static void
agrees_with_a_model(void **state UNUSED)
{
    CLEANUP(map_free) struct map map = {0};
    static struct model model;
    struct random random;

    random_seed(&random, 7);
    for (size_t i = 0; i < KEYS; i++)
        snprintf(model.names[i], sizeof(model.names[i]), "k%zu", i);

    for (int step = 0; step < 20000; step++) {
        size_t i = random_next(&random) % KEYS;
        bool put = random_next(&random) % 100 < (step / 5000 % 2 ? 30U : 70U);
        bool before = model.present[i];
        const void *got = put ? map_put(&map, name_of(&model, i), model.names[i])
                              : map_remove(&map, name_of(&model, i));

        CHECK_INT(got != NULL, before);
        model.present[i] = put;
        model.count += (size_t)put;
        model.count -= (size_t)before;
        if (step % 100 == 0)
            check_against(&map, &model);
    }
    check_against(&map, &model);
}

static void
clear_keeps_the_capacity(void **state UNUSED)
{
    CLEANUP(map_free) struct map map = {0};
    char names[100][8];
    size_t cap;

    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        int len = snprintf(names[i], sizeof(names[i]), "%zu", i);

        map_put(&map, (struct span){names[i], (size_t)len}, names[i]);
    }
    cap = map.cap;
    map_clear(&map);
    CHECK_INT(map.count, 0);
    CHECK_INT(map.cap, cap);
    CHECK(!map_get(&map, SPAN("7")));
    map_put(&map, SPAN("7"), names[0]);
    CHECK(map_get(&map, SPAN("7")) == names[0]);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_map_has_nothing), cmocka_unit_test(puts_gets_and_removes),
        cmocka_unit_test(keys_are_bytes),           cmocka_unit_test(agrees_with_a_model),
        cmocka_unit_test(clear_keeps_the_capacity),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
