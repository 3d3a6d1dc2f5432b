/* root_fixture.h: what the tests of .root files share: lives of the store in a folder of their own, and the rows that
 * jsroot sees in a file (read_root.mjs). */
#ifndef INTEROP_ROOT_FIXTURE_H
#define INTEROP_ROOT_FIXTURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "data.h"
#include "harness.h"

#define HEAD_BYTES 512u

extern char folder[64], out_dir[80], journal_path[80], keys[300];
extern struct store_kind kind;
extern const struct harness_table wide;
extern struct harness *life;
extern const char *const formats[]; /* two */

/* The long form, for `make torture`: ENRGDAQ_PROOF=whole. */
bool root_fixture_is_whole(void);
int set_up(void **state);
int tear_down(void **state);

/* The section of the configuration; `more` are lines of further keys. */
void set_keys(const char *file, const char *format, const char *more);
void open_life(void);
void write_table(const struct harness_table *table, uint64_t first, uint64_t count);
void write_rows(uint64_t first, uint64_t count);
void commit(uint64_t position);
void close_life(void);

/* Each value of these rows is in the file, and no other. */
void check_file(const char *file, const struct enrg_schema *schema, uint64_t first, uint64_t count);

struct sight {
	char path[200];
	char name[64]; /* of the file that was copied */
	size_t same;   /* the sight that has the same bytes, counted from 1: its rows hold; 0: none */
	long rows;
};

/* The rows of each file, as jsroot sees them: one process reads all. */
void count_rows(struct sight *sights, size_t count);

/* The caller frees it. */
char *read_file(const char *path, size_t *ret_count);
void write_file(const char *path, const char *bytes, size_t count);

#endif
