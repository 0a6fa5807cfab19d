/* reply: the body of a refusal. */
#include "local/reply.h"

#include <assert.h>

#include "base/json.h"

#define STATUS_UNLESS_SAID 400 /* malformed JSON comes without one */

int
reply_refusal(const struct err *err, struct span attribute, struct buf *out)
{
    struct json_writer w = {.out = out};

    assert(err->kind != ERR_NONE);
    json_object_begin(&w);
    json_key(&w, SPAN("status"));
    json_string(&w, SPAN("error"));
    json_key(&w, SPAN("error"));
    json_string(&w, span_of(err->text));
    if (attribute.len) {
        json_key(&w, SPAN("attribute"));
        json_string(&w, attribute);
    }
    json_object_end(&w);
    return err->code ? err->code : STATUS_UNLESS_SAID;
}
