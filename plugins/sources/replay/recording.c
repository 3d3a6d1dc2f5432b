/* recording.c: see the header. In the process of DAQJobReplay, on its main thread. */
#include "recording.h"

#include <errno.h>
#include <fts.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "enrgdaq/reader.h"

struct recording_file {
	char *path;
	uint64_t first_ns, bytes;
	struct enrg_reader *reader;     /* NULL: not open now */
	const struct enrg_batch *batch; /* the next one; NULL: it has to be read */
	uint64_t at_ns;                 /* when it is due: never earlier than the one before it in this file */
	uint64_t table;
	bool is_over;
};

struct recording {
	struct recording_hooks hooks;
	size_t count, capacity;
	struct recording_file *files; /* by first_ns, then by path */
	size_t over, opened;          /* files[0, over) are at their end, files[over, opened) have been opened */
	struct recording_file *shown; /* whose batch was handed out last */
	uint64_t tables, gaps;
};

static int add_file(struct recording *recording, const char *path, struct enrg_error *err)
{
	if (recording->count == recording->capacity) {
		size_t capacity = recording->capacity ? 2 * recording->capacity : 16;
		struct recording_file *grown = realloc(recording->files, capacity * sizeof(*grown));
		if (!grown)
			return enrg_error_set(err, -ENOMEM, "no memory for %zu files", capacity);
		recording->files = grown;
		recording->capacity = capacity;
	}
	char *copy = strdup(path);
	if (!copy)
		return enrg_error_set(err, -ENOMEM, "out of memory");
	recording->files[recording->count++] = (struct recording_file){.path = copy};
	return 0;
}

/* --- which files ------------------------------------------------------------------------------------------------- */

static bool has_ending(const char *name, const char *ending)
{
	size_t length = strlen(name), bytes = strlen(ending);

	return length > bytes && strcmp(name + length - bytes, ending) == 0;
}

/* What was put aside for a store may be in the files of another one as well: it is read only where it is named. */
static bool is_recorded(const char *name)
{
	if (name[0] == '.' || strncmp(name, "recovered_", 10) == 0 || strncmp(name, "set_aside_", 10) == 0)
		return false;
	return has_ending(name, ".arrows") || has_ending(name, ".arrow");
}

static int add_folder(struct recording *recording, char *path, struct enrg_error *err)
{
	char *roots[] = {path, NULL};
	FTS *tree = fts_open(roots, FTS_PHYSICAL | FTS_COMFOLLOW | FTS_NOCHDIR, NULL);
	int rc = tree ? 0 : enrg_error_set(err, -errno, "path: %s: %s", path, strerror(errno));

	for (FTSENT *entry; rc == 0 && tree && (entry = fts_read(tree));)
		if (entry->fts_info == FTS_D && entry->fts_level > 0 && entry->fts_name[0] == '.')
			fts_set(tree, entry, FTS_SKIP);
		else if (entry->fts_info == FTS_F && is_recorded(entry->fts_name))
			rc = add_file(recording, entry->fts_path, err);
	if (tree)
		fts_close(tree);
	return rc;
}

static int find_files(struct recording *recording, const char *path, struct enrg_error *err)
{
	glob_t found = {0};
	struct stat status;
	int rc = glob(path, GLOB_NOCHECK | GLOB_BRACE | GLOB_TILDE, NULL, &found);

	if (rc)
		return enrg_error_set(err, -ENOMEM, "path: \"%s\" can't be looked for", path);
	for (size_t i = 0; i < found.gl_pathc && rc == 0; i++) {
		if (stat(found.gl_pathv[i], &status) < 0)
			rc = enrg_error_set(err, ENRG_E_CONFIG, "path: there is no file \"%s\"", found.gl_pathv[i]);
		else
			rc = S_ISDIR(status.st_mode) ? add_folder(recording, found.gl_pathv[i], err)
						     : add_file(recording, found.gl_pathv[i], err);
	}
	globfree(&found);
	if (rc == 0 && !recording->count)
		rc = enrg_error_set(err, ENRG_E_CONFIG, "path: no .arrows and no .arrow file is in \"%s\"", path);
	return rc;
}

/* --- single files ------------------------------------------------------------------------------------------------ */

static int open_file(struct recording *recording, struct recording_file *file, struct enrg_error *err)
{
	int rc = enrg_reader_open(file->path, &file->reader, err);

	if (rc == 0)
		file->table = ++recording->tables;
	return rc;
}

static void close_file(struct recording_file *file)
{
	enrg_reader_close(file->reader);
	file->reader = NULL;
	file->batch = NULL;
}

/* Its next batch that is no gap; 0: it is over; ENRG_E_CORRUPT, or another code. */
static int read_on(struct recording *recording, struct recording_file *file, struct enrg_error *err)
{
	for (;;) {
		const struct enrg_batch *batch;
		int rc = enrg_reader_next(file->reader, &batch, err);
		if (rc == 1 && batch->is_gap) {
			recording->gaps++;
			continue;
		}
		if (rc == 1) {
			file->batch = batch;
			file->at_ns = batch->acquired_ns > file->at_ns ? batch->acquired_ns : file->at_ns;
		}
		if (rc == 0) {
			file->is_over = true;
			close_file(file);
		}
		return rc;
	}
}

/* When its first batch was taken, so that it is known where it belongs. 1: it has one; 0: there is nothing in it. */
static int look_at(struct recording *recording, struct recording_file *file, struct enrg_error *err)
{
	struct enrg_error reason = {0};
	int rc = open_file(recording, file, &reason), damage = 0;

	if (rc == -ENODATA)
		return 0;
	while (rc == 0 && (damage = read_on(recording, file, &reason)) == ENRG_E_CORRUPT)
		;
	rc = rc < 0 ? rc : damage;
	if (rc == -ENOMEM)
		return enrg_error_set(err, rc, "%s", reason.text);
	if (rc < 0)
		recording->hooks.tell(recording->hooks.context, reason.text);
	if (rc == 1) {
		file->first_ns = file->at_ns;
		file->bytes = enrg_reader_bytes(file->reader);
	}
	close_file(file);
	file->is_over = false;
	file->at_ns = 0;
	return rc == 1;
}

/* Leaves those that have a batch. */
static int look_at_all(struct recording *recording, struct enrg_error *err)
{
	size_t kept = 0;
	int rc = 0;

	for (size_t i = 0; i < recording->count; i++) {
		struct recording_file file = recording->files[i];
		int found = rc < 0 ? 0 : look_at(recording, &file, err);
		rc = found < 0 ? found : rc;
		if (found == 1)
			recording->files[kept++] = file;
		else
			free(file.path);
	}
	recording->count = kept;
	recording->gaps = 0;
	return rc;
}

static int compare_files(const void *left, const void *right)
{
	const struct recording_file *a = left, *b = right;

	if (a->first_ns != b->first_ns)
		return a->first_ns < b->first_ns ? -1 : 1;
	return strcmp(a->path, b->path);
}

/* --- the whole --------------------------------------------------------------------------------------------------- */

int recording_open(
	const char *path, const struct recording_hooks *hooks, struct recording **ret_recording, struct enrg_error *err)
{
	struct recording *recording = calloc(1, sizeof(*recording));

	if (!recording)
		return enrg_error_set(err, -ENOMEM, "out of memory");
	recording->hooks = *hooks;
	int rc = find_files(recording, path, err);
	if (rc == 0)
		rc = look_at_all(recording, err);
	if (rc == 0 && !recording->count)
		rc = enrg_error_set(err, ENRG_E_CONFIG, "path: nothing in \"%s\" can be replayed", path);
	if (rc < 0) {
		recording_close(recording);
		return rc;
	}
	qsort(recording->files, recording->count, sizeof(*recording->files), compare_files);
	*ret_recording = recording;
	return 0;
}

void recording_get_sum(const struct recording *recording, struct recording_sum *ret_sum)
{
	*ret_sum = (struct recording_sum){.files = recording->count};
	for (size_t i = 0; i < recording->count; i++)
		ret_sum->bytes += recording->files[i].bytes;
	ret_sum->first_ns = recording->files[0].first_ns;
	ret_sum->last_ns = recording->files[recording->count - 1].first_ns;
}

/* Of the open files that with the oldest batch; NULL: none is open. ENRG_E_CORRUPT and other codes of reading. */
static int find_oldest(struct recording *recording, struct recording_file **ret_file, struct enrg_error *err)
{
	struct recording_file *oldest = NULL;

	while (recording->over < recording->opened && recording->files[recording->over].is_over)
		recording->over++;
	for (size_t i = recording->over; i < recording->opened; i++) {
		struct recording_file *file = &recording->files[i];
		int rc = file->is_over || file->batch ? 1 : read_on(recording, file, err);
		if (rc < 0)
			return rc;
		if (file->batch && (!oldest || file->at_ns < oldest->at_ns))
			oldest = file;
	}
	*ret_file = oldest;
	return 0;
}

int recording_next(struct recording *recording, struct recording_batch *ret_batch, struct enrg_error *err)
{
	struct recording_file *oldest = NULL;

	if (recording->shown)
		recording->shown->batch = NULL;
	recording->shown = NULL;
	for (;;) {
		int rc = find_oldest(recording, &oldest, err);
		if (rc < 0)
			return rc;
		struct recording_file *next = &recording->files[recording->opened];
		/* of the same time the earlier file goes first: thousands without any time are not open at once */
		if (recording->opened == recording->count || (oldest && oldest->at_ns <= next->first_ns))
			break;
		rc = open_file(recording, next, err);
		if (rc < 0)
			return enrg_error_add(
				err, rc == ENRG_E_CORRUPT ? -EIO : rc, "it changed while it was replayed");
		recording->opened++;
	}
	if (!oldest)
		return 0;
	recording->shown = oldest;
	*ret_batch = (struct recording_batch){.batch = oldest->batch,
		.path = oldest->path,
		.table = oldest->table,
		.merged = enrg_reader_merged(oldest->reader)};
	return 1;
}

void recording_rewind(struct recording *recording)
{
	for (size_t i = 0; i < recording->count; i++) {
		close_file(&recording->files[i]);
		recording->files[i].is_over = false;
		recording->files[i].at_ns = 0;
	}
	recording->over = recording->opened = 0;
	recording->shown = NULL;
	recording->gaps = 0;
}

uint64_t recording_gaps(const struct recording *recording)
{
	return recording->gaps;
}

void recording_close(struct recording *recording)
{
	if (!recording)
		return;
	for (size_t i = 0; i < recording->count; i++) {
		close_file(&recording->files[i]);
		free(recording->files[i].path);
	}
	free(recording->files);
	free(recording);
}
