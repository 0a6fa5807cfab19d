#ifndef CONTRACT_FIXTURE_H
#define CONTRACT_FIXTURE_H

/*
 * A fixture: rows of a table in, exact requests out.
 *
 *     {"about": "...",
 *      "table": {"columns": {"id": "bigint not null", "name": "text"}, "key": ["id"],
 *                "identity": "default"},                     (or "full")
 *      "mapping": ["[migration]", "name = \"users\"", ...],   the lines of a migration file
 *      "events": [{"op": "insert", "lsn": "0/64", "seq": 1, "after": {"id": "1", "name": null}},
 *                 {"op": "update", ..., "before": {...}, "after": {...}}],
 *      "requests": [{...}],                                  bodies, byte for byte
 *      "dead_letters": ["..."]}                              may be left out
 *
 * Values are texts as Postgres writes them, null, or {"unchanged": true}; what an image leaves out
 * is null.  A `before` without all columns is the old key.
 */

#include "base/arena.h"
#include "base/json.h"
#include "model/batch.h"

struct fixture {
    struct arena *arena;
    const char *path;
    const struct json *json;
    struct mapping mapping;
    struct schema schema;
    const struct projection *projection;
    struct batch *batch; /* all events */
};

/* What is wrong with a fixture ends the test. */
void fixture_load(struct fixture *fixture, const char *path);
void fixture_done(struct fixture *fixture);

/* The i-th wanted request, as one line. */
struct span fixture_request(const struct fixture *fixture, size_t index);
size_t fixture_count(const struct fixture *fixture, const char *list);

#endif
