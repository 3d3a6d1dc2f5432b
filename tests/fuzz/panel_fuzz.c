/* panel_fuzz.c: a dump of the web panel: any bytes as a table of CSV, as notes of HTML, as configurations of jobs and
 * messages. What comes out has no tag, and is made without a read outside of the text. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "runs/panel_dump.h"
#include "runs/panel_plans.h"
#include "runs/panel_runs.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count);

static void try_plans(const char *text)
{
	json_t *tables = json_pack("{s:[{s:i, s:s, s:s}, {s:i, s:s, s:s, s:s}], s:[{s:i, s:s, s:s, s:s}], s:[]}",
		"templates", "id", 1, "name", "a", "config", text, "id", 2, "name", "b", "type", "message",
		"payload_template", text, "template_parameters", "template_id", 1, "name", "LOW", "type", "float",
		"default_value", text, "run_types");

	if (!tables) /* not UTF-8 text */
		return;
	json_decref(panel_plans_make(tables));
	free(panel_plans_make_hooks(tables));
	json_decref(tables);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count)
{
	char *text = malloc(count + 1);
	json_t *rows = NULL;

	if (!text)
		return 0;
	memcpy(text, bytes, count);
	text[count] = '\0';
	if (panel_dump_parse_csv(text, count, &rows, NULL) == 0) {
		for (size_t i = 0; i < json_array_size(rows); i++)
			(void)panel_time_ns(json_array_get(rows, i), "t");
		json_decref(rows);
	}
	char *plain = panel_dump_strip_html(text);
	if (!plain || strlen(plain) > count)
		abort();
	free(plain);
	free(panel_runs_mask(text));
	try_plans(text);
	free(text);
	return 0;
}
