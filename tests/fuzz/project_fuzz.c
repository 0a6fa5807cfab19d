/* project: bytes as a migration file; a mapping that comes out can be written down. */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "project/migration.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const destinations[] = {"turbopuffer", "null", "stdout", NULL};
    static const struct migration_defaults defaults = {.namespace_prefix = "p-",
                                                       .destinations = destinations,
                                                       .batch_max_rows = 1000,
                                                       .batch_max_bytes = 8 * 1024 * 1024,
                                                       .flush_interval_ms = 100};
    CLEANUP(arena_freep) struct arena *arena = arena_new("fuzz");
    const struct migration_input input = {"fuzz.toml", "fuzz.toml", {(const char *)data, size}};
    struct report report = report_make(arena);
    struct migration migration;

    if (migration_parse(&input, &defaults, arena, &report, &migration)) {
        assert(report.count[SEVERITY_ERROR] == 0);
        assert(*migration.mapping.name && *migration.mapping.table && *migration.mapping.id_name);
        assert(migration.mapping.name_count > 0 && strlen(migration.mapping.hash) == 64);
    } else {
        assert(report.count[SEVERITY_ERROR] > 0);
    }
    for (const struct finding *f = report.first; f; f = f->next)
        assert(strncmp(f->where, "fuzz.toml:", 10) == 0);
    return 0;
}
