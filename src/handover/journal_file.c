/* journal_file.c: the file of a journal: opened, locked, mapped, made longer. Store process, main thread. */
#include "handover/journal_state.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/path.h"

/* --- open and close ------------------------------------------------------------------------------------------- */

static int lock_file(int descriptor, const char *path, struct enrg_error *err)
{
	struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};

	if (fcntl(descriptor, F_OFD_SETLK, &lock) == 0)
		return 0;
	if (errno != EAGAIN && errno != EACCES)
		return enrg_error_set(err, -errno, "journal %s: can't lock: %s", path, strerror(errno));
	uint32_t pid = 0;
	if (pread(descriptor, &pid, sizeof(pid), offsetof(struct journal_header, pid)) != sizeof(pid))
		pid = 0;
	return enrg_error_set(err, -EBUSY,
		"journal %s: in use by process %u: two stores of one name can't run at once; "
		"stop the other one first",
		path, pid);
}

static int check_entries(const struct journal *journal, const char *path, struct enrg_error *err)
{
	for (uint32_t i = 0; i < journal->streams_max; i++)
		if (!journal_layout_is_sound(&journal->map->streams[i]))
			return journal_layout_damaged(path, "a stream's entry makes no sense", err);
	for (uint32_t i = 0; i < journal->files_max; i++) {
		const struct file_entry *entry = journal_file_of(journal, i);
		if (journal_layout_state(&entry->state) > ENTRY_KNOWN || !memchr(entry->path, 0, sizeof(entry->path)))
			return journal_layout_damaged(path, "a file's entry makes no sense", err);
	}
	return 0;
}

/* The file is new, or whoever made it was killed half-way: the lock is ours, and the magic was not there yet. */
static void make_layout(struct journal_layout *map, uint32_t streams_max, uint32_t files_max)
{
	memset(map, 0, journal_layout_bytes(streams_max, files_max));
	map->header.version = JOURNAL_VERSION;
	map->header.streams_max = streams_max;
	map->header.files_max = files_max;
	map->header.file_bytes = journal_layout_bytes(streams_max, files_max);
	atomic_store_explicit(&map->header.reading_stream, JOURNAL_NONE, memory_order_relaxed);
	map->header.crash_stream = JOURNAL_NONE;
	/* pairs with the acquire in journal_read_stream */
	atomic_store_explicit(&map->header.magic, JOURNAL_MAGIC, memory_order_release);
}

/* A kill during a commit left the other set half written: make both sets agree before the first commit. */
static void settle(struct journal *journal)
{
	struct journal_layout *map = journal->map;
	uint64_t valid = journal_layout_commit(map) & 1;

	for (uint32_t i = 0; i < journal->streams_max; i++)
		journal_copy_values(map->streams[i].values[!valid], map->streams[i].values[valid]);
	for (uint32_t i = 0; i < journal->files_max; i++)
		journal_set_length(
			journal_file_of(journal, i), !valid, journal_get_length(journal_file_of(journal, i), valid));
	journal_step();
}

static int allocate(int descriptor, const char *path, size_t bytes, struct enrg_error *err)
{
	int error = ftruncate(descriptor, (off_t)bytes) < 0 ? errno : 0;

	if (!error)
		error = posix_fallocate(descriptor, 0, (off_t)bytes);
	return error ? enrg_error_set(err, -error, "journal %s: can't allocate %zu bytes: %s; free space there", path,
			       bytes, strerror(error))
		     : 0;
}

static int map_bytes(
	int descriptor, const char *path, size_t bytes, struct journal_layout **ret_map, struct enrg_error *err)
{
	void *map = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0);

	if (map == MAP_FAILED)
		return enrg_error_set(err, -errno, "journal %s: can't map: %s", path, strerror(errno));
	*ret_map = map;
	return 0;
}

static int map_file(struct journal *journal, const char *path, struct enrg_error *err)
{
	struct stat status;
	uint64_t magic = 0;

	if (fstat(journal->descriptor, &status) < 0)
		return enrg_error_set(err, -errno, "journal %s: %s", path, strerror(errno));
	size_t bytes = (size_t)status.st_size;
	if (bytes >= sizeof(magic) && pread(journal->descriptor, &magic, sizeof(magic), 0) != sizeof(magic))
		return enrg_error_set(err, -EIO, "journal %s: can't read", path);
	if (magic != 0 && (magic != JOURNAL_MAGIC || bytes < sizeof(struct journal_layout)))
		return journal_layout_damaged(path, magic != JOURNAL_MAGIC ? "not a journal" : "wrong length", err);
	if (magic == 0) {
		bytes = journal_layout_bytes(JOURNAL_STREAMS, JOURNAL_FILES);
		int rc = allocate(journal->descriptor, path, bytes, err);
		if (rc < 0)
			return rc;
	}
	int rc = map_bytes(journal->descriptor, path, bytes, &journal->map, err);
	if (rc < 0)
		return rc;
	if (magic == 0)
		make_layout(journal->map, JOURNAL_STREAMS, JOURNAL_FILES);
	rc = journal_layout_check(&journal->map->header, bytes, path, &journal->streams_max, &journal->files_max, err);
	if (rc < 0) {
		munmap(journal->map, bytes);
		journal->map = NULL;
	}
	return rc;
}

/* The tables of this process beside the map: longer, with zeros behind what is in use. */
static int extend_tables(
	struct journal *journal, uint32_t streams_used, uint32_t files_used, uint32_t streams_max, uint32_t files_max)
{
	struct {
		void **table;
		uint32_t before, after;
	} tables[] = {
		{(void **)&journal->stream_used, streams_used, streams_max},
		{(void **)&journal->stream_dirty, streams_used, streams_max},
		{(void **)&journal->file_used, files_used, files_max},
		{(void **)&journal->file_dirty, files_used, files_max},
	};

	static_assert(sizeof(bool) == 1, "tables of bytes");
	for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++) {
		uint8_t *longer = realloc(*tables[i].table, tables[i].after + 1u);
		if (!longer)
			return -ENOMEM;
		memset(longer + tables[i].before, 0, tables[i].after + 1u - tables[i].before);
		*tables[i].table = longer;
	}
	return 0;
}

int journal_open(const char *path, struct journal **ret_journal, struct enrg_error *err)
{
	int rc = path_make_parent(path, 0700, err);

	if (rc < 0)
		return rc;
	struct journal *journal = calloc(1, sizeof(*journal));
	if (!journal || !(journal->path = strdup(path))) {
		free(journal);
		return enrg_error_set(err, -ENOMEM, "journal %s: out of memory", path);
	}
	journal->descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (journal->descriptor < 0)
		rc = enrg_error_set(err, -errno, "journal %s: can't open: %s", path, strerror(errno));
	else
		rc = lock_file(journal->descriptor, path, err);
	if (rc == 0)
		rc = map_file(journal, path, err);
	if (rc == 0)
		rc = check_entries(journal, path, err);
	if (rc == 0 && extend_tables(journal, 0, 0, journal->streams_max, journal->files_max) < 0)
		rc = enrg_error_set(err, -ENOMEM, "journal %s: out of memory", path);
	if (rc < 0) {
		journal_close(journal);
		return rc;
	}
	atomic_store_explicit(&journal->map->header.pid, (uint32_t)getpid(), memory_order_relaxed);
	settle(journal);
	*ret_journal = journal;
	return 0;
}

static void unmap(struct journal_layout *map, uint32_t streams_max, uint32_t files_max)
{
	if (map)
		munmap(map, journal_layout_bytes(streams_max, files_max));
}

void journal_close(struct journal *journal)
{
	if (!journal)
		return;
	unmap(journal->map, journal->streams_max, journal->files_max);
	for (uint32_t i = 0; i < journal->growths; i++)
		unmap(journal->outgrown[i], journal->outgrown[i]->header.streams_max,
			journal->outgrown[i]->header.files_max);
	if (journal->descriptor >= 0)
		close(journal->descriptor);
	free(journal->stream_used);
	free(journal->stream_dirty);
	free(journal->file_used);
	free(journal->file_dirty);
	free(journal->path);
	free(journal);
}

const char *journal_get_path(const struct journal *journal)
{
	return journal->path;
}

int journal_roll_forward(const char *path, uint64_t number, struct enrg_error *err)
{
	struct journal_header header;
	int descriptor = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	int rc;

	if (descriptor < 0)
		return errno == ENOENT ? 0 : enrg_error_set(err, -errno, "journal %s: %s", path, strerror(errno));
	rc = lock_file(descriptor, path, err);
	if (rc == 0 && pread(descriptor, &header, sizeof(header), 0) != (ssize_t)sizeof(header))
		rc = enrg_error_set(err, ENRG_E_CORRUPT, "journal %s: cut short", path);
	if (rc == 0 && header.magic == JOURNAL_MAGIC && header.version == JOURNAL_VERSION &&
		header.commit == number - 1) {
		if (pwrite(descriptor, &number, sizeof(number), offsetof(struct journal_header, commit)) ==
			(ssize_t)sizeof(number))
			rc = 1;
		else
			rc = enrg_error_set(err, -EIO, "journal %s: can't write", path);
	}
	close(descriptor);
	return rc;
}

/* --- growth --------------------------------------------------------------------------------------------------- */

/* The same contents with more entries: both sets of values, so that what is prepared stays prepared. */
static void copy_layout(
	const struct journal *journal, struct journal_layout *to, uint32_t streams_max, uint32_t files_max)
{
	make_layout(to, streams_max, files_max);
	to->header.pid = journal->map->header.pid;
	to->header.commit = journal->map->header.commit;
	to->header.reading_position = journal->map->header.reading_position;
	to->header.reading_stream = journal->map->header.reading_stream;
	to->header.crash_stream = journal->map->header.crash_stream;
	to->header.crash_position = journal->map->header.crash_position;
	to->header.crash_count = journal->map->header.crash_count;
	to->header.lost_files = journal->map->header.lost_files;
	to->header.lost_bytes = journal->map->header.lost_bytes;
	to->header.lost_rows = journal->map->header.lost_rows;
	to->header.identity = journal->map->header.identity;
	memcpy(to->streams, journal->map->streams, journal->streams_max * sizeof(struct stream_entry));
	memcpy(journal_layout_file(to, streams_max, 0), journal_file_of(journal, 0),
		journal->files_max * sizeof(struct file_entry));
}

static void take_grown(
	struct journal *journal, int descriptor, struct journal_layout *map, uint32_t streams_max, uint32_t files_max)
{
	journal->outgrown[journal->growths++] = journal->map;
	journal->map = map;
	journal->streams_max = streams_max;
	journal->files_max = files_max;
	close(journal->descriptor); /* and its lock */
	journal->descriptor = descriptor;
}

/* Whoever holds the file that is outgrown knows the new one by it. */
static void draw_identity(struct journal_header *header)
{
	uint64_t identity = 0;

	if (header->identity)
		return;
	if (getrandom(&identity, sizeof(identity), 0) != (ssize_t)sizeof(identity) || !identity)
		identity = clock_wall_ns();
	header->identity = identity;
}

int journal_grow(struct journal *journal, uint32_t streams_max, uint32_t files_max, struct enrg_error *err)
{
	struct journal_layout *map = NULL;
	char path[4096];

	if (streams_max > ENTRIES_MAX || files_max > ENTRIES_MAX || journal->growths == GROWTHS_MAX ||
		snprintf(path, sizeof(path), "%s.new", journal->path) >= (int)sizeof(path))
		return enrg_error_set(
			err, -ENOSPC, "journal %s: more than %u streams or files", journal->path, ENTRIES_MAX);
	if (extend_tables(journal, journal->streams_max, journal->files_max, streams_max, files_max) < 0)
		return enrg_error_set(err, -ENOMEM, "journal %s: out of memory", journal->path);
	draw_identity(&journal->map->header);
	unlink(path); /* of a life that was killed here */
	int descriptor = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (descriptor < 0)
		return enrg_error_set(
			err, -errno, "journal %s: can't make %s: %s", journal->path, path, strerror(errno));
	int rc = lock_file(descriptor, path, err);
	if (rc == 0)
		rc = allocate(descriptor, path, journal_layout_bytes(streams_max, files_max), err);
	if (rc == 0)
		rc = map_bytes(descriptor, path, journal_layout_bytes(streams_max, files_max), &map, err);
	if (rc == 0)
		copy_layout(journal, map, streams_max, files_max);
	if (rc == 0 && rename(path, journal->path) < 0)
		rc = enrg_error_set(err, -errno, "journal %s: %s", journal->path, strerror(errno));
	if (rc < 0) {
		unmap(map, streams_max, files_max);
		close(descriptor);
		unlink(path);
		return rc;
	}
	take_grown(journal, descriptor, map, streams_max, files_max);
	return 0;
}
