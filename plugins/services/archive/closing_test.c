/* closing_test.c: a file that anybody has open is not closed, and is never removed; nor is one that changed. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "closing.h"
#include "inventory.h"
#include "names.h"

static char work[64];
static int folder;

static int make(const char *name, struct stat *ret_status)
{
	int file = openat(folder, name, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

	assert_true(file >= 0);
	assert_int_equal(write(file, "data", 4), 4);
	assert_int_equal(fstat(file, ret_status), 0);
	return file;
}

static bool is_there(const char *name)
{
	return faccessat(folder, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

static void open_files_are_not_closed(void **state)
{
	struct stat status;
	int writer = make("a", &status);

	(void)state;
	assert_false(closing_is_closed(folder, "a"));
	assert_int_equal(closing_remove(folder, "a", &status, NULL), -EBUSY);
	int reader = openat(folder, "a", O_RDONLY | O_CLOEXEC);
	close(writer);
	assert_true(closing_is_closed(folder, "a")); /* to be copied */
	assert_int_equal(closing_remove(folder, "a", &status, NULL), -EBUSY);
	close(reader);
	assert_true(is_there("a"));
	assert_int_equal(closing_remove(folder, "a", &status, NULL), 0);
	assert_false(is_there("a"));
	assert_int_equal(closing_remove(folder, "a", &status, NULL), -ENOENT);
	assert_false(closing_is_closed(folder, "a"));
	assert_int_equal(symlinkat("b", folder, "link"), 0);
	assert_false(closing_is_closed(folder, "link"));
	assert_false(closing_is_closed(folder, "."));
}

static void changed_files_stay(void **state)
{
	struct stat status;
	int file = make("c", &status);

	(void)state;
	assert_int_equal(write(file, "more", 4), 4);
	close(file);
	assert_int_equal(closing_remove(folder, "c", &status, NULL), -EBUSY);
	assert_true(is_there("c"));
	/* another file of that name */
	assert_int_equal(unlinkat(folder, "c", 0), 0);
	close(make("c", &(struct stat){0}));
	assert_int_equal(closing_remove(folder, "c", &status, NULL), -EBUSY);
	assert_true(is_there("c"));
}

static atomic_int is_over;
static unsigned long written;

/* A store that appends to its file and opens it anew each time, after 0 to 12 ms; where it is gone it makes it. */
static void *append(void *context)
{
	unsigned seed = 1;

	(void)context;
	while (!atomic_load(&is_over)) {
		int file = openat(folder, "busy", O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
		struct stat status;
		assert_true(file >= 0);
		assert_int_equal(write(file, "x", 1), 1);
		assert_int_equal(fstat(file, &status), 0);
		if (status.st_nlink == 0) /* what it wrote is lost */
			written++;
		close(file);
		const struct timespec pause = {.tv_nsec = rand_r(&seed) % 12000000};
		nanosleep(&pause, NULL);
	}
	return NULL;
}

/* Whoever opens the file while it is being removed writes into a file that has a name. */
static void nobody_writes_into_what_was_removed(void **state)
{
	pthread_t thread;
	struct stat status;
	unsigned removed = 0;

	(void)state;
	assert_int_equal(pthread_create(&thread, NULL, append, NULL), 0);
	for (int i = 0; i < 3000 && removed < 25; i++) {
		const struct timespec moment = {.tv_nsec = 500000};
		nanosleep(&moment, NULL);
		if (fstatat(folder, "busy", &status, 0) < 0)
			continue;
		int rc = closing_remove(folder, "busy", &status, NULL);
		assert_true(rc == 0 || rc == -EBUSY || rc == -ENOENT);
		removed += rc == 0;
	}
	atomic_store(&is_over, 1);
	pthread_join(thread, NULL);
	assert_int_equal(written, 0);
	assert_true(removed > 0);
}

static void names_of_what_goes_come_back(void **state)
{
	char going[NAMES_PATH_BYTES], name[NAMES_PATH_BYTES];

	(void)state;
	assert_true(names_format_going("deep/wave.arrows", going));
	assert_string_equal(going, "deep/.wave.arrows.archived");
	assert_true(names_parse_going(going, name));
	assert_string_equal(name, "deep/wave.arrows");
	assert_false(names_parse_going("deep/wave.archived", name));
	assert_false(names_parse_going(".archived", name));
	assert_true(names_format_copy("deep/wave.csv.zst", 1795867200000000000, 2, name));
	assert_string_equal(name, "deep/wave~20261128T120000Z_2.csv.zst");
	assert_true(names_is_inside("/a/b", "/a/") && names_is_inside("/a", "/a") && names_is_inside("/a", "/"));
	assert_false(names_is_inside("/ab", "/a") || names_is_inside("/", "/a"));
}

/* What a kill left between its two names, and what is no such thing. */
static void names_are_restored(void **state)
{
	static const struct names_patterns none = {0, NULL};
	struct inventory inventory = {0};

	(void)state;
	assert_int_equal(mkdirat(folder, "deep", 0700) | mkdirat(folder, "state", 0700), 0);
	close(make("deep/.a.csv.archived", &(struct stat){0}));
	close(make("deep/.b.csv.archived", &(struct stat){0}));
	close(make("deep/b.csv", &(struct stat){0})); /* another one came */
	close(make("deep/.hidden", &(struct stat){0}));
	close(make("state/lab.archive", &(struct stat){0}));
	assert_int_equal(inventory_restore(work), 1);
	assert_true(is_there("deep/a.csv") && is_there("deep/.b.csv.archived") && is_there("deep/.hidden"));
	assert_int_equal(inventory_read(&inventory, &(struct inventory_params){work, &none, 1}, NULL), 0);
	unsigned below = 0;
	for (size_t i = 0; i < inventory.count; i++) {
		assert_null(strstr(inventory.files[i].name, "hidden"));
		assert_null(strstr(inventory.files[i].name, "archive"));
		below += strncmp(inventory.files[i].name, "deep/", 5) == 0;
	}
	assert_int_equal(below, 2);
	size_t count = inventory.count;
	char link[100];
	snprintf(link, sizeof(link), "%s.link", work);
	assert_int_equal(symlink(work, link), 0);
	assert_int_equal(inventory_read(&inventory, &(struct inventory_params){link, &none, 1}, NULL),
		0); /* the folder may lie on another disk */
	assert_int_equal(inventory.count, count);
	unlink(link);
	inventory_fini(&inventory);
	assert_int_equal(inventory_read(&inventory, &(struct inventory_params){"/nowhere/at/all", &none, 1}, NULL), 0);
	assert_int_equal(inventory.count, 0);
}

static uint64_t read_since(struct inventory *inventory, const char *name, uint64_t now_ns)
{
	static const struct names_patterns none = {0, NULL};
	char since_of[100];

	snprintf(since_of, sizeof(since_of), "%s/since", work);
	assert_int_equal(inventory_read(inventory, &(struct inventory_params){since_of, &none, now_ns}, NULL), 0);
	for (size_t i = 0; i < inventory->count; i++)
		if (strcmp(inventory->files[i].name, name) == 0)
			return inventory->files[i].since_ns;
	return 0;
}

/* Whatever the time of the last change says: how long a file has been seen as it is. */
static void what_does_not_change_is_seen(void **state)
{
	static const struct timespec ahead[2] = {{4000000000, 0}, {4000000000, 0}};
	struct inventory inventory = {0};

	(void)state;
	assert_int_equal(mkdirat(folder, "since", 0700), 0);
	int file = make("since/ahead", &(struct stat){0});
	close(make("since/other", &(struct stat){0}));
	assert_int_equal(futimens(file, ahead), 0);
	assert_int_equal(read_since(&inventory, "ahead", 10), 10);
	assert_int_equal(read_since(&inventory, "ahead", 20), 10);
	assert_int_equal(read_since(&inventory, "other", 30), 10);
	assert_int_equal(write(file, "more", 4), 4);
	assert_int_equal(futimens(file, ahead), 0); /* longer, of the same time */
	assert_int_equal(read_since(&inventory, "ahead", 40), 40);
	assert_int_equal(read_since(&inventory, "other", 50), 10);
	close(file);
	inventory_fini(&inventory);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(open_files_are_not_closed),
		cmocka_unit_test(changed_files_stay),
		cmocka_unit_test(nobody_writes_into_what_was_removed),
		cmocka_unit_test(names_of_what_goes_come_back),
		cmocka_unit_test(names_are_restored),
		cmocka_unit_test(what_does_not_change_is_seen),
	};
	char command[100];

	signal(SIGIO, SIG_IGN);
	strcpy(work, "/tmp/closing_test.XXXXXX");
	if (!mkdtemp(work) || (folder = open(work, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) < 0)
		return 1;
	int failed = cmocka_run_group_tests(tests, NULL, NULL);
	snprintf(command, sizeof(command), "rm -rf '%s'", work);
	return system(command) || failed;
}
