/* config: found in the right order, judged whole, read section by section. */
#include "project/config.h"

#include <fcntl.h>

#include "base/file.h"
#include "harness/check.h"
#include "harness/findings.h"
#include "harness/folder.h"
#include "model/mapping.h"

#define PLAIN "[postgres]\nconnection_string = \"host=x\"\n"

/* A folder with this puffgres.toml, loaded by its path. */
struct loaded {
    struct folder folder;
    struct arena *arena;
    struct report report;
    struct config config;
};

static struct loaded
load(const char *text)
{
    struct loaded loaded = {.folder = folder_make(), .arena = arena_new("test")};
    struct err err;

    loaded.report = report_make(loaded.arena);
    folder_write(&loaded.folder, "puffgres.toml", text);
    CHECK_OK(config_load(loaded.folder.path, loaded.arena, &loaded.report, &loaded.config, &err),
             err);
    loaded.config.file = "puffgres.toml"; /* the folder's name is no news */
    return loaded;
}

static void
done(struct loaded *loaded)
{
    folder_remove(&loaded->folder);
    arena_free(loaded->arena);
}

static void
check_faults(const char *text, const char *want)
{
    CLEANUP(done) struct loaded loaded = load(text);

    for (struct finding *f = loaded.report.first; f; f = f->next)
        f->where = strstr(f->where, "puffgres.toml");
    CHECK_FINDINGS(&loaded.report, want);
}

/* ---- the mission's examples, word for word ---- */

static const char *
mission(const char *name, struct arena *arena)
{
    char path[512];
    struct span text;
    struct err err;

    snprintf(path, sizeof(path), "%s/tests/fixtures/mission/%s", TEST_SOURCE_ROOT, name);
    CHECK_OK(file_read(path, MEGABYTES(1), arena, &text, &err), err);
    return arena_text(arena, text);
}

static void
mission_quick_start_config(void **state UNUSED)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new("test");
    CLEANUP(done) struct loaded loaded = load(mission("quick_start_config.toml", arena));
    struct config_postgres postgres;
    struct err err;

    CHECK_FINDINGS(&loaded.report, "");
    setenv("DATABASE_URL", "postgres://user:password@host:5432/dbname", 1);
    CHECK_OK(config_postgres(&loaded.config, arena, &postgres, &err), err);
    CHECK_STR(postgres.connection_string, "postgres://user:password@host:5432/dbname");
    CHECK_STR(postgres.slot, "puffgres");
    CHECK(!postgres.publication);
}

static void
mission_full_config_names_its_later_feature(void **state UNUSED)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new("test");

    check_faults(
        mission("full_config.toml", arena),
        "puffgres.toml:8:2: [providers] belongs to embedding providers, which this version does "
        "not have; remove it\n");
}

/* ---- 2.5 #21: where the file is ---- */

static void
is_found_in_order(void **state UNUSED)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new("test");
    CLEANUP(folder_remove) struct folder folder = folder_make();
    const char *found;
    struct err err;
    char *back = getcwd(NULL, 0);

    CHECK(back && chdir(folder.path) == 0);
    CHECK_FAILS(config_find(NULL, arena, &found, &err), err, ERR_CONFIG,
                "there is no puffgres.toml here, in puffgres/ or above; run puffgres init to make "
                "a project, or name the file with -c");
    CHECK(mkdir("puffgres", 0755) == 0 && mkdir("other", 0755) == 0);
    CHECK(close(creat("puffgres/puffgres.toml", 0644)) == 0);
    CHECK_OK(config_find(NULL, arena, &found, &err), err);
    CHECK_STR(found, "puffgres/puffgres.toml");
    CHECK(close(creat("puffgres.toml", 0644)) == 0);
    CHECK_OK(config_find(NULL, arena, &found, &err), err);
    CHECK_STR(found, "puffgres.toml");
    CHECK_OK(config_find("puffgres", arena, &found, &err), err);
    CHECK_STR(found, "puffgres/puffgres.toml");
    CHECK_FAILS(config_find("nowhere.toml", arena, &found, &err), err, ERR_CONFIG,
                "there is no file nowhere.toml; puffgres init makes one");
    CHECK(unlink("puffgres/puffgres.toml") == 0 && chdir("puffgres") == 0);
    CHECK_OK(config_find(NULL, arena, &found, &err), err);
    CHECK_STR(found, "../puffgres.toml");
    CHECK(chdir("../other") == 0);
    CHECK(!config_find(NULL, arena, &found, &err));
    CHECK(chdir(back) == 0);
    free(back);
}

static void
paths_are_relative_to_the_project(void **state UNUSED)
{
    static const struct {
        const char *file, *home, *prefix;
    } cases[] = {
        {"a/puffgres.toml", "a/puffgres", "a/"},
        {"b/puffgres/puffgres.toml", "b/puffgres", "b/"},
    };
    CLEANUP(arena_freep) struct arena *arena = arena_new("test");
    CLEANUP(folder_remove) struct folder folder = folder_make();

    folder_make_in(&folder, "a");
    folder_make_in(&folder, "b");
    folder_make_in(&folder, "b/puffgres");
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct report report = report_make(arena);
        struct config_state kept;
        struct config config;
        char want[512];
        struct err err;

        folder_write(&folder, cases[i].file, PLAIN);
        CHECK_OK(config_load(folder_path(&folder, cases[i].file), arena, &report, &config, &err),
                 err);
        snprintf(want, sizeof(want), "%s/%s", folder.path, cases[i].home);
        CHECK_STR(config.home, want);
        snprintf(want, sizeof(want), "%s/%s", folder.path, cases[i].prefix);
        CHECK_STR(config.prefix, want);
        CHECK_OK(config_state(&config, arena, &kept, &err), err);
        snprintf(want, sizeof(want), "%s/%s/state/puffgres.db", folder.path, cases[i].home);
        CHECK_STR(kept.path, want);
    }
}

/* ---- faults ---- */

static void
names_the_place_of_every_fault(void **state UNUSED)
{
    /* clang-format off */
    static const struct {
        const char *text, *want;
    } cases[] = {
        {"", "puffgres.toml:1:1: [postgres] is missing; write [postgres] and connection_string = \"${DATABASE_URL}\"\n"},
        {"[postgres]\n", "puffgres.toml:1:2: connection_string is missing in [postgres]; write it as a URL or as "
         "key=value words, best as \"${DATABASE_URL}\"\n"},
        {PLAIN "[postgress]\n", "puffgres.toml:3:2: unknown key \"postgress\"; did you mean \"postgres\"?\n"},
        {PLAIN "slott = \"x\"\n", "puffgres.toml:3:1: unknown key \"slott\" in [postgres]; did you mean \"slot\"?\n"},
        {PLAIN "slot = 7\n", "puffgres.toml:3:8: slot is of type integer; write a text in quotes\n"},
        {PLAIN "source = \"wal2json_poll\"\n",
         "puffgres.toml:3:10: source = \"wal2json_poll\" belongs to reading through wal2json, which this version does not have\n"},
        {PLAIN "[state]\nbackend = \"postgres\"\n",
         "puffgres.toml:4:11: backend = \"postgres\" belongs to state in Postgres, which this version does not have\n"},
        {PLAIN "[state]\nschema = \"x\"\n",
         "puffgres.toml:4:1: [state] schema belongs to state in Postgres, which this version does not have; remove it\n"},
        {PLAIN "[backfill]\nauto = true\n",
         "puffgres.toml:3:2: [backfill] belongs to backfill, which this "
         "version does not have; remove it\n"},
        {PLAIN "[turbopuffer]\n[destinations.turbopuffer]\n",
         "puffgres.toml:4:15: [destinations.turbopuffer] is [turbopuffer] of line 3 again; keep one\n"},
        {PLAIN "[destinations]\nstdout = 1\n",
         "puffgres.toml:4:1: stdout in [destinations] is of type integer; write a table [destinations.NAME]\n"},
        {PLAIN "[batching]\nbatch_max_rows = \"${ROWS}\"\n", ""}, /* judged when it is read */
        {"postgres = 1\n", "puffgres.toml:1:12: postgres is of type integer; write [postgres] as a table\n"},
    };
    /* clang-format on */

    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        check_faults(cases[i].text, cases[i].want);
}

static void
values_are_checked_where_they_stand(void **state UNUSED)
{
    CLEANUP(done) struct loaded loaded = load(PLAIN "[batching]\nbatch_max_rows = 0\n");

    CHECK_INT(loaded.report.count[SEVERITY_ERROR], 1);
    CHECK(strstr(loaded.report.first->where, "puffgres.toml:4:18"));
    CHECK(strstr(loaded.report.first->text, "batch_max_rows"));
}

static void
malformed_files_say_where(void **state UNUSED)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new("test");
    CLEANUP(folder_remove) struct folder folder = folder_make();
    struct report report = report_make(arena);
    struct config config;
    struct err err;

    folder_write(&folder, "puffgres.toml", "[postgres]\nslot = \n");
    CHECK(!config_load(folder.path, arena, &report, &config, &err));
    CHECK_INT(err.kind, ERR_CONFIG);
    CHECK(strstr(err.text, "puffgres.toml:2:"));
}

/* ---- variables ---- */

static void
variables_are_needed_only_where_used(void **state UNUSED)
{
    CLEANUP(done)
    struct loaded loaded = load("[postgres]\nconnection_string = \"${NO_SUCH_URL}\"\n"
                                "slot = \"${NO_SUCH_SLOT:-mine}\"\n"
                                "[state]\nbackend = \"memory\"\n");
    struct config_postgres postgres;
    struct config_state kept;
    struct err err;

    CHECK_FINDINGS(&loaded.report, "");
    CHECK_OK(config_state(&loaded.config, loaded.arena, &kept, &err), err);
    CHECK_INT(kept.backend, CONFIG_STATE_MEMORY);
    CHECK(!kept.path);
    CHECK(!config_postgres(&loaded.config, loaded.arena, &postgres, &err));
    CHECK_INT(err.kind, ERR_CONFIG);
    CHECK(strncmp(err.text, "puffgres.toml:2:21: ", 20) == 0);
    CHECK(strstr(err.text, "NO_SUCH_URL"));
    setenv("NO_SUCH_URL", "host=y", 1);
    CHECK_OK(config_postgres(&loaded.config, loaded.arena, &postgres, &err), err);
    CHECK_STR(postgres.slot, "mine");
    unsetenv("NO_SUCH_URL");
}

static void
secrets_are_not_in_messages(void **state UNUSED)
{
    CLEANUP(done) struct loaded loaded = load("[postgres]\nconnection_string = \"\"\n");
    struct config_postgres postgres;
    struct err err;

    CHECK_FAILS(config_postgres(&loaded.config, loaded.arena, &postgres, &err), err, ERR_CONFIG,
                "puffgres.toml: [postgres] connection_string is empty; write a URL such as "
                "postgres://user@host/database");
}

/* ---- sections ---- */

static void
defaults_of_the_requirements(void **state UNUSED)
{
    CLEANUP(done) struct loaded loaded = load(PLAIN);
    struct config_batching batching;
    struct config_deletes deletes;
    const char *prefix;
    struct err err;

    CHECK_OK(config_batching(&loaded.config, loaded.arena, &batching, &err), err);
    CHECK_INT(batching.batch_max_rows, 1000);
    CHECK_INT(batching.batch_max_bytes, 8 * 1024 * 1024);
    CHECK_INT(batching.flush_interval_ms, 100);
    CHECK_INT(batching.memory_budget, 48 * 1024 * 1024);
    CHECK_OK(config_deletes(&loaded.config, loaded.arena, &deletes, &err), err);
    CHECK_INT(deletes.mode, DELETES_PHYSICAL);
    CHECK_INT(deletes.grace_ms, 3600 * 1000);
    CHECK_OK(config_namespace_prefix(&loaded.config, loaded.arena, &prefix, &err), err);
    CHECK_STR(prefix, "");
}

struct sample {
    const char *api_key;
    int64_t timeout;
};

static const struct opt sample_options[] = {
    {OPT_STRING(struct sample, api_key), .flags = OPT_SECRET, .help = "A key"},
    {OPT_MILLIS(struct sample, timeout), .fallback = "60s", .min = 1, .max = 600000, .help = "T"},
    {0},
};

static void
destinations_get_their_settings(void **state UNUSED)
{
    CLEANUP(done)
    struct loaded loaded =
        load(PLAIN "[turbopuffer]\napi_key = \"${NO_SUCH_KEY:-k}\"\nnamespace_prefix = \"p-\"\n"
                   "[destinations.stdout]\ntimout = \"1s\"\n");
    struct report report = report_make(loaded.arena);
    struct opt_value *values;
    const char *prefix;
    size_t count;
    struct err err;

    CHECK_FINDINGS(&loaded.report, "");
    CHECK_OK(config_destination(&loaded.config, "turbopuffer", sample_options, loaded.arena,
                                &values, &count, &err),
             err);
    CHECK_INT(count, 1);
    CHECK_SPAN(values[0].name, "api_key");
    CHECK_SPAN(values[0].value, "k");
    CHECK_STR(values[0].where, "puffgres.toml:4:11");
    CHECK_OK(config_namespace_prefix(&loaded.config, loaded.arena, &prefix, &err), err);
    CHECK_STR(prefix, "p-");

    config_destination_check(&loaded.config, "turbopuffer", sample_options, &report);
    config_destination_check(&loaded.config, "stdout", sample_options, &report);
    config_destination_check(&loaded.config, "null", sample_options, &report);
    CHECK_FINDINGS(&report, "puffgres.toml:7:1: unknown key \"timout\" in [destinations.stdout]; "
                            "did you mean \"timeout\"?\n");
}

static void
slot_names_are_those_of_postgres(void **state UNUSED)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new("test");
    const char *name;
    struct err err;

    CHECK_OK(config_slot_name("my-slot", arena, &name, &err), err); /* the README's own */
    CHECK_STR(name, "my_slot");
    CHECK_FAILS(config_slot_name("My Slot", arena, &name, &err), err, ERR_CONFIG,
                "\"My Slot\" cannot name a replication slot: only a-z, 0-9 and _ are allowed; "
                "choose another name");
    CHECK(!config_slot_name("", arena, &name, &err));
    CHECK(!config_slot_name("a234567890123456789012345678901234567890123456789012345678901234",
                            arena, &name, &err));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(mission_quick_start_config),
        cmocka_unit_test(mission_full_config_names_its_later_feature),
        cmocka_unit_test(is_found_in_order),
        cmocka_unit_test(paths_are_relative_to_the_project),
        cmocka_unit_test(names_the_place_of_every_fault),
        cmocka_unit_test(values_are_checked_where_they_stand),
        cmocka_unit_test(malformed_files_say_where),
        cmocka_unit_test(variables_are_needed_only_where_used),
        cmocka_unit_test(secrets_are_not_in_messages),
        cmocka_unit_test(defaults_of_the_requirements),
        cmocka_unit_test(destinations_get_their_settings),
        cmocka_unit_test(slot_names_are_those_of_postgres),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
