#include "web/http/listener.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "web/http/address.h"

enum { PORT_TRIES = 20, BACKLOG = 1024 };

struct place {
	struct sockaddr_storage address;
	bool may_be_missing; /* a loopback address that this machine does not have */
};

static int find_places(const char *host, struct place *ret_places, struct enrg_error *err)
{
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE}, *found = NULL;
	int count = 0;

	if (!*host || strcmp(host, "*") == 0)
		host = "0.0.0.0";
	if (strcmp(host, "localhost") == 0) {
		ret_places[0] = (struct place){.may_be_missing = true};
		ret_places[1] = (struct place){.may_be_missing = true};
		address_parse("127.0.0.1", &ret_places[0].address);
		address_parse("::1", &ret_places[1].address);
		return 2;
	}
	int rc = getaddrinfo(host, NULL, &hints, &found);
	if (rc)
		return enrg_error_set(err, ENRG_E_CONFIG,
			"'%s' is neither an address nor the name of this machine (%s): set rest_api_host to one that "
			"it has, "
			"such as localhost or 0.0.0.0",
			host, gai_strerror(rc));
	for (struct addrinfo *one = found; one && count < LISTENERS_MAX; one = one->ai_next) {
		if (one->ai_family != AF_INET && one->ai_family != AF_INET6)
			continue;
		ret_places[count] = (struct place){0};
		memcpy(&ret_places[count++].address, one->ai_addr, one->ai_addrlen);
	}
	freeaddrinfo(found);
	return count ? count : enrg_error_set(err, ENRG_E_CONFIG, "'%s' has no address", host);
}

static void set_port(struct sockaddr_storage *address, uint16_t port)
{
	if (address->ss_family == AF_INET)
		((struct sockaddr_in *)(void *)address)->sin_port = htons(port);
	else
		((struct sockaddr_in6 *)(void *)address)->sin6_port = htons(port);
}

static int open_socket(struct place *place, uint16_t port)
{
	int on = 1, off = 0;
	bool is_four = place->address.ss_family == AF_INET;
	socklen_t bytes = is_four ? sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6);
	int socket_fd = socket(place->address.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (socket_fd < 0)
		return -errno;
	set_port(&place->address, port);
	setsockopt(socket_fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)); /* connections of before may be ending */
	if (!is_four) {
		struct sockaddr_in6 *six = (struct sockaddr_in6 *)(void *)&place->address;
		bool is_any = IN6_IS_ADDR_UNSPECIFIED(&six->sin6_addr);
		setsockopt(socket_fd, IPPROTO_IPV6, IPV6_V6ONLY, is_any ? &off : &on, sizeof(on));
	}
	if (bind(socket_fd, (struct sockaddr *)&place->address, bytes) || listen(socket_fd, BACKLOG)) {
		int rc = -errno;
		close(socket_fd);
		return rc;
	}
	return socket_fd;
}

static uint16_t port_of(int socket_fd)
{
	struct sockaddr_storage address = {0};
	socklen_t bytes = sizeof(address);
	char text[46];

	getsockname(socket_fd, (struct sockaddr *)&address, &bytes);
	return address_format(&address, text);
}

static int explain(const struct place *place, uint16_t port, int rc, struct enrg_error *err)
{
	char text[46], where[64];

	address_format(&place->address, text);
	snprintf(where, sizeof(where), strchr(text, ':') ? "[%s]:%u" : "%s:%u", text, port);
	if (rc == -EADDRINUSE)
		return enrg_error_set(err, rc,
			"%s is in use: another program (or ENRGDAQ of another folder) listens there; set another "
			"rest_api_port, "
			"or see who it is with: ss -ltnp 'sport = :%u'",
			where, port);
	if (rc == -EACCES || rc == -EPERM)
		return enrg_error_set(err, rc,
			"%s: this user may not listen there; ports below 1024 are for root: set a "
			"higher rest_api_port, and let a proxy stand before it",
			where);
	if (rc == -EADDRNOTAVAIL)
		return enrg_error_set(err, rc,
			"%s: this machine has no such address now; `ip address` shows those that it has", where);
	return enrg_error_set(err, rc, "can't listen at %s: %s", where, strerror(-rc));
}

static int open_places(
	struct place *places, int count, uint16_t port, int ret_sockets[LISTENERS_MAX], struct enrg_error *err)
{
	int opened = 0, rc = 0, failed = 0;

	for (int i = 0; i < count; i++) {
		rc = open_socket(&places[i], port);
		if (rc < 0) {
			failed = i;
			if (places[i].may_be_missing && (rc == -EADDRNOTAVAIL || rc == -EAFNOSUPPORT))
				continue;
			break;
		}
		ret_sockets[opened++] = rc;
		if (!port)
			port = port_of(rc);
	}
	if (rc >= 0 || (opened && places[failed].may_be_missing && rc != -EADDRINUSE))
		return opened;
	while (opened)
		close(ret_sockets[--opened]);
	return explain(&places[failed], port, rc, err);
}

int listener_open(
	const char *host, uint16_t port, int ret_sockets[LISTENERS_MAX], uint16_t *ret_port, struct enrg_error *err)
{
	struct place places[LISTENERS_MAX];
	int count = find_places(host, places, err), rc = -EADDRINUSE;

	if (count < 0)
		return count;
	/* a free port of the first address may be taken at the second */
	for (int i = 0; rc == -EADDRINUSE && i < (port ? 1 : PORT_TRIES); i++)
		rc = open_places(places, count, port, ret_sockets, err);
	if (rc > 0)
		*ret_port = port_of(ret_sockets[0]);
	return rc;
}
