/* page_test.c: the status page is one file, whole from its first moment, and readable from outside. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "handover/page.h"

static char folder[] = "/dev/shm/page_test.XXXXXX";
static char path[64];

static int set_up(void **state)
{
	(void)state;
	if (!mkdtemp(folder))
		return -1;
	snprintf(path, sizeof(path), "%s/job.page", folder);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	unlink(path);
	return rmdir(folder); /* fails where a temporary file was left */
}

static void test_create_and_read(void **state)
{
	(void)state;
	struct page *page;
	const struct page *seen;
	struct enrg_error err = {0};
	struct stat status;

	assert_int_equal(page_open(path, &seen, &err), -ENOENT);
	assert_int_equal(page_create(path, &page, &err), 0);
	assert_int_equal(stat(path, &status), 0);
	assert_int_equal(status.st_size % 4096, 0);
	assert_true(status.st_size >= (off_t)sizeof(struct page));
	assert_true((size_t)status.st_blocks * 512 >= sizeof(struct page));

	assert_int_equal(page_open(path, &seen, &err), 0);
	assert_int_equal(atomic_load(&seen->pid), getpid());
	assert_int_equal(atomic_load(&seen->state), PAGE_STARTING);
	assert_true(clock_mono_ns() - atomic_load(&seen->heartbeat_mono_ns) < 10000000000ull);
	atomic_store(&page->out_rows, 77);
	histogram_add(&page->latency, 1000);
	assert_int_equal(atomic_load(&seen->out_rows), 77);
	assert_int_equal(atomic_load(&seen->latency.count), 1);
	page_close(seen);

	page_refresh(page);
	assert_true(atomic_load(&page->rss_bytes) > 100000);
	assert_true(atomic_load(&page->private_bytes) > 10000);
	assert_true(atomic_load(&page->private_bytes) <= atomic_load(&page->rss_bytes) * 2);
	assert_true(atomic_load(&page->cpu_ns) > 0);
	page_close(page);
	page_close(NULL);
}

static void test_next_life_starts_at_zero(void **state)
{
	(void)state;
	struct page *page;
	const struct page *seen;

	assert_int_equal(page_open(path, &seen, NULL), 0);
	assert_int_equal(page_create(path, &page, NULL), 0);
	/* a reader of the earlier life sees the new one: the file is taken over */
	assert_int_equal(atomic_load(&seen->out_rows), 0);
	assert_int_equal(atomic_load(&seen->latency.count), 0);
	atomic_store(&page->out_rows, 5);
	assert_int_equal(atomic_load(&seen->out_rows), 5);
	page_close(seen);
	page_close(page);
}

static void test_foreign_files(void **state)
{
	(void)state;
	const struct page *seen;
	struct page *page;
	struct enrg_error err = {0};

	assert_int_equal(truncate(path, 100), 0);
	assert_int_equal(page_open(path, &seen, &err), ENRG_E_CORRUPT);
	assert_int_equal(truncate(path, 1 << 20), 0);
	assert_int_equal(page_open(path, &seen, &err), ENRG_E_CORRUPT);
	assert_int_equal(page_create(path, &page, &err), 0); /* replaces it */
	assert_int_equal(page_open(path, &seen, &err), 0);
	page_close(seen);
	page->version++;
	assert_int_equal(page_open(path, &seen, &err), ENRG_E_CORRUPT);
	page->version--;
	page_close(page);
	assert_int_equal(page_create("/dev/shm/there/is/no/such/folder", &page, &err), -ENOENT);
	assert_non_null(strstr(err.text, "/dev/shm/there/is"));
}

static void test_a_copy_survives_a_file_cut_short(void **state)
{
	(void)state;
	struct page *page, copy;

	assert_int_equal(page_create(path, &page, NULL), 0);
	atomic_store(&page->out_rows, 9);
	int descriptor = page_open_file(path);
	assert_true(descriptor >= 0);
	assert_int_equal(page_read(descriptor, &copy), 0);
	assert_int_equal(atomic_load(&copy.out_rows), 9);
	assert_int_equal(atomic_load(&copy.pid), getpid());
	page->magic = 0;
	assert_int_equal(page_read(descriptor, &copy), ENRG_E_CORRUPT);
	page_close(page);
	assert_int_equal(truncate(path, 0), 0);
	assert_int_equal(page_read(descriptor, &copy), ENRG_E_CORRUPT);
	close(descriptor);
	assert_int_equal(page_open_file("/dev/shm/there/is/no/such/folder"), -ENOENT);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(mkfifo(path, 0600), 0); /* without a writer: must not wait for one */
	descriptor = page_open_file(path);
	assert_true(descriptor >= 0);
	assert_int_equal(page_read(descriptor, &copy), ENRG_E_CORRUPT);
	close(descriptor);
}

static void test_a_copy_is_brought_up_to_date(void **state)
{
	(void)state;
	struct page *page, copy;
	uint32_t pid = (uint32_t)getpid();

	unlink(path);
	assert_int_equal(page_create(path, &page, NULL), 0);
	atomic_store(&page->state, PAGE_RUNNING);
	int descriptor = page_open_file(path);
	assert_int_equal(page_read(descriptor, &copy), 0);
	atomic_store(&page->out_rows, 7);
	histogram_add(&page->latency, 1000);
	assert_int_equal(page_reread(descriptor, pid, &copy), 0);
	assert_int_equal(atomic_load(&copy.out_rows), 7);
	assert_memory_equal(&copy.latency, &page->latency, sizeof(copy.latency));
	atomic_store(&page->state, PAGE_WAITING);
	page_set_reason(page, "disk full");
	assert_int_equal(page_reread(descriptor, pid, &copy), 0);
	assert_string_equal(copy.reason, "disk full");
	atomic_store(&page->state, PAGE_RUNNING);
	page_set_reason(page, NULL);
	assert_int_equal(page_reread(descriptor, pid, &copy), 0);
	assert_string_equal(copy.reason, "");
	atomic_store(&page->out_rows, 8);
	assert_int_equal(page_reread(descriptor, pid + 1, &copy), -ESRCH);
	assert_int_equal(atomic_load(&copy.out_rows), 7);
	histogram_add(&page->latency, 1000);
	page_close(page);
	assert_int_equal(truncate(path, 4096), 0); /* in the middle of the histogram */
	assert_int_equal(page_reread(descriptor, pid, &copy), ENRG_E_CORRUPT);
	assert_int_equal(atomic_load(&copy.out_rows), 7);
	close(descriptor);
}

/* Cut inside of a character, of another encoding, or with what steers a terminal: it has to get into JSON and logs. */
static void test_a_reason_is_text(void **state)
{
	struct page page = {.pid = 1};
	char text[8];

	(void)state;
	page_set_reason(&page, "disk: 45\xb0 \x1b[m");
	page_get_reason(&page, text, sizeof(text));
	assert_string_equal(text, "disk: 4");
	page_set_reason(&page, "1\xb0\x1b[m");
	page_get_reason(&page, text, sizeof(text));
	assert_string_equal(text, "1? [m");
	page_set_reason(&page, "Zähler");
	page_get_reason(&page, text, 3);
	assert_string_equal(text, "Z?");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_create_and_read),
		cmocka_unit_test(test_next_life_starts_at_zero),
		cmocka_unit_test(test_foreign_files),
		cmocka_unit_test(test_a_copy_is_brought_up_to_date),
		cmocka_unit_test(test_a_copy_survives_a_file_cut_short),
		cmocka_unit_test(test_a_reason_is_text),
	};
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
