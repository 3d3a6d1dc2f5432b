/* control.h: commands to this supervisor: from the control socket and from jobs over the bus, to itself and to jobs;
 * the commands of the run as a whole (`ping`, `stop`). Other parts add their kinds to `commands`. Process: supervisor,
 * main thread. */
#ifndef SUPERVISOR_CONTROL_H
#define SUPERVISOR_CONTROL_H

#include "supervisor/commands.h"
#include "supervisor/control_socket.h"
#include "supervisor/route.h"

struct control {
	struct commands *commands;
	struct control_socket *socket;
	struct route *route;
	struct bus_client *bus;
	const char *run;
	uint64_t started_wall_ns;
	bool is_stop_asked, is_fast_asked; /* set by `stop`; the supervisor's loop takes them */
};

struct control_params {
	const char *folder, *run; /* `run` must live as long as the control */
	uint64_t started_wall_ns;
	const struct roster *roster;
	struct bus_client *bus;
};

/* From then on commands are taken; one descriptor tells when. Zeroed state may be closed. */
int control_open(struct control *control, const struct control_params *params, struct enrg_error *err);
void control_close(struct control *control);
int control_descriptor(const struct control *control);
void control_take(struct control *control);
/* A command or an answer that came over the bus from a job. */
void control_hear(struct control *control, const struct envelope *envelope);
/* After each event, and at control_next_due (CLOCK_MONOTONIC). */
void control_step(struct control *control, uint64_t now_ns);
uint64_t control_next_due(const struct control *control);
/* Once a second: puts the socket's name right where somebody has removed it. */
void control_look(struct control *control);

#endif
