/* logs_test.c: the log of a running system: its last lines, what comes, rotated and cut files, a new instance, lines of
 * any content, and outputs that nobody can read along. */
#include "fixtures/supervisor.h"

#include <errno.h>

#include "client/log_line.h"
#include "enrgdaq/client.h"

static char path[160];

static void name_log(void)
{
	snprintf(path, sizeof(path), "%s/run.log", base);
	write_text("run.json", "{\"run\": \"r1\", \"state\": \"running\", \"log\": \"%s\"}", path);
}

static void append(const char *text)
{
	FILE *file = fopen(path, "a");

	assert_non_null(file);
	fputs(text, file);
	fclose(file);
}

static struct enrg_logs *follow(uint32_t lines)
{
	struct enrg_client *client;
	struct enrg_logs *logs;
	struct enrg_error err = {0};

	assert_int_equal(enrg_client_open("lab", &client, NULL), 0);
	if (enrg_logs_open(client, lines, &logs, &err) < 0)
		fail_msg("%s", err.text);
	enrg_client_close(client);
	return logs;
}

/* Waits until there is a line, or the system is not there. */
static int next(struct enrg_logs *logs, const struct enrg_log_line **ret_line)
{
	int rc = 0;

	for (int i = 0; i < 2000 && (rc = enrg_logs_next(logs, ret_line, NULL)) == 0; i++)
		usleep(1000);
	return rc;
}

static void expect(struct enrg_logs *logs, const char *text)
{
	const struct enrg_log_line *line;

	assert_int_equal(next(logs, &line), 1);
	assert_string_equal(line->line, text);
}

static void test_last_and_next(void **state)
{
	(void)state;
	const struct enrg_log_line *line;

	name_log();
	struct enrg_logs *logs = follow(5); /* nothing was written yet */
	assert_int_equal(enrg_logs_next(logs, &line, NULL), 0);
	append("one\ntwo\nthree\nfour\n");
	expect(logs, "one");
	enrg_logs_close(logs);
	logs = follow(2);
	expect(logs, "three");
	expect(logs, "four");
	assert_int_equal(enrg_logs_next(logs, &line, NULL), 0);
	append("fi");
	assert_int_equal(enrg_logs_next(logs, &line, NULL), 0);
	append("ve\nsix\n");
	expect(logs, "five");
	expect(logs, "six");
	enrg_logs_close(logs);
	logs = follow(100);
	expect(logs, "one");
	enrg_logs_close(logs);
	logs = follow(0);
	append("seven\n");
	expect(logs, "seven");
	enrg_logs_close(logs);
}

static void test_rotated_and_cut(void **state)
{
	(void)state;
	const struct enrg_log_line *line;
	char older[170];

	name_log();
	append("one\n");
	struct enrg_logs *logs = follow(1);
	expect(logs, "one");
	snprintf(older, sizeof(older), "%s.1", path);
	append("two\n");
	assert_int_equal(rename(path, older), 0);
	append("three\n");
	expect(logs, "two");
	usleep(250000); /* a look is due: it sees another file of that name, and reads the old one once more */
	assert_int_equal(enrg_logs_next(logs, &line, NULL), 0);
	FILE *file = fopen(older, "a"); /* a job that has not noticed */
	fputs("late\n", file);
	fclose(file);
	expect(logs, "late");
	expect(logs, "three");
	assert_int_equal(truncate(path, 0), 0);
	for (int i = 0; i < 400; i++) { /* it must be seen to be short */
		assert_int_equal(enrg_logs_next(logs, &line, NULL), 0);
		usleep(1000);
	}
	append("4\n");
	assert_int_equal(next(logs, &line), 1);
	assert_string_equal(line->line, "4");
	assert_int_equal(line->lost_files, 1);
	end_supervisor();
	assert_int_equal(next(logs, &line), -EAGAIN);
	append("five\n");
	begin_supervisor(getpid());
	expect(logs, "five");
	enrg_logs_close(logs);
}

static void test_long_line(void **state)
{
	(void)state;
	const struct enrg_log_line *line;

	name_log();
	append("begin\n");
	struct enrg_logs *logs = follow(0);
	FILE *file = fopen(path, "a");
	for (int i = 0; i < 300000; i++)
		fputc('x', file);
	fputs("\nend\n", file);
	fclose(file);
	assert_int_equal(next(logs, &line), 1);
	assert_true(line->is_cut);
	assert_in_range(strlen(line->line), 60000, 65536 * 2);
	expect(logs, "end");
	enrg_logs_close(logs);
}

static void test_nobody_can_read_it(void **state)
{
	(void)state;
	struct enrg_client *client;
	struct enrg_logs *logs;
	struct enrg_error err = {0};
	int ends[2], saved = dup(2);

	assert_int_equal(pipe(ends), 0);
	assert_int_equal(enrg_client_open("lab", &client, NULL), 0);
	assert_int_equal(dup2(ends[1], 2), 2);
	int rc = enrg_logs_open(client, 0, &logs, &err);
	assert_int_equal(dup2(saved, 2), 2);
	assert_int_equal(rc, -ENOTSUP);
	assert_non_null(strstr(err.text, "goes to a pipe"));
	write_text("run.json", "{\"log\": \"/dev/null\"}");
	assert_int_equal(enrg_logs_open(client, 0, &logs, &err), -ENOTSUP);
	end_supervisor();
	assert_int_equal(enrg_logs_open(client, 0, &logs, &err), -EAGAIN);
	enrg_client_close(client);
	close(ends[0]);
	close(ends[1]);
	close(saved);
}

/* Standard error of this process is the file. */
static void test_redirected(void **state)
{
	(void)state;
	struct enrg_client *client;
	struct enrg_logs *logs = NULL;
	const struct enrg_log_line *line = NULL;
	int saved = dup(2);

	snprintf(path, sizeof(path), "%s/2.log", base);
	append("hello\n");
	int file = open(path, O_WRONLY | O_APPEND | O_CLOEXEC);
	assert_int_equal(enrg_client_open("lab", &client, NULL), 0);
	assert_int_equal(dup2(file, 2), 2);
	int rc = enrg_logs_open(client, 1, &logs, NULL);
	int found = rc == 0 ? enrg_logs_next(logs, &line, NULL) : rc;
	assert_int_equal(dup2(saved, 2), 2);
	assert_int_equal(found, 1);
	assert_string_equal(line->line, "hello");
	enrg_logs_close(logs);
	enrg_client_close(client);
	close(file);
	close(saved);
}

static void parse(const char *text, const char *level, const char *process, const char *message)
{
	static struct log_line_room room;
	struct enrg_log_line line;
	char copy[400];

	snprintf(copy, sizeof(copy), "%s", text);
	log_line_parse(copy, strlen(copy), &room, &line);
	assert_string_equal(line.level, level);
	assert_string_equal(line.process, process);
	assert_string_equal(line.message, message);
}

static void test_parts(void **state)
{
	(void)state;
	parse("2026-11-24 06:48:59.123 INFO  supervisor: run r1: 3 jobs", "INFO", "supervisor", "run r1: 3 jobs");
	parse("2026-11-24 06:48:59.123 WARN  a b: c", "WARNING", "a b", "c");
	parse("2026-11-24 06:48:59.123 ERROR none", "ERROR", "", "ERROR none");
	parse("2026-11-24 06:48:59.123 ", "", "", "");
	parse("2026-11-24 06:48:59.12x INFO  a: b", "", "", "2026-11-24 06:48:59.12x INFO  a: b");
	parse("panic\033[2J", "", "", "panic [2J");
	parse("{\"time\": \"2026-11-24T06:48:59.123Z\", \"level\": \"ERROR\", \"process\": 7, \"job\": \"csv\", "
	      "\"message\": \"disk\\nfull\"}",
		"ERROR", "csv", "disk full");
	parse("{\"level\": 3", "", "", "{\"level\": 3");
	parse("", "", "", "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_last_and_next, setup_supervisor, teardown_supervisor),
		cmocka_unit_test_setup_teardown(test_rotated_and_cut, setup_supervisor, teardown_supervisor),
		cmocka_unit_test_setup_teardown(test_long_line, setup_supervisor, teardown_supervisor),
		cmocka_unit_test_setup_teardown(test_nobody_can_read_it, setup_supervisor, teardown_supervisor),
		cmocka_unit_test_setup_teardown(test_redirected, setup_supervisor, teardown_supervisor),
		cmocka_unit_test(test_parts),
	};

	return cmocka_run_group_tests_name("client.logs", tests, NULL, NULL);
}
