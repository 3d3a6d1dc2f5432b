/* run_record_fuzz.c: run_000123.json beside the data, from which a run book is made again: any bytes are refused or
 * entered, and what was entered can be shown. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "runs/beside.h"
#include "runs/reader.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count);

static bool show_row(void *context, const struct reader_row *row)
{
	struct database *database = context;
	json_t *run = NULL;

	if (reader_show(database, row->id, &run, NULL))
		abort();
	(void)reader_newest(run, "end");
	free(json_dumps(run, JSON_INDENT(1)));
	json_decref(run);
	return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count)
{
	static struct database *database;
	const struct database_params params = {.path = ":memory:", .network = DATABASE_LOCAL};
	const struct reader_query query = {.with_deleted = true};
	int file = memfd_create("run", MFD_CLOEXEC);
	unsigned entries;
	char path[64];

	if (!database && database_open(&params, &database, NULL))
		abort();
	if (file < 0 || write(file, bytes, count) != (ssize_t)count)
		abort();
	snprintf(path, sizeof(path), "/proc/self/fd/%d", file);
	const struct enter_context context = {.database = database, .supervisor = "lab1", .folder = "/"};
	if (database_begin(database, NULL))
		abort();
	(void)beside_enter(&context, path, &entries, NULL);
	if (reader_list(database, &query, show_row, database, NULL))
		abort();
	database_abort(database);
	close(file);
	return 0;
}
