/* migration: both layouts, every key, and what is said about a wrong one. */
#include "project/migration.h"

#include "base/file.h"
#include "base/json.h"
#include "harness/check.h"
#include "harness/findings.h"

#define HEAD  "[migration]\nname = \"users\"\nversion = 1\n"
#define TABLE "[source]\ntable = \"users\"\n"
#define COLS  "[mapping]\nid = \"id\"\ncolumns = [\"id\", \"name\"]\n"
#define GOAL  "[target]\nnamespace = \"users\"\n"
#define WHOLE HEAD TABLE COLS GOAL

static const char *const destinations[] = {"turbopuffer", "null", "stdout", NULL};

static const struct migration_defaults defaults = {.namespace_prefix = "",
                                                   .destinations = destinations,
                                                   .batch_max_rows = 1000,
                                                   .batch_max_bytes = 8 * 1024 * 1024,
                                                   .flush_interval_ms = 100,
                                                   .grace_ms = 3600 * 1000};

struct parsed {
    struct arena *arena;
    struct report report;
    struct migration migration;
    bool good;
};

static struct parsed
parse_with(const struct migration_defaults *with, const char *text)
{
    struct parsed parsed = {.arena = arena_new("test")};
    const struct migration_input input = {
        .path = "m.toml", .file = "m.toml", .text = span_of(text)};

    parsed.report = report_make(parsed.arena);
    parsed.good = migration_parse(&input, with, parsed.arena, &parsed.report, &parsed.migration);
    return parsed;
}

static struct parsed
parse(const char *text)
{
    return parse_with(&defaults, text);
}

static void
done(struct parsed *parsed)
{
    arena_free(parsed->arena);
}

static void
check_faults(const char *text, const char *want)
{
    CLEANUP(done) struct parsed parsed = parse(text);

    CHECK_FINDINGS(&parsed.report, want);
    CHECK(parsed.good == (*want == '\0'));
}

/* ---- the mission's examples, word for word ---- */

static char *
read_mission(const char *name, struct arena *arena)
{
    char path[512];
    struct span text;
    struct err err;

    snprintf(path, sizeof(path), "%s/tests/fixtures/mission/%s", TEST_SOURCE_ROOT, name);
    CHECK_OK(file_read(path, MEGABYTES(1), arena, &text, &err), err);
    return arena_text(arena, text);
}

static void
mission_quick_start_migration(void **state UNUSED)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new("test");
    CLEANUP(done) struct parsed parsed = parse(read_mission("quick_start_migration.toml", arena));
    const struct mapping *m = &parsed.migration.mapping;

    CHECK_FINDINGS(&parsed.report, "");
    CHECK(parsed.good);
    CHECK_STR(m->name, "users");
    CHECK_INT(m->version, 1);
    CHECK_STR(m->schema, "public");
    CHECK_STR(m->table, "users");
    CHECK_STR(m->id_name, "id");
    CHECK_INT(m->id_type, ID_AUTO);
    CHECK_INT(m->name_count, 5);
    CHECK_STR(m->names[4], "created_at");
    CHECK(!m->predicate_text);
    CHECK_STR(m->target, "users");
    CHECK_STR(m->destination, "turbopuffer");
    CHECK_INT(m->versioning, VERSIONING_SOURCE_LSN);
    CHECK_INT(m->deletes, DELETES_PHYSICAL);
    CHECK_INT(m->format, WRITE_COLUMNS);
    CHECK_INT(m->lanes, 1);
    CHECK_INT(m->batch_max_rows, 1000);
    CHECK_INT(m->grace_ms, 3600 * 1000);
}

/* It parses whole; only its transform is of a later version, and is refused by that name. */
static void
mission_full_migration(void **state UNUSED)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new("test");
    char *text = read_mission("full_migration.toml", arena);
    const char *transform = "transform = \"transforms/product_transform.ts\"";
    CLEANUP(done) struct parsed with = parse(text);
    char *at = strstr(text, transform);

    CHECK_FINDINGS(&with.report,
                   "m.toml:17:13: transform \"transforms/product_transform.ts\" belongs to "
                   "JavaScript and TypeScript transforms, which this version does not have; leave "
                   "it out or write \"identity\"\n");
    CHECK(at);
    memset(at, ' ', strlen(transform));
    CLEANUP(done) struct parsed without = parse(text);
    const struct mapping *m = &without.migration.mapping;

    CHECK_FINDINGS(&without.report, "");
    CHECK_STR(m->predicate_text, "active = true AND deleted_at IS NULL");
    CHECK_INT(m->predicate_line, 14);
    CHECK_INT(m->predicate_column, 15);
    CHECK_SPAN(json_get(m->hints, "price")->text, "float");
    CHECK_SPAN(json_get(m->hints, "category")->text, "string");
}

/* Each `membership = ...` line of the README stands in a file of its own. */
static void
mission_predicates(void **state UNUSED)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new("test");
    char *text = read_mission("predicates.toml", arena);
    int count = 0;

    for (char *line = strsep(&text, "\n"); line; line = strsep(&text, "\n")) {
        char whole[1024];

        if (strncmp(line, "membership", 10) != 0)
            continue;
        snprintf(whole, sizeof(whole), "%s%s\n%s", HEAD TABLE COLS, line, GOAL);
        check_faults(whole, "");
        count++;
    }
    CHECK_INT(count, 4);
}

static void
mission_transform(void **state UNUSED)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new("test");
    char whole[1024], *text = read_mission("transform.toml", arena);

    snprintf(whole, sizeof(whole), "%s%s%s%s%s", HEAD, TABLE, text,
             "id = \"id\"\ncolumns = [\"id\"]\n", GOAL);
    check_faults(whole, "m.toml:7:13: transform \"transforms/my_transform.ts\" belongs to "
                        "JavaScript and TypeScript transforms, which this version does not have; "
                        "leave it out or write \"identity\"\n");
}

/* 002, 6.1: the flat layout, every key that it lists. */
static void
mission_flat_layout(void **state UNUSED)
{
    CLEANUP(done)
    struct parsed parsed = parse("version = 3\n"
                                 "mapping_name = \"pages_public\"\n"
                                 "namespace = \"pages\"\n"
                                 "source = { schema = \"app\", table = \"pages\" }\n"
                                 "id = { column = \"page_id\", type = \"uuid\" }\n"
                                 "columns = [\"page_id\", \"title\"]\n"
                                 "transform = { type = \"identity\" }\n"
                                 "batch_max_rows = 10\n"
                                 "batch_max_bytes = 4096\n"
                                 "flush_interval_ms = 5\n"
                                 "[membership]\n"
                                 "mode = \"dsl\"\n"
                                 "predicate = \"public = true\"\n"
                                 "[tp_schema]\n"
                                 "title = { type = \"string\", full_text_search = true }\n"
                                 "[versioning]\n"
                                 "mode = \"source_lsn\"\n");
    const struct mapping *m = &parsed.migration.mapping;

    CHECK_FINDINGS(&parsed.report, "");
    CHECK_STR(m->name, "pages_public");
    CHECK_INT(m->version, 3);
    CHECK_STR(m->schema, "app");
    CHECK_STR(m->table, "pages");
    CHECK_STR(m->id_name, "page_id");
    CHECK_INT(m->id_type, ID_UUID);
    CHECK_STR(m->predicate_text, "public = true");
    CHECK_INT(m->predicate_line, 13);
    CHECK_INT(m->predicate_column, 14);
    CHECK_STR(m->target, "pages");
    CHECK_INT(m->batch_max_rows, 10);
    CHECK_INT(m->batch_max_bytes, 4096);
    CHECK_INT(m->flush_interval_ms, 5);
    CHECK(json_get(json_get(m->hints, "title"), "full_text_search")->yes);
}

/* ---- both layouts are one mapping ---- */

static void
layouts_have_one_normal_form(void **state UNUSED)
{
    CLEANUP(done) struct parsed nested = parse(WHOLE);
    CLEANUP(done) struct parsed again = parse(HEAD TABLE COLS "# a remark\n" GOAL);
    CLEANUP(done)
    struct parsed flat = parse(
        "version = 1\nmapping_name = \"users\"\nnamespace = \"users\"\nid = \"id\"\n"
        "columns = [\"id\", \"name\"]\nsource = { schema = \"public\", table = \"users\" }\n");

    CHECK(nested.good && again.good && flat.good);
    CHECK_STR(flat.migration.normal, nested.migration.normal);
    CHECK_STR(again.migration.normal, nested.migration.normal);
    CHECK_STR(nested.migration.normal,
              "{\"name\":\"users\",\"version\":1,\"source_schema\":\"public\","
              "\"source_table\":\"users\",\"id\":{\"column\":\"id\",\"type\":\"auto\","
              "\"encode\":null},\"columns\":[\"id\",\"name\"],\"membership\":null,"
              "\"transform\":\"identity\",\"destination\":\"turbopuffer\",\"namespace\":\"users\","
              "\"distance_metric\":null,\"schema\":null,\"on_unrepresentable\":\"dead_letter\","
              "\"lanes\":1,\"format\":\"columns\",\"versioning\":\"source_lsn\"}");
    CHECK_INT(strlen(nested.migration.mapping.hash), 64);
    CHECK(strcmp(nested.migration.mapping.hash, again.migration.mapping.hash) != 0);
}

static void
every_setting_is_in_the_normal_form(void **state UNUSED)
{
    static const char *const additions[] = {
        HEAD TABLE COLS "membership = \"id = 1\"\n" GOAL,
        HEAD TABLE COLS GOAL "distance_metric = \"cosine_distance\"\n",
        HEAD TABLE COLS GOAL "on_unrepresentable = \"null\"\n",
        HEAD TABLE COLS GOAL "lanes = 2\n",
        HEAD TABLE COLS GOAL "schema = { name = \"string\" }\n",
        HEAD TABLE COLS GOAL "write = { format = \"rows\" }\n",
        HEAD TABLE COLS GOAL "write = { batch_max_rows = 1000 }\n",
        HEAD TABLE COLS GOAL "[batching]\nbatch_max_bytes = \"8MiB\"\n",
        HEAD TABLE COLS GOAL "[batching]\nflush_interval_ms = 100\n",
        HEAD TABLE COLS GOAL "[deletes]\nmode = \"tombstone\"\n",
        HEAD TABLE COLS GOAL "[deletes]\ngrace = \"1h\"\n",
        HEAD TABLE COLS GOAL "[versioning]\nmode = \"none\"\n",
        HEAD "[source]\ntable = \"people\"\n" COLS GOAL,
        HEAD "[source]\ntable = \"users\"\nschema = \"app\"\n" COLS GOAL,
        HEAD TABLE "[mapping]\nid = \"uid\"\ncolumns = [\"id\", \"name\"]\n" GOAL,
        HEAD TABLE "[mapping]\nid = \"id\"\ncolumns = [\"id\"]\n" GOAL,
        HEAD TABLE "[mapping]\nid = { column = \"id\", encode = \"string\" }\n"
                   "columns = [\"id\", \"name\"]\n" GOAL,
        HEAD TABLE COLS "[target]\nnamespace = \"people\"\n",
        HEAD TABLE COLS "[target]\nnamespace = \"users\"\ndestination = \"null\"\n",
    };
    CLEANUP(done) struct parsed plain = parse(WHOLE);

    for (size_t i = 0; i < ARRAY_LEN(additions); i++) {
        CLEANUP(done) struct parsed other = parse(additions[i]);

        CHECK_FINDINGS(&other.report, "");
        if (strcmp(other.migration.normal, plain.migration.normal) == 0)
            fail_msg("no trace in the normal form: %s", additions[i]);
    }
}

static void
order_of_hints_does_not_matter(void **state UNUSED)
{
    CLEANUP(done)
    struct parsed one = parse(
        WHOLE "schema = { name = \"string\", age = { type = \"int\", filterable = false } }\n");
    CLEANUP(done)
    struct parsed other = parse(
        WHOLE "schema = { age = { filterable = false, type = \"int\" }, name = \"string\" }\n");

    CHECK(one.good && other.good);
    CHECK_STR(one.migration.normal, other.migration.normal);
}

/* ---- values ---- */

static void
reads_every_setting(void **state UNUSED)
{
    CLEANUP(done)
    struct parsed parsed = parse(HEAD TABLE COLS "membership = \"\"\"name != 'x'\"\"\"\n" GOAL
                                                 "distance_metric = \"euclidean_squared\"\n"
                                                 "on_unrepresentable = \"null\"\n"
                                                 "lanes = 4\n"
                                                 "[target.write]\n"
                                                 "format = \"rows\"\n"
                                                 "batch_max_rows = 7\n"
                                                 "batch_max_bytes = \"64KiB\"\n"
                                                 "flush_interval_ms = 0\n"
                                                 "[deletes]\n"
                                                 "mode = \"tombstone\"\n"
                                                 "grace = \"90s\"\n");
    const struct mapping *m = &parsed.migration.mapping;

    CHECK_FINDINGS(&parsed.report, "");
    CHECK_STR(m->distance_metric, "euclidean_squared");
    CHECK_INT(m->on_unrepresentable, UNREPRESENTABLE_NULL);
    CHECK_INT(m->lanes, 4);
    CHECK_INT(m->format, WRITE_ROWS);
    CHECK_INT(m->batch_max_rows, 7);
    CHECK_INT(m->batch_max_bytes, 64 * 1024);
    CHECK_INT(m->flush_interval_ms, 0);
    CHECK_INT(m->deletes, DELETES_TOMBSTONE);
    CHECK_INT(m->grace_ms, 90 * 1000);
    CHECK_STR(m->predicate_text, "name != 'x'");
    CHECK_INT(m->predicate_column, 17);
}

static void
takes_what_the_project_says(void **state UNUSED)
{
    struct migration_defaults with = defaults;

    with.namespace_prefix = "staging-";
    with.batch_max_rows = 5;
    with.deletes = DELETES_TOMBSTONE;
    with.grace_ms = 2000;
    CLEANUP(done) struct parsed parsed = parse_with(&with, WHOLE);
    CLEANUP(done) struct parsed plain = parse(WHOLE);
    const struct mapping *m = &parsed.migration.mapping;

    CHECK_FINDINGS(&parsed.report, "");
    CHECK_STR(m->target, "staging-users");
    CHECK_INT(m->batch_max_rows, 5);
    CHECK_INT(m->deletes, DELETES_TOMBSTONE);
    CHECK_INT(m->grace_ms, 2000);
    CHECK_STR(parsed.migration.normal, plain.migration.normal); /* the file says the same */
}

static void
other_destinations_need_no_namespace(void **state UNUSED)
{
    CLEANUP(done)
    struct parsed parsed = parse(HEAD TABLE COLS "[target]\ndestination = \"stdout\"\n");

    CHECK_FINDINGS(&parsed.report, "");
    CHECK_STR(parsed.migration.mapping.destination, "stdout");
    CHECK_STR(parsed.migration.mapping.target, "users");
}

static void
id_in_every_form(void **state UNUSED)
{
    static const struct {
        const char *text;
        enum id_type type;
        bool encode;
    } cases[] = {
        {"id = \"id\"", ID_AUTO, false},
        {"id = { column = \"id\" }", ID_AUTO, false},
        {"id = { column = \"id\", type = \"uint\" }", ID_UINT, false},
        {"id = { column = \"id\", type = \"int\", encode = \"string\" }", ID_INT, true},
        {"id = { column = \"id\", type = \"uuid\" }", ID_UUID, false},
        {"id = { column = \"id\", type = \"string\" }", ID_STRING, false},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char text[1024];

        snprintf(text, sizeof(text), "%s[mapping]\n%s\ncolumns = [\"id\"]\n%s", HEAD TABLE,
                 cases[i].text, GOAL);
        CLEANUP(done) struct parsed parsed = parse(text);
        CHECK_FINDINGS(&parsed.report, "");
        CHECK_STR(parsed.migration.mapping.id_name, "id");
        CHECK_INT(parsed.migration.mapping.id_type, cases[i].type);
        CHECK_INT(parsed.migration.mapping.id_encode_string, cases[i].encode);
    }
}

/* ---- faults ---- */

static void
says_what_is_missing(void **state UNUSED)
{
    check_faults("", "m.toml:1:1: migration.name is missing; write name = \"users\" under "
                     "[migration]\n"
                     "m.toml:1:1: migration.version is missing; write version = 1 under "
                     "[migration]\n"
                     "m.toml:1:1: source.table is missing; write table = \"users\" under [source]\n"
                     "m.toml:1:1: mapping.id is missing; write id = \"id\" under [mapping]\n"
                     "m.toml:1:1: mapping.columns is missing; write columns = [\"id\", \"name\"] "
                     "under [mapping]\n"
                     "m.toml:1:1: target.namespace is missing; write namespace = \"users\" under "
                     "[target]\n");
    check_faults(HEAD TABLE "[mapping]\ncolumns = [\"id\"]\n" GOAL,
                 "m.toml:6:2: mapping.id is missing; write id = \"id\" under [mapping]\n");
    check_faults("version = 1\n[source]\ntable = \"t\"\n",
                 "m.toml:1:1: mapping_name is missing; write mapping_name = \"users\"\n"
                 "m.toml:1:1: id is missing; write id = \"id\"\n"
                 "m.toml:1:1: columns is missing; write columns = [\"id\", \"name\"]\n"
                 "m.toml:1:1: namespace is missing; write namespace = \"users\"\n");
}

static void
names_the_place_of_every_fault(void **state UNUSED)
{
    /* clang-format off */
    static const struct {
        const char *text, *want;
    } cases[] = {
        {HEAD TABLE COLS "colums = 1\n" GOAL,
         "m.toml:9:1: unknown key \"colums\" in [mapping]; did you mean \"columns\"?\n"},
        {WHOLE "[misc]\na = 1\n",
         "m.toml:11:2: unknown key \"misc\"; known here: migration, source, mapping, target, "
         "tp_schema, batching, versioning, deletes\n"},
        {HEAD TABLE COLS GOAL "\"schema.name\" = \"string\"\n",
         "m.toml:11:1: unknown key \"schema.name\" in [target]; known here: namespace, destination, "
         "distance_metric, schema, on_unrepresentable, lanes, write\n"},
        {WHOLE "version = 2\n", "m.toml:11:1: unknown key \"version\" in [target]; known here: namespace, destination, "
         "distance_metric, schema, on_unrepresentable, lanes, write\n"},
        {"mapping_name = \"x\"\n" WHOLE,
         "m.toml:1:1: mapping_name belongs to the flat layout, but [migration] in line 2 begins the "
         "nested one; keep one of them\n"},
        {"[migration]\nname = \"users\"\nmapping_name = \"users\"\nversion = 1\n" TABLE COLS GOAL,
         "m.toml:3:1: migration.mapping_name says the same thing as name in line 2; keep one of "
         "them\n"},
        {"version = 1\nmapping_name = \"u\"\nnamespace = \"u\"\nid = \"id\"\ncolumns = [\"id\"]\n"
         "[source]\ntable = \"u\"\n[mapping]\nid = \"id\"\n",
         "m.toml:8:2: mapping belongs to the nested layout and this file has the other one; write a "
         "[migration] table instead of mapping_name\n"},
        {"[migration]\nname = \"users\"\nversion = \"1\"\n" TABLE COLS GOAL,
         "m.toml:3:11: version is of type string; write version = 1\n"},
        {"[migration]\nname = \"users\"\nversion = 0\n" TABLE COLS GOAL,
         "m.toml:3:11: migration.version is out of range; write 1 to 2147483647\n"},
        {"[migration]\nname = \"us ers\"\nversion = 1\n" TABLE COLS GOAL,
         "m.toml:2:8: \"us ers\" cannot name a mapping; use up to 128 letters, digits, \"_\", \"-\" "
         "and \".\"\n"},
        {"[migration]\nname = \"\"\nversion = 1\n" TABLE COLS GOAL,
         "m.toml:2:8: migration.name is empty; write a name or leave it out\n"},
        {HEAD TABLE COLS "[target]\nnamespace = \"us/ers\"\n",
         "m.toml:10:13: \"us/ers\" cannot name a namespace; use 1 to 128 letters, digits, \"_\", "
         "\"-\" and \".\"\n"},
        {HEAD TABLE COLS "[target]\nnamespace = \"${STAGE}-users\"\n",
         "m.toml:10:13: variables are for puffgres.toml; write the plain name here and "
         "namespace_prefix = \"${ENVIRONMENT}-\" under [turbopuffer] there\n"},
        {HEAD TABLE "[mapping]\nid = { type = \"uint\" }\ncolumns = [\"id\"]\n" GOAL,
         "m.toml:7:6: mapping.id names no column; write { column = \"id\", type = \"uint\" }\n"},
        {HEAD TABLE "[mapping]\nid = { column = \"id\", type = \"unit\" }\ncolumns = [\"id\"]\n" GOAL,
         "m.toml:7:30: id.type = \"unit\" is not known; did you mean \"uint\"?\n"},
        {HEAD TABLE "[mapping]\nid = { column = \"id\", typ = \"uint\" }\ncolumns = [\"id\"]\n" GOAL,
         "m.toml:7:23: unknown key \"typ\" in id; did you mean \"type\"?\n"},
        {HEAD TABLE "[mapping]\nid = \"id\"\ncolumns = []\n" GOAL,
         "m.toml:8:11: mapping.columns names 0 columns; name 1 to 1600 of them\n"},
        {HEAD TABLE "[mapping]\nid = \"id\"\ncolumns = [\"id\", 7, \"\", \"id\"]\n" GOAL,
         "m.toml:8:18: a column is of type integer; write a column's name in quotes\n"
         "m.toml:8:21: a column is empty; write a column's name\n"
         "m.toml:8:25: column \"id\" is named twice; remove one\n"},
        {WHOLE "lanes = 65\n", "m.toml:11:9: target.lanes is out of range; write 1 to 64\n"},
        {WHOLE "destination = \"turbopufer\"\n",
         "m.toml:11:15: target.destination = \"turbopufer\" is not known; did you mean "
         "\"turbopuffer\"?\n"},
        {WHOLE "distance_metric = \"dot\"\n",
         "m.toml:11:19: target.distance_metric = \"dot\" is not known; known here: cosine_distance, "
         "euclidean_squared\n"},
        {WHOLE "schema = { name = 7 }\n",
         "m.toml:11:19: the schema of name is of type integer; write a type such as \"float\", or a "
         "table such as { type = \"float\", filterable = false }\n"},
        {WHOLE "schema = { name = \"string\" }\n[tp_schema]\nname = \"int\"\n",
         "m.toml:12:2: tp_schema differs from the schema in line 11; keep one of them\n"},
        {WHOLE "schema = { name = \"string\" }\n[tp_schema]\nname = \"string\"\n", ""},
        {WHOLE "[target.write]\nbatch_max_bytes = \"8 mb\"\n",
         "m.toml:12:19: \"8 mb\" is not a size; write a number of bytes, or \"64KiB\", \"8MiB\"\n"},
        {WHOLE "[target.write]\nbatch_max_bytes = 5\n",
         "m.toml:12:19: target.write.batch_max_bytes is out of range; write 1024 to 268435456\n"},
        {WHOLE "[deletes]\ngrace = \"soon\"\n",
         "m.toml:12:9: \"soon\" is not a duration; write \"90s\", \"30m\" or \"1h\"\n"},
        {WHOLE "[deletes]\nmode = \"tombstone\"\n[versioning]\nmode = \"none\"\n",
         "m.toml:14:8: tombstones need versions; write versioning.mode = \"source_lsn\", or "
         "deletes.mode = \"physical\"\n"},
        {HEAD TABLE COLS "membership = \"  \"\n" GOAL,
         "m.toml:9:14: the predicate is empty; leave membership out when every row belongs\n"},
        {HEAD TABLE COLS "membership = { predicate = 1 }\n" GOAL,
         "m.toml:9:28: the predicate is of type integer; write a condition in quotes, such as "
         "\"status = 'active'\"\n"},
        {HEAD TABLE COLS "membership = { mode = \"dsl\" }\n" GOAL,
         "m.toml:9:14: membership has no predicate; write predicate = \"status = 'active'\"\n"},
        {HEAD TABLE COLS "transform = \"upper\"\n" GOAL,
         "m.toml:9:13: this is no transform; leave it out or write \"identity\" (files end in .ts, "
         ".js, .mjs or .so)\n"},
        {"[migration\n", "m.toml:1:11: "},
    };
    /* clang-format on */

    for (size_t i = 0; i < ARRAY_LEN(cases) - 1; i++)
        check_faults(cases[i].text, cases[i].want);
    /* The words of a syntax error are the parser's. */
    CLEANUP(done) struct parsed parsed = parse(cases[ARRAY_LEN(cases) - 1].text);
    CHECK(!parsed.good && parsed.report.first);
    CHECK(strncmp(parsed.report.first->where, "m.toml:1:", 9) == 0);
}

/* A9: bad predicate syntax is told by its place in the file, not in the string. */
static void
predicate_faults_stand_in_the_file(void **state UNUSED)
{
    CLEANUP(done)
    struct parsed parsed = parse(HEAD TABLE COLS "membership = \"name = 'x' AND\"\n" GOAL);
    CLEANUP(done)
    struct parsed trailing = parse(HEAD TABLE COLS "membership = 'name IS NULL )'\n" GOAL);

    CHECK(!parsed.good && parsed.report.first);
    CHECK_STR(parsed.report.first->where, "m.toml:9:29");
    CHECK(strncmp(parsed.report.first->text, "column ", 7) != 0);
    CHECK(!trailing.good && trailing.report.first);
    CHECK_STR(trailing.report.first->where, "m.toml:9:28");
}

static void
later_features_are_refused_by_name(void **state UNUSED)
{
    /* clang-format off */
    static const struct {
        const char *text, *feature;
    } cases[] = {
        {HEAD "[source]\nview = \"v\"\n" COLS GOAL,                       "views as sources"},
        {HEAD TABLE COLS "membership = { mode = \"view\" }\n" GOAL,          "views as sources"},
        {HEAD TABLE COLS "membership = { mode = \"lookup\" }\n" GOAL,        "membership by look-up"},
        {HEAD TABLE COLS "transform = \"t.js\"\n" GOAL,                      "JavaScript and TypeScript transforms"},
        {HEAD TABLE COLS "transform = \"t.mjs\"\n" GOAL,                     "JavaScript and TypeScript transforms"},
        {HEAD TABLE COLS "transform = { path = \"t.so\", symbol = \"f\" }\n" GOAL, "native transforms"},
        {HEAD TABLE COLS "transform = \"t.rs\"\n" GOAL,                      "native transforms"},
        {HEAD TABLE COLS "transform = { type = \"rust\" }\n" GOAL,           "native transforms"},
        {HEAD TABLE COLS "ids = \"free\"\n" GOAL,                            "transforms"},
        {WHOLE "[versioning]\nmode = \"column\"\n",                          "versioning by a column of the row"},
        {WHOLE "[versioning]\ncolumn = \"updated_at\"\n",                    "versioning by a column of the row"},
        {WHOLE "[deletes]\ngc = \"7d\"\n",                                   "collecting tombstones"},
        {WHOLE "[backfill]\nauto = true\n",                                  "backfill"},
    };
    /* clang-format on */

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        CLEANUP(done) struct parsed parsed = parse(cases[i].text);

        CHECK(!parsed.good);
        CHECK_INT(parsed.report.count[SEVERITY_ERROR], 1);
        if (!strstr(parsed.report.first->text, cases[i].feature) ||
            !strstr(parsed.report.first->text, "which this version does not have"))
            fail_msg("%s\ngot %s, want %s", cases[i].text, parsed.report.first->text,
                     cases[i].feature);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(mission_quick_start_migration),
        cmocka_unit_test(mission_full_migration),
        cmocka_unit_test(mission_predicates),
        cmocka_unit_test(mission_transform),
        cmocka_unit_test(mission_flat_layout),
        cmocka_unit_test(layouts_have_one_normal_form),
        cmocka_unit_test(every_setting_is_in_the_normal_form),
        cmocka_unit_test(order_of_hints_does_not_matter),
        cmocka_unit_test(reads_every_setting),
        cmocka_unit_test(takes_what_the_project_says),
        cmocka_unit_test(other_destinations_need_no_namespace),
        cmocka_unit_test(id_in_every_form),
        cmocka_unit_test(says_what_is_missing),
        cmocka_unit_test(names_the_place_of_every_fault),
        cmocka_unit_test(predicate_faults_stand_in_the_file),
        cmocka_unit_test(later_features_are_refused_by_name),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
