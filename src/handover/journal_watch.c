/* journal_watch.c: what a store has committed, from outside: supervisor, ledger, status. Any process, one thread.
 *
 * Read, not mapped: a file that somebody cuts short meanwhile is no fault, and a mapping that is made for each look
 * costs more than the look. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/held.h"
#include "handover/journal_layout.h"

#define SCAN_ENTRIES 16u
#define TRIES        1000 /* a commit takes microseconds of work: who is met by so many in a row meets a vandal */

void journal_watch_close(struct journal_watch *watch)
{
	if (watch->descriptor >= 0)
		close(watch->descriptor);
	watch->descriptor = -1;
}

/* Where the path names nothing now, the store goes on with the file that it has. */
static bool is_same(const struct journal_watch *watch, const char *path)
{
	struct stat named;

	return watch->descriptor >= 0 &&
	       (stat(path, &named) < 0 || (named.st_dev == watch->device && named.st_ino == watch->inode));
}

static int open_file(struct journal_watch *watch, const char *path, struct enrg_error *err)
{
	struct stat file;

	journal_watch_close(watch);
	watch->descriptor = held_open(path, O_RDONLY);
	if (watch->descriptor < 0 || fstat(watch->descriptor, &file) < 0)
		return enrg_error_set(err, -errno, "journal %s: %s", path, strerror(errno));
	watch->device = file.st_dev;
	watch->inode = file.st_ino;
	watch->news++;
	return 0;
}

static int read_header(struct journal_watch *watch, const char *path, struct enrg_error *err)
{
	struct journal_header header;
	struct stat file;
	uint32_t files_max;

	if (fstat(watch->descriptor, &file) < 0)
		return enrg_error_set(err, -errno, "journal %s: %s", path, strerror(errno));
	if (file.st_size == 0)
		return enrg_error_set(err, -ENOENT, "journal %s: not made yet", path);
	if (!S_ISREG(file.st_mode) || file.st_size < (off_t)sizeof(struct journal_layout))
		return journal_layout_damaged(path, "wrong length", err);
	if (pread(watch->descriptor, &header, sizeof(header), 0) != (ssize_t)sizeof(header))
		return journal_layout_damaged(path, "cut short while it was read", err);
	uint64_t magic = atomic_load_explicit(&header.magic, memory_order_relaxed);
	if (magic == 0)
		return enrg_error_set(err, -ENOENT, "journal %s: not made yet", path);
	if (magic != JOURNAL_MAGIC)
		return journal_layout_damaged(path, "not a journal", err);
	int rc = journal_layout_check(&header, (uint64_t)file.st_size, path, &watch->streams_max, &files_max, err);
	if (rc < 0)
		return rc;
	uint64_t commit = atomic_load_explicit(&header.commit, memory_order_relaxed);
	watch->news += commit != watch->commit;
	watch->commit = commit;
	watch->loss = (struct journal_loss){
		.files = atomic_load_explicit(&header.lost_files, memory_order_relaxed),
		.bytes = atomic_load_explicit(&header.lost_bytes, memory_order_relaxed),
		.rows = atomic_load_explicit(&header.lost_rows, memory_order_relaxed),
	};
	return 0;
}

int journal_watch_look(struct journal_watch *watch, const char *path, struct enrg_error *err)
{
	int rc = is_same(watch, path) ? 0 : open_file(watch, path, err);

	if (rc == 0)
		rc = read_header(watch, path, err);
	if (rc < 0)
		journal_watch_close(watch); /* the next one begins anew */
	return rc;
}

/* --- streams ------------------------------------------------------------------------------------------------------ */

static off_t place_of(uint32_t index)
{
	return (off_t)(sizeof(struct journal_layout) + (size_t)index * sizeof(struct stream_entry));
}

static bool is_of(const struct stream_entry *entry, const uint8_t uuid[16])
{
	return journal_layout_state(&entry->state) != ENTRY_FREE && memcmp(entry->uuid, uuid, 16) == 0;
}

static int find(const struct journal_watch *watch, const uint8_t uuid[16], uint32_t *ret_index)
{
	struct stream_entry entries[SCAN_ENTRIES];

	for (uint32_t at = 0; at < watch->streams_max; at += SCAN_ENTRIES) {
		uint32_t left = watch->streams_max - at, count = left < SCAN_ENTRIES ? left : SCAN_ENTRIES;

		if (pread(watch->descriptor, entries, count * sizeof(*entries), place_of(at)) !=
			(ssize_t)(count * sizeof(*entries)))
			return ENRG_E_CORRUPT;
		for (uint32_t i = 0; i < count; i++) {
			if (journal_layout_state(&entries[i].state) > ENTRY_KNOWN)
				return ENRG_E_CORRUPT;
			if (is_of(&entries[i], uuid)) {
				*ret_index = at + i;
				return 0;
			}
		}
	}
	return -ENOENT;
}

static int read_commit(const struct journal_watch *watch, uint64_t *ret_number)
{
	ssize_t count =
		pread(watch->descriptor, ret_number, sizeof(*ret_number), offsetof(struct journal_header, commit));

	return count == (ssize_t)sizeof(*ret_number) ? 0 : ENRG_E_CORRUPT;
}

/* An entry, and the commit that was the last one all the while. -EAGAIN: there was none. */
static int read_entry(
	const struct journal_watch *watch, uint32_t index, struct stream_entry *ret_entry, uint64_t *ret_commit)
{
	uint64_t behind;
	int rc = read_commit(watch, ret_commit);

	atomic_thread_fence(memory_order_acquire);
	if (rc == 0 &&
		pread(watch->descriptor, ret_entry, sizeof(*ret_entry), place_of(index)) != (ssize_t)sizeof(*ret_entry))
		rc = ENRG_E_CORRUPT;
	/* The set was valid all the while unless a commit came: then the next may be overwriting it. */
	atomic_thread_fence(memory_order_acquire);
	if (rc == 0)
		rc = read_commit(watch, &behind);
	return rc < 0 ? rc : behind == *ret_commit ? 0 : -EAGAIN;
}

int journal_watch_stream(const struct journal_watch *watch, const uint8_t uuid[16], uint32_t *index,
	struct journal_stream_state *ret_state)
{
	struct stream_entry entry;
	uint64_t commit;
	int rc = -EAGAIN;

	for (int i = 0; i < TRIES && rc == -EAGAIN; i++) {
		rc = *index < watch->streams_max ? read_entry(watch, *index, &entry, &commit) : 0;
		if (rc == 0 && (*index >= watch->streams_max || !is_of(&entry, uuid))) {
			rc = find(watch, uuid, index);
			rc = rc < 0 ? rc : -EAGAIN;
		}
	}
	if (rc < 0)
		return rc;
	if (!journal_layout_is_sound(&entry))
		return ENRG_E_CORRUPT;
	*ret_state = journal_layout_load(entry.values[commit & 1]);
	return 0;
}

int journal_read_stream(
	const char *path, const uint8_t uuid[16], struct journal_stream_state *ret_state, struct enrg_error *err)
{
	struct journal_watch watch = JOURNAL_WATCH_NONE;
	uint32_t index = JOURNAL_NONE;
	int rc = journal_watch_look(&watch, path, err);

	if (rc == 0) {
		rc = journal_watch_stream(&watch, uuid, &index, ret_state);
		if (rc == ENRG_E_CORRUPT)
			journal_layout_damaged(path, "a stream's entry makes no sense", err);
		else if (rc < 0)
			enrg_error_set(err, rc, "journal %s: %s", path,
				rc == -ENOENT ? "does not know this stream" : "changes too fast to be read");
	}
	journal_watch_close(&watch);
	return rc;
}

int journal_read_boundary(const char *path, const uint8_t uuid[16], uint64_t index, uint64_t position,
	struct journal_stream_state *ret_state, struct enrg_error *err)
{
	struct journal_stream_state state;
	uint8_t own[16];

	journal_layout_boundary_uuid(uuid, index, own);
	int rc = journal_read_stream(path, own, &state, err);
	if (rc < 0)
		return rc;
	if (state.position != position)
		return enrg_error_set(err, -ENOENT, "journal %s: does not hold that boundary", path);
	*ret_state = state;
	return 0;
}
