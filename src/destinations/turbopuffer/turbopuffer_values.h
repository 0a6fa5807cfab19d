#ifndef DESTINATIONS_TURBOPUFFER_TURBOPUFFER_VALUES_H
#define DESTINATIONS_TURBOPUFFER_TURBOPUFFER_VALUES_H

/*
 * The functions that the table of conversions points to: one value of Postgres text to JSON.
 * See turbopuffer_types.h for what they answer.
 */

#include "destinations/turbopuffer/turbopuffer_types.h"

/* As it is: integers. */
enum turbopuffer_fit turbopuffer_put_raw(const struct turbopuffer_cell *cell, struct span text,
                                         struct buf *out);
/* In quotes, nothing to escape: uuids. */
enum turbopuffer_fit turbopuffer_put_quoted(const struct turbopuffer_cell *cell, struct span text,
                                            struct buf *out);
enum turbopuffer_fit turbopuffer_put_string(const struct turbopuffer_cell *cell, struct span text,
                                            struct buf *out);
enum turbopuffer_fit turbopuffer_put_bool(const struct turbopuffer_cell *cell, struct span text,
                                          struct buf *out);
enum turbopuffer_fit turbopuffer_put_bool_word(const struct turbopuffer_cell *cell,
                                               struct span text, struct buf *out);
enum turbopuffer_fit turbopuffer_put_base64(const struct turbopuffer_cell *cell, struct span text,
                                            struct buf *out);
enum turbopuffer_fit turbopuffer_put_text_uuid(const struct turbopuffer_cell *cell,
                                               struct span text, struct buf *out);

/* ---- numbers ---- */

enum turbopuffer_fit turbopuffer_put_float(const struct turbopuffer_cell *cell, struct span text,
                                           struct buf *out);
enum turbopuffer_fit turbopuffer_put_numeric_int(const struct turbopuffer_cell *cell,
                                                 struct span text, struct buf *out);
enum turbopuffer_fit turbopuffer_put_numeric_uint(const struct turbopuffer_cell *cell,
                                                  struct span text, struct buf *out);

/* ---- times ---- */

enum turbopuffer_fit turbopuffer_put_date(const struct turbopuffer_cell *cell, struct span text,
                                          struct buf *out);
/* UTC, milliseconds. */
enum turbopuffer_fit turbopuffer_put_datetime(const struct turbopuffer_cell *cell, struct span text,
                                              struct buf *out);
/* UTC, microseconds, so that strings sort like times; what has no such form keeps its text. */
enum turbopuffer_fit turbopuffer_put_time_text(const struct turbopuffer_cell *cell,
                                               struct span text, struct buf *out);
enum turbopuffer_fit turbopuffer_put_micros(const struct turbopuffer_cell *cell, struct span text,
                                            struct buf *out);

/* ---- arrays, vectors, documents ---- */

enum turbopuffer_fit turbopuffer_put_array(const struct turbopuffer_cell *cell, struct span text,
                                           struct buf *out);
/* Arrays and composites as JSON inside a string. */
enum turbopuffer_fit turbopuffer_put_json_text(const struct turbopuffer_cell *cell,
                                               struct span text, struct buf *out);
/* pgvector's [1,2,3] */
enum turbopuffer_fit turbopuffer_put_vector(const struct turbopuffer_cell *cell, struct span text,
                                            struct buf *out);
/* {1,2,3} */
enum turbopuffer_fit turbopuffer_put_array_vector(const struct turbopuffer_cell *cell,
                                                  struct span text, struct buf *out);
enum turbopuffer_fit turbopuffer_put_sparse(const struct turbopuffer_cell *cell, struct span text,
                                            struct buf *out);

#endif
