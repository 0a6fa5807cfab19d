/* change: the words for operations. */
#include "model/change.h"

/* clang-format off */
const char *const change_op_names[CHANGE_OP_MAX_ + 1] = {
    [CHANGE_INSERT]   = "insert",
    [CHANGE_UPDATE]   = "update",
    [CHANGE_DELETE]   = "delete",
    [CHANGE_TRUNCATE] = "truncate",
};
/* clang-format on */
