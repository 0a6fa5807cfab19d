/* limits: the live service's sizes, and small ones for tests. */
#include "local/limits.h"

#define KIB(n) ((size_t)(n)*1024)
#define MIB(n) ((size_t)(n)*1024 * 1024)

const struct limits limits_live = {
    .filterable_bytes = KIB(4),
    .attribute_bytes = MIB(8),
    .document_bytes = MIB(64),
    .request_bytes = MIB(512),
    .delete_filter_rows = 5000000,
    .patch_filter_rows = 50000,
};

const struct limits limits_small = {
    .filterable_bytes = 64,
    .attribute_bytes = KIB(1),
    .document_bytes = KIB(4),
    .request_bytes = KIB(64),
    .delete_filter_rows = 10,
    .patch_filter_rows = 10,
};
