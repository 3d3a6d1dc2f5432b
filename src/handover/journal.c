/* journal.c: what a store has committed, in one file on tmpfs. Its layout, and how a commit works: journal_layout.h.
 * Store process, main thread. */
#include "handover/journal_layout.h"

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

#define GROWTHS_MAX 24u

struct journal {
	struct journal_layout *map;
	char *path;
	int descriptor;
	uint32_t streams_max, files_max; /* those of the map, checked */
	bool *stream_used;               /* added or found by this process: not to be given up */
	bool *file_used;
	/* Prepared for the next commit, and changed by the last one: bit 0 and bit 1. */
	uint8_t *stream_dirty;
	uint8_t *file_dirty;
	uint32_t stream_end, file_end; /* no index from here on is in use by this process */
	/* What the journal has outgrown stays mapped: paths were handed out of it. */
	struct journal_layout *outgrown[GROWTHS_MAX];
	uint32_t growths;
};

static struct file_entry *file_of(const struct journal *journal, uint32_t index)
{
	return journal_layout_file(journal->map, journal->streams_max, index);
}

#define DIRTY_NOW  1u
#define DIRTY_LAST 2u

static void set_state(_Atomic uint32_t *state, enum entry_state value)
{
	atomic_store_explicit(state, value, memory_order_release); /* pairs with journal_layout_state */
}

/* A compiler must not move stores of the next step before those of the last: a kill may come between any two. */
static void step(void)
{
	atomic_thread_fence(memory_order_seq_cst);
}

static void copy_values(_Atomic uint64_t *to, const _Atomic uint64_t *from)
{
	for (size_t i = 0; i < STREAM_VALUES; i++)
		atomic_store_explicit(
			&to[i], atomic_load_explicit(&from[i], memory_order_relaxed), memory_order_relaxed);
}

static uint64_t get_length(const struct file_entry *entry, uint64_t set)
{
	return atomic_load_explicit(&entry->length[set], memory_order_relaxed);
}

static void set_length(struct file_entry *entry, uint64_t set, uint64_t length)
{
	atomic_store_explicit(&entry->length[set], length, memory_order_relaxed);
}

/* --- open and close ----------------------------------------------------------------------------------------------- */

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
		const struct file_entry *entry = file_of(journal, i);
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
		copy_values(map->streams[i].values[!valid], map->streams[i].values[valid]);
	for (uint32_t i = 0; i < journal->files_max; i++)
		set_length(file_of(journal, i), !valid, get_length(file_of(journal, i), valid));
	step();
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

/* --- growth ------------------------------------------------------------------------------------------------------- */

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
	memcpy(journal_layout_file(to, streams_max, 0), file_of(journal, 0),
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

/* The new file is locked before it has its name: at no moment is there a journal that nobody owns. */
static int grow(struct journal *journal, uint32_t streams_max, uint32_t files_max, struct enrg_error *err)
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

/* --- entries ------------------------------------------------------------------------------------------------------ */

int journal_find_stream(const struct journal *journal, const uint8_t uuid[16], uint32_t *ret_index)
{
	return journal_layout_find(journal->map, journal->streams_max, uuid, ret_index);
}

/* A free entry, else the one added longest ago that this process does not use: of a run that is over. */
static uint32_t choose_stream(const struct journal *journal)
{
	uint32_t oldest = JOURNAL_NONE;

	for (uint32_t i = 0; i < journal->streams_max; i++) {
		const struct stream_entry *entry = &journal->map->streams[i];
		if (journal_layout_state(&entry->state) == ENTRY_FREE)
			return i;
		if (!journal->stream_used[i] &&
			(oldest == JOURNAL_NONE || entry->added_at < journal->map->streams[oldest].added_at))
			oldest = i;
	}
	return oldest;
}

int journal_add_stream(struct journal *journal, const uint8_t uuid[16], const char *source, uint32_t *ret_index,
	struct enrg_error *err)
{
	uint32_t index;

	if (journal_layout_find(journal->map, journal->streams_max, uuid, &index) < 0) {
		index = choose_stream(journal);
		if (index == JOURNAL_NONE) {
			int rc = grow(journal, 2 * journal->streams_max + 1, journal->files_max, err);
			if (rc < 0)
				return enrg_error_add(err, rc, "stream of %s", source);
			index = choose_stream(journal);
		}
		struct stream_entry *entry = &journal->map->streams[index];
		set_state(&entry->state, ENTRY_FREE);
		step();
		memset((char *)entry + sizeof(entry->state), 0, sizeof(*entry) - sizeof(entry->state));
		entry->added_at = journal_layout_commit(journal->map);
		memcpy(entry->uuid, uuid, 16);
		strncpy(entry->source, source, sizeof(entry->source) - 1);
		set_state(&entry->state, ENTRY_KNOWN);
		journal->stream_dirty[index] = 0;
	}
	journal->stream_used[index] = true;
	if (index >= journal->stream_end)
		journal->stream_end = index + 1;
	*ret_index = index;
	return 0;
}

int journal_add_boundary(struct journal *journal, const uint8_t uuid[16], const char *source, uint64_t index,
	uint32_t *ret_index, struct enrg_error *err)
{
	uint8_t own[16];

	journal_layout_boundary_uuid(uuid, index, own);
	return journal_add_stream(journal, own, source, ret_index, err);
}

void journal_keep_boundaries(struct journal *journal, const uint8_t uuid[16])
{
	uint8_t own[16];
	uint32_t entry;

	for (uint64_t index = 0; index < JOURNAL_BOUNDARIES; index++) {
		journal_layout_boundary_uuid(uuid, index, own);
		if (journal_find_stream(journal, own, &entry) == 0)
			(void)journal_add_stream(journal, own, "", &entry, NULL);
	}
}

void journal_keep_stream(struct journal *journal, const uint8_t uuid[16])
{
	uint32_t entry;

	if (journal_find_stream(journal, uuid, &entry) == 0)
		(void)journal_add_stream(journal, uuid, "", &entry, NULL);
	journal_keep_boundaries(journal, uuid);
}

/* A free entry, else one that an earlier life added and committed nothing to. What was committed is kept for as long as
 * its file can't be reached: whoever cuts that needs it. */
static uint32_t choose_file(const struct journal *journal)
{
	uint32_t added = JOURNAL_NONE;

	for (uint32_t i = 0; i < journal->files_max; i++) {
		uint32_t state = journal_layout_state(&file_of(journal, i)->state);
		if (state == ENTRY_FREE)
			return i;
		if (state == ENTRY_ADDED && !journal->file_used[i])
			added = i;
	}
	return added;
}

static void use_file(struct journal *journal, uint32_t index)
{
	journal->file_used[index] = true;
	if (index >= journal->file_end)
		journal->file_end = index + 1;
}

int journal_add_file(struct journal *journal, const char *path, uint32_t *ret_index, bool *ret_known,
	uint64_t *ret_length, struct enrg_error *err)
{
	size_t bytes = strlen(path) + 1;

	if (bytes > JOURNAL_PATH_BYTES)
		return enrg_error_set(
			err, -ENAMETOOLONG, "%s: the path is longer than %u bytes", path, JOURNAL_PATH_BYTES - 1);
	for (uint32_t i = 0; i < journal->files_max; i++) {
		struct file_entry *entry = file_of(journal, i);
		uint32_t state = journal_layout_state(&entry->state);
		if (state == ENTRY_FREE || strcmp(entry->path, path) != 0)
			continue;
		*ret_index = i;
		*ret_known = state == ENTRY_KNOWN;
		*ret_length = get_length(entry, journal_layout_commit(journal->map) & 1);
		use_file(journal, i);
		return 0;
	}
	uint32_t vacant = choose_file(journal);
	if (vacant == JOURNAL_NONE) {
		int rc = grow(journal, journal->streams_max, 2 * journal->files_max + 1, err);
		if (rc < 0)
			return enrg_error_add(err, rc, "%s", path);
		vacant = choose_file(journal);
	}
	struct file_entry *entry = file_of(journal, vacant);
	set_state(&entry->state, ENTRY_FREE);
	step();
	memset((char *)entry + sizeof(entry->state), 0, sizeof(*entry) - sizeof(entry->state));
	memcpy(entry->path, path, bytes);
	set_state(&entry->state, ENTRY_ADDED);
	journal->file_dirty[vacant] = 0;
	use_file(journal, vacant);
	*ret_index = vacant;
	*ret_known = false;
	*ret_length = 0;
	return 0;
}

void journal_reset_file(struct journal *journal, uint32_t index, uint64_t length)
{
	struct file_entry *entry = file_of(journal, index);

	/* Each is one store: a kill between them leaves the valid set with the old or the new length. */
	set_length(entry, 0, length);
	set_length(entry, 1, length);
	journal->file_dirty[index] = 0;
	set_state(&entry->state, ENTRY_KNOWN);
	step();
}

void journal_forget_file(struct journal *journal, uint32_t index)
{
	set_state(&file_of(journal, index)->state, ENTRY_FREE);
	step();
	journal->file_dirty[index] = 0;
	journal->file_used[index] = false;
}

bool journal_next_file(const struct journal *journal, uint32_t *index, const char **ret_path, uint64_t *ret_length)
{
	for (; *index < journal->files_max; (*index)++) {
		const struct file_entry *entry = file_of(journal, *index);
		if (journal_layout_state(&entry->state) != ENTRY_KNOWN)
			continue;
		*ret_path = entry->path;
		*ret_length = get_length(entry, journal_layout_commit(journal->map) & 1);
		return true;
	}
	return false;
}

const char *journal_file_path(const struct journal *journal, uint32_t index)
{
	if (index >= journal->files_max)
		return NULL;
	const struct file_entry *entry = file_of(journal, index);

	return journal_layout_state(&entry->state) == ENTRY_KNOWN ? entry->path : NULL;
}

const char *journal_first_file(const struct journal *journal)
{
	const char *known = NULL;

	for (uint32_t i = 0; i < journal->files_max; i++) {
		const struct file_entry *entry = file_of(journal, i);
		if (journal_layout_state(&entry->state) != ENTRY_FREE)
			return entry->path;
		if (!known && entry->path[0])
			known = entry->path;
	}
	return known;
}

/* --- commits ------------------------------------------------------------------------------------------------------ */

struct journal_stream_state journal_stream(const struct journal *journal, uint32_t index)
{
	return journal_layout_load(journal->map->streams[index].values[journal_layout_commit(journal->map) & 1]);
}

uint64_t journal_commit_number(const struct journal *journal)
{
	return journal_layout_commit(journal->map);
}

void journal_set_stream(struct journal *journal, uint32_t index, const struct journal_stream_state *state)
{
	uint64_t plain[STATE_VALUES];
	_Atomic uint64_t *values = journal->map->streams[index].values[!(journal_layout_commit(journal->map) & 1)];

	memcpy(plain, state, sizeof(plain));
	for (size_t i = 0; i < STATE_VALUES; i++)
		atomic_store_explicit(&values[i], plain[i], memory_order_relaxed);
	journal->stream_dirty[index] |= DIRTY_NOW;
}

void journal_set_file(struct journal *journal, uint32_t index, uint64_t length)
{
	set_length(file_of(journal, index), !(journal_layout_commit(journal->map) & 1), length);
	journal->file_dirty[index] |= DIRTY_NOW;
}

void journal_complete(struct journal *journal)
{
	struct journal_layout *map = journal->map;
	uint64_t valid = journal_layout_commit(map) & 1;

	for (size_t i = 0; i < journal->stream_end; i++) {
		if (journal->stream_dirty[i] == DIRTY_LAST)
			copy_values(map->streams[i].values[!valid], map->streams[i].values[valid]);
		journal->stream_dirty[i] = journal->stream_dirty[i] & DIRTY_NOW ? DIRTY_LAST : 0;
	}
	for (size_t i = 0; i < journal->file_end; i++) {
		if (journal->file_dirty[i] == DIRTY_LAST)
			set_length(file_of(journal, (uint32_t)i), !valid,
				get_length(file_of(journal, (uint32_t)i), valid));
		journal->file_dirty[i] = journal->file_dirty[i] & DIRTY_NOW ? DIRTY_LAST : 0;
	}
	step();
}

uint64_t journal_make_valid(struct journal *journal)
{
	struct journal_layout *map = journal->map;
	uint64_t number = journal_layout_commit(map);

	/* The one store that counts; pairs with the acquire in journal_layout_commit of this and of other processes. */
	atomic_store_explicit(&map->header.commit, number + 1, memory_order_release);
	step(); /* the set that was valid until now is written by the next commit, not before this one */
	return number + 1;
}

uint64_t journal_commit(struct journal *journal)
{
	journal_complete(journal);
	return journal_make_valid(journal);
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

/* --- crashes ------------------------------------------------------------------------------------------------------ */

void journal_set_reading(struct journal *journal, uint32_t stream, uint64_t position)
{
	atomic_store_explicit(&journal->map->header.reading_position, position, memory_order_relaxed);
	atomic_store_explicit(&journal->map->header.reading_stream, stream, memory_order_relaxed);
	atomic_signal_fence(memory_order_seq_cst); /* before the record is touched: the crash may come there */
}

uint32_t journal_count_crash(struct journal *journal, uint32_t *ret_stream, uint64_t *ret_position)
{
	struct journal_header *header = &journal->map->header;
	uint32_t stream = atomic_load_explicit(&header->reading_stream, memory_order_relaxed);
	uint64_t position = atomic_load_explicit(&header->reading_position, memory_order_relaxed);

	if (stream >= journal->streams_max)
		return 0;
	if (header->crash_stream != stream || header->crash_position != position) {
		header->crash_stream = stream;
		header->crash_position = position;
		header->crash_count = 0;
	}
	header->crash_count++;
	atomic_store_explicit(&header->reading_stream, JOURNAL_NONE, memory_order_relaxed);
	*ret_stream = stream;
	*ret_position = position;
	return header->crash_count;
}

/* --- losses ------------------------------------------------------------------------------------------------------- */

void journal_add_loss(struct journal *journal, const struct journal_loss *loss)
{
	struct journal_header *header = &journal->map->header;

	atomic_fetch_add_explicit(&header->lost_files, loss->files, memory_order_relaxed);
	atomic_fetch_add_explicit(&header->lost_bytes, loss->bytes, memory_order_relaxed);
	atomic_fetch_add_explicit(&header->lost_rows, loss->rows, memory_order_relaxed);
}
