/* fault: the process dies at the chosen passage of the chosen point, and nowhere else. */
#include "base/fault.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "harness/check.h"

/* How a child ends that passes "one" and "two" three times each; 0: by itself. */
static int
end_of_child(const char *kill_at)
{
    int status = 0;
    pid_t child = fork();

    if (child == 0) {
        if (kill_at)
            setenv("PUFFGRES_KILL_AT", kill_at, 1);
        else
            unsetenv("PUFFGRES_KILL_AT");
        fault_init();
        for (int i = 0; i < 3; i++) {
            fault_point("one");
            fault_point("two");
        }
        _exit(0);
    }
    CHECK(child > 0 && waitpid(child, &status, 0) == child);
    return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

static void
kills_where_it_was_told_to(void **state UNUSED)
{
    static const struct {
        const char *kill_at;
        int want;
    } cases[] = {
        {NULL, 0},   {"", 0},      {"one", SIGKILL}, {"two:3", SIGKILL}, {"two:4", 0}, {"three", 0},
        {"one:", 0}, {"one:0", 0}, {"one:x", 0},     {"on", 0},          {":1", 0},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        int got = end_of_child(cases[i].kill_at);

        if (got != cases[i].want)
            fail_msg("%s: got %d, want %d", cases[i].kill_at, got, cases[i].want);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(kills_where_it_was_told_to),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
