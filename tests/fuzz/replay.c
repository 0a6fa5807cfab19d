/* replay: run a fuzz target once over each file of its corpus, in builds without libFuzzer. */
#include "fuzz/fuzz.h"

#include <assert.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The input sits in a block of its exact size, so that a sanitizer sees one byte too far. */
static void
replay_file(const char *path)
{
    FILE *file = fopen(path, "rb");
    uint8_t *data = NULL;
    long size = 0;
    size_t got = 0;

    assert(file);
    assert(fseek(file, 0, SEEK_END) == 0);
    size = ftell(file);
    assert(size >= 0);
    rewind(file);
    data = malloc(size > 0 ? (size_t)size : 1);
    assert(data);
    got = fread(data, 1, (size_t)size, file);
    assert(got == (size_t)size);
    fclose(file);
    LLVMFuzzerTestOneInput(data, got);
    free(data);
}

static int
replay_folder(const char *folder)
{
    struct dirent *entry = NULL;
    DIR *dir = opendir(folder);
    int count = 0;

    if (!dir) {
        perror(folder);
        return -1;
    }
    while ((entry = readdir(dir))) {
        char path[4096];

        if (entry->d_name[0] == '.')
            continue;
        snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name);
        replay_file(path);
        count++;
    }
    closedir(dir);
    return count;
}

int
main(int argc, char **argv)
{
    int count = argc == 2 ? replay_folder(argv[1]) : -1;

    printf("%d inputs\n", count);
    return count > 0 ? EXIT_SUCCESS : EXIT_FAILURE; /* a target without seeds proves nothing */
}
