/* control_socket.c: a listener and some clients in an epoll of their own, which the supervisor's loop watches as one
 * descriptor. */
#include "supervisor/control_socket.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/held.h"
#include "base/path.h"
#include "handover/command_link.h"

#define LISTENER UINT32_MAX

struct client {
	int descriptor;  /* -1 = the place is free */
	uint32_t serial; /* of whoever is here */
	uint32_t user;
	int64_t pid;
};

struct control_socket {
	char folder[512];
	int listener, epoll;
	struct held_name name;
	control_socket_command *on_command;
	void *context;
	uint32_t serials;
	struct client clients[CONTROL_CLIENTS_MAX];
	uint8_t bytes[COMMAND_BYTES_MAX + 1];
};

static void format_path(const struct control_socket *self, char *ret_path, size_t path_bytes)
{
	snprintf(ret_path, path_bytes, "%s/" COMMAND_SOCKET_NAME, self->folder);
}

/* --- the name --- */

static int bind_listener(int listener, const char *folder)
{
	int directory = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC), rc = 0;
	struct sockaddr_un address;
	unsigned length;

	if (directory < 0)
		return -errno;
	length = command_link_address(directory, &address);
	if (unlinkat(directory, COMMAND_SOCKET_NAME, 0) && errno != ENOENT)
		rc = -errno;
	/* the folder lets nobody else in; the mode says it once more */
	if (!rc && (bind(listener, (struct sockaddr *)&address, length) ||
			   fchmodat(directory, COMMAND_SOCKET_NAME, 0600, 0) ||
			   listen(listener, (int)CONTROL_CLIENTS_MAX)))
		rc = -errno;
	close(directory);
	return rc;
}

static int open_listener(struct control_socket *self)
{
	struct epoll_event entry = {.events = EPOLLIN, .data.u64 = LISTENER};
	char path[600];
	int listener = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), rc;

	if (listener < 0)
		return -errno;
	rc = bind_listener(listener, self->folder);
	if (!rc && epoll_ctl(self->epoll, EPOLL_CTL_ADD, listener, &entry))
		rc = -errno;
	if (rc) {
		close(listener);
		return rc;
	}
	if (self->listener >= 0)
		close(self->listener);
	self->listener = listener;
	format_path(self, path, sizeof(path));
	held_name_take(&self->name, path);
	return 0;
}

int control_socket_open(const char *folder, control_socket_command *on_command, void *context,
	struct control_socket **ret_socket, struct enrg_error *err)
{
	struct control_socket *self = calloc(1, sizeof(*self));
	int rc;

	if (!self)
		return enrg_error_set(err, -ENOMEM, "out of memory");
	self->on_command = on_command;
	self->context = context;
	self->listener = -1;
	for (size_t i = 0; i < CONTROL_CLIENTS_MAX; i++)
		self->clients[i].descriptor = -1;
	snprintf(self->folder, sizeof(self->folder), "%s", folder);
	self->epoll = epoll_create1(EPOLL_CLOEXEC);
	rc = self->epoll < 0 ? -errno : open_listener(self);
	if (rc) {
		control_socket_close(self);
		return enrg_error_set(err, rc, "%s/" COMMAND_SOCKET_NAME ": commands can't be taken: %s", folder,
			enrg_error_name(rc));
	}
	*ret_socket = self;
	return 0;
}

void control_socket_close(struct control_socket *self)
{
	char path[600];

	if (!self)
		return;
	for (size_t i = 0; i < CONTROL_CLIENTS_MAX; i++)
		if (self->clients[i].descriptor >= 0)
			close(self->clients[i].descriptor);
	if (self->listener >= 0) {
		close(self->listener);
		format_path(self, path, sizeof(path));
		unlink(path);
	}
	if (self->epoll >= 0)
		close(self->epoll);
	free(self);
}

int control_socket_descriptor(const struct control_socket *self)
{
	return self->epoll;
}

int control_socket_look(struct control_socket *self)
{
	char path[600];

	format_path(self, path, sizeof(path));
	return held_name_look(&self->name, path) == HELD_SAME ? 0 : open_listener(self);
}

/* --- clients --- */

static void hang_up(struct client *client)
{
	close(client->descriptor); /* leaves the epoll with it */
	client->descriptor = -1;
}

static void send_answer(struct client *client, const struct command_answer *answer)
{
	struct command_answer cut = {.code = COMMAND_FAILED};
	void *bytes = NULL;
	size_t count = 0;
	int rc = command_answer_format(answer, &bytes, &count, NULL);

	if (rc) {
		memcpy(cut.id, answer->id, sizeof(cut.id));
		command_answer_set(&cut, answer->code, "%s (its fields are too many to be sent)", answer->text);
		rc = command_answer_format(&cut, &bytes, &count, NULL);
	}
	if (rc || send(client->descriptor, bytes, count, MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
		hang_up(client);
	free(bytes);
}

void control_socket_send(struct control_socket *self, uint64_t client, const struct command_answer *answer)
{
	uint32_t index = (uint32_t)client, serial = (uint32_t)(client >> 32);

	if (index < CONTROL_CLIENTS_MAX && self->clients[index].descriptor >= 0 &&
		self->clients[index].serial == serial)
		send_answer(&self->clients[index], answer);
}

static void refuse(struct client *client, const char *format, const char *what)
{
	struct command_answer answer = {0};

	command_answer_set(&answer, COMMAND_REFUSED, format, what);
	send_answer(client, &answer);
	if (client->descriptor >= 0)
		hang_up(client);
}

static struct client *find_place(struct control_socket *self)
{
	for (size_t i = 0; i < CONTROL_CLIENTS_MAX; i++)
		if (self->clients[i].descriptor < 0)
			return &self->clients[i];
	return NULL;
}

static void refuse_stranger(struct client *client)
{
	char owner[64], stranger[64], what[200];

	path_format_user(geteuid(), owner, sizeof(owner));
	path_format_user(client->user, stranger, sizeof(stranger));
	snprintf(what, sizeof(what), "%s may not give commands to this supervisor: only %s and root may", stranger,
		owner);
	refuse(client, "%s", what);
}

static void accept_client(struct control_socket *self)
{
	struct client *place = find_place(self), stranger = {0}, *client = place ? place : &stranger;
	struct ucred peer;
	socklen_t length = sizeof(peer);

	client->descriptor = accept4(self->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (client->descriptor < 0)
		return;
	command_link_widen(client->descriptor);
	client->serial = ++self->serials;
	if (getsockopt(client->descriptor, SOL_SOCKET, SO_PEERCRED, &peer, &length)) {
		hang_up(client);
		return;
	}
	client->user = peer.uid;
	client->pid = peer.pid;
	if (peer.uid != geteuid() && peer.uid != 0) {
		refuse_stranger(client);
		return;
	}
	if (!place) {
		refuse(client, "too many programs are connected to this supervisor%s", "");
		return;
	}
	struct epoll_event entry = {.events = EPOLLIN, .data.u64 = (uint64_t)(place - self->clients)};
	if (epoll_ctl(self->epoll, EPOLL_CTL_ADD, client->descriptor, &entry))
		hang_up(client);
}

/* What the sender says of its user and process is not asked for: the kernel knows. */
static void take_message(struct control_socket *self, uint32_t index)
{
	struct client *client = &self->clients[index];
	struct enrg_error err = {0};
	struct command command;
	ssize_t count = recv(client->descriptor, self->bytes, sizeof(self->bytes), MSG_DONTWAIT);

	if (count < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (count <= 0) {
		hang_up(client);
		return;
	}
	if (command_parse(self->bytes, (size_t)count, &command, &err)) {
		refuse(client, "%s", err.text);
		return;
	}
	command.sender.user = client->user;
	command.sender.pid = client->pid;
	self->on_command(self->context, (uint64_t)client->serial << 32 | index, &command);
	command_fini(&command);
}

void control_socket_take(struct control_socket *self)
{
	struct epoll_event events[16];
	uint32_t taken = 0;

	while (taken < CONTROL_MESSAGES_MAX) {
		int count = epoll_wait(self->epoll, events, sizeof(events) / sizeof(events[0]), 0);

		if (count <= 0)
			return;
		for (int i = 0; i < count; i++, taken++) {
			uint64_t index = events[i].data.u64;

			if (index == LISTENER)
				accept_client(self);
			else if (self->clients[index].descriptor >= 0)
				take_message(self, (uint32_t)index);
		}
	}
}
