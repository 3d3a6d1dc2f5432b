/* verify.h: proves an .arrows file whole, or Arrow's file format, or says what is wrong with it. Streams through the
 * file with bounded memory (the largest message). */
#ifndef ARROW_VERIFY_H
#define ARROW_VERIFY_H

#include <stdio.h>

#include "arrow/ipc.h"
#include "arrow/sequence_set.h"

enum verify_finding {
	VERIFY_GAP_NOTE,  /* a gap record: the producer was started again; not an error */
	VERIFY_MISSING,   /* sequences [first, last] of a source and run are not there */
	VERIFY_DUPLICATE, /* a sequence came twice */
	VERIFY_CORRUPT,   /* CRC or structure wrong at `offset` */
	VERIFY_TORN_TAIL, /* the last message is not whole: starts at `offset` */
	/* Notes of several files (file_series.h). */
	VERIFY_ELSEWHERE,  /* what one file lacks is in another */
	VERIFY_BEGIN_NOTE, /* the first batches are in no file that was given */
};

/* What a file holds of one table: of what batches are numbered by. */
struct verify_table {
	char source[256], run[256], tag[256];
	uint32_t schema_id; /* of its columns; 0: the schema is damaged */
	struct sequence_set seen;
};

struct verify_report {
	uint64_t file_bytes,
		good_bytes; /* good_bytes: offset behind the last whole, correct message before the first tear */
	uint64_t batches, rows, payload_bytes, gaps, missing, duplicated, corrupted, unstamped;
	uint32_t sources;
	bool is_torn, has_end_mark;
	bool is_file; /* Arrow's file format, with a footer: such a file is never torn, but damaged */
};

struct verify_hooks {
	/* As of verify_file. NULL: nothing is told. */
	void (*tell)(void *context, enum verify_finding finding, const char *sentence);
	/* Gets each table at the end, and may take `seen` away (leaving it zeroed). 0, or an error. May be NULL. */
	int (*take_table)(
		void *context, struct verify_table *table, const struct verify_report *report, struct enrg_error *err);
	void *context;
	/* After each message: how much of the file was looked at. May be NULL. */
	void (*progress)(void *context, uint64_t done_bytes, uint64_t all_bytes);
};

/* Calls `tell` for each finding with one sentence (with offsets and sequences). 0 whatever is found; -errno or
 * ENRG_E_CORRUPT when the file can't be read or is neither an Arrow stream nor an Arrow file. */
int verify_file(const char *path, void (*tell)(void *context, enum verify_finding, const char *sentence), void *context,
	struct verify_report *ret_report, struct enrg_error *err);

int verify_tables(
	const char *path, const struct verify_hooks *hooks, struct verify_report *ret_report, struct enrg_error *err);

/* Cuts a torn tail: truncates to good_bytes and syncs. Only where nothing follows the tear (is_torn). */
int verify_repair(const char *path, const struct verify_report *report, struct enrg_error *err);

#endif
