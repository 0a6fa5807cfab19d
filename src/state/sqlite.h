#ifndef STATE_SQLITE_H
#define STATE_SQLITE_H

/*
 * The store in an SQLite file, and the same code in memory.
 *
 * The file: tables named __puffgres_*, write-ahead journal with synchronous=FULL (every function
 * of the store has reached the disk when it returns true, SEMANTICS 7), mode 0600.  A missing
 * parent folder is made with mode 0700; one that exists is left as it is.  Several processes may
 * have the file open: `status` and `dlq` read while `run` writes, and see whole transactions.
 *
 * What is refused, with what to do about it (ERR_CONFIG): a file of another program, a damaged
 * one, one that a newer version has written, a folder without the right to write.
 *
 * The memory store forgets everything at close and says so by type->persistent == false.
 *
 * Thread: any, one call at a time goes on, the others wait.
 *
 *     CLEANUP(store_closep) struct store *store = NULL;
 *
 *     if (!state_sqlite_open("puffgres/state/state.db", STATE_CREATE, &store, err))
 *         return false;
 */

#include <stdbool.h>

#include "base/attr.h"
#include "base/err.h"

struct store;

enum state_access {
    STATE_READ,   /* the file must exist and be up to date; nothing in it changes */
    STATE_WRITE,  /* the file must exist; an older schema is brought up to date */
    STATE_CREATE, /* as WRITE, and a missing file is made */
};

MUST_CHECK bool state_sqlite_open(const char *path, enum state_access access, struct store **ret,
                                  struct err *err);
MUST_CHECK bool state_memory_open(struct store **ret, struct err *err);

#endif
