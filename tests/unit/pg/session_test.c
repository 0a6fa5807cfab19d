/* session: connecting, statements, deadlines and losses, against a scripted server. */
#include "pg/session.h"

#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "harness/check.h"
#include "harness/scripted_pg.h"
#include "pg/sqlstate.h"

static bool
connect_to(const char *conninfo, int cancel_fd, struct pg_session **ret, struct err *err)
{
    return pg_connect(
        &(struct pg_connect_args){
            .conninfo = conninfo,
            .purpose = "test",
            .deadline_ms = clock_mono_ms() + 5000,
            .cancel_fd = cancel_fd,
        },
        ret, err);
}

static struct pg_session *
connected(const struct scripted_pg *peer)
{
    struct pg_session *pg = NULL;
    struct err err;

    CHECK_OK(connect_to(scripted_pg_conninfo(peer), -1, &pg, &err), err);
    return pg;
}

static const struct pg_rule rules[] = {
    {.on = "two columns", .rows = "1|t\n~|f\n0/5|x"},
    {.on = "nothing", .rows = ""},
    {.on = "refused", .error = "42501 permission denied, hidden-word"},
    {.on = "shutting down", .error = "57P01 terminating connection"},
    {.on = "slow", .deed = PG_HANG},
    {.on = "dropped", .deed = PG_DROP},
    {.on = "after", .rows = "again"},
};

static void
answers_have_rows_and_types(void **state UNUSED)
{
    CLEANUP(scripted_pg_stopp)
    struct scripted_pg *peer = scripted_pg_start(rules, ARRAY_LEN(rules));
    CLEANUP(pg_closep) struct pg_session *pg = connected(peer);
    CLEANUP(pg_rows_free) struct pg_rows rows = {0};
    CLEANUP(pg_rows_free) struct pg_rows none = {0};
    struct err err;

    CHECK_OK(pg_query(pg, "two columns $1", (const char *const[]){"x"}, 1, &rows, &err), err);
    CHECK_INT(rows.count, 3);
    CHECK_INT(pg_int(&rows, 0, 0), 1);
    CHECK(pg_bool(&rows, 0, 1) && !pg_bool(&rows, 1, 1));
    CHECK(pg_is_null(&rows, 1, 0) && !pg_is_null(&rows, 0, 0));
    CHECK_INT(pg_int(&rows, 1, 0), 0);
    CHECK_STR(pg_text(&rows, 1, 0), "");
    CHECK_SPAN(pg_value(&rows, 2, 1), "x");
    CHECK_INT(pg_lsn(&rows, 2, 0), 5);
    CHECK_INT(pg_lsn(&rows, 2, 1), 0); /* no position */
    CHECK_INT(pg_int(&rows, 2, 1), 0); /* no number */
    CHECK_OK(pg_exec(pg, "nothing", &none, &err), err);
    CHECK_INT(none.count, 0);
    CHECK_INT(pg_server_version(pg), 150004);
    CHECK_INT(scripted_pg_count(peer, "puffgres test: two columns"), 1);
}

static void
errors_have_a_kind_a_code_and_a_remedy(void **state UNUSED)
{
    CLEANUP(scripted_pg_stopp)
    struct scripted_pg *peer = scripted_pg_start(rules, ARRAY_LEN(rules));
    CLEANUP(pg_closep) struct pg_session *pg = connected(peer);
    CLEANUP(pg_rows_free) struct pg_rows rows = {0};
    struct err err;

    CHECK_FAILS(pg_query(pg, "refused", NULL, 0, NULL, &err), err, ERR_CONFIG,
                "permission denied, ***; grant the privilege; `check` prints the SQL for "
                "everything that is missing");
    CHECK_INT(err.code, PG_NO_PRIVILEGE);
    CHECK(!pg_exec(pg, "shutting down", NULL, &err));
    CHECK_INT(err.kind, ERR_TRANSIENT);
    CHECK_INT(err.code, PG_ADMIN_SHUTDOWN);
    /* the session lives on after an error */
    CHECK_OK(pg_exec(pg, "after", &rows, &err), err);
    CHECK_STR(pg_text(&rows, 0, 0), "again");
}

static void
a_statement_that_is_late_is_taken_back(void **state UNUSED)
{
    CLEANUP(scripted_pg_stopp)
    struct scripted_pg *peer = scripted_pg_start(rules, ARRAY_LEN(rules));
    CLEANUP(pg_closep) struct pg_session *pg = connected(peer);
    struct err err;

    pg_set_timeout(pg, 30);
    CHECK_FAILS(pg_exec(pg, "slow", NULL, &err), err, ERR_TRANSIENT,
                "a statement: no answer in time");
    pg_set_timeout(pg, 5000);
    CHECK_OK(pg_exec(pg, "after", NULL, &err), err); /* it was cancelled: the session is free */
}

static void
a_cancel_descriptor_ends_every_wait(void **state UNUSED)
{
    CLEANUP(scripted_pg_stopp)
    struct scripted_pg *peer = scripted_pg_start(rules, ARRAY_LEN(rules));
    CLEANUP(pg_closep) struct pg_session *pg = connected(peer);
    CLEANUP(pg_closep) struct pg_session *other = NULL;
    int fd = eventfd(1, EFD_CLOEXEC);
    struct err err;

    pg_set_cancel_fd(pg, fd);
    CHECK_FAILS(pg_exec(pg, "slow", NULL, &err), err, ERR_CANCELED, "a statement: stopped");
    CHECK(!connect_to(scripted_pg_conninfo(peer), fd, &other, &err));
    CHECK_INT(err.kind, ERR_CANCELED);
    close(fd);
}

static void
a_lost_connection_is_transient(void **state UNUSED)
{
    CLEANUP(scripted_pg_stopp)
    struct scripted_pg *peer = scripted_pg_start(rules, ARRAY_LEN(rules));
    CLEANUP(pg_closep) struct pg_session *pg = connected(peer);
    struct err err;

    CHECK(!pg_exec(pg, "dropped", NULL, &err));
    CHECK_INT(err.kind, ERR_TRANSIENT);
    CHECK_INT(pg_socket(pg), -1);
    CHECK(!pg_exec(pg, "after", NULL, &err));
    CHECK_INT(err.kind, ERR_TRANSIENT);
}

static void
refusals_while_connecting_keep_their_code(void **state UNUSED)
{
    static const struct {
        const char *error;
        enum err_kind kind;
        int code;
        const char *text; /* part of it */
    } cases[] = {
        {"28P01 password authentication failed for user \"me\"", ERR_CONFIG, PG_BAD_PASSWORD,
         "FATAL:  password authentication failed for user \"me\"; correct the user"},
        {"3D000 database \"shop\" does not exist", ERR_CONFIG, PG_SQLSTATE('3', 'D', '0', '0', '0'),
         "correct the database name"},
        {"57P03 the database system is starting up", ERR_TRANSIENT, PG_CANNOT_CONNECT_NOW,
         "starting up"},
        {"53300 sorry, too many clients already", ERR_TRANSIENT,
         PG_SQLSTATE('5', '3', '3', '0', '0'), "max_connections"},
        {"08P01 unsupported startup parameter: options", ERR_CONFIG, PG_PROTOCOL_VIOLATION,
         "this is a connection pooler"},
        {"28000 no pg_hba.conf entry: hidden-word", ERR_CONFIG,
         PG_SQLSTATE('2', '8', '0', '0', '0'), "no pg_hba.conf entry: ***"},
    };
    CLEANUP(scripted_pg_stopp) struct scripted_pg *peer = scripted_pg_start(NULL, 0);

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct pg_session *pg = NULL;
        struct err err;

        scripted_pg_refuse(peer, cases[i].error);
        CHECK(!connect_to(scripted_pg_conninfo(peer), -1, &pg, &err));
        CHECK_INT(err.kind, cases[i].kind);
        CHECK_INT(err.code, cases[i].code);
        if (!strstr(err.text, cases[i].text) || strstr(err.text, "hidden") ||
            strstr(err.text, "LOCATION"))
            fail_msg("got \"%s\", want \"%s\" in it", err.text, cases[i].text);
    }
}

/* Somebody listens, and says nothing. */
static void
a_silent_server_is_not_waited_for_for_ever(void **state UNUSED)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    char folder[] = "/tmp/silent.XXXXXX", conninfo[64];
    int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct pg_session *pg = NULL;
    struct err err;

    CHECK(mkdtemp(folder));
    snprintf(address.sun_path, sizeof(address.sun_path), "%s/.s.PGSQL.5432", folder);
    snprintf(conninfo, sizeof(conninfo), "host=%s dbname=d", folder);
    CHECK(bind(listener, (struct sockaddr *)&address, sizeof(address)) == 0);
    CHECK(listen(listener, 1) == 0);
    CHECK_FAILS(pg_connect(&(struct pg_connect_args){.conninfo = conninfo,
                                                     .purpose = "t",
                                                     .deadline_ms = clock_mono_ms() + 50,
                                                     .cancel_fd = -1},
                           &pg, &err),
                err, ERR_TRANSIENT, "connecting to Postgres: the server: no answer in time");
    close(listener);
    unlink(address.sun_path);
    rmdir(folder);
}

static void
a_server_that_is_away_is_transient(void **state UNUSED)
{
    struct pg_session *pg = NULL;
    struct err err;

    CHECK(!connect_to("host=/nonexistent dbname=d", -1, &pg, &err));
    CHECK_INT(err.kind, ERR_TRANSIENT);
    CHECK(strstr(err.text, "is the server running there?"));
}

/* ---- row by row ---- */

static bool
collect(void *ctx, const struct pg_rows *row, struct err *err)
{
    struct buf *text = ctx;

    CHECK_INT(row->count, 1);
    buf_put(text, pg_is_null(row, 0, 0) ? SPAN("~") : pg_value(row, 0, 0));
    return text->len < 3 || err_set(err, ERR_DATA, "enough");
}

static void
rows_come_one_by_one(void **state UNUSED)
{
    CLEANUP(scripted_pg_stopp)
    struct scripted_pg *peer = scripted_pg_start(rules, ARRAY_LEN(rules));
    CLEANUP(pg_closep) struct pg_session *pg = connected(peer);
    CLEANUP(buf_free) struct buf text = buf_make(100);
    struct err err;

    CHECK_FAILS(pg_query_each(pg, "two columns", NULL, 0, collect, &text, &err), err, ERR_DATA,
                "enough");
    CHECK_STR(text.ptr, "1~0/5");
    buf_clear(&text);
    CHECK_OK(pg_query_each(pg, "nothing", NULL, 0, collect, &text, &err), err);
    CHECK_FAILS(pg_query_each(pg, "refused", NULL, 0, collect, &text, &err), err, ERR_CONFIG,
                "permission denied, ***; grant the privilege; `check` prints the SQL for "
                "everything that is missing");
}

/* ---- in the background ---- */

static void
a_wait_can_be_looked_into(void **state UNUSED)
{
    CLEANUP(scripted_pg_stopp)
    struct scripted_pg *peer = scripted_pg_start(rules, ARRAY_LEN(rules));
    CLEANUP(pg_closep) struct pg_session *pg = connected(peer);
    CLEANUP(pg_rows_free) struct pg_rows rows = {0};
    bool done = true;
    struct err err;

    CHECK_OK(pg_send(pg, "slow", &err), err);
    CHECK_OK(pg_wait(pg, 10, &done, &err), err);
    CHECK(!done);
    pg_abandon(pg);
    CHECK_OK(pg_send(pg, "after", &err), err);
    CHECK_OK(pg_wait(pg, 5000, &done, &err), err);
    CHECK(done);
    CHECK_OK(pg_finish(pg, &rows, &err), err);
    CHECK_STR(pg_text(&rows, 0, 0), "again");
}

/* ---- sessions that only live ---- */

static bool
dead_within(struct pg_session *pg, int64_t wait_ms, struct err *err)
{
    int64_t deadline_ms = clock_mono_ms() + wait_ms;

    while (clock_mono_ms() < deadline_ms) {
        if (!pg_alive(pg, err))
            return true;
        usleep(1000);
    }
    return false;
}

static void
rule_08_an_idle_session_hears_of_the_shutdown(void **state UNUSED)
{
    CLEANUP(scripted_pg_stopp) struct scripted_pg *peer = scripted_pg_start(NULL, 0);
    CLEANUP(pg_closep) struct pg_session *pg = connected(peer);
    struct err err;

    CHECK_OK(pg_alive(pg, &err), err);
    scripted_pg_kill(peer, "test", "57P01 terminating connection due to administrator command");
    CHECK(dead_within(pg, 5000, &err));
    CHECK_INT(err.kind, ERR_TRANSIENT);
    CHECK_INT(err.code, PG_ADMIN_SHUTDOWN);
}

static void
an_idle_session_notices_its_loss(void **state UNUSED)
{
    CLEANUP(scripted_pg_stopp) struct scripted_pg *peer = scripted_pg_start(NULL, 0);
    CLEANUP(pg_closep) struct pg_session *pg = connected(peer);
    struct err err;

    scripted_pg_kill(peer, "test", NULL);
    CHECK(dead_within(pg, 5000, &err));
    CHECK_INT(err.kind, ERR_TRANSIENT);
    CHECK_INT(err.code, 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers_have_rows_and_types),
        cmocka_unit_test(errors_have_a_kind_a_code_and_a_remedy),
        cmocka_unit_test(a_statement_that_is_late_is_taken_back),
        cmocka_unit_test(a_cancel_descriptor_ends_every_wait),
        cmocka_unit_test(a_lost_connection_is_transient),
        cmocka_unit_test(refusals_while_connecting_keep_their_code),
        cmocka_unit_test(a_silent_server_is_not_waited_for_for_ever),
        cmocka_unit_test(a_server_that_is_away_is_transient),
        cmocka_unit_test(rows_come_one_by_one),
        cmocka_unit_test(a_wait_can_be_looked_into),
        cmocka_unit_test(rule_08_an_idle_session_hears_of_the_shutdown),
        cmocka_unit_test(an_idle_session_notices_its_loss),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
