/* policy.c: rotation, syncing, guard of free space and direct I/O, for all file stores. Store process, main
 * thread.
 *
 * Direct I/O wants memory and file to lie alike within a page. A batch in the ring begins at a page, so a store that
 * may pad what it writes in front (enrg_file_padding) has its batches written straight out of the ring. The pieces
 * before the first and behind the last whole page go through the page cache; they never share a page with what goes
 * past it.
 */
#include "job/file/policy.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/disk.h"
#include "job/file/handle.h"
#include "job/file/series.h"

#define NS_PER_S         1000000000ull
#define PAGE_BYTES       4096u
#define DIRECT_BYTES_MIN (2u << 20)  /* below, the page cache is faster */
#define DIRECT_BYTES_MAX (64u << 20) /* of one call */
#define WRITE_BACK_BYTES (8u << 20)  /* the kernel is asked to begin with the page cache's part */
#define DIRECT_UNKNOWN   (-1)
#define DIRECT_NONE      (-2)

void enrg_store_set_files(struct enrg_store *store, const struct enrg_file_options *options)
{
	store->files.options = options;
	store->files.guard.rules = &options->rules;
}

/* --- rotation ----------------------------------------------------------------------------------------------------- */

/* Of the part that would be written now. */
static uint64_t part_bytes(const struct series *series)
{
	struct stat status;

	if (series->file)
		return series->file->size;
	return stat(series->part, &status) == 0 && status.st_size > 0 ? (uint64_t)status.st_size : 0;
}

static bool is_clean(const struct enrg_file *file)
{
	return file->size == file->committed && !file->is_torn;
}

static bool is_part_full(const struct series *series, const struct enrg_file_rules *rules, uint64_t now)
{
	return !series->part ||
	       ((!series->file || is_clean(series->file)) && series_is_full(series, rules, part_bytes(series), now));
}

static bool is_part_begun(const struct series *series)
{
	struct stat status;

	return !series->part || stat(series->part, &status) < 0 || status.st_size > 0;
}

static int find_part(struct enrg_store *store, const char *path, const char *run, bool is_new, char *ret_path,
	size_t path_bytes, struct enrg_error *err)
{
	struct file_set *set = &store->files;
	const char *part = path;

	if (set->options && series_is_on(&set->options->rules)) {
		const struct enrg_file_rules *rules = &set->options->rules;
		struct series *series = series_get(&set->series, rules, path, run ? run : "");
		int code = series ? 0 : -ENOMEM;
		uint64_t now = clock_wall_ns();
		if (series && (is_new ? is_part_begun(series) : is_part_full(series, rules, now)))
			code = series_advance(series, rules, now);
		if (code < 0)
			return enrg_error_set(
				err, code, "%s: can't name its next part: %s", path, enrg_error_name(code));
		part = series->part;
	}
	if ((size_t)snprintf(ret_path, path_bytes, "%s", part) >= path_bytes)
		return enrg_error_set(
			err, -ENAMETOOLONG, "%s: the path is longer than %zu bytes", part, path_bytes - 1);
	return 0;
}

int enrg_file_part(struct enrg_store *store, const char *path, const char *run, char *ret_path, size_t path_bytes,
	struct enrg_error *err)
{
	return find_part(store, path, run, false, ret_path, path_bytes, err);
}

int enrg_file_new_part(struct enrg_store *store, const char *path, const char *run, char *ret_path, size_t path_bytes,
	struct enrg_error *err)
{
	return find_part(store, path, run, true, ret_path, path_bytes, err);
}

bool enrg_file_is_due(const struct enrg_file *file, const char *run)
{
	const struct series *series = file->series;

	if (file->is_superseded || (series && series->file != file))
		return true;
	if (!series || !is_clean(file))
		return false;
	const struct enrg_file_rules *rules = &file->set->options->rules;
	if (rules->rotate_run && strcmp(series->run, run ? run : "") != 0)
		return true;
	return series_is_full(series, rules, file->size, rules->rotate_seconds > 0 ? clock_wall_ns() : 0);
}

/* --- opening and closing ------------------------------------------------------------------------------------------ */

void file_policy_opened(struct enrg_file *file, const char *path)
{
	struct file_set *set = file->set;

	if (!set->options)
		return;
	if (file->use_count == 0) {
		const struct enrg_file_options *options = set->options;
		file->has_own_sync = false;
		file->sync_ns = UINT64_MAX;
		if (options->sync == ENRG_FILE_SYNC_COMMIT)
			file->sync_ns = 0;
		else if (options->sync == ENRG_FILE_SYNC_INTERVAL)
			file->sync_ns = (uint64_t)(options->rules.sync_seconds * 1e9);
		set->guard.next_check_ns = 0; /* maybe of another disk */
	}
	for (struct series *series = set->series; series; series = series->next) {
		if (!series->part || strcmp(series->part, path) != 0)
			continue;
		series->file = file;
		file->series = series;
		file->is_superseded = false;
	}
}

void enrg_file_set_sync(struct enrg_file *file, double seconds)
{
	uint64_t sync_ns = seconds > 0 ? (uint64_t)(seconds * 1e9) : 0;

	if (!file->has_own_sync || sync_ns < file->sync_ns)
		file->sync_ns = sync_ns;
	file->has_own_sync = true;
}

/* The list of series does not grow with every day and run: a later open finds the newest part on the disk again. */
static void forget_series(struct file_set *set, struct series *series)
{
	for (struct enrg_file *file = set->first; file; file = file->next)
		if (file->series == series) {
			file->series = NULL;
			file->is_superseded = true;
		}
	series_drop(&set->series, series);
}

void file_policy_closing(struct enrg_file *file)
{
	struct enrg_error why = {0};
	bool is_part = file->series || file->is_superseded;

	/* A file that was left for the next one is final: it may be copied away. */
	if (file->unsynced_ns && (is_part || file->sync_ns != UINT64_MAX) && enrg_file_sync(file, &why) < 0)
		file_set_tell(
			file->set, ENRG_ERROR, "%s (closed; its last batches may be lost in a power cut)", why.text);
	if (file->series && file->series->file == file)
		forget_series(file->set, file->series);
}

void file_policy_fini(struct file_set *set)
{
	while (set->series)
		series_drop(&set->series, set->series);
}

/* --- syncing ------------------------------------------------------------------------------------------------------ */

void file_policy_committed(struct enrg_file *file)
{
	if (file->set->options && file->size != file->committed && !file->unsynced_ns && file->sync_ns)
		file->unsynced_ns = clock_mono_ns();
}

int file_policy_sync(struct file_set *set, uint64_t now_ns, uint64_t ahead_ns, struct enrg_error *err)
{
	if (!set->options)
		return 0;
	for (struct enrg_file *file = set->first; file; file = file->next) {
		bool is_written = file->size != file->committed;
		bool is_due = file->unsynced_ns && now_ns + ahead_ns >= file->unsynced_ns &&
			      now_ns + ahead_ns - file->unsynced_ns >= file->sync_ns;
		if (!is_due && !(is_written && file->sync_ns == 0))
			continue;
		int code = enrg_file_sync(file, err);
		if (code < 0)
			return code;
	}
	return 0;
}

/* --- free space --------------------------------------------------------------------------------------------------- */

static int tell_finding(struct file_set *set, int code, enum disk_guard_finding finding, const char *text)
{
	if (code == 0 && finding != DISK_GUARD_GOOD)
		file_set_tell(set, finding == DISK_GUARD_WARN ? ENRG_WARNING : ENRG_INFO, "%s", text);
	return code;
}

static bool is_seen(dev_t *seen, uint32_t *seen_count, dev_t device)
{
	for (uint32_t i = 0; i < *seen_count; i++)
		if (seen[i] == device)
			return true;
	if (*seen_count < DISK_GUARD_DISKS_MAX)
		seen[(*seen_count)++] = device;
	return false;
}

int file_policy_guard(struct file_set *set, uint64_t now_ns, struct enrg_error *err)
{
	struct disk_guard *guard = &set->guard;
	enum disk_guard_finding finding;
	dev_t seen[DISK_GUARD_DISKS_MAX];
	uint32_t seen_count = 0;
	char text[400];
	int code = 0;

	if (!disk_guard_is_due(guard, now_ns))
		return 0;
	guard->next_check_ns = now_ns + NS_PER_S;
	guard->unchecked_bytes = 0;
	guard->reserve = 0;
	for (struct enrg_file *file = set->first; file && code == 0; file = file->next) {
		if (is_seen(seen, &seen_count, file->device))
			continue;
		code = disk_guard_check(
			guard, file->descriptor, file->device, file->path, &finding, text, sizeof(text), err);
		code = tell_finding(set, code, finding, text);
	}
	for (uint32_t i = 0; i < guard->folder_count && code == 0; i++) {
		if (is_seen(seen, &seen_count, guard->folders[i].device))
			continue;
		code = disk_guard_check_folder(guard, i, &finding, text, sizeof(text), err);
		code = tell_finding(set, code, finding, text);
	}
	return code;
}

/* --- writing ------------------------------------------------------------------------------------------------------ */

static bool wants_direct(const struct enrg_file *file, uint64_t byte_count)
{
	const struct enrg_file_options *options = file->set->options;

	return options && options->rules.direct_io && byte_count >= DIRECT_BYTES_MIN && file->direct != DIRECT_NONE;
}

uint32_t enrg_file_padding(const struct enrg_file *file, uint64_t before_bytes, const void *bytes, uint64_t byte_count)
{
	uint64_t at = file->size + before_bytes;

	return wants_direct(file, byte_count) ? (uint32_t)(((uintptr_t)bytes - at) % PAGE_BYTES) : 0;
}

static bool open_direct(struct enrg_file *file)
{
	char link[64];

	if (file->direct == DIRECT_UNKNOWN) {
		snprintf(link, sizeof(link), "/proc/self/fd/%d", file->descriptor);
		file->direct = open(link, O_WRONLY | O_DIRECT | O_CLOEXEC);
		if (file->direct < 0)
			file->direct = DIRECT_NONE;
	}
	return file->direct >= 0;
}

/* Direct I/O can't append: see disk_append_all. */
static bool is_as_long(const struct enrg_file *file, uint64_t bytes)
{
	struct stat status;

	return fstat(file->descriptor, &status) == 0 && (uint64_t)status.st_size == bytes;
}

/* Whole pages. Returns how many bytes were written; what is left is for the page cache, which reports errors. */
static uint64_t write_direct(struct enrg_file *file, const uint8_t *bytes, uint64_t byte_count, uint64_t offset)
{
	uint64_t done = 0;

	while (done < byte_count) {
		uint64_t left = byte_count - done;
		ssize_t count = pwrite(file->direct, bytes + done, left < DIRECT_BYTES_MAX ? left : DIRECT_BYTES_MAX,
			(off_t)(offset + done));
		if (count < 0 && errno == EINTR)
			continue;
		if (count < 0 && errno == EINVAL) { /* this disk wants it otherwise */
			close(file->direct);
			file->direct = DIRECT_NONE;
		}
		if (count <= 0)
			break;
		done += (uint64_t)count & ~(uint64_t)(PAGE_BYTES - 1);
		if (count % PAGE_BYTES)
			break;
	}
	return done;
}

/* So that the kernel does not gather gigabytes and then holds up everybody at once. */
static void begin_write_back(struct enrg_file *file)
{
	uint64_t end = file->size & ~(uint64_t)(PAGE_BYTES - 1);

	if (file->written_back > end)
		file->written_back = end;
	if (end - file->written_back < WRITE_BACK_BYTES)
		return;
	sync_file_range(
		file->descriptor, (off_t)file->written_back, (off_t)(end - file->written_back), SYNC_FILE_RANGE_WRITE);
	file->written_back = end;
}

int file_policy_write(struct enrg_file *file, const void *bytes, uint64_t byte_count)
{
	const uint8_t *from = bytes;
	uint64_t at = file->size, done = 0;

	/* Behind the torn bytes of a failed write there is nothing to append to. */
	if (file->is_torn)
		return disk_write_all(file->descriptor, from, byte_count, at);
	if (!file->set->options)
		return disk_append_all(file->descriptor, from, byte_count, at);
	file->set->guard.unchecked_bytes += byte_count;
	if (wants_direct(file, byte_count) && ((uintptr_t)from - at) % PAGE_BYTES == 0 &&
		is_as_long(file, at) && open_direct(file)) {
		uint64_t head = -at % PAGE_BYTES;
		if (disk_append_all(file->descriptor, from, head, at) < 0)
			return -1;
		uint64_t middle = (byte_count - head) & ~(uint64_t)(PAGE_BYTES - 1);
		done = head + write_direct(file, from + head, middle, at + head);
		file->written_back = at + done;
		/* A part of a page may stand behind that: what is appended would come after it. */
		if (done < head + middle)
			return disk_write_all(file->descriptor, from + done, byte_count - done, at + done);
	} else {
		begin_write_back(file);
	}
	return disk_append_all(file->descriptor, from + done, byte_count - done, at + done);
}
