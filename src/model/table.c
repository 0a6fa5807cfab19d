/* table: look-up in the catalog's description of a table. */
#include "model/table.h"

const struct table_column *
table_column_find(const struct table *table, struct span name)
{
    for (size_t i = 0; i < table->column_count; i++) {
        if (span_eq(span_of(table->columns[i].name), name))
            return &table->columns[i];
    }
    return NULL;
}
