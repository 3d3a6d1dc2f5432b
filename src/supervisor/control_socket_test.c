/* control_socket_test.c: commands through a socket; strangers, floods and bytes that are no command. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "handover/command_link.h"
#include "supervisor/control_socket.h"

#define S 1000000000ull

static char folder[300];
static struct control_socket *server;
static unsigned taken;
static bool is_mute; /* commands are taken and not answered */
static uint32_t last_user;
static int64_t last_pid;

static void echo(void *context, uint64_t client, const struct command *command)
{
	struct command_answer answer = {0};

	(void)context;
	taken++;
	if (is_mute)
		return;
	last_user = command->sender.user;
	last_pid = command->sender.pid;
	memcpy(answer.id, command->id, sizeof(answer.id));
	command_answer_set(&answer, COMMAND_OK, "%s", command->kind);
	control_socket_send(server, client, &answer);
}

static int set_up(void **state)
{
	(void)state;
	taken = 0;
	strcpy(folder, "/dev/shm/control_socket_test.XXXXXX");
	assert_non_null(mkdtemp(folder));
	assert_int_equal(control_socket_open(folder, echo, NULL, &server, NULL), 0);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	control_socket_close(server);
	assert_int_equal(rmdir(folder), 0); /* the name of the socket is gone as well */
	return 0;
}

static int connect_here(void)
{
	struct enrg_error err = {0};
	int link = -1;

	assert_int_equal(command_link_open(folder, &link, &err), 0);
	return link;
}

static void ask(int link, const char *kind, struct command_answer *ret_answer)
{
	struct command command;

	assert_int_equal(command_init(&command, "supervisor", kind, NULL, 5 * S), 0);
	command.sender.user = 12345; /* nobody is believed */
	command.sender.pid = 54321;
	assert_int_equal(command_link_send(link, &command, NULL), 0);
	control_socket_take(server);
	assert_int_equal(command_link_recv(link, S, ret_answer, NULL), 1);
	assert_memory_equal(ret_answer->id, command.id, sizeof(command.id));
	command_fini(&command);
}

static void a_command_is_answered_and_its_sender_known(void **state)
{
	struct command_answer answer;
	struct stat status;
	char path[400];
	int link = connect_here();

	(void)state;
	snprintf(path, sizeof(path), "%s/control", folder);
	assert_int_equal(stat(path, &status), 0);
	assert_int_equal(status.st_mode & 07777, 0600);
	ask(link, "hello", &answer);
	assert_string_equal(answer.text, "hello");
	assert_int_equal(last_user, geteuid());
	assert_int_equal(last_pid, getpid());
	command_answer_fini(&answer);
	command_link_close(link);
}

static void bytes_that_are_no_command_end_their_sender_alone(void **state)
{
	struct command_answer answer;
	int sound = connect_here(), hostile = connect_here();

	(void)state;
	assert_true(send(hostile, "\xff\xff\xff", 3, MSG_NOSIGNAL) == 3);
	control_socket_take(server);
	assert_int_equal(command_link_recv(hostile, S, &answer, NULL), 1);
	assert_int_equal(answer.code, COMMAND_REFUSED);
	assert_non_null(strstr(answer.text, "malformed"));
	command_answer_fini(&answer);
	assert_int_equal(command_link_recv(hostile, S, &answer, NULL), -EPIPE);
	ask(sound, "still", &answer);
	command_answer_fini(&answer);
	assert_int_equal(taken, 1);
	command_link_close(sound);
	command_link_close(hostile);
}

static void an_empty_or_too_large_message_is_none(void **state)
{
	struct command_answer answer;
	char *bytes = calloc(1, COMMAND_BYTES_MAX + 100);
	int empty = connect_here(), large = connect_here();

	(void)state;
	assert_non_null(bytes);
	assert_true(send(empty, "", 0, MSG_NOSIGNAL) == 0);
	assert_true(send(large, bytes, COMMAND_BYTES_MAX + 100, MSG_NOSIGNAL) > 0);
	control_socket_take(server);
	assert_int_equal(command_link_recv(empty, S, &answer, NULL), -EPIPE);
	assert_int_equal(command_link_recv(large, S, &answer, NULL), 1);
	assert_int_equal(answer.code, COMMAND_REFUSED);
	command_answer_fini(&answer);
	assert_int_equal(taken, 0);
	command_link_close(empty);
	command_link_close(large);
	free(bytes);
}

static void who_takes_no_answers_is_hung_up_on(void **state)
{
	struct command_answer answer;
	struct command command;
	int flood = connect_here(), sound = connect_here();
	bool is_gone = false;

	(void)state;
	assert_int_equal(command_init(&command, "supervisor", "x", NULL, 5 * S), 0);
	for (int i = 0; i < 100000 && !is_gone; i++) {
		is_gone = command_link_send(flood, &command, NULL) == -EPIPE;
		control_socket_take(server);
	}
	assert_true(is_gone);
	ask(sound, "still", &answer);
	command_answer_fini(&answer);
	command_fini(&command);
	command_link_close(flood);
	command_link_close(sound);
}

static void too_many_clients_are_told_so(void **state)
{
	int links[CONTROL_CLIENTS_MAX + 1];
	struct command_answer answer;

	(void)state;
	for (size_t i = 0; i <= CONTROL_CLIENTS_MAX; i++) {
		links[i] = connect_here();
		control_socket_take(server);
	}
	assert_int_equal(command_link_recv(links[CONTROL_CLIENTS_MAX], S, &answer, NULL), 1);
	assert_int_equal(answer.code, COMMAND_REFUSED);
	command_answer_fini(&answer);
	command_link_close(links[0]);
	command_link_close(links[CONTROL_CLIENTS_MAX]);
	control_socket_take(server);
	links[0] = connect_here(); /* a place is free again */
	ask(links[0], "hello", &answer);
	command_answer_fini(&answer);
	for (size_t i = 0; i < CONTROL_CLIENTS_MAX; i++)
		command_link_close(links[i]);
}

static void a_removed_name_comes_back(void **state)
{
	struct command_answer answer;
	char path[400];
	int before = connect_here(), after;

	(void)state;
	control_socket_take(server);
	snprintf(path, sizeof(path), "%s/control", folder);
	unlink(path);
	assert_int_equal(command_link_open(folder, &after, NULL), -ENOENT);
	assert_int_equal(control_socket_look(server), 0);
	after = connect_here();
	ask(after, "new", &answer);
	command_answer_fini(&answer);
	ask(before, "old", &answer);
	command_answer_fini(&answer);
	command_link_close(before);
	command_link_close(after);
}

/* The folder and the socket let nobody else in; this one was opened to all by somebody. */
static void another_user_is_refused(void **state)
{
	char path[400], text[1000] = "";
	int pipe_ends[2];
	ssize_t count;
	pid_t child;

	(void)state;
	if (geteuid() != 0)
		skip();
	snprintf(path, sizeof(path), "%s/control", folder);
	chmod(folder, 0755);
	chmod(path, 0666);
	assert_int_equal(pipe(pipe_ends), 0);
	child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		struct command_answer answer = {0};
		int link;

		if (setgid(65534) || setuid(65534) || command_link_open(folder, &link, NULL))
			_exit(1);
		if (write(pipe_ends[1], "c", 1) != 1 || command_link_recv(link, 10 * S, &answer, NULL) != 1)
			_exit(2);
		if (write(pipe_ends[1], answer.text, strlen(answer.text)) < 0)
			_exit(3);
		_exit(answer.code == COMMAND_REFUSED ? 0 : 4);
	}
	assert_int_equal(read(pipe_ends[0], text, 1), 1);
	control_socket_take(server);
	close(pipe_ends[1]);
	count = read(pipe_ends[0], text, sizeof(text) - 1);
	assert_true(count > 0);
	text[count] = 0;
	assert_non_null(strstr(text, "may not give commands to this supervisor: only root"));
	int status;
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	assert_int_equal(taken, 0);
	close(pipe_ends[0]);
}

static void nobody_there_is_said(void **state)
{
	struct enrg_error err = {0};
	struct command_answer answer;
	struct command command;

	(void)state;
	assert_int_equal(command_init(&command, "supervisor", "x", NULL, S), 0);
	assert_int_equal(command_link_ask("/dev/shm/nothing here", &command, S, &answer, &err), -ENOENT);
	assert_non_null(strstr(err.text, "no supervisor listens in /dev/shm/nothing here"));
	/* it listens, takes nothing, and ends */
	assert_int_equal(command_link_ask(folder, &command, 1000000, &answer, &err), 0);
	assert_int_equal(answer.code, COMMAND_UNKNOWN);
	assert_non_null(strstr(answer.text, "read the state back"));
	command_fini(&command);
}

/* Who waits is told at once when its supervisor ends. */
static void who_waits_when_it_ends_knows_nothing(void **state)
{
	pid_t child = fork();
	uint64_t begin_ns = clock_mono_ns();
	int status;

	(void)state;
	assert_true(child >= 0);
	if (child == 0) {
		struct command_answer answer = {0};
		struct command command;

		if (command_init(&command, "supervisor", "x", NULL, S) ||
			command_link_ask(folder, &command, 60 * S, &answer, NULL))
			_exit(1);
		_exit(answer.code == COMMAND_UNKNOWN && strstr(answer.text, "hung up") ? 0 : 2);
	}
	is_mute = true;
	while (!taken) {
		struct pollfd item = {.fd = control_socket_descriptor(server), .events = POLLIN};

		assert_true(poll(&item, 1, 10000) == 1);
		control_socket_take(server);
	}
	is_mute = false;
	control_socket_close(server);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	assert_true(clock_mono_ns() - begin_ns < 30 * S);
	assert_int_equal(control_socket_open(folder, echo, NULL, &server, NULL), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_command_is_answered_and_its_sender_known, set_up, tear_down),
		cmocka_unit_test_setup_teardown(bytes_that_are_no_command_end_their_sender_alone, set_up, tear_down),
		cmocka_unit_test_setup_teardown(an_empty_or_too_large_message_is_none, set_up, tear_down),
		cmocka_unit_test_setup_teardown(who_takes_no_answers_is_hung_up_on, set_up, tear_down),
		cmocka_unit_test_setup_teardown(too_many_clients_are_told_so, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_removed_name_comes_back, set_up, tear_down),
		cmocka_unit_test_setup_teardown(another_user_is_refused, set_up, tear_down),
		cmocka_unit_test_setup_teardown(nobody_there_is_said, set_up, tear_down),
		cmocka_unit_test_setup_teardown(who_waits_when_it_ends_knows_nothing, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
