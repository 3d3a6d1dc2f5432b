/* log_line.c: see the header. What is written there: src/base/log.c. */
#include "client/log_line.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"

#define TIME_FORM "dddd-dd-dd dd:dd:dd.ddd " /* d: a digit */

static const struct {
	const char *word, *name;
} levels[] = {{"DEBUG", "DEBUG"}, {"INFO", "INFO"}, {"WARN", "WARNING"}, {"WARNING", "WARNING"}, {"ERROR", "ERROR"}};

static const char *find_level(const char *word, size_t bytes)
{
	for (size_t i = 0; i < sizeof(levels) / sizeof(levels[0]); i++)
		if (strlen(levels[i].word) == bytes && !memcmp(levels[i].word, word, bytes))
			return levels[i].name;
	return "";
}

static bool has_time(const char *line, size_t bytes)
{
	if (bytes < strlen(TIME_FORM))
		return false;
	for (size_t i = 0; i < strlen(TIME_FORM); i++)
		if (TIME_FORM[i] == 'd' ? line[i] < '0' || line[i] > '9' : line[i] != TIME_FORM[i])
			return false;
	return true;
}

/* "2026-11-24 06:48:59.123 INFO  supervisor: text" */
static void parse_text(const char *line, size_t bytes, struct log_line_room *room, struct enrg_log_line *ret_line)
{
	const char *word, *name, *colon;
	size_t time_bytes = strlen(TIME_FORM) - 1;

	if (!has_time(line, bytes))
		return;
	memcpy(room->time, line, time_bytes);
	room->time[time_bytes] = '\0';
	ret_line->time = room->time;
	word = line + time_bytes + 1;
	name = word + strcspn(word, " ");
	ret_line->level = find_level(word, (size_t)(name - word));
	name += strspn(name, " ");
	colon = strstr(name, ": ");
	if (!ret_line->level[0] || !colon || (size_t)(colon - name) >= sizeof(room->process)) {
		ret_line->message = word;
		return;
	}
	memcpy(room->process, name, (size_t)(colon - name));
	room->process[colon - name] = '\0';
	ret_line->process = room->process;
	ret_line->message = colon + 2;
}

static const char *copy(const json_t *json, const char *key, char *ret_text, size_t text_bytes)
{
	const char *text = json_string_value(json_object_get(json, key));

	snprintf(ret_text, text_bytes, "%s", text ? text : "");
	text_make_safe(ret_text, strlen(ret_text));
	return ret_text;
}

/* {"time": …, "level": …, "process": pid, "job": name, "message": …} */
static void parse_json(const char *line, size_t bytes, struct log_line_room *room, struct enrg_log_line *ret_line)
{
	json_t *json = json_loadb(line, bytes, 0, NULL);

	if (json_is_object(json)) {
		ret_line->time = copy(json, "time", room->time, sizeof(room->time));
		copy(json, "level", room->level, sizeof(room->level));
		ret_line->level = find_level(room->level, strlen(room->level));
		ret_line->process = copy(json, "job", room->process, sizeof(room->process));
		ret_line->message = copy(json, "message", room->message, sizeof(room->message));
	}
	json_decref(json);
}

void log_line_parse(char *line, size_t bytes, struct log_line_room *room, struct enrg_log_line *ret_line)
{
	text_make_safe(line, bytes);
	*ret_line = (struct enrg_log_line){
		.size = sizeof(*ret_line), .line = line, .time = "", .level = "", .process = "", .message = line};
	if (line[0] == '{')
		parse_json(line, bytes, room, ret_line);
	else
		parse_text(line, bytes, room, ret_line);
}
