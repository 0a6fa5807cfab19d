#ifndef HARNESS_SCRIPTED_HTTP_H
#define HARNESS_SCRIPTED_HTTP_H

/*
 * An HTTP peer that follows a script, on a free loopback port, in a thread of its own.
 *
 * Each request takes the next step; behind the end of the script every request is answered with
 * `{"status":"OK"}`.  All requests are recorded.
 *
 *     struct scripted_http *peer = scripted_http_start(steps, ARRAY_LEN(steps));
 *     ... requests to scripted_http_url(peer) ...
 *     scripted_http_stop(peer);
 */

#include <stdbool.h>
#include <stddef.h>

#include "base/span.h"

enum scripted_deed {
    SCRIPT_ANSWER,     /* read the request, answer */
    SCRIPT_DROP,       /* read the request, close the connection without a word */
    SCRIPT_DROP_EARLY, /* close the connection once the head has arrived */
    SCRIPT_HANG,       /* read the request, then never answer */
};

struct scripted_step {
    enum scripted_deed deed;
    int status;          /* SCRIPT_ANSWER: 0 is 200 */
    const char *headers; /* further header lines, each ended by CRLF; or NULL */
    const char *body;    /* NULL: {"status":"OK"} */
    size_t body_len;     /* 0: strlen(body) */
    bool close;          /* close the connection after the answer */
};

struct scripted_request {
    struct span head;  /* request line and headers, up to the empty line */
    struct span body;  /* as it came */
    struct span text;  /* body, unpacked when it came as gzip */
    size_t connection; /* which connection brought it, from 1 */
};

struct scripted_http;

struct scripted_http *scripted_http_start(const struct scripted_step *steps, size_t count);
void scripted_http_stop(struct scripted_http *peer); /* NULL is fine */
void scripted_http_stopp(struct scripted_http **peer);

const char *scripted_http_url(const struct scripted_http *peer); /* "http://127.0.0.1:1234" */
size_t scripted_http_count(struct scripted_http *peer);

/* Valid until the peer is stopped. */
struct scripted_request scripted_http_request(struct scripted_http *peer, size_t index);

/* Does the request have this header line, "name: value" with the name in lower case? */
bool scripted_request_has(const struct scripted_request *request, const char *line);

#endif
