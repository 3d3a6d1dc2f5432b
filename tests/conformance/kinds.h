/* kinds.h: the stores that the suite is run against. A new store of this tree is one entry in kinds.c; kit.c has the
 * one of its command line. */
#ifndef CONFORMANCE_KINDS_H
#define CONFORMANCE_KINDS_H

#include <stdbool.h>

#include "cells.h"
#include "enrgdaq/schema.h"

struct store_kind {
	const char *name;         /* in messages */
	const char *module;       /* "csv": modules/csv.so of the build; or a path with a slash */
	const char *type;         /* "DAQJobStoreCSV" */
	const char *store_keys;   /* TOML of the store job, beside out_dir */
	const char *section_keys; /* TOML of the section, with file_path */
	const char *file_path;    /* as the files end up being named */
	bool has_out_dir;         /* false: keeps no files, nothing is read back */
	bool has_dates;           /* knows add_date */
	bool keeps_newest;        /* the file holds the newest batch alone */
	bool is_indexed;          /* no log: a file that was cut anywhere is not continued */
	bool starts_files; /* never continues a file that was there: name_1, name_2 …, which read_back reads as one */
	bool is_database;  /* tables instead of files; locks that end with the process */
	const char *missing; /* what a missing string reads as; NULL = this store writes messages, and no producer's has
				any */
	/* Reads a file back with a reader that is not the store's own. false: it is no whole file of that kind. */
	bool (*read_back)(const char *path, const struct enrg_schema *schema, struct cells *ret_cells);
};

extern const struct store_kind *const store_kinds;
extern const unsigned store_kind_count;

#endif
