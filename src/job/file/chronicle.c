/* chronicle.c: see the header. Store process, main thread. */
#include "job/file/chronicle.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "job/file/beside.h"
#include "runs/entry/entry.h"

void chronicle_init(struct chronicle *chronicle, const char *runtime_folder, const char *store, const char *format)
{
	run_info_fini(&chronicle->info);
	run_info_init(&chronicle->info, runtime_folder);
	chronicle->runtime_folder = runtime_folder;
	chronicle->store = store;
	chronicle->format = format;
}

static void free_file(struct chronicle_file *file)
{
	while (file->runs) {
		struct chronicle_run *run = file->runs;
		file->runs = run->next;
		free(run->run);
		free(run->uuid);
		free(run);
	}
	free(file->path);
	free(file);
}

void chronicle_fini(struct chronicle *chronicle)
{
	while (chronicle->files) {
		struct chronicle_file *file = chronicle->files;
		chronicle->files = file->next;
		free_file(file);
	}
	run_info_fini(&chronicle->info);
}

static void complain(struct chronicle *chronicle, const char *text)
{
	if (!chronicle->has_complained)
		log_line(ENRG_WARNING,
			"%s; the data is not touched by it, but the book of runs does not know of a file", text);
	chronicle->has_complained = true;
}

/* --- telling ------------------------------------------------------------------------------------------------------ */

static void add_number(json_t *body, const char *key, uint64_t value)
{
	json_object_set_new(body, key, json_integer((json_int_t)value));
}

static void tell(struct chronicle *chronicle, const struct chronicle_file *file, struct chronicle_run *run,
	const char *event, bool is_open)
{
	char real[PATH_MAX];
	const char *path = realpath(file->path, real) ? real : file->path;
	struct enrg_error err = {0};
	struct stat status;

	if (!chronicle->runtime_folder || !entry_has_book(chronicle->runtime_folder))
		return;
	json_t *body = json_pack("{s:s, s:s, s:s, s:s, s:s, s:b}", "store", chronicle->store, "path", path, "format",
		chronicle->format ? chronicle->format : "", "event", event, "run", run->run, "open", is_open);
	if (!body)
		return; /* a path that is not UTF-8 text */
	if (stat(path, &status) == 0)
		add_number(body, "bytes", (uint64_t)status.st_size);
	if (run->is_exact && strcmp(event, "opened") != 0) {
		add_number(body, "rows", run->rows);
		add_number(body, "first_ns", run->first_ns);
		add_number(body, "last_ns", run->last_ns);
	}
	if (entry_write(chronicle->runtime_folder, "file", run->uuid, chronicle->store, body, &err) < 0)
		complain(chronicle, err.text);
}

static void tell_closed(
	struct chronicle *chronicle, const struct chronicle_file *file, struct chronicle_run *run, bool is_open)
{
	if (is_open && run->has_closed && run->told_rows == run->rows)
		return;
	tell(chronicle, file, run, "closed", is_open);
	run->has_closed = true;
	run->told_rows = run->rows;
}

/* --- rows --------------------------------------------------------------------------------------------------------- */

static struct chronicle_file *find_file(const struct chronicle *chronicle, const char *path)
{
	struct chronicle_file *file = chronicle->files;

	while (file && strcmp(file->path, path) != 0)
		file = file->next;
	return file;
}

static struct chronicle_file *add_file(struct chronicle *chronicle, const struct chronicle_place *place)
{
	struct chronicle_file *file = calloc(1, sizeof(*file));

	if (file)
		file->path = strdup(place->path);
	if (!file || !file->path) {
		free(file);
		return NULL;
	}
	file->is_new = place->is_new;
	file->next = chronicle->files;
	chronicle->files = file;
	return file;
}

static struct chronicle_run *find_run(const struct chronicle_file *file, const char *run)
{
	struct chronicle_run *found = file->runs;

	while (found && strcmp(found->run, run) != 0)
		found = found->next;
	return found;
}

/* The run begins in this file: the book hears of it, and it is written down where the file can't say it. */
static struct chronicle_run *add_run(
	struct chronicle *chronicle, struct chronicle_file *file, bool is_exact, bool is_begun_in)
{
	const struct enrg_run_info *info = run_info_find(&chronicle->info, chronicle->run);
	struct chronicle_run *run = info ? calloc(1, sizeof(*run)) : NULL;
	struct enrg_error err = {0};

	if (!run)
		return NULL;
	run->run = strdup(info->run);
	run->uuid = strdup(info->uuid);
	if (!run->run || !run->uuid) {
		free(run->run);
		free(run->uuid);
		free(run);
		return NULL;
	}
	run->is_exact = is_exact;
	run->next = file->runs;
	bool is_new = !file->runs && file->is_new;
	file->runs = run;
	if (chronicle->beside == ENRG_RUNS_BESIDE_ALL || (chronicle->beside == ENRG_RUNS_BESIDE_LATER && !is_begun_in))
		if (beside_write(file->path, info, is_new, &err) < 0)
			complain(chronicle, err.text);
	tell(chronicle, file, run, "opened", true);
	return run;
}

void chronicle_turn(struct chronicle *chronicle, const char *run, uint64_t acquired_ns)
{
	chronicle->acquired_ns = acquired_ns;
	if (chronicle->turn && !strcmp(chronicle->run, run ? run : ""))
		return;
	chronicle->turn++;
	snprintf(chronicle->run, sizeof(chronicle->run), "%s", run ? run : "");
}

static void take_turn(struct chronicle *chronicle, struct chronicle_file *file, bool is_exact)
{
	bool is_begun_in = file->is_new && !file->turn;

	file->turn = chronicle->turn;
	file->now = *chronicle->run ? find_run(file, chronicle->run) : NULL;
	if (!file->now && *chronicle->run)
		file->now = add_run(chronicle, file, is_exact, is_begun_in);
	/* What ran before may go on by another source; what is told again replaces this. */
	for (struct chronicle_run *run = file->runs; run; run = run->next)
		if (run != file->now && run->rows)
			tell_closed(chronicle, file, run, true);
}

void chronicle_add(
	struct chronicle *chronicle, struct chronicle_file **entry, const struct chronicle_place *place, uint64_t rows)
{
	if (!chronicle->turn)
		return;
	if (!*entry)
		*entry = find_file(chronicle, place->path);
	if (!*entry)
		*entry = add_file(chronicle, place);
	struct chronicle_file *file = *entry;
	if (!file)
		return;
	if (file->turn != chronicle->turn)
		take_turn(chronicle, file, place->is_exact);
	if (!file->now)
		return;
	struct chronicle_run *run = file->now;
	run->rows += rows;
	if (!run->first_ns || chronicle->acquired_ns < run->first_ns)
		run->first_ns = chronicle->acquired_ns;
	if (chronicle->acquired_ns > run->last_ns)
		run->last_ns = chronicle->acquired_ns;
}

void chronicle_committed(struct chronicle *chronicle)
{
	/* also of those that went on by another source since the commit before */
	for (struct chronicle_file *file = chronicle->files; file; file = file->next)
		for (struct chronicle_run *run = file->runs; run; run = run->next)
			run->committed_rows = run->rows;
}

void chronicle_rolled_back(struct chronicle *chronicle)
{
	for (struct chronicle_file *file = chronicle->files; file; file = file->next)
		for (struct chronicle_run *run = file->runs; run; run = run->next)
			run->rows = run->committed_rows;
}

/* --- ends --------------------------------------------------------------------------------------------------------- */

static void close_file(struct chronicle *chronicle, const struct chronicle_file *file)
{
	for (struct chronicle_run *run = file->runs; run; run = run->next)
		tell_closed(chronicle, file, run, false);
}

void chronicle_tell(struct chronicle *chronicle, const char *path)
{
	const struct chronicle_file *file = find_file(chronicle, path);

	if (file)
		close_file(chronicle, file);
}

void chronicle_drop(struct chronicle *chronicle, const char *path)
{
	struct chronicle_file **link = &chronicle->files;

	while (*link && strcmp((*link)->path, path) != 0)
		link = &(*link)->next;
	if (!*link)
		return;
	struct chronicle_file *file = *link;
	*link = file->next;
	free_file(file);
}

void chronicle_close(struct chronicle *chronicle, const char *path)
{
	chronicle_tell(chronicle, path);
	chronicle_drop(chronicle, path);
}

void chronicle_move(struct chronicle *chronicle, const char *path, const char *kept)
{
	const struct chronicle_file *file = find_file(chronicle, path);
	struct chronicle_file moved;

	if (!file)
		return;
	moved = *file;
	moved.path = (char *)kept;
	for (struct chronicle_run *run = file->runs; run; run = run->next)
		tell(chronicle, &moved, run, "moved", false);
}

void chronicle_end_run(struct chronicle *chronicle, const char *run)
{
	for (struct chronicle_file *file = chronicle->files; file; file = file->next) {
		struct chronicle_run *found = find_run(file, run);
		if (found && found->rows)
			tell_closed(chronicle, file, found, true);
	}
}

void chronicle_close_all(struct chronicle *chronicle)
{
	while (chronicle->files) {
		struct chronicle_file *file = chronicle->files;
		chronicle->files = file->next;
		close_file(chronicle, file);
		free_file(file);
	}
}
