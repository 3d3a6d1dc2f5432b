/* control.h: commands to this supervisor: the control socket, the memory of ids, and the commands of the run as a whole
 * (`ping`, `stop`). Other parts add their kinds to `commands`. Process: supervisor, main thread. */
#ifndef SUPERVISOR_CONTROL_H
#define SUPERVISOR_CONTROL_H

#include "supervisor/commands.h"
#include "supervisor/control_socket.h"

struct control {
	struct commands *commands;
	struct control_socket *socket;
	const char *run;
	uint64_t started_wall_ns;
	bool is_stop_asked, is_fast_asked; /* set by `stop`; the supervisor's loop takes them */
};

/* `run` must live as long as `control`. From then on commands are taken, one epoll descriptor tells when. Zeroed state
 * may be closed. */
int control_open(
	struct control *control, const char *folder, const char *run, uint64_t started_wall_ns, struct enrg_error *err);
void control_close(struct control *control);
int control_descriptor(const struct control *control);
void control_take(struct control *control);
/* Once a second: puts the socket's name right where somebody has removed it. */
void control_look(struct control *control);

#endif
