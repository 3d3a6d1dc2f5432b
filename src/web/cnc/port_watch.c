/* port_watch.c: see the header. */
#include "web/cnc/port_watch.h"

#include <fcntl.h>
#include <malloc.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#define DESCRIPTORS_MAX 1024 /* enrgdaq-web has no more */

static bool is_connected(int descriptor, uint16_t port)
{
	struct sockaddr_storage own = {0}, other = {0};
	socklen_t own_bytes = sizeof(own), other_bytes = sizeof(other);

	if (getsockname(descriptor, (struct sockaddr *)&own, &own_bytes) ||
		getpeername(descriptor, (struct sockaddr *)&other, &other_bytes))
		return false;
	if (own.ss_family == AF_INET)
		return ((struct sockaddr_in *)&own)->sin_port == htons(port);
	return own.ss_family == AF_INET6 && ((struct sockaddr_in6 *)&own)->sin6_port == htons(port);
}

unsigned port_connections(uint16_t port)
{
	unsigned count = 0;

	for (int descriptor = 0; descriptor < DESCRIPTORS_MAX; descriptor++)
		count += is_connected(descriptor, port);
	return count;
}

static uint64_t resident_bytes(void)
{
	char text[128];
	int descriptor = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
	ssize_t count = descriptor < 0 ? -1 : read(descriptor, text, sizeof(text) - 1);
	char *end = NULL;

	if (descriptor >= 0)
		close(descriptor);
	if (count <= 0)
		return 0;
	text[count] = '\0';
	strtoull(text, &end, 10);
	return strtoull(end, NULL, 10) * (uint64_t)sysconf(_SC_PAGESIZE);
}

void port_watch_shrink(struct port_watch *watch)
{
	malloc_trim(0);
	watch->least_bytes = 0;
}

bool port_watch_is_full(const struct port_watch *watch)
{
	return watch->is_full;
}

enum port_word port_watch_look(struct port_watch *watch, uint16_t port, uint64_t now_ns)
{
	if (now_ns < watch->look_ns)
		return PORT_QUIET;
	watch->look_ns = now_ns + PORT_LOOK_NS;

	uint64_t bytes = resident_bytes();
	if (!watch->least_bytes || bytes < watch->least_bytes)
		watch->least_bytes = bytes;
	if (bytes - watch->least_bytes > PORT_GROWTH_MAX)
		return PORT_SWOLLEN;
	unsigned count = port_connections(port);
	if (count >= PORT_CONNECTIONS_END)
		return PORT_CROWDED;
	if (count < PORT_CONNECTIONS_LOW)
		watch->is_full = false;
	if (count < PORT_CONNECTIONS_MAX || watch->is_full)
		return PORT_QUIET;
	watch->is_full = true;
	return PORT_FULL;
}
