#ifndef LOCAL_DATABASE_H
#define LOCAL_DATABASE_H

/*
 * All namespaces, the limits and the journal: what one turbopuffer-local holds.
 *
 * Not thread-safe: server.c guards it with one lock.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/json.h"
#include "base/map.h"
#include "local/journal.h"
#include "local/limits.h"
#include "local/ns.h"

struct database {
    struct map namespaces; /* name -> struct ns */
    struct limits limits;
    struct journal journal;
};

/* What a call needs to know about the request it serves. */
struct call {
    struct database *db;
    struct arena *arena; /* of the request */
    uint64_t request;    /* its number, for the journal */
    int64_t now_ms;

    /* After a refusal: the attribute whose type would have changed, for the body; else empty. */
    struct span conflict;
};

void database_init(struct database *db, const struct limits *limits, size_t journal_size);
void database_done(struct database *db);
void database_clear(struct database *db); /* no namespaces, an empty journal */

struct ns *database_find(const struct database *db, struct span name); /* NULL when absent */
void database_add(struct database *db, struct ns *ns);                 /* takes it over */
MUST_CHECK bool database_drop(struct call *call, struct span name, struct err *err);

/* The namespace; NULL with a 404 when absent. */
MUST_CHECK struct ns *database_need(const struct database *db, struct span name, struct err *err);

bool database_name_ok(struct span name);

/* {"namespaces": [{"id": ...}], "next_cursor": ...}; texts may be NULL. */
MUST_CHECK bool database_list(struct call *call, const char *prefix, const char *cursor,
                              const char *page_size, struct json_writer *w, struct err *err);

void database_write_metadata(struct json_writer *w, const struct ns *ns);
MUST_CHECK bool database_patch_metadata(struct ns *ns, const struct json *body, struct err *err);

/* All documents of a namespace in the order of their ids; ns->docs.count of them. */
struct doc **database_sorted_docs(const struct ns *ns, struct arena *arena);

/* {"ns": [documents by id, all attributes]} of one namespace, or of all when it is NULL. */
void database_dump(struct call *call, const char *name, struct json_writer *w);

#endif
