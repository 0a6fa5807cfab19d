#ifndef LOCAL_REFUSE_H
#define LOCAL_REFUSE_H

/*
 * Refusals carry the HTTP status of their answer in err->code:
 *
 *     return refuse(err, 400, "attribute \"%.*s\" is not filterable", SPAN_ARG(name));
 *
 * 400 is a request that makes no sense against the data, 422 JSON of the wrong shape or type.
 */

#include "base/err.h"

#define refuse(err, status, ...) err_set_code((err), ERR_DATA, (status), __VA_ARGS__)

#endif
