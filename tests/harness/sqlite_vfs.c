/* sqlite_vfs: a thin layer over SQLite's default file system that counts and fails calls. */
#include "harness/sqlite_vfs.h"

#include <assert.h>
#include <string.h>

#include <sqlite3.h>

/* The default's file follows in the same allocation. */
struct file {
    sqlite3_file base;
    sqlite3_file *inner;
};

static sqlite3_vfs ours;
static sqlite3_vfs *inner_vfs;
static int fail_with[SQLITE_VFS_CALL_MAX_];
static int64_t skip_calls[SQLITE_VFS_CALL_MAX_];
static bool has_failed;
static int64_t sync_count;
static bool unsynced;

static sqlite3_file *
inner_of(sqlite3_file *file)
{
    return ((struct file *)(void *)file)->inner;
}

/* ---- calls that fail ---- */

/* The result that this call has to give, or SQLITE_OK. */
static int
fault_of(enum sqlite_vfs_call call)
{
    if (!fail_with[call] || skip_calls[call]-- > 0)
        return SQLITE_OK;
    skip_calls[call] = 0;
    has_failed = true;
    return fail_with[call];
}

static int
file_read(sqlite3_file *file, void *bytes, int len, sqlite3_int64 offset)
{
    int fault = fault_of(SQLITE_VFS_READ);

    return fault ? fault : inner_of(file)->pMethods->xRead(inner_of(file), bytes, len, offset);
}

static int
file_write(sqlite3_file *file, const void *bytes, int len, sqlite3_int64 offset)
{
    int fault = fault_of(SQLITE_VFS_WRITE);

    if (fault)
        return fault;
    unsynced = true;
    return inner_of(file)->pMethods->xWrite(inner_of(file), bytes, len, offset);
}

static int
file_sync(sqlite3_file *file, int flags)
{
    int fault = fault_of(SQLITE_VFS_SYNC);

    if (fault)
        return fault;
    sync_count++;
    unsynced = false;
    return inner_of(file)->pMethods->xSync(inner_of(file), flags);
}

/* ---- calls that are handed on ---- */

static int
file_close(sqlite3_file *file)
{
    return inner_of(file)->pMethods->xClose(inner_of(file));
}

static int
file_truncate(sqlite3_file *file, sqlite3_int64 size)
{
    return inner_of(file)->pMethods->xTruncate(inner_of(file), size);
}

static int
file_size(sqlite3_file *file, sqlite3_int64 *ret)
{
    return inner_of(file)->pMethods->xFileSize(inner_of(file), ret);
}

static int
file_lock(sqlite3_file *file, int level)
{
    return inner_of(file)->pMethods->xLock(inner_of(file), level);
}

static int
file_unlock(sqlite3_file *file, int level)
{
    return inner_of(file)->pMethods->xUnlock(inner_of(file), level);
}

static int
file_is_reserved(sqlite3_file *file, int *ret)
{
    return inner_of(file)->pMethods->xCheckReservedLock(inner_of(file), ret);
}

static int
file_control(sqlite3_file *file, int op, void *arg)
{
    return inner_of(file)->pMethods->xFileControl(inner_of(file), op, arg);
}

static int
file_sector_size(sqlite3_file *file)
{
    return inner_of(file)->pMethods->xSectorSize(inner_of(file));
}

static int
file_characteristics(sqlite3_file *file)
{
    return inner_of(file)->pMethods->xDeviceCharacteristics(inner_of(file));
}

static int
file_shm_map(sqlite3_file *file, int page, int size, int extend, void volatile **ret)
{
    return inner_of(file)->pMethods->xShmMap(inner_of(file), page, size, extend, ret);
}

static int
file_shm_lock(sqlite3_file *file, int offset, int n, int flags)
{
    return inner_of(file)->pMethods->xShmLock(inner_of(file), offset, n, flags);
}

static void
file_shm_barrier(sqlite3_file *file)
{
    inner_of(file)->pMethods->xShmBarrier(inner_of(file));
}

static int
file_shm_unmap(sqlite3_file *file, int delete)
{
    return inner_of(file)->pMethods->xShmUnmap(inner_of(file), delete);
}

static const sqlite3_io_methods methods = {
    .iVersion = 2,
    .xClose = file_close,
    .xRead = file_read,
    .xWrite = file_write,
    .xTruncate = file_truncate,
    .xSync = file_sync,
    .xFileSize = file_size,
    .xLock = file_lock,
    .xUnlock = file_unlock,
    .xCheckReservedLock = file_is_reserved,
    .xFileControl = file_control,
    .xSectorSize = file_sector_size,
    .xDeviceCharacteristics = file_characteristics,
    .xShmMap = file_shm_map,
    .xShmLock = file_shm_lock,
    .xShmBarrier = file_shm_barrier,
    .xShmUnmap = file_shm_unmap,
};

static int
open_file(sqlite3_vfs *vfs, sqlite3_filename name, sqlite3_file *base, int flags, int *ret_flags)
{
    struct file *file = (struct file *)(void *)base;
    int code;

    assert(vfs == &ours);
    file->inner = (sqlite3_file *)(void *)(file + 1);
    code = inner_vfs->xOpen(inner_vfs, name, file->inner, flags, ret_flags);
    file->base.pMethods = file->inner->pMethods ? &methods : NULL;
    return code;
}

void
sqlite_vfs_install(void)
{
    inner_vfs = sqlite3_vfs_find(NULL);
    assert(inner_vfs);
    ours = *inner_vfs;
    ours.zName = "faults";
    ours.szOsFile = (int)sizeof(struct file) + inner_vfs->szOsFile;
    ours.xOpen = open_file;
    sqlite3_vfs_register(&ours, 1);
}

void
sqlite_vfs_fail(enum sqlite_vfs_call call, int64_t skip, int code)
{
    assert(call < SQLITE_VFS_CALL_MAX_);
    fail_with[call] = code;
    skip_calls[call] = skip;
}

void
sqlite_vfs_reset(void)
{
    memset(fail_with, 0, sizeof(fail_with));
    has_failed = false;
}

bool
sqlite_vfs_has_failed(void)
{
    return has_failed;
}

int64_t
sqlite_vfs_syncs(void)
{
    return sync_count;
}

bool
sqlite_vfs_unsynced(void)
{
    return unsynced;
}
