#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

/* Clocks.  The core never calls these: time comes in as an argument. */

#include <stddef.h>
#include <stdint.h>

int64_t clock_mono_ms(void); /* steady, for deadlines */
int64_t clock_wall_ms(void); /* since 1970, UTC; for what survives a restart */

/* "2026-01-02T03:04:05.678Z" into size >= CLOCK_TEXT_SIZE bytes. */
#define CLOCK_TEXT_SIZE 32
const char *clock_text(char *dst, size_t size, int64_t wall_ms);

#endif
