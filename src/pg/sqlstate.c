/* sqlstate: what each class of server error means to us. */
#include "pg/sqlstate.h"

#include <assert.h>

/* clang-format off */
static const struct pg_sqlstate_meaning meanings[] = {
    {"08P01", ERR_CONFIG,    NULL},
    {"08",    ERR_TRANSIENT, NULL},
    {"0A",    ERR_CONFIG,    NULL},
    {"25006", ERR_CONFIG,    "this server is read-only: connect to the primary"},
    {"25",    ERR_TRANSIENT, NULL},
    {"28P01", ERR_CONFIG,    "correct the user or the password in the connection string"},
    {"28000", ERR_CONFIG,    "let this user and host in: pg_hba.conf, or the provider's access list"},
    {"28",    ERR_CONFIG,    "correct the user or the password in the connection string"},
    {"3D000", ERR_CONFIG,    "correct the database name in the connection string"},
    {"40",    ERR_TRANSIENT, NULL},
    {"42501", ERR_CONFIG,    "grant the privilege; `check` prints the SQL for everything that is missing"},
    {"42",    ERR_CONFIG,    NULL},
    {"53300", ERR_TRANSIENT, "the server has no free connection: close some, or raise max_connections or max_wal_senders"},
    {"53400", ERR_CONFIG,    "raise max_replication_slots or max_wal_senders, or drop a slot nobody uses"},
    {"53",    ERR_TRANSIENT, NULL},
    {"55006", ERR_FENCED,    NULL},
    {"55P03", ERR_TRANSIENT, "another session holds the lock"},
    {"55",    ERR_CONFIG,    NULL},
    {"57P04", ERR_CONFIG,    "the database was dropped"},
    {"57P05", ERR_TRANSIENT, NULL},
    {"57",    ERR_TRANSIENT, NULL},
    {"58P01", ERR_CONFIG,    "the WAL this slot needs is gone; the slot must be made again"},
    {"58",    ERR_TRANSIENT, NULL},
    {"XX",    ERR_TRANSIENT, NULL},
};
/* clang-format on */

static const struct pg_sqlstate_meaning unlisted = {"", ERR_CONFIG, NULL};

int
pg_sqlstate_code(struct span text)
{
    if (text.len != 5)
        return 0;
    for (size_t i = 0; i < 5; i++) {
        char c = text.ptr[i];

        if (!(c >= '0' && c <= '9') && !(c >= 'A' && c <= 'Z'))
            return 0;
    }
    return PG_SQLSTATE(text.ptr[0], text.ptr[1], text.ptr[2], text.ptr[3], text.ptr[4]);
}

const char *
pg_sqlstate_text(int code, char dst[6])
{
    for (int i = 0; i < 5; i++)
        dst[i] = (char)((code >> (6 * i) & 0x3F) + '0');
    dst[5] = '\0';
    return dst;
}

const struct pg_sqlstate_meaning *
pg_sqlstate_meaning(int code)
{
    const struct pg_sqlstate_meaning *best = &unlisted;
    char text[6];

    assert(code != 0);
    pg_sqlstate_text(code, text);
    for (size_t i = 0; i < ARRAY_LEN(meanings); i++) {
        size_t len = strlen(meanings[i].prefix);

        if (len > strlen(best->prefix) && memcmp(meanings[i].prefix, text, len) == 0)
            best = &meanings[i];
    }
    return best;
}
