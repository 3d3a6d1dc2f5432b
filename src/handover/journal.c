/* journal.c: what a store has committed, in one file on tmpfs. Its layout, and how a commit works: journal_layout.h.
 * Store process, main thread. */
#include "handover/journal_state.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

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
			int rc = journal_grow(journal, 2 * journal->streams_max + 1, journal->files_max, err);
			if (rc < 0)
				return enrg_error_add(err, rc, "stream of %s", source);
			index = choose_stream(journal);
		}
		struct stream_entry *entry = &journal->map->streams[index];
		journal_set_state(&entry->state, ENTRY_FREE);
		journal_step();
		memset((char *)entry + sizeof(entry->state), 0, sizeof(*entry) - sizeof(entry->state));
		entry->added_at = journal_layout_commit(journal->map);
		memcpy(entry->uuid, uuid, 16);
		strncpy(entry->source, source, sizeof(entry->source) - 1);
		journal_set_state(&entry->state, ENTRY_KNOWN);
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
		uint32_t state = journal_layout_state(&journal_file_of(journal, i)->state);
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
		struct file_entry *entry = journal_file_of(journal, i);
		uint32_t state = journal_layout_state(&entry->state);
		if (state == ENTRY_FREE || strcmp(entry->path, path) != 0)
			continue;
		*ret_index = i;
		*ret_known = state == ENTRY_KNOWN;
		*ret_length = journal_get_length(entry, journal_layout_commit(journal->map) & 1);
		use_file(journal, i);
		return 0;
	}
	uint32_t vacant = choose_file(journal);
	if (vacant == JOURNAL_NONE) {
		int rc = journal_grow(journal, journal->streams_max, 2 * journal->files_max + 1, err);
		if (rc < 0)
			return enrg_error_add(err, rc, "%s", path);
		vacant = choose_file(journal);
	}
	struct file_entry *entry = journal_file_of(journal, vacant);
	journal_set_state(&entry->state, ENTRY_FREE);
	journal_step();
	memset((char *)entry + sizeof(entry->state), 0, sizeof(*entry) - sizeof(entry->state));
	memcpy(entry->path, path, bytes);
	journal_set_state(&entry->state, ENTRY_ADDED);
	journal->file_dirty[vacant] = 0;
	use_file(journal, vacant);
	*ret_index = vacant;
	*ret_known = false;
	*ret_length = 0;
	return 0;
}

void journal_reset_file(struct journal *journal, uint32_t index, uint64_t length)
{
	struct file_entry *entry = journal_file_of(journal, index);

	/* Each is one store: a kill between them leaves the valid set with the old or the new length. */
	journal_set_length(entry, 0, length);
	journal_set_length(entry, 1, length);
	journal->file_dirty[index] = 0;
	journal_set_state(&entry->state, ENTRY_KNOWN);
	journal_step();
}

void journal_forget_file(struct journal *journal, uint32_t index)
{
	journal_set_state(&journal_file_of(journal, index)->state, ENTRY_FREE);
	journal_step();
	journal->file_dirty[index] = 0;
	journal->file_used[index] = false;
}

bool journal_next_file(const struct journal *journal, uint32_t *index, const char **ret_path, uint64_t *ret_length)
{
	for (; *index < journal->files_max; (*index)++) {
		const struct file_entry *entry = journal_file_of(journal, *index);
		if (journal_layout_state(&entry->state) != ENTRY_KNOWN)
			continue;
		*ret_path = entry->path;
		*ret_length = journal_get_length(entry, journal_layout_commit(journal->map) & 1);
		return true;
	}
	return false;
}

const char *journal_file_path(const struct journal *journal, uint32_t index)
{
	if (index >= journal->files_max)
		return NULL;
	const struct file_entry *entry = journal_file_of(journal, index);

	return journal_layout_state(&entry->state) == ENTRY_KNOWN ? entry->path : NULL;
}

const char *journal_first_file(const struct journal *journal)
{
	const char *known = NULL;

	for (uint32_t i = 0; i < journal->files_max; i++) {
		const struct file_entry *entry = journal_file_of(journal, i);
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
	journal_set_length(journal_file_of(journal, index), !(journal_layout_commit(journal->map) & 1), length);
	journal->file_dirty[index] |= DIRTY_NOW;
}

void journal_complete(struct journal *journal)
{
	struct journal_layout *map = journal->map;
	uint64_t valid = journal_layout_commit(map) & 1;

	for (size_t i = 0; i < journal->stream_end; i++) {
		if (journal->stream_dirty[i] == DIRTY_LAST)
			journal_copy_values(map->streams[i].values[!valid], map->streams[i].values[valid]);
		journal->stream_dirty[i] = journal->stream_dirty[i] & DIRTY_NOW ? DIRTY_LAST : 0;
	}
	for (size_t i = 0; i < journal->file_end; i++) {
		if (journal->file_dirty[i] == DIRTY_LAST)
			journal_set_length(journal_file_of(journal, (uint32_t)i), !valid,
				journal_get_length(journal_file_of(journal, (uint32_t)i), valid));
		journal->file_dirty[i] = journal->file_dirty[i] & DIRTY_NOW ? DIRTY_LAST : 0;
	}
	journal_step();
}

uint64_t journal_make_valid(struct journal *journal)
{
	struct journal_layout *map = journal->map;
	uint64_t number = journal_layout_commit(map);

	/* The one store that counts; pairs with the acquire in journal_layout_commit of this and of other processes. */
	atomic_store_explicit(&map->header.commit, number + 1, memory_order_release);
	journal_step(); /* the set that was valid until now is written by the next commit, not before this one */
	return number + 1;
}

uint64_t journal_commit(struct journal *journal)
{
	journal_complete(journal);
	return journal_make_valid(journal);
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
