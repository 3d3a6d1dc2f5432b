/* sendmail_test.c: programs that take a mail, fail, hang and are not there. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sendmail.h"

static char folder[64], program[80];
static const char *const to[] = {"shift@example.org", "$(touch /tmp/never)"};
static const struct enrg_string_list to_list = {2, to};

static int set_up(void **state)
{
	(void)state;
	strcpy(folder, "/dev/shm/sendmail_test.XXXXXX");
	if (!mkdtemp(folder))
		return -1;
	snprintf(program, sizeof(program), "%s/sendmail", folder);
	return 0;
}

static int tear_down(void **state)
{
	char command[100];

	(void)state;
	snprintf(command, sizeof(command), "rm -rf %s", folder);
	return system(command);
}

static int run(const char *script, double timeout_seconds, const _Atomic bool *is_ending, struct enrg_error *err)
{
	const struct sendmail_params params = {program, &to_list, timeout_seconds, is_ending};
	FILE *file = fopen(program, "we");

	assert_non_null(file);
	fprintf(file, "#!/bin/sh\ncd %s\n%s\n", folder, script);
	fclose(file);
	assert_int_equal(chmod(program, 0700), 0);
	return sendmail_run(&params, "To: you\n\nhello\n.\n", err);
}

static void read_file(const char *name, char ret_text[500])
{
	char path[100];

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	FILE *file = fopen(path, "re");
	assert_non_null(file);
	ret_text[fread(ret_text, 1, 499, file)] = '\0';
	fclose(file);
}

static void a_mail_is_handed_over(void **state)
{
	struct enrg_error err = {0};
	char text[500];

	(void)state;
	signal(SIGPIPE, SIG_IGN);
	assert_int_equal(run("cat >mail; for i; do echo \"<$i>\"; done >arguments; ls /proc/$$/fd >descriptors; "
			     "grep SigIgn /proc/$$/status >signals",
				 60, NULL, &err),
		0);
	read_file("mail", text);
	assert_string_equal(text, "To: you\n\nhello\n.\n");
	read_file("arguments", text);
	assert_string_equal(text, "<-i>\n<-->\n<shift@example.org>\n<$(touch /tmp/never)>\n");
	read_file("signals", text);
	/* but those two that the C library keeps for itself, as this process got them */
	assert_int_equal(strtoull(text + strlen("SigIgn:"), NULL, 16) & 0x7fffffff, 0);
	/* one that reads nothing takes it as well */
	assert_int_equal(run("exit 0", 60, NULL, &err), 0);
}

static void what_fails_is_said(void **state)
{
	const struct sendmail_params nobody = {"/none/sendmail", &to_list, 1, NULL};
	struct enrg_error err = {0};

	(void)state;
	assert_int_equal(run("echo tell-nobody >&2; exit 75", 60, NULL, &err), -EREMOTEIO);
	assert_non_null(strstr(err.text, "/sendmail ends with exit code 75"));
	assert_null(strstr(err.text, "tell-nobody"));
	assert_int_equal(run("kill -KILL $$", 60, NULL, &err), -EREMOTEIO);
	assert_non_null(strstr(err.text, "was killed by signal 9"));
	assert_int_equal(sendmail_run(&nobody, "x", &err), -ENOENT);
	assert_non_null(strstr(err.text, "/none/sendmail can't be started"));
}

static void one_that_hangs_is_killed_with_its_children(void **state)
{
	static const _Atomic bool is_ending = true;
	struct enrg_error err = {0};
	char text[500];

	(void)state;
	assert_int_equal(run("sleep 300 & echo $! >child; wait", 0.3, NULL, &err), -ETIMEDOUT);
	assert_non_null(strstr(err.text, "did not end within 0.3 s and was killed"));
	read_file("child", text);
	pid_t child = (pid_t)atol(text);
	assert_true(child > 1);
	for (int i = 0; i < 1000 && kill(child, 0) == 0; i++) { /* until somebody has reaped it, or it is a zombie */
		char path[64], line[200] = "";
		snprintf(path, sizeof(path), "/proc/%d/stat", (int)child);
		FILE *file = fopen(path, "re");
		if (!file || !fgets(line, sizeof(line), file) || strstr(line, ") Z "))
			i = 1000;
		if (file)
			fclose(file);
		usleep(10000);
		assert_int_not_equal(i, 999);
	}
	assert_int_equal(run("sleep 300", 60, &is_ending, &err), -ECANCELED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_mail_is_handed_over, set_up, tear_down),
		cmocka_unit_test_setup_teardown(what_fails_is_said, set_up, tear_down),
		cmocka_unit_test_setup_teardown(one_that_hangs_is_killed_with_its_children, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
