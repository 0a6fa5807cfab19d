#ifndef BASE_THREAD_H
#define BASE_THREAD_H

/* What pthreads leave to say: starting with our error, joining with a deadline. */

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

MUST_CHECK bool thread_start(pthread_t *ret, void *(*run)(void *), void *arg, struct err *err);

/* deadline_ms: clock_mono_ms.  false: it is still running, and not joined. */
MUST_CHECK bool thread_join(pthread_t thread, int64_t deadline_ms);

#endif
