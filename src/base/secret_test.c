/* secret_test.c: what is remembered shows nowhere; files that others may read are refused. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/secret.h"
#include "base/secret_file.h"
#include "enrgdaq/error.h"

static void errors_do_not_show_secrets(void **state)
{
	struct enrg_error err = {0};

	(void)state;
	secret_remember("hunter2hunter2");
	secret_remember("short"); /* below the least length: left alone */
	enrg_error_set(&err, -EACCES, "AUTH hunter2hunter2 failed (hunter2hunter2), short");
	assert_string_equal(err.text, "AUTH *** failed (***), short");
	enrg_error_add(&err, -EACCES, "redis at hunter2hunter2");
	assert_string_equal(err.text, "redis at ***: AUTH *** failed (***), short");
}

static void make_file(const char *path, const char *bytes, size_t count, mode_t mode)
{
	int descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	assert_true(descriptor >= 0);
	assert_int_equal(write(descriptor, bytes, count), (ssize_t)count);
	assert_int_equal(fchmod(descriptor, mode), 0);
	close(descriptor);
}

static void files_give_their_text(void **state)
{
	static const struct {
		const char *bytes, *text;
		mode_t mode;
	} good[] = {{"pass word\n", "pass word", 0600}, {"p", "p", 0400}, {"a\r\n", "a", 0600}, {"a\n\n", "a\n", 0600}};
	char path[] = "/tmp/enrgdaq_secret_XXXXXX", *text;

	(void)state;
	close(mkstemp(path));
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		unlink(path);
		make_file(path, good[i].bytes, strlen(good[i].bytes), good[i].mode);
		assert_int_equal(secret_read_file(path, &text, NULL), 0);
		assert_string_equal(text, good[i].text);
		free(text);
	}
	unlink(path);
}

static void refuse(const char *path, int rc, const char *reason)
{
	struct enrg_error err = {0};
	char *text = NULL;

	assert_int_equal(secret_read_file(path, &text, &err), rc);
	if (!strstr(err.text, reason))
		fail_msg("expected \"%s\", found \"%s\"", reason, err.text);
}

static void files_that_are_no_secret_are_refused(void **state)
{
	char path[] = "/tmp/enrgdaq_secret_XXXXXX", large[5000];

	(void)state;
	memset(large, 'x', sizeof(large));
	close(mkstemp(path));
	make_file(path, "pass\n", 5, 0640);
	refuse(path, -EPERM, "has mode 0640");
	make_file(path, "pass\n", 5, 0604);
	refuse(path, -EPERM, "chmod 600");
	make_file(path, "\n", 1, 0600);
	refuse(path, -EINVAL, "is empty");
	make_file(path, "a\0b", 3, 0600);
	refuse(path, -EINVAL, "NUL");
	make_file(path, large, sizeof(large), 0600);
	refuse(path, -EMSGSIZE, "4096");
	if (geteuid() == 0) {
		make_file(path, "pass\n", 5, 0600);
		assert_int_equal(chown(path, 12345, (gid_t)-1), 0);
		refuse(path, -EPERM, "another user (12345)");
	}
	unlink(path);
	refuse(path, -ENOENT, "No such file");
	refuse("/tmp", -EINVAL, "is not a file");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(errors_do_not_show_secrets),
		cmocka_unit_test(files_give_their_text),
		cmocka_unit_test(files_that_are_no_secret_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
