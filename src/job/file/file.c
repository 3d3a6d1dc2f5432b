/* file.c: output files with a committed length. Store process, main thread. */
#include "job/file/file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/disk.h"
#include "base/held.h"
#include "base/path.h"
#include "job/file/alert.h"
#include "job/file/direct.h"
#include "job/file/handle.h"
#include "job/file/rotation.h"
#include "job/file/sync.h"
#include "job/file/watch.h"

#define OPEN_TRIES 8u

/* --- opening ------------------------------------------------------------------------------------------------------ */

static int cut(struct enrg_file *file, uint64_t size, struct enrg_error *err)
{
	int rc;

	do
		rc = ftruncate(file->descriptor, (off_t)size);
	while (rc < 0 && errno == EINTR);
	if (rc < 0)
		return disk_fail(err, file->path, "cut the file");
	file->size = size;
	file->is_torn = false;
	return 0;
}

/* Two writers would overwrite each other. A file system without locks is believed. */
static int lock_alone(struct enrg_file *file, struct enrg_error *err)
{
	struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};

	if (fcntl(file->descriptor, F_OFD_SETLK, &lock) < 0 && (errno == EAGAIN || errno == EACCES))
		return enrg_error_set(err, -EBUSY,
			"%s: another store or run is writing this file: stop it, or give one of "
			"the two another file_path",
			file->path);
	return 0;
}

/* Before the journal changes: the note is of its last commit. */
static int read_switches(struct file_set *set, struct enrg_error *err)
{
	if (set->has_read_switches)
		return 0;
	int rc = switches_read(set->journal, &set->left, err);
	set->has_read_switches = rc == 0;
	return rc;
}

/* What earlier lives committed, against what lies there. */
static int adopt(struct enrg_file *file, uint64_t found, struct enrg_error *err)
{
	char link[64], real[PATH_MAX];
	bool is_known;
	uint64_t committed;

	/* The journal outlives this process and its working folder: only a full name says which file it means. */
	snprintf(link, sizeof(link), "/proc/self/fd/%d", file->descriptor);
	ssize_t length = readlink(link, real, sizeof(real) - 1);
	if (length < 0)
		return disk_fail(err, file->path, "find out the full name");
	real[length] = '\0';
	int rc = read_switches(file->set, err);
	if (rc < 0)
		return rc;
	rc = journal_add_file(file->set->journal, real, &file->journal_index, &is_known, &committed, err);
	if (rc < 0)
		return rc;
	file->size = found;
	if (is_known && found > committed)
		rc = cut(file, committed, err);
	else if (is_known && found < committed)
		file_set_tell(file->set, ENRG_WARNING,
			"%s: has %llu bytes, but %llu were written and committed: it was cut, replaced "
			"or removed by something else while this store was not running; new batches are appended to "
			"what is there",
			file->path, (unsigned long long)found, (unsigned long long)committed);
	if (rc == 0 && is_known && found >= committed &&
		switches_apply(&file->set->left, file->journal_index, file->descriptor) < 0)
		rc = disk_fail(err, file->path, "write");
	if (rc < 0)
		return rc;
	file->committed = file->size;
	file->is_whole = file->size == 0;
	file->is_continued = is_known;
	if (!is_known || committed != file->size)
		journal_reset_file(file->set->journal, file->journal_index, file->size);
	return 0;
}

static struct enrg_file *find_by_path(const struct file_set *set, const char *path)
{
	struct enrg_file *file = set->first;

	while (file && strcmp(file->path, path) != 0)
		file = file->next;
	return file;
}

/* The same file under another spelling of its path. */
static struct enrg_file *find_by_inode(const struct file_set *set, const struct stat *status)
{
	struct enrg_file *file = set->first;

	while (file && (file->device != status->st_dev || file->inode != status->st_ino))
		file = file->next;
	return file;
}

static void destroy(struct enrg_file *file)
{
	if (!file)
		return;
	if (file->descriptor >= 0)
		close(file->descriptor);
	if (file->direct >= 0)
		close(file->direct);
	free(file->path);
	free(file);
}

/* Whoever held the lock until now (a merge of another process) may have put another file in the place of this one
 * between the open and the lock: what is written to a file that has no name any more is lost. 1: that is so. */
static int look_again(const struct enrg_file *file, struct stat *ret_status, struct enrg_error *err)
{
	enum held_finding finding = held_look(file->descriptor, file->path, 0, ret_status);

	if (ret_status->st_nlink == 0 && finding == HELD_SAME)
		return disk_fail(err, file->path, "look at the file");
	return finding != HELD_SAME;
}

/* The file that the path names now, locked; or *ret_file, which is the same and open already. 1: it was replaced
 * meanwhile. */
static int open_named(const struct file_set *set, struct enrg_file *file, struct enrg_file **ret_file,
	struct stat *ret_status, struct enrg_error *err)
{
	file->descriptor = open(file->path, O_RDWR | O_CREAT | O_CLOEXEC | O_NONBLOCK, 0644);
	if (file->descriptor < 0)
		return disk_fail(err, file->path, "open");
	if (fstat(file->descriptor, ret_status) < 0)
		return disk_fail(err, file->path, "look at the file");
	if (!S_ISREG(ret_status->st_mode))
		return enrg_error_set(err, -EINVAL, "%s: is not a regular file", file->path);
	*ret_file = find_by_inode(set, ret_status);
	if (*ret_file)
		return 0;
	int rc = lock_alone(file, err);
	return rc < 0 ? rc : look_again(file, ret_status, err);
}

static int open_new(struct file_set *set, struct enrg_file *file, struct enrg_file **ret_file, struct enrg_error *err)
{
	struct stat status;
	int rc = path_make_parent(file->path, 0755, err);

	if (rc < 0)
		return rc;
	*ret_file = NULL;
	for (unsigned i = 0; i < OPEN_TRIES; i++) {
		rc = open_named(set, file, ret_file, &status, err);
		if (rc <= 0)
			break;
		close(file->descriptor);
		file->descriptor = -1;
	}
	if (rc > 0)
		rc = enrg_error_set(err, -EBUSY, "%s: another program replaces this file again and again", file->path);
	if (rc < 0 || *ret_file)
		return rc;
	file->device = status.st_dev;
	file->inode = status.st_ino;
	rc = adopt(file, (uint64_t)status.st_size, err);
	if (rc == 0)
		*ret_file = file;
	return rc;
}

static void opened(struct enrg_file *file, const char *path)
{
	if (file->use_count == 0)
		file->set->guard.next_check_ns = 0; /* maybe of another disk */
	file_sync_opened(file);
	file_rotation_opened(file, path);
}

int enrg_file_open(struct enrg_store *store, const char *path, struct enrg_file **ret_file, struct enrg_error *err)
{
	struct file_set *set = &store->files;
	struct enrg_file *found = find_by_path(set, path);

	if (found) {
		found->use_count++;
		opened(found, path);
		*ret_file = found;
		return 0;
	}
	struct enrg_file *file = calloc(1, sizeof(*file));
	if (file) {
		file->descriptor = -1;
		file->direct = -1;
		file->set = set;
		file->path = strdup(path);
	}
	if (!file || !file->path) {
		destroy(file);
		return enrg_error_set(err, -ENOMEM, "%s: out of memory", path);
	}
	int rc = open_new(set, file, &found, err);
	if (rc < 0 || found != file)
		destroy(file);
	if (rc < 0)
		return rc;
	if (found == file) {
		file->next = set->first;
		set->first = file;
	}
	opened(found, path);
	found->use_count++;
	*ret_file = found;
	return 0;
}

/* The store type may make something else of the file, which nobody has open or counts on any more; it is as long then
 * as it stays. */
static void finish(struct enrg_store *store, enrg_file_finish_function *function, char *path)
{
	if (!path)
		return;
	function(store, path);
	chronicle_close(&store->files.chronicle, path);
	free(path);
}

static void release(struct enrg_file *file)
{
	struct enrg_file **link = &file->set->first;
	enrg_file_finish_function *function = file->finish;
	struct enrg_store *store = file->finish_store;
	/* What a roll back closes is not done with: its store opens it again and goes on. */
	bool is_done = !file->is_lost && !file->set->is_going_back;
	char *path = function && is_done ? strdup(file->path) : NULL;

	file_sync_closing(file);
	file_rotation_closing(file);
	file_watch_part(file);
	while (*link != file)
		link = &(*link)->next;
	*link = file->next;
	if (path)
		chronicle_tell(&file->set->chronicle, file->path);
	else if (is_done)
		chronicle_close(&file->set->chronicle, file->path);
	else if (file->is_lost)
		chronicle_drop(&file->set->chronicle, file->path);
	journal_forget_file(file->set->journal, file->journal_index);
	destroy(file);
	finish(store, function, path);
}

void enrg_file_set_finish(struct enrg_store *store, struct enrg_file *file, enrg_file_finish_function *function)
{
	file->finish_store = store;
	file->finish = function;
}

void enrg_file_close(struct enrg_file *file)
{
	if (file && --file->use_count == 0 && file->size == file->committed && !file->is_torn && !file->switch_bytes)
		release(file);
}

/* --- writing ------------------------------------------------------------------------------------------------------ */

int enrg_file_write(struct enrg_file *file, const void *bytes, uint64_t byte_count, struct enrg_error *err)
{
	if (!file->is_appended)
		file_replace_forget(file->descriptor);
	file->is_appended = true;
	if (file_direct_write(file, bytes, byte_count) < 0) {
		file->is_torn = true;
		return disk_fail(err, file->path, "write");
	}
	file->size += byte_count;
	return 0;
}

static int check_inside(const struct enrg_file *file, uint64_t offset, uint64_t byte_count, struct enrg_error *err)
{
	if (offset <= file->size && byte_count <= file->size - offset)
		return 0;
	return enrg_error_set(err, -EINVAL, "%s: can't overwrite %llu bytes at %llu of %llu", file->path,
		(unsigned long long)byte_count, (unsigned long long)offset, (unsigned long long)file->size);
}

/* Inside of what was written: a file that was cut meanwhile would get a hole, and look whole again. */
static int overwrite(const struct enrg_file *file, uint64_t offset, const void *bytes, uint64_t byte_count)
{
	struct stat status;

	if (fstat(file->descriptor, &status) < 0)
		return -1;
	if ((uint64_t)status.st_size < offset + byte_count) {
		errno = ESTALE;
		return -1;
	}
	return disk_write_all(file->descriptor, bytes, byte_count, offset);
}

int enrg_file_write_at(
	struct enrg_file *file, uint64_t offset, const void *bytes, uint64_t byte_count, struct enrg_error *err)
{
	int rc = check_inside(file, offset, byte_count, err);

	if (rc == 0 && overwrite(file, offset, bytes, byte_count) < 0)
		rc = disk_fail(err, file->path, "write");
	return rc;
}

static int write_switch(struct enrg_file *file)
{
	if (overwrite(file, file->switch_offset, file->switch_to, file->switch_bytes) < 0)
		return -1;
	file->switch_bytes = 0;
	file->is_switch_due = false;
	return 0;
}

int enrg_file_switch(
	struct enrg_file *file, uint64_t offset, const void *bytes, uint32_t byte_count, struct enrg_error *err)
{
	int rc = check_inside(file, offset, byte_count, err);

	if (rc == 0 && byte_count > ENRG_FILE_SWITCH_BYTES)
		rc = enrg_error_set(err, -EINVAL, "%s: can't switch %u bytes at once", file->path, byte_count);
	/* The one that is due may not be lost to a commit that is not made. */
	if (rc == 0 && file->is_switch_due && write_switch(file) < 0)
		rc = disk_fail(err, file->path, "write");
	if (rc < 0)
		return rc;
	memcpy(file->switch_to, bytes, byte_count);
	file->switch_offset = offset;
	file->switch_bytes = byte_count;
	return 0;
}

uint64_t enrg_file_size(const struct enrg_file *file)
{
	return file->size;
}

int enrg_file_truncate(struct enrg_file *file, uint64_t size, struct enrg_error *err)
{
	if (size > file->size)
		return enrg_error_set(err, -EINVAL, "%s: can't cut %llu bytes to %llu", file->path,
			(unsigned long long)file->size, (unsigned long long)size);
	/* The journal first: killed in between, the next open cuts. */
	if (size < file->committed) {
		journal_reset_file(file->set->journal, file->journal_index, size);
		file->committed = size;
	}
	return cut(file, size, err);
}

bool enrg_file_is_continued(const struct enrg_file *file)
{
	return file->is_continued;
}

const char *enrg_file_name_of(const struct enrg_file *file)
{
	return file->path;
}

int enrg_file_descriptor(const struct enrg_file *file)
{
	return file->descriptor;
}

/* --- the set ------------------------------------------------------------------------------------------------------ */

void file_set_init(struct file_set *set, struct journal *journal, file_alert_function *alert, void *context)
{
	*set = (struct file_set){.journal = journal, .alert = alert, .alert_context = context};
}

void file_set_fini(struct file_set *set)
{
	while (set->first) {
		struct enrg_file *file = set->first;
		set->first = file->next;
		destroy(file);
	}
	file_watch_forget_parted(set);
	switches_fini(&set->left);
	file_rotation_fini(set);
	chronicle_fini(&set->chronicle);
}

/* What will be written over files once the commit is made, and what was left to be. */
static int note_switches(struct file_set *set, struct enrg_error *err)
{
	struct switches noted = {0};
	int rc = read_switches(set, err);

	for (uint32_t i = 0; i < set->left.count && rc == 0; i++)
		rc = switches_add(&noted, set->journal, &set->left.entries[i], err);
	for (struct enrg_file *file = set->first; file && rc == 0; file = file->next) {
		struct switch_entry entry = {
			.file = file->journal_index, .offset = file->switch_offset, .byte_count = file->switch_bytes};
		if (!file->switch_bytes)
			continue;
		memcpy(entry.bytes, file->switch_to, file->switch_bytes);
		rc = switches_add(&noted, set->journal, &entry, err);
	}
	if (rc == 0 && noted.count)
		rc = switches_write(set->journal, &noted, err);
	switches_fini(&noted);
	return rc;
}

int file_set_prepare(struct file_set *set, struct enrg_error *err)
{
	int rc = note_switches(set, err);

	if (rc < 0)
		return rc;
	for (struct enrg_file *file = set->first; file; file = file->next)
		if (file->size != file->committed)
			journal_set_file(set->journal, file->journal_index, file->size);
	return 0;
}

void file_set_committed(struct file_set *set)
{
	struct enrg_file *next;

	chronicle_committed(&set->chronicle);
	for (struct enrg_file *file = set->first; file; file = next) {
		next = file->next;
		file_sync_committed(file);
		file->committed = file->size;
		file->committed_rows = file->rows;
		file->is_switch_due = file->switch_bytes > 0;
		if (file->is_switch_due && write_switch(file) < 0)
			file_set_tell(set, ENRG_ERROR,
				"%s: can't overwrite %u bytes: %s; trying again at the next commit", file->path,
				file->switch_bytes, strerror(errno));
		if (file->use_count == 0 && !file->switch_bytes && (!file->is_torn || cut(file, file->size, NULL) == 0))
			release(file);
	}
}

bool file_set_has_due(const struct file_set *set)
{
	const struct enrg_file *file = set->first;

	while (file && !file->is_switch_due)
		file = file->next;
	return file != NULL;
}

int file_set_rollback(struct file_set *set, struct enrg_error *err)
{
	struct enrg_file *next;
	int result = 0;

	set->has_lost = false;
	chronicle_rolled_back(&set->chronicle);
	for (struct enrg_file *file = set->first; file; file = next) {
		next = file->next;
		int code = 0;
		file->rows = file->committed_rows;
		if (file->is_lost || !file->is_switch_due)
			file->switch_bytes = 0;
		else if (write_switch(file) < 0)
			code = disk_fail(result == 0 ? err : NULL, file->path, "write");
		if (code == 0 && !file->is_lost && (file->size != file->committed || file->is_torn))
			code = cut(file, file->committed, result == 0 ? err : NULL);
		if (code < 0)
			result = result < 0 ? result : code;
		else if (file->use_count == 0)
			release(file);
	}
	return result;
}
