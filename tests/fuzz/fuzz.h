#ifndef FUZZ_FUZZ_H
#define FUZZ_FUZZ_H

/*
 * A fuzz target is one function and a folder of seeds.
 *
 *     tests/fuzz/json_fuzz.c      defines LLVMFuzzerTestOneInput
 *     tests/fuzz/corpus/json/     one file per seed; what once crashed goes in here too
 *     tests/fuzz/meson.build      'json' in fuzz_targets
 *
 * The target returns 0, keeps nothing from one input to the next, and asserts what must hold for
 * every input (a round trip, a bound), not only that nothing crashes.  `data` is not terminated.
 */

#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#endif
