#ifndef BASE_FILE_H
#define BASE_FILE_H

/*
 * Whole files: read with a ceiling, written so that a crash leaves the old one or the new one.
 *
 * Errors name the path and carry errno as their code.  A full disk, a bad disk and a lack of
 * descriptors are ERR_TRANSIENT, the rest (absent, forbidden, a folder) is ERR_CONFIG.
 */

#include <stdbool.h>
#include <sys/types.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/span.h"

/* A NUL that does not count stands behind the content.  More than `limit` bytes: ERR_CONFIG. */
MUST_CHECK bool file_read(const char *path, size_t limit, struct arena *arena, struct span *ret,
                          struct err *err);

/*
 * A temporary file in the same folder, fsync, rename, fsync of the folder: once it returns true the
 * content survives a power cut.  On failure the old file is untouched and nothing is left behind.
 */
MUST_CHECK bool file_write_atomic(const char *path, struct span content, mode_t mode,
                                  struct err *err);

#endif
