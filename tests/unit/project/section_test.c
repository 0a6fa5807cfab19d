/* section: a TOML table read by an option table. */
#include "project/section.h"

#include <stdlib.h>

#include "harness/check.h"
#include "harness/findings.h"

struct sample {
    const char *name;
    const char *secret;
    int64_t count;
    int64_t wait;
    int64_t room;
    bool on;
    int kind;
};

static const char *const kinds[] = {"small", "large", NULL};

static const struct opt options[] = {
    {OPT_STRING(struct sample, name), .flags = OPT_REQUIRED, .help = "write a name"},
    {OPT_STRING(struct sample, secret), .flags = OPT_SECRET, .help = "A secret"},
    {OPT_INT(struct sample, count), .fallback = "3", .min = 1, .max = 9, .help = "How many"},
    {OPT_MILLIS(struct sample, wait), .fallback = "1s", .min = 0, .max = 60000, .help = "How long"},
    {OPT_BYTES(struct sample, room), .fallback = "1KiB", .min = 1, .max = 1 << 20, .help = "Room"},
    {OPT_BOOL(struct sample, on), .fallback = "false", .help = "On"},
    {OPT_WORD(struct sample, kind), .fallback = "small", .words = kinds, .help = "Kind"},
    {0},
};

static const struct later later[] = {{"colour", "colours"}, {"kind=huge", "huge things"}, {0}};
static const char *const theirs[] = {"theirs", NULL};

static const struct section section = {
    .path = "sample", .options = options, .later = later, .skip = theirs};

static const struct toml *
parse(const char *text, struct arena *arena)
{
    struct toml *tree;
    struct err err;

    CHECK_OK(toml_parse(span_of(text), "f.toml", arena, &tree, &err), err);
    return tree;
}

static void
judges_without_the_environment(void **state UNUSED)
{
    /* clang-format off */
    static const struct {
        const char *text, *want;
    } cases[] = {
        {"name = \"x\"\ncount = 9\nwait = \"5s\"\nroom = \"4KiB\"\non = true\nkind = \"large\"\n", ""},
        {"room = 77\n", ""},
        {"theirs = [1]\n", ""},
        {"count = \"${NOBODY_SETS_THIS}\"\nkind = \"${NOR_THIS}\"\n", ""},
        {"nmae = \"x\"\n", "f.toml:1:1: unknown key \"nmae\" in [sample]; did you mean \"name\"?\n"},
        {"zzz = 1\n", "f.toml:1:1: unknown key \"zzz\" in [sample]; known here: name, secret, count, wait, room, on, kind\n"},
        {"colour = 1\n", "f.toml:1:1: [sample] colour belongs to colours, which this version does not have; remove it\n"},
        {"kind = \"huge\"\n", "f.toml:1:8: kind = \"huge\" belongs to huge things, which this version does not have\n"},
        {"on = \"yes\"\n", "f.toml:1:6: on is of type string; write true or false\n"},
        {"wait = 5\n", "f.toml:1:8: wait is of type integer; write a duration such as \"30s\"\n"},
        {"name = [\"x\"]\n", "f.toml:1:8: name is of type array; write a text in quotes\n"},
    };
    /* clang-format on */

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        CLEANUP(arena_freep) struct arena *arena = arena_new("test");
        struct report report = report_make(arena);

        section_check(&section, "f.toml", parse(cases[i].text, arena), &report);
        CHECK_FINDINGS(&report, cases[i].want);
    }
}

static void
loads_with_the_environment(void **state UNUSED)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new("test");
    struct sample sample = {0};
    struct err err;

    setenv("SAMPLE_COUNT", "7", 1);
    CHECK_OK(section_load(&section, "f.toml",
                          parse("name = \"a-${SAMPLE_COUNT}\"\ncount = \"${SAMPLE_COUNT}\"\n"
                                "wait = \"${NO_SUCH:-2s}\"\ntheirs = \"x\"\n",
                                arena),
                          &sample, arena, &err),
             err);
    CHECK_STR(sample.name, "a-7");
    CHECK_INT(sample.count, 7);
    CHECK_INT(sample.wait, 2000);
    CHECK_INT(sample.room, 1024);
    CHECK(!sample.on);
    CHECK_INT(sample.kind, 0);
}

static void
says_where_a_value_is_wrong(void **state UNUSED)
{
    /* clang-format off */
    static const struct {
        const char *text, *begins;
    } cases[] = {
        {"count = 3\n", "f.toml:"}, /* the name is missing */
        {"name = \"${NOBODY_SETS_THIS}\"\n", "f.toml:1:8: "},
        {"name = \"x\"\n\ncount = \"${NO_SUCH:-99}\"\n", "f.toml:3:9: "},
        {"name = \"x\"\non = [1]\n", "f.toml:2:6: "},
    };
    /* clang-format on */

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        CLEANUP(arena_freep) struct arena *arena = arena_new("test");
        struct sample sample = {0};
        struct err err;

        CHECK(!section_load(&section, "f.toml", parse(cases[i].text, arena), &sample, arena, &err));
        CHECK_INT(err.kind, ERR_CONFIG);
        if (strncmp(err.text, cases[i].begins, strlen(cases[i].begins)) != 0)
            fail_msg("got %s, want %s...", err.text, cases[i].begins);
    }
}

static void
a_missing_table_has_its_defaults_or_a_place(void **state UNUSED)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new("test");
    struct sample sample = {0};
    struct err err;

    CHECK_FAILS(section_load(&section, "f.toml", NULL, &sample, arena, &err), err, ERR_CONFIG,
                "f.toml:1:1: name is missing in [sample]; write a name");
}

static void
secrets_stay_out_of_messages(void **state UNUSED)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new("test");
    struct report report = report_make(arena);

    section_check(&section, "f.toml", parse("name = \"x\"\nsecret = 12345678\n", arena), &report);
    CHECK_INT(report.count[SEVERITY_ERROR], 1);
    CHECK(!strstr(report.first->text, "12345678"));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(judges_without_the_environment),
        cmocka_unit_test(loads_with_the_environment),
        cmocka_unit_test(says_where_a_value_is_wrong),
        cmocka_unit_test(a_missing_table_has_its_defaults_or_a_place),
        cmocka_unit_test(secrets_stay_out_of_messages),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
