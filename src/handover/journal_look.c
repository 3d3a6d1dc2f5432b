/* journal_look.c: a journal from outside: supervisor, ledger, status. Any process, one thread. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/held.h"
#include "handover/journal_layout.h"

/* --- losses ------------------------------------------------------------------------------------------------------- */

/* Read and written, not mapped: a file that somebody cuts short meanwhile is no fault. */
struct journal_loss journal_read_loss(const char *path)
{
	struct journal_loss loss = {0};
	uint64_t magic = 0;
	int descriptor = held_open(path, O_RDONLY);

	static_assert(sizeof(loss) == 3 * sizeof(uint64_t), "read as it lies");
	if (descriptor < 0)
		return loss;
	if (pread(descriptor, &magic, sizeof(magic), 0) != sizeof(magic) || magic != JOURNAL_MAGIC ||
		pread(descriptor, &loss, sizeof(loss), offsetof(struct journal_header, lost_files)) != sizeof(loss))
		loss = (struct journal_loss){0};
	close(descriptor);
	return loss;
}

void journal_clear_loss(const char *path)
{
	static const struct journal_loss none;
	uint64_t magic = 0;
	int descriptor = held_open(path, O_RDWR);

	if (descriptor < 0)
		return;
	if (pread(descriptor, &magic, sizeof(magic), 0) == sizeof(magic) && magic == JOURNAL_MAGIC)
		(void)!pwrite(descriptor, &none, sizeof(none), offsetof(struct journal_header, lost_files));
	close(descriptor);
}

/* Read, not mapped: see journal_read_loss. */
bool journal_names_file(const char *path, const char *file)
{
	struct journal_header header;
	struct file_entry entry;
	bool is_found = false;
	int descriptor = held_open(path, O_RDONLY);

	if (descriptor < 0)
		return false;
	if (pread(descriptor, &header, sizeof(header), 0) != sizeof(header) || header.magic != JOURNAL_MAGIC ||
		header.version != JOURNAL_VERSION || header.streams_max > ENTRIES_MAX || header.files_max > ENTRIES_MAX)
		header.files_max = 0;
	for (uint32_t i = 0; i < header.files_max && !is_found; i++) {
		off_t at = (off_t)journal_layout_bytes(header.streams_max, i);

		if (pread(descriptor, &entry, sizeof(entry), at) != sizeof(entry))
			break;
		is_found = entry.state != ENTRY_FREE && strncmp(entry.path, file, sizeof(entry.path)) == 0;
	}
	close(descriptor);
	return is_found;
}

/* --- what has become of it ---------------------------------------------------------------------------------------- */

/* 0: none, it is no journal, or has never grown. Read, not mapped: see journal_read_loss. */
static uint64_t read_identity(int descriptor, off_t *ret_bytes)
{
	uint64_t magic = 0, identity = 0;
	struct stat status;

	if (fstat(descriptor, &status) < 0 || !S_ISREG(status.st_mode) ||
		pread(descriptor, &magic, sizeof(magic), 0) != sizeof(magic) || magic != JOURNAL_MAGIC ||
		pread(descriptor, &identity, sizeof(identity), offsetof(struct journal_header, identity)) !=
			sizeof(identity))
		return 0;
	*ret_bytes = status.st_size;
	return identity;
}

int journal_open_grown(const char *path, int outgrown)
{
	off_t bytes, grown_bytes;
	uint64_t identity = read_identity(outgrown, &bytes);
	int descriptor = identity ? held_open(path, O_RDWR) : -1;

	if (descriptor < 0)
		return -ENOENT;
	if (read_identity(descriptor, &grown_bytes) == identity && grown_bytes > bytes)
		return descriptor;
	close(descriptor);
	return -ENOENT;
}

static int read_consistent(const struct journal_layout *map, uint32_t streams_max, const uint8_t uuid[16],
	struct journal_stream_state *ret_state)
{
	/* A commit takes microseconds of work: a thousand in a row that meet this is not a store but a vandal. */
	for (int attempt = 0; attempt < 1000; attempt++) {
		uint64_t number = journal_layout_commit(map);
		uint32_t index;
		int rc = journal_layout_find(map, streams_max, uuid, &index);
		if (rc < 0)
			return rc;
		if (!journal_layout_is_sound(&map->streams[index]))
			return ENRG_E_CORRUPT;
		struct journal_stream_state state = journal_layout_load(map->streams[index].values[number & 1]);
		/* The set was valid all the while unless a commit came: then the next may be overwriting it. */
		atomic_thread_fence(memory_order_acquire);
		if (journal_layout_commit(map) == number) {
			*ret_state = state;
			return 0;
		}
	}
	return -EAGAIN;
}

/* A look from outside at a file that its owner may cut short at any moment: see fault.h. */
struct look {
	const struct journal_layout *map;
	uint64_t file_bytes;
	const char *path;
	const uint8_t *uuid;
	struct journal_stream_state *state;
	struct enrg_error *err;
};

static int read_mapped(void *context)
{
	const struct look *look = context;
	const struct journal_layout *map = look->map;
	const char *path = look->path;
	struct enrg_error *err = look->err;
	uint32_t streams_max, files_max;
	int code;

	uint64_t magic = atomic_load_explicit(&map->header.magic, memory_order_acquire);
	if (magic == 0)
		code = enrg_error_set(err, -ENOENT, "journal %s: not made yet", path);
	else if (magic != JOURNAL_MAGIC)
		code = journal_layout_damaged(path, "not a journal", err);
	else
		code = journal_layout_check(&map->header, look->file_bytes, path, &streams_max, &files_max, err);
	if (code == 0) {
		code = read_consistent(map, streams_max, look->uuid, look->state);
		if (code == ENRG_E_CORRUPT)
			journal_layout_damaged(path, "a stream's entry makes no sense", err);
		else if (code < 0)
			enrg_error_set(err, code, "journal %s: %s", path,
				code == -ENOENT ? "does not know this stream" : "changes too fast to be read");
	}
	return code;
}

int journal_read_stream(
	const char *path, const uint8_t uuid[16], struct journal_stream_state *ret_state, struct enrg_error *err)
{
	struct stat status;
	int code;
	/* O_NONBLOCK: a FIFO in the place of the file must not hold the supervisor. */
	int descriptor = held_open(path, O_RDONLY);

	if (descriptor < 0)
		return enrg_error_set(err, -errno, "journal %s: %s", path, strerror(errno));
	if (fstat(descriptor, &status) < 0 || status.st_size < (off_t)sizeof(struct journal_layout)) {
		code = status.st_size == 0 ? enrg_error_set(err, -ENOENT, "journal %s: not made yet", path)
					   : journal_layout_damaged(path, "wrong length", err);
		close(descriptor);
		return code;
	}
	size_t bytes = (size_t)status.st_size;
	const struct journal_layout *map = mmap(NULL, bytes, PROT_READ, MAP_SHARED, descriptor, 0);
	close(descriptor);
	if (map == MAP_FAILED)
		return enrg_error_set(err, -errno, "journal %s: can't map: %s", path, strerror(errno));
	struct look look = {
		.map = map, .file_bytes = bytes, .path = path, .uuid = uuid, .state = ret_state, .err = err};
	code = fault_guard(read_mapped, &look);
	if (code == -EFAULT)
		code = journal_layout_damaged(path, "cut short while it was read", err);
	munmap((void *)(uintptr_t)map, bytes);
	return code;
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
