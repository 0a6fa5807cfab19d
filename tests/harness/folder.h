#ifndef HARNESS_FOLDER_H
#define HARNESS_FOLDER_H

/* A folder of its own for a test, gone when it ends. */

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "harness/check.h"

struct folder {
    char path[64];
};

static inline struct folder
folder_make(void)
{
    struct folder folder = {.path = "puffgres-test-XXXXXX"};

    if (!mkdtemp(folder.path))
        fail_msg("cannot make a folder");
    return folder;
}

static inline int
folder_remove_one(const char *path, const struct stat *st, int kind, struct FTW *walk)
{
    (void)st;
    (void)kind;
    (void)walk;
    return remove(path);
}

static inline void
folder_remove(struct folder *folder)
{
    nftw(folder->path, folder_remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

/* "<folder>/<name>", in a static buffer of this file: used up before the next call. */
static inline const char *
folder_path(const struct folder *folder, const char *name)
{
    static char path[512];

    snprintf(path, sizeof(path), "%s/%s", folder->path, name);
    return path;
}

static inline void
folder_make_in(const struct folder *folder, const char *name)
{
    if (mkdir(folder_path(folder, name), 0755) != 0)
        fail_msg("cannot make %s", folder_path(folder, name));
}

static inline void
folder_write(const struct folder *folder, const char *name, const char *text)
{
    FILE *file = fopen(folder_path(folder, name), "w");

    if (!file || fputs(text, file) < 0 || fclose(file) != 0)
        fail_msg("cannot write %s", folder_path(folder, name));
}

#endif
