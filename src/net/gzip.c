/* gzip: bodies through zlib, in pieces that fit the stack. */
#define ZLIB_CONST /* zlib takes its input as const */

#include "net/gzip.h"

#include <assert.h>
#include <limits.h>
#include <zlib.h>

#define PIECE       ((size_t)32 * 1024)
#define GZIP_WINDOW (15 + 16) /* zlib: 32 KiB window, gzip framing */

/* zlib counts input in unsigned int: hand over at most that much at a time. */
static void
feed(z_stream *z, struct span *in)
{
    size_t take = in->len < UINT_MAX ? in->len : UINT_MAX;

    assert(in->ptr || in->len == 0);
    if (z->avail_in || take == 0)
        return;
    z->next_in = (const Bytef *)in->ptr;
    z->avail_in = (uInt)take;
    in->ptr += take;
    in->len -= take;
}

static bool
deflate_all(z_stream *z, struct span in, struct buf *out, struct err *err)
{
    char piece[PIECE];
    int status = Z_OK;

    while (status == Z_OK) {
        feed(z, &in);
        z->next_out = (Bytef *)piece;
        z->avail_out = (uInt)sizeof(piece);
        status = deflate(z, in.len ? Z_NO_FLUSH : Z_FINISH);
        buf_put(out, (struct span){piece, sizeof(piece) - z->avail_out});
    }
    assert(status == Z_STREAM_END);
    return buf_ok(out, err);
}

bool
gzip_pack(struct span in, int level, struct buf *out, struct err *err)
{
    z_stream z = {0};
    bool done;

    assert(level >= 0 && level <= Z_BEST_COMPRESSION);
    if (deflateInit2(&z, level, Z_DEFLATED, GZIP_WINDOW, 8, Z_DEFAULT_STRATEGY) != Z_OK)
        return err_set(err, ERR_BUG, "zlib cannot start compressing");
    done = deflate_all(&z, in, out, err);
    deflateEnd(&z);
    return done;
}

static bool
inflate_all(z_stream *z, struct span in, struct buf *out, struct err *err)
{
    char piece[PIECE];

    for (;;) {
        int status;

        feed(z, &in);
        z->next_out = (Bytef *)piece;
        z->avail_out = (uInt)sizeof(piece);
        status = inflate(z, Z_NO_FLUSH);
        buf_put(out, (struct span){piece, sizeof(piece) - z->avail_out});
        if (out->overflow)
            return buf_ok(out, err);
        if (status == Z_STREAM_END && z->avail_in == 0 && in.len == 0)
            return true;
        if (status == Z_STREAM_END)
            status = inflateReset(z); /* the next member */
        if (status == Z_BUF_ERROR)
            return err_set(err, ERR_DATA, "gzip: the stream ends too early");
        if (status != Z_OK)
            return err_set(err, ERR_DATA, "gzip: %s", z->msg ? z->msg : "not a gzip stream");
    }
}

bool
gzip_unpack(struct span in, struct buf *out, struct err *err)
{
    z_stream z = {0};
    bool done;

    if (inflateInit2(&z, GZIP_WINDOW) != Z_OK)
        return err_set(err, ERR_BUG, "zlib cannot start decompressing");
    done = inflate_all(&z, in, out, err);
    inflateEnd(&z);
    return done;
}
