#ifndef PROJECT_CONFIG_H
#define PROJECT_CONFIG_H

/*
 * puffgres.toml: where the rows come from, where they go, where the state lies.
 *
 *     [postgres]      connection_string, source, slot, publication, ...
 *     [turbopuffer]   the settings of that destination, and namespace_prefix
 *     [destinations.NAME]  the settings of any other destination
 *     [state]         backend, path
 *     [batching]      defaults for all mappings, and the memory budget
 *     [deletes]       defaults for all mappings
 *
 * The file is searched as `-c PATH`, ./puffgres.toml, ./puffgres/puffgres.toml, and in the parent
 * when the current folder is called puffgres.  Paths inside it are relative to the project: the
 * folder that holds puffgres/migrations.
 *
 * config_load() judges the whole file and puts every fault into the report.  A section's
 * environment variables are looked up only by the function that reads the section.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/opt.h"
#include "model/report.h"

struct toml;

enum config_source {
    CONFIG_SOURCE_AUTO,
    CONFIG_SOURCE_PGOUTPUT_STREAM,
};

enum config_partition_change {
    CONFIG_PARTITION_STOP,
    CONFIG_PARTITION_REPORT,
};

enum config_state_backend {
    CONFIG_STATE_SQLITE,
    CONFIG_STATE_MEMORY,
};

struct config_postgres {
    const char *connection_string;
    int source; /* enum config_source */
    const char *slot;
    const char *publication; /* NULL: named after the slot */
    bool publish_all_tables; /* FOR ALL TABLES */
    int on_partition_change; /* enum config_partition_change */
};

struct config_state {
    int backend;      /* enum config_state_backend */
    const char *path; /* of the SQLite file, ready to open; NULL with memory */
};

struct config_batching {
    int64_t batch_max_rows;
    int64_t batch_max_bytes;
    int64_t flush_interval_ms;
    int64_t memory_budget; /* bytes, SEMANTICS 30 */
};

struct config_deletes {
    int mode;         /* enum deletes_mode */
    int64_t grace_ms; /* SEMANTICS 19 */
};

struct config {
    const char *file;   /* as shown: "puffgres.toml" */
    const char *prefix; /* what paths of the project begin with: "" or "some/where/" */
    const char *home;   /* prefix + "puffgres": migrations, transforms and state lie in it */
    const struct toml *tree;
};

/* Where the file is; ERR_CONFIG naming every place that was looked at. `given` may be NULL. */
MUST_CHECK bool config_find(const char *given, struct arena *arena, const char **ret,
                            struct err *err);

/* Faults go to the report (and then *ret is not to be used); err is for a file that cannot be
 * read. */
MUST_CHECK bool config_load(const char *given, struct arena *arena, struct report *report,
                            struct config *ret, struct err *err);

MUST_CHECK bool config_postgres(const struct config *config, struct arena *arena,
                                struct config_postgres *ret, struct err *err);
MUST_CHECK bool config_state(const struct config *config, struct arena *arena,
                             struct config_state *ret, struct err *err);
MUST_CHECK bool config_batching(const struct config *config, struct arena *arena,
                                struct config_batching *ret, struct err *err);

MUST_CHECK bool config_deletes(const struct config *config, struct arena *arena,
                               struct config_deletes *ret, struct err *err);

/* "" when there is none. */
MUST_CHECK bool config_namespace_prefix(const struct config *config, struct arena *arena,
                                        const char **ret, struct err *err);

/*
 * The settings of a destination, from [destinations.NAME] or, for turbopuffer, [turbopuffer],
 * judged by the destination's own option table.
 */
MUST_CHECK bool config_destination(const struct config *config, const char *name,
                                   const struct opt *options, struct arena *arena,
                                   struct opt_value **ret, size_t *ret_count, struct err *err);

/* The same judgement without looking up variables, for `check`. */
void config_destination_check(const struct config *config, const char *name,
                              const struct opt *options, struct report *report);

/*
 * A replication slot's name holds a-z, 0-9 and _ only (manual 27.2.6.1): a dash becomes "_", as
 * in "my-slot"; anything else is ERR_CONFIG.
 */
MUST_CHECK bool config_slot_name(const char *written, struct arena *arena, const char **ret,
                                 struct err *err);

/* The option tables by section, for the reference pages; ends with a zeroed row. */
struct config_section {
    const char *path;
    const char *summary;
    const struct opt *options;
};

extern const struct config_section config_sections[];

#endif
