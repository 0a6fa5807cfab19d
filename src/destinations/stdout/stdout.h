#ifndef DESTINATIONS_STDOUT_STDOUT_H
#define DESTINATIONS_STDOUT_STDOUT_H

/*
 * stdout: one JSON line per action, appended in stream order.
 *
 *     {"op":"upsert","mapping":"users","id":7,"lsn":"0/16B3748","seq":1,"attributes":{"name":"x"}}
 *     {"op":"delete","mapping":"users","id":7,"lsn":"0/16B3790","seq":1}
 *     {"op":"truncate","mapping":"users","lsn":"0/16B37F0","seq":2}
 *
 * Values by their logical type: numbers, booleans and json as such, everything else as the text of
 * Postgres.  Nothing is keyed: after a restart lines may come again, with the same lsn and seq.
 * Into a pipe, lines up to PIPE_BUF (4 KiB) are written whole or not at all; a longer one that a
 * stop has cut is ended before the next.
 */

#include "contract/destination.h"

extern const struct destination_type stdout_destination;

#endif
