/* flat.h: a run as a table of CSV: section, name, key, value; one line a fact, for spreadsheets. Pure. */
#ifndef RUNS_FLAT_H
#define RUNS_FLAT_H

#include <jansson.h>
#include <stdio.h>

/* `run`: of reader_show. No cell can be taken for a formula. */
void flat_print(const json_t *run, FILE *stream);

#endif
