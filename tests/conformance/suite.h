/* suite.h: what the cases of the suite share: the store and its folder of now, and checks whose failure names both the
 * store and the line. In the test process. */
#ifndef CONFORMANCE_SUITE_H
#define CONFORMANCE_SUITE_H

#include "data.h"
#include "harness.h"

/* The case at hand. */
struct suite {
	const struct store_kind *kind;
	char folder[256], out_dir[300], journal_path[300];
	struct harness *life;
};

extern struct suite suite;
extern const struct harness_table suite_wide; /* all types of columns */

void suite_check(int line, bool is_true, const char *what);
void suite_check_code(int line, int rc, const struct enrg_error *err);

void suite_open(int line);
void suite_write(int line, const struct harness_table *table, uint64_t first, uint64_t count, uint64_t acquired_ns);
void suite_commit(int line, uint64_t position);
void suite_close(int line);

/* The file holds rows first … first + count - 1 in order, each once, each cell right. */
void suite_check_file(int line, const char *file, const struct enrg_schema *schema, uint64_t first, uint64_t count);
/* The path of the kind's file with `more` before its extension and `date` before its name. */
const char *suite_file_name(const char *date, const char *more);

/* Runs the case that `*state` points to with each store, each in a fresh folder. */
void suite_run(void **state);

#define SUITE_CASE(function)                                                                                           \
	{                                                                                                              \
#function, suite_run, NULL, NULL, &(void (*)(void))                                                    \
		{                                                                                                      \
			function                                                                                       \
		}                                                                                                      \
	}

#endif
