/* chronicle.h: which runs the files of a store hold: told to the book of runs, as entries, and written beside files
 * that can't carry it themselves. Nothing of it ever fails a store.
 *
 * An entry is written before the journal forgets a file, and again by the next instance of a store that was killed; the
 * book takes the newest. Store process, main thread.
 */
#ifndef JOB_FILE_CHRONICLE_H
#define JOB_FILE_CHRONICLE_H

#include "job/file/run_info.h"

/* Of one run in one file. */
struct chronicle_run {
	struct chronicle_run *next;
	char *run, *uuid;
	uint64_t rows, committed_rows, first_ns, last_ns;
	uint64_t told_rows; /* by the last "closed" */
	bool is_exact;      /* all its rows in this file were counted */
	bool has_closed;
};

struct chronicle_file {
	struct chronicle_file *next;
	char *path;
	bool is_new; /* it was empty when it was opened */
	uint64_t turn;
	struct chronicle_run *runs, *now; /* now: of the turn */
};

struct chronicle {
	const char *runtime_folder, *store, *format; /* NULL: nobody is told */
	struct run_info info;
	enum enrg_runs_beside beside;
	uint64_t turn; /* counts up where the run of a batch is another one than that of the batch before */
	char run[64];
	uint64_t acquired_ns;
	bool has_complained;
	struct chronicle_file *files;
};

/* Strings outlive it. */
void chronicle_init(struct chronicle *chronicle, const char *runtime_folder, const char *store, const char *format);
void chronicle_fini(struct chronicle *chronicle); /* takes zeroed state */

/* The batch that is written next. */
void chronicle_turn(struct chronicle *chronicle, const char *run, uint64_t acquired_ns);
struct chronicle_place {
	const char *path;
	bool is_new;   /* empty when it was opened */
	bool is_exact; /* no instance before this one had it open */
};
/* Rows of that batch went into a file; *entry is the caller's, NULL at first. */
void chronicle_add(
	struct chronicle *chronicle, struct chronicle_file **entry, const struct chronicle_place *place, uint64_t rows);
void chronicle_committed(struct chronicle *chronicle);
void chronicle_rolled_back(struct chronicle *chronicle);
/* The file is closed, for good. */
void chronicle_close(struct chronicle *chronicle, const char *path);
/* It is about to be: told, and kept. */
void chronicle_tell(struct chronicle *chronicle, const char *path);
/* It was taken away. */
void chronicle_drop(struct chronicle *chronicle, const char *path);
/* What is left of it has another name now. */
void chronicle_move(struct chronicle *chronicle, const char *path, const char *kept);
/* That run has ended in one of the store's inputs: all files that hold rows of it say how many, though they stay open.
 */
void chronicle_end_run(struct chronicle *chronicle, const char *run);
/* The store ends in order. */
void chronicle_close_all(struct chronicle *chronicle);

#endif
