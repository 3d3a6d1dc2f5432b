/* newest.c: one growing buffer a tag, used again and again. Runs in the store's job process, on its main thread. */
#include "newest.h"

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

void newest_init(struct newest *newest, uint64_t dispose_after)
{
	*newest = (struct newest){.dispose_after = dispose_after};
}

static void dispose_all(struct newest *newest)
{
	for (struct newest_entry *entry = newest->entries; entry; entry = entry->next) {
		free(entry->bytes);
		entry->bytes = NULL;
		entry->byte_count = entry->capacity = entry->rows = 0;
	}
	newest->kept = 0;
	newest->puts = 0;
}

void newest_fini(struct newest *newest)
{
	dispose_all(newest);
	while (newest->entries) {
		struct newest_entry *entry = newest->entries;

		newest->entries = entry->next;
		free(entry->tag);
		free(entry);
	}
}

int newest_add(struct newest *newest, const char *tag, struct newest_entry **ret_entry, struct enrg_error *err)
{
	struct newest_entry *entry;

	for (entry = newest->entries; entry; entry = entry->next) {
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
	entry->next = newest->entries;
	newest->entries = entry;
	*ret_entry = entry;
	return 0;
}

static int grow(struct newest_entry *entry, uint64_t byte_count, struct enrg_error *err)
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

int newest_put(
	struct newest *newest, struct newest_entry *entry, const struct newest_table *table, struct enrg_error *err)
{
	bool was_empty;

	if (newest->dispose_after > 0 && newest->puts >= newest->dispose_after) {
		dispose_all(newest);
		newest->disposals++;
	}
	was_empty = !entry->bytes;
	if (table->byte_count > entry->capacity || was_empty) {
		int rc = grow(entry, table->byte_count ? table->byte_count : 1, err);

		if (rc < 0)
			return rc;
	}
	memcpy(entry->bytes, table->bytes, table->byte_count);
	entry->byte_count = table->byte_count;
	entry->rows = table->rows;
	entry->sequence = table->sequence;
	newest->kept += was_empty;
	newest->puts++;
	return 0;
}
