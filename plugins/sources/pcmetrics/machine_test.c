/* machine_test.c: the texts of the kernel, whole and broken. */
#include "machine.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <string.h>
#include <cmocka.h>

static void cpu_is_counted(void **state)
{
	struct machine_cpu before, now;

	(void)state;
	assert_int_equal(machine_parse_stat("cpu  100 10 50 800 40 0 0 0 7 7\ncpu0 1 2", &before, NULL), 0);
	assert_int_equal(before.busy_ticks, 160);
	assert_int_equal(before.all_ticks, 1000);
	assert_int_equal(machine_parse_stat("cpu  120 10 50 860 60 2 3 0\n", &now, NULL), 0);
	assert_true(machine_cpu_percent(&before, &now) > 23.8 && machine_cpu_percent(&before, &now) < 23.81);
	assert_true(machine_cpu_percent(&now, &before) == 0.0);
	assert_true(machine_cpu_percent(&now, &now) == 0.0);
}

static void memory_is_parsed(void **state)
{
	double percent = -1;

	(void)state;
	assert_int_equal(
		machine_parse_meminfo("MemTotal:  1000 kB\nMemFree: 1 kB\nMemAvailable:  250 kB\n", &percent, NULL), 0);
	assert_true(percent == 75.0);
}

static void broken_texts_are_refused(void **state)
{
	struct enrg_error err = {0};
	struct machine_cpu cpu;
	double percent;

	(void)state;
	assert_true(machine_parse_stat("", &cpu, &err) < 0);
	assert_true(machine_parse_stat("cpu 1 2 3\n", &cpu, &err) < 0);
	assert_true(machine_parse_meminfo("MemTotal: 5 kB\n", &percent, &err) < 0);
	assert_non_null(strstr(err.text, "MemAvailable"));
	assert_true(machine_parse_meminfo("MemTotal: 5 kB\nMemAvailable: 6 kB\n", &percent, &err) < 0);
	assert_true(machine_read_cpu("/nowhere", &cpu, &err) < 0);
	assert_non_null(strstr(err.text, "/nowhere/stat"));
	assert_true(machine_read_disk("/nowhere", &percent, &err) < 0);
}

static void this_machine_answers(void **state)
{
	struct machine_cpu cpu;
	double memory = -1, disk = -1;

	(void)state;
	assert_int_equal(machine_read_cpu("/proc", &cpu, NULL), 0);
	assert_true(cpu.all_ticks >= cpu.busy_ticks && cpu.all_ticks > 0);
	assert_int_equal(machine_read_memory("/proc", &memory, NULL), 0);
	assert_true(memory > 0 && memory <= 100);
	assert_int_equal(machine_read_disk("/", &disk, NULL), 0);
	assert_true(disk >= 0 && disk <= 100);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cpu_is_counted),
		cmocka_unit_test(memory_is_parsed),
		cmocka_unit_test(broken_texts_are_refused),
		cmocka_unit_test(this_machine_answers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
