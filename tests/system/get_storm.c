/* get_storm.c PORT PATH RATE SECONDS CONNECTIONS: so many GETs a second over kept connections; prints what was
 * answered, by status, as JSON. Who falls behind its rate sends as fast as it is answered. A test program; it runs
 * niced, as if it were on another machine. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define CONNECTIONS_MAX 64
#define PIPELINE        16u
#define ROOM            65536

struct connection {
	int socket;
	unsigned waiting; /* answers that are still to come */
	size_t used, body_left;
	char input[ROOM];
};

static struct connection connections[CONNECTIONS_MAX];
static struct sockaddr_in address = {.sin_family = AF_INET};
static char request[512];
static uint64_t sent, answered[600], broken;

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static void open_anew(struct connection *connection)
{
	if (connection->socket > 0)
		close(connection->socket);
	connection->socket = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	connection->waiting = 0;
	connection->used = connection->body_left = 0;
	if (connect(connection->socket, (struct sockaddr *)&address, sizeof(address)))
		broken++;
}

/* One answer behind another; what is left of the last waits for more. */
static bool take_answers(struct connection *connection)
{
	char *begin = connection->input, *limit = connection->input + connection->used, *end;

	while (begin < limit) {
		size_t body = (size_t)(limit - begin) < connection->body_left ? (size_t)(limit - begin)
									      : connection->body_left;
		begin += body;
		connection->body_left -= body;
		if (connection->body_left || !(end = memmem(begin, (size_t)(limit - begin), "\r\n\r\n", 4)))
			break;
		end[2] = '\0';
		int status = atoi(begin + 9);
		const char *length = strcasestr(begin, "\r\ncontent-length:");
		if (status < 100 || status > 599)
			return false;
		answered[status]++;
		connection->waiting -= connection->waiting > 0;
		connection->body_left = length ? strtoul(length + 17, NULL, 10) : 0;
		if (strcasestr(begin, "\r\nconnection: close"))
			return false;
		begin = end + 4;
	}
	connection->used = (size_t)(limit - begin);
	memmove(connection->input, begin, connection->used);
	return true;
}

static void serve(struct connection *connection)
{
	ssize_t count =
		recv(connection->socket, connection->input + connection->used, ROOM - connection->used, MSG_DONTWAIT);

	if (count < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (count > 0)
		connection->used += (size_t)count;
	if (count <= 0 || !take_answers(connection) || connection->used == ROOM)
		open_anew(connection);
}

static void run(uint64_t rate, uint64_t seconds, int count)
{
	struct pollfd polled[CONNECTIONS_MAX];
	size_t bytes = strlen(request);
	uint64_t begin_ns = now_ns(), end_ns = begin_ns + seconds * 1000000000u, at_ns;

	while ((at_ns = now_ns()) < end_ns) {
		uint64_t wanted = (at_ns - begin_ns) / 1000 * rate / 1000000;
		for (int i = 0; i < count; i++) {
			struct connection *connection = &connections[i];
			while (sent < wanted && connection->waiting < PIPELINE &&
				send(connection->socket, request, bytes, MSG_NOSIGNAL | MSG_DONTWAIT) ==
					(ssize_t)bytes) {
				connection->waiting++;
				sent++;
			}
			polled[i] = (struct pollfd){.fd = connection->socket, .events = POLLIN};
		}
		if (poll(polled, (nfds_t)count, 1) <= 0)
			continue;
		for (int i = 0; i < count; i++)
			if (polled[i].revents)
				serve(&connections[i]);
	}
}

int main(int argc, char **argv)
{
	int count = argc == 6 ? atoi(argv[5]) : 0;

	if (count < 1 || count > CONNECTIONS_MAX) {
		fputs("usage: get_storm PORT PATH RATE SECONDS CONNECTIONS\n", stderr);
		return 2;
	}
	setpriority(PRIO_PROCESS, 0, 19);
	address.sin_port = htons((uint16_t)atoi(argv[1]));
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	snprintf(request, sizeof(request), "GET %s HTTP/1.1\r\nHost: 127.0.0.1:%s\r\n\r\n", argv[2], argv[1]);
	for (int i = 0; i < count; i++)
		open_anew(&connections[i]);
	run(strtoull(argv[3], NULL, 10), strtoull(argv[4], NULL, 10), count);
	printf("{\"sent\": %llu, \"broken\": %llu, \"answers\": {", (unsigned long long)sent,
		(unsigned long long)broken);
	const char *before = "";
	for (int i = 100; i < 600; i++)
		if (answered[i]) {
			printf("%s\"%d\": %llu", before, i, (unsigned long long)answered[i]);
			before = ", ";
		}
	puts("}}");
	return 0;
}
