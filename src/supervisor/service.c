/* service.c: datagrams to a service manager. Process: supervisor, main thread. */
#include "supervisor/service.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"

#define EXTEND_USEC 20000000 /* a stop that goes on is given so much more, each second */

/* "@name" is an abstract socket: its address begins with a NUL and has no end but its length. */
static bool read_address(const char *text, struct service *service)
{
	size_t length = strlen(text);

	if ((text[0] != '/' && text[0] != '@') || length >= sizeof(service->address.sun_path))
		return false;
	service->address.sun_family = AF_UNIX;
	memcpy(service->address.sun_path, text, length);
	if (text[0] == '@')
		service->address.sun_path[0] = '\0';
	service->address_bytes = (unsigned)(offsetof(struct sockaddr_un, sun_path) + length);
	return true;
}

/* Half of the time that it allows, as its manual advises. */
static uint64_t read_watchdog(void)
{
	const char *text = getenv("WATCHDOG_USEC"), *pid = getenv("WATCHDOG_PID");
	unsigned long long usec = text ? strtoull(text, NULL, 10) : 0;

	return pid && strtol(pid, NULL, 10) != getpid() ? 0 : usec * 500;
}

void service_open(struct service *ret_service)
{
	struct service service = {.socket = -1};
	const char *text = getenv("NOTIFY_SOCKET");

	if (text && read_address(text, &service)) {
		service.socket = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
		service.beat_every_ns = service.socket < 0 ? 0 : read_watchdog();
	}
	unsetenv("NOTIFY_SOCKET");
	unsetenv("WATCHDOG_USEC");
	unsetenv("WATCHDOG_PID");
	*ret_service = service;
}

void service_close(struct service *service)
{
	if (service->socket >= 0)
		close(service->socket);
	service->socket = -1;
	service->beat_every_ns = 0;
}

bool service_is_watching(const struct service *service)
{
	return service->socket >= 0;
}

void service_tell(struct service *service, const char *format, ...)
{
	char text[1024];
	va_list arguments;

	if (service->socket < 0)
		return;
	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	/* One that does not listen misses a line; the next comes within a second. */
	(void)sendto(service->socket, text, strlen(text), MSG_DONTWAIT | MSG_NOSIGNAL,
		(const struct sockaddr *)&service->address, service->address_bytes);
}

void service_begin_reload(struct service *service)
{
	service_tell(service, "RELOADING=1\nMONOTONIC_USEC=%llu", (unsigned long long)(clock_mono_ns() / 1000));
}

void service_end_reload(struct service *service)
{
	if (service->is_ready_told)
		service_tell(service, "READY=1");
}

uint64_t service_next_beat(const struct service *service, uint64_t mono_ns)
{
	uint64_t due_ns = service->beat_ns + service->beat_every_ns;

	if (!service->beat_every_ns)
		return UINT64_MAX;
	return due_ns > mono_ns ? due_ns - mono_ns : 0;
}

static void tell_once(struct service *service, bool is_so, bool *is_told, const char *line)
{
	if (is_so && !*is_told)
		service_tell(service, "%s", line);
	*is_told |= is_so;
}

void service_step(struct service *service, uint64_t mono_ns, bool is_up, bool is_stopping)
{
	if (!service_next_beat(service, mono_ns)) {
		service->beat_ns = mono_ns;
		service_tell(service, "WATCHDOG=1");
	}
	tell_once(service, is_up && !is_stopping, &service->is_ready_told, "READY=1");
	tell_once(service, is_stopping, &service->is_stopping_told, "STOPPING=1");
}

void service_report(struct service *service, const char *phase, const char *summary, bool is_stopping)
{
	service_tell(service, "STATUS=%s: %s", phase, summary);
	if (is_stopping)
		service_tell(service, "EXTEND_TIMEOUT_USEC=%d", EXTEND_USEC);
}
