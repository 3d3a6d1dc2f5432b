/* beside.h: run_000123.json beside the data: all of a run, as reader_show gives it, so that the data explain themselves
 * and a database can be made from these files. One thread. */
#ifndef RUNS_BESIDE_H
#define RUNS_BESIDE_H

#include <jansson.h>

#include "runs/enter.h"

#define BESIDE_PATH_BYTES 1200u
#define BESIDE_BYTES_MAX  (256u << 20)

/* run_000123.json; run_000123_RUN.json where the first one is of another run (two supervisors with one folder), and
 * run_000123_UUID.json where that is, too. */
void beside_format_path(
	const char *folder, uint64_t number, const char *run, const char *uuid, char ret_path[BESIDE_PATH_BYTES]);

/* Enters what such a file holds; inside of a transaction of the caller's. What it says again changes nothing.
 * *ret_count: entries that were not there. ENRG_E_PROTOCOL: it is something else. */
int beside_enter(const struct enter_context *context, const char *path, unsigned *ret_count, struct enrg_error *err);
/* The same for all run_*.json of a folder, a transaction for some hundred files. `complain` hears of each that can't be
 * read. *ret_runs: files that were. */
int beside_enter_all(const struct enter_context *context, const char *folder,
	void (*complain)(void *context, const char *text), void *complain_context, unsigned *ret_runs,
	struct enrg_error *err);

/* Where no database takes it: the entry is added to the file of its run, which is made where there is none. */
int beside_keep(
	const char *folder, const struct entry *entry, char ret_path[BESIDE_PATH_BYTES], struct enrg_error *err);

#endif
