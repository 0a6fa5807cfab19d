/* file: round trips, ceilings, and what a failed write leaves behind. */
#include "base/file.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "harness/check.h"

static char folder[64];

static int
make_folder(void **state UNUSED)
{
    snprintf(folder, sizeof(folder), "file_test.XXXXXX");
    return mkdtemp(folder) ? 0 : -1;
}

static int
remove_folder(void **state UNUSED)
{
    return rmdir(folder); /* each test removes its own files, or this fails */
}

/* FOLDER/name, in a buffer that the next call overwrites. */
static const char *
path_to(const char *name)
{
    static char path[128];

    snprintf(path, sizeof(path), "%s/%s", folder, name);
    return path;
}

static size_t
files_in_folder(void)
{
    DIR *dir = opendir(folder);
    size_t count = 0;

    CHECK(dir);
    while (readdir(dir))
        count++;
    closedir(dir);
    return count - 2; /* . and .. */
}

static void
what_is_written_is_read(void **state UNUSED)
{
    static const struct span contents[] = {SPAN_INIT(""), SPAN_INIT("text\n"),
                                           SPAN_INIT("nul\0inside")};
    const char *path = path_to("a");

    for (size_t i = 0; i < ARRAY_LEN(contents); i++) {
        CLEANUP(arena_freep) struct arena *arena = arena_new("test");
        struct span got;
        struct err err;

        CHECK_OK(file_write_atomic(path, contents[i], 0600, &err), err);
        CHECK_OK(file_read(path, 100, arena, &got, &err), err);
        CHECK(span_eq(got, contents[i]));
        CHECK_INT(got.ptr[got.len], '\0');
        CHECK_INT(files_in_folder(), 1); /* no temporary file stays */
    }
    unlink(path);
}

static void
a_large_file_is_read_whole(void **state UNUSED)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new("test");
    CLEANUP(buf_free) struct buf content = buf_make(MEGABYTES(1));
    const char *path = path_to("large");
    struct span got;
    struct err err;

    for (int i = 0; i < 50000; i++)
        buf_putf(&content, "%d\n", i);
    CHECK_OK(file_write_atomic(path, buf_span(&content), 0600, &err), err);
    CHECK_OK(file_read(path, MEGABYTES(1), arena, &got, &err), err);
    CHECK(span_eq(got, buf_span(&content)));
    unlink(path);
}

static void
the_mode_is_the_one_asked_for(void **state UNUSED)
{
    static const mode_t modes[] = {0600, 0644, 0400};
    const char *path = path_to("m");
    mode_t before = umask(0077);
    struct stat st;
    struct err err;

    for (size_t i = 0; i < ARRAY_LEN(modes); i++) {
        CHECK_OK(file_write_atomic(path, SPAN("x"), modes[i], &err), err);
        CHECK_INT(stat(path, &st), 0);
        CHECK_INT(st.st_mode & 0777, modes[i]);
    }
    umask(before);
    unlink(path);
}

static void
the_limit_is_exact(void **state UNUSED)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new("test");
    const char *path = path_to("five");
    char want[256];
    struct span got;
    struct err err;

    CHECK_OK(file_write_atomic(path, SPAN("12345"), 0600, &err), err);
    CHECK_OK(file_read(path, 5, arena, &got, &err), err);
    CHECK_SPAN(got, "12345");
    snprintf(want, sizeof(want), "cannot read %s: larger than the limit of 4 bytes", path);
    CHECK_FAILS(file_read(path, 4, arena, &got, &err), err, ERR_CONFIG, want);
    unlink(path);
}

static void
a_file_that_does_not_know_its_size_is_read(void **state UNUSED)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new("test");
    struct span got;
    struct err err;

    CHECK_OK(file_read("/proc/self/status", 100000, arena, &got, &err), err);
    CHECK(got.len > 100);
    CHECK(!file_read("/dev/zero", 1000, arena, &got, &err)); /* and one without end is refused */
    CHECK_INT(err.kind, ERR_CONFIG);
}

static void
errors_name_the_path(void **state UNUSED)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new("test");
    char want[256], longest[PATH_MAX + 10];
    struct span got;
    struct err err;

    snprintf(want, sizeof(want), "cannot read %s: No such file or directory", path_to("no"));
    CHECK_FAILS(file_read(path_to("no"), 10, arena, &got, &err), err, ERR_CONFIG, want);
    CHECK_INT(err.code, ENOENT);
    snprintf(want, sizeof(want), "cannot read %s: Is a directory", folder);
    CHECK_FAILS(file_read(folder, 10, arena, &got, &err), err, ERR_CONFIG, want);
    snprintf(want, sizeof(want), "cannot write %s: No such file or directory", path_to("no/no"));
    CHECK_FAILS(file_write_atomic(path_to("no/no"), SPAN("x"), 0600, &err), err, ERR_CONFIG, want);

    memset(longest, 'x', sizeof(longest) - 1);
    longest[sizeof(longest) - 1] = '\0';
    CHECK(!file_write_atomic(longest, SPAN("x"), 0600, &err));
    CHECK_INT(err.code, ENAMETOOLONG);
}

static void
a_full_disk_may_pass(void **state UNUSED)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new("test");
    struct span got;
    struct err err;

    /* Reading the memory of a process from address 0 is an I/O error: the one that needs no disk.
     */
    CHECK(!file_read("/proc/self/mem", 10, arena, &got, &err));
    CHECK_INT(err.code, EIO);
    CHECK_INT(err.kind, ERR_TRANSIENT);
}

static void
a_failed_write_leaves_nothing_behind(void **state UNUSED)
{
    const char *path = path_to("taken");
    struct err err;

    CHECK_INT(mkdir(path, 0700), 0); /* no file can be renamed over a folder */
    CHECK(!file_write_atomic(path, SPAN("x"), 0600, &err));
    CHECK_INT(err.code, EISDIR);
    CHECK_INT(files_in_folder(), 1);
    rmdir(path);
}

static void
a_path_without_a_folder_is_written_here(void **state UNUSED)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new("test");
    char name[80];
    struct span got;
    struct err err;

    snprintf(name, sizeof(name), "%s.here", folder);
    CHECK_OK(file_write_atomic(name, SPAN("x"), 0600, &err), err);
    CHECK_OK(file_read(name, 10, arena, &got, &err), err);
    CHECK_SPAN(got, "x");
    unlink(name);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_written_is_read),
        cmocka_unit_test(a_large_file_is_read_whole),
        cmocka_unit_test(the_mode_is_the_one_asked_for),
        cmocka_unit_test(the_limit_is_exact),
        cmocka_unit_test(a_file_that_does_not_know_its_size_is_read),
        cmocka_unit_test(errors_name_the_path),
        cmocka_unit_test(a_full_disk_may_pass),
        cmocka_unit_test(a_failed_write_leaves_nothing_behind),
        cmocka_unit_test(a_path_without_a_folder_is_written_here),
    };

    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
