/* turbopuffer_answer: statuses, unknown outcomes, and error texts. */
#include "destinations/turbopuffer/turbopuffer_answer.h"

#include <assert.h>

#include "base/arena.h"
#include "base/json.h"
#include "base/utf8.h"

#define TEXT_MAX 400 /* of the service's words; the err holds 1 KiB */

/* clang-format off */
static const struct status_row {
    int first, last;
    enum err_kind kind;
    bool unknown; /* it may have been applied, or be applied later */
    const char *hint;
} statuses[] = {
    {200, 200, ERR_NONE,      false, NULL},
    {202, 202, ERR_TRANSIENT, true,  "accepted but not done"},
    {100, 299, ERR_CONFIG,    true,  "is base_url a turbopuffer?"},
    {300, 399, ERR_CONFIG,    false, "redirected: is base_url right?"},
    {400, 400, ERR_DATA,      false, NULL},
    {401, 401, ERR_CONFIG,    false, "the API key was refused: check api_key in [turbopuffer]"},
    {403, 403, ERR_CONFIG,    false, "the API key has no right to this: check its scope"},
    {404, 404, ERR_CONFIG,    false, "there is no such address: check base_url and region in [turbopuffer]"},
    {408, 408, ERR_TRANSIENT, true,  NULL},
    {409, 409, ERR_TRANSIENT, false, NULL},
    {413, 413, ERR_DATA,      false, "too large: lower batch_max_bytes in [target.write]"},
    {422, 422, ERR_DATA,      false, NULL},
    {425, 425, ERR_TRANSIENT, false, NULL},
    {429, 429, ERR_TRANSIENT, false, "throttled"},
    {400, 499, ERR_CONFIG,    false, NULL},
    {500, 599, ERR_TRANSIENT, true,  NULL},
    {0,   999, ERR_CONFIG,    true,  "is base_url a turbopuffer?"},
};
/* clang-format on */

static const struct status_row *
row_of(int status)
{
    for (size_t i = 0; i < ARRAY_LEN(statuses); i++)
        if (status >= statuses[i].first && status <= statuses[i].last)
            return &statuses[i];
    return &statuses[ARRAY_LEN(statuses) - 1];
}

static enum err_kind
advised(enum err_kind kind, enum http_retry_advice advice)
{
    if (advice == HTTP_RETRY_YES)
        return ERR_TRANSIENT;
    return advice == HTTP_RETRY_NO && kind == ERR_TRANSIENT ? ERR_CONFIG : kind;
}

/* ---- the service's words ---- */

/* {"status":"error","error":text} or plain text (facts 3.10). */
static struct span
words_of(struct span body, struct arena *arena)
{
    struct json *document;
    struct err ignored;
    const struct json *text;

    if (!json_parse(body, arena, &document, &ignored) || document->type != JSON_OBJECT)
        return body;
    text = json_get(document, "error");
    return text && text->type == JSON_STRING ? text->text : body;
}

/* One line, no secret, no broken UTF-8. */
static struct span
made_printable(struct span text, const char *secret, struct arena *arena)
{
    size_t secret_len = secret ? strlen(secret) : 0, len = 0;
    struct span cut = {text.ptr, text.len < TEXT_MAX ? text.len : TEXT_MAX};
    char *copy;

    cut.len = utf8_valid_len(cut);
    copy = arena_alloc(arena, cut.len + 1);
    assert(cut.len <= text.len);
    for (size_t i = 0; i < cut.len;) {
        if (secret_len && text.len - i >= secret_len &&
            memcmp(text.ptr + i, secret, secret_len) == 0) {
            i += secret_len;
            copy[len++] = '*';
            continue;
        }
        copy[len++] = (unsigned char)text.ptr[i] < ' ' ? ' ' : text.ptr[i];
        i++;
    }
    while (len > 0 && copy[len - 1] == ' ')
        len--;
    return (struct span){copy, len};
}

static bool
fail(const struct http_response *response, const char *secret, const struct status_row *row,
     struct err *err)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new("answer");
    struct span text = made_printable(words_of(response->body, arena), secret, arena);

    return err_set_code(err, advised(row->kind, response->should_retry), response->status,
                        "turbopuffer answered %d%s%.*s%s%s%s", response->status,
                        text.len ? ": " : "", SPAN_ARG(text), row->hint ? " (" : "",
                        row->hint ? row->hint : "", row->hint ? ")" : "");
}

/* ---- success ---- */

static bool
is_ok(const struct json *document)
{
    const struct json *status = document->type == JSON_OBJECT ? json_get(document, "status") : NULL;

    return status && status->type == JSON_STRING && span_eq(status->text, SPAN("OK"));
}

/* A page of some proxy is no confirmation: only the service's own word counts as durable. */
static bool
confirm(const struct http_response *response, bool *ret_rows_remain, struct err *err)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new("answer");
    const struct json *remain;
    struct json *document;
    struct err ignored;

    if (!json_parse(response->body, arena, &document, &ignored) || !is_ok(document))
        return err_set_code(err, ERR_CONFIG, response->status,
                            "%d without the confirmation of a turbopuffer: check base_url in "
                            "[turbopuffer]",
                            response->status);
    remain = json_get(document, "rows_remaining");
    *ret_rows_remain = remain && remain->type == JSON_BOOL && remain->yes;
    return true;
}

bool
turbopuffer_answer(const struct http_response *response, const char *secret, bool *ret_rows_remain,
                   struct destination_result *result, struct err *err)
{
    const struct status_row *row = row_of(response->status);

    assert(response->status > 0 && result);
    *ret_rows_remain = false;
    if (row->kind == ERR_NONE) {
        if (confirm(response, ret_rows_remain, err))
            return true;
        result->unknown = true;
        return false;
    }
    if (row->unknown)
        result->unknown = true;
    if (response->retry_after_ms < TURBOPUFFER_RETRY_AFTER_MAX_MS)
        result->retry_after_ms = response->retry_after_ms;
    return fail(response, secret, row, err);
}

bool
turbopuffer_answer_list(const struct http_response *response, const char *secret, struct err *err)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new("answer");
    const struct status_row *row = row_of(response->status);
    struct json *document;
    struct err ignored;

    if (response->status == 403)
        return true;
    if (row->kind != ERR_NONE)
        return fail(response, secret, row, err);
    if (json_parse(response->body, arena, &document, &ignored) && document->type == JSON_OBJECT &&
        json_get(document, "namespaces"))
        return true;
    return err_set_code(err, ERR_CONFIG, response->status,
                        "whoever answers there is no turbopuffer: check base_url in [turbopuffer]");
}
