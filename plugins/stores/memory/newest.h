/* newest.h: the newest table of each tag, as a private copy of its Arrow message. One thread. */
#ifndef MEMORY_NEWEST_H
#define MEMORY_NEWEST_H

#include <stddef.h>
#include <stdint.h>

#include "enrgdaq/error.h"

struct newest_entry {
	char *tag;
	void *bytes; /* NULL: nothing is kept */
	uint64_t byte_count, capacity;
	uint64_t rows, sequence;
	struct newest_entry *next;
};

struct newest {
	struct newest_entry *entries;
	uint64_t kept; /* entries that hold a table */
	uint64_t puts; /* since the last disposal */
	uint64_t disposals;
	uint64_t dispose_after; /* 0 = never */
};

void newest_init(struct newest *newest, uint64_t dispose_after);
void newest_fini(struct newest *newest);

/* Finds or makes the entry of a tag; it lives as long as it. */
int newest_add(struct newest *newest, const char *tag, struct newest_entry **ret_entry, struct enrg_error *err);

/* Copies a table over the older one of its entry. At the `dispose_after`-th table all are thrown away first. */
struct newest_table {
	const void *bytes;
	uint64_t byte_count, rows, sequence;
};
int newest_put(
	struct newest *newest, struct newest_entry *entry, const struct newest_table *table, struct enrg_error *err);

#endif
