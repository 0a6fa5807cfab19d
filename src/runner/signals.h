#ifndef RUNNER_SIGNALS_H
#define RUNNER_SIGNALS_H

/*
 * The first SIGTERM, SIGINT or SIGHUP makes a descriptor readable: stop in order.  The second one
 * leaves at once with 128 + its number; nothing is lost either way.  What nohup or a shell made us
 * ignore (SIGHUP, SIGINT) stays ignored.  SIGPIPE is ignored: a write to a closed connection is an
 * error like any other.
 *
 * Once per process, before the first thread.
 */

#include <stdbool.h>

#include "base/attr.h"
#include "base/err.h"

/* *ret_fd stays readable from the first signal on; it is never to be read or closed. */
MUST_CHECK bool signals_catch(int *ret_fd, struct err *err);

int signals_caught(void); /* the first signal's number; 0: none yet */

#endif
