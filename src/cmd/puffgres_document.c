/* puffgres_document: reference pages out of the tables, for docs/reference (tools/generated). */
#include "cmd/puffgres.h"
#include "project/config.h"
#include "project/keys.h"
#include "runner/registry.h"

#define PAGE_LIMIT ((size_t)512 * 1024)

#define MADE "Made from the option tables; do not edit.\n"

static void
put_table(const struct opt *options, struct buf *out)
{
    buf_putf(out, "| key | type | default | what it does |\n|---|---|---|---|\n");
    opt_document(options, out);
}

static void
document_config(struct buf *out)
{
    buf_putf(out, "# puffgres.toml\n\n" MADE
                  "\nSearched as `-c PATH`, `./puffgres.toml`, `./puffgres/puffgres.toml`, and in "
                  "the parent when the\ncurrent folder is called `puffgres`.  `${VAR}` and "
                  "`${VAR:-default}` are read from the environment,\nwhere a value is used.\n");
    for (const struct config_section *section = config_sections; section->path; section++) {
        buf_putf(out, "\n## [%s]\n\n%s.\n\n", section->path, section->summary);
        put_table(section->options, out);
    }
}

static void
document_destinations(struct buf *out)
{
    buf_putf(out,
             "# Destinations\n\n" MADE
             "\nA mapping names its destination with `[target] destination`; its settings stand "
             "in puffgres.toml under\n`[destinations.NAME]`, those of turbopuffer under "
             "`[turbopuffer]`.\n");
    for (size_t i = 0; destinations[i]; i++) {
        buf_putf(out, "\n## %s\n\n%s.\n\n", destinations[i]->name, destinations[i]->summary);
        if (destinations[i]->options->type == OPT_TYPE_END)
            buf_putf(out, "It has no settings.\n");
        else
            put_table(destinations[i]->options, out);
    }
}

/* Every field once, with its path in both layouts. */
static void
document_migrations(struct buf *out)
{
    buf_putf(out, "# Migration files\n\n" MADE
                  "\nOne file per version of a mapping in `puffgres/migrations/`, in the nested "
                  "layout or in the flat one,\nnever mixed.  The files are read in the order of "
                  "their numbers.\n\n"
                  "| key, nested | key, flat | example | what it says |\n|---|---|---|---|\n");
    for (const struct key *key = migration_keys; key->path; key++) {
        if (!key->help)
            continue;
        for (const struct key *flat = migration_keys; flat->path; flat++) {
            if (flat->field != key->field || !(flat->layouts & LAYOUT_FLAT))
                continue;
            buf_putf(out, "| `%s` | `%s` | `%s` | ", key->path, flat->path, key->written);
            for (const char *c = key->help; *c; c++)
                buf_putf(out, *c == '|' ? "\\%c" : "%c", *c);
            buf_putf(out, " |\n");
            break;
        }
    }
}

static void
document_commands(struct buf *out)
{
    command_document(&puffgres_program, out);
}

static const struct {
    const char *name;
    void (*write)(struct buf *out);
} pages[] = {
    {"puffgres.toml", document_config},
    {"migrations", document_migrations},
    {"destinations", document_destinations},
    {"commands", document_commands},
};

int
puffgres_document(const struct invocation *invocation)
{
    CLEANUP(buf_free) struct buf out = buf_make(PAGE_LIMIT);
    struct err err;

    for (size_t i = 0; i < ARRAY_LEN(pages); i++) {
        if (strcmp(pages[i].name, invocation->args[0]) != 0)
            continue;
        pages[i].write(&out);
        return puffgres_print(&out);
    }
    (void)err_set(&err, ERR_CONFIG, "there is no page \"%s\"", invocation->args[0]);
    return puffgres_fail(NULL, &err);
}
