/* find_test.c: what is found from outside of a system whose supervisor was killed. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "handover/page.h"
#include "client/find.h"

/* A process that has the name and the page of a job, until `input` is closed. */
static _Noreturn void play_job(const char *page_path, int input)
{
	struct page *page;

	if (page_create(page_path, &page, NULL) < 0 || dup2(input, 0) < 0)
		_exit(1);
	execl("/bin/cat", "enrgdaq-job", "-", "store", (char *)NULL);
	_exit(1);
}

static pid_t start_job(const char *page_path, int *ret_input)
{
	int input[2], executed[2];
	char byte;

	assert_int_equal(pipe2(input, O_CLOEXEC), 0);
	assert_int_equal(pipe2(executed, O_CLOEXEC), 0);
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0)
		play_job(page_path, input[0]);
	close(input[0]);
	close(executed[1]);
	assert_int_equal(read(executed[0], &byte, 1), 0); /* exec has closed its end */
	close(executed[0]);
	*ret_input = input[1];
	return pid;
}

static void jobs_without_a_supervisor_are_told(void **state)
{
	char base[] = "/dev/shm/find_test.XXXXXX", path[128], folder[FIND_PATH_BYTES], command[64];
	struct enrg_error err = {0};
	pid_t found = 0;
	int input;

	(void)state;
	assert_non_null(mkdtemp(base));
	assert_int_equal(setenv("ENRGDAQ_RUNTIME_DIR", base, 1), 0);
	snprintf(path, sizeof(path), "%s/lab", base);
	assert_int_equal(mkdir(path, 0755), 0);
	assert_int_equal(find_supervisor("lab", folder, sizeof(folder), &found, &err), 0);
	assert_int_equal(found, 0);
	snprintf(path, sizeof(path), "%s/lab/store.page", base);
	pid_t job = start_job(path, &input);
	assert_int_equal(find_supervisor("lab", folder, sizeof(folder), &found, &err), -ESRCH);
	assert_non_null(strstr(err.text, "\"lab\" is gone, and 1 of its jobs"));
	err = (struct enrg_error){0};
	assert_int_equal(find_supervisor(NULL, folder, sizeof(folder), &found, &err), -ESRCH);
	close(input);
	assert_int_equal(waitpid(job, NULL, 0), job);
	assert_int_equal(find_supervisor("lab", folder, sizeof(folder), &found, &err), 0);
	err = (struct enrg_error){0};
	assert_int_equal(find_supervisor(NULL, folder, sizeof(folder), &found, &err), -ENOENT);
	snprintf(command, sizeof(command), "rm -rf %s", base);
	assert_int_equal(system(command), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(jobs_without_a_supervisor_are_told)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
