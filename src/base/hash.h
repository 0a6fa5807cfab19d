#ifndef BASE_HASH_H
#define BASE_HASH_H

/* hash_bytes: for tables and lanes, stable across versions and machines (FNV-1a, 64 bits, with a
 * final avalanche).  hash_sha256_hex: for what must not be forged or confused. */

#include <stdint.h>

#include "base/span.h"

#define HASH_SHA256_HEX_SIZE 65

uint64_t hash_bytes(struct span s);
const char *hash_sha256_hex(struct span s, char dst[HASH_SHA256_HEX_SIZE]);

#endif
