/* verify_sequences.c: which batches of each table are there, twice, or missing. */
#include "arrow/verify_state.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void format_table(const struct verify_table *table, char *ret_text, size_t text_bytes)
{
	snprintf(ret_text, text_bytes, "source \"%s\", run \"%s\"%s%s%s", table->source, table->run,
		table->tag[0] ? ", tag \"" : "", table->tag, table->tag[0] ? "\"" : "");
}

/* A damaged schema may have been any. */
static bool table_is(const struct verify_table *table, const struct ipc_message *message, uint32_t schema_id)
{
	return (table->schema_id == schema_id || !table->schema_id || !schema_id) &&
	       !strcmp(table->source, message->source) && !strcmp(table->run, message->run) &&
	       !strcmp(table->tag, message->tag);
}

static int add_table(struct verifier *verifier, const struct ipc_message *message, struct enrg_error *err)
{
	bool is_new_source = true;

	if (verifier->table_count == verifier->table_capacity) {
		size_t capacity = verifier->table_capacity ? 2 * verifier->table_capacity : 8;
		struct verify_table *grown = realloc(verifier->tables, capacity * sizeof(*grown));
		if (!grown)
			return enrg_error_set(err, -ENOMEM, "no memory for %zu tables", capacity);
		verifier->tables = grown;
		verifier->table_capacity = capacity;
	}
	for (size_t i = 0; i < verifier->table_count; i++)
		if (!strcmp(verifier->tables[i].source, message->source))
			is_new_source = false;
	verifier->report.sources += is_new_source;
	struct verify_table *table = &verifier->tables[verifier->table_count++];
	*table = (struct verify_table){0};
	strcpy(table->source, message->source);
	strcpy(table->run, message->run);
	strcpy(table->tag, message->tag);
	return 0;
}

static int find_table(struct verifier *verifier, const struct ipc_message *message, struct verify_table **ret_table,
	struct enrg_error *err)
{
	/* Nearly always the table of the batch before. */
	if (verifier->last_table < verifier->table_count &&
		table_is(&verifier->tables[verifier->last_table], message, verifier->schema_id)) {
		*ret_table = &verifier->tables[verifier->last_table];
		return 0;
	}
	size_t index = 0;
	while (index < verifier->table_count && !table_is(&verifier->tables[index], message, verifier->schema_id))
		index++;
	int rc = index == verifier->table_count ? add_table(verifier, message, err) : 0;
	if (rc < 0)
		return rc;
	verifier->last_table = index;
	*ret_table = &verifier->tables[index];
	return 0;
}

int verify_note_sequence(
	struct verifier *verifier, const struct ipc_message *message, bool *ret_is_duplicate, struct enrg_error *err)
{
	uint64_t first = message->stamp.sequence, last = message->stamp.sequence_last, duplicates;
	struct verify_table *table;
	char name[800];

	int rc = find_table(verifier, message, &table, err);
	if (rc < 0)
		return rc;
	rc = sequence_set_add_range(&table->seen, first, last, &duplicates);
	if (rc < 0)
		return enrg_error_set(err, rc, "no memory for the sequences of source \"%s\"", table->source);
	if (!table->schema_id)
		table->schema_id = verifier->schema_id;
	*ret_is_duplicate = duplicates > last - first;
	verifier->report.duplicated += duplicates;
	if (duplicates)
		format_table(table, name, sizeof(name));
	if (duplicates && first == last)
		verify_tell(verifier, VERIFY_DUPLICATE,
			"%s: batch %" PRIu64 " is there a second time, at byte %" PRIu64, name, first,
			verifier->offset);
	else if (duplicates)
		verify_tell(verifier, VERIFY_DUPLICATE,
			"%s: %" PRIu64 " of the batches %" PRIu64 " to %" PRIu64
			" are there a second time, at byte %" PRIu64,
			name, duplicates, first, last, verifier->offset);
	return 0;
}

void verify_tell_missing(struct verifier *verifier)
{
	char name[800];

	for (size_t i = 0; i < verifier->table_count; i++) {
		const struct verify_table *table = &verifier->tables[i];
		format_table(table, name, sizeof(name));
		for (size_t k = 0; k < table->seen.hole_count; k++) {
			const struct sequence_range *hole = &table->seen.holes[k];
			verifier->report.missing += hole->last - hole->first + 1;
			if (hole->first == hole->last)
				verify_tell(verifier, VERIFY_MISSING, "%s: batch %" PRIu64 " is missing", name,
					hole->first);
			else
				verify_tell(verifier, VERIFY_MISSING,
					"%s: batches %" PRIu64 " to %" PRIu64 " are missing", name, hole->first,
					hole->last);
		}
	}
}
