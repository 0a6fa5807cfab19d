/* puffgres: command lines without a server, and the exit codes they end with. */
#include "cmd/puffgres.h"

#include <fcntl.h>
#include <unistd.h>

#include "base/file.h"
#include "harness/check.h"
#include "harness/folder.h"

#define WORDS_MAX 16

/* What a command line ended with, and what it said on both outputs. */
struct outcome {
    int status;
    const char *out, *err;
};

static int
redirect(int fd, const char *path)
{
    int kept = dup(fd), file = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

    CHECK(kept >= 0 && file >= 0 && dup2(file, fd) == fd);
    close(file);
    return kept;
}

static void
restore(int fd, int kept)
{
    CHECK(dup2(kept, fd) == fd);
    close(kept);
}

static const char *
read_back(const char *path, struct arena *arena)
{
    struct span text;
    struct err err;

    CHECK_OK(file_read(path, MEGABYTES(1), arena, &text, &err), err);
    unlink(path);
    return arena_text(arena, text);
}

static struct outcome
run_line(const char *line, struct arena *arena)
{
    char *rest = arena_strdup(arena, line), *words[WORDS_MAX];
    struct outcome outcome;
    int count = 0, out, err;

    while (rest && count < WORDS_MAX)
        words[count++] = strsep(&rest, " ");
    fflush(NULL);
    out = redirect(STDOUT_FILENO, "test-out");
    err = redirect(STDERR_FILENO, "test-err");
    outcome.status = puffgres_main(count, words);
    fflush(NULL);
    restore(STDOUT_FILENO, out);
    restore(STDERR_FILENO, err);
    outcome.out = read_back("test-out", arena);
    outcome.err = read_back("test-err", arena);
    return outcome;
}

/* Every case in a folder with a new project. */
static void
in_a_project(void (*test)(struct arena *arena))
{
    CLEANUP(arena_freep) struct arena *arena = arena_new("test");
    CLEANUP(folder_remove) struct folder folder = folder_make();
    char *back = getcwd(NULL, 0);

    CHECK(back && chdir(folder.path) == 0);
    unsetenv("DATABASE_URL");
    CHECK_INT(run_line("puffgres init", arena).status, 0);
    test(arena);
    CHECK(chdir(back) == 0);
    free(back);
}

static void
check_exit_codes(struct arena *arena)
{
    static const struct {
        const char *line;
        int status;
        const char *said;
    } cases[] = {
        {"puffgres --version", 0, "puffgres " WALLABY_VERSION},
        {"puffgres --help", 0, "Commands:"},
        {"puffgres run -h", 0, "--metrics-listen"},
        {"puffgres", 64, "Usage: puffgres [OPTIONS] <COMMAND>"},
        {"puffgres rnu", 64, "did you mean \"run\"?"},
        {"puffgres run --from-lsn xyz", 64, "\"xyz\" is no LSN"},
        {"puffgres backfill users", 64, "this version does not have backfill"},
        {"puffgres init", 78, "exists already and is left alone"},
        {"puffgres check", 78, "no migration is there"},
        {"puffgres migrate", 78, "1 fault; nothing was applied"},
        {"puffgres run", 78, "1 fault; nothing was started"},
        {"puffgres -c nowhere run", 78, "there is no file nowhere"},
        {"puffgres status", 0, "not reachable"},
        {"puffgres dlq list", 0, "no dead letters"},
        {"puffgres dlq show 1", 78, "there is no dead letter 1"},
        {"puffgres dlq show x", 64, "no id of a dead letter"},
        {"puffgres document nothing", 78, "there is no page"},
        {"puffgres document commands", 0, "## puffgres run"},
        {"puffgres document migrations", 0, "`target.namespace`"},
        {"puffgres document destinations", 0, "## turbopuffer"},
        {"puffgres document puffgres.toml", 0, "## [postgres]"},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct outcome got = run_line(cases[i].line, arena);

        if (got.status != cases[i].status ||
            !(strstr(got.out, cases[i].said) || strstr(got.err, cases[i].said)))
            fail_msg("%s: got %d, want %d and \"%s\"\nout: %s\nerr: %s", cases[i].line, got.status,
                     cases[i].status, cases[i].said, got.out, got.err);
    }
}

static void
exit_codes(void **state UNUSED)
{
    in_a_project(check_exit_codes);
}

static void
check_outputs(struct arena *arena)
{
    struct outcome version = run_line("puffgres -V", arena);
    struct outcome usage = run_line("puffgres --nothing", arena);

    CHECK_STR(version.err, "");
    CHECK_STR(usage.out, "");
    CHECK(strncmp(usage.err, "error: ", 7) == 0);
    setenv("PUFFGRES_LOG", "loud", 1);
    usage = run_line("puffgres status", arena);
    unsetenv("PUFFGRES_LOG");
    CHECK_INT(usage.status, 64);
    CHECK(strstr(usage.err, "PUFFGRES_LOG=\"loud\" is no log filter"));
}

static void
results_and_errors_go_their_own_ways(void **state UNUSED)
{
    in_a_project(check_outputs);
}

static void
check_all_at_once(struct arena *arena)
{
    struct outcome got;
    FILE *file = fopen("puffgres/migrations/1_a.toml", "w");

    CHECK(file && fputs("[migration]\nname = \"a\"\nversion = 0\n[mapping]\nid = 1\n", file) >= 0);
    fclose(file);
    got = run_line("puffgres check", arena);
    CHECK_INT(got.status, 78);
    CHECK(strstr(got.out, "puffgres/migrations/1_a.toml:3:11: "));
    CHECK(strstr(got.out, "puffgres/migrations/1_a.toml:5:6: "));
    CHECK(strstr(got.out, "puffgres.toml:5:21: ")); /* DATABASE_URL */
}

static void
check_tells_everything_in_one_go(void **state UNUSED)
{
    in_a_project(check_all_at_once);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(exit_codes),
        cmocka_unit_test(results_and_errors_go_their_own_ways),
        cmocka_unit_test(check_tells_everything_in_one_go),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
