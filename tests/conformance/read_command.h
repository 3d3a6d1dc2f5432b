/* read_command.h: reads a file back with a program of its author. In the test process. */
#ifndef CONFORMANCE_READ_COMMAND_H
#define CONFORMANCE_READ_COMMAND_H

#include <stdbool.h>

#include "cells.h"
#include "enrgdaq/schema.h"

/* Shell text; the path of the file is put behind it. What the program prints: the names of the columns that the file
 * keeps, then a line a row, cells between tabs. Tab, line end, carriage return and backslash inside of a text are \t,
 * \n, \r and \\; booleans are true or false, bytes hexadecimal, items of a list stand between blanks. */
void read_command_set(const char *command);
bool read_command(const char *path, const struct enrg_schema *schema, struct cells *ret_cells);

#endif
