/* uuid: any written form to lower-case hyphenated text. */
#include "local/uuid.h"

#include <string.h>
#include <strings.h>

#define URN "urn:uuid:"

static bool
is_hex(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
}

/* Braces and the urn's prefix go; what is left has 36 or 32 characters. */
static struct span
strip(struct span text)
{
    size_t urn = sizeof(URN) - 1;

    if (text.len == 38 && text.ptr[0] == '{' && text.ptr[37] == '}')
        return (struct span){text.ptr + 1, 36};
    if (text.len == urn + 36 && strncasecmp(text.ptr, URN, urn) == 0)
        return (struct span){text.ptr + urn, 36};
    return text;
}

static bool
hyphen_at(size_t i)
{
    return i == 8 || i == 13 || i == 18 || i == 23;
}

bool
uuid_canonical(struct span text, char dst[UUID_TEXT_SIZE])
{
    struct span in = strip(text);
    bool hyphens = in.len == 36;
    char out[UUID_TEXT_SIZE] = "";
    size_t from = 0;

    if (in.len != 36 && in.len != 32)
        return false;
    for (size_t to = 0; to < UUID_TEXT_SIZE - 1; to++) {
        if (hyphen_at(to)) {
            if (hyphens && in.ptr[from++] != '-')
                return false;
            out[to] = '-';
            continue;
        }
        out[to] = in.ptr[from] >= 'A' ? (char)(in.ptr[from] | 0x20) : in.ptr[from];
        from++;
        if (!is_hex(out[to]))
            return false;
    }
    memcpy(dst, out, sizeof(out));
    return true;
}
