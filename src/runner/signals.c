/* signals: the first one asks for an orderly stop, the second one leaves. */
#include "runner/signals.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#define EXIT_BY_SIGNAL 128

/* Written by the handler only; the pipe is made before it is installed. */
static volatile sig_atomic_t first;
static int pipe_end;

static void
on_signal(int number)
{
    const int saved = errno;

    if (first)
        _exit(EXIT_BY_SIGNAL + number);
    first = number;
    if (write(pipe_end, "", 1) < 0) { /* cannot be: the pipe is empty and open */
        _exit(EXIT_BY_SIGNAL + number);
    }
    errno = saved;
}

bool
signals_catch(int *ret_fd, struct err *err)
{
    static const int stops[] = {SIGTERM, SIGINT, SIGHUP};
    struct sigaction action = {.sa_handler = on_signal};
    int ends[2];

    if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0)
        return err_set_code(err, ERR_TRANSIENT, errno, "cannot make a pipe: %s", strerror(errno));
    pipe_end = ends[1];
    sigfillset(&action.sa_mask);
    for (size_t i = 0; i < ARRAY_LEN(stops); i++) {
        struct sigaction inherited = {0};

        sigaction(stops[i], NULL, &inherited);
        if (inherited.sa_handler != SIG_IGN || stops[i] == SIGTERM)
            sigaction(stops[i], &action, NULL);
    }
    sigaction(SIGPIPE, &(struct sigaction){.sa_handler = SIG_IGN}, NULL);
    *ret_fd = ends[0];
    return true;
}

int
signals_caught(void)
{
    return first;
}
