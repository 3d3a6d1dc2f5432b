/* supervisor_web.c: the program that listens for this supervisor. Process: supervisor, main thread. */
#include "supervisor/supervisor_state.h"

#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>

#include "base/path.h"
#include "supervisor/supervisor.h"

/* web_ID beside the run book, also where there is none. */
static void find_folder(const struct supervisor *self, char ret_path[2 * BOOK_PATH_BYTES])
{
	const struct supervisor_options *options = &self->folder->supervisor;
	const char *database = options->runs.database, *slash = database ? strrchr(database, '/') : NULL;
	char folder[BOOK_PATH_BYTES] = ".", name[200];

	path_safe_name(options->info.supervisor_id, name, sizeof(name));
	if (!database || !*database)
		supervisor_find_data_folder(self->folder, folder);
	else if (slash)
		snprintf(folder, sizeof(folder), "%.*s", (int)(slash == database ? 1 : slash - database), database);
	for (size_t length = strlen(folder); length > 1 && folder[length - 1] == '/'; length--)
		folder[length - 1] = '\0';
	snprintf(ret_path, 2 * BOOK_PATH_BYTES, "%s/web_%s", folder, name);
}

void supervisor_open_web(struct supervisor *self)
{
	struct epoll_event entry = {.events = EPOLLIN, .data.u64 = OWN_WEB};
	char folder[2 * BOOK_PATH_BYTES];
	const struct web_link_params params = {.folder = self->folder,
		.runtime_folder = self->runtime.folder,
		.config_folder = self->params->config_path,
		.web_folder = folder,
		.alert = supervisor_tell,
		.context = self};

	if (!self->params->config_path || self->params->is_quiet)
		return; /* a demo, a benchmark: nothing listens */
	find_folder(self, folder);
	web_link_set(self->web, &params, supervisor_running_ns(self));
	if (*self->web) /* without it the timer looks once a second */
		(void)epoll_ctl(self->epoll, EPOLL_CTL_ADD, web_link_descriptor(*self->web), &entry);
}
