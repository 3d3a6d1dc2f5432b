/* supervisor_web.c: the program that listens for this supervisor. Process: supervisor, main thread. */
#include "supervisor/supervisor_state.h"

#include <sys/epoll.h>

#include "supervisor/supervisor.h"
#include "supervisor/web_folder.h"

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
	web_folder_find(self->folder, folder, sizeof(folder));
	web_link_set(self->web, &params, supervisor_running_ns(self));
	if (*self->web) /* without it the timer looks once a second */
		(void)epoll_ctl(self->epoll, EPOLL_CTL_ADD, web_link_descriptor(*self->web), &entry);
}
