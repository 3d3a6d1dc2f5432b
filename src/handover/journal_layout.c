/* journal_layout.c: what can be said of the bytes of a journal. Any process. */
#include "handover/journal_layout.h"

#include <errno.h>
#include <string.h>

struct journal_stream_state journal_layout_load(const _Atomic uint64_t *values)
{
	struct journal_stream_state state;
	uint64_t plain[STATE_VALUES];

	for (size_t i = 0; i < STATE_VALUES; i++)
		plain[i] = atomic_load_explicit(&values[i], memory_order_relaxed);
	memcpy(&state, plain, sizeof(state));
	return state;
}

int journal_layout_damaged(const char *path, const char *what, struct enrg_error *err)
{
	return enrg_error_set(err, ENRG_E_CORRUPT,
		"journal %s: %s: it was damaged or is of another version; move it away "
		"and start again: the store then continues where its streams were acknowledged last, and batches "
		"written "
		"but "
		"not acknowledged by then may come twice",
		path, what);
}

int journal_layout_check(const struct journal_header *header, uint64_t file_bytes, const char *path,
	uint32_t *ret_streams_max, uint32_t *ret_files_max, struct enrg_error *err)
{
	uint32_t streams_max = header->streams_max, files_max = header->files_max; /* once: they are looked at twice */

	if (header->version != JOURNAL_VERSION)
		return journal_layout_damaged(path, "unknown version", err);
	if (streams_max > ENTRIES_MAX || files_max > ENTRIES_MAX || header->file_bytes != file_bytes ||
		journal_layout_bytes(streams_max, files_max) != file_bytes)
		return journal_layout_damaged(path, "counts out of bounds", err);
	*ret_streams_max = streams_max;
	*ret_files_max = files_max;
	return 0;
}

bool journal_layout_is_sound(const struct stream_entry *entry)
{
	return journal_layout_state(&entry->state) <= ENTRY_KNOWN && memchr(entry->source, 0, sizeof(entry->source));
}

int journal_layout_find(
	const struct journal_layout *map, uint32_t streams_max, const uint8_t uuid[16], uint32_t *ret_index)
{
	for (uint32_t i = 0; i < streams_max; i++) {
		const struct stream_entry *entry = &map->streams[i];
		uint32_t state = journal_layout_state(&entry->state);
		if (state > ENTRY_KNOWN)
			return ENRG_E_CORRUPT;
		if (state != ENTRY_FREE && memcmp(entry->uuid, uuid, 16) == 0) {
			*ret_index = i;
			return 0;
		}
	}
	return -ENOENT;
}

void journal_layout_boundary_uuid(const uint8_t uuid[16], uint64_t index, uint8_t ret_uuid[16])
{
	/* Streams draw theirs at random: none is that of another but for a few bits. */
	for (int i = 0; i < 16; i++)
		ret_uuid[i] = uuid[i] ^ 0xB0u;
	ret_uuid[15] ^= (uint8_t)(index % JOURNAL_BOUNDARIES);
}
