/* alarms_file.c: alarms as JSON: for status.json, and for the supervisor that comes after this one. */
#include "supervisor/alarms.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/path.h"
#include "base/text.h"

#define FILE_BYTES_MAX (16u << 20)

static const char *severity_name(enum enrg_level level)
{
	return level >= ENRG_ERROR ? "error" : level == ENRG_WARNING ? "warning" : "info";
}

static enum enrg_level parse_severity(const char *name)
{
	if (name && !strcmp(name, "error"))
		return ENRG_ERROR;
	return name && !strcmp(name, "warning") ? ENRG_WARNING : ENRG_INFO;
}

static json_t *format_alarm(const struct alarm *alarm)
{
	return json_pack("{s:s, s:s, s:s, s:s, s:b, s:b, s:I, s:I, s:I, s:I, s:s}", "key", alarm->key, "job",
		alarm->job, "severity", severity_name(alarm->severity), "message", alarm->text, "on", alarm->is_on,
		"acknowledged", alarm->is_acknowledged, "since_wall_ns",
		(json_int_t)(alarm->is_on ? alarm->since_wall_ns : 0), "told",
		(json_int_t)(alarm->is_on ? alarm->told_count : 0), "told_mono_ns", (json_int_t)alarm->told_ns,
		"muted_until_wall_ns", (json_int_t)alarm->muted_until_wall_ns, "mute_reason",
		alarm->muted_until_wall_ns ? alarm->mute_reason : "");
}

json_t *alarms_format(const struct alarms *alarms)
{
	json_t *list = json_array();

	for (uint32_t i = 0; i < alarms->count; i++)
		if (alarms->items[i].is_on || alarms->items[i].muted_until_wall_ns)
			json_array_append_new(list, format_alarm(&alarms->items[i]));
	return list;
}

static uint64_t number(const json_t *json, const char *key)
{
	json_int_t value = json_integer_value(json_object_get(json, key));

	return value > 0 ? (uint64_t)value : 0;
}

static void copy_text(const json_t *json, const char *key, char *ret_text, size_t text_bytes)
{
	const char *text = json_string_value(json_object_get(json, key));

	snprintf(ret_text, text_bytes, "%s", text ? text : "");
	text_make_safe(ret_text, strlen(ret_text)); /* it may have been cut */
}

/* One that is on stays so until it is judged. Times of another boot of this machine lie ahead, perhaps. */
static void parse_alarm(const json_t *json, uint64_t now_ns, struct alarm *ret_alarm)
{
	uint64_t told_ns = number(json, "told_mono_ns");

	*ret_alarm = (struct alarm){.severity = parse_severity(json_string_value(json_object_get(json, "severity"))),
		.is_on = json_is_true(json_object_get(json, "on")),
		.is_acknowledged = json_is_true(json_object_get(json, "acknowledged")),
		.judged_ns = now_ns,
		.since_wall_ns = number(json, "since_wall_ns"),
		.told_ns = told_ns < now_ns ? told_ns : now_ns,
		.told_count = (uint32_t)number(json, "told"),
		.muted_until_wall_ns = number(json, "muted_until_wall_ns")};
	ret_alarm->true_since_ns = ret_alarm->is_on ? now_ns : 0;
	copy_text(json, "key", ret_alarm->key, sizeof(ret_alarm->key));
	copy_text(json, "job", ret_alarm->job, sizeof(ret_alarm->job));
	copy_text(json, "message", ret_alarm->text, sizeof(ret_alarm->text));
	copy_text(json, "mute_reason", ret_alarm->mute_reason, sizeof(ret_alarm->mute_reason));
}

void alarms_load(struct alarms *alarms, const char *path, uint64_t now_ns)
{
	char *text;
	size_t bytes;

	if (path_read_file(path, FILE_BYTES_MAX, &text, &bytes, NULL))
		return;
	json_t *list = json_loadb(text, bytes, 0, NULL);
	size_t count = json_array_size(list);

	free(text);
	count = count < ALARMS_MAX ? count : ALARMS_MAX;
	alarms->items = calloc(count + 1, sizeof(*alarms->items));
	for (size_t i = 0; alarms->items && i < count; i++) {
		parse_alarm(json_array_get(list, i), now_ns, &alarms->items[alarms->count]);
		alarms->count += alarms->items[alarms->count].key[0] != '\0';
	}
	json_decref(list);
}

int alarms_save(struct alarms *alarms, const char *path, struct enrg_error *err)
{
	if (!alarms->is_changed)
		return 0;
	json_t *list = alarms_format(alarms);
	char *text = list ? json_dumps(list, JSON_INDENT(2)) : NULL;
	int rc = text ? path_write_private_file(path, text, strlen(text), err)
		      : enrg_error_set(err, -ENOMEM, "%s: out of memory", path);

	alarms->is_changed = rc < 0;
	json_decref(list);
	free(text);
	return rc;
}
