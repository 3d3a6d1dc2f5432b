/* store_cases.h: the cases that every store has to pass. In the test process. */
#ifndef CONFORMANCE_STORE_CASES_H
#define CONFORMANCE_STORE_CASES_H

#include <stdbool.h>
#include <stdio.h>

/* All but those of `without` (NULL at its end; NULL: none) whose names fit the pattern (NULL: all), with each store of
 * kinds.h. How many failed. */
int store_cases_run(const char *group, const char *pattern, const char *const *without);
bool store_cases_has(const char *name);
void store_cases_print(FILE *stream);

#endif
