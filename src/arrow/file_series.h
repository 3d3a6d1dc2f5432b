/* file_series.h: what several files hold of the same table, judged together: which batches are missing between two of
 * them, and which are in two. A store that rotates its files leaves such series. One thread.
 *
 * A table is what batches are numbered by: source, run, tag and columns. Files with a footer (copies that `enrgdaq
 * convert` made) are a series of their own. Files in different folders belong together, unless they hold the same
 * batches: then they are what two stores kept of the table, and each folder is judged by itself. The same holds for
 * names that differ by more than rotation puts into them (time, run, number, day). What was put aside for one store
 * another may have stored: such files fill holes, and neither repeat anything nor have holes around them.
 */
#ifndef ARROW_FILE_SERIES_H
#define ARROW_FILE_SERIES_H

#include "arrow/verify.h"

struct file_series_file {
	char *path;
	char *stem;          /* what its name has of its own: without time, run, number and day */
	size_t folder_bytes; /* of the path, up to its last slash */
	uint64_t device, inode;
	bool is_spare; /* what ENRGDAQ put aside for a store that did not take it (recovered_…, set_aside_…) */
};

/* What one file has of one table. */
struct file_series_part {
	size_t file;
	bool is_file; /* with a footer */
	struct verify_table table;
};

struct file_series {
	struct file_series_file *files;
	size_t file_count, file_capacity;
	struct file_series_part *parts;
	size_t part_count, part_capacity;
};

/* Of the batches of one table in at least two files. */
struct file_series_report {
	const struct verify_table *table; /* whose; `seen` is that of one file alone */
	size_t file_count;
	const char *first_path, *last_path;
	uint64_t first, last; /* sequences */
	uint64_t missing, duplicated;
	bool is_copy; /* one of several that hold the same batches */
};

/* Begins a file; the series begins zeroed. 1: a new one; 0: the same file was added before, under this or another name;
 * -errno. */
int file_series_add_file(struct file_series *series, const char *path, struct enrg_error *err);
/* What the file begun last has of one table; takes `seen` over (that of `table` is empty after). -ENOMEM. */
int file_series_add_table(struct file_series *series, struct verify_table *table, bool is_file, struct enrg_error *err);

/* Judges each table that is in several files: `tell` gets a sentence for each finding (VERIFY_MISSING,
 * VERIFY_DUPLICATE, VERIFY_ELSEWHERE, VERIFY_BEGIN_NOTE), `conclude` the result. What is missing inside of one file is
 * told of that file alone, and not again here. Both may be called for many tables, one after the other. -ENOMEM. */
struct file_series_hooks {
	void (*tell)(void *context, enum verify_finding finding, const char *sentence);
	void (*conclude)(void *context, const struct file_series_report *report);
	void *context;
};
int file_series_judge(struct file_series *series, const struct file_series_hooks *hooks, struct enrg_error *err);
void file_series_fini(struct file_series *series);

#endif
