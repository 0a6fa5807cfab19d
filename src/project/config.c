/* config: puffgres.toml, found, judged and read section by section. */
#include "project/config.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/toml.h"
#include "base/words.h"
#include "model/mapping.h"
#include "project/fault.h"
#include "project/section.h"

#define FILE_NAME     "puffgres.toml"
#define HOME_NAME     "puffgres"
#define FILE_MAX      MEGABYTES(1)
#define SLOT_NAME_MAX 63 /* NAMEDATALEN - 1 */
#define PATH_LIMIT    4096

struct turbopuffer_extra {
    const char *namespace_prefix;
};

/* [deletes] as it is written: its words are those of a migration. */
struct deletes {
    int mode;
    int64_t grace;
};

static const char *const source_words[] = {"auto", "pgoutput_stream", NULL};
static const char *const partition_words[] = {"stop", "report", NULL};
static const char *const backend_words[] = {"sqlite", "memory", NULL};

/* ---- the tables: one row says all there is to know about a key ---- */

static const struct opt postgres_options[] = {
    {OPT_STRING(struct config_postgres, connection_string), .flags = OPT_REQUIRED | OPT_SECRET,
     .help = "write it as a URL or as key=value words, best as \"${DATABASE_URL}\""},
    {OPT_WORD(struct config_postgres, source), .fallback = "auto", .words = source_words,
     .help = "How changes are read; auto is pgoutput_stream"},
    {OPT_STRING(struct config_postgres, slot), .fallback = "puffgres",
     .help = "Replication slot; run --slot wins over it"},
    {OPT_STRING(struct config_postgres, publication),
     .help = "Publication; named after the slot unless set"},
    {OPT_BOOL(struct config_postgres, publish_all_tables), .fallback = "false",
     .help = "Make the publication FOR ALL TABLES instead of for the mapped ones"},
    {OPT_WORD(struct config_postgres, on_partition_change), .fallback = "stop",
     .words = partition_words,
     .help = "What happens to a mapping whose table got or lost a filled partition, which makes no "
             "events: stop it until the next start, or only report it"},
    {0},
};

static const struct opt state_options[] = {
    {OPT_WORD(struct config_state, backend), .fallback = "sqlite", .words = backend_words,
     .help = "Where checkpoints, migrations and dead letters are kept; memory forgets"},
    {OPT_STRING(struct config_state, path),
     .help = "The SQLite file, relative to the project; puffgres/state/puffgres.db unless set"},
    {0},
};

static const struct opt batching_options[] = {
    {OPT_INT(struct config_batching, batch_max_rows), .fallback = "1000", .min = 1,
     .max = 1000 * 1000, .help = "A batch closes at this many rows"},
    {OPT_BYTES(struct config_batching, batch_max_bytes), .fallback = "8MiB", .min = 1024,
     .max = 256 * 1024 * 1024, .help = "A batch closes at this many bytes"},
    {OPT_INT(struct config_batching, flush_interval_ms), .fallback = "100", .min = 0,
     .max = 600 * 1000, .help = "A batch closes this many milliseconds after its first row"},
    {OPT_BYTES(struct config_batching, memory_budget), .fallback = "48MiB", .min = 1024 * 1024,
     .max = (int64_t)1 << 40, .help = "Memory for rows on their way, over all mappings"},
    {0},
};

static const struct opt deletes_options[] = {
    {OPT_WORD(struct deletes, mode), .fallback = "physical", .words = deletes_names,
     .help = "physical, or tombstone: deleted rows stay, with __deleted = true"},
    {OPT_MILLIS(struct deletes, grace), .fallback = "1h", .min = 0,
     .max = 30 * 24 * 3600 * INT64_C(1000),
     .help = "How long a request of unknown outcome may still arrive"},
    {0},
};

static const struct opt turbopuffer_extra_options[] = {
    {OPT_STRING(struct turbopuffer_extra, namespace_prefix), .fallback = "",
     .help = "Put in front of every namespace, to keep environments apart"},
    {0},
};

static const struct later postgres_later[] = {
    {"source=wal2json_stream", LATER_WAL2JSON},
    {"source=wal2json_poll", LATER_WAL2JSON},
    {"poll_interval_ms", LATER_WAL2JSON},
    {0},
};

static const struct later state_later[] = {
    {"backend=postgres", LATER_PG_STATE},
    {"schema", LATER_PG_STATE},
    {"connection_string", LATER_PG_STATE},
    {0},
};

static const struct later deletes_later[] = {{"gc", LATER_GC}, {0}};

static const struct later top_later[] = {
    {"providers", LATER_EMBEDDINGS},
    {"transforms", LATER_TRANSFORMS},
    {"functions", LATER_TRANSFORMS},
    {"backfill", LATER_BACKFILL},
    {0},
};

static const struct section postgres_section = {
    .path = "postgres", .options = postgres_options, .later = postgres_later};
static const struct section state_section = {
    .path = "state", .options = state_options, .later = state_later};
static const struct section batching_section = {.path = "batching", .options = batching_options};
static const struct section deletes_section = {
    .path = "deletes", .options = deletes_options, .later = deletes_later};

static const char *const top_words[] = {
    "postgres", "turbopuffer", "destinations", "state", "batching", "deletes", NULL};

const struct config_section config_sections[] = {
    {"postgres", "The source", postgres_options},
    {"state", "What must survive a restart", state_options},
    {"batching", "Defaults for every mapping", batching_options},
    {"deletes", "Defaults for every mapping", deletes_options},
    {"turbopuffer", "Beside the settings of the destination", turbopuffer_extra_options},
    {0},
};

/* ---- finding ---- */

static bool
is_file(const char *path)
{
    struct stat st;

    return stat(path, &st) == 0 && S_ISREG(st.st_mode);
}

static bool
is_folder(const char *path)
{
    struct stat st;

    return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

static const char *
base_name(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash ? slash + 1 : path;
}

static bool
working_folder_is_home(void)
{
    char path[PATH_LIMIT];

    return getcwd(path, sizeof(path)) && strcmp(base_name(path), HOME_NAME) == 0;
}

bool
config_find(const char *given, struct arena *arena, const char **ret, struct err *err)
{
    const char *found = NULL;

    if (given) {
        if (is_folder(given)) {
            char path[PATH_LIMIT];

            snprintf(path, sizeof(path), "%s/" FILE_NAME, given);
            found = is_file(path) ? arena_strdup(arena, path) : NULL;
        } else if (is_file(given)) {
            found = given;
        }
        if (!found)
            return err_set(err, ERR_CONFIG, "there is no file %s; puffgres init makes one", given);
    } else if (is_file(FILE_NAME)) {
        found = FILE_NAME;
    } else if (is_file(HOME_NAME "/" FILE_NAME)) {
        found = HOME_NAME "/" FILE_NAME;
    } else if (working_folder_is_home() && is_file("../" FILE_NAME)) {
        found = "../" FILE_NAME;
    }
    if (!found)
        return err_set(err, ERR_CONFIG,
                       "there is no " FILE_NAME " here, in " HOME_NAME "/ or above; run puffgres "
                       "init to make a project, or name the file with -c");
    *ret = found;
    return true;
}

/* The project is the folder that holds puffgres/; the file may stand in it or inside puffgres/. */
static void
place(struct config *config, struct arena *arena)
{
    size_t dir_len = (size_t)(base_name(config->file) - config->file);
    char path[PATH_LIMIT];

    snprintf(path, sizeof(path), "%.*s" HOME_NAME, (int)dir_len, config->file);
    config->prefix = arena_text(arena, (struct span){config->file, dir_len});
    config->home = arena_strdup(arena, path);
    if (is_folder(path) || dir_len == 0)
        return;
    snprintf(path, sizeof(path), "%.*s", (int)dir_len - 1, config->file);
    if (strcmp(base_name(path), HOME_NAME) != 0)
        return;
    config->home = arena_strdup(arena, path);
    config->prefix = arena_text(arena, (struct span){path, (size_t)(base_name(path) - path)});
}

/* ---- judging ---- */

static const struct toml *
section_table(const struct config *config, const char *name)
{
    return toml_get(config->tree, name);
}

/* Every destination's own keys are judged when its option table is at hand. */
static void
check_destinations(const struct config *config, const struct toml *table, struct report *report)
{
    static const struct section any = {.path = "destinations"};
    const struct toml *first = section_table(config, "turbopuffer");

    section_check(&any, config->file, table, report);
    if (table->type != TOML_TABLE)
        return;
    for (const struct toml *node = table->first; node; node = node->next) {
        if (node->type != TOML_TABLE)
            fault_at(report, spot_of_key(config->file, node),
                     "%.*s in [destinations] is of type %s; write a table [destinations.NAME]",
                     SPAN_ARG(node->key), toml_type_names[node->type]);
        if (first && span_eq(node->key, SPAN("turbopuffer")))
            fault_at(report, spot_of_key(config->file, node),
                     "[destinations.turbopuffer] is [turbopuffer] of line %d again; keep one",
                     first->key_line);
    }
}

static void
check_top_key(const struct config *config, const struct toml *node, struct report *report)
{
    const char *feature = later_find(top_later, node->key, (struct span){0});

    if (feature)
        fault_at(report, spot_of_key(config->file, node),
                 "[%.*s] belongs to %s, which this version does not have; remove it",
                 SPAN_ARG(node->key), feature);
    else
        fault_at(report, spot_of_key(config->file, node), "unknown key \"%.*s\"%s",
                 SPAN_ARG(node->key),
                 section_hint(top_words, ARRAY_LEN(top_words) - 1, node->key, report->arena));
}

static void
check_top(const struct config *config, struct report *report)
{
    static const struct section *const sections[] = {&postgres_section, &state_section,
                                                     &batching_section, &deletes_section};
    static const struct section turbopuffer = {.path = "turbopuffer"};

    for (const struct toml *node = config->tree->first; node; node = node->next) {
        const struct section *section = NULL;

        for (size_t i = 0; i < ARRAY_LEN(sections); i++) {
            if (span_eq(node->key, span_of(sections[i]->path)))
                section = sections[i];
        }
        if (section)
            section_check(section, config->file, node, report);
        else if (span_eq(node->key, SPAN("turbopuffer")))
            section_check(&turbopuffer, config->file, node, report);
        else if (span_eq(node->key, SPAN("destinations")))
            check_destinations(config, node, report);
        else
            check_top_key(config, node, report);
    }
    if (!section_table(config, "postgres"))
        fault_at(report, (struct spot){config->file, 1, 1},
                 "[postgres] is missing; write [postgres] and connection_string = "
                 "\"${DATABASE_URL}\"");
    else if (section_table(config, "postgres")->type == TOML_TABLE &&
             !toml_get(section_table(config, "postgres"), "connection_string"))
        fault_at(report, spot_of_key(config->file, section_table(config, "postgres")),
                 "connection_string is missing in [postgres]; %s", postgres_options[0].help);
}

bool
config_load(const char *given, struct arena *arena, struct report *report, struct config *ret,
            struct err *err)
{
    struct config config = {0};
    struct toml *tree;
    struct span text;

    if (!config_find(given, arena, &config.file, err) ||
        !file_read(config.file, FILE_MAX, arena, &text, err))
        return false;
    place(&config, arena);
    if (!toml_parse(text, config.file, arena, &tree, err))
        return false;
    config.tree = tree;
    check_top(&config, report);
    *ret = config;
    return true;
}

/* ---- reading a section ---- */

bool
config_postgres(const struct config *config, struct arena *arena, struct config_postgres *ret,
                struct err *err)
{
    struct config_postgres settings = {0};

    if (!section_load(&postgres_section, config->file, section_table(config, "postgres"), &settings,
                      arena, err))
        return false;
    if (!*settings.connection_string)
        return err_set(err, ERR_CONFIG,
                       "%s: [postgres] connection_string is empty; write a URL such as "
                       "postgres://user@host/database",
                       config->file);
    *ret = settings;
    return true;
}

bool
config_state(const struct config *config, struct arena *arena, struct config_state *ret,
             struct err *err)
{
    struct config_state settings = {0};
    char path[PATH_LIMIT];

    if (!section_load(&state_section, config->file, section_table(config, "state"), &settings,
                      arena, err))
        return false;
    if (settings.backend == CONFIG_STATE_MEMORY)
        settings.path = NULL;
    else if (!settings.path)
        snprintf(path, sizeof(path), "%s/state/puffgres.db", config->home);
    else
        snprintf(path, sizeof(path), "%s%s", *settings.path == '/' ? "" : config->prefix,
                 settings.path);
    if (settings.backend == CONFIG_STATE_SQLITE)
        settings.path = arena_strdup(arena, path);
    *ret = settings;
    return true;
}

bool
config_batching(const struct config *config, struct arena *arena, struct config_batching *ret,
                struct err *err)
{
    return section_load(&batching_section, config->file, section_table(config, "batching"), ret,
                        arena, err);
}

bool
config_deletes(const struct config *config, struct arena *arena, struct config_deletes *ret,
               struct err *err)
{
    struct deletes settings = {0};

    if (!section_load(&deletes_section, config->file, section_table(config, "deletes"), &settings,
                      arena, err))
        return false;
    *ret = (struct config_deletes){.mode = settings.mode, .grace_ms = settings.grace};
    return true;
}

/* ---- destinations ---- */

/* [turbopuffer] is [destinations.turbopuffer] under its own name. */
static const struct toml *
destination_table(const struct config *config, const char *name)
{
    const struct toml *destinations = section_table(config, "destinations");
    const struct toml *table = NULL;

    if (strcmp(name, "turbopuffer") == 0)
        table = section_table(config, "turbopuffer");
    if (!table && destinations && destinations->type == TOML_TABLE)
        table = toml_get(destinations, name);
    return table;
}

/* The key that is ours in a destination's table, with the destination's own options. */
static const char *const own_keys[] = {"namespace_prefix", NULL};

bool
config_namespace_prefix(const struct config *config, struct arena *arena, const char **ret,
                        struct err *err)
{
    const struct toml *table = destination_table(config, "turbopuffer");

    if (table && table->type != TOML_TABLE)
        table = NULL; /* a fault that was reported */
    return section_string(config->file, table, own_keys[0], arena, ret, err);
}

static const char *
section_path(const char *name, const struct toml *table, const struct config *config,
             struct arena *arena)
{
    char path[PATH_LIMIT];

    if (!table || table == section_table(config, name))
        return name;
    snprintf(path, sizeof(path), "destinations.%s", name);
    return arena_strdup(arena, path);
}

void
config_destination_check(const struct config *config, const char *name, const struct opt *options,
                         struct report *report)
{
    const struct toml *table = destination_table(config, name);
    const struct section section = {
        .path = section_path(name, table, config, report->arena),
        .options = options,
        .skip = own_keys,
    };

    if (table)
        section_check(&section, config->file, table, report);
}

bool
config_destination(const struct config *config, const char *name, const struct opt *options,
                   struct arena *arena, struct opt_value **ret, size_t *ret_count, struct err *err)
{
    const struct toml *table = destination_table(config, name);
    const struct section section = {
        .path = section_path(name, table, config, arena),
        .options = options,
        .skip = own_keys,
    };

    return section_values(&section, config->file, table, arena, ret, ret_count, err);
}

/* ---- names ---- */

bool
config_slot_name(const char *written, struct arena *arena, const char **ret, struct err *err)
{
    char *name = arena_strdup(arena, written);
    size_t len = strlen(name);

    for (char *c = name; *c; c++) {
        if (*c == '-')
            *c = '_';
        if (!strchr("abcdefghijklmnopqrstuvwxyz0123456789_", *c))
            return err_set(err, ERR_CONFIG,
                           "\"%s\" cannot name a replication slot: only a-z, 0-9 and _ are "
                           "allowed; choose another name",
                           written);
    }
    if (len == 0 || len > SLOT_NAME_MAX)
        return err_set(err, ERR_CONFIG,
                       "\"%s\" cannot name a replication slot: it has %zu characters; 1 to %d are "
                       "allowed",
                       written, len, SLOT_NAME_MAX);
    *ret = name;
    return true;
}
