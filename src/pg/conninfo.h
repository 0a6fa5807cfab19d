#ifndef PG_CONNINFO_H
#define PG_CONNINFO_H

/*
 * Connection strings: a postgres:// URL or keyword=value pairs, exactly what libpq takes
 * (manual 34.1.1), with our own parameters added where the operator gave none.
 *
 * The password is never part of a message: a string that does not parse is described, not quoted.
 *
 * Sessions whose values are compared (the walsender's and a reader's, SEMANTICS 4) must print
 * values alike; so every session of ours gets the same output settings in `options`, behind
 * whatever `options` the operator wrote.
 */

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/span.h"

struct pg_conninfo {
    /* Parallel arrays for PQconnectStartParams, ended by NULL. */
    const char **keywords;
    const char **values;
    size_t count;

    /* What the string itself says; NULL: left to libpq (environment, service file). */
    const char *host;
    const char *port;
    const char *database;
    const char *user;
    const char *password;
};

/* ERR_CONFIG that says what is wrong without quoting a secret. */
MUST_CHECK bool pg_conninfo_parse(const char *text, struct arena *arena, struct pg_conninfo *ret,
                                  struct err *err);

/* Add what a session needs: application_name, keepalives, output settings, replication mode.
 * What the operator wrote wins, `options` are joined. */
void pg_conninfo_complete(struct pg_conninfo *info, const char *application_name, bool replication,
                          struct arena *arena);

/* The secret of this string, for log_secret(); empty when there is none. */
struct span pg_conninfo_secret(const char *text, struct arena *arena);

/* "database \"shop\" at db.example.com:5432", for messages. */
const char *pg_conninfo_describe(const char *text, struct arena *arena);

#endif
