/* utf8_fuzz: the valid beginning is valid, and one byte more is not. */
#include "fuzz/fuzz.h"

#include <assert.h>

#include "base/utf8.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct span all = {(const char *)data, size};
    struct span valid = {all.ptr, utf8_valid_len(all)};

    assert(valid.len <= size);
    assert(utf8_valid(valid));
    assert(utf8_valid(all) == (valid.len == size));
    return 0;
}
