#ifndef NET_HTTP_H
#define NET_HTTP_H

/*
 * An HTTP/1.1 client that knows what it does not know.
 *
 * One struct http is one connection that is kept alive between requests; one thread uses it at a
 * time.  A request is sent at most once: neither this module nor libcurl below it ever repeats
 * one, so a failure says truthfully whether the peer may have acted on it (response.sent).  That
 * matters more than a convenient retry: a request of unknown outcome can still be applied hours
 * later (SEMANTICS 19).
 *
 *     struct http *http = http_open(&(struct http_settings){.connect_timeout_ms = 10000});
 *     struct http_response response;
 *
 *     if (!http_send(http, &(struct http_request){.method = "POST", .url = url, .body = &body,
 *                    .body_count = 1, .gzip = true, .deadline_ms = deadline, .cancel_fd = fd},
 *                    &response, err))
 *         return err_wrap(err, "%s", url);          (response.sent: may it be applied later?)
 *     if (response.status != 200) ...
 *
 * Bodies come in pieces that are compressed or sent as they are, never joined.  Bodies over 1 KiB
 * are sent as gzip when asked for (RFC 9110, section 8.4.1.3); answers may come as gzip and are
 * unpacked.  TLS certificates are verified, redirects are not followed, nothing but http and https
 * is spoken, proxies come from the environment but never stand before a loopback address.
 *
 * Errors: TRANSIENT (name resolution, refused, lost, timed out, answer too long), CONFIG (the URL
 * or the certificate is at fault: another try cannot help), CANCELED (only after cancel_fd).
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/span.h"

struct http;

struct http_settings {
    int64_t connect_timeout_ms; /* name resolution, TCP and TLS together */
    size_t answer_limit;        /* most bytes of an answer's body, unpacked; 0: 1 MiB */
};

struct http_request {
    const char *method;
    const char *url;
    const char *const *headers; /* "Name: value", ended by NULL; or NULL */
    const struct span *body;    /* pieces, sent one after another */
    size_t body_count;
    bool gzip;
    int64_t deadline_ms; /* clock_mono_ms */
    int cancel_fd;       /* readable: give up now; -1 none */
};

/* The x-should-retry header. */
enum http_retry_advice {
    HTTP_RETRY_UNSAID,
    HTTP_RETRY_YES,
    HTTP_RETRY_NO,
};

/* Filled whether http_send succeeds or not. */
struct http_response {
    int status; /* 0: no answer arrived */
    bool connected;
    bool sent;              /* the whole request left us: the peer may have acted on it */
    size_t sent_bytes;      /* of the body, after compression */
    int64_t retry_after_ms; /* Retry-After-Ms, or Retry-After in seconds or as a date; 0 none */
    enum http_retry_advice should_retry;
    char content_type[64]; /* "" when there was none */
    struct span body;      /* until the next request */
};

struct http *http_open(const struct http_settings *settings);
void http_close(struct http *http); /* NULL is fine */
void http_closep(struct http **http);

/* No request for a while: the connection stays, large buffers and the last answer go. */
void http_rest(struct http *http);

/* True when an answer arrived, whatever its status. */
MUST_CHECK bool http_send(struct http *http, const struct http_request *request,
                          struct http_response *ret, struct err *err);

/* "http://localhost:1/x", "http://127.0.0.1", "https://[::1]": an address of this machine. */
bool http_url_is_loopback(const char *url);

#endif
