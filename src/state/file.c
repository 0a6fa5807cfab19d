/* file: the state file and its folder, made and private. */
#include "state/file.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define FOLDER_MODE 0700
#define FILE_MODE   0600

static enum err_kind
errno_kind(int error)
{
    return error == ENOSPC || error == EDQUOT || error == EIO || error == EMFILE || error == ENFILE
               ? ERR_TRANSIENT
               : ERR_CONFIG;
}

static bool
fail(const char *path, const char *what, const char *remedy, struct err *err)
{
    int error = errno;

    return err_set_code(err, errno_kind(error), error, "state %s: cannot %s: %s; %s", path, what,
                        strerrordesc_np(error), remedy);
}

/* ---- the folder ---- */

static bool
folder_make(const char *folder, struct err *err)
{
    if (mkdir(folder, FOLDER_MODE) == 0 || errno == EEXIST)
        return true;
    return fail(folder, "make the folder", "its parent must exist and be writable by this user",
                err);
}

/*
 * flock(2) on the folder, because SQLite does not wait when two processes turn on the write-ahead
 * journal of one new file.  Where folders cannot be locked (some network file systems) that rare
 * meeting ends in "busy" instead.
 */
static bool
folder_lock(const char *folder, int *ret, struct err *err)
{
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (fd < 0)
        return fail(folder, "open the folder", "it must be readable and writable by this user",
                    err);
    while (flock(fd, LOCK_EX) != 0 && errno == EINTR)
        continue;
    *ret = fd;
    return true;
}

/* ---- the file ---- */

static bool
file_create(const char *path, int folder, struct err *err)
{
    int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, FILE_MODE);

    if (fd < 0)
        return fail(path, "make the file", "its folder must be writable by this user", err);
    close(fd); /* new: nobody holds a lock on it */
    if (fsync(folder) != 0)
        return fail(path, "write its folder to the disk", "look at its disk", err);
    return true;
}

static bool
file_check(const char *path, const struct stat *st, struct err *err)
{
    if (!S_ISREG(st->st_mode))
        return err_set(err, ERR_CONFIG, "state %s: this is not a file; set [state] path to one",
                       path);
    /* The journal files take their mode from this one. */
    if ((st->st_mode & 0777 & ~(mode_t)FILE_MODE) != 0 && chmod(path, FILE_MODE) != 0)
        return fail(path, "make the file private (mode 0600)", "it must belong to this user", err);
    return true;
}

static bool
file_prepare(const char *path, bool create, int folder, struct err *err)
{
    struct stat st;

    if (stat(path, &st) == 0)
        return file_check(path, &st, err);
    if (errno != ENOENT)
        return fail(path, "look at the file", "it must be readable and writable by this user", err);
    if (!create)
        return err_set(err, ERR_CONFIG,
                       "state %s: there is no such file; `puffgres migrate` makes it", path);
    return file_create(path, folder, err);
}

bool
state_file_prepare(const char *path, bool create, int *ret_lock, struct err *err)
{
    char text[PATH_MAX];
    const char *folder;
    CLEANUP(state_file_unlock) int lock = -1;
    int len = snprintf(text, sizeof(text), "%s", path);

    if (len <= 0 || len >= PATH_MAX || path[0] == ':')
        return err_set(err, ERR_CONFIG,
                       "state path \"%s\" is not a file name; set [state] path to one, or "
                       "[state] backend to \"memory\"",
                       path);
    folder = dirname(text);
    if (create && !folder_make(folder, err))
        return false;
    if (!create && access(path, F_OK) != 0 && errno == ENOENT)
        return file_prepare(path, false, -1, err);
    if (!folder_lock(folder, &lock, err) || !file_prepare(path, create, lock, err))
        return false;
    *ret_lock = lock;
    lock = -1;
    return true;
}

void
state_file_unlock(int *lock)
{
    if (*lock >= 0)
        close(*lock);
    *lock = -1;
}
