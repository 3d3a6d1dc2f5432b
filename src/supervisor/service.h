/* service.h: what a service manager is told (systemd's protocol: lines in a datagram to the socket that NOTIFY_SOCKET
 * names, a path or an abstract name). Never blocks; where nobody wants to know, nothing is done. Process: supervisor,
 * main thread. */
#ifndef SUPERVISOR_SERVICE_H
#define SUPERVISOR_SERVICE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/un.h>

struct service {
	int socket; /* -1 = nobody wants to know */
	struct sockaddr_un address;
	unsigned address_bytes;
	uint64_t beat_every_ns; /* 0 = it keeps no watchdog */
	uint64_t beat_ns;       /* when the last sign of life was given */
	bool is_ready_told, is_stopping_told;
};

/* Reads the environment, and takes out of it what is meant for this process alone. */
void service_open(struct service *ret_service);
void service_close(struct service *service);
bool service_is_watching(const struct service *service);

/* Lines such as "READY=1" or "STATUS=text"; control characters in arguments are the caller's matter. */
void service_tell(struct service *service, const char *format, ...) __attribute__((format(printf, 2, 3)));
void service_begin_reload(struct service *service);
void service_end_reload(struct service *service);
/* A sign of life where it is due; "READY=1" and "STOPPING=1" when the run is up, or stops, for the first time.
 * `mono_ns`: CLOCK_MONOTONIC. */
void service_step(struct service *service, uint64_t mono_ns, bool is_up, bool is_stopping);
/* Once a second: a line for `systemctl status`. A stop may last: while it does, more time is asked for. */
void service_report(struct service *service, const char *phase, const char *summary, bool is_stopping);
/* Nanoseconds until the next one is due; UINT64_MAX = none. */
uint64_t service_next_beat(const struct service *service, uint64_t mono_ns);

#endif
