/* marks: what a start means for each mapping. */
#include "runner/marks.h"

#include "harness/check.h"
#include "project/migration.h"

static struct table users_table = {.oid = 11, .schema = "public", .name = "users"};
static struct table events_table = {.oid = 22, .schema = "app", .name = "events", .kind = 'p'};

static struct migration migrations[] = {
    {.mapping = {.name = "users", .schema = "public", .table = "users", .source = &users_table}},
    {.mapping =
         {.name = "more_users", .schema = "public", .table = "users", .source = &users_table}},
    {.mapping = {.name = "events", .schema = "app", .table = "events", .source = &events_table}},
};

struct fixture {
    struct arena *arena;
    struct migration *list[ARRAY_LEN(migrations)];
    struct start_plan plan;
    struct marks marks;
};

static void
begin(struct fixture *f, lsn_t start, bool not_backfilled)
{
    f->arena = arena_new("test");
    for (size_t i = 0; i < ARRAY_LEN(migrations); i++)
        f->list[i] = &migrations[i];
    f->plan = (struct start_plan){.action = START_STREAM, .not_backfilled = not_backfilled};
    f->marks = marks_make(&(struct marks_args){.arena = f->arena,
                                               .migrations = f->list,
                                               .count = ARRAY_LEN(migrations),
                                               .start = start,
                                               .entered = start + 20,
                                               .plan = &f->plan});
}

static void
done(struct fixture *f)
{
    arena_free(f->arena);
}

/* ---- checkpoints ---- */

/* clang-format off */
static const struct {
    const char *what;
    lsn_t stored; /* 0: no record */
    unsigned flags;
    bool not_backfilled;
    lsn_t want;
    unsigned want_flags;
    const char *want_text;
} cases[] = {
    {"a new mapping begins when published",   0,   0,                   false, 120, 0, ""},
    {"where it was",                          100, STORE_BACKFILLED,    false, 100, STORE_BACKFILLED, ""},
    {"ahead of the others",                   150, 0,                   false, 150, 0, ""},
    {"it was not there while others passed",  60,  0,                   false, 100, STORE_REREAD_NEEDED,
     "changes between 0/3C and 0/64 were not read"},
    {"a stop is tried again",                 100, STORE_STOPPED,       false, 100, 0, ""},
    {"a mark stays, and its text",            100, STORE_REREAD_NEEDED, false, 100, STORE_REREAD_NEEDED, "old reason"},
    {"a new slot knows no older rows",        100, STORE_BACKFILLED,    true,  100, 0, ""},
};
/* clang-format on */

static void
rule_11_a_gap_marks_its_mapping(void **state UNUSED)
{
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        CLEANUP(done) struct fixture f;
        const struct store_checkpoint stored[] = {
            {.mapping = "events", .lsn = 100, .text = ""},
            {.mapping = "users",
             .lsn = cases[i].stored,
             .flags = cases[i].flags,
             .truncate = {7, 8},
             .text = "old reason"},
        };
        struct store_checkpoint got;

        print_message("%s\n", cases[i].what);
        begin(&f, 100, cases[i].not_backfilled);
        got = marks_checkpoint(&f.marks, 0, stored, cases[i].stored ? 2 : 1);
        marks_apply(&f.marks, 0, &got);
        CHECK_STR(got.mapping, "users");
        CHECK_INT(got.lsn, cases[i].want);
        CHECK_INT(got.flags, cases[i].want_flags);
        CHECK_STR(got.text, cases[i].want_text);
        CHECK_INT(got.truncate.commit, cases[i].stored ? 7 : 0);
    }
}

/* A new cluster's LSNs have nothing to do with the old ones; a new slot at --from-lsn has. */
static void
rule_05_positions_of_another_cluster_are_forgotten(void **state UNUSED)
{
    static const struct {
        bool new_identity;
        lsn_t stored;
        const char *want_text;
    } epochs[] = {
        {true, 900,
         "the source is another cluster since epoch 2: rows that differ there were not "
         "read"},
        {true, 50,
         "the source is another cluster since epoch 2: rows that differ there were not "
         "read"},
        {false, 50, "changes between 0/32 and 0/64 were not read"},
        {false, 900, ""}, /* --from-lsn goes back: nothing is skipped */
    };

    for (size_t i = 0; i < ARRAY_LEN(epochs); i++) {
        CLEANUP(done) struct fixture f;
        const struct store_checkpoint stored = {
            .mapping = "users", .lsn = epochs[i].stored, .truncate = {800, 1}, .text = ""};
        struct store_checkpoint got;

        begin(&f, 100, true);
        f.plan.reset = true;
        f.plan.new_identity = epochs[i].new_identity;
        f.plan.epoch = 2;
        got = marks_checkpoint(&f.marks, 0, &stored, 1);
        marks_apply(&f.marks, 0, &got);
        CHECK_INT(got.lsn, 100);
        CHECK_INT(got.truncate.commit, 0);
        CHECK_STR(got.text, epochs[i].want_text);
    }
}

/* ---- what is recorded about the source ---- */

static void
check_marks(const struct marks *marks, const char *users, const char *more, const char *events)
{
    const char *const want[] = {users, more, events};

    for (size_t i = 0; i < ARRAY_LEN(want); i++) {
        struct store_checkpoint checkpoint = {.text = ""};

        marks_apply(marks, i, &checkpoint);
        CHECK_INT(checkpoint.flags, *want[i] ? STORE_REREAD_NEEDED : 0);
        CHECK_STR(checkpoint.text, want[i]);
    }
}

#define TABLES(oid)                                                                                \
    "{\"publication\":{\"oid\":5,\"via_root\":true,\"publish\":\"iudt\"},\"tables\":["             \
    "{\"schema\":\"public\",\"name\":\"users\",\"oid\":" oid ",\"member\":6}]}"

static void
rule_13_a_table_made_anew_marks_all_its_mappings(void **state UNUSED)
{
    CLEANUP(done) struct fixture f;
    struct store_checkpoint checkpoint = {.text = ""};
    struct err err;

    begin(&f, 100, false);
    CHECK_OK(marks_tables(&f.marks, SPAN(TABLES("11")), SPAN(TABLES("11")), &err), err);
    check_marks(&f.marks, "", "", "");
    CHECK_OK(marks_tables(&f.marks, SPAN(""), SPAN(TABLES("11")), &err), err);
    check_marks(&f.marks, "", "", "");
    CHECK_OK(marks_tables(&f.marks, SPAN(TABLES("11")), SPAN(TABLES("12")), &err), err);
    for (size_t i = 0; i < 2; i++) {
        marks_apply(&f.marks, i, &checkpoint);
        CHECK_INT(checkpoint.flags, STORE_REREAD_NEEDED);
        CHECK_STR(checkpoint.text,
                  "public.users: the table was dropped and made again (oid 11, now 12)");
    }
    checkpoint = (struct store_checkpoint){.text = ""};
    marks_apply(&f.marks, 2, &checkpoint);
    CHECK_INT(checkpoint.flags, 0);
}

static void
rule_13_a_publication_that_published_less_marks_all_mappings(void **state UNUSED)
{
    CLEANUP(done) struct fixture f;
    const char *want = "the publication published other operations (iudt, now i)";
    struct err err;

    begin(&f, 100, false);
    CHECK_OK(marks_tables(&f.marks, SPAN("{\"publication\":{\"oid\":5,\"publish\":\"iudt\"}}"),
                          SPAN("{\"publication\":{\"oid\":5,\"publish\":\"i\"}}"), &err),
             err);
    check_marks(&f.marks, want, want, want);
}

static void
rule_27_a_partition_marks_the_mappings_of_its_root(void **state UNUSED)
{
    CLEANUP(done) struct fixture f;

    begin(&f, 100, false);
    marks_partitions(&f.marks, SPAN("[[\"app.events\",22,\"app.events\",22,0,0]]"),
                     SPAN("[[\"app.events\",22,\"app.events\",22,0,0],"
                          "[\"app.events\",22,\"app.old\",23,23,0]]"));
    check_marks(&f.marks, "", "",
                "partition app.old of app.events was attached: rows that it held before are not in "
                "the stream");
}

static void
another_version_marks_its_mapping(void **state UNUSED)
{
    CLEANUP(done) struct fixture f;
    CLEANUP(buf_free) struct buf now = buf_make(1000);
    struct err err;

    begin(&f, 100, false);
    migrations[0].mapping.version = 3;
    marks_put_versions(&f.marks, &now);
    CHECK_SPAN(buf_span(&now), "{\"users\":3,\"more_users\":0,\"events\":0}");
    CHECK_OK(marks_versions(&f.marks, SPAN(""), &err), err);
    CHECK_OK(marks_versions(&f.marks, buf_span(&now), &err), err);
    check_marks(&f.marks, "", "", "");
    CHECK_OK(marks_versions(&f.marks, SPAN("{\"users\":2,\"gone\":7}"), &err), err);
    check_marks(&f.marks, "rows that version 2 wrote stay as they are until they change", "", "");
    CHECK(!marks_versions(&f.marks, SPAN("{"), &err));
}

static void
the_first_reason_stays(void **state UNUSED)
{
    CLEANUP(done) struct fixture f;
    const struct store_checkpoint stored = {.mapping = "events", .lsn = 60, .text = ""};

    begin(&f, 100, false);
    (void)marks_checkpoint(&f.marks, 2, &stored, 1);
    marks_partitions(&f.marks, SPAN("[[\"app.events\",22,\"app.old\",23,23,0]]"),
                     SPAN("[[\"app.events\",22,\"app.old\",23,99,0]]"));
    check_marks(&f.marks, "", "", "changes between 0/3C and 0/64 were not read");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rule_11_a_gap_marks_its_mapping),
        cmocka_unit_test(rule_05_positions_of_another_cluster_are_forgotten),
        cmocka_unit_test(rule_13_a_table_made_anew_marks_all_its_mappings),
        cmocka_unit_test(rule_13_a_publication_that_published_less_marks_all_mappings),
        cmocka_unit_test(rule_27_a_partition_marks_the_mappings_of_its_root),
        cmocka_unit_test(another_version_marks_its_mapping),
        cmocka_unit_test(the_first_reason_stays),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
