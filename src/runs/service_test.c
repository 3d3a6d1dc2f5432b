/* service_test.c: the real program: killed at any point while numbers are asked and entries come, refused where another
 * has the database, and with databases that are full, can't be written, or are damaged. ENRG_BOOK_KILLS says how often
 * it is killed (25). */
#include "runs/sample.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/path.h"
#include "runs/reader.h"

extern char **environ;

/* A supervisor, as far as the program sees it. */
struct peer {
	int socket, owner;
	pid_t pid;
	char text[1 << 16];
	size_t bytes;
};

static const char *idle_seconds = "60";

static struct peer *start_for(const char *supervisor, const char *database, int owner)
{
	struct peer *peer = calloc(1, sizeof(*peer));
	posix_spawn_file_actions_t actions;
	int pair[2];
	char *const arguments[] = {"enrgdaq-runs", "serve", "--database", (char *)sample_path(database), "--folder",
		sample_folder, "--inbox", (char *)sample_path("runtime"), "--supervisor", (char *)supervisor, "--idle",
		(char *)idle_seconds, owner >= 0 ? "--owner" : NULL, "3", NULL};

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, pair[1], 0);
	if (owner >= 0)
		posix_spawn_file_actions_adddup2(&actions, owner, 3);
	posix_spawn_file_actions_addopen(&actions, 2, sample_path("log"), O_WRONLY | O_CREAT | O_APPEND, 0600);
	assert_int_equal(
		posix_spawn(&peer->pid, ENRG_BINARY_DIR "/enrgdaq-runs", &actions, NULL, arguments, environ), 0);
	posix_spawn_file_actions_destroy(&actions);
	close(pair[1]);
	peer->socket = pair[0];
	peer->owner = -1;
	return peer;
}

static void say(struct peer *peer, json_t *line)
{
	char *text = json_dumps(line, JSON_COMPACT);

	(void)send(peer->socket, text, strlen(text), MSG_NOSIGNAL);
	(void)send(peer->socket, "\n", 1, MSG_NOSIGNAL);
	free(text);
	json_decref(line);
}

static ssize_t receive(struct peer *peer)
{
	char room[CMSG_SPACE(sizeof(int))];
	struct iovec part = {.iov_base = peer->text + peer->bytes, .iov_len = sizeof(peer->text) - peer->bytes};
	struct msghdr message = {
		.msg_iov = &part, .msg_iovlen = 1, .msg_control = room, .msg_controllen = sizeof(room)};
	ssize_t count = recvmsg(peer->socket, &message, MSG_CMSG_CLOEXEC);
	struct cmsghdr *control = count > 0 ? CMSG_FIRSTHDR(&message) : NULL;

	if (control)
		memcpy(&peer->owner, CMSG_DATA(control), sizeof(peer->owner));
	return count;
}

/* New reference; NULL: it has hung up, or has said nothing for `patience_ms`. */
static json_t *hear(struct peer *peer, int patience_ms)
{
	for (;;) {
		char *newline = memchr(peer->text, '\n', peer->bytes);
		if (newline) {
			json_t *line = json_loadb(peer->text, (size_t)(newline - peer->text), 0, NULL);
			peer->bytes -= (size_t)(newline + 1 - peer->text);
			memmove(peer->text, newline + 1, peer->bytes);
			return line;
		}
		struct pollfd entry = {.fd = peer->socket, .events = POLLIN};
		ssize_t count = poll(&entry, 1, patience_ms) > 0 ? receive(peer) : 0;
		if (count <= 0)
			return NULL;
		peer->bytes += (size_t)count;
	}
}

/* The first line that has that key; others are passed over. */
static json_t *hear_key(struct peer *peer, const char *key)
{
	json_t *line;

	while ((line = hear(peer, 20000)) && !json_object_get(line, key))
		json_decref(line);
	return line;
}

static bool greet(struct peer *peer, json_t *continues)
{
	say(peer, json_pack("{s:s, s:o}", "do", "hello", "continues", continues));
	json_t *line = hear_key(peer, "ready");
	bool is_ready = line != NULL;

	json_decref(line);
	return is_ready;
}

static void end(struct peer *peer, int signal_number)
{
	if (signal_number)
		kill(peer->pid, signal_number);
	else
		shutdown(peer->socket, SHUT_WR);
	json_t *line;
	while (!signal_number && (line = hear(peer, 20000)))
		json_decref(line);
	if (peer->owner >= 0)
		close(peer->owner);
	waitpid(peer->pid, NULL, 0);
	close(peer->socket);
	free(peer);
}

static json_t *number_line(unsigned run, unsigned ask, uint64_t floor)
{
	char id[32];

	snprintf(id, sizeof(id), "begin %u", run);
	struct entry begin = sample_begin(run, "asked");
	json_t *entry = json_pack("{s:i, s:s, s:s, s:s, s:I, s:s, s:O}", "v", 1, "id", begin.id, "kind", "begin",
		"uuid", begin.uuid, "wall_ns", (json_int_t)begin.wall_ns, "who", "", "body", begin.body);
	entry_fini(&begin);
	return json_pack(
		"{s:s, s:i, s:I, s:o}", "do", "number", "ask", (int)ask, "floor", (json_int_t)floor, "entry", entry);
}

/* 0: none came. */
static uint64_t hear_number(struct peer *peer, unsigned ask)
{
	json_t *line = NULL;

	do {
		json_decref(line);
		line = hear_key(peer, "ask");
	} while (line && (unsigned)json_integer_value(json_object_get(line, "ask")) != ask);
	uint64_t number = (uint64_t)json_integer_value(json_object_get(line, "number"));
	json_decref(line);
	return number;
}

static void put(unsigned run, const char *kind, json_t *body)
{
	struct enrg_error err = {0};

	if (entry_write(sample_path("runtime"), kind, sample_uuid(run), "tester", body, &err))
		fail_msg("%s", err.text);
}

static size_t count_files(const char *pattern)
{
	glob_t found = {0};

	glob(sample_path(pattern), 0, NULL, &found);
	size_t count = found.gl_pathc;
	globfree(&found);
	return count;
}

/* --- kills --- */

static void wait_ns(uint64_t span_ns)
{
	const struct timespec time = {.tv_nsec = (long)span_ns};

	nanosleep(&time, NULL); /* when it is killed is drawn: nothing waits for it */
}

static int64_t notes_put;

/* What a life takes until its first number, on a machine as busy as this one is. */
static uint64_t measure_life(unsigned *run, uint64_t numbers[])
{
	uint64_t began_ns = clock_mono_ns();
	struct peer *peer = start_for("lab1", "runs.sqlite", -1);

	assert_true(greet(peer, json_array()));
	say(peer, number_line(*run, *run, 0));
	numbers[*run] = hear_number(peer, *run);
	uint64_t span_ns = clock_mono_ns() - began_ns;
	assert_int_equal(numbers[*run], 1);
	++*run;
	end(peer, SIGKILL);
	return span_ns;
}

/* One life: numbers are asked until it is killed, by a process that strikes when it likes, up to `longest_ns`. */
static void live(uint64_t longest_ns, unsigned *run, uint64_t *last, uint64_t numbers[])
{
	static uint64_t seed = 1;
	struct peer *peer = start_for("lab1", "runs.sqlite", -1);

	seed = seed * 6364136223846793005u + 1442695040888963407u;
	pid_t killer = fork();

	if (!killer) {
		wait_ns((seed >> 20) % longest_ns);
		kill(peer->pid, SIGKILL);
		_exit(0);
	}
	bool is_alive = greet(peer, json_pack("[s]", sample_uuid(*run)));
	while (is_alive) {
		put(*run, "note", json_pack("{s:s}", "text", "said"));
		notes_put++;
		put(*run, "progress", json_pack("{s:{s:[]}}", "account", "sources"));
		say(peer, number_line(*run, *run, 0));
		uint64_t number = hear_number(peer, *run);
		if (!number)
			break; /* asked again in its next life */
		assert_true(number > *last);
		numbers[*run] = *last = number;
		put(*run, "end",
			json_pack("{s:I, s:s}", "wall_ns", (json_int_t)clock_wall_ns(), "quality", "complete"));
		++*run;
	}
	waitpid(killer, NULL, 0);
	end(peer, SIGKILL);
}

static void test_killed_at_any_point(void **state)
{
	const char *wanted = getenv("ENRG_BOOK_KILLS");
	unsigned kills = wanted ? (unsigned)atoi(wanted) : 25, run = 1;
	uint64_t last = 1, *numbers = calloc(200000, sizeof(*numbers));
	char wrong[400];

	(void)state;
	uint64_t longest_ns = 4 * measure_life(&run, numbers);
	for (unsigned i = 0; i < kills; i++)
		live(longest_ns < 900000000u ? longest_ns : 900000000u, &run, &last, numbers);
	struct peer *peer = start_for("lab1", "runs.sqlite", -1);
	assert_true(greet(peer, json_array()));
	end(peer, 0);
	struct database *database = sample_open("runs.sqlite");
	printf("%u lives, %u runs\n", kills, run - 1);
	assert_int_equal(count_files("runtime/book/*"), 0);
	for (unsigned i = 1; i < run; i++) {
		int64_t number = 0;
		assert_int_equal(database_get(database, "SELECT number FROM run WHERE uuid = ?", 0, &number, NULL, "t",
					 sample_uuid(i)),
			0);
		assert_int_equal(number, numbers[i]);
	}
	assert_int_equal(sample_get(database, "SELECT count(*) FROM entry WHERE kind = 'note'"), notes_put);
	assert_int_equal(sample_get(database, "SELECT count(*) - count(DISTINCT number) FROM run WHERE number"), 0);
	assert_int_equal(sample_get(database, "SELECT count(*) FROM run WHERE ended_ns IS NULL"), 0);
	assert_int_equal(sample_get(database, "SELECT count(*) FROM run WHERE changed <> written AND has_begin"), 0);
	sample_text(database, "SELECT count(*) FROM run WHERE quality = 'aborted'", wrong);
	assert_true(atoi(wrong) <= 2); /* the one that was asked for last, and the first, which nobody has ended */
	assert_int_equal(database_prove(database, UINT64_MAX, NULL), 0);
	database_close(database);
	free(numbers);
}

static void test_a_second_supervisor_is_refused(void **state)
{
	struct peer *first = start_for("lab1", "runs.sqlite", -1);

	(void)state;
	assert_true(greet(first, json_array()));
	struct peer *second = start_for("lab2", "runs.sqlite", -1);
	json_t *line = hear_key(second, "refused");
	const char *text = json_string_value(json_object_get(line, "refused"));
	assert_non_null(text);
	assert_non_null(strstr(text, "supervisor lab1"));
	assert_non_null(strstr(text, "runs.database"));
	json_decref(line);
	end(second, 0);
	/* also while no program is there: the first supervisor has the lock */
	int owner = fcntl(first->owner, F_DUPFD_CLOEXEC, 10);
	end(first, SIGKILL);
	second = start_for("lab2", "runs.sqlite", -1);
	line = hear_key(second, "refused");
	assert_non_null(line);
	json_decref(line);
	end(second, 0);
	first = start_for("lab1", "runs.sqlite", owner);
	assert_true(greet(first, json_array()));
	close(owner);
	end(first, 0);
	/* and it has one of its own, or the same when the first has gone */
	second = start_for("lab2", "other.sqlite", -1);
	assert_true(greet(second, json_array()));
	end(second, 0);
	second = start_for("lab2", "runs.sqlite", -1);
	assert_true(greet(second, json_array()));
	end(second, 0);
}

static void test_it_ends_when_it_is_idle(void **state)
{
	int status = -1;

	(void)state;
	idle_seconds = "0.1";
	struct peer *peer = start_for("lab1", "runs.sqlite", -1);
	idle_seconds = "60";
	assert_true(greet(peer, json_array()));
	assert_null(hear(peer, 20000));
	assert_int_equal(waitpid(peer->pid, &status, 0), peer->pid);
	assert_int_equal(status, 0);
	close(peer->socket);
	close(peer->owner);
	free(peer);
}

static void test_a_bad_entry_is_set_aside(void **state)
{
	struct peer *peer = start_for("lab1", "runs.sqlite", -1);

	(void)state;
	assert_true(greet(peer, json_array()));
	say(peer, number_line(1, 1, 0));
	assert_int_equal(hear_number(peer, 1), 1);
	put(1, "note", json_pack("{s:s}", "text", "before"));
	assert_int_equal(
		path_write_file(sample_path("runtime/book/00000000000000000001-1-1.json"), "{\"v\": 1", 7, 0, NULL), 0);
	put(1, "note", json_pack("{s:s}", "text", "behind"));
	json_t *line = hear_key(peer, "alert");
	assert_non_null(strstr(json_string_value(json_object_get(line, "text")), "bad-00000000000000000001"));
	json_decref(line);
	end(peer, 0);
	assert_int_equal(count_files("runtime/book/bad-*"), 1);
	assert_int_equal(count_files("runtime/book/0*"), 0);
	struct database *database = sample_open("runs.sqlite");
	assert_int_equal(sample_get(database, "SELECT count(*) FROM entry WHERE kind = 'note'"), 2);
	database_close(database);
}

/* A file as long as a disk is read meanwhile. */
static void test_a_number_comes_at_once_while_files_are_read(void **state)
{
	struct peer *peer = start_for("lab1", "runs.sqlite", -1);
	uint64_t slowest_ns = 0;

	(void)state;
	assert_true(greet(peer, json_array()));
	say(peer, number_line(1, 1, 0));
	assert_int_equal(hear_number(peer, 1), 1);
	int descriptor = open(sample_path("long.raw"), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	assert_int_equal(ftruncate(descriptor, 1ll << 40), 0);
	close(descriptor);
	put(1, "file", json_pack("{s:s, s:s, s:b}", "event", "closed", "path", sample_path("long.raw"), "open", 0));
	for (unsigned i = 2; i < 20; i++) {
		uint64_t began_ns = clock_mono_ns();
		say(peer, number_line(i, i, 0));
		assert_int_equal(hear_number(peer, i), i);
		uint64_t span_ns = clock_mono_ns() - began_ns;
		slowest_ns = span_ns > slowest_ns ? span_ns : slowest_ns;
	}
	printf("the slowest number took %.1f ms\n", (double)slowest_ns / 1e6);
	assert_true(slowest_ns < 2000000000u); /* what the supervisor waits */
	end(peer, SIGKILL);
}

static void test_files_are_hashed_and_records_written(void **state)
{
	struct peer *peer = start_for("lab1", "runs.sqlite", -1);
	char text[400];

	(void)state;
	assert_true(greet(peer, json_array()));
	say(peer, number_line(1, 1, 122));
	assert_int_equal(hear_number(peer, 1), 123);
	assert_int_equal(path_write_file(sample_path("a.csv"), "abc", 3, 0, NULL), 0);
	put(1, "file", json_pack("{s:s, s:s, s:b}", "event", "closed", "path", sample_path("a.csv"), "open", 0));
	put(1, "file", json_pack("{s:s, s:s, s:b}", "event", "closed", "path", sample_path("gone.csv"), "open", 0));
	end(peer, 0); /* also behind the end of its supervisor */
	struct database *database = sample_open("runs.sqlite");
	sample_text(database, "SELECT sha256 FROM file WHERE path LIKE '%a.csv'", text);
	assert_string_equal(text, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	assert_int_equal(sample_get(database, "SELECT count(*) FROM file WHERE sha256 IS NULL AND tries = 3"), 1);
	database_close(database);
	json_t *record = json_load_file(sample_path("run_000123.json"), 0, NULL);
	assert_string_equal(json_string_value(json_object_get(record, "uuid")), sample_uuid(1));
	json_t *file = json_array_get(json_object_get(record, "files"), 0);
	assert_string_equal(json_string_value(json_object_get(file, "sha256")), text);
	json_decref(record);
	char *number;
	size_t bytes;
	assert_int_equal(path_read_file(sample_path("runs.sqlite.number"), 100, &number, &bytes, NULL), 0);
	assert_string_equal(number, "123\n");
	free(number);
}

static void test_a_damaged_database_is_made_anew(void **state)
{
	struct peer *peer = start_for("lab1", "runs.sqlite", -1);

	(void)state;
	assert_true(greet(peer, json_array()));
	for (unsigned i = 1; i <= 30; i++) {
		say(peer, number_line(i, i, 0));
		assert_int_equal(hear_number(peer, i), i);
		put(i, "end", json_pack("{s:I, s:s}", "wall_ns", (json_int_t)5, "quality", "complete"));
	}
	end(peer, 0);
	FILE *file = fopen(sample_path("runs.sqlite"), "r+");
	assert_non_null(file);
	fputs("this was a database", file);
	fclose(file);
	peer = start_for("lab1", "runs.sqlite", -1);
	say(peer, json_pack("{s:s, s:[]}", "do", "hello", "continues"));
	json_t *line = hear_key(peer, "alert");
	assert_string_equal(json_string_value(json_object_get(line, "alert")), "book/damaged");
	json_decref(line);
	say(peer, number_line(31, 31, 0));
	assert_int_equal(hear_number(peer, 31), 31);
	end(peer, 0);
	assert_int_equal(count_files("runs.sqlite.damaged.*"), 1);
	struct database *database = sample_open("runs.sqlite");
	assert_int_equal(sample_get(database, "SELECT count(*) FROM run WHERE quality = 'complete'"), 30);
	database_close(database);
}

/* --- disks --- */

static bool mount_disk(const char *options)
{
	if (unshare(CLONE_NEWNS) || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL))
		return false; /* not allowed here */
	(void)mkdir(sample_path("disk"), 0700);
	return mount("tmpfs", sample_path("disk"), "tmpfs", 0, options) == 0;
}

static void fill_disk(void)
{
	static const char zeros[4096];
	int descriptor = open(sample_path("disk/rest"), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	while (write(descriptor, zeros, sizeof(zeros)) > 0)
		;
	close(descriptor);
}

static void make_runs(struct peer *peer, unsigned from, unsigned to)
{
	for (unsigned i = from; i <= to; i++) {
		say(peer, number_line(i, i, 0));
		assert_int_equal(hear_number(peer, i), i);
	}
}

static void test_a_full_disk_costs_an_alert(void **state)
{
	(void)state;
	if (!mount_disk("size=600k"))
		skip();
	struct peer *peer = start_for("lab1", "disk/runs.sqlite", -1);
	assert_true(greet(peer, json_array()));
	make_runs(peer, 1, 2);
	fill_disk();
	uint64_t number = 1;
	for (unsigned i = 3; i < 200 && number; i++) {
		say(peer, number_line(i, i, 0));
		number = hear_number(peer, i);
	}
	assert_int_equal(number, 0); /* the supervisor takes one from files */
	put(1, "note", json_pack("{s:s}", "text", "while it was full"));
	end(peer, 0);
	/* it was kept beside the data, and is entered when there is room */
	assert_int_equal(count_files("runtime/book/0*"), 0);
	assert_int_equal(count_files("runs_lab1.kept"), 1);
	unlink(sample_path("disk/rest"));
	peer = start_for("lab1", "disk/runs.sqlite", -1);
	assert_true(greet(peer, json_array()));
	end(peer, 0);
	struct database *database = sample_open("disk/runs.sqlite");
	assert_int_equal(sample_get(database, "SELECT count(*) FROM entry WHERE body LIKE '%while it was full%'"), 1);
	database_close(database);
	assert_int_equal(count_files("runs_lab1.kept"), 0);
	umount(sample_path("disk"));
}

static void test_what_cannot_be_written_costs_an_alert(void **state)
{
	(void)state;
	if (!mount_disk("size=4m"))
		skip();
	struct peer *peer = start_for("lab1", "disk/runs.sqlite", -1);
	assert_true(greet(peer, json_array()));
	make_runs(peer, 1, 2);
	end(peer, 0);
	assert_int_equal(mount(NULL, sample_path("disk"), NULL, MS_REMOUNT | MS_RDONLY, NULL), 0);
	peer = start_for("lab1", "disk/runs.sqlite", -1);
	say(peer, json_pack("{s:s, s:[]}", "do", "hello", "continues"));
	json_t *line = hear_key(peer, "alert");
	assert_string_equal(json_string_value(json_object_get(line, "alert")), "book/database");
	json_decref(line);
	say(peer, number_line(3, 3, 0));
	assert_int_equal(hear_number(peer, 3), 0);
	put(2, "note", json_pack("{s:s}", "text", "while it could not be written"));
	end(peer, 0);
	assert_int_equal(mount(NULL, sample_path("disk"), NULL, MS_REMOUNT, NULL), 0);
	peer = start_for("lab1", "disk/runs.sqlite", -1);
	assert_true(greet(peer, json_array()));
	end(peer, 0);
	struct database *database = sample_open("disk/runs.sqlite");
	assert_int_equal(sample_get(database, "SELECT count(*) FROM entry WHERE kind = 'note'"), 1);
	database_close(database);
	umount(sample_path("disk"));
}

#define with_folder(test) cmocka_unit_test_setup_teardown(test, sample_make_folder, sample_remove_folder)

int main(void)
{
	const struct CMUnitTest tests[] = {
		with_folder(test_killed_at_any_point),
		with_folder(test_a_second_supervisor_is_refused),
		with_folder(test_it_ends_when_it_is_idle),
		with_folder(test_a_bad_entry_is_set_aside),
		with_folder(test_a_number_comes_at_once_while_files_are_read),
		with_folder(test_files_are_hashed_and_records_written),
		with_folder(test_a_damaged_database_is_made_anew),
		with_folder(test_a_full_disk_costs_an_alert),
		with_folder(test_what_cannot_be_written_costs_an_alert),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
