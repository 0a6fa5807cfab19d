/* init: the files of a new project. */
#include "project/init.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"

#define PATH_LIMIT   4096
#define FOLDER_MODE  0755
#define PRIVATE_MODE 0700
#define FILE_MODE    0644

/* clang-format off */
#define EXAMPLE                                                                      \
    "[migration]\n"                                                                  \
    "name = \"users\"\n"                                                             \
    "version = 1\n"                                                                  \
    "\n"                                                                             \
    "[source]\n"                                                                     \
    "table = \"users\"\n"                                                            \
    "schema = \"public\"\n"                                                          \
    "\n"                                                                             \
    "[mapping]\n"                                                                    \
    "id = \"id\"                            # becomes the document's id\n"      \
    "columns = [\"id\", \"name\", \"email\"]    # become its attributes\n"        \
    "# membership = \"status = 'active'\"   # which rows belong; all unless set\n" \
    "\n"                                                                             \
    "[target]\n"                                                                     \
    "namespace = \"users\"\n"

const char init_example[] = EXAMPLE;

static const char config_text[] =
    "# A puffgres project. ${VAR} and ${VAR:-default} are read from the environment.\n"
    "# Every key is explained in docs/reference/puffgres.toml.md.\n"
    "\n"
    "[postgres]\n"
    "connection_string = \"${DATABASE_URL}\"\n"
    "# slot = \"puffgres\"                # replication slot; the publication has the same name\n"
    "\n"
    "[turbopuffer]\n"
    "api_key = \"${TURBOPUFFER_API_KEY}\"\n"
    "# region = \"gcp-us-central1\"\n"
    "# base_url = \"http://127.0.0.1:8787\"  # instead of a region: a local turbopuffer\n"
    "# namespace_prefix = \"staging-\"       # in front of every namespace\n"
    "\n"
    "# Where checkpoints, applied migrations and dead letters are kept.\n"
    "# Without this table: SQLite in puffgres/state/puffgres.db.\n"
    "# [state]\n"
    "# backend = \"sqlite\"\n"
    "# path = \"puffgres/state/puffgres.db\"\n"
    "# backend = \"postgres\"              # the choice for production, with a later version\n"
    "\n"
    "# Defaults for every mapping.\n"
    "# [batching]\n"
    "# batch_max_rows = 1000\n"
    "# batch_max_bytes = \"8MiB\"\n"
    "# flush_interval_ms = 100\n";

static const char migrations_text[] =
    "# Migrations\n"
    "\n"
    "One file per version of a mapping, such as `0001_users.toml`:\n"
    "\n"
    "```toml\n" EXAMPLE "```\n"
    "\n"
    "Then `puffgres check`, `puffgres migrate`, `puffgres run`.  A file that was applied never\n"
    "changes; a change is a new file with the same name and the next version.\n";

static const char transforms_text[] =
    "# Transforms\n"
    "\n"
    "Functions that change a row on its way; they come with a later version.  Until then a\n"
    "mapping writes its columns as they are (`transform = \"identity\"`).\n";

static const struct {
    const char *path;
    mode_t mode;
} folders[] = {
    {"puffgres",            FOLDER_MODE},
    {"puffgres/migrations", FOLDER_MODE},
    {"puffgres/transforms", FOLDER_MODE},
    {"puffgres/state",      PRIVATE_MODE},
};

static const struct {
    const char *path;
    const char *text;
} files[] = {
    {"puffgres/migrations/README.md", migrations_text},
    {"puffgres/transforms/README.md", transforms_text},
    {"puffgres/state/.gitignore",     "*\n!.gitignore\n"},
    {"puffgres.toml",                 config_text}, /* last: with it the project exists */
};
/* clang-format on */

static bool
make_folder(const char *path, mode_t mode, struct err *err)
{
    struct stat st;

    if (mkdir(path, mode) == 0)
        return true;
    if (errno == EEXIST && stat(path, &st) == 0 && S_ISDIR(st.st_mode))
        return true;
    return err_set_code(err, ERR_CONFIG, errno, "cannot make folder %s: %s", path, strerror(errno));
}

/* mkdir -p: "a/b/c" with every folder above it. */
static bool
make_folders(char *path, struct err *err)
{
    for (char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        bool made;

        *slash = '\0';
        made = make_folder(path, FOLDER_MODE, err);
        *slash = '/';
        if (!made)
            return false;
    }
    return make_folder(path, FOLDER_MODE, err);
}

static bool
join(char *dst, size_t size, const char *root, const char *path, struct err *err)
{
    int len = snprintf(dst, size, "%s%s%s", root, *root ? "/" : "", path);

    assert(len > 0);
    return (size_t)len < size || err_set(err, ERR_CONFIG, "the path %s is too long", root);
}

static bool
exists(const char *path)
{
    struct stat st;

    return lstat(path, &st) == 0;
}

static bool
write_file(const char *root, const char *name, const char *text, struct err *err)
{
    char path[PATH_LIMIT];

    if (!join(path, sizeof(path), root, name, err))
        return false;
    return exists(path) || file_write_atomic(path, span_of(text), FILE_MODE, err);
}

static bool
refuse_existing(const char *root, struct err *err)
{
    static const char *const marks[] = {"puffgres.toml", "puffgres/puffgres.toml"};
    char path[PATH_LIMIT];

    for (size_t i = 0; i < ARRAY_LEN(marks); i++) {
        if (!join(path, sizeof(path), root, marks[i], err))
            return false;
        if (exists(path))
            return err_set(err, ERR_CONFIG,
                           "%s exists already and is left alone; choose another folder", path);
    }
    return true;
}

bool
init_project(const char *path, struct arena *arena, struct err *err)
{
    char *root = arena_strdup(arena, path ? path : "");
    size_t len = strlen(root);
    char folder[PATH_LIMIT];

    while (len > 1 && root[len - 1] == '/')
        root[--len] = '\0';
    if (!refuse_existing(root, err) || (len > 0 && !make_folders(root, err)))
        return false;
    for (size_t i = 0; i < ARRAY_LEN(folders); i++) {
        if (!join(folder, sizeof(folder), root, folders[i].path, err) ||
            !make_folder(folder, folders[i].mode, err))
            return false;
    }
    for (size_t i = 0; i < ARRAY_LEN(files); i++) {
        if (!write_file(root, files[i].path, files[i].text, err))
            return false;
    }
    return true;
}
