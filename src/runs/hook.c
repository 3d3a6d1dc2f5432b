/* hook.c: see the header. On the thread of hooks.c, but for hook_init and hook_fini. */
#include "runs/hook.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/secret.h"

#define TIMEOUT_S 5.0

const char *hook_event_name(enum hook_event event)
{
	static const char *const names[HOOK_EVENT_COUNT] = {
		"run_started", "run_stopped", "run_failed", "message_sent", "message_failed"};

	return names[event];
}

static const char *text_of(const json_t *json, const char *key)
{
	return json_string_value(json_object_get(json, key));
}

static bool are_texts(const json_t *list)
{
	for (size_t i = 0; i < json_array_size(list); i++)
		if (!json_is_string(json_array_get(list, i)))
			return false;
	return true;
}

static unsigned find_events(const json_t *list, bool is_command)
{
	unsigned events = 0;

	for (size_t i = 0; i < json_array_size(list); i++)
		for (int event = 0; event < HOOK_EVENT_COUNT; event++)
			if (!strcmp(json_string_value(json_array_get(list, i)),
				    hook_event_name((enum hook_event)event)))
				events |= 1u << event;
	if (events)
		return events;
	return is_command ? 1u << HOOK_RUN_STARTED | 1u << HOOK_RUN_STOPPED | 1u << HOOK_RUN_FAILED
			  : (1u << HOOK_EVENT_COUNT) - 1;
}

int hook_init(struct hook *hook, const json_t *json, unsigned index, struct enrg_error *err)
{
	const json_t *timeout = json_object_get(json, "timeout_seconds"), *events = json_object_get(json, "events");
	char name[32];

	*hook = (struct hook){.json = json_deep_copy(json)};
	snprintf(name, sizeof(name), "hook %u", index + 1);
	if (!text_of(hook->json, "name") && json_is_object(hook->json))
		json_object_set_new(hook->json, "name", json_string(name));
	hook->name = text_of(hook->json, "name");
	hook->url = text_of(hook->json, "url");
	hook->secret = text_of(hook->json, "secret");
	hook->hmac_secret = text_of(hook->json, "hmac_secret");
	hook->payload = text_of(hook->json, "payload");
	hook->ca_file = text_of(hook->json, "ca_file");
	hook->command = json_object_get(hook->json, "command");
	hook->reply = json_object_get(hook->json, "reply");
	hook->allow_private = json_object_get(hook->json, "allow_private");
	hook->timeout_s = json_is_number(timeout) ? json_number_value(timeout) : TIMEOUT_S;
	if (!hook->name || !hook->url == !json_array_size(hook->command) || !are_texts(hook->command) ||
		!are_texts(hook->reply) || !are_texts(hook->allow_private) || !are_texts(events))
		return enrg_error_set(err, ENRG_E_PROTOCOL, "hook %u makes no sense", index + 1);
	hook->events = find_events(events, !hook->url);
	/* What a receiver or a program repeats is masked, too. */
	if (hook->url)
		secret_remember(hook->url);
	if (hook->secret)
		secret_remember(hook->secret);
	if (hook->hmac_secret)
		secret_remember(hook->hmac_secret);
	return 0;
}

void hook_fini(struct hook *hook)
{
	json_decref(hook->json);
	*hook = (struct hook){0};
}

void hook_free_call(struct hook_call *call)
{
	if (!call)
		return;
	json_decref(call->data);
	json_decref(call->words);
	free(call);
}

/* --- placeholders ------------------------------------------------------------------------------------------------- */

/* Of the placeholder that begins at `text`: its value, and its length with both braces. NULL: it is none. */
static const json_t *find_value(const char *text, const json_t *values, size_t *ret_length)
{
	const char *end = text[0] == '{' ? strchr(text, '}') : NULL;
	char key[64];

	if (!end || (size_t)(end - text - 1) >= sizeof(key))
		return NULL;
	memcpy(key, text + 1, (size_t)(end - text - 1));
	key[end - text - 1] = '\0';
	*ret_length = (size_t)(end - text + 1);
	return json_object_get(values, key);
}

static void put_value(FILE *stream, const json_t *value)
{
	char *text = json_is_string(value) ? NULL : json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT);

	if (json_is_string(value))
		fputs(json_string_value(value), stream);
	else if (text && !json_is_null(value))
		fputs(text, stream);
	free(text);
}

static char *replace(const char *text, const json_t *values)
{
	char *result = NULL;
	size_t bytes = 0, length;
	FILE *stream = open_memstream(&result, &bytes);

	while (stream && *text) {
		const json_t *value = find_value(text, values, &length);
		if (value)
			put_value(stream, value);
		else
			fputc(*text, stream);
		text += value ? length : 1;
	}
	if (stream)
		fclose(stream);
	return result;
}

static json_t *fill(const json_t *json, const json_t *values)
{
	const char *text = json_string_value(json), *key;
	json_t *copy = NULL, *child;
	size_t length;

	if (text) {
		const json_t *value = find_value(text, values, &length);
		if (value && !text[length])
			return json_deep_copy(value);
		char *filled = replace(text, values);
		copy = filled ? json_string(filled) : NULL;
		free(filled);
	} else if (json_is_object(json)) {
		copy = json_object();
		json_object_foreach((json_t *)(uintptr_t)json, key, child)
			json_object_set_new(copy, key, fill(child, values));
	} else if (json_is_array(json)) {
		copy = json_array();
		for (size_t i = 0; i < json_array_size(json); i++)
			json_array_append_new(copy, fill(json_array_get(json, i), values));
	} else {
		copy = json_deep_copy(json);
	}
	return copy;
}

static void set_own(json_t *values, const char *key, json_t *value)
{
	json_object_set_new(values, key, value ? value : json_null());
}

json_t *hook_make_body(const struct hook_call *call, const char *timestamp)
{
	bool is_message = call->event == HOOK_MESSAGE_SENT || call->event == HOOK_MESSAGE_FAILED;
	json_t *payload = call->hook->payload ? json_loads(call->hook->payload, 0, NULL) : NULL;

	if (!payload)
		return json_pack("{s:s, s:s, s:O}", "event", hook_event_name(call->event), "timestamp", timestamp,
			"data", call->data);
	json_t *values = json_copy(call->data);
	set_own(values, "event", json_string(hook_event_name(call->event)));
	set_own(values, "timestamp", json_string(timestamp));
	set_own(values, "type", json_string(is_message ? "message" : "run"));
	set_own(values, "runId", json_incref(json_object_get(call->data, is_message ? "runId" : "id")));
	set_own(values, "messageId", is_message ? json_incref(json_object_get(call->data, "id")) : json_null());
	json_t *body = fill(payload, values);
	json_decref(values);
	json_decref(payload);
	return body;
}

char *hook_make_word(const char *word, const json_t *words)
{
	char *filled = replace(word, words), *safe;

	if (!filled || word[0] == '-' || filled[0] != '-')
		return filled;
	/* A description that begins with "-" would be an option of the program. */
	if (asprintf(&safe, " %s", filled) < 0)
		safe = NULL;
	free(filled);
	return safe;
}
