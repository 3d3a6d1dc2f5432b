/* serial_test.c: a whole run with an instrument on a pseudo terminal or a TCP connection, through to the file: it
 * speaks, is asked, sends rubbish, is unplugged, comes back. The instrument is this test; the run is the program. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define PATIENCE_MS 60000 /* a busy machine is not a hang */
#define LOOK_MS     20

static struct {
	char folder[64], tty[96], csv[128], log[96];
	int master, listener, peer; /* -1: none */
	uint16_t port;
	pid_t pid; /* of the run; 0: none */
} f;

/* --- the run ----------------------------------------------------------------------------------------------------- */

static void write_file(const char *name, const char *format, ...)
{
	char path[200];
	va_list arguments;

	snprintf(path, sizeof(path), "%s/config/%s", f.folder, name);
	FILE *file = fopen(path, "w");
	assert_non_null(file);
	va_start(arguments, format);
	vfprintf(file, format, arguments);
	va_end(arguments);
	assert_int_equal(fclose(file), 0);
}

/* The file of the job: `way` says how to reach the instrument, `more` what else is wanted. */
static void configure(const char *way, const char *more)
{
	write_file("hall.toml",
		"daq_job_type = \"DAQJobSerial\"\n%s\npattern = \"T={temperature:f64:degC} H={humidity:i64:%%}\"\n"
		"tag = \"\"\n%s\n[store_config.csv]\nfile_path = \"hall.csv\"\n",
		way, more);
}

static int set_up(void **state)
{
	char path[128];

	(void)state;
	memset(&f, 0, sizeof(f));
	f.master = f.listener = f.peer = -1;
	strcpy(f.folder, "/dev/shm/serial_test.XXXXXX");
	assert_non_null(mkdtemp(f.folder));
	snprintf(path, sizeof(path), "mkdir %s/config %s/run", f.folder, f.folder);
	assert_int_equal(system(path), 0);
	snprintf(f.tty, sizeof(f.tty), "%s/tty", f.folder);
	snprintf(f.csv, sizeof(f.csv), "%s/out/hall.csv", f.folder);
	snprintf(f.log, sizeof(f.log), "%s/log", f.folder);
	write_file("supervisor.toml", "[info]\nsupervisor_id = \"serial_test\"\n");
	write_file("csv.toml", "daq_job_type = \"DAQJobStoreCSV\"\nout_dir = \"%s/out\"\n", f.folder);
	return 0;
}

/* `enrgdaq COMMAND CONFIG`, its words in the log. */
static void start(const char *command)
{
	char config[96], run[96];

	snprintf(config, sizeof(config), "%s/config", f.folder);
	snprintf(run, sizeof(run), "%s/run", f.folder);
	f.pid = fork();
	if (f.pid == 0) {
		int log = open(f.log, O_WRONLY | O_CREAT | O_TRUNC, 0600);
		dup2(log, STDOUT_FILENO);
		dup2(log, STDERR_FILENO);
		setenv("ENRGDAQ_RUNTIME_DIR", run, 1);
		execl(getenv("ENRGDAQ_BIN"), "enrgdaq", command, config, NULL);
		_exit(127);
	}
	assert_true(f.pid > 0);
}

static int finish(void)
{
	int status;

	assert_int_equal(waitpid(f.pid, &status, 0), f.pid);
	f.pid = 0;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
}

static void stop(void)
{
	kill(f.pid, SIGINT);
	int rc = finish();
	if (rc != 0) {
		char command[128];
		snprintf(command, sizeof(command), "cat %s >&2", f.log);
		assert_int_equal(system(command), 0);
	}
	assert_int_equal(rc, 0);
}

static int tear_down(void **state)
{
	char command[128];

	(void)state;
	if (f.pid > 0) {
		kill(f.pid, SIGTERM);
		waitpid(f.pid, NULL, 0);
	}
	close(f.master);
	close(f.listener);
	close(f.peer);
	snprintf(command, sizeof(command), "rm -rf %s", f.folder);
	return system(command);
}

/* What stands in a file; "": there is none yet. */
static const char *read_file(const char *path)
{
	static char text[1 << 20];
	FILE *file = fopen(path, "r");
	size_t count = file ? fread(text, 1, sizeof(text) - 1, file) : 0;

	if (file)
		fclose(file);
	text[count] = '\0';
	return text;
}

static unsigned count_in(const char *path, const char *words)
{
	unsigned count = 0;

	for (const char *at = read_file(path); (at = strstr(at, words)); at += strlen(words))
		count++;
	return count;
}

static uint64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static void pause_ms(int ms)
{
	poll(NULL, 0, ms);
}

static void await_count(const char *path, const char *words, unsigned count)
{
	for (uint64_t end_ms = now_ms() + PATIENCE_MS; count_in(path, words) < count; pause_ms(LOOK_MS))
		if (now_ms() > end_ms)
			fail_msg("\"%s\" stands %u times in %s, not %u; the log:\n%s", words, count_in(path, words),
				path, count, read_file(f.log));
}

static void await(const char *path, const char *words)
{
	await_count(path, words, 1);
}

/* --- the instrument ---------------------------------------------------------------------------------------------- */

static void say_to(int descriptor, const char *text, size_t count)
{
	assert_int_equal(write(descriptor, text, count), (ssize_t)count);
}

static void say(const char *text)
{
	say_to(f.master >= 0 ? f.master : f.peer, text, strlen(text));
}

static void plug_in(void)
{
	struct termios raw;
	char name[64];
	int slave;

	memset(&raw, 0, sizeof(raw));
	cfmakeraw(&raw);
	assert_int_equal(openpty(&f.master, &slave, name, &raw, NULL), 0);
	fcntl(f.master, F_SETFD, FD_CLOEXEC);
	close(slave);
	unlink(f.tty);
	assert_int_equal(symlink(name, f.tty), 0);
}

static void unplug(void)
{
	close(f.master);
	f.master = -1;
	unlink(f.tty);
}

/* Until the job listens: the value of its own tells these lines from others. */
static void speak_until_heard(const char *line)
{
	char row[64];

	snprintf(row, sizeof(row), ",%s", line);
	char *value = strstr(row, "T=");
	memmove(value, value + 2, strlen(value + 2) + 1);
	*strchr(row, ' ') = '\0';
	for (uint64_t end_ms = now_ms() + PATIENCE_MS; !count_in(f.csv, row); pause_ms(LOOK_MS)) {
		/* nobody has opened the other end yet, or not any more: a full buffer is no failure */
		if (write(f.master, line, strlen(line)) < 0 && errno != EAGAIN && errno != EIO)
			fail_msg("write: %s", strerror(errno));
		if (now_ms() > end_ms)
			fail_msg("nobody hears %s:\n%s", line, read_file(f.log));
	}
}

static void assert_no(const char *path, const char *words)
{
	if (count_in(path, words))
		fail_msg("\"%s\" stands in %s:\n%s", words, path, read_file(path));
}

/* --- tests ------------------------------------------------------------------------------------------------------- */

static void test_speaks_by_itself(void **state)
{
	static const char rubbish[] = "T=5.5 \x00 H=1\n\xff\xfe\x80\n";
	char way[128], filler[6000];

	(void)state;
	snprintf(way, sizeof(way), "device = \"%s\"", f.tty);
	configure(way, "baud_rate = 115200");
	plug_in();
	fcntl(f.master, F_SETFL, O_NONBLOCK);
	start("run");
	speak_until_heard("T=1.25 H=1\n");
	/* text that is none of its own, a line without end, bytes that are no text: rows go on behind them */
	say("hello world\nT=2.25 H=2\r\n");
	say_to(f.master, rubbish, sizeof(rubbish) - 1);
	await(f.csv, ",2.25,2\n");
	memset(filler, 'x', sizeof(filler));
	for (size_t at = 0; at < sizeof(filler); at += 500, pause_ms(5))
		say_to(f.master, filler + at, 500);
	say("\nT=3.25 H=3\nT=4.25 ");
	await(f.csv, ",3.25,3\n");
	await_count(f.log, "\"hello world\" does not match `pattern`", 1);
	await(f.log, "a line of more than 4096 bytes makes no row");
	unplug();
	await(f.log, "it is gone");
	plug_in();
	fcntl(f.master, F_SETFL, O_NONBLOCK);
	speak_until_heard("T=6.25 H=6\n");
	await(f.log, "there are rows again");
	say("T=7.25 H=7\n");
	await(f.csv, ",7.25,7\n");
	stop();
	/* what was cut by the plug makes no row with what came after it */
	assert_no(f.csv, ",4.25");
	assert_no(f.csv, ",5.5");
	assert_int_equal(count_in(f.log, "no rows until it is there again"), 1);
	assert_int_equal(count_in(f.csv, "timestamp,temperature,humidity\n"), 1);
	await(f.log, "dropped by policy 4 rows"); /* hello, two of rubbish, the long one */
}

/* Answers what it is asked, `answers` times; then it is silent. */
static void answer(unsigned answers, double first)
{
	char bytes[64], line[64];
	size_t used = 0;

	for (uint64_t end_ms = now_ms() + PATIENCE_MS; answers;) {
		struct pollfd entry = {.fd = f.master, .events = POLLIN};
		assert_true(now_ms() < end_ms);
		if (poll(&entry, 1, 1000) <= 0 || (entry.revents & POLLHUP)) {
			pause_ms(LOOK_MS);
			continue;
		}
		ssize_t got = read(f.master, bytes + used, sizeof(bytes) - used);
		assert_true(got > 0);
		used += (size_t)got;
		while (used >= 7) {
			assert_memory_equal(bytes, "MEAS?\r\n", 7);
			used -= 7;
			memmove(bytes, bytes + 7, used);
			snprintf(line, sizeof(line), "T=%.2f H=1\r\n", first++);
			if (answers && answers--)
				say(line);
		}
	}
}

static void test_is_asked(void **state)
{
	char way[128];

	(void)state;
	snprintf(way, sizeof(way), "device = \"%s\"", f.tty);
	configure(way, "ask = \"MEAS?\\r\\n\"\ninterval_seconds = 0.05\ntimeout_seconds = 0.5");
	plug_in();
	start("run");
	answer(5, 10);
	await(f.csv, ",14.0,1\n");
	await(f.log, "silent for 0.5 s");
	answer(3, 20);
	await(f.csv, ",22.0,1\n");
	await(f.log, "there are rows again");
	stop();
	for (int i = 10; i < 15; i++) {
		char row[16];
		snprintf(row, sizeof(row), ",%d.0,1\n", i);
		assert_int_equal(count_in(f.csv, row), 1);
	}
	await(f.log, "; missed "); /* the ticks at which an answer was owed */
}

static void listen_to(uint16_t port)
{
	struct sockaddr_in address = {
		.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t bytes = sizeof(address);
	const int on = 1;

	f.listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	setsockopt(f.listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	assert_int_equal(bind(f.listener, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(listen(f.listener, 1), 0);
	assert_int_equal(getsockname(f.listener, (struct sockaddr *)&address, &bytes), 0);
	f.port = ntohs(address.sin_port);
}

static void accept_one(void)
{
	struct pollfd entry = {.fd = f.listener, .events = POLLIN};

	assert_int_equal(poll(&entry, 1, PATIENCE_MS), 1);
	f.peer = accept4(f.listener, NULL, NULL, SOCK_CLOEXEC);
	assert_true(f.peer >= 0);
}

static void cut(void)
{
	close(f.peer);
	f.peer = -1;
}

static void test_tcp(void **state)
{
	char way[128];

	(void)state;
	listen_to(0);
	snprintf(way, sizeof(way), "host = \"localhost\"\nport = %u", f.port); /* a name: the device thread finds it */
	configure(way, "drop_first_line = false");
	start("run");
	accept_one();
	say("T=1.5 H=1\nT=2.5 H=2\nT=3");
	await(f.csv, ",2.5,2\n");
	cut();
	accept_one();
	say("T=4.5 H=4\n"); /* not 34.5 */
	await(f.csv, ",4.5,4\n");
	await(f.log, "there are rows again");
	/* the whole box is away for a while */
	close(f.listener);
	cut();
	await_count(f.log, "it is gone", 2);
	listen_to(f.port);
	accept_one();
	say("T=5.5 H=5\n");
	await(f.csv, ",5.5,5\n");
	/* what was said before the stop is stored, also when nobody had read it yet */
	say("T=6.5 H=6\n");
	pause_ms(LOOK_MS);
	stop();
	assert_int_equal(count_in(f.csv, ",6.5,6\n"), 1);
	assert_int_equal(count_in(f.csv, "\n"), 6);
	assert_int_equal(count_in(f.log, "no rows until it is there again"), 1); /* once a minute */
}

/* It is not there at the start: the run begins all the same, says so, and finds it later. */
static void test_comes_later(void **state)
{
	char way[128];

	(void)state;
	snprintf(way, sizeof(way), "device = \"%s\"", f.tty);
	configure(way, "");
	start("run");
	await(f.log, "No such file or directory: no rows until it is there again");
	plug_in();
	fcntl(f.master, F_SETFL, O_NONBLOCK);
	speak_until_heard("T=1.25 H=1\n");
	await(f.log, "there are rows again");
	stop();
}

static void test_check(void **state)
{
	static const char *const cases[][3] = {
		{"device = \"/dev/null\"\nbaud_rate = 9601", "", "hall.toml:3: baud_rate: expected one of 50, 75, 110"},
		{"", "", "device: expected one of device (a serial port) and host (TCP), found none"},
		{"device = \"/dev/null\"\nhost = \"a\"", "", "hall.toml:3: host: expected one of device"},
		{"host = \"a\"", "", "port: expected the TCP port of host"},
		{"device = \"/dev/null\"\nport = 9600", "", "hall.toml:3: port: is for host"},
		{"device = \"/dev/null\"", "line_end = \"\"", "hall.toml:5: line_end: expected 1 to 8 bytes, found 0"},
		{"device = \"/dev/null\"", "ask = \"\"", "hall.toml:5: ask: expected a text"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		configure(cases[i][0], cases[i][1]);
		start("check");
		assert_int_equal(finish(), 2);
		if (!count_in(f.log, cases[i][2]))
			fail_msg("\"%s\" is not in:\n%s", cases[i][2], read_file(f.log));
	}
	write_file("hall.toml", "daq_job_type = \"DAQJobSerial\"\ndevice = \"/dev/null\"\npattern = \"T={t:f65}\"\n"
				"[store_config.csv]\nfile_path = \"hall.csv\"\n");
	start("check");
	assert_int_equal(finish(), 2);
	await(f.log, "hall.toml:3: pattern: column t: expected a type f64, f32");
	configure("device = \"/dev/null\"", "");
	start("check");
	assert_int_equal(finish(), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_speaks_by_itself, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_is_asked, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_tcp, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_comes_later, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_check, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
