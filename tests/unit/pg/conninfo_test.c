/* conninfo: strings read, completed, and never quoted with their secrets. */
#include "pg/conninfo.h"

#include "harness/check.h"

static const char *
value_of(const struct pg_conninfo *info, const char *keyword)
{
    const char *found = NULL;

    for (size_t i = 0; info->keywords[i]; i++) {
        if (strcmp(info->keywords[i], keyword) != 0)
            continue;
        CHECK(!found); /* once */
        found = info->values[i];
    }
    return found ? found : "";
}

static void
reads_urls_and_pairs(void **state UNUSED)
{
    static const struct {
        const char *text, *host, *port, *database, *user, *password;
    } cases[] = {
        {"postgres://me:pw@db.example.com:5433/shop", "db.example.com", "5433", "shop", "me", "pw"},
        {"postgresql://me@/shop?host=/run/pg&port=5", "/run/pg", "5", "shop", "me", NULL},
        {"postgres://me:p%40w%2F%23@h/d", "h", NULL, "d", "me", "p@w/#"},
        {"host=h dbname=d user=u password='p w'", "h", NULL, "d", "u", "p w"},
        {"postgres://h1:1,h2:2/d", "h1,h2", "1,2", "d", NULL, NULL},
        {"dbname=d", NULL, NULL, "d", NULL, NULL},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        CLEANUP(arena_freep) struct arena *arena = arena_new("test");
        struct pg_conninfo info;
        struct err err;

        CHECK_OK(pg_conninfo_parse(cases[i].text, arena, &info, &err), err);
#define SAME(field)                                                                                \
    if (strcmp(info.field ? info.field : "-", cases[i].field ? cases[i].field : "-") != 0)         \
    fail_msg("%s: " #field " is %s", cases[i].text, info.field ? info.field : "none")
        SAME(host);
        SAME(port);
        SAME(database);
        SAME(user);
        SAME(password);
#undef SAME
    }
}

static void
never_quotes_a_secret(void **state UNUSED)
{
    static const char *const texts[] = {
        "postgres://me:s3/cret@h/d",   "postgres://me:s3@cret@h/d",
        "postgres://me:s3#cret@h:x/d", "postgres://me:s3 cret@h/d?bad=1",
        "password=s3 cret host=h",     "user=me password='s3cret",
        "postgres://me:s3%cret@h/d",   "postgres://me:s3cret@[h/d",
    };

    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        CLEANUP(arena_freep) struct arena *arena = arena_new("test");
        struct pg_conninfo info;
        struct err err;

        if (pg_conninfo_parse(texts[i], arena, &info, &err))
            continue; /* taken as it stands: the server will say no */
        CHECK_INT(err.kind, ERR_CONFIG);
        if (strstr(err.text, "s3") || strstr(err.text, "cret"))
            fail_msg("%s: \"%s\" shows the secret", texts[i], err.text);
    }
}

static void
says_what_is_wrong(void **state UNUSED)
{
    static const struct {
        const char *text, *want;
    } cases[] = {
        {"", "the connection string is empty"},
        {"nonsense", /* perhaps a password by itself */
         "the connection string cannot be read: write postgres://user:password@host:port/database, "
         "with special characters of the password percent-encoded (@ as %40, / as %2F, # as %23), "
         "or "
         "keyword=value pairs, with quotes around values that hold blanks"},
        {"host=h prot=5", "the connection string cannot be read: invalid connection option "
                          "\"prot\""},
    };
    CLEANUP(arena_freep) struct arena *arena = arena_new("test");
    struct pg_conninfo info;
    struct err err;

    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        CHECK_FAILS(pg_conninfo_parse(cases[i].text, arena, &info, &err), err, ERR_CONFIG,
                    cases[i].want);
}

static void
sees_a_password_in_the_wrong_place(void **state UNUSED)
{
    static const char *const texts[] = {
        "postgres://me:sec/ret@h/d", /* host me, port sec, database ret@h/d */
        "postgres://me:sec@ret@h/d", /* host ret@h */
        "host=h dbname=x@y",
    };

    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        CLEANUP(arena_freep) struct arena *arena = arena_new("test");
        struct pg_conninfo info;
        struct err err;

        CHECK(!pg_conninfo_parse(texts[i], arena, &info, &err));
        CHECK(strstr(err.text, "percent-encoded"));
    }
}

static void
completes_what_is_not_said(void **state UNUSED)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new("test");
    struct pg_conninfo info;
    struct err err;

    CHECK_OK(pg_conninfo_parse("postgres://h/d?keepalives_idle=99&client_encoding=LATIN1", arena,
                               &info, &err),
             err);
    pg_conninfo_complete(&info, "puffgres test", true, arena);
    CHECK_STR(value_of(&info, "keepalives_idle"), "99"); /* the operator's */
    CHECK_STR(value_of(&info, "keepalives_count"), "3");
    CHECK_STR(value_of(&info, "tcp_user_timeout"), "30000");
    CHECK_STR(value_of(&info, "fallback_application_name"), "puffgres test");
    CHECK_STR(value_of(&info, "client_encoding"), "UTF8"); /* ours whatever was said */
    CHECK_STR(value_of(&info, "replication"), "database");
    CHECK_STR(value_of(&info, "dbname"), "d");
}

/* Both sessions must print values alike, or a read-back would differ from the stream. */
static void
rule_04_every_session_has_the_same_output_settings(void **state UNUSED)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new("test");
    static const char text[] = "postgres://h/d?options=-c%20geqo%3Doff";
    struct pg_conninfo stream, reader;
    struct err err;

    CHECK_OK(pg_conninfo_parse(text, arena, &stream, &err), err);
    CHECK_OK(pg_conninfo_parse(text, arena, &reader, &err), err);
    pg_conninfo_complete(&stream, "puffgres stream", true, arena);
    pg_conninfo_complete(&reader, "puffgres reader", false, arena);
    CHECK_STR(value_of(&stream, "options"), value_of(&reader, "options"));
    CHECK(strncmp(value_of(&stream, "options"), "-c geqo=off ", 12) == 0);
    CHECK(strstr(value_of(&stream, "options"), "extra_float_digits=3"));
    CHECK(strstr(value_of(&stream, "options"), "datestyle=ISO"));
    CHECK(strstr(value_of(&stream, "options"), "intervalstyle=postgres"));
    CHECK(strstr(value_of(&stream, "options"), "timezone=UTC"));
    CHECK(strstr(value_of(&stream, "options"), "bytea_output=hex"));
    CHECK_STR(value_of(&reader, "replication"), "");
}

static void
describes_without_the_secret(void **state UNUSED)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new("test");

    CHECK_STR(pg_conninfo_describe("postgres://me:pw@h:5/shop", arena), "database \"shop\" at h:5");
    CHECK_STR(pg_conninfo_describe("user=me password=pw", arena),
              "database \"me\" at (default host)");
    CHECK_STR(pg_conninfo_describe("postgres://me:p/w@h/d", arena), "the source database");
    CHECK_SPAN(pg_conninfo_secret("postgres://me:p%40w@h/d", arena), "p@w");
    CHECK_SPAN(pg_conninfo_secret("postgres://me@h/d", arena), "");
    CHECK_SPAN(pg_conninfo_secret("nonsense", arena), "");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_urls_and_pairs),
        cmocka_unit_test(never_quotes_a_secret),
        cmocka_unit_test(says_what_is_wrong),
        cmocka_unit_test(sees_a_password_in_the_wrong_place),
        cmocka_unit_test(completes_what_is_not_said),
        cmocka_unit_test(rule_04_every_session_has_the_same_output_settings),
        cmocka_unit_test(describes_without_the_secret),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
