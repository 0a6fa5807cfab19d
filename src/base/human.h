#ifndef BASE_HUMAN_H
#define BASE_HUMAN_H

/*
 * Quantities as people read them: "1.2 MiB", "2h 13m".  For status, progress and messages, never
 * for anything that is read back.
 *
 *     char text[HUMAN_SIZE];
 *
 *     buf_putf(out, "%s behind\n", human_bytes(text, lag_bytes));
 */

#include <stdint.h>

#define HUMAN_SIZE 48

/* Each writes into dst and returns it. */
const char *human_bytes(char dst[HUMAN_SIZE], uint64_t size_bytes); /* "0 B", "1.5 KiB" */
const char *human_millis(char dst[HUMAN_SIZE], int64_t ms);         /* "400ms", "1.2s", "3d 4h" */
const char *human_rate(char dst[HUMAN_SIZE], double per_second);    /* "0", "0.3", "1204" */

#endif
