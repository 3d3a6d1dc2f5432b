/* presence_test.c: jobs are found by their pages, also those that an earlier version of this program left. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "handover/page.h"
#include "handover/presence.h"

static char folder[] = "/dev/shm/presence_test.XXXXXX";
static char path[96];

static int set_up(void **state)
{
	(void)state;
	snprintf(path, sizeof(path), "%s/camera.page", mkdtemp(folder));
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	unlink(path);
	return rmdir(folder);
}

static void write_page(uint32_t version, uint32_t pid, size_t bytes)
{
	struct {
		uint64_t magic;
		uint32_t version, pid;
	} head = {PAGE_MAGIC, version, pid};
	int descriptor = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	assert_true(descriptor >= 0);
	assert_int_equal(write(descriptor, &head, sizeof(head)), sizeof(head));
	assert_int_equal(ftruncate(descriptor, (off_t)bytes), 0);
	close(descriptor);
}

/* This program once more, under the name of a job: it waits until it is killed. */
static pid_t start_job(void)
{
	char *const arguments[] = {"enrgdaq-job", "DAQJobCamera", "camera", NULL};
	int ends[2];
	char byte;

	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	pid_t pid = fork();
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		execv("/proc/self/exe", arguments);
		_exit(1);
	}
	close(ends[1]);
	assert_int_equal(read(ends[0], &byte, 1), 0); /* closed by the exec */
	close(ends[0]);
	return pid;
}

static void test_versions(void **state)
{
	pid_t pid = start_job();

	(void)state;
	for (uint32_t version = 1; version <= PAGE_VERSION + 1; version++) {
		write_page(version, (uint32_t)pid, version == PAGE_VERSION ? 12288 : 8192);
		assert_int_equal(presence_find_job(path), pid);
		assert_int_equal(presence_count_jobs(folder), 1);
	}
	write_page(PAGE_VERSION, (uint32_t)getpid(), 12288); /* no job */
	assert_int_equal(presence_find_job(path), 0);
	write_page(PAGE_VERSION, (uint32_t)pid, 8); /* cut short */
	assert_int_equal(presence_find_job(path), 0);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	write_page(PAGE_VERSION, (uint32_t)pid, 12288);
	assert_int_equal(presence_find_job(path), 0);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_versions)};

	(void)argc;
	if (strcmp(argv[0], "enrgdaq-job") == 0) {
		pause();
		return 0;
	}
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
