/* settings.h: what the supervisor says at the start of enrgdaq-web, in one line of JSON (docs/decisions/0022). Made
 * once, never changed; any thread reads it. Process: enrgdaq-web. */
#ifndef WEB_SYSTEM_SETTINGS_H
#define WEB_SYSTEM_SETTINGS_H

#include <jansson.h>
#include <stdbool.h>

#include "enrgdaq/error.h"

struct cnc_options;
struct web_options;

/* Texts are never NULL. */
struct web_settings {
	const char *supervisor_id, *runtime_folder, *config_folder; /* config_folder "": none */
	const char *web_folder;
	const char *program; /* the program `enrgdaq`, for the catalogue; "": not known */
	json_t *tags;        /* array of strings */
	bool has_cnc;        /* [cnc] stands in supervisor.toml; with it alone this is a client of cnc.server_host */
	const struct cnc_options *cnc;
	const struct web_options *web;
	const char *const *hosts, *const *origins, *const *proxies; /* those of `web`, NULL at the end */
	bool is_terminal;                                           /* standard error of the supervisor is one */
};

/* {"do": "settings", "supervisor_id", "runtime_folder", "config_folder", "web_folder", "program", "tags": […],
 * "is_terminal", "cnc": {…}, "web": {…}}; the latter two as options_values writes them, null where the table does
 * not stand in supervisor.toml. Members that are not known are stepped over. ENRG_E_CONFIG: err names all that is
 * wrong. */
int settings_parse(const json_t *line, struct web_settings **ret_settings, struct enrg_error *err);
void settings_free(struct web_settings *settings); /* takes NULL */

#endif
