/* shown_text.c: see the header. */
#include "web/system/shown_text.h"

#include <string.h>

#include "base/log.h"
#include "base/sha256.h"
#include "web/system/tool.h"

#define PATIENCE_MS 4000u /* with the 25 s of a command an answer still comes within 30 s */

json_t *shown_text_digest(const char *text, size_t bytes)
{
	char hex[SHA256_HEX_BYTES];

	sha256_format(text, bytes, hex);
	return json_sprintf("(%zu bytes, SHA-256 %s)", bytes, hex);
}

json_t *shown_text_make(const struct web_settings *settings, const char *file, const char *text)
{
	const char *const words[] = {settings->program, "check", settings->config_folder, "--mask", file, NULL};
	const struct tool_params params = {.words = words, .input = text, .patience_ms = PATIENCE_MS};
	struct enrg_error err = {0};
	int code = 0;
	json_t *answer = tool_run(&params, &code, &err);
	json_t *shown = json_incref(json_object_get(answer, "text"));

	if (!answer)
		log_line(ENRG_WARNING, "access: the audit has a text of %s by its digest alone: %s", file, err.text);
	json_decref(answer);
	if (json_is_string(shown))
		return shown;
	json_decref(shown);
	return shown_text_digest(text, strlen(text));
}
