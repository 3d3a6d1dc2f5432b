/* losses.c: what is gone beside the counts of the ledger. Process: supervisor, main thread. */
#include "supervisor/losses.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

void losses_fini(struct losses *losses)
{
	free(losses->items);
	*losses = (struct losses){0};
}

const struct loss *losses_find(const struct losses *losses, enum loss_kind kind, const char *name)
{
	for (uint32_t i = 0; i < losses->count; i++)
		if (losses->items[i].kind == kind && (!name || !strcmp(losses->items[i].name, name)))
			return &losses->items[i];
	return NULL;
}

void losses_set(struct losses *losses, const struct loss *loss)
{
	struct loss *place = (struct loss *)(uintptr_t)losses_find(losses, loss->kind, loss->name);

	if (!place) {
		struct loss *items = realloc(losses->items, (losses->count + 1) * sizeof(*items));

		if (items) {
			losses->items = items;
			losses->count++;
		}
		if (!losses->count)
			return;
		place = &losses->items[losses->count - 1];
	}
	*place = *loss;
}

uint64_t losses_sum(const struct losses *losses)
{
	uint64_t sum = losses->count;

	for (uint32_t i = 0; i < losses->count; i++)
		sum += losses->items[i].files + losses->items[i].batches + losses->items[i].rows +
		       losses->items[i].bytes;
	return sum;
}

json_t *losses_format(const struct losses *losses)
{
	static const char *const kinds[] = {"files", "stream", "runtime folder"};
	json_t *array = json_array();

	for (uint32_t i = 0; i < losses->count; i++) {
		const struct loss *loss = &losses->items[i];

		json_array_append_new(
			array, json_pack("{s:s, s:s, s:I, s:I, s:I, s:I}", "kind", kinds[loss->kind], "of", loss->name,
				       "files", (json_int_t)loss->files, "batches", (json_int_t)loss->batches, "rows",
				       (json_int_t)loss->rows, "bytes", (json_int_t)loss->bytes));
	}
	return array;
}

static void print_loss(const struct loss *loss, FILE *stream)
{
	switch (loss->kind) {
	case LOSS_FILES:
		fprintf(stream,
			"%" PRIu64 " of its files were removed, moved, replaced or cut while it wrote to them; of what "
			"had been stored %" PRIu64 " bytes are gone",
			loss->files, loss->bytes);
		if (loss->rows)
			fprintf(stream, ", at least %" PRIu64 " rows", loss->rows);
		fprintf(stream, "; the alerts above name them");
		return;
	case LOSS_STREAM:
		fprintf(stream, "its stream was found damaged, and what waited in it is gone");
		if (loss->batches || loss->bytes)
			fprintf(stream, ": %" PRIu64 " batches, %.2f MB, as last known", loss->batches,
				(double)loss->bytes / 1e6);
		else
			fprintf(stream, "; how much is not known");
		return;
	case LOSS_RUNTIME:
		fprintf(stream,
			"removed, replaced or cut while the run was on (%" PRIu64
			" times); the alerts above say what it means",
			loss->files);
		return;
	}
}

void losses_print(const struct losses *losses, bool is_colored, FILE *stream)
{
	for (uint32_t i = 0; i < losses->count; i++) {
		fprintf(stream, "  %s%s%s: ", is_colored ? "\033[1;31m" : "", losses->items[i].name,
			is_colored ? "\033[0m" : "");
		print_loss(&losses->items[i], stream);
		fputc('\n', stream);
	}
}
