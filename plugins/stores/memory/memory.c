/* memory.c: DAQJobStoreMemory: keeps the newest table of each tag, or nothing. Runs in the store's job process, on
 * its main thread. Every byte of a batch has been read and checked by the framework before it comes here.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "enrgdaq/store.h"
#include "newest.h"

struct memory_options {
	int64_t dispose_after_n_entries; /* 0 = never */
	bool void_data;
};

struct memory_section {
	char unused; /* a struct needs a member */
};

struct memory {
	struct enrg_store *store;
	const struct memory_options *options;
	struct newest newest;
	uint64_t batches, rows, gaps;
};

static const struct enrg_option memory_option_list[] = {
	{.key = "dispose_after_n_entries",
		.kind = ENRG_OPTION_INT,
		.offset = offsetof(struct memory_options, dispose_after_n_entries),
		.min = 1,
		.max = 9e15,
		.help = "Throws away all that is kept after so many tables; absent = never."},
	{.key = "void_data",
		.kind = ENRG_OPTION_BOOL,
		.offset = offsetof(struct memory_options, void_data),
		.default_value = "false",
		.help = "Keeps nothing: batches are checked, counted and forgotten."},
	{.key = NULL},
};

static const struct enrg_option memory_section_list[] = {
	{.key = NULL},
};

static int memory_open(struct enrg_store *store, const void *options, void **ret_state, struct enrg_error *err)
{
	struct memory *memory = calloc(1, sizeof(*memory));

	if (!memory)
		return enrg_error_set(err, -ENOMEM, "out of memory");
	memory->store = store;
	memory->options = options;
	newest_init(&memory->newest, (uint64_t)memory->options->dispose_after_n_entries);
	*ret_state = memory;
	return 0;
}

static int memory_target_open(void *state, const struct enrg_target *target, void **ret_target, struct enrg_error *err)
{
	struct memory *memory = state;
	struct newest_entry *entry;
	int rc = newest_add(&memory->newest, target->tag, &entry, err);

	if (rc < 0)
		return rc;
	*ret_target = entry;
	return 0;
}

static int memory_write(void *state, void *target, const struct enrg_batch *batch, struct enrg_error *err)
{
	struct memory *memory = state;

	if (batch->is_gap) {
		memory->gaps++;
		return 0;
	}
	memory->batches++;
	memory->rows += batch->rows;
	if (memory->options->void_data)
		return 0;
	return newest_put(&memory->newest, target,
		&(struct newest_table){batch->ipc, batch->ipc_bytes, batch->rows, batch->sequence}, err);
}

static int memory_target_close(void *state, void *target, bool abandon, struct enrg_error *err)
{
	(void)state;
	(void)target;
	(void)abandon;
	(void)err;
	return 0; /* the entry is it's: another source may use the same tag */
}

static int memory_close(void *state, bool abandon, struct enrg_error *err)
{
	struct memory *memory = state;

	(void)err;
	if (!memory)
		return 0;
	if (!abandon)
		enrg_store_log(memory->store, ENRG_INFO,
			"took %" PRIu64 " batches with %" PRIu64 " rows, kept the newest of %" PRIu64 " tags",
			memory->batches, memory->rows, memory->newest.kept);
	newest_fini(&memory->newest);
	free(memory);
	return 0;
}

static const struct enrg_store_type memory_store = {
	.size = sizeof(struct enrg_store_type),
	.name = "DAQJobStoreMemory",
	.section = "memory",
	.summary = "Keeps the newest table of each tag in memory, or checks and forgets them all.",
	.starts_by_default = true,
	.options = {.size = sizeof(struct memory_options), .options = memory_option_list},
	.section_options = {.size = sizeof(struct memory_section), .options = memory_section_list},
	.open = memory_open,
	.target_open = memory_target_open,
	.write = memory_write,
	.target_close = memory_target_close,
	.close = memory_close,
	.spans_runs = true,
};

static const struct enrg_store_type *const memory_stores[] = {&memory_store, NULL};

ENRG_MODULE = {ENRG_MODULE_HEAD, .name = "memory", .stores = memory_stores};
