/* hash: FNV-1a with an avalanche, and SHA-256 in hexadecimal. */
#include "base/hash.h"

#include <assert.h>
#include <openssl/evp.h>

/* http://www.isthe.com/chongo/tech/comp/fnv/: the 64-bit parameters. */
#define FNV_OFFSET UINT64_C(0xCBF29CE484222325)
#define FNV_PRIME  UINT64_C(0x100000001B3)

/* The finalizer of MurmurHash3: FNV's high bits are poor for short keys, and lanes are taken by
 * remainder, tables by mask. */
static uint64_t
avalanche(uint64_t h)
{
    h ^= h >> 33;
    h *= UINT64_C(0xFF51AFD7ED558CCD);
    h ^= h >> 33;
    h *= UINT64_C(0xC4CEB9FE1A85EC53);
    h ^= h >> 33;
    return h;
}

uint64_t
hash_bytes(struct span s)
{
    uint64_t h = FNV_OFFSET;

    for (size_t i = 0; i < s.len; i++)
        h = (h ^ (unsigned char)s.ptr[i]) * FNV_PRIME;
    return avalanche(h);
}

const char *
hash_sha256_hex(struct span s, char dst[HASH_SHA256_HEX_SIZE])
{
    static const char hex[] = "0123456789abcdef";
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned len = 0;
    int ok = EVP_Digest(s.ptr, s.len, digest, &len, EVP_sha256(), NULL);

    assert(ok == 1 && len * 2 + 1 == HASH_SHA256_HEX_SIZE);
    (void)ok;
    for (unsigned i = 0; i < len; i++) {
        dst[2 * i] = hex[digest[i] >> 4];
        dst[2 * i + 1] = hex[digest[i] & 15];
    }
    dst[2 * len] = '\0';
    return dst;
}
