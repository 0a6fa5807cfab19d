/* puffgres_init: puffgres init [PATH]. */
#include "cmd/puffgres.h"
#include "project/init.h"

#define TEXT_LIMIT ((size_t)16 * 1024)

int
puffgres_init(const struct invocation *invocation)
{
    CLEANUP(buf_free) struct buf out = buf_make(TEXT_LIMIT);
    const char *path = invocation->arg_count > 0 ? invocation->args[0] : NULL;
    struct err err;

    if (!init_project(path, invocation->arena, &err))
        return puffgres_fail(NULL, &err);
    buf_putf(&out,
             "made a project in %s\n\n"
             "Next:\n"
             "  1. export DATABASE_URL=postgres://user:password@host:5432/dbname\n"
             "     export TURBOPUFFER_API_KEY=...\n"
             "  2. write puffgres/migrations/0001_users.toml, such as:\n\n",
             path ? path : "this folder");
    for (const char *c = init_example; *c;) {
        size_t len = strcspn(c, "\n");

        buf_putf(&out, "%s%.*s\n", len ? "         " : "", (int)len, c);
        c += len + (c[len] == '\n');
    }
    buf_putf(&out, "\n  3. puffgres check && puffgres migrate && puffgres run\n");
    return puffgres_print(&out);
}
