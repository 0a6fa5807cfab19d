#ifndef DESTINATIONS_TURBOPUFFER_TURBOPUFFER_ANSWER_H
#define DESTINATIONS_TURBOPUFFER_TURBOPUFFER_ANSWER_H

/*
 * What an answer means: one table of statuses, the outcome of lost requests, and the words of the
 * service for people.  Pure.
 *
 *   200           done, when the body says so
 *   202           accepted, not done: nobody asked for it (facts 3.1)
 *   400 413 422   data: bisected, then dead letters
 *   401 402 403 404 and every other 3xx and 4xx   configuration
 *   408 5xx       again later; the write may still be applied
 *   409 425 429   again later; surely not applied
 *
 * x-should-retry goes above the table, except that nothing is a dead letter because a server says
 * it should not be repeated: then the flow stops and somebody looks.
 */

#include <stdbool.h>

#include "contract/destination.h"
#include "net/http.h"

/* Waits of 30 minutes and more are not honoured (facts 3.11): backoff takes over. */
#define TURBOPUFFER_RETRY_AFTER_MAX_MS (30 * 60 * 1000)

/*
 * Judge an answer.  True: done, and *ret_rows_remain says whether a delete_by_filter has to be
 * repeated.  False: err and result are filled; `secret` is taken out of the text.
 */
MUST_CHECK bool turbopuffer_answer(const struct http_response *response, const char *secret,
                                   bool *ret_rows_remain, struct destination_result *result,
                                   struct err *err);

/*
 * Judge the answer to a list of namespaces.  A key may be scoped so that it must not list but may
 * write: 403 says that somebody is there who knows the key.
 */
MUST_CHECK bool turbopuffer_answer_list(const struct http_response *response, const char *secret,
                                        struct err *err);

#endif
