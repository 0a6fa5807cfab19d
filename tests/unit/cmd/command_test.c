/* command: every way to write a command line, and what is said about a wrong one. */
#include "cmd/command.h"

#include "harness/check.h"

struct sample {
    const char *slot;
    const char *from_lsn;
    int64_t limit;
    bool create_slot;
    bool strict;
};

static int
run_nothing(const struct invocation *invocation UNUSED)
{
    return 0;
}

static const struct opt options[] = {
    {OPT_STRING(struct sample, slot), .help = "Replication slot"},
    {OPT_STRING(struct sample, from_lsn), .help = "Begin here"},
    {OPT_INT(struct sample, limit), .fallback = "10", .min = 0, .max = 100, .help = "At most"},
    {OPT_BOOL(struct sample, create_slot), .fallback = "true", .help = "Make the slot"},
    {OPT_BOOL(struct sample, strict), .fallback = "false", .help = "Stop at the first"},
    {0},
};

static const struct later later[] = {{"poll", "reading through wal2json"}, {0}};

static const struct command dlq[] = {
    {.name = "list",
     .summary = "List",
     .options = options,
     .settings_size = sizeof(struct sample),
     .run = run_nothing},
    {.name = "show",
     .summary = "Show one",
     .args = "<ID>",
     .min_args = 1,
     .max_args = 1,
     .run = run_nothing},
    {0},
};

static const struct command commands[] = {
    {.name = "init", .summary = "Make", .args = "[PATH]", .max_args = 1, .run = run_nothing},
    {.name = "migrate", .alias = "apply", .summary = "Apply", .run = run_nothing},
    {.name = "run",
     .summary = "Stream",
     .details = "For ever.",
     .options = options,
     .settings_size = sizeof(struct sample),
     .later = later,
     .run = run_nothing},
    {.name = "dlq", .summary = "Letters", .subcommands = dlq},
    {.name = "backfill", .summary = "Load", .feature = "backfill"},
    {.name = "secret", .summary = "Ours", .hidden = true, .run = run_nothing},
    {0},
};

static const struct command program = {
    .name = "puffgres", .summary = "Sample", .subcommands = commands};

#define WORDS_MAX 16

/* One line of words, split at blanks. */
struct line {
    char text[256];
    char *words[WORDS_MAX];
    int count;
};

static void
split(struct line *line, const char *text)
{
    char *rest = line->text;

    snprintf(line->text, sizeof(line->text), "%s", text);
    line->count = 0;
    while (rest && line->count < WORDS_MAX)
        line->words[line->count++] = strsep(&rest, " ");
}

static bool
parse(const char *text, struct arena *arena, struct invocation *ret, enum command_wish *ret_wish,
      struct err *err)
{
    struct line *line = arena_new_of(arena, struct line);

    split(line, text);
    return command_parse(&program, line->count, line->words, arena, ret, ret_wish, err);
}

/* ---- what is understood ---- */

/* clang-format off */
static const struct {
    const char *line, *slot, *from_lsn, *config;
    int64_t limit;
    bool create_slot, strict;
} good[] = {
    {"puffgres run",                            NULL,      NULL,  NULL,     10, true,  false},
    {"/any/name run --slot my-slot",            "my-slot", NULL,  NULL,     10, true,  false},
    {"puffgres run --slot=a=b",                 "a=b",     NULL,  NULL,     10, true,  false},
    {"puffgres run --create-slot",              NULL,      NULL,  NULL,     10, true,  false},
    {"puffgres run --create-slot=false",        NULL,      NULL,  NULL,     10, false, false},
    {"puffgres run --create-slot false",        NULL,      NULL,  NULL,     10, false, false},
    {"puffgres run --create-slot true",         NULL,      NULL,  NULL,     10, true,  false},
    {"puffgres run --no-create-slot",           NULL,      NULL,  NULL,     10, false, false},
    {"puffgres run --create_slot=false",        NULL,      NULL,  NULL,     10, false, false},
    {"puffgres run --create-slot --strict",     NULL,      NULL,  NULL,     10, true,  true},
    {"puffgres run --no-strict",                NULL,      NULL,  NULL,     10, true,  false},
    {"puffgres run --from-lsn 0/16B3748",       NULL,      "0/16B3748", NULL, 10, true, false},
    {"puffgres run --limit 0",                  NULL,      NULL,  NULL,     0,  true,  false},
    {"puffgres run --limit 1 --limit 2",        NULL,      NULL,  NULL,     2,  true,  false},
    {"puffgres -c p.toml run",                  NULL,      NULL,  "p.toml", 10, true,  false},
    {"puffgres run -c p.toml --strict",         NULL,      NULL,  "p.toml", 10, true,  true},
    {"puffgres run -cp.toml",                   NULL,      NULL,  "p.toml", 10, true,  false},
    {"puffgres --config=p.toml run",            NULL,      NULL,  "p.toml", 10, true,  false},
    {"puffgres run --config p.toml",            NULL,      NULL,  "p.toml", 10, true,  false},
};
/* clang-format on */

static void
check_same(const char *line, const char *got, const char *want)
{
    if ((got == NULL) != (want == NULL) || (got && strcmp(got, want) != 0))
        fail_msg("%s: got %s, want %s", line, got ? got : "none", want ? want : "none");
}

static void
understands_every_form(void **state UNUSED)
{
    for (size_t i = 0; i < ARRAY_LEN(good); i++) {
        CLEANUP(arena_freep) struct arena *arena = arena_new("test");
        struct invocation invocation;
        enum command_wish wish;
        const struct sample *sample;
        struct err err;

        CHECK_OK(parse(good[i].line, arena, &invocation, &wish, &err), err);
        CHECK_INT(wish, COMMAND_RUN);
        CHECK_STR(invocation.command->name, "run");
        sample = invocation.settings;
        check_same(good[i].line, sample->slot, good[i].slot);
        check_same(good[i].line, sample->from_lsn, good[i].from_lsn);
        check_same(good[i].line, invocation.global.config, good[i].config);
        CHECK_INT(sample->limit, good[i].limit);
        CHECK_INT(sample->create_slot, good[i].create_slot);
        CHECK_INT(sample->strict, good[i].strict);
    }
}

static void
finds_commands_by_both_names_and_below(void **state UNUSED)
{
    static const struct {
        const char *line, *path;
        size_t args;
    } cases[] = {
        {"puffgres init", "init", 0},           {"puffgres init ./my-project", "init", 1},
        {"puffgres init -- -odd", "init", 1},   {"puffgres migrate", "migrate", 0},
        {"puffgres apply", "migrate", 0},       {"puffgres dlq list", "dlq list", 0},
        {"puffgres dlq show 7", "dlq show", 1}, {"puffgres secret", "secret", 0},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        CLEANUP(arena_freep) struct arena *arena = arena_new("test");
        struct invocation invocation;
        enum command_wish wish;
        struct err err;

        CHECK_OK(parse(cases[i].line, arena, &invocation, &wish, &err), err);
        CHECK_STR(invocation.path, cases[i].path);
        CHECK_INT(invocation.arg_count, cases[i].args);
    }
}

static void
help_and_version_win(void **state UNUSED)
{
    static const struct {
        const char *line;
        enum command_wish wish;
    } cases[] = {
        {"puffgres", COMMAND_HELP},        {"puffgres -h", COMMAND_HELP},
        {"puffgres --help", COMMAND_HELP}, {"puffgres run --help", COMMAND_HELP},
        {"puffgres dlq -h", COMMAND_HELP}, {"puffgres dlq show --help", COMMAND_HELP},
        {"puffgres -V", COMMAND_VERSION},  {"puffgres --version", COMMAND_VERSION},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        CLEANUP(arena_freep) struct arena *arena = arena_new("test");
        struct invocation invocation;
        enum command_wish wish;
        struct err err;

        CHECK_OK(parse(cases[i].line, arena, &invocation, &wish, &err), err);
        CHECK_INT(wish, cases[i].wish);
    }
}

/* ---- what is not ---- */

/* clang-format off */
static const struct {
    const char *line, *want;
} bad[] = {
    {"puffgres rnu",                 "there is no command \"rnu\"; did you mean \"run\"?"},
    {"puffgres aply",                "there is no command \"aply\"; did you mean \"apply\"?"},
    {"puffgres something",           "there is no command \"something\"; --help lists them"},
    {"puffgres dlq lst",             "there is no command \"lst\"; did you mean \"list\"?"},
    {"puffgres dlq",                 "a command is missing behind dlq; --help lists them"},
    {"puffgres -c x",                "a command is missing; --help lists them"},
    {"puffgres run --slott x",       "unknown option --slott; did you mean --slot?"},
    {"puffgres run --fromlsn x",     "unknown option --fromlsn; did you mean --from-lsn?"},
    {"puffgres run --confg x",       "unknown option --confg; did you mean --config?"},
    {"puffgres run --zzz",           "unknown option --zzz; --help lists them"},
    {"puffgres run -x",              "unknown option -x; --help lists them"},
    {"puffgres run -hV",             "unknown option -hV; write -h alone"},
    {"puffgres run --slot",          "--slot needs a value; Replication slot"},
    {"puffgres run -c",              "--config needs a value; Path to puffgres.toml (default: puffgres.toml)"},
    {"puffgres run --no-slot",       "unknown option --no-slot; --help lists them"},
    {"puffgres run --poll",          "--poll belongs to reading through wal2json, which this version does not have"},
    {"puffgres backfill",            "backfill: this version does not have backfill"},
    {"puffgres backfill users --batch-size 5", "backfill: this version does not have backfill"},
    {"puffgres init a b",            "\"b\" is one word too many for init"},
    {"puffgres run x",               "\"x\" is one word too many for run"},
    {"puffgres dlq show",            "dlq show needs <ID>"},
};
/* clang-format on */

static void
says_what_to_type_instead(void **state UNUSED)
{
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        CLEANUP(arena_freep) struct arena *arena = arena_new("test");
        struct invocation invocation;
        enum command_wish wish;
        struct err err;

        CHECK_FAILS(parse(bad[i].line, arena, &invocation, &wish, &err), err, ERR_CONFIG,
                    bad[i].want);
    }
}

static void
values_are_checked_by_their_table(void **state UNUSED)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new("test");
    struct invocation invocation;
    enum command_wish wish;
    struct err err;

    CHECK(!parse("puffgres run --limit 101", arena, &invocation, &wish, &err));
    CHECK(strstr(err.text, "limit") && strstr(err.text, "100"));
    CHECK(!parse("puffgres run --strict=maybe", arena, &invocation, &wish, &err));
    CHECK(strstr(err.text, "strict"));
    CHECK(!parse("puffgres run --log-format xml", arena, &invocation, &wish, &err));
    CHECK(strstr(err.text, "log_format"));
}

/* ---- help ---- */

static void
help_is_made_from_the_tables(void **state UNUSED)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new("test");
    CLEANUP(buf_free) struct buf out = buf_make(MEGABYTES(1));
    struct invocation invocation;
    enum command_wish wish;
    struct err err;

    CHECK_OK(parse("puffgres run -h", arena, &invocation, &wish, &err), err);
    command_help(&invocation, &out);
    for (const struct opt *opt = options; opt->type != OPT_TYPE_END; opt++)
        CHECK(strstr(out.ptr, opt->help));
    CHECK(strstr(out.ptr, "Usage: puffgres run [OPTIONS]\n"));
    CHECK(strstr(out.ptr, "--from-lsn <LSN>"));
    CHECK(strstr(out.ptr, "For ever."));
    CHECK(strstr(out.ptr, "-c, --config <CONFIG>"));
    buf_clear(&out);
    CHECK_OK(parse("puffgres -h", arena, &invocation, &wish, &err), err);
    command_help(&invocation, &out);
    CHECK(strstr(out.ptr, "apply"));
    CHECK(!strstr(out.ptr, "backfill"));
    CHECK(!strstr(out.ptr, "secret"));
    buf_clear(&out);
    command_document(&program, &out);
    CHECK(strstr(out.ptr, "## puffgres dlq show"));
    CHECK(!strstr(out.ptr, "backfill"));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(understands_every_form),
        cmocka_unit_test(finds_commands_by_both_names_and_below),
        cmocka_unit_test(help_and_version_win),
        cmocka_unit_test(says_what_to_type_instead),
        cmocka_unit_test(values_are_checked_by_their_table),
        cmocka_unit_test(help_is_made_from_the_tables),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
