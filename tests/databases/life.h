/* life.h: the one store that a case has alive, as the conformance suite drives it, and its error. In the test process.
 */
#ifndef DATABASES_LIFE_H
#define DATABASES_LIFE_H

#include "../conformance/data.h"
#include "../conformance/harness.h"

extern struct harness *life;
extern struct enrg_error err;

/* Whose cases follow; `out_dir`: NULL where it keeps no files. */
void life_set(const struct store_kind *kind, const char *out_dir);
/* Set up and end a case: a journal of its own, below TMPDIR or /tmp. */
int life_new_journal(void **state);
int life_remove_journal(void **state);

void life_open(void);
/* A table that has to be refused before its first batch is looked at, with an error that says this; ends the life as a
 * kill does. */
void life_refuses(const struct harness_table *table, const char *text);

/* What the store logs goes to a file from here on; the text is the caller's to free. */
void life_catch_log(void);
char *life_end_catch(void);
unsigned life_count(const char *text, const char *part);
/* Of three tables the first two, whose tags differ, share a name: told once, with this text; all is stored. The third
 * comes from another source with the tag of the first: nothing to tell. */
void life_check_shared(const struct harness_table tables[3], const char *text);

/* Fails the test where the code is negative. */
void life_check(int line, int code);
#define GOOD(call) life_check(__LINE__, (call))

/* What was asked answers `text`, which is freed, and not `wanted`: fails. */
void life_expect(const char *asked, char *text, const char *wanted);

/* Ten rows at a time of data_narrow: the commit of the second ten is lost after the database has it, and they come
 * again, twice; in the end the table holds rows 0 to 29. */
void life_half_a_commit(const struct harness_table *table);

/* Two rows (1, 2, … and -1, -2, …) of columns whose names need care: "select", "order by", "a`b", "say ""x""", "é", and
 * 200 letters; and how SQL databases call them, with a comma in between. */
extern const struct enrg_schema life_odd_names;
extern const char life_odd_names_cleaned[];
void life_write_odd_names(const struct harness_table *table);

/* A schema of so many columns of int64, named c0, c1 …; static, until the next call. */
const struct enrg_schema *life_make_wide(unsigned columns);

#endif
