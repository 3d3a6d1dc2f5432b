/* command_link.c: commands out, answers in. */
#include "handover/command_link.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/path.h"

unsigned command_link_address(int folder_descriptor, struct sockaddr_un *ret_address)
{
	*ret_address = (struct sockaddr_un){.sun_family = AF_UNIX};
	/* an address has 107 bytes, a path may have more */
	snprintf(ret_address->sun_path, sizeof(ret_address->sun_path), "/proc/self/fd/%d/" COMMAND_SOCKET_NAME,
		folder_descriptor);
	return sizeof(*ret_address);
}

static int explain(const char *folder, int rc, struct enrg_error *err)
{
	struct stat status;
	char owner[64] = "another user";

	if (rc == -EACCES || rc == -EPERM) {
		if (!stat(folder, &status))
			path_format_user(status.st_uid, owner, sizeof(owner));
		return enrg_error_set(err, -EACCES,
			"%s belongs to %s: only that user and root may give commands to the supervisor there", folder,
			owner);
	}
	return enrg_error_set(err, rc, "no supervisor listens in %s: %s", folder, enrg_error_name(rc));
}

void command_link_widen(int socket)
{
	int bytes = (int)COMMAND_BYTES_MAX;

	(void)setsockopt(socket, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof(bytes));
}

int command_link_open(const char *folder, int *ret_socket, struct enrg_error *err)
{
	int directory = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC), rc = 0, link;
	struct sockaddr_un address;

	if (directory < 0)
		return explain(folder, -errno, err);
	link = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (link >= 0)
		command_link_widen(link);
	if (link < 0 || connect(link, (struct sockaddr *)&address, command_link_address(directory, &address)))
		rc = -errno;
	close(directory);
	if (rc) {
		command_link_close(link);
		return explain(folder, rc, err);
	}
	*ret_socket = link;
	return 0;
}

void command_link_close(int socket)
{
	if (socket >= 0)
		close(socket);
}

int command_link_send(int socket, const struct command *command, struct enrg_error *err)
{
	void *bytes;
	size_t count;
	int rc = command_format(command, &bytes, &count, err);

	if (rc)
		return rc;
	while (send(socket, bytes, count, MSG_NOSIGNAL) < 0 && !rc)
		rc = errno == EINTR ? 0 : -errno;
	free(bytes);
	if (!rc)
		return 0;
	rc = rc == -ECONNRESET || rc == -ENOTCONN ? -EPIPE : rc;
	return enrg_error_set(err, rc, "the command %s was not sent: %s", command->kind, enrg_error_name(rc));
}

static int take_answer(int socket, struct command_answer *ret_answer, struct enrg_error *err)
{
	uint8_t *bytes = malloc(COMMAND_BYTES_MAX + 1);
	ssize_t count;
	int rc;

	if (!bytes)
		return enrg_error_set(err, -ENOMEM, "no memory for an answer");
	count = recv(socket, bytes, COMMAND_BYTES_MAX + 1, 0);
	if (count > 0)
		rc = command_answer_parse(bytes, (size_t)count, ret_answer, err);
	else if (count == 0 || (errno != EAGAIN && errno != EINTR))
		rc = enrg_error_set(err, -EPIPE, "the supervisor has hung up");
	else
		rc = -EAGAIN;
	free(bytes);
	return rc;
}

int command_link_recv(int socket, uint64_t timeout_ns, struct command_answer *ret_answer, struct enrg_error *err)
{
	uint64_t now_ns = clock_mono_ns(), end_ns = now_ns + timeout_ns;

	for (;;) {
		struct pollfd item = {.fd = socket, .events = POLLIN};
		uint64_t left_ms = end_ns > now_ns ? (end_ns - now_ns + 999999) / 1000000 : 0;
		int rc = take_answer(socket, ret_answer, err);

		if (rc != -EAGAIN)
			return rc ? rc : 1;
		if (!left_ms)
			return 0;
		(void)poll(&item, 1, left_ms < 1000000 ? (int)left_ms : 1000000);
		now_ns = clock_mono_ns();
	}
}

/* Other answers are left over from commands that were asked before on the same link. An answer without an id is about
 * the connection as such. */
static int wait_for(int link, const struct command *command, uint64_t timeout_ns, struct command_answer *ret_answer,
	struct enrg_error *err)
{
	static const uint8_t no_id[COMMAND_ID_BYTES];
	uint64_t end_ns = clock_mono_ns() + timeout_ns;

	for (;;) {
		uint64_t now_ns = clock_mono_ns();
		int rc = command_link_recv(link, end_ns > now_ns ? end_ns - now_ns : 0, ret_answer, err);

		if (rc != 1)
			return rc;
		if (!memcmp(ret_answer->id, command->id, COMMAND_ID_BYTES) ||
			!memcmp(ret_answer->id, no_id, COMMAND_ID_BYTES))
			return 1;
		command_answer_fini(ret_answer);
	}
}

int command_link_ask(const char *folder, const struct command *command, uint64_t timeout_ns,
	struct command_answer *ret_answer, struct enrg_error *err)
{
	struct enrg_error why = {0};
	int link = -1, rc = command_link_open(folder, &link, err);

	*ret_answer = (struct command_answer){0};
	if (!rc)
		rc = command_link_send(link, command, err);
	if (rc) {
		command_link_close(link);
		return rc;
	}
	rc = wait_for(link, command, timeout_ns, ret_answer, &why);
	command_link_close(link);
	if (rc == 1)
		return 0;
	*ret_answer = (struct command_answer){0};
	memcpy(ret_answer->id, command->id, COMMAND_ID_BYTES);
	command_answer_set(ret_answer, COMMAND_UNKNOWN,
		"no answer to %s: %s; it may have been done or not: read the state back", command->kind,
		rc ? why.text : "the time is over");
	return 0;
}
