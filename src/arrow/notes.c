/* notes.c: what is said of a table beside its columns. */
#include "arrow/notes.h"

#include <errno.h>
#include <string.h>

#include "arrow/utf8.h"

static bool begins(const char *text, const char *start)
{
	return strncmp(text, start, strlen(start)) == 0;
}

bool notes_can_say(bool is_of_column, const char *key, const char *value)
{
	size_t key_bytes = key ? strnlen(key, ENRG_NAME_BYTES_MAX + 1) : 0;
	size_t value_bytes = value ? strnlen(value, ENRG_NOTE_BYTES_MAX + 1) : ENRG_NOTE_BYTES_MAX + 1;

	return key_bytes > 0 && key_bytes <= ENRG_NAME_BYTES_MAX && value_bytes <= ENRG_NOTE_BYTES_MAX &&
	       !begins(key, "enrgdaq.") && !begins(key, "ARROW:") && !(is_of_column && !strcmp(key, "unit")) &&
	       utf8_is_valid(key, key_bytes) && utf8_is_valid(value, value_bytes);
}

static bool is_same_place(const char *a, const char *b)
{
	return a && b ? !strcmp(a, b) : a == b;
}

static bool has_column(const struct enrg_schema *schema, const char *name)
{
	for (uint32_t i = 0; i < schema->column_count; i++)
		if (!strcmp(schema->columns[i].name, name))
			return true;
	return false;
}

static int check_note(const struct enrg_schema *schema, const struct enrg_note *note, struct enrg_error *err)
{
	const char *of = note->column ? note->column : "the table";

	if (note->column && !has_column(schema, note->column))
		return enrg_error_set(err, -EINVAL, "the note \"%.40s\" is of a column \"%.40s\" that is not there",
			note->key ? note->key : "", of);
	if (!note->key || !note->value || !notes_can_say(note->column != NULL, note->key, note->value))
		return enrg_error_set(err, -EINVAL,
			"the note \"%.40s\" of %.40s: expected a key of 1 to %u bytes that is not ENRGDAQ's, Arrow's "
			"or "
			"\"unit\", and a value of up to %u bytes, both UTF-8",
			note->key ? note->key : "", of, ENRG_NAME_BYTES_MAX, ENRG_NOTE_BYTES_MAX);
	return 0;
}

int notes_check(const struct enrg_schema *schema, struct enrg_error *err)
{
	int rc = 0;

	if (schema->note_count > ENRG_NOTES_MAX)
		return enrg_error_set(err, -EMSGSIZE, "%u notes are too many: at most %u fit in one table",
			schema->note_count, ENRG_NOTES_MAX);
	for (uint32_t i = 0; i < schema->note_count && rc == 0; i++) {
		const struct enrg_note *note = &schema->notes[i];
		rc = check_note(schema, note, err);
		for (uint32_t k = 0; k < i && rc == 0; k++)
			if (is_same_place(schema->notes[k].column, note->column) &&
				!strcmp(schema->notes[k].key, note->key))
				rc = enrg_error_set(err, -EINVAL, "the note \"%.40s\" of %.40s is there twice",
					note->key, note->column ? note->column : "the table");
	}
	return rc;
}

const char *enrg_schema_note(const struct enrg_schema *schema, const char *column, const char *key)
{
	for (uint32_t i = 0; i < schema->note_count; i++)
		if (is_same_place(schema->notes[i].column, column) && !strcmp(schema->notes[i].key, key))
			return schema->notes[i].value;
	return NULL;
}

bool notes_equal(const struct enrg_schema *a, const struct enrg_schema *b)
{
	if (a->note_count != b->note_count)
		return false;
	for (uint32_t i = 0; i < a->note_count; i++) {
		const char *value = enrg_schema_note(b, a->notes[i].column, a->notes[i].key);
		if (!value || strcmp(value, a->notes[i].value) != 0)
			return false;
	}
	return true;
}

const struct enrg_note *notes_find_other(
	const struct enrg_schema *a, const struct enrg_schema *b, const char **ret_value)
{
	for (uint32_t i = 0; i < a->note_count; i++) {
		const char *value = enrg_schema_note(b, a->notes[i].column, a->notes[i].key);
		if (value && strcmp(value, a->notes[i].value) != 0) {
			*ret_value = value;
			return &a->notes[i];
		}
	}
	return NULL;
}
