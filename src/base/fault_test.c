/* fault_test.c: a file cut short under a mapping is an error inside a guard and death outside. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fault.h"

static volatile char *map_cut_file(void)
{
	int descriptor = memfd_create("fault_test", MFD_CLOEXEC);
	char *memory;

	assert_int_equal(ftruncate(descriptor, 8192), 0);
	memory = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0);
	assert_ptr_not_equal(memory, MAP_FAILED);
	assert_int_equal(ftruncate(descriptor, 4096), 0);
	close(descriptor);
	return memory;
}

static int read_first(void *context)
{
	return *(volatile char *)context;
}

static int read_beyond(void *context)
{
	return ((volatile char *)context)[5000];
}

/* In a process of its own, since cmocka has its own handler of SIGBUS in this one. The wait status. */
static int run_alone(int (*function)(void *context))
{
	volatile char *memory = map_cut_file();
	int status = -1;
	pid_t pid = fork();

	if (pid == 0) {
		signal(SIGBUS, SIG_DFL);
		alarm(10); /* an access tried for ever would be a failure too */
		_exit(function((void *)(uintptr_t)memory));
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	munmap((void *)(uintptr_t)memory, 8192);
	return status;
}

static int guard_well(void *memory)
{
	*(char *)memory = 42;
	return fault_guard(read_first, memory);
}

static void test_result_passes(void **state)
{
	(void)state;
	assert_int_equal(run_alone(guard_well), 42 << 8);
}

static int guard_faults(void *memory)
{
	for (int i = 0; i < 3; i++) /* again and again: the signal is not left blocked */
		if (fault_guard(read_beyond, memory) != -EFAULT)
			return 1;
	return fault_guard(read_first, memory);
}

static void test_fault_is_an_error(void **state)
{
	(void)state;
	assert_int_equal(run_alone(guard_faults), 0);
}

static int fault_outside(void *memory)
{
	fault_guard(read_first, memory);
	return read_beyond(memory);
}

static void test_outside_it_kills(void **state)
{
	(void)state;
	int status = run_alone(fault_outside);

	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGBUS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_result_passes),
		cmocka_unit_test(test_fault_is_an_error),
		cmocka_unit_test(test_outside_it_kills),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
