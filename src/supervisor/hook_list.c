/* hook_list.c: see the header. */
#include "supervisor/hook_list.h"

static void set_text(json_t *json, const char *key, const char *text)
{
	if (text)
		json_object_set_new(json, key, json_string(text));
}

static void set_texts(json_t *json, const char *key, const struct enrg_string_list *list)
{
	json_t *array = json_array();

	for (size_t i = 0; i < list->count; i++)
		json_array_append_new(array, json_string(list->items[i]));
	json_object_set_new(json, key, array);
}

json_t *hook_list_format(const struct enrg_struct_list *hooks)
{
	const struct run_hook_options *items = hooks->items;
	json_t *list = json_array();

	for (size_t i = 0; i < hooks->count; i++) {
		const struct run_hook_options *hook = &items[i];
		json_t *json = json_pack("{s:f}", "timeout_seconds", hook->timeout_seconds);
		set_text(json, "name", hook->name);
		set_text(json, "url", hook->url);
		set_text(json, "secret", hook->secret);
		set_text(json, "hmac_secret", hook->hmac_secret);
		set_text(json, "payload", hook->payload);
		set_text(json, "ca_file", hook->ca_file);
		set_texts(json, "command", &hook->command);
		set_texts(json, "reply", &hook->reply);
		set_texts(json, "events", &hook->events);
		set_texts(json, "allow_private", &hook->allow_private);
		json_array_append_new(list, json);
	}
	return list;
}
