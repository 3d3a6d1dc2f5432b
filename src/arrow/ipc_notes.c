/* ipc_notes.c: notes of a schema as custom metadata of Arrow: those of a column beside its unit, those of the table
 * beside ENRGDAQ's own keys. At the opening of outputs and files. */
#include "arrow/ipc_layout.h"

#include "arrow/notes.h"

void ipc_keys_add(struct ipc_keys *keys, const char *key, const char *value)
{
	keys->items[keys->count++] = (struct ipc_key_value){key, value};
}

void ipc_keys_add_notes(struct ipc_keys *keys, const struct enrg_schema *schema, const char *column)
{
	for (uint32_t i = 0; i < schema->note_count; i++) {
		const struct enrg_note *note = &schema->notes[i];
		if (column ? note->column && !strcmp(note->column, column) : !note->column)
			ipc_keys_add(keys, note->key, note->value);
	}
}

/* NUL inside a text: others may write such, a note has none. */
static const char *read_text(struct fb_reader *reader, const struct fb_table *entry, uint32_t index)
{
	uint32_t count = 0;
	const char *text = fb_read_characters(reader, entry, index, &count);

	return text && !memchr(text, '\0', count) ? text : NULL;
}

void ipc_read_notes(struct fb_reader *reader, const struct fb_table *table, uint32_t index, const char *column,
	struct ipc_notes *notes)
{
	uint32_t first = notes->count;
	struct fb_vector entries;

	if (!fb_read_vector(reader, table, index, 4, &entries))
		return;
	for (uint32_t i = 0; i < entries.count && !reader->is_bad && notes->count < ENRG_NOTES_MAX; i++) {
		struct fb_table entry;
		if (!fb_read_element(reader, &entries, i, &entry))
			continue;
		const char *key = read_text(reader, &entry, KEY_VALUE_KEY);
		const char *value = read_text(reader, &entry, KEY_VALUE_VALUE);
		bool is_new = key && value && notes_can_say(column != NULL, key, value);
		for (uint32_t k = first; k < notes->count && is_new; k++)
			is_new = strcmp(notes->items[k].key, key) != 0;
		if (is_new)
			notes->items[notes->count++] = (struct enrg_note){column, key, value};
	}
}
