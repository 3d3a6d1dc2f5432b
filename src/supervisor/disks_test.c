/* disks_test.c: a file system that does not answer is said to be so, and holds nobody up. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/statvfs.h>

#include "base/clock.h"
#include "supervisor/disks.h"
#include "supervisor/errand.h"

#define S 1000000000ull

static pthread_mutex_t dead = PTHREAD_MUTEX_INITIALIZER; /* held: the server of /dev/shm is gone */
static atomic_uint asked;

/* In place of libc's. */
int statvfs(const char *path, struct statvfs *ret_space)
{
	atomic_fetch_add(&asked, 1);
	if (!strcmp(path, "/dev/shm")) {
		pthread_mutex_lock(&dead);
		pthread_mutex_unlock(&dead);
	}
	*ret_space = (struct statvfs){.f_bavail = 3, .f_blocks = 10, .f_frsize = 4096};
	return 0;
}

/* Until it has answered. */
static struct disk_room ask(struct disks *disks, const char *folder, uint64_t now_ns)
{
	struct disk_room room = {0};
	uint64_t silent_ns, until_ns = clock_mono_ns() + 20 * S;

	while (disks_ask(disks, folder, now_ns, &room, &silent_ns) != DISKS_FRESH)
		assert_true(clock_mono_ns() < until_ns);
	return room;
}

static void one_that_hangs_holds_nobody_up(void **state)
{
	struct disks disks = {0};
	struct disk_room room;
	uint64_t silent_ns = 0, began_ns = clock_mono_ns();

	(void)state;
	pthread_mutex_lock(&dead);
	assert_int_equal(disks_ask(&disks, "/dev/shm", 100 * S, &room, &silent_ns), DISKS_NONE);
	assert_int_equal(disks_ask(&disks, "/dev/shm", 105 * S, &room, &silent_ns), DISKS_NONE);
	assert_int_equal(disks_ask(&disks, "/dev/shm", 120 * S, &room, &silent_ns), DISKS_UNHEARD);
	assert_int_equal(silent_ns, 20 * S);
	room = ask(&disks, "/tmp", 120 * S); /* another one answers meanwhile */
	assert_true(room.is_there);
	assert_int_equal(room.free_bytes, 3 * 4096);
	assert_int_equal(room.total_bytes, 10 * 4096);
	assert_false(ask(&disks, "/none/at/all", 120 * S).is_there);
	assert_int_equal(disks_ask(&disks, "/dev/shm", 130 * S, &room, &silent_ns), DISKS_UNHEARD);
	assert_true(clock_mono_ns() - began_ns < 10 * S);
	pthread_mutex_unlock(&dead);
	assert_true(ask(&disks, "/dev/shm", 140 * S).is_there); /* it is back */
	disks_fini(&disks);
}

static void one_that_is_waited_for_is_given_up(void **state)
{
	struct disk_room room = {0};
	uint64_t began_ns = clock_mono_ns();

	(void)state;
	pthread_mutex_lock(&dead);
	assert_false(disks_read("/dev/shm", S / 20, &room));
	assert_true(clock_mono_ns() - began_ns < 10 * S);
	pthread_mutex_unlock(&dead);
	assert_true(disks_read("/tmp", 20 * S, &room));
	assert_true(room.is_there);
	assert_int_equal(room.free_bytes, 3 * 4096);
	assert_true(disks_read("/none/at/all", 20 * S, &room));
	assert_false(room.is_there);
}

static atomic_bool is_released;

static int work(void *context)
{
	pthread_mutex_lock(&dead);
	pthread_mutex_unlock(&dead);
	return *(int *)context;
}

static void release(void *context)
{
	*(int *)context = 0;
	atomic_store(&is_released, true);
}

static void what_is_left_behind_frees_itself(void **state)
{
	static int seven = 7;
	const struct errand_params params = {.work = work, .release = release, .context = &seven};
	struct errand *errand;
	int rc = 0;

	(void)state;
	pthread_mutex_lock(&dead);
	assert_int_equal(errand_start(&params, &errand), 0);
	assert_false(errand_wait(errand, S / 50, &rc));
	errand_end(errand);
	assert_false(atomic_load(&is_released));
	pthread_mutex_unlock(&dead);
	while (!atomic_load(&is_released))
		;
	seven = 7;
	assert_int_equal(errand_start(&params, &errand), 0);
	assert_true(errand_wait(errand, 20 * S, &rc));
	assert_int_equal(rc, 7);
	errand_end(errand);
	assert_int_equal(seven, 0);
	errand_end(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_that_hangs_holds_nobody_up),
		cmocka_unit_test(one_that_is_waited_for_is_given_up),
		cmocka_unit_test(what_is_left_behind_frees_itself),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
