/* file: whole files in and out. */
#include "base/file.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"

#define READ_SIZE ((size_t)64 * 1024)

static void
close_fd(const int *fd)
{
    if (*fd >= 0)
        close(*fd);
}

/* What passes by itself, or when someone makes room. */
static enum err_kind
kind_of(int code)
{
    static const int transient[] = {EINTR, EAGAIN, EIO, ENOSPC, EDQUOT, EMFILE, ENFILE, ENOMEM};

    for (size_t i = 0; i < ARRAY_LEN(transient); i++) {
        if (transient[i] == code)
            return ERR_TRANSIENT;
    }
    return ERR_CONFIG;
}

COLD static bool
failed(const char *what, const char *path, struct err *err)
{
    int code = errno;

    return err_set_code(err, kind_of(code), code, "cannot %s %s: %s", what, path, strerror(code));
}

/* ---- reading ---- */

/* Until the end or past the limit; works for what does not know its size, too. */
static bool
read_all(int fd, size_t limit, struct buf *content)
{
    while (content->len <= limit) {
        size_t room = limit + 1 - content->len;
        char *at;
        ssize_t n;

        if (room > READ_SIZE)
            room = READ_SIZE;
        at = buf_reserve(content, room);
        assert(at);
        n = read(fd, at, room);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return n == 0;
        buf_commit(content, (size_t)n);
    }
    return true;
}

bool
file_read(const char *path, size_t limit, struct arena *arena, struct span *ret, struct err *err)
{
    CLEANUP(close_fd) int fd = open(path, O_RDONLY | O_CLOEXEC);
    CLEANUP(buf_free) struct buf content = buf_make(limit + 1);

    if (fd < 0 || !read_all(fd, limit, &content))
        return failed("read", path, err);
    if (content.len > limit)
        return err_set(err, ERR_CONFIG, "cannot read %s: larger than the limit of %zu bytes", path,
                       limit);
    *ret = (struct span){arena_text(arena, buf_span(&content)), content.len};
    return true;
}

/* ---- writing ---- */

static bool
write_all(int fd, struct span content)
{
    while (content.len > 0) {
        ssize_t n = write(fd, content.ptr, content.len);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return false;
        content = span_skip(content, (size_t)n);
    }
    return true;
}

/* The slash stays: it is all there is of "/". */
static void
folder_of(const char *path, char folder[PATH_MAX])
{
    const char *slash = strrchr(path, '/');

    if (slash)
        snprintf(folder, PATH_MAX, "%.*s", (int)(slash - path) + 1, path);
    else
        snprintf(folder, PATH_MAX, ".");
}

/* A rename is durable when its folder is: fsync(2). */
static bool
sync_folder(const char *folder, struct err *err)
{
    CLEANUP(close_fd) int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (fd < 0 || fsync(fd) != 0)
        return failed("sync the folder", folder, err);
    return true;
}

/* `temporary` ends in XXXXXX, which mkostemp replaces. */
static bool
write_and_rename(char *temporary, const char *path, struct span content, mode_t mode,
                 struct err *err)
{
    CLEANUP(close_fd) int fd = mkostemp(temporary, O_CLOEXEC);

    if (fd < 0)
        return failed("write", path, err);
    if (fchmod(fd, mode) == 0 && write_all(fd, content) && fsync(fd) == 0 &&
        rename(temporary, path) == 0)
        return true;
    failed("write", path, err); /* before unlink changes errno */
    unlink(temporary);
    return false;
}

bool
file_write_atomic(const char *path, struct span content, mode_t mode, struct err *err)
{
    char temporary[PATH_MAX], folder[PATH_MAX];
    int n = snprintf(temporary, sizeof(temporary), "%s.XXXXXX", path);

    assert(n > 0);
    if ((size_t)n >= sizeof(temporary)) {
        errno = ENAMETOOLONG;
        return failed("write", path, err);
    }
    folder_of(path, folder);
    return write_and_rename(temporary, path, content, mode, err) && sync_folder(folder, err);
}
