/* service_test.c: a service manager of our own listens. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "supervisor/service.h"

#define SECOND 1000000000ull

static int listen_at(const char *name)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int descriptor = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	memcpy(address.sun_path, name, strlen(name));
	if (name[0] == '@')
		address.sun_path[0] = '\0';
	assert_int_equal(bind(descriptor, (struct sockaddr *)&address,
				 (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(name))),
		0);
	setenv("NOTIFY_SOCKET", name, 1);
	return descriptor;
}

static const char *receive(int descriptor)
{
	static char text[2048];
	ssize_t got = recv(descriptor, text, sizeof(text) - 1, 0);

	text[got > 0 ? got : 0] = '\0';
	return text;
}

static void lines_arrive(void **state)
{
	struct service service;
	char path[64], abstract[64];

	(void)state;
	snprintf(path, sizeof(path), "/tmp/service_test.%d", (int)getpid());
	snprintf(abstract, sizeof(abstract), "@service_test.%d", (int)getpid());
	for (int i = 0; i < 2; i++) {
		int descriptor = listen_at(i ? abstract : path);

		service_open(&service);
		assert_true(service_is_watching(&service));
		assert_null(getenv("NOTIFY_SOCKET")); /* no job may speak for us */
		service_tell(&service, "READY=1\nSTATUS=%d jobs", 3);
		assert_string_equal(receive(descriptor), "READY=1\nSTATUS=3 jobs");
		service_begin_reload(&service);
		assert_memory_equal(receive(descriptor), "RELOADING=1\nMONOTONIC_USEC=", 27);
		service_end_reload(&service); /* it has never been ready */
		service_step(&service, SECOND, true, false);
		assert_string_equal(receive(descriptor), "READY=1");
		service_step(&service, SECOND, true, false);
		service_end_reload(&service);
		assert_string_equal(receive(descriptor), "READY=1");
		service_report(&service, "draining stores", "3 MB left", true);
		assert_string_equal(receive(descriptor), "STATUS=draining stores: 3 MB left");
		assert_memory_equal(receive(descriptor), "EXTEND_TIMEOUT_USEC=", 20);
		service_step(&service, SECOND, true, true);
		assert_string_equal(receive(descriptor), "STOPPING=1");
		service_step(&service, SECOND, true, true);
		assert_string_equal(receive(descriptor), "");
		assert_int_equal(service_next_beat(&service, SECOND), UINT64_MAX);
		close(descriptor);
		service_tell(&service, "nobody listens");
		service_close(&service);
	}
	unlink(path);
}

static void signs_of_life_come_in_time(void **state)
{
	struct service service;
	char abstract[64], pid[16];

	(void)state;
	snprintf(abstract, sizeof(abstract), "@service_test.%d", (int)getpid());
	snprintf(pid, sizeof(pid), "%d", (int)getpid());
	int descriptor = listen_at(abstract);
	setenv("WATCHDOG_USEC", "3000000", 1);
	setenv("WATCHDOG_PID", pid, 1);
	service_open(&service);
	service_step(&service, 10 * SECOND, false, false);
	assert_string_equal(receive(descriptor), "WATCHDOG=1");
	service_step(&service, 11 * SECOND, false, false);
	assert_string_equal(receive(descriptor), "");
	assert_int_equal(service_next_beat(&service, 11 * SECOND), SECOND / 2);
	service_step(&service, 11 * SECOND + SECOND / 2, false, false);
	assert_string_equal(receive(descriptor), "WATCHDOG=1");
	service_close(&service);
	setenv("NOTIFY_SOCKET", abstract, 1);
	setenv("WATCHDOG_USEC", "3000000", 1);
	setenv("WATCHDOG_PID", "1", 1); /* another process is meant */
	service_open(&service);
	assert_int_equal(service_next_beat(&service, SECOND), UINT64_MAX);
	service_close(&service);
	close(descriptor);
}

static void without_a_manager_nothing_is_done(void **state)
{
	struct service service;

	(void)state;
	service_open(&service);
	assert_false(service_is_watching(&service));
	service_tell(&service, "READY=1");
	service_step(&service, SECOND, true, false);
	service_close(&service);
	setenv("NOTIFY_SOCKET", "vsock:2:1", 1);
	service_open(&service);
	assert_false(service_is_watching(&service));
	service_close(&service);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines_arrive),
		cmocka_unit_test(signs_of_life_come_in_time),
		cmocka_unit_test(without_a_manager_nothing_is_done),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
