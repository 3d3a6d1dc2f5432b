/* ending.c: the ledger beside the data, and a clean runtime folder. Process: supervisor. */
#include "supervisor/ending.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/path.h"

bool ending_out_folder(const struct job_config *store, char *ret_folder, size_t folder_bytes)
{
	const struct enrg_option *option = store->type->store ? store->type->store->options.options : NULL;
	const struct toml_node *node = store->root ? toml_find(store->root, "out_dir") : NULL;
	size_t length;

	while (option && option->key && strcmp(option->key, "out_dir"))
		option++;
	if (!option || !option->key)
		return false;
	if (node && node->kind == TOML_STRING && node->text_bytes) {
		snprintf(ret_folder, folder_bytes, "%s", node->text);
		return true;
	}
	/* A default is written as TOML prints it: with its quotes. */
	snprintf(ret_folder, folder_bytes, "%s", option->default_value ? option->default_value + 1 : "out");
	length = strlen(ret_folder);
	if (option->default_value && length && ret_folder[length - 1] == '"')
		ret_folder[length - 1] = '\0';
	return true;
}

static void write_text(const char *path, const char *text)
{
	struct enrg_error err = {0};

	if (path_make_parent(path, 0755, &err) || path_write_file(path, text, strlen(text), 1, &err))
		log_line(ENRG_ERROR, "the ledger can't be written: %s", err.text);
}

void ending_write_ledger(const struct runtime *runtime, const struct roster *roster, const json_t *ledger)
{
	char *text = json_dumps(ledger, JSON_INDENT(2));
	char path[RUNTIME_PATH_BYTES * 2], folder[RUNTIME_PATH_BYTES];

	if (!text)
		return;
	snprintf(path, sizeof(path), "%s/ledger.json", runtime->folder);
	write_text(path, text);
	for (size_t i = 0; i < roster->count; i++) {
		if (!ending_out_folder(roster->members[i].config, folder, sizeof(folder)))
			continue;
		snprintf(path, sizeof(path), "%s/ledger_%s.json", folder, runtime->run);
		write_text(path, text);
	}
	free(text);
}

size_t ending_clean(const struct stream_specs *specs, const struct roster *roster)
{
	size_t left = streams_remove_settled(specs);

	for (size_t i = 0; i < roster->count; i++) {
		const struct member *member = &roster->members[i];

		unlink(member->plan->page_path);
		/* A store that was killed may have written more than it committed: its successor needs the journal. */
		if (!left && member->plan->journal_path && member->last_code == 0)
			unlink(member->plan->journal_path);
	}
	return left;
}
