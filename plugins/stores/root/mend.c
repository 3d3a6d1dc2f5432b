/* mend.c: brings a file that an earlier life left to its last committed state (container_mend). Store process, main
 * thread.
 *
 * Two things can have happened. The machine lost power after a commit, and the disk has what was synced, but not the
 * first sector that was switched then: the file's last record, the note, says what the first sector is to be. (After a
 * kill at that place the framework makes the switch up.) Or somebody cut the file (a copy that was not finished): then
 * the last note that is left says it, as long as the places of that state were not written again.
 */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <xxhash.h>

#include "container.h"
#include "layout.h"

#define SCAN_BYTES       (1u << 20)
#define MEND_COMMITS_MAX (EXTENT_AGE_COMMITS - 1) /* places freed longer ago may have been written again */

struct sector {
	uint8_t bytes[SECTOR_BYTES];
	size_t count;
	uint64_t end, commit;
	size_t directory; /* where its numbers begin */
};

struct note {
	uint64_t commit, end, list;
	uint32_t list_bytes;
	uint8_t free[HEAD_NAME_BYTES_AT - HEAD_FREE_AT]; /* as the head has it */
};

static uint32_t get_be32(const uint8_t *at)
{
	return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

static bool is_ours(struct sector *sector)
{
	const uint8_t *bytes = sector->bytes;

	if (sector->count < BEGIN + DIRECTORY_BYTES || memcmp(bytes, "root", 4) != 0 || get_be32(bytes + 4) < BIG)
		return false;
	size_t name_at = BEGIN + KEY_NUMBER_BYTES + 6; /* behind "TFile" */
	size_t title_at = name_at + 1 + bytes[name_at];
	sector->directory = BEGIN + get_be32(bytes + HEAD_NAME_BYTES_AT);
	if (title_at + sizeof(TITLE) > sector->count || sector->directory + DIRECTORY_BYTES > sector->count)
		return false;
	sector->end = bytes_get_be64(bytes + HEAD_END_AT);
	sector->commit = bytes_get_be64(bytes + COMMIT_AT);
	return bytes[title_at] == sizeof(TITLE) - 1 && memcmp(bytes + title_at + 1, TITLE, sizeof(TITLE) - 1) == 0;
}

/* `at`: its payload, of which `end` says where the file is to end. */
static bool parse_note(const uint8_t *at, uint64_t end, struct note *ret_note)
{
	if (bytes_get_be64(at) != NOTE_MAGIC || bytes_get_be64(at + NOTE_SUM_AT) != XXH64(at, NOTE_SUM_AT, 0))
		return false;
	*ret_note = (struct note){bytes_get_be64(at + NOTE_COMMIT_AT), bytes_get_be64(at + NOTE_END_AT),
		bytes_get_be64(at + NOTE_LIST_AT), get_be32(at + NOTE_LIST_BYTES_AT), {0}};
	memcpy(ret_note->free, at + NOTE_FREE_AT, sizeof(ret_note->free));
	return ret_note->end == end;
}

static bool read_last_note(int descriptor, uint64_t size, struct note *ret_note)
{
	uint8_t payload[NOTE_PAYLOAD_BYTES];

	return size >= NOTE_BYTES &&
	       pread(descriptor, payload, sizeof(payload), (off_t)(size - sizeof(payload))) ==
		       (ssize_t)sizeof(payload) &&
	       parse_note(payload, size, ret_note);
}

/* The last whole note in the file, from its end on. */
static bool scan_for_note(int descriptor, uint64_t size, struct note *ret_note)
{
	uint8_t *piece = malloc(SCAN_BYTES);
	uint64_t end = size;
	bool is_found = false;

	while (piece && !is_found && end > NOTE_PAYLOAD_BYTES) {
		uint64_t start = end > SCAN_BYTES ? end - SCAN_BYTES : 0;
		ssize_t count = pread(descriptor, piece, (size_t)(end - start), (off_t)start);
		if (count < (ssize_t)NOTE_PAYLOAD_BYTES)
			break;
		for (size_t at = (size_t)count - NOTE_PAYLOAD_BYTES + 1; at > 0 && !is_found; at--)
			is_found = parse_note(piece + at - 1, start + at - 1 + NOTE_PAYLOAD_BYTES, ret_note);
		if (start == 0)
			break;
		end = start + NOTE_PAYLOAD_BYTES - 1;
	}
	free(piece);
	return is_found;
}

static int switch_to(struct enrg_file *file, struct sector *sector, const struct note *note, struct enrg_error *err)
{
	uint8_t *bytes = sector->bytes;

	bytes_set_be64(bytes + HEAD_END_AT, note->end);
	memcpy(bytes + HEAD_FREE_AT, note->free, sizeof(note->free));
	bytes_set_be64(bytes + COMMIT_AT, note->commit);
	bytes_set_be32(bytes + sector->directory + DIRECTORY_LIST_BYTES_AT, note->list_bytes);
	bytes_set_be64(bytes + sector->directory + DIRECTORY_LIST_AT, note->list);
	return enrg_file_write_at(file, 0, bytes, sector->directory + DIRECTORY_BYTES, err);
}

int container_mend(struct enrg_file *file, enum container_content *ret_content, struct enrg_error *err)
{
	int descriptor = enrg_file_descriptor(file), rc = 0;
	uint64_t size = enrg_file_size(file);
	struct sector sector = {0};
	struct note note;

	*ret_content = size == 0 ? CONTAINER_EMPTY : CONTAINER_FOREIGN;
	ssize_t count = pread(descriptor, sector.bytes, sizeof(sector.bytes), 0);
	if (count < 0)
		return enrg_error_set(err, -errno, "%s: can't read", enrg_file_name_of(file));
	sector.count = (size_t)count;
	if (size == 0 || !is_ours(&sector))
		return 0;
	*ret_content = CONTAINER_WHOLE;
	if (size == sector.end)
		return 0;
	if (size > sector.end) {
		/* What was not committed, the framework has cut off; where the journal is gone, so are the rings. */
		if (!read_last_note(descriptor, size, &note) || note.commit <= sector.commit)
			return 0;
	} else {
		*ret_content = CONTAINER_BROKEN;
		if (!scan_for_note(descriptor, size, &note) || note.commit > sector.commit ||
			sector.commit - note.commit > MEND_COMMITS_MAX)
			return 0;
		rc = enrg_file_truncate(file, note.end, err);
	}
	if (rc == 0)
		rc = switch_to(file, &sector, &note, err);
	*ret_content = CONTAINER_MENDED;
	return rc;
}
