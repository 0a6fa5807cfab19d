/* store_text: LSNs and positions in the text form whose order is theirs. */
#include <stdio.h>

#include "state/store.h"

const char *
store_lsn_text(char dst[STORE_LSN_SIZE], lsn_t lsn)
{
    snprintf(dst, STORE_LSN_SIZE, "%08X/%08X", LSN_ARG(lsn));
    return dst;
}

const char *
store_position_text(char dst[STORE_POSITION_SIZE], struct position position)
{
    snprintf(dst, STORE_POSITION_SIZE, "%08X/%08X.%016llX", LSN_ARG(position.commit),
             (unsigned long long)position.ordinal);
    return dst;
}

/* Only we write them: another form is a file that somebody has edited. */
static bool
edited(struct span text, struct err *err)
{
    return err_set(err, ERR_CONFIG,
                   "state: \"%.*s\" is not a position that this program has written; restore the "
                   "file from a backup",
                   SPAN_ARG(text));
}

bool
store_lsn_read(struct span text, lsn_t *ret, struct err *err)
{
    return (text.len == STORE_LSN_SIZE - 1 && lsn_parse(text, ret)) || edited(text, err);
}

bool
store_position_read(struct span text, struct position *ret, struct err *err)
{
    struct position position;
    char slashed[18]; /* 16 digits are the two halves of an LSN */

    if (text.len != STORE_POSITION_SIZE - 1 || text.ptr[STORE_LSN_SIZE - 1] != '.')
        return edited(text, err);
    memcpy(slashed, text.ptr + STORE_LSN_SIZE, 8);
    slashed[8] = '/';
    memcpy(slashed + 9, text.ptr + STORE_LSN_SIZE + 8, 8);
    if (!lsn_parse((struct span){text.ptr, STORE_LSN_SIZE - 1}, &position.commit) ||
        !lsn_parse((struct span){slashed, 17}, &position.ordinal))
        return edited(text, err);
    *ret = position;
    return true;
}
