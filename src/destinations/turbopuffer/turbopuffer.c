/*
 * turbopuffer: conditional writes into one namespace per target.
 *
 * Replay    changes nothing: only newer versions replace, only older ones are deleted
 * Late      a request of unknown outcome may be applied later, so deletes are journalled
 * Threads   a lane has its own connection and buffers; the destination is read-only after open
 */
#include "destinations/turbopuffer/turbopuffer.h"

#include <assert.h>
#include <stdio.h>

#include "base/clock.h"
#include "destinations/turbopuffer/turbopuffer_answer.h"
#include "destinations/turbopuffer/turbopuffer_plan.h"
#include "destinations/turbopuffer/turbopuffer_render.h"
#include "net/http.h"

#define DEFAULT_BASE_URL   "https://{region}.turbopuffer.com"
#define DEFAULT_REGION     "gcp-us-central1" /* what the service itself falls back to: facts 3.1 */
#define REGION_MARK        "{region}"
#define URL_SIZE           1024
#define API_KEY_MAX        512
#define AUTHORIZATION_SIZE (API_KEY_MAX + 64)
#define TRUNCATE_ROUNDS    100000 /* of at most 5 million rows each: an end for a broken peer */

enum compression {
    COMPRESSION_GZIP,
    COMPRESSION_NONE,
};

static const char *const compressions[] = {"gzip", "none", NULL};

struct turbopuffer {
    struct destination base; /* first */
    const char *origin;      /* base_url with its region, without a slash at the end */

    /* settings */
    const char *api_key;
    const char *region;
    const char *base_url;
    int64_t timeout;
    int64_t connect_timeout;
    int compression;
};

struct turbopuffer_lane {
    struct destination_lane base; /* first */
    struct turbopuffer_plan plan;
    struct turbopuffer_render render;
    struct http *http;
    char url[URL_SIZE];
    char authorization[AUTHORIZATION_SIZE];
};

/* clang-format off */
static const struct opt options[] = {
    {OPT_STRING(struct turbopuffer, api_key), .flags = OPT_REQUIRED | OPT_SECRET,
     .help = "The API key"},
    {OPT_STRING(struct turbopuffer, region),
     .help = "The region, as in gcp-us-central1 (the default) or aws-eu-west-1"},
    {OPT_STRING(struct turbopuffer, base_url),
     .help = "Where the service is; {region} stands for the region. Default " DEFAULT_BASE_URL},
    {OPT_MILLIS(struct turbopuffer, timeout), .fallback = "60s", .min = 1, .max = 3600 * 1000,
     .help = "How long one request may take"},
    {OPT_MILLIS(struct turbopuffer, connect_timeout), .fallback = "10s", .min = 1, .max = 600 * 1000,
     .help = "How long connecting may take"},
    {OPT_WORD(struct turbopuffer, compression), .fallback = "gzip", .words = compressions,
     .help = "How requests over 1 KiB travel: gzip or none"},
    {0},
};
/* clang-format on */

/* ---- settings ---- */

/* Letters of a header value (RFC 9110, section 5.5): anything else would end or split the header.
 */
static bool
check_api_key(const char *key, struct err *err)
{
    size_t len = strlen(key);

    for (size_t i = 0; i < len; i++)
        if (key[i] <= ' ' || key[i] > '~')
            return err_set(err, ERR_CONFIG,
                           "option api_key: it has a blank or a character that no key has");
    if (len == 0 || len > API_KEY_MAX)
        return err_set(err, ERR_CONFIG, "option api_key: it is empty or too long to be one");
    return true;
}

static bool
check_region(const char *region, struct err *err)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyz0123456789-";
    size_t len = strlen(region);

    if (len == 0 || len > 64 || strspn(region, letters) != len)
        return err_set(err, ERR_CONFIG,
                       "option region: \"%s\" is no region; they are written like gcp-us-central1",
                       region);
    return true;
}

static bool
check_base_url(const char *url, struct err *err)
{
    if (strncmp(url, "https://", 8) != 0 && strncmp(url, "http://", 7) != 0)
        return err_set(err, ERR_CONFIG, "option base_url: \"%s\" is not an http(s) URL", url);
    if (strlen(url) > URL_SIZE / 2 || strpbrk(url, "?#@ "))
        return err_set(err, ERR_CONFIG, "option base_url: write scheme, host, port and path only");
    return true;
}

/* A region beside a base_url that has no place for it would silently do nothing (facts 3.1). */
static bool
make_origin(struct turbopuffer *t, struct err *err)
{
    const char *url = t->base_url ? t->base_url : DEFAULT_BASE_URL;
    const char *region = t->region ? t->region : DEFAULT_REGION;
    const char *mark = strstr(url, REGION_MARK);
    char text[URL_SIZE];
    int len;

    if (t->region && !mark)
        return err_set(err, ERR_CONFIG,
                       "option region: base_url has no " REGION_MARK
                       " to put it; leave one of them "
                       "out");
    if (mark)
        len = snprintf(text, sizeof(text), "%.*s%s%s", (int)(mark - url), url, region,
                       mark + strlen(REGION_MARK));
    else
        len = snprintf(text, sizeof(text), "%s", url);
    while (len > 0 && text[len - 1] == '/')
        text[--len] = '\0';
    t->origin = arena_strdup(t->base.arena, text);
    return true;
}

static bool
turbopuffer_open(struct destination *dest, struct err *err)
{
    struct turbopuffer *t = (struct turbopuffer *)dest;

    return check_api_key(t->api_key, err) && (!t->region || check_region(t->region, err)) &&
           (!t->base_url || check_base_url(t->base_url, err)) && make_origin(t, err);
}

static void
turbopuffer_close(struct destination *dest UNUSED)
{
}

/* ---- judging a mapping ---- */

static void
turbopuffer_check(const struct destination *dest, const struct mapping *mapping,
                  struct report *report)
{
    const struct turbopuffer *t = (const struct turbopuffer *)dest;
    struct turbopuffer_plan ignored;

    if (strncmp(t->origin, "http:", 5) == 0 && !http_url_is_loopback(t->origin))
        report_add(report, SEVERITY_WARNING, "turbopuffer", NULL,
                   "base_url is http: the API key and all rows travel unencrypted");
    if (!turbopuffer_plan_make(mapping, 0, report->arena, report, &ignored))
        assert(report->count[SEVERITY_ERROR] > 0);
}

static bool
first_error(const struct report *report, struct err *err)
{
    for (const struct finding *f = report->first; f; f = f->next)
        if (f->severity == SEVERITY_ERROR)
            return err_set(err, ERR_CONFIG, "%s%s%s", f->text, f->remedy ? "; " : "",
                           f->remedy ? f->remedy : "");
    return err_set(err, ERR_BUG, "a plan failed without a finding");
}

static bool
turbopuffer_attributes(const struct destination *dest UNUSED, const struct mapping *mapping,
                       struct buf *out, struct err *err)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new("attributes");
    struct report report = report_make(arena);
    struct turbopuffer_plan plan;

    if (!turbopuffer_plan_make(mapping, 0, arena, &report, &plan))
        return first_error(&report, err);
    buf_put(out, span_skip(plan.schema, strlen("\"schema\":")));
    return buf_ok(out, err);
}

static void
put_authorization(const struct turbopuffer *t, char dst[AUTHORIZATION_SIZE])
{
    snprintf(dst, AUTHORIZATION_SIZE, "Authorization: Bearer %s", t->api_key);
}

static bool
turbopuffer_probe(const struct destination *dest, int64_t deadline_ms, struct err *err)
{
    const struct turbopuffer *t = (const struct turbopuffer *)dest;
    CLEANUP(http_closep)
    struct http *http =
        http_open(&(struct http_settings){.connect_timeout_ms = t->connect_timeout});
    char url[URL_SIZE], authorization[AUTHORIZATION_SIZE];
    const char *const headers[] = {authorization, NULL};
    struct http_response response;

    snprintf(url, sizeof(url), "%s/v1/namespaces?page_size=1", t->origin);
    put_authorization(t, authorization);
    return http_send(http,
                     &(struct http_request){
                         .method = "GET",
                         .url = url,
                         .headers = headers,
                         .deadline_ms = deadline_ms,
                         .cancel_fd = -1,
                     },
                     &response, err) &&
           turbopuffer_answer_list(&response, t->api_key, err);
}

/* ---- lanes ---- */

static bool
turbopuffer_lane_open(struct destination_lane *base, struct err *err)
{
    struct turbopuffer_lane *lane = (struct turbopuffer_lane *)base;
    const struct turbopuffer *t = (const struct turbopuffer *)base->destination;
    struct report report = report_make(base->arena);

    if (!turbopuffer_plan_make(base->mapping, base->epoch, base->arena, &report, &lane->plan))
        return first_error(&report, err);
    turbopuffer_render_init(&lane->render, &lane->plan, base->arena);
    snprintf(lane->url, sizeof(lane->url), "%s/v2/namespaces/%s", t->origin, base->mapping->target);
    put_authorization(t, lane->authorization);
    lane->http = http_open(&(struct http_settings){.connect_timeout_ms = t->connect_timeout});
    return true;
}

static void
turbopuffer_lane_close(struct destination_lane *base)
{
    struct turbopuffer_lane *lane = (struct turbopuffer_lane *)base;

    turbopuffer_render_done(&lane->render);
    http_close(lane->http);
    lane->http = NULL;
}

static bool
turbopuffer_render(const struct destination_lane *base, const struct destination_write *write,
                   struct buf *out, struct err *err)
{
    const struct turbopuffer_lane *lane = (const struct turbopuffer_lane *)base;
    struct turbopuffer_render render;
    bool more = true, ok;

    turbopuffer_render_init(&render, &lane->plan, write->scratch);
    turbopuffer_render_start(&render, write->actions, write->count);
    while ((ok = turbopuffer_render_next(&render, &more, err)) && more) {
        for (size_t i = 0; i < render.part_count; i++)
            buf_put(out, render.parts[i]);
        buf_putc(out, '\n');
    }
    turbopuffer_render_done(&render);
    return ok && buf_ok(out, err);
}

/* ---- writing ---- */

static bool
send_request(struct turbopuffer_lane *lane, const struct destination_write *write,
             bool *ret_rows_remain, struct destination_result *result, struct err *err)
{
    const struct turbopuffer *t = (const struct turbopuffer *)lane->base.destination;
    const char *const headers[] = {lane->authorization, "Content-Type: application/json", NULL};
    int64_t deadline_ms = clock_mono_ms() + t->timeout;
    struct http_response response;
    bool answered;

    answered = http_send(
        lane->http,
        &(struct http_request){
            .method = "POST",
            .url = lane->url,
            .headers = headers,
            .body = lane->render.parts,
            .body_count = lane->render.part_count,
            .gzip = t->compression == COMPRESSION_GZIP,
            .deadline_ms = deadline_ms < write->deadline_ms ? deadline_ms : write->deadline_ms,
            .cancel_fd = write->cancel_fd,
        },
        &response, err);
    result->requests++;
    result->bytes += response.sent_bytes;
    if (answered)
        return turbopuffer_answer(&response, t->api_key, ret_rows_remain, result, err);
    result->unknown = result->unknown || response.sent;
    return false;
}

/* One request; a delete_by_filter again while it leaves rows (facts 3.3: 5 million each). */
static bool
send_until_complete(struct turbopuffer_lane *lane, const struct destination_write *write,
                    struct destination_result *result, struct err *err)
{
    bool remain = true;

    for (size_t i = 0; remain; i++) {
        if (i == TRUNCATE_ROUNDS)
            return err_set(err, ERR_TRANSIENT, "rows remain after %zu deletes by filter", i);
        if (!send_request(lane, write, &remain, result, err))
            return false;
    }
    return true;
}

static bool
write_requests(struct turbopuffer_lane *lane, const struct destination_write *write,
               struct destination_result *result, struct err *err)
{
    bool more = true;

    turbopuffer_render_start(&lane->render, write->actions, write->count);
    for (;;) {
        if (!turbopuffer_render_next(&lane->render, &more, err))
            return false;
        if (!more)
            return true;
        if (!send_until_complete(lane, write, result, err))
            return false;
    }
}

static bool
turbopuffer_write(struct destination_lane *base, const struct destination_write *write,
                  struct destination_result *result, struct err *err)
{
    struct turbopuffer_lane *lane = (struct turbopuffer_lane *)base;
    bool done = write_requests(lane, write, result, err);

    turbopuffer_render_rest(&lane->render);
    http_rest(lane->http);
    return done || err_wrap(err, "namespace %s", base->mapping->target);
}

/* ---- registration ---- */

const struct destination_type turbopuffer_destination = {
    .name = "turbopuffer",
    .summary = "turbopuffer namespaces, written conditionally on the version of each row",
    .caps = DEST_KEYED | DEST_VERSIONED | DEST_DURABLE | DEST_LATE_WRITES,
    .size = sizeof(struct turbopuffer),
    .lane_size = sizeof(struct turbopuffer_lane),
    .options = options,
    .open = turbopuffer_open,
    .close = turbopuffer_close,
    .check = turbopuffer_check,
    .probe = turbopuffer_probe,
    .attributes = turbopuffer_attributes,
    .lane_open = turbopuffer_lane_open,
    .lane_close = turbopuffer_lane_close,
    .render = turbopuffer_render,
    .write = turbopuffer_write,
};
