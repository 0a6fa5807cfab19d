/* db: the table of statements, the meaning of SQLite's results, transactions. */
#include "state/db.h"

#include <pthread.h>
#include <sqlite3.h>

#include "harness/check.h"

static int
setup(void **state)
{
    struct db *db;
    struct err err;

    CHECK_OK(db_open(NULL, STATE_CREATE, &db, &err), err);
    *state = db;
    return 0;
}

static int
teardown(void **state)
{
    db_close(*state);
    return 0;
}

static void
every_statement_is_valid(void **state)
{
    CLEANUP(db_work_end) struct db_work work = {0};
    struct err err;

    CHECK_OK(db_work_begin(&work, *state, DB_READ, &err), err);
    for (size_t i = 0; i < SQL_MAX_; i++) {
        struct db_query query;

        CHECK(sql_texts[i]);
        query = db_query(*state, (enum sql)i);
        if (query.failed)
            fail_msg("%s: SQLite result %d", sql_texts[i], query.failed);
        db_query_end(&query);
    }
}

static void
every_table_is_named_as_ours(void **state UNUSED)
{
    for (size_t i = 0; i < sql_step_count; i++) {
        const char *at = sql_steps[i];

        while ((at = strstr(at, "CREATE TABLE ")) != NULL) {
            at += strlen("CREATE TABLE ");
            CHECK(strncmp(at, "__puffgres_", 11) == 0);
        }
    }
}

static void
results_have_a_kind_and_a_remedy(void **state UNUSED)
{
    static const struct {
        int code;
        enum err_kind kind;
        const char *want;
    } cases[] = {
        {SQLITE_FULL, ERR_TRANSIENT,
         "state s.db: database or disk is full; free some space on its disk"},
        {SQLITE_BUSY, ERR_TRANSIENT,
         "state s.db: database is locked; another process is writing to it: wait for it to end"},
        {SQLITE_BUSY_SNAPSHOT, ERR_TRANSIENT,
         "state s.db: database is locked; another process is writing to it: wait for it to end"},
        {SQLITE_IOERR_WRITE, ERR_TRANSIENT, "state s.db: disk I/O error; look at its disk"},
        {SQLITE_NOMEM, ERR_TRANSIENT, "state s.db: out of memory; free some memory"},
        {SQLITE_NOTADB, ERR_CONFIG,
         "state s.db: file is not a database; restore it from a backup, or move it away and start "
         "again with `puffgres run --from-lsn`"},
        {SQLITE_CORRUPT_INDEX, ERR_CONFIG,
         "state s.db: database disk image is malformed; restore it from a backup, or move it away "
         "and start again with `puffgres run --from-lsn`"},
        {SQLITE_READONLY_DBMOVED, ERR_CONFIG,
         "state s.db: attempt to write a readonly database; it and its folder must be readable and "
         "writable by this user"},
        {SQLITE_CONSTRAINT_CHECK, ERR_BUG,
         "state s.db: constraint failed; this is a defect of this program: report it"},
        {SQLITE_MISUSE, ERR_BUG,
         "state s.db: bad parameter or other API misuse; this is a defect of this program: report "
         "it"},
    };
    struct err err;

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        CHECK_FAILS(db_fail(NULL, "s.db", cases[i].code, &err), err, cases[i].kind, cases[i].want);
        CHECK_INT(err.code, cases[i].code);
    }
}

/* ---- transactions ---- */

static void
put(struct db *db, const char *key, const char *text)
{
    struct db_query query = db_query(db, SQL_META_PUT);
    struct err err;

    db_put_text(&query, key);
    db_put_text(&query, text);
    CHECK_OK(db_exec(&query, NULL, &err), err);
}

static bool
has(struct db *db, const char *key)
{
    CLEANUP(db_work_end) struct db_work work = {0};
    struct db_query query;
    struct err err;
    bool row;

    CHECK_OK(db_work_begin(&work, db, DB_READ, &err), err);
    query = db_query(db, SQL_META_GET);
    db_put_text(&query, key);
    CHECK_OK(db_row(&query, &row, &err), err);
    return row; /* with the row still open: the end of the work closes it */
}

static void
what_is_not_committed_is_rolled_back(void **state)
{
    struct err err;

    {
        CLEANUP(db_work_end) struct db_work work = {0};

        CHECK_OK(db_work_begin(&work, *state, DB_WRITE, &err), err);
        put(*state, "a", "1");
    }
    CHECK(!has(*state, "a"));
    {
        CLEANUP(db_work_end) struct db_work work = {0};

        CHECK_OK(db_work_begin(&work, *state, DB_WRITE, &err), err);
        put(*state, "a", "1");
        CHECK_OK(db_work_commit(&work, &err), err);
    }
    CHECK(has(*state, "a"));
}

static void
a_parameter_too_many_is_a_bug(void **state)
{
    CLEANUP(db_work_end) struct db_work work = {0};
    struct db_query query;
    struct err err;
    bool row;

    CHECK_OK(db_work_begin(&work, *state, DB_READ, &err), err);
    query = db_query(*state, SQL_META_GET);
    db_put_text(&query, "a");
    db_put_text(&query, "b");
    CHECK(!db_row(&query, &row, &err));
    CHECK_INT(err.kind, ERR_BUG);
}

static void
nulls_and_empty_texts_differ(void **state)
{
    CLEANUP(db_work_end) struct db_work work = {0};
    struct db_query query;
    struct err err;

    CHECK_OK(db_work_begin(&work, *state, DB_WRITE, &err), err);
    put(*state, "empty", "");
    query = db_query(*state, SQL_META_PUT);
    db_put_text(&query, "null");
    db_put_text(&query, NULL);
    CHECK(!db_exec(&query, NULL, &err)); /* NOT NULL */
    CHECK_INT(err.kind, ERR_BUG);
}

static void *
try_to_begin(void *arg)
{
    CLEANUP(db_work_end) struct db_work work = {0};
    struct err err;

    return db_work_begin(&work, arg, DB_READ, &err) ? arg : NULL;
}

static void
the_lock_is_given_back(void **state)
{
    pthread_t thread;
    void *result;

    CHECK(!has(*state, "nothing"));
    CHECK_INT(pthread_create(&thread, NULL, try_to_begin, *state), 0);
    pthread_join(thread, &result);
    CHECK(result == *state);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(every_statement_is_valid),         TEST(every_table_is_named_as_ours),
        TEST(results_have_a_kind_and_a_remedy), TEST(what_is_not_committed_is_rolled_back),
        TEST(a_parameter_too_many_is_a_bug),    TEST(nulls_and_empty_texts_differ),
        TEST(the_lock_is_given_back),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
