/* session_err: what the server and libpq complain about, as errors with a kind and a remedy. */
#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "pg/session_impl.h"
#include "pg/sqlstate.h"

#define TEXT_MAX 768

/* Failures without a SQLSTATE come from libpq itself; the C locale makes its words dependable. */
static const struct symptom {
    const char *words;
    enum err_kind kind;
    const char *hint;
} symptoms[] = {
    /* clang-format off */
    {"unsupported startup parameter", ERR_CONFIG,
     "this is a connection pooler; use the database's own host and port"},
    {"SSL connection has been closed", ERR_TRANSIENT, NULL},
    {"SSL SYSCALL error",              ERR_TRANSIENT, NULL},
    {"unexpected eof",                 ERR_TRANSIENT, NULL},
    {"certificate",                    ERR_CONFIG, "check sslrootcert, sslcert and the host name"},
    {"does not support SSL",           ERR_CONFIG, "turn on ssl on the server, or use another sslmode"},
    {"SSL error",                      ERR_CONFIG, "check sslmode and the certificates"},
    {"no password supplied",           ERR_CONFIG, "put the password into the connection string"},
    {"SCRAM",                          ERR_CONFIG, NULL},
    {"channel binding",                ERR_CONFIG, NULL},
    {"authentication method",          ERR_CONFIG, NULL},
    {"invalid ",                       ERR_CONFIG, NULL},
    {"could not translate host name",  ERR_TRANSIENT, "is the host name right?"},
    {"No such file or directory",      ERR_TRANSIENT, "is the server running there?"},
    {"Connection refused",             ERR_TRANSIENT, "is the server running there?"},
    /* clang-format on */
};

/* Everything but the first line break and what libpq appends for developers. */
static size_t
line_length(const char *text)
{
    return strcspn(text, "\n");
}

static void
replace_secret(char *text, const char *secret)
{
    size_t len = secret ? strlen(secret) : 0;
    char *at = text;

    if (len < 3)
        return;
    while ((at = strstr(at, secret))) {
        memmove(at + 3, at + len, strlen(at + len) + 1);
        memcpy(at, "***", 3);
        at += 3;
    }
}

/* The last attempt's message: with several hosts libpq reports one per line. */
static const char *
last_attempt(const char *message)
{
    const char *last = message;
    const char *at = message;

    while ((at = strstr(at, "connection to server"))) {
        last = at;
        at += strlen("connection to server");
    }
    return last;
}

/*
 * With PQERRORS_VERBOSE a server's refusal reads "FATAL:  28P01: text\nLOCATION: ...".  Cut the
 * code out of the text and return it; 0: there is none.
 */
static int
cut_sqlstate(char *text)
{
    char *at = text;

    while ((at = strstr(at, ":  "))) {
        int code = strlen(at) > 10 ? pg_sqlstate_code((struct span){at + 3, 5}) : 0;

        if (code && at[8] == ':' && at[9] == ' ') {
            memmove(at + 2, at + 9, strlen(at + 9) + 1);
            return code;
        }
        at += 3;
    }
    return 0;
}

static const struct symptom *
symptom_find(const char *text)
{
    for (size_t i = 0; i < ARRAY_LEN(symptoms); i++) {
        if (strstr(text, symptoms[i].words))
            return &symptoms[i];
    }
    return NULL;
}

static bool
lost_with(const char *text, enum err_kind kind, int code, const char *hint, struct err *err)
{
    return err_set_code(err, kind, code, "%s%s%s", text, hint ? "; " : "", hint ? hint : "");
}

bool
session_lost(const struct pg_session *pg, struct err *err)
{
    const char *message = last_attempt(PQerrorMessage(pg->conn));
    const struct symptom *symptom;
    char text[TEXT_MAX];
    int code;

    snprintf(text, sizeof(text), "%.*s", (int)line_length(message), message);
    replace_secret(text, pg->secret);
    if (!*text)
        snprintf(text, sizeof(text), "the connection was closed");
    code = cut_sqlstate(text);
    symptom = symptom_find(text);
    if (symptom)
        return lost_with(text, symptom->kind, code, symptom->hint, err);
    if (code) {
        const struct pg_sqlstate_meaning *meaning = pg_sqlstate_meaning(code);

        return lost_with(text, meaning->kind, code, meaning->hint, err);
    }
    return lost_with(text, ERR_TRANSIENT, 0, NULL, err);
}

static const char *
field(const PGresult *result, int code)
{
    const char *text = PQresultErrorField(result, code);

    return text ? text : "";
}

bool
session_refused(const struct pg_session *pg, const PGresult *result, struct err *err)
{
    const char *detail = field(result, PG_DIAG_MESSAGE_DETAIL);
    const char *hint = field(result, PG_DIAG_MESSAGE_HINT);
    int code = pg_sqlstate_code(span_of(field(result, PG_DIAG_SQLSTATE)));
    const struct pg_sqlstate_meaning *meaning;
    char text[TEXT_MAX];

    if (!code) /* libpq made this one up: the connection broke */
        return session_lost(pg, err);
    meaning = pg_sqlstate_meaning(code);
    if (!*hint && meaning->hint)
        hint = meaning->hint;
    snprintf(text, sizeof(text), "%s%s%s%s%s", field(result, PG_DIAG_MESSAGE_PRIMARY),
             *detail ? ": " : "", detail, *hint ? "; " : "", hint);
    replace_secret(text, pg->secret);
    return err_set_code(err, meaning->kind, code, "%s", text);
}
