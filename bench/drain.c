/* drain: read a slot and throw everything away: the ceiling that the benchmark compares with.
 *
 *     drain CONNINFO SLOT OPTIONS END-LSN
 *
 * Prints one line of JSON: rows, bytes, seconds from the first message to END-LSN, CPU seconds.
 * The least a client of libpq can do: whoever is close to it waits for the walsender.
 */
#include <libpq-fe.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "base/span.h"
#include "model/lsn.h"

#define HEADER 25 /* of XLogData: 'w', start, end, clock (manual 55.4) */

struct totals {
    uint64_t rows, messages, bytes;
    double first, last;
};

static double
now(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static lsn_t
big_endian(const char *at)
{
    lsn_t n = 0;

    for (int i = 0; i < 8; i++)
        n = n << 8 | (unsigned char)at[i];
    return n;
}

/* True when everything up to `end` has been seen. */
static bool
take(const char *message, size_t len, lsn_t end, struct totals *totals)
{
    if (message[0] == 'k')
        return big_endian(message + 1) >= end;
    if (message[0] != 'w' || len <= HEADER)
        return false;
    if (totals->messages++ == 0)
        totals->first = now();
    totals->bytes += len - HEADER;
    totals->rows += message[HEADER] == 'I';
    return message[HEADER] == 'C' && big_endian(message + 1) >= end;
}

static bool
drain(PGconn *conn, lsn_t end, struct totals *totals)
{
    bool done = false;

    while (!done) {
        char *message = NULL;
        int len = PQgetCopyData(conn, &message, 0);

        if (len < 0)
            return false;
        done = take(message, (size_t)len, end, totals);
        PQfreemem(message);
    }
    totals->last = now();
    return true;
}

static bool
start(PGconn *conn, const char *slot, const char *options)
{
    char command[1024];
    PGresult *result;
    bool started;

    snprintf(command, sizeof(command), "START_REPLICATION SLOT %s LOGICAL 0/0 (%s)", slot, options);
    result = PQexec(conn, command);
    started = PQresultStatus(result) == PGRES_COPY_BOTH;
    PQclear(result);
    return started;
}

static void
print(const struct totals *totals)
{
    struct rusage use;

    getrusage(RUSAGE_SELF, &use);
    printf("{\"rows\":%llu,\"bytes\":%llu,\"seconds\":%.3f,\"cpu\":%.3f,\"peak_kb\":%ld}\n",
           (unsigned long long)totals->rows, (unsigned long long)totals->bytes,
           totals->last - totals->first,
           (double)(use.ru_utime.tv_sec + use.ru_stime.tv_sec) +
               (double)(use.ru_utime.tv_usec + use.ru_stime.tv_usec) / 1e6,
           use.ru_maxrss);
}

int
main(int argc, char **argv)
{
    struct totals totals = {0};
    PGconn *conn;
    lsn_t end;
    bool done;

    if (argc != 5 || !lsn_parse(span_of(argv[4]), &end)) {
        fprintf(stderr, "usage: drain CONNINFO SLOT OPTIONS END-LSN\n");
        return 64;
    }
    conn = PQconnectdb(argv[1]);
    done = PQstatus(conn) == CONNECTION_OK && start(conn, argv[2], argv[3]) &&
           drain(conn, end, &totals);
    if (done)
        print(&totals);
    else
        fprintf(stderr, "drain: %s", PQerrorMessage(conn));
    PQfinish(conn);
    return done ? 0 : 1;
}
