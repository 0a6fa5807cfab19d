/* keys: the table of a migration's keys is complete in both layouts. */
#include "project/keys.h"

#include "harness/check.h"
#include "harness/findings.h"
#include "project/later.h"

static void
every_field_has_a_path_in_both_layouts(void **state UNUSED)
{
    for (int field = 0; field < KEY_FIELD_MAX_; field++) {
        unsigned layouts = 0;
        int helps = 0;

        for (const struct key *key = migration_keys; key->path; key++) {
            if ((int)key->field != field)
                continue;
            layouts |= key->layouts;
            helps += key->help != NULL;
        }
        if (layouts != (LAYOUT_NESTED | LAYOUT_FLAT) || helps != 1)
            fail_msg("field %d: layouts %u, helps %d", field, layouts, helps);
    }
}

static void
no_path_stands_twice_in_a_layout(void **state UNUSED)
{
    for (const struct key *a = migration_keys; a->path; a++) {
        CHECK(a->types != 0 && *a->written);
        for (const struct key *b = a + 1; b->path; b++)
            if (strcmp(a->path, b->path) == 0 && (a->layouts & b->layouts))
                fail_msg("%s stands twice", a->path);
    }
}

static void
later_features_are_no_keys_of_today(void **state UNUSED)
{
    for (const struct later *row = migration_later; row->key; row++)
        for (const struct key *key = migration_keys; key->path; key++)
            if (strcmp(row->key, key->path) == 0)
                fail_msg("%s is both", row->key);
}

static void
later_words_belong_to_their_key(void **state UNUSED)
{
    static const struct later table[] = {{"key", "the key"}, {"mode=column", "the word"}, {0}};

    CHECK_STR(later_find(table, SPAN("key"), (struct span){0}), "the key");
    CHECK_STR(later_find(table, SPAN("mode"), SPAN("column")), "the word");
    CHECK(!later_find(table, SPAN("mode"), (struct span){0}));
    CHECK(!later_find(table, SPAN("mode"), SPAN("colum")));
    CHECK(!later_find(table, SPAN("key"), SPAN("x")));
    CHECK(!later_find(NULL, SPAN("key"), (struct span){0}));
}

static void
a_mixed_file_says_nothing_else(void **state UNUSED)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new("test");
    struct report report = report_make(arena);
    struct keys keys;
    struct toml *tree;
    struct err err;

    CHECK_OK(
        toml_parse(SPAN("version = 1\nrubbish = 2\n[migration]\n"), "m.toml", arena, &tree, &err),
        err);
    CHECK(!keys_collect("m.toml", tree, &report, &keys));
    CHECK_FINDINGS(&report, "m.toml:1:1: version belongs to the flat layout, but [migration] in "
                            "line 3 begins the nested one; keep one of them\n");
}

static void
fields_are_found_where_they_stand(void **state UNUSED)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new("test");
    struct report report = report_make(arena);
    struct keys keys;
    struct toml *tree;
    struct err err;

    CHECK_OK(toml_parse(SPAN("[migration]\nname = \"a\"\n[target.write]\nformat = \"rows\"\n"),
                        "m.toml", arena, &tree, &err),
             err);
    CHECK(keys_collect("m.toml", tree, &report, &keys));
    CHECK_FINDINGS(&report, "");
    CHECK_INT(keys.layout, LAYOUT_NESTED);
    CHECK_SPAN(keys.field[KEY_NAME]->text, "a");
    CHECK_INT(keys.field[KEY_FORMAT]->line, 4);
    CHECK(!keys.field[KEY_VERSION]);
    CHECK_STR(keys_path(&keys, KEY_FORMAT), "target.write.format");
    keys.layout = LAYOUT_FLAT;
    CHECK_STR(keys_path(&keys, KEY_FORMAT), "write.format");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_field_has_a_path_in_both_layouts),
        cmocka_unit_test(no_path_stands_twice_in_a_layout),
        cmocka_unit_test(later_features_are_no_keys_of_today),
        cmocka_unit_test(later_words_belong_to_their_key),
        cmocka_unit_test(a_mixed_file_says_nothing_else),
        cmocka_unit_test(fields_are_found_where_they_stand),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
