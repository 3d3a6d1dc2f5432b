/* peer.c: see the header. An entry counts only while the connection is established and a process holds the socket
 * (inode): what a dead one leaves (FIN_WAIT, TIME_WAIT) has user 0, who would be somebody. */
#include "web/access/peer.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#define TABLE_BYTES_MAX (16u << 20)

static const unsigned char mapped[12] = {[10] = 0xff, [11] = 0xff};

static int parse_end(const char *address, uint16_t port, struct peer_end *ret_end)
{
	memcpy(ret_end->address, mapped, sizeof(mapped));
	ret_end->port = port;
	return inet_pton(AF_INET, address, ret_end->address + 12) == 1 ||
			       inet_pton(AF_INET6, address, ret_end->address) == 1
		       ? 0
		       : -EINVAL;
}

static bool is_v4(const struct peer_end *end)
{
	return !memcmp(end->address, mapped, sizeof(mapped));
}

/* --- the table of the kernel as text --- */

/* "0100007F:1F90": words of 4 bytes in the order of this machine. */
static int scan_end(const char *text, struct peer_end *ret_end)
{
	size_t length = strspn(text, "0123456789ABCDEFabcdef");
	unsigned char *to = ret_end->address;
	char word[9] = {0};

	if ((length != 8 && length != 32) || text[length] != ':')
		return -EINVAL;
	if (length == 8) {
		memcpy(to, mapped, sizeof(mapped));
		to += sizeof(mapped);
	}
	for (size_t i = 0; i < length; i += 8, to += 4) {
		memcpy(word, text + i, 8);
		uint32_t value = (uint32_t)strtoul(word, NULL, 16);
		memcpy(to, &value, 4);
	}
	if (strspn(text + length + 1, "0123456789ABCDEFabcdef") != 4)
		return -EINVAL;
	memcpy(word, text + length + 1, 4);
	word[4] = '\0';
	ret_end->port = (uint16_t)strtoul(word, NULL, 16);
	return 0;
}

static bool is_end(const struct peer_end *one, const struct peer_end *other)
{
	return one->port == other->port && !memcmp(one->address, other->address, sizeof(one->address));
}

/* sl local remote st tx:rx tr:when retrnsmt uid timeout inode … */
static int scan_line(const char *line, const struct peer_end *local, const struct peer_end *remote, uint32_t *ret_user)
{
	char here[48], there[48];
	struct peer_end one, other;
	unsigned state, user;
	unsigned long inode;

	if (sscanf(line, " %*u: %47s %47s %2x %*s %*s %*s %u %*d %lu", here, there, &state, &user, &inode) != 5 ||
		scan_end(here, &one) || scan_end(there, &other))
		return -EINVAL;
	if (state != TCP_ESTABLISHED || inode == 0 || !is_end(&one, local) || !is_end(&other, remote))
		return -ENOENT;
	*ret_user = user;
	return 0;
}

int peer_scan(const char *text, const struct peer_end *local, const struct peer_end *remote, uint32_t *ret_user)
{
	for (const char *line = text; *line; line += strcspn(line, "\n"), line += *line ? 1 : 0)
		if (!scan_line(line, local, remote, ret_user))
			return 0;
	return -ENOENT;
}

static int scan_table(const char *path, const struct peer_end *local, const struct peer_end *remote, uint32_t *ret_user)
{
	FILE *stream = fopen(path, "re");
	char line[512];
	size_t bytes = 0;
	int rc = -ENOENT;

	if (!stream)
		return -errno;
	while (rc && bytes < TABLE_BYTES_MAX && fgets(line, sizeof(line), stream)) {
		bytes += strlen(line);
		rc = scan_line(line, local, remote, ret_user);
	}
	fclose(stream);
	return rc ? -ENOENT : 0;
}

/* --- one question to the kernel, however many sockets there are --- */

struct question {
	struct nlmsghdr header;
	struct inet_diag_req_v2 what;
};

static int open_link(void)
{
	const struct timeval patience = {.tv_sec = 1};
	int link = socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);

	if (link >= 0)
		setsockopt(link, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	return link;
}

static void make_question(
	uint8_t family, const struct peer_end *local, const struct peer_end *remote, struct question *ret_question)
{
	struct inet_diag_sockid *id = &ret_question->what.id;
	bool is_short = family == AF_INET;

	*ret_question = (struct question){.header = {.nlmsg_len = sizeof(*ret_question),
						  .nlmsg_type = SOCK_DIAG_BY_FAMILY,
						  .nlmsg_flags = NLM_F_REQUEST},
		.what = {.sdiag_family = family, .sdiag_protocol = IPPROTO_TCP, .idiag_states = 1u << TCP_ESTABLISHED}};
	id->idiag_sport = htons(local->port);
	id->idiag_dport = htons(remote->port);
	memcpy(id->idiag_src, local->address + (is_short ? 12 : 0), is_short ? 4 : 16);
	memcpy(id->idiag_dst, remote->address + (is_short ? 12 : 0), is_short ? 4 : 16);
	id->idiag_cookie[0] = id->idiag_cookie[1] = INET_DIAG_NOCOOKIE;
}

/* -ENOENT: no such socket; -ENOTSUP: the kernel does not answer this. */
static int ask_kernel(uint8_t family, const struct peer_end *local, const struct peer_end *remote, uint32_t *ret_user)
{
	struct question question;
	struct {
		struct nlmsghdr header;
		union {
			struct inet_diag_msg socket;
			struct nlmsgerr error;
			char room[1024];
		} is;
	} answer = {0};
	int link = open_link();

	if (link < 0)
		return -ENOTSUP;
	make_question(family, local, remote, &question);
	ssize_t sent = send(link, &question, sizeof(question), 0);
	ssize_t got = sent == (ssize_t)sizeof(question) ? recv(link, &answer, sizeof(answer), 0) : -1;
	close(link);
	if (got < (ssize_t)(sizeof(answer.header) + sizeof(answer.is.error)))
		return -ENOTSUP;
	if (answer.header.nlmsg_type == NLMSG_ERROR)
		return answer.is.error.error == -ENOENT ? -ENOENT : -ENOTSUP;
	if (got < (ssize_t)(sizeof(answer.header) + sizeof(answer.is.socket)) ||
		answer.header.nlmsg_type != SOCK_DIAG_BY_FAMILY)
		return -ENOTSUP;
	const struct inet_diag_msg *found = &answer.is.socket;
	if (found->idiag_state != TCP_ESTABLISHED || found->idiag_inode == 0 ||
		found->id.idiag_sport != question.what.id.idiag_sport ||
		found->id.idiag_dport != question.what.id.idiag_dport)
		return -ENOENT; /* a listener answers where the connection is gone */
	*ret_user = found->idiag_uid;
	return 0;
}

/* --- both --- */

typedef int look(uint8_t family, const struct peer_end *local, const struct peer_end *remote, uint32_t *ret_user);

static int look_in_table(
	uint8_t family, const struct peer_end *local, const struct peer_end *remote, uint32_t *ret_user)
{
	return scan_table(family == AF_INET ? "/proc/net/tcp" : "/proc/net/tcp6", local, remote, ret_user);
}

static int ask(uint8_t family, const struct peer_end *local, const struct peer_end *remote, uint32_t *ret_user)
{
	int rc = ask_kernel(family, local, remote, ret_user);

	return rc == -ENOTSUP ? look_in_table(family, local, remote, ret_user) : rc;
}

/* A client of IPv4 may hold a socket of IPv6 (::ffff:127.0.0.1). */
static int find(const struct web_request *request, look *way, uint32_t *ret_user)
{
	struct peer_end local, remote;

	if (parse_end(request->peer_address, request->peer_port, &local) ||
		parse_end(request->server_address, request->server_port, &remote))
		return -EINVAL;
	if (is_v4(&local) && is_v4(&remote) && !way(AF_INET, &local, &remote, ret_user))
		return 0;
	return way(AF_INET6, &local, &remote, ret_user);
}

int peer_find_user(const struct web_request *request, uint32_t *ret_user)
{
	return find(request, ask, ret_user);
}

int peer_find_in_tables(const struct web_request *request, uint32_t *ret_user)
{
	return find(request, look_in_table, ret_user);
}
