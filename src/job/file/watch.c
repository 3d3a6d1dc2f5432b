/* watch.c: files that are taken away under a store. Store process, main thread. */
#include "job/file/watch.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/path.h"
#include "job/file/alert.h"
#include "job/file/handle.h"
#include "job/file/name.h"
#include "job/file/series.h"

#define NAMES_MAX    100u /* of what is kept within one second */
#define SAMPLE_BYTES 64u
#define SAMPLE_TRIES 4u

/* What is known about a loss. */
struct loss {
	enum held_finding finding;
	const char *path;
	int descriptor; /* -1: none */
	uint64_t bytes, rows;
	bool is_exact;       /* rows are all that were in it, else those that this process has counted */
	bool is_helper;      /* no row was in it */
	bool is_log;         /* the store still has what was in it, and puts it into its place */
	bool is_about;       /* a part of the file is gone: rows by its share of the bytes */
	char kept[PATH_MAX]; /* what is left of the file has this name now; "" = nothing */
};

/* --- words -------------------------------------------------------------------------------------------------------- */

static void describe_bytes(const struct loss *loss, char *ret_text, size_t text_bytes)
{
	size_t used = loss->bytes
			      ? (size_t)snprintf(ret_text, text_bytes, "%llu bytes", (unsigned long long)loss->bytes)
			      : (size_t)snprintf(ret_text, text_bytes, "an unknown number of bytes");

	if (loss->rows && used < text_bytes)
		snprintf(ret_text + used, text_bytes - used, " (%s%llu rows)",
			loss->is_about   ? "about "
			: loss->is_exact ? ""
					 : "at least ",
			(unsigned long long)loss->rows);
}

/* What it means for the data. */
static void describe_meaning(const struct loss *loss, char *ret_text, size_t text_bytes)
{
	char name[PATH_MAX], bytes[96];

	describe_bytes(loss, bytes, sizeof(bytes));
	if (loss->is_helper)
		snprintf(ret_text, text_bytes, "no row was in it");
	else if (loss->is_log && !loss->bytes)
		snprintf(ret_text, text_bytes,
			"the store still holds it, and what was stored in it is put into its place");
	else if (loss->finding == HELD_MOVED && loss->descriptor >= 0 &&
		 held_find_name(loss->descriptor, name, sizeof(name)) && !loss->bytes)
		snprintf(ret_text, text_bytes, "what was stored in it is in %.400s", name);
	else if (loss->finding == HELD_UNMOUNTED)
		snprintf(ret_text, text_bytes, "what was stored in it is on that disk");
	else if (loss->bytes || loss->rows)
		snprintf(ret_text, text_bytes, "%s that had been stored in it are gone%s", bytes,
			loss->finding == HELD_REPLACED ? ", unless the file in its place has them" : "");
	else
		snprintf(ret_text, text_bytes, "nothing that had been stored in it is known to be gone");
	size_t used = strlen(ret_text);
	if (*loss->kept && used < text_bytes)
		snprintf(ret_text + used, text_bytes - used, "; what is left of it is kept as %.300s", loss->kept);
}

static const char *find_advice(enum held_finding finding)
{
	switch (finding) {
	case HELD_CUT:
		return "let logrotate alone with this file (copytruncate cuts it) and use the keys rotate_mb or "
		       "rotate_seconds";
	case HELD_UNMOUNTED:
		return "mount the disk again and start the run again";
	case HELD_SAME:
	case HELD_REMOVED:
	case HELD_MOVED:
	case HELD_REPLACED:
		break;
	}
	return "move or remove files of a run when it has ended, or parts that rotation has closed";
}

static void tell(struct file_set *set, const struct loss *loss)
{
	char meaning[760];

	describe_meaning(loss, meaning, sizeof(meaning));
	file_set_tell(set, ENRG_ERROR,
		"%.400s %s while this store wrote to it: %s; it is begun anew with what comes now; %s", loss->path,
		held_describe(loss->finding), meaning, find_advice(loss->finding));
	journal_add_loss(set->journal, &(struct journal_loss){1, loss->bytes, loss->rows});
}

/* --- what is left of a file --------------------------------------------------------------------------------------- */

/* name_until_<time>.ext: nothing is appended to a file whose beginning is gone, and no byte of it is thrown away. */
static bool keep_rest(struct file_set *set, const char *path, char ret_kept[PATH_MAX])
{
	const char *slash = strrchr(path, '/');
	const char *own = slash ? slash + 1 : path;
	int stem = (int)file_stem_length(own);
	time_t seconds = (time_t)(clock_wall_ns() / 1000000000u);
	char stamp[SERIES_STAMP_BYTES], number[16] = "";
	struct tm tm;

	if (!gmtime_r(&seconds, &tm) || !strftime(stamp, sizeof(stamp), "%Y%m%dT%H%M%SZ", &tm))
		return false;
	for (unsigned i = 1; i <= NAMES_MAX; i++) {
		if (i > 1)
			snprintf(number, sizeof(number), "_%u", i);
		int used = snprintf(ret_kept, PATH_MAX, "%.*s%.*s_until_%s%s%s", (int)(own - path), path, stem, own,
			stamp, number, own + stem);
		if (used >= PATH_MAX)
			break;
		if (renameat2(AT_FDCWD, path, AT_FDCWD, ret_kept, RENAME_NOREPLACE) == 0) {
			chronicle_move(&set->chronicle, path, ret_kept);
			return true;
		}
		if (errno != EEXIST)
			break;
	}
	*ret_kept = '\0';
	return false;
}

static uint64_t share_of(uint64_t rows, uint64_t part, uint64_t whole)
{
	return whole ? (uint64_t)((double)rows * ((double)part / (double)whole) + 0.5) : 0;
}

/* --- files of enrg_file_open -------------------------------------------------------------------------------------- */

static void give_up(struct enrg_file *file, enum held_finding finding, uint64_t found_bytes)
{
	struct loss loss = {.finding = finding,
		.path = file->path,
		.descriptor = file->descriptor,
		.rows = file->committed_rows,
		.is_helper = file->is_helper,
		.is_exact = file->is_whole};
	uint64_t short_bytes = file->size > found_bytes ? file->size - found_bytes : 0;

	loss.bytes = short_bytes < file->committed ? short_bytes : file->committed;
	if (finding == HELD_REMOVED || finding == HELD_REPLACED)
		loss.bytes = file->committed;
	loss.is_about = loss.bytes < file->committed;
	if (loss.is_about)
		loss.rows = share_of(loss.rows, loss.bytes, file->committed);
	if (finding == HELD_CUT && found_bytes)
		keep_rest(file->set, file->path, loss.kept);
	if (file->is_helper)
		loss.bytes = 0;
	file->is_lost = true;
	file->switch_bytes = 0;
	file->is_switch_due = false;
	file->set->has_lost = true;
	tell(file->set, &loss);
}

/* Bytes that this store did not write stand behind its own: all that it appends from here on is not where it thinks. */
static void give_up_grown(struct enrg_file *file, uint64_t found_bytes)
{
	char kept[PATH_MAX];

	keep_rest(file->set, file->path, kept);
	file->is_lost = true;
	file->switch_bytes = 0;
	file->is_switch_due = false;
	file->set->has_lost = true;
	file_set_tell(file->set, ENRG_ERROR,
		"%.400s: another program wrote %llu bytes into it while this store did: nothing that was stored is "
		"gone, but readers may stumble; it is kept as %.400s and begun anew; let nobody else write there",
		file->path, (unsigned long long)(found_bytes - file->size), *kept ? kept : file->path);
	journal_add_loss(file->set->journal, &(struct journal_loss){.files = 1});
}

static void look_at_file(struct enrg_file *file)
{
	struct stat status;
	uint64_t least_bytes = file->is_torn ? file->committed : file->size;
	enum held_finding finding = held_look(file->descriptor, file->path, least_bytes, &status);

	if (finding != HELD_SAME)
		give_up(file, finding, (uint64_t)status.st_size);
	else if ((uint64_t)status.st_size > file->size && !file->is_torn)
		give_up_grown(file, (uint64_t)status.st_size);
}

/* --- files that the store writes by itself ------------------------------------------------------------------------ */

static bool is_zero(const uint8_t *bytes, size_t count)
{
	return count == 0 || (bytes[0] == 0 && memcmp(bytes, bytes + 1, count - 1) == 0);
}

static void take_sample(struct enrg_watch *watch)
{
	uint8_t bytes[SAMPLE_BYTES];

	watch->has_sample = false;
	for (unsigned i = 0; i < SAMPLE_TRIES && !watch->has_sample; i++) {
		watch->sample_at = watch->bytes / SAMPLE_TRIES * i;
		ssize_t count = pread(watch->descriptor, bytes, sizeof(bytes), (off_t)watch->sample_at);
		watch->has_sample = count == (ssize_t)sizeof(bytes) && !is_zero(bytes, sizeof(bytes));
	}
}

static bool is_sample_gone(const struct enrg_watch *watch)
{
	uint8_t bytes[SAMPLE_BYTES];

	return watch->has_sample && pread(watch->descriptor, bytes, sizeof(bytes), (off_t)watch->sample_at) >= 0 &&
	       is_zero(bytes, sizeof(bytes));
}

static enum held_finding look_by_descriptor(struct enrg_watch *watch, uint64_t *ret_bytes)
{
	struct stat status;
	enum held_finding finding = held_look(watch->descriptor, watch->path, watch->bytes, &status);

	*ret_bytes = (uint64_t)status.st_size;
	if (finding != HELD_SAME)
		return finding;
	if (is_sample_gone(watch)) {
		*ret_bytes = 0;
		return HELD_CUT;
	}
	if (watch->kind == ENRG_WATCH_HELPER)
		return HELD_SAME;
	watch->bytes = *ret_bytes;
	take_sample(watch);
	return HELD_SAME;
}

/* What the finding means for the bytes of the file, of which `found` are left. */
static void measure_loss(const struct enrg_watch *watch, struct loss *loss, uint64_t before, uint64_t found)
{
	bool is_there = loss->finding == HELD_MOVED || loss->finding == HELD_UNMOUNTED;

	loss->bytes = loss->finding == HELD_CUT ? (found < before ? before - found : before) : before;
	if (is_there || watch->kind == ENRG_WATCH_HELPER ||
		(watch->kind == ENRG_WATCH_LOG && loss->finding != HELD_CUT))
		loss->bytes = 0;
	loss->is_about = loss->bytes < before;
	if (loss->is_about)
		loss->rows = share_of(loss->rows, loss->bytes, before);
	/* A library may still have rows in a log beside it. */
	if (watch->descriptor < 0 && loss->finding != HELD_REMOVED)
		loss->rows = 0;
}

static void look_at_size(struct enrg_watch *watch)
{
	uint64_t bytes = watch->descriptor < 0 ? watch->name.bytes : watch->bytes, now = clock_mono_ns(), span_ns;

	if (!watch->large_bytes)
		return;
	if (bytes <= watch->large_bytes) {
		if (outage_end(&watch->large, now, &span_ns))
			file_set_tell(watch->set, ENRG_INFO, "%.400s: is small again", watch->path);
	} else if (outage_note(&watch->large, 0, now) == OUTAGE_ALERT) {
		file_set_tell(watch->set, ENRG_WARNING, "%.400s: has %.1f MB: %.300s", watch->path, (double)bytes / 1e6,
			watch->large_text ? watch->large_text : "it should not be that large");
	}
}

static void look_at_watch(struct enrg_watch *watch)
{
	struct stat status;
	struct loss loss = {.path = watch->path,
		.descriptor = watch->descriptor,
		.rows = watch->rows,
		.is_helper = watch->kind == ENRG_WATCH_HELPER,
		.is_log = watch->kind == ENRG_WATCH_LOG,
		.is_exact = watch->is_whole};
	uint64_t before = watch->descriptor < 0 ? watch->name.bytes : watch->bytes, found = 0;

	if (watch->part_of && watch->part_of->is_lost) {
		watch->is_lost = true;
		return;
	}
	if (watch->descriptor >= 0) {
		loss.finding = look_by_descriptor(watch, &found);
	} else {
		loss.finding = held_name_look(&watch->name, watch->path);
		if (loss.finding == HELD_CUT && stat(watch->path, &status) == 0)
			found = (uint64_t)status.st_size;
		if (loss.is_helper)
			watch->name.bytes = 0;
	}
	if (loss.finding == HELD_SAME) {
		look_at_size(watch);
		return;
	}
	measure_loss(watch, &loss, before, found);
	/* A log is the library's own to read, however little is left of it. */
	if (loss.finding == HELD_CUT && !loss.is_log && stat(watch->path, &status) == 0 && status.st_size > 0)
		keep_rest(watch->set, watch->path, loss.kept);
	watch->is_lost = true;
	watch->set->has_lost = true;
	tell(watch->set, &loss);
}

int enrg_watch_open(struct enrg_store *store, const struct enrg_watch_params *params, struct enrg_watch **ret_watch,
	struct enrg_error *err)
{
	struct enrg_watch *watch = calloc(1, sizeof(*watch));
	struct stat status;

	if (watch)
		watch->path = strdup(params->path);
	if (!watch || !watch->path) {
		free(watch);
		return enrg_error_set(err, -ENOMEM, "%s: out of memory", params->path);
	}
	watch->set = &store->files;
	watch->descriptor = params->descriptor;
	watch->kind = params->kind;
	watch->part_of = params->part_of;
	watch->large_bytes = params->large_bytes;
	watch->large_text = params->large_text;
	if (watch->descriptor >= 0 && fstat(watch->descriptor, &status) == 0)
		watch->bytes = (uint64_t)status.st_size;
	else if (watch->descriptor < 0) /* a name that is not there yet has nothing to lose */
		watch->is_lost = !held_name_take(&watch->name, watch->path);
	watch->is_whole = watch->bytes + watch->name.bytes == 0;
	if (watch->kind == ENRG_WATCH_HELPER)
		watch->bytes = watch->name.bytes = 0;
	watch->next = store->files.watches;
	store->files.watches = watch;
	*ret_watch = watch;
	return 0;
}

void enrg_watch_count_rows(struct enrg_watch *watch, uint64_t rows)
{
	const struct chronicle_place place = {watch->path, watch->is_whole, watch->is_whole};

	watch->rows += rows;
	chronicle_add(&watch->set->chronicle, &watch->chronicle, &place, rows);
}

void enrg_watch_allow_shorter(struct enrg_watch *watch, uint64_t bytes)
{
	if (watch->bytes > bytes)
		watch->bytes = bytes;
	if (watch->name.bytes > bytes)
		watch->name.bytes = bytes;
	watch->has_sample = false;
}

static void part_watch(const struct enrg_watch *watch);

void enrg_watch_close(struct enrg_watch *watch)
{
	if (!watch)
		return;
	part_watch(watch);
	if (watch->kind == ENRG_WATCH_ROWS && watch->is_lost)
		chronicle_drop(&watch->set->chronicle, watch->path);
	else if (watch->kind == ENRG_WATCH_ROWS && !watch->set->is_going_back)
		chronicle_close(&watch->set->chronicle, watch->path);
	struct enrg_watch **link = &watch->set->watches;
	while (*link && *link != watch)
		link = &(*link)->next;
	if (*link)
		*link = watch->next;
	free(watch->path);
	free(watch);
}

/* --- files that a roll back has closed ---------------------------------------------------------------------------- */

struct parted {
	struct parted *next;
	char *path;
	struct held_name name; /* with the length that was committed */
	uint64_t rows;
	bool is_exact, is_told;
};

static void part(struct file_set *set, const char *path, const struct parted *as)
{
	struct parted *parted = set->parted;

	while (parted && strcmp(parted->path, path) != 0)
		parted = parted->next;
	if (!parted) {
		parted = calloc(1, sizeof(*parted));
		if (parted)
			parted->path = strdup(path);
		if (!parted || !parted->path) { /* one loss less that could be told */
			free(parted);
			return;
		}
		parted->next = set->parted;
		set->parted = parted;
	}
	struct parted *next = parted->next;
	char *own = parted->path;
	*parted = *as;
	parted->next = next;
	parted->path = own;
}

void file_watch_part(const struct enrg_file *file)
{
	struct parted as = {.rows = file->committed_rows, .is_exact = file->is_whole};

	/* Helpers are the store's own to make anew when it goes back. */
	if (!file->set->is_going_back || file->is_lost || file->is_helper || !file->committed)
		return;
	held_name_take_open(&as.name, file->descriptor);
	as.name.bytes = file->committed;
	part(file->set, file->path, &as);
}

static void part_watch(const struct enrg_watch *watch)
{
	struct parted as = {.name = watch->name, .rows = watch->rows, .is_exact = watch->is_whole};

	if (!watch->set->is_going_back || watch->is_lost || watch->kind != ENRG_WATCH_ROWS)
		return;
	if (watch->descriptor >= 0)
		held_name_take_open(&as.name, watch->descriptor);
	as.name.bytes = 0; /* its store may cut it when it goes back */
	part(watch->set, watch->path, &as);
}

static void look_at_parted(struct file_set *set)
{
	for (struct parted *parted = set->parted; parted; parted = parted->next) {
		struct held_name now = parted->name;
		struct stat status;
		struct loss loss = {.path = parted->path,
			.descriptor = -1,
			.bytes = parted->name.bytes,
			.rows = parted->rows,
			.is_exact = parted->is_exact};

		if (parted->is_told)
			continue;
		loss.finding = held_name_look(&now, parted->path);
		if (loss.finding == HELD_SAME)
			continue;
		if (loss.finding == HELD_CUT && stat(parted->path, &status) == 0) {
			loss.bytes -= (uint64_t)status.st_size < loss.bytes ? (uint64_t)status.st_size : loss.bytes;
			loss.is_about = true;
			loss.rows = share_of(loss.rows, loss.bytes, parted->name.bytes);
		}
		parted->is_told = true;
		tell(set, &loss);
	}
}

void file_watch_forget_parted(struct file_set *set)
{
	while (set->parted) {
		struct parted *parted = set->parted;
		set->parted = parted->next;
		free(parted->path);
		free(parted);
	}
}

/* --- the set ------------------------------------------------------------------------------------------------------ */

int file_watch(struct file_set *set)
{
	look_at_parted(set);
	for (struct enrg_file *file = set->first; file; file = file->next)
		if (!file->is_lost)
			look_at_file(file);
	/* Those first that others are a part of. */
	for (int parts = 0; parts < 2; parts++)
		for (struct enrg_watch *watch = set->watches; watch; watch = watch->next)
			if (!watch->is_lost && !watch->part_of == !parts)
				look_at_watch(watch);
	return set->has_lost;
}

void file_watch_left(struct file_set *set)
{
	const char *path;
	uint64_t length;

	for (uint32_t i = 0; journal_next_file(set->journal, &i, &path, &length); i++) {
		struct loss loss = {.finding = HELD_REMOVED, .path = path, .descriptor = -1, .bytes = length};
		struct stat status;
		bool is_there = stat(path, &status) == 0;

		if (is_there ? (uint64_t)status.st_size >= length : errno != ENOENT && errno != ENOTDIR)
			continue;
		if (is_there) {
			loss.finding = HELD_CUT;
			loss.bytes = length - (uint64_t)status.st_size;
			if (status.st_size > 0)
				keep_rest(set, path, loss.kept);
		}
		tell(set, &loss);
		journal_forget_file(set->journal, i);
	}
}

void enrg_file_count_rows(struct enrg_file *file, uint64_t rows)
{
	const struct chronicle_place place = {file->path, file->is_whole, !file->is_continued};

	file->rows += rows;
	chronicle_add(&file->set->chronicle, &file->chronicle, &place, rows);
}

void enrg_file_set_helper(struct enrg_file *file)
{
	file->is_helper = true;
}
