/* supervisor_book.c: where the run book of this supervisor lies, and what it has to say. Process: supervisor, main
 * thread. */
#include "supervisor/supervisor_state.h"

#include <stdio.h>
#include <unistd.h>

#include "base/log.h"
#include "base/path.h"
#include "supervisor/hook_list.h"
#include "supervisor/run_end.h"
#include "supervisor/supervisor.h"

void supervisor_tell(void *context, enum enrg_level level, const char *key, const char *text, bool is_over)
{
	struct supervisor *self = context;
	const struct control_alert alert = {.job = "supervisor",
		.message = text,
		.key = key,
		.event = is_over ? "ends" : "begins",
		.severity = level};

	log_line(level, "%s", text);
	if (self->control.client)
		control_plane_raise(&self->control, &alert);
}

void supervisor_find_data_folder(const struct folder *folder, char ret_path[BOOK_PATH_BYTES])
{
	for (size_t i = 0; i < folder->job_count; i++)
		if (run_end_out_folder(&folder->jobs[i], ret_path, BOOK_PATH_BYTES) && *ret_path)
			return;
	snprintf(ret_path, BOOK_PATH_BYTES, "out");
}

int supervisor_open_book(struct supervisor *self, struct enrg_error *err)
{
	const char *id = self->folder->supervisor.info.supervisor_id, *wanted = self->folder->supervisor.runs.database;
	char folder[BOOK_PATH_BYTES], database[BOOK_PATH_BYTES + 256], name[200];

	supervisor_find_data_folder(self->folder, folder);
	path_safe_name(id, name, sizeof(name));
	snprintf(database, sizeof(database), "%s/runs_%s.sqlite", folder, name);
	json_t *hooks = hook_list_format(&self->folder->supervisor.runs.hook);
	const struct book_params params = {.runtime_folder = self->runtime.folder,
		.supervisor = id,
		.database = !self->params->config_path ? ""
			    : wanted                   ? wanted
						       : database,
		.folder = folder,
		.hooks = hooks,
		.alert = supervisor_tell,
		.context = self};
	int rc = book_open(&self->book, &params, err);
	json_decref(hooks);
	if (!rc && !self->book.is_on && self->params->config_path && wanted && *wanted)
		log_line(ENRG_WARNING, "runs.database: there is no run book: the program enrgdaq-runs is not installed "
				       "(it is left out "
				       "where SQLite is missing); numbers of runs come from what files say");
	return rc;
}
