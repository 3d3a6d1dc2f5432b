/* fields.c: named values as a JSON object. */
#include "job/source/fields.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

struct enrg_fields *enrg_fields_create(void)
{
	struct enrg_fields *fields = calloc(1, sizeof(*fields));

	if (fields)
		fields->json = json_object();
	if (fields && fields->json)
		return fields;
	free(fields);
	return NULL;
}

void enrg_fields_destroy(struct enrg_fields *fields)
{
	if (!fields)
		return;
	json_decref(fields->json);
	free(fields);
}

/* Takes the value; NULL: it could not be made. */
static int set(struct enrg_fields *fields, const char *key, json_t *value)
{
	return value && json_object_set_new(fields->json, key, value) == 0 ? 0 : -EINVAL;
}

int enrg_fields_set_bool(struct enrg_fields *fields, const char *key, bool value)
{
	return set(fields, key, json_boolean(value));
}

int enrg_fields_set_int(struct enrg_fields *fields, const char *key, int64_t value)
{
	return set(fields, key, json_integer((json_int_t)value));
}

int enrg_fields_set_float(struct enrg_fields *fields, const char *key, double value)
{
	return set(fields, key, json_real(value));
}

int enrg_fields_set_string(struct enrg_fields *fields, const char *key, const char *text)
{
	return set(fields, key, json_string(text));
}

int enrg_fields_set_json(struct enrg_fields *fields, const char *key, const char *json)
{
	return set(fields, key, json_loads(json, JSON_DECODE_ANY | JSON_REJECT_DUPLICATES, NULL));
}

struct enrg_fields *enrg_answer_fields(struct enrg_answer *answer)
{
	return &answer->fields;
}

void enrg_answer_set_text(struct enrg_answer *answer, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(answer->text, sizeof(answer->text), format, arguments);
	va_end(arguments);
}
