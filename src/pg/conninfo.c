/* conninfo: connection strings, completed and without their secrets. */
#include "pg/conninfo.h"

#include <assert.h>
#include <libpq-fe.h>
#include <stdio.h>

#define PARAMETERS_MAX 64 /* libpq knows about 45 */
#define TEXT_MAX       1024

/*
 * Values must look the same in every session, and as subscribers of Postgres ask for them
 * (libpqrcv_connect: datestyle, intervalstyle, extra_float_digits).  Idle sessions of ours are
 * meant to be idle.
 */
#define SESSION_OPTIONS                                                                            \
    "-c datestyle=ISO -c intervalstyle=postgres -c extra_float_digits=3 -c bytea_output=hex "      \
    "-c timezone=UTC -c statement_timeout=0 -c lock_timeout=0 "                                    \
    "-c idle_in_transaction_session_timeout=0"

struct parameter {
    const char *keyword;
    const char *value;
};

/* What the operator's string does not say.  A dead peer is noticed within half a minute. */
static const struct parameter defaults[] = {
    {"keepalives", "1"},       {"keepalives_idle", "10"},     {"keepalives_interval", "5"},
    {"keepalives_count", "3"}, {"tcp_user_timeout", "30000"}, {"gssencmode", "disable"},
};

static const char *
get(const struct pg_conninfo *info, const char *keyword)
{
    for (size_t i = 0; i < info->count; i++) {
        if (strcmp(info->keywords[i], keyword) == 0)
            return info->values[i];
    }
    return NULL;
}

static void
put(struct pg_conninfo *info, const char *keyword, const char *value)
{
    size_t i = 0;

    while (i < info->count && strcmp(info->keywords[i], keyword) != 0)
        i++;
    assert(i < PARAMETERS_MAX);
    info->keywords[i] = keyword;
    info->values[i] = value;
    if (i == info->count)
        info->count++;
}

/* ---- parsing ---- */

/*
 * A URL with a password, anything that says "password", or a bare word, which may be one: libpq's
 * message could quote the wrong piece of it, so it is not shown.
 */
static bool
holds_secret(const char *text)
{
    return strchr(text, '@') || strstr(text, "password") || !strchr(text, '=');
}

static bool
parse_failed(const char *text, const char *message, struct err *err)
{
    size_t len = message ? strcspn(message, "\n") : 0;

    if (!message || holds_secret(text))
        return err_set(err, ERR_CONFIG,
                       "the connection string cannot be read: write "
                       "postgres://user:password@host:port/database, with special characters of "
                       "the password percent-encoded (@ as %%40, / as %%2F, # as %%23), or "
                       "keyword=value pairs, with quotes around values that hold blanks");
    return err_set(err, ERR_CONFIG, "the connection string cannot be read: %.*s", (int)len,
                   message);
}

/* A raw @, / or : in a password ends up in other parts of the URL. */
static bool
check_misplaced(const struct pg_conninfo *info, struct err *err)
{
    if ((info->database && strchr(info->database, '@')) ||
        (info->host && info->host[0] != '/' && strpbrk(info->host, "@/")) ||
        (info->port && strspn(info->port, "0123456789,") != strlen(info->port)))
        return err_set(err, ERR_CONFIG,
                       "the connection string cannot be read: is a special character of the "
                       "password not percent-encoded (@ as %%40, / as %%2F, : as %%3A)?");
    return true;
}

static void
copy_options(const PQconninfoOption *options, struct arena *arena, struct pg_conninfo *ret)
{
    for (const PQconninfoOption *o = options; o->keyword; o++) {
        if (o->val && *o->val)
            put(ret, arena_strdup(arena, o->keyword), arena_strdup(arena, o->val));
    }
    ret->host = get(ret, "host");
    ret->port = get(ret, "port");
    ret->database = get(ret, "dbname");
    ret->user = get(ret, "user");
    ret->password = get(ret, "password");
}

bool
pg_conninfo_parse(const char *text, struct arena *arena, struct pg_conninfo *ret, struct err *err)
{
    struct pg_conninfo info = {
        .keywords = arena_new_n(arena, const char *, PARAMETERS_MAX + 1),
        .values = arena_new_n(arena, const char *, PARAMETERS_MAX + 1),
    };
    char *message = NULL;
    PQconninfoOption *options;

    if (!*text)
        return err_set(err, ERR_CONFIG, "the connection string is empty");
    options = PQconninfoParse(text, &message);
    if (!options) {
        parse_failed(text, message, err);
        PQfreemem(message);
        return false;
    }
    copy_options(options, arena, &info);
    PQconninfoFree(options);
    if (!check_misplaced(&info, err))
        return false;
    *ret = info;
    return true;
}

/* ---- completing ---- */

static const char *
join_options(const char *theirs, struct arena *arena)
{
    size_t size = strlen(theirs) + sizeof(SESSION_OPTIONS) + 1;
    char *joined = arena_alloc(arena, size);

    snprintf(joined, size, "%s %s", theirs, SESSION_OPTIONS);
    return joined;
}

void
pg_conninfo_complete(struct pg_conninfo *info, const char *application_name, bool replication,
                     struct arena *arena)
{
    const char *theirs = get(info, "options");

    for (size_t i = 0; i < ARRAY_LEN(defaults); i++) {
        if (!get(info, defaults[i].keyword))
            put(info, defaults[i].keyword, defaults[i].value);
    }
    put(info, "fallback_application_name", arena_strdup(arena, application_name));
    put(info, "client_encoding", "UTF8");
    put(info, "options", theirs ? join_options(theirs, arena) : SESSION_OPTIONS);
    if (replication)
        put(info, "replication", "database");
    info->keywords[info->count] = NULL;
    info->values[info->count] = NULL;
}

/* ---- for messages ---- */

struct span
pg_conninfo_secret(const char *text, struct arena *arena)
{
    struct pg_conninfo info;
    struct err err;

    if (!pg_conninfo_parse(text, arena, &info, &err) || !info.password)
        return (struct span){"", 0};
    return span_of(info.password);
}

const char *
pg_conninfo_describe(const char *text, struct arena *arena)
{
    struct pg_conninfo info;
    char line[TEXT_MAX];
    struct err err;

    if (!pg_conninfo_parse(text, arena, &info, &err))
        return "the source database";
    snprintf(line, sizeof(line), "database \"%s\" at %s%s%s",
             info.database ? info.database
             : info.user   ? info.user
                           : "(default)",
             info.host ? info.host : "(default host)", info.port ? ":" : "",
             info.port ? info.port : "");
    return arena_strdup(arena, line);
}
