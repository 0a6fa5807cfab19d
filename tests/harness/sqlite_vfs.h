#ifndef HARNESS_SQLITE_VFS_H
#define HARNESS_SQLITE_VFS_H

/*
 * SQLite's file system with faults: calls that fail as they are told to, counted fsyncs.
 *
 * sqlite_vfs_install() puts it in front of the default one, for all connections opened later.
 */

#include <stdbool.h>
#include <stdint.h>

enum sqlite_vfs_call {
    SQLITE_VFS_READ,
    SQLITE_VFS_WRITE,
    SQLITE_VFS_SYNC,
    SQLITE_VFS_CALL_MAX_,
};

void sqlite_vfs_install(void);

/* After `skip` calls that go well this call fails with this SQLite result, until the reset. */
void sqlite_vfs_fail(enum sqlite_vfs_call call, int64_t skip, int code);
bool sqlite_vfs_has_failed(void); /* a call has, since the reset */
void sqlite_vfs_reset(void);

int64_t sqlite_vfs_syncs(void);
bool sqlite_vfs_unsynced(void); /* something was written after the last fsync */

#endif
