/* lsn: the text form of log positions. */
#include "model/lsn.h"

static bool
hex_digit(char c, unsigned *ret)
{
    if (c >= '0' && c <= '9')
        *ret = (unsigned)(c - '0');
    else if (c >= 'a' && c <= 'f')
        *ret = (unsigned)(c - 'a') + 10;
    else if (c >= 'A' && c <= 'F')
        *ret = (unsigned)(c - 'A') + 10;
    else
        return false;
    return true;
}

static bool
hex_half(struct span text, uint64_t *ret)
{
    uint64_t n = 0;
    unsigned digit;

    if (text.len == 0 || text.len > 8)
        return false;
    for (size_t i = 0; i < text.len; i++) {
        if (!hex_digit(text.ptr[i], &digit))
            return false;
        n = n << 4 | digit;
    }
    *ret = n;
    return true;
}

bool
lsn_parse(struct span text, lsn_t *ret)
{
    const char *slash = text.len ? memchr(text.ptr, '/', text.len) : NULL;
    uint64_t high, low;
    size_t left;

    if (!slash)
        return false;
    left = (size_t)(slash - text.ptr);
    if (!hex_half((struct span){text.ptr, left}, &high) ||
        !hex_half((struct span){slash + 1, text.len - left - 1}, &low))
        return false;
    *ret = high << 32 | low;
    return true;
}
