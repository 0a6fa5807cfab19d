/* action: the words for actions. */
#include "model/action.h"

/* clang-format off */
const char *const action_kind_names[ACTION_KIND_MAX_ + 1] = {
    [ACTION_UPSERT]   = "upsert",
    [ACTION_DELETE]   = "delete",
    [ACTION_TRUNCATE] = "truncate",
    [ACTION_ERROR]    = "error",
};
/* clang-format on */
