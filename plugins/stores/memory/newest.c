/* newest.c: one growing buffer a tag, used again and again. Runs in the store's job process, on its main thread. */
#include "newest.h"

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

void shelf_init(struct shelf *shelf, uint64_t dispose_after)
{
	*shelf = (struct shelf){ .dispose_after = dispose_after };
}

static void dispose_all(struct shelf *shelf)
{
	for (struct shelf_entry *entry = shelf->entries; entry; entry = entry->next) {
		free(entry->bytes);
		entry->bytes = NULL;
		entry->byte_count = entry->capacity = entry->rows = 0;
	}
	shelf->kept = 0;
	shelf->puts = 0;
}

void shelf_fini(struct shelf *shelf)
{
	dispose_all(shelf);
	while (shelf->entries) {
		struct shelf_entry *entry = shelf->entries;

		shelf->entries = entry->next;
		free(entry->tag);
		free(entry);
	}
}

int shelf_add(struct shelf *shelf, const char *tag, struct shelf_entry **ret_entry, struct enrg_error *err)
{
	struct shelf_entry *entry;

	for (entry = shelf->entries; entry; entry = entry->next) {
		if (strcmp(entry->tag, tag) == 0) {
			*ret_entry = entry;
			return 0;
		}
	}
	entry = calloc(1, sizeof(*entry));
	if (entry)
		entry->tag = strdup(tag);
	if (!entry || !entry->tag) {
		free(entry);
		return enrg_error_set(err, -ENOMEM, "out of memory");
	}
	entry->next = shelf->entries;
	shelf->entries = entry;
	*ret_entry = entry;
	return 0;
}

static int grow(struct shelf_entry *entry, uint64_t byte_count, struct enrg_error *err)
{
	uint64_t capacity = (byte_count + 4095) & ~4095ull;
	void *bytes = malloc(capacity);

	if (!bytes)
		return enrg_error_set(err, -ENOMEM, "out of memory: a table of tag \"%s\" needs %" PRIu64 " bytes",
			entry->tag, capacity);
	free(entry->bytes);
	entry->bytes = bytes;
	entry->capacity = capacity;
	return 0;
}

int shelf_put(struct shelf *shelf, struct shelf_entry *entry, const void *bytes, uint64_t byte_count, uint64_t rows,
	uint64_t sequence, struct enrg_error *err)
{
	bool was_empty;

	if (shelf->dispose_after > 0 && shelf->puts >= shelf->dispose_after) {
		dispose_all(shelf);
		shelf->disposals++;
	}
	was_empty = !entry->bytes;
	if (byte_count > entry->capacity || was_empty) {
		int rc = grow(entry, byte_count ? byte_count : 1, err);

		if (rc < 0)
			return rc;
	}
	memcpy(entry->bytes, bytes, byte_count);
	entry->byte_count = byte_count;
	entry->rows = rows;
	entry->sequence = sequence;
	shelf->kept += was_empty;
	shelf->puts++;
	return 0;
}
