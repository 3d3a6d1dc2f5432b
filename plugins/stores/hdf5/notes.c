/* notes.c: see the header. Runs in the store's job process, on its main thread. */
#include "notes.h"

#include <stdlib.h>
#include <string.h>

#include "growing.h"

#define OBJECT_BYTES_MAX (32u << 10) /* an object's header holds 64 KiB */

static uint32_t find_column(const struct enrg_schema *schema, const char *name)
{
	for (uint32_t i = 0; name && i < schema->column_count; i++)
		if (!strcmp(schema->columns[i].name, name))
			return i;
	return NOTES_OF_TABLE;
}

bool notes_init(struct notes *notes, const struct enrg_schema *schema)
{
	bool is_whole = true;

	*notes = (struct notes){.items = calloc(schema->note_count + 1, sizeof(*notes->items))};
	if (!notes->items)
		return false;
	for (uint32_t i = 0; i < schema->note_count && is_whole; i++) {
		struct note *note = &notes->items[notes->count++];
		note->column = find_column(schema, schema->notes[i].column);
		note->key = strdup(schema->notes[i].key);
		note->value = strdup(schema->notes[i].value);
		is_whole = note->key && note->value;
	}
	return is_whole;
}

void notes_fini(struct notes *notes)
{
	for (uint32_t i = 0; i < notes->count; i++) {
		free(notes->items[i].key);
		free(notes->items[i].value);
	}
	free(notes->items);
	*notes = (struct notes){0};
}

void notes_write(const struct notes *notes, uint32_t column, hid_t object)
{
	size_t bytes = 0;

	for (uint32_t i = 0; i < notes->count; i++) {
		const struct note *note = &notes->items[i];
		if (note->column != column || H5Aexists(object, note->key) != 0)
			continue;
		bytes += strlen(note->key) + strlen(note->value) + 64;
		if (bytes <= OBJECT_BYTES_MAX)
			(void)growing_write_text(object, note->key, note->value);
	}
}
