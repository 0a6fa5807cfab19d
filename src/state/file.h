#ifndef STATE_FILE_H
#define STATE_FILE_H

/*
 * The state file as a file: it and its folder exist, and only their owner may read them (dead
 * letters hold rows).
 *
 * The file itself is never opened and closed here once it exists: closing any descriptor of it
 * would drop the locks that SQLite holds on it in this process (fcntl(2), POSIX locks).
 */

#include <stdbool.h>

#include "base/attr.h"
#include "base/err.h"

/*
 * With `create` a missing folder (mode 0700, one level) and file (0600) are made.  *ret_lock: a
 * lock on the folder that keeps two processes from setting up one file at the same time; until
 * state_file_unlock().
 */
MUST_CHECK bool state_file_prepare(const char *path, bool create, int *ret_lock, struct err *err);
void state_file_unlock(int *lock);

#endif
