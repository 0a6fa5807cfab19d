/* mapping: the words of migration files, in the order of their enums. */
#include "model/mapping.h"

/* clang-format off */
const char *const id_type_names[ID_TYPE_MAX_ + 1] = {
    [ID_AUTO]   = "auto",
    [ID_UINT]   = "uint",
    [ID_INT]    = "int",
    [ID_UUID]   = "uuid",
    [ID_STRING] = "string",
};

const char *const versioning_names[VERSIONING_MAX_ + 1] = {
    [VERSIONING_SOURCE_LSN] = "source_lsn",
    [VERSIONING_NONE]       = "none",
};

const char *const deletes_names[DELETES_MAX_ + 1] = {
    [DELETES_PHYSICAL]  = "physical",
    [DELETES_TOMBSTONE] = "tombstone",
};

const char *const write_format_names[WRITE_MAX_ + 1] = {
    [WRITE_COLUMNS] = "columns",
    [WRITE_ROWS]    = "rows",
};

const char *const unrepresentable_names[UNREPRESENTABLE_MAX_ + 1] = {
    [UNREPRESENTABLE_DEAD_LETTER] = "dead_letter",
    [UNREPRESENTABLE_NULL]        = "null",
};
/* clang-format on */
