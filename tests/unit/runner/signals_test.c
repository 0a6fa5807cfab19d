/* signals: the first one makes a descriptor readable, the second one leaves. */
#include "runner/signals.h"

#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "harness/check.h"

/* In a child: catch, tell that we are ready, wait for the first signal, then for the second. */
static void
child(int ready)
{
    struct pollfd fd = {.events = POLLIN};
    struct err err;

    if (!signals_catch(&fd.fd, &err) || signals_caught() != 0)
        _exit(1);
    if (write(ready, "a", 1) != 1)
        _exit(2);
    while (poll(&fd, 1, 10 * 1000) < 0)
        continue;
    if (!(fd.revents & POLLIN) || signals_caught() == 0)
        _exit(3);
    if (write(ready, "b", 1) != 1)
        _exit(4);
    poll(NULL, 0, 10 * 1000);
    _exit(5);
}

static void
wait_for(int fd, char want)
{
    char got = 0;

    CHECK_INT(read(fd, &got, 1), 1);
    CHECK_INT(got, want);
}

static void
second_signal_leaves(void **state UNUSED)
{
    static const int firsts[] = {SIGTERM, SIGINT, SIGHUP};
    static const int seconds[] = {SIGINT, SIGTERM, SIGTERM};

    for (size_t i = 0; i < ARRAY_LEN(firsts); i++) {
        int ends[2], status;
        pid_t pid;

        CHECK(pipe(ends) == 0);
        pid = fork();
        CHECK(pid >= 0);
        if (pid == 0)
            child(ends[1]);
        wait_for(ends[0], 'a');
        CHECK(kill(pid, firsts[i]) == 0);
        wait_for(ends[0], 'b');
        CHECK(kill(pid, SIGPIPE) == 0); /* changes nothing */
        CHECK(kill(pid, seconds[i]) == 0);
        CHECK(waitpid(pid, &status, 0) == pid);
        CHECK(WIFEXITED(status));
        CHECK_INT(WEXITSTATUS(status), 128 + seconds[i]);
        close(ends[0]);
        close(ends[1]);
    }
}

/* nohup puffgres run & */
static void
what_is_ignored_stays_ignored(void **state UNUSED)
{
    int ends[2], status;
    pid_t pid;

    CHECK(pipe(ends) == 0);
    pid = fork();
    CHECK(pid >= 0);
    if (pid == 0) {
        signal(SIGHUP, SIG_IGN);
        signal(SIGTERM, SIG_IGN);
        child(ends[1]);
    }
    wait_for(ends[0], 'a');
    CHECK(kill(pid, SIGHUP) == 0 && kill(pid, SIGHUP) == 0);
    CHECK(kill(pid, SIGTERM) == 0); /* that one is always heard */
    wait_for(ends[0], 'b');
    CHECK(kill(pid, SIGTERM) == 0);
    CHECK(waitpid(pid, &status, 0) == pid);
    CHECK(WIFEXITED(status));
    CHECK_INT(WEXITSTATUS(status), 128 + SIGTERM);
    close(ends[0]);
    close(ends[1]);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(second_signal_leaves),
        cmocka_unit_test(what_is_ignored_stays_ignored),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
