/* peer_test.c: the user at the other end of real connections; what a closed one leaves is nobody. */
#include "web/access/sample.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "web/access/peer.h"

static int listen_at(int family, uint16_t *ret_port)
{
	struct sockaddr_in6 address = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
	struct sockaddr_in short_one = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
	socklen_t bytes = family == AF_INET ? sizeof(short_one) : sizeof(address);
	struct sockaddr *any = family == AF_INET ? (struct sockaddr *)&short_one : (struct sockaddr *)&address;
	int listener = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (listener < 0 || bind(listener, any, bytes) || listen(listener, 4) || getsockname(listener, any, &bytes))
		return -1;
	*ret_port = ntohs(family == AF_INET ? short_one.sin_port : address.sin6_port);
	return listener;
}

/* A client's socket: of IPv6 with a mapped address where `is_mapped`. */
static int connect_to(int family, bool is_mapped, uint16_t port)
{
	struct sockaddr_in6 address = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
	struct sockaddr_in short_one = {
		.sin_family = AF_INET, .sin_port = htons(port), .sin_addr = {htonl(INADDR_LOOPBACK)}};
	int client = socket(is_mapped ? AF_INET6 : family, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(client >= 0);
	inet_pton(AF_INET6, is_mapped ? "::ffff:127.0.0.1" : "::1", &address.sin6_addr);
	if (family == AF_INET && !is_mapped)
		assert_int_equal(connect(client, (struct sockaddr *)&short_one, sizeof(short_one)), 0);
	else
		assert_int_equal(connect(client, (struct sockaddr *)&address, sizeof(address)), 0);
	return client;
}

static struct web_request describe(int accepted, int family, char server_address[46])
{
	struct web_request request = sample_request(WEB_GET, "/");
	struct sockaddr_in6 address;
	struct sockaddr_in short_one;
	socklen_t bytes = sizeof(address);

	memset(&address, 0, sizeof(address));
	assert_int_equal(getpeername(accepted, (struct sockaddr *)&address, &bytes), 0);
	memcpy(&short_one, &address, sizeof(short_one));
	if (family == AF_INET)
		inet_ntop(AF_INET, &short_one.sin_addr, request.peer_address, sizeof(request.peer_address));
	else
		inet_ntop(AF_INET6, &address.sin6_addr, request.peer_address, sizeof(request.peer_address));
	request.peer_port = ntohs(family == AF_INET ? short_one.sin_port : address.sin6_port);
	bytes = sizeof(address);
	assert_int_equal(getsockname(accepted, (struct sockaddr *)&address, &bytes), 0);
	memcpy(&short_one, &address, sizeof(short_one));
	if (family == AF_INET)
		inet_ntop(AF_INET, &short_one.sin_addr, server_address, 46);
	else
		inet_ntop(AF_INET6, &address.sin6_addr, server_address, 46);
	request.server_port = ntohs(family == AF_INET ? short_one.sin_port : address.sin6_port);
	request.server_address = server_address;
	request.is_loopback = true;
	return request;
}

static void check_own(int family, bool is_mapped)
{
	char server_address[46];
	uint16_t port;
	uint32_t user = 4711;
	int listener = listen_at(family, &port);

	if (listener < 0)
		return; /* a machine without IPv6 */
	int client = connect_to(family, is_mapped, port), accepted = accept(listener, NULL, NULL);
	struct web_request request = describe(accepted, family, server_address);
	assert_int_equal(peer_find_user(&request, &user), 0);
	assert_int_equal(user, getuid());
	user = 4711;
	assert_int_equal(peer_find_in_tables(&request, &user), 0);
	assert_int_equal(user, getuid());
	close(client); /* it is there no more, though we have not closed our end */
	user = 4711;
	assert_int_equal(peer_find_user(&request, &user), -ENOENT);
	assert_int_equal(peer_find_in_tables(&request, &user), -ENOENT);
	assert_int_equal(user, 4711);
	close(accepted);
	close(listener);
}

static void the_own_user_is_found(void **state)
{
	(void)state;
	check_own(AF_INET, false);
	check_own(AF_INET, true);
	check_own(AF_INET6, false);
}

static void another_user_is_found(void **state)
{
	char server_address[46], byte;
	uint16_t port;
	uint32_t user = 4711;
	int listener = listen_at(AF_INET, &port), wait_for[2];

	(void)state;
	if (getuid() != 0) {
		close(listener);
		skip(); /* only root becomes another user */
	}
	assert_int_equal(pipe(wait_for), 0);
	pid_t child = fork();
	if (child == 0) {
		close(wait_for[1]);
		if (setuid(65534))
			_exit(1);
		connect_to(AF_INET, false, port);
		_exit(read(wait_for[0], &byte, 1) != 0);
	}
	int accepted = accept(listener, NULL, NULL), status;
	struct web_request request = describe(accepted, AF_INET, server_address);
	assert_int_equal(peer_find_user(&request, &user), 0);
	assert_int_equal(user, 65534);
	assert_int_equal(peer_find_in_tables(&request, &user), 0);
	assert_int_equal(user, 65534);
	close(wait_for[0]);
	close(wait_for[1]);
	waitpid(child, &status, 0);
	assert_int_equal(status, 0);
	close(accepted);
	close(listener);
}

static void no_such_connection_is_nobody(void **state)
{
	struct web_request request = sample_request(WEB_GET, "/");
	uint32_t user;

	(void)state;
	strcpy(request.peer_address, "127.0.0.1");
	request.server_address = "127.0.0.1";
	request.peer_port = 1;
	request.server_port = 2;
	assert_int_equal(peer_find_user(&request, &user), -ENOENT);
	strcpy(request.peer_address, "what");
	assert_int_equal(peer_find_user(&request, &user), -EINVAL);
}

/* As the kernel writes it. */
#define HEAD "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"
static void the_table_is_read_line_by_line(void **state)
{
	static const struct {
		const char *line;
		int user; /* -1: none */
	} rows[] = {
		{"   1: 0100007F:9C40 0100007F:1F40 01 00000000:00000000 00:00000000 00000000  1000        0 4711 1 0 "
		 "20 4 30",
			1000},
		{"   1: 0100007F:9C40 0100007F:1F40 06 00000000:00000000 03:00001770 00000000     0        0 0 3 0",
			-1},
		{"   1: 0100007F:9C40 0100007F:1F40 05 00000000:00000000 00:00000000 00000000     0        0 0 3 0",
			-1},
		{"   1: 0100007F:9C40 0100007F:1F40 01 00000000:00000000 00:00000000 00000000     0        0 0 3 0",
			-1},
		{"   1: 0100007F:1F40 0100007F:9C40 01 00000000:00000000 00:00000000 00000000  1001        0 4712 1 0",
			-1},
		{"   1: 0200007F:9C40 0100007F:1F40 01 00000000:00000000 00:00000000 00000000  1001        0 4712 1 0",
			-1},
		{"   1: 0100007F:9C41 0100007F:1F40 01 00000000:00000000 00:00000000 00000000  1001        0 4712 1 0",
			-1},
		{"   1: 0100007F:9C40 0100007F:1F40 01", -1},
		{"   1: 0100007F9C40 0100007F:1F40 01 00000000:00000000 00:00000000 00000000  1001        0 4712 1 0",
			-1},
		{"   1: 0000000000000000FFFF00000100007F:9C40 0000000000000000FFFF00000100007F:1F40 01 "
		 "00000000:00000000 00:00000000 00000000  1002        0 4712 1 0",
			1002},
	};
	static const struct peer_end local = {{[10] = 0xff, [11] = 0xff, 127, 0, 0, 1}, 40000},
				     remote = {{[10] = 0xff, [11] = 0xff, 127, 0, 0, 1}, 8000};
	char text[1024];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		uint32_t user = 0;
		snprintf(text, sizeof(text), HEAD "%s\n", rows[i].line);
		int rc = peer_scan(text, &local, &remote, &user);
		if (rc != (rows[i].user < 0 ? -ENOENT : 0) || (rc == 0 && user != (uint32_t)rows[i].user))
			fail_msg("row %zu: %d, user %u", i, rc, user);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_own_user_is_found),
		cmocka_unit_test(another_user_is_found),
		cmocka_unit_test(no_such_connection_is_nobody),
		cmocka_unit_test(the_table_is_read_line_by_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
