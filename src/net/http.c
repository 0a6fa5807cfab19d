/* http: one request at a time over libcurl, cancelled by a descriptor, never sent twice. */
#include "net/http.h"

#include <assert.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#define ZLIB_CONST
#include <curl/curl.h>
#include <zlib.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/number.h"

#define GZIP_FROM_BYTES      1024
#define GZIP_LEVEL           1  /* the bytes are rendered faster than any level compresses them */
#define GZIP_WINDOW          31 /* zlib: 15 bits, +16 for the gzip wrapping */
#define GZIP_LIMIT           MEGABYTES(600)
#define GZIP_STEP            ((size_t)64 * 1024)
#define ANSWER_LIMIT_DEFAULT MEGABYTES(1)
#define BUFFER_KEEP          MEGABYTES(8)        /* larger buffers are not kept between requests */
#define BUFFER_REST          ((size_t)64 * 1024) /* and these not while there are none */
#define CONNECTION_IDLE_S    30L /* shorter than any peer's own idle limit: facts 3.1 has 60 s */

/* The body of the request in flight, as it travels. */
struct outgoing {
    const struct span *body;
    size_t count;
    size_t piece; /* next byte to hand to libcurl: body[piece].ptr[offset] */
    size_t offset;
    bool handed_all;
};

struct http {
    CURL *easy;
    CURLM *multi;
    struct http_settings settings;
    z_stream gzip;
    bool gzip_ready;
    struct buf packed; /* the compressed request */
    struct buf answer;
    struct outgoing out;
    char error[CURL_ERROR_SIZE];
};

/* ---- the body on its way out ---- */

static size_t
total_bytes(const struct span *body, size_t count)
{
    size_t bytes = 0;

    for (size_t i = 0; i < count; i++)
        bytes += body[i].len;
    return bytes;
}

static bool
at_end(struct outgoing *out)
{
    while (out->piece < out->count && out->offset == out->body[out->piece].len) {
        out->piece++;
        out->offset = 0;
    }
    return out->piece == out->count;
}

/*
 * CURLOPT_READFUNCTION.  There is deliberately no seek function beside it: libcurl repeats a
 * request by itself when a kept connection turns out dead, but only if it can rewind the body.
 */
static size_t
hand_body(char *dst, size_t size, size_t count, void *user)
{
    struct outgoing *out = user;
    size_t room = size * count, done = 0;

    while (done < room && !at_end(out)) {
        struct span piece = span_skip(out->body[out->piece], out->offset);
        size_t len = piece.len < room - done ? piece.len : room - done;

        memcpy(dst + done, piece.ptr, len);
        out->offset += len;
        done += len;
    }
    assert(done <= room);
    out->handed_all = at_end(out);
    return done;
}

static size_t
take_answer(char *src, size_t size, size_t count, void *user)
{
    struct http *http = user;

    buf_put(&http->answer, (struct span){src, size * count});
    return http->answer.overflow ? 0 : size * count;
}

/* ---- compression ---- */

static bool
gzip_begin(struct http *http)
{
    if (http->gzip_ready)
        return deflateReset(&http->gzip) == Z_OK;
    http->gzip_ready = deflateInit2(&http->gzip, GZIP_LEVEL, Z_DEFLATED, GZIP_WINDOW,
                                    MAX_MEM_LEVEL - 1, Z_DEFAULT_STRATEGY) == Z_OK;
    return http->gzip_ready;
}

static bool
gzip_piece(struct http *http, struct span piece, int flush)
{
    z_stream *z = &http->gzip;
    int rc;

    assert(piece.len <= UINT32_MAX);
    z->next_in = (const Bytef *)piece.ptr;
    z->avail_in = (uInt)piece.len;
    do {
        char *room = buf_reserve(&http->packed, GZIP_STEP);

        if (!room)
            return false;
        z->next_out = (Bytef *)room;
        z->avail_out = GZIP_STEP;
        rc = deflate(z, flush);
        buf_commit(&http->packed, GZIP_STEP - z->avail_out);
    } while (rc == Z_OK && z->avail_out == 0);
    return rc == Z_OK || rc == Z_STREAM_END || rc == Z_BUF_ERROR;
}

static bool
gzip_body(struct http *http, const struct http_request *request, struct err *err)
{
    bool ok = gzip_begin(http);

    for (size_t i = 0; ok && i < request->body_count; i++)
        ok = request->body[i].len == 0 || gzip_piece(http, request->body[i], Z_NO_FLUSH);
    ok = ok && gzip_piece(http, SPAN(""), Z_FINISH);
    if (!ok)
        return err_set(err, ERR_BUG, "compressing a request of %zu bytes failed",
                       total_bytes(request->body, request->body_count));
    return true;
}

/* ---- setting up ---- */

static pthread_once_t curl_once = PTHREAD_ONCE_INIT;

static void
start_curl(void)
{
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
        abort();
}

struct http *
http_open(const struct http_settings *settings)
{
    struct http *http = calloc(1, sizeof(*http));

    assert(settings->connect_timeout_ms > 0);
    pthread_once(&curl_once, start_curl);
    if (!http)
        abort();
    http->settings = *settings;
    if (http->settings.answer_limit == 0)
        http->settings.answer_limit = ANSWER_LIMIT_DEFAULT;
    http->answer = buf_make(http->settings.answer_limit);
    http->packed = buf_make(GZIP_LIMIT);
    http->easy = curl_easy_init();
    http->multi = curl_multi_init();
    if (!http->easy || !http->multi)
        abort();
    return http;
}

void
http_close(struct http *http)
{
    if (!http)
        return;
    curl_easy_cleanup(http->easy);
    curl_multi_cleanup(http->multi);
    if (http->gzip_ready)
        deflateEnd(&http->gzip);
    buf_free(&http->packed);
    buf_free(&http->answer);
    free(http);
}

void
http_closep(struct http **http)
{
    http_close(*http);
    *http = NULL;
}

static bool
host_is_loopback(const char *host)
{
    return strcasecmp(host, "localhost") == 0 || strncmp(host, "127.", 4) == 0 ||
           strcmp(host, "[::1]") == 0;
}

bool
http_url_is_loopback(const char *url)
{
    CURLU *parts = curl_url();
    char *host = NULL;
    bool yes = parts && curl_url_set(parts, CURLUPART_URL, url, 0) == CURLUE_OK &&
               curl_url_get(parts, CURLUPART_HOST, &host, 0) == CURLUE_OK && host_is_loopback(host);

    curl_free(host);
    curl_url_cleanup(parts);
    return yes;
}

static void
slist_freep(struct curl_slist **list)
{
    curl_slist_free_all(*list);
    *list = NULL;
}

static void
add_header(struct curl_slist **list, const char *text)
{
    struct curl_slist *longer = curl_slist_append(*list, text);

    if (!longer)
        abort();
    *list = longer;
}

static struct curl_slist *
make_headers(const struct http_request *request, bool packed)
{
    struct curl_slist *list = NULL;

    add_header(&list, "Expect:"); /* no 100-continue: it costs a round trip */
    if (packed)
        add_header(&list, "Content-Encoding: gzip");
    for (const char *const *at = request->headers; at && *at; at++)
        add_header(&list, *at);
    return list;
}

static void
set_limits(struct http *http, const struct http_request *request)
{
    int64_t left_ms = request->deadline_ms - clock_mono_ms();

    curl_easy_setopt(http->easy, CURLOPT_TIMEOUT_MS, (long)(left_ms > 1 ? left_ms : 1));
    curl_easy_setopt(http->easy, CURLOPT_CONNECTTIMEOUT_MS,
                     (long)http->settings.connect_timeout_ms);
    curl_easy_setopt(http->easy, CURLOPT_MAXAGE_CONN, CONNECTION_IDLE_S);
    curl_easy_setopt(http->easy, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(http->easy, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(http->easy, CURLOPT_NOSIGNAL, 1L);
    if (http_url_is_loopback(request->url))
        curl_easy_setopt(http->easy, CURLOPT_NOPROXY, "*");
}

static void
set_body(struct http *http)
{
    curl_easy_setopt(http->easy, CURLOPT_POST, 1L);
    curl_easy_setopt(http->easy, CURLOPT_READFUNCTION, hand_body);
    curl_easy_setopt(http->easy, CURLOPT_READDATA, &http->out);
    curl_easy_setopt(http->easy, CURLOPT_POSTFIELDSIZE_LARGE,
                     (curl_off_t)total_bytes(http->out.body, http->out.count));
}

static void
set_request(struct http *http, const struct http_request *request, struct curl_slist *headers)
{
    curl_easy_reset(http->easy); /* keeps the connection */
    http->error[0] = '\0';
    set_limits(http, request);
    if (http->out.count)
        set_body(http);
    curl_easy_setopt(http->easy, CURLOPT_URL, request->url);
    curl_easy_setopt(http->easy, CURLOPT_CUSTOMREQUEST, request->method);
    curl_easy_setopt(http->easy, CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1);
    curl_easy_setopt(http->easy, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(http->easy, CURLOPT_USERAGENT, "puffgres/" WALLABY_VERSION);
    curl_easy_setopt(http->easy, CURLOPT_ACCEPT_ENCODING, "gzip");
    curl_easy_setopt(http->easy, CURLOPT_WRITEFUNCTION, take_answer);
    curl_easy_setopt(http->easy, CURLOPT_WRITEDATA, http);
    curl_easy_setopt(http->easy, CURLOPT_ERRORBUFFER, http->error);
}

/* ---- sending ---- */

static bool
is_readable(int fd)
{
    struct pollfd p = {.fd = fd, .events = POLLIN};

    return fd >= 0 && poll(&p, 1, 0) > 0;
}

/* Wait for libcurl's sockets or the cancel descriptor. */
static void
wait_for_progress(struct http *http, const struct http_request *request)
{
    struct curl_waitfd extra = {.fd = request->cancel_fd, .events = CURL_WAIT_POLLIN};
    int64_t left_ms = request->deadline_ms - clock_mono_ms();

    curl_multi_poll(http->multi, &extra, request->cancel_fd >= 0,
                    (int)(left_ms < 1       ? 1
                          : left_ms > 60000 ? 60000
                                            : left_ms),
                    NULL);
}

/* Runs the transfer; false when it was cancelled, else *ret says how it ended. */
static bool
run_transfer(struct http *http, const struct http_request *request, CURLcode *ret)
{
    int running = 1, left;
    bool canceled = false;
    const CURLMsg *msg;

    curl_multi_add_handle(http->multi, http->easy);
    for (;;) {
        canceled = is_readable(request->cancel_fd);
        if (canceled || curl_multi_perform(http->multi, &running) != CURLM_OK || !running)
            break;
        wait_for_progress(http, request);
    }
    msg = curl_multi_info_read(http->multi, &left);
    *ret = msg && msg->msg == CURLMSG_DONE ? msg->data.result : CURLE_FAILED_INIT;
    return !canceled || (msg && msg->msg == CURLMSG_DONE);
}

/* What another try cannot mend; every other failure is the network's. */
static const CURLcode config_errors[] = {
    CURLE_UNSUPPORTED_PROTOCOL,     CURLE_URL_MALFORMAT,
    CURLE_PEER_FAILED_VERIFICATION, CURLE_SSL_CERTPROBLEM,
    CURLE_SSL_CACERT_BADFILE,       CURLE_SSL_ISSUER_ERROR,
    CURLE_SSL_INVALIDCERTSTATUS,    CURLE_SSL_PINNEDPUBKEYNOTMATCH,
};

static enum err_kind
failure_kind(CURLcode code)
{
    for (size_t i = 0; i < ARRAY_LEN(config_errors); i++)
        if (config_errors[i] == code)
            return ERR_CONFIG;
    return ERR_TRANSIENT;
}

static bool
fail(const struct http *http, CURLcode code, struct err *err)
{
    if (http->answer.overflow)
        return err_set(err, ERR_TRANSIENT, "the answer is longer than %zu bytes",
                       http->settings.answer_limit);
    return err_set_code(err, failure_kind(code), (int)code, "%s",
                        http->error[0] ? http->error : curl_easy_strerror(code));
}

/* ---- the answer ---- */

static struct span
header(struct http *http, const char *name)
{
    struct curl_header *found;

    if (curl_easy_header(http->easy, name, 0, CURLH_HEADER, -1, &found) != CURLHE_OK)
        return SPAN("");
    return span_of(found->value);
}

/* RFC 9110, section 10.2.3: seconds or a date; the -Ms form is turbopuffer's own (facts 3.11). */
static int64_t
retry_after_ms(struct http *http)
{
    struct span ms = header(http, "retry-after-ms"), after = header(http, "retry-after");
    double n;
    time_t date;

    if (span_to_double(ms, &n) && n >= 0 && n < 1e12)
        return (int64_t)n;
    if (span_to_double(after, &n) && n >= 0 && n < 1e9)
        return (int64_t)(n * 1000);
    date = after.len ? curl_getdate(after.ptr, NULL) : -1;
    if (date < 0 || (int64_t)date * 1000 <= clock_wall_ms())
        return 0;
    return (int64_t)date * 1000 - clock_wall_ms();
}

static enum http_retry_advice
retry_advice(struct http *http)
{
    struct span text = header(http, "x-should-retry");

    if (span_eq(text, SPAN("true")))
        return HTTP_RETRY_YES;
    return span_eq(text, SPAN("false")) ? HTTP_RETRY_NO : HTTP_RETRY_UNSAID;
}

/* A request without a body is out as soon as anything of it is. */
static bool
was_sent(struct http *http)
{
    long head_bytes = 0;

    curl_easy_getinfo(http->easy, CURLINFO_REQUEST_SIZE, &head_bytes);
    return head_bytes > 0 && (http->out.count == 0 || http->out.handed_all);
}

static void
describe(struct http *http, struct http_response *ret)
{
    curl_off_t uploaded = 0, connect_us = 0;
    long status = 0;

    curl_easy_getinfo(http->easy, CURLINFO_RESPONSE_CODE, &status);
    curl_easy_getinfo(http->easy, CURLINFO_SIZE_UPLOAD_T, &uploaded);
    curl_easy_getinfo(http->easy, CURLINFO_PRETRANSFER_TIME_T, &connect_us);
    *ret = (struct http_response){
        .status = (int)status,
        .connected = connect_us > 0,
        .sent = was_sent(http),
        .sent_bytes = (size_t)uploaded,
        .retry_after_ms = retry_after_ms(http),
        .should_retry = retry_advice(http),
        .body = buf_span(&http->answer),
    };
    snprintf(ret->content_type, sizeof(ret->content_type), "%s", header(http, "content-type").ptr);
}

static void
empty(struct buf *buf, size_t keep)
{
    if (buf->cap > keep)
        buf_free(buf);
    buf_clear(buf);
}

/* The body as it will travel: compressed when that was asked for and pays. */
static bool
prepare_body(struct http *http, const struct http_request *request, struct span *packed,
             struct err *err)
{
    empty(&http->answer, BUFFER_KEEP);
    empty(&http->packed, BUFFER_KEEP);
    http->out = (struct outgoing){.body = request->body, .count = request->body_count};
    if (!request->gzip || total_bytes(request->body, request->body_count) <= GZIP_FROM_BYTES)
        return true;
    if (!gzip_body(http, request, err))
        return false;
    *packed = buf_span(&http->packed);
    http->out = (struct outgoing){.body = packed, .count = 1};
    return true;
}

bool
http_send(struct http *http, const struct http_request *request, struct http_response *ret,
          struct err *err)
{
    struct span packed = {0};
    CLEANUP(slist_freep) struct curl_slist *headers = NULL;
    CURLcode code;
    bool finished;

    assert(request->method && request->url);
    assert(request->body || request->body_count == 0);
    *ret = (struct http_response){0};
    if (!prepare_body(http, request, &packed, err))
        return false;
    headers = make_headers(request, http->out.body == &packed);
    set_request(http, request, headers);

    finished = run_transfer(http, request, &code);
    describe(http, ret);
    curl_multi_remove_handle(http->multi, http->easy); /* an unfinished one takes its connection */
    http->out = (struct outgoing){0};
    if (!finished)
        return err_set(err, ERR_CANCELED, "canceled");
    if (code != CURLE_OK)
        return fail(http, code, err);
    return true;
}

void
http_rest(struct http *http)
{
    empty(&http->answer, BUFFER_REST);
    empty(&http->packed, BUFFER_REST);
}
