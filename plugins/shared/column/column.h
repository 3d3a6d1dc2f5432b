/* column.h: values of a batch's columns as numbers, for plugins that take any table. Any thread, no allocation. */
#ifndef COLUMN_COLUMN_H
#define COLUMN_COLUMN_H

#include <stdbool.h>
#include <stdint.h>

#include "enrgdaq/batch.h"

/* A number, a boolean or a time. */
bool column_is_number(const struct enrg_schema *schema, uint32_t column);
/* NaN: missing, or no number. A time is ns since 1970. */
double column_number(const struct enrg_batch *batch, uint32_t column, uint64_t row);

#endif
