#ifndef STATE_DB_HANDLE_H
#define STATE_DB_HANDLE_H

/* The inside of struct db, for db.c and db_open.c only. */

#include <pthread.h>

#include "state/db.h"

struct db {
    struct sqlite3 *handle;
    enum state_access access;
    char *path;                                /* for messages; owned */
    pthread_mutex_t lock;                      /* guards handle and statements */
    struct sqlite3_stmt *statements[SQL_MAX_]; /* prepared at their first use */
};

#endif
