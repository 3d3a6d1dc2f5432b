/* journal_look.c: what a journal says of its files and losses, from outside. Any process, one thread. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

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
int journal_read_number(const char *path, uint64_t *ret_number)
{
	struct journal_header header;
	int descriptor = held_open(path, O_RDONLY);
	bool is_read;

	if (descriptor < 0)
		return -ENOENT;
	is_read = pread(descriptor, &header, sizeof(header), 0) == sizeof(header) && header.magic == JOURNAL_MAGIC &&
		  header.version == JOURNAL_VERSION;
	close(descriptor);
	if (is_read)
		*ret_number = header.commit;
	return is_read ? 0 : -ENOENT;
}

static bool is_ours(const struct journal_header *header)
{
	return header->magic == JOURNAL_MAGIC && header->version == JOURNAL_VERSION &&
	       header->streams_max <= ENTRIES_MAX && header->files_max <= ENTRIES_MAX;
}

/* Read, not mapped: see journal_read_loss. */
int journal_names_file(const char *path, const char *file)
{
	struct journal_header header;
	struct file_entry entry;
	int descriptor = held_open(path, O_RDONLY), rc = 0;

	if (descriptor < 0)
		return errno == ENOENT ? 0 : -errno;
	if (pread(descriptor, &header, sizeof(header), 0) != sizeof(header) || !is_ours(&header))
		rc = ENRG_E_CORRUPT;
	for (uint32_t i = 0; rc == 0 && i < header.files_max; i++) {
		off_t at = (off_t)journal_layout_bytes(header.streams_max, i);

		if (pread(descriptor, &entry, sizeof(entry), at) != sizeof(entry))
			rc = ENRG_E_CORRUPT;
		else
			rc = entry.state != ENTRY_FREE && strncmp(entry.path, file, sizeof(entry.path)) == 0;
	}
	close(descriptor);
	return rc;
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
