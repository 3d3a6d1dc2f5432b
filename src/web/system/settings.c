/* settings.c: see the header. */
#include "web/system/settings.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "config/options_json.h"
#include "config/web_options.h"

struct kept_settings { /* with what it is made of */
	struct web_settings shown;
	struct options_memory *memory;
	json_t *line;
};

static const char *text_of(const json_t *line, const char *key)
{
	const char *text = json_string_value(json_object_get(line, key));

	return text ? text : "";
}

static int fill(struct kept_settings *kept, const struct enrg_table *table, const char *key, const void **ret_struct,
	struct enrg_error *err)
{
	const json_t *given = json_object_get(kept->line, key);
	char wrong[800];
	void *filled;

	if (json_is_null(given))
		given = NULL;
	if (options_fill_json(table, given, kept->memory, &filled, wrong, sizeof(wrong)) < 0)
		return enrg_error_set(err, ENRG_E_CONFIG, "settings of the supervisor, [%s]: %s", key, wrong);
	*ret_struct = filled;
	return 0;
}

/* With a NULL at the end. */
static const char *const *close_list(const struct kept_settings *kept, const struct enrg_string_list *list)
{
	const char **items = options_memory_take(kept->memory, (list->count + 1) * sizeof(*items));

	for (size_t i = 0; items && i < list->count; i++)
		items[i] = list->items[i];
	return items;
}

static int take_lists(struct kept_settings *kept, struct enrg_error *err)
{
	struct web_settings *shown = &kept->shown;

	shown->hosts = close_list(kept, &shown->web->hosts);
	shown->origins = close_list(kept, &shown->web->origins);
	shown->proxies = close_list(kept, &shown->web->proxies);
	if (!shown->hosts || !shown->origins || !shown->proxies)
		return enrg_error_set(err, -ENOMEM, "there is no memory for the settings");
	return 0;
}

static int take(struct kept_settings *kept, struct enrg_error *err)
{
	struct web_settings *shown = &kept->shown;
	const void *cnc, *web;

	shown->supervisor_id = text_of(kept->line, "supervisor_id");
	shown->runtime_folder = text_of(kept->line, "runtime_folder");
	shown->config_folder = text_of(kept->line, "config_folder");
	shown->web_folder = text_of(kept->line, "web_folder");
	shown->program = text_of(kept->line, "program");
	shown->tags = json_object_get(kept->line, "tags");
	shown->has_cnc = json_is_object(json_object_get(kept->line, "cnc"));
	shown->is_terminal = json_is_true(json_object_get(kept->line, "is_terminal"));
	if (!*shown->supervisor_id || !*shown->web_folder)
		return enrg_error_set(
			err, ENRG_E_CONFIG, "settings of the supervisor: supervisor_id or web_folder is missing");
	int rc = fill(kept, &cnc_table, "cnc", &cnc, err);
	if (rc == 0)
		rc = fill(kept, &web_table, "web", &web, err);
	if (rc < 0)
		return rc;
	shown->cnc = cnc;
	shown->web = web;
	return take_lists(kept, err);
}

int settings_parse(const json_t *line, struct web_settings **ret_settings, struct enrg_error *err)
{
	struct kept_settings *kept = calloc(1, sizeof(*kept));
	int rc = -ENOMEM;

	if (kept) {
		kept->memory = options_memory_create();
		kept->line = json_deep_copy(line);
	}
	if (kept && json_is_object(kept->line) && !json_is_array(json_object_get(kept->line, "tags")))
		json_object_set_new(kept->line, "tags", json_array());
	if (!kept || !kept->memory || !kept->line)
		enrg_error_set(err, rc, "there is no memory for the settings");
	else if (!json_is_object(kept->line))
		rc = enrg_error_set(err, ENRG_E_CONFIG, "settings of the supervisor: not a JSON object");
	else
		rc = take(kept, err);
	if (rc < 0) {
		settings_free(kept ? &kept->shown : NULL);
		return rc;
	}
	*ret_settings = &kept->shown;
	return 0;
}

void settings_free(struct web_settings *settings)
{
	struct kept_settings *kept = (struct kept_settings *)(void *)settings; /* its first member */

	if (!kept)
		return;
	options_memory_destroy(kept->memory);
	json_decref(kept->line);
	free(kept);
}
