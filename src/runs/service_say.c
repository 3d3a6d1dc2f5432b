/* service_say.c: lines to the supervisor. Process: the book, main thread. */
#include "runs/service_state.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/text.h"

static bool send_bytes(struct service *service, const char *text, size_t bytes, int descriptor)
{
	char room[CMSG_SPACE(sizeof(int))] = {0};
	struct iovec part = {.iov_base = (char *)text, .iov_len = bytes};
	struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};

	if (descriptor >= 0) {
		message.msg_control = room;
		message.msg_controllen = sizeof(room);
		struct cmsghdr *control = CMSG_FIRSTHDR(&message);
		control->cmsg_level = SOL_SOCKET;
		control->cmsg_type = SCM_RIGHTS;
		control->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(control), &descriptor, sizeof(descriptor));
	}
	while (part.iov_len) {
		ssize_t sent = sendmsg(service->socket, &message, MSG_NOSIGNAL);
		if (sent < 0 && errno == EINTR)
			continue;
		if (sent <= 0)
			return false; /* it has gone, which is seen where it is read from */
		part.iov_base = (char *)part.iov_base + sent;
		part.iov_len -= (size_t)sent;
		message.msg_control = NULL;
		message.msg_controllen = 0;
	}
	return true;
}

void service_say_with(struct service *service, json_t *line, int descriptor)
{
	char *text = line && service->socket >= 0 ? json_dumps(line, JSON_COMPACT) : NULL, *longer;

	json_decref(line);
	if (!text)
		return;
	size_t bytes = strlen(text);
	longer = realloc(text, bytes + 2);
	if (longer) {
		strcpy(longer + bytes, "\n");
		(void)send_bytes(service, longer, bytes + 1, descriptor);
		text = longer;
	}
	free(text);
}

void service_say(struct service *service, json_t *line)
{
	service_say_with(service, line, -1);
}

void service_alert(struct service *service, const char *level, const char *key, const char *text, bool is_over)
{
	char safe[3 * DATABASE_PATH_BYTES];

	/* what was cut between two bytes of a letter, or a name that is no UTF-8, would be no line at all */
	text_copy(safe, sizeof(safe), text);
	text_make_safe(safe, strlen(safe));
	service_say(service,
		json_pack("{s:s, s:s, s:s, s:b}", "alert", key, "level", level, "text", safe, "is_over", is_over));
}
