/* page.c: the status page of a job process on tmpfs. Written by the job's process alone (main thread the counters,
 * reporter thread the figures of the kernel), read by any other process. */
#include "handover/page.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/text.h"

#define PAGE_FILE_BYTES ((sizeof(struct page) + 4095u) / 4096u * 4096u)
/* The kernel walks all mappings for smaps_rollup, which takes milliseconds with large rings: ever more seldom. */
#define PAGE_SMAPS_INTERVAL_NS     5000000000ull
#define PAGE_SMAPS_INTERVAL_MAX_NS 60000000000ull
#define PAGE_SMAPS_SAME_NS         600000000000ull /* where the process has hardly grown or shrunk since */
#define PAGE_SMAPS_SAME_BYTES      (256u << 10)

static int check_file(int descriptor)
{
	struct stat status;

	if (fstat(descriptor, &status) < 0)
		return -errno;
	return S_ISREG(status.st_mode) && status.st_size == (off_t)PAGE_FILE_BYTES ? 0 : ENRG_E_CORRUPT;
}

/* Maps the file; checks its length first, so that no access behind its end can kill the reader. */
static int map_file(int descriptor, int protection, struct page **ret_page)
{
	int rc = check_file(descriptor);

	if (rc < 0)
		return rc;
	void *memory = mmap(NULL, PAGE_FILE_BYTES, protection, MAP_SHARED, descriptor, 0);
	if (memory == MAP_FAILED)
		return -errno;
	*ret_page = memory;
	return 0;
}

/* The file of an earlier life; readers that have it mapped stay with it. */
static int reuse_file(const char *path, struct page **ret_page)
{
	int descriptor = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);

	if (descriptor < 0)
		return -errno;
	/* A hole in a sparse file would be a SIGBUS on a full tmpfs. */
	int rc = -posix_fallocate(descriptor, 0, (off_t)PAGE_FILE_BYTES);
	if (rc == 0)
		rc = map_file(descriptor, PROT_READ | PROT_WRITE, ret_page);
	close(descriptor);
	return rc;
}

static int create_file(const char *path, struct page **ret_page)
{
	char temporary[4096];
	int length = snprintf(temporary, sizeof(temporary), "%s.%d.new", path, (int)getpid());

	if (length < 0 || (size_t)length >= sizeof(temporary))
		return -ENAMETOOLONG;
	int descriptor = open(temporary, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (descriptor < 0)
		return -errno;
	int rc = -posix_fallocate(descriptor, 0, (off_t)PAGE_FILE_BYTES);
	if (rc == 0)
		rc = map_file(descriptor, PROT_READ | PROT_WRITE, ret_page);
	close(descriptor);
	if (rc == 0 && rename(temporary, path) < 0) {
		rc = -errno;
		munmap(*ret_page, PAGE_FILE_BYTES);
	}
	if (rc < 0)
		unlink(temporary);
	return rc;
}

/* A new life: nobody else writes, and a reader that sees zeros in between sees a job that has done nothing yet. */
static void begin_life(struct page *page)
{
	size_t begin = offsetof(struct page, pid);

	atomic_store_explicit(&page->state, PAGE_STARTING, memory_order_relaxed);
	atomic_store_explicit(&page->heartbeat_mono_ns, clock_mono_ns(), memory_order_relaxed);
	memset((char *)page + begin, 0, sizeof(*page) - begin);
	histogram_init(&page->latency);
	page->magic = PAGE_MAGIC;
	page->version = PAGE_VERSION;
	uint64_t now = clock_mono_ns();
	atomic_store_explicit(&page->started_mono_ns, now, memory_order_relaxed);
	atomic_store_explicit(&page->heartbeat_mono_ns, now, memory_order_relaxed);
	atomic_store_explicit(&page->state, PAGE_STARTING, memory_order_relaxed);
	/* pairs with the acquire of readers that take the pid first */
	atomic_store_explicit(&page->pid, (uint32_t)getpid(), memory_order_release);
}

int page_create(const char *path, struct page **ret_page, struct enrg_error *err)
{
	struct page *page;
	int rc = reuse_file(path, &page);

	if (rc == -ENOENT || rc == -ELOOP || rc == ENRG_E_CORRUPT)
		rc = create_file(path, &page);
	if (rc == -ENOSPC)
		return enrg_error_set(err, rc, "%s: no space for %zu bytes: enlarge the tmpfs (enrgdaq doctor)", path,
			PAGE_FILE_BYTES);
	if (rc < 0)
		return enrg_error_set(err, rc, "%s: can't create the status page: %s", path, enrg_error_name(rc));
	begin_life(page);
	*ret_page = page;
	return 0;
}

int page_open(const char *path, const struct page **ret_page, struct enrg_error *err)
{
	int descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	struct page *page = NULL;

	if (descriptor < 0)
		return enrg_error_set(err, -errno, "%s: %s", path, enrg_error_name(-errno));
	int rc = map_file(descriptor, PROT_READ, &page);
	close(descriptor);
	if (rc == 0 && (page->magic != PAGE_MAGIC || page->version != PAGE_VERSION)) {
		munmap(page, PAGE_FILE_BYTES);
		rc = ENRG_E_CORRUPT;
	}
	if (rc == ENRG_E_CORRUPT)
		return enrg_error_set(err, rc, "%s: not a status page of this version", path);
	if (rc < 0)
		return enrg_error_set(err, rc, "%s: %s", path, enrg_error_name(rc));
	*ret_page = page;
	return 0;
}

void page_close(const struct page *page)
{
	if (page)
		munmap((void *)(uintptr_t)page, PAGE_FILE_BYTES);
}

int page_open_file(const char *path)
{
	/* O_NONBLOCK: a FIFO in the place of the file must not hold the reader. */
	int descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);

	return descriptor < 0 ? -errno : descriptor;
}

int page_read(int descriptor, struct page *ret_page)
{
	int rc = check_file(descriptor);

	if (rc < 0)
		return rc;
	ssize_t count = pread(descriptor, ret_page, sizeof(*ret_page), 0);
	if (count < 0)
		return -errno;
	if (count != (ssize_t)sizeof(*ret_page) || ret_page->magic != PAGE_MAGIC || ret_page->version != PAGE_VERSION)
		return ENRG_E_CORRUPT;
	return 0;
}

static int read_part(int descriptor, void *ret_bytes, size_t bytes, size_t at)
{
	ssize_t count = pread(descriptor, ret_bytes, bytes, (off_t)at);

	return count < 0 ? -errno : count == (ssize_t)bytes ? 0 : ENRG_E_CORRUPT;
}

uint32_t page_read_pid(int descriptor)
{
	struct {
		uint64_t magic;
		uint32_t version, pid;
	} head; /* of all versions */

	static_assert(offsetof(struct page, pid) == 12, "where all versions have it");
	return read_part(descriptor, &head, sizeof(head), 0) == 0 && head.magic == PAGE_MAGIC ? head.pid : 0;
}

int page_reread(int descriptor, uint32_t pid, struct page *page)
{
	union {
		struct page page;
		char head[offsetof(struct page, latency.buckets)];
	} now;
	bool has_counted, has_reason;
	int rc = read_part(descriptor, &now, sizeof(now.head), 0);

	if (rc == 0 && (now.page.magic != PAGE_MAGIC || now.page.version != PAGE_VERSION))
		rc = ENRG_E_CORRUPT;
	if (rc == 0 && atomic_load_explicit(&now.page.pid, memory_order_relaxed) != pid)
		rc = -ESRCH;
	if (rc < 0)
		return rc;
	has_counted = atomic_load_explicit(&now.page.latency.count, memory_order_relaxed) !=
		      atomic_load_explicit(&page->latency.count, memory_order_relaxed);
	has_reason = page->reason[0] || atomic_load_explicit(&now.page.state, memory_order_relaxed) != PAGE_RUNNING;
	if (has_counted)
		rc = read_part(
			descriptor, now.page.latency.buckets, sizeof(now.page.latency.buckets), sizeof(now.head));
	if (rc == 0 && has_reason)
		rc = read_part(descriptor, now.page.reason, sizeof(now.page.reason), offsetof(struct page, reason));
	if (rc < 0)
		return rc;
	memcpy(page, &now, has_counted ? offsetof(struct page, reason) : sizeof(now.head));
	if (has_reason)
		memcpy(page->reason, now.page.reason, sizeof(page->reason));
	return 0;
}

void page_set_reason(struct page *page, const char *text)
{
	size_t count = text ? strlen(text) : 0;

	if (count >= PAGE_REASON_BYTES) {
		count = PAGE_REASON_BYTES - 1;
		while (count && ((unsigned char)text[count] & 0xc0) == 0x80)
			count--;
	}
	if (count)
		memcpy(page->reason, text, count);
	page->reason[count] = '\0';
}

void page_answer_run(struct page *page, uint64_t serial, enum page_run answer, const char *reason)
{
	snprintf(page->run_reason, sizeof(page->run_reason), "%s", reason ? reason : "");
	atomic_store_explicit(&page->run_answer, (uint32_t)answer, memory_order_relaxed);
	/* Pairs with the acquire of whoever reads the answer. */
	atomic_store_explicit(&page->run_serial, serial, memory_order_release);
}

void page_get_reason(const struct page *page, char *ret_text, size_t text_bytes)
{
	size_t count = strnlen(page->reason, PAGE_REASON_BYTES);

	count = count < text_bytes ? count : text_bytes - 1;
	memcpy(ret_text, page->reason, count);
	ret_text[count] = '\0';
	text_make_safe(ret_text, count); /* half old, half new, or cut, it may be no text any more */
}

/* Reads a file of /proc as text; the number of bytes, 0 where it can't be read. */
static size_t read_proc(const char *path, char *ret_text, size_t text_bytes)
{
	int descriptor = open(path, O_RDONLY | O_CLOEXEC);

	if (descriptor < 0)
		return 0;
	ssize_t count = read(descriptor, ret_text, text_bytes - 1);
	close(descriptor);
	ret_text[count > 0 ? count : 0] = 0;
	return count > 0 ? (size_t)count : 0;
}

/* Value in bytes of a line such as "Private_Clean:      12 kB". */
static uint64_t find_kib(const char *text, const char *key)
{
	const char *at = strstr(text, key);

	return at ? strtoull(at + strlen(key), NULL, 10) * 1024u : 0;
}

void page_refresh(struct page *page)
{
	static _Atomic uint64_t smaps_read_ns, smaps_rss_bytes, interval_ns = PAGE_SMAPS_INTERVAL_NS;
	char text[4096];

	atomic_store_explicit(&page->cpu_ns, clock_cpu_ns(), memory_order_relaxed);
	if (read_proc("/proc/self/statm", text, sizeof(text))) {
		char *end;
		(void)strtoull(text, &end, 10);
		atomic_store_explicit(&page->rss_bytes, strtoull(end, NULL, 10) * (uint64_t)sysconf(_SC_PAGESIZE),
			memory_order_relaxed);
	}
	uint64_t now = clock_mono_ns();
	uint64_t before = atomic_load_explicit(&smaps_read_ns, memory_order_relaxed);
	uint64_t interval = atomic_load_explicit(&interval_ns, memory_order_relaxed);
	uint64_t resident = atomic_load_explicit(&page->rss_bytes, memory_order_relaxed);
	uint64_t then = atomic_load_explicit(&smaps_rss_bytes, memory_order_relaxed);
	int is_same = (resident > then ? resident - then : then - resident) < PAGE_SMAPS_SAME_BYTES;
	if (before && now - before < (is_same ? PAGE_SMAPS_SAME_NS : interval))
		return;
	atomic_store_explicit(&smaps_rss_bytes, resident, memory_order_relaxed);
	if (before && interval < PAGE_SMAPS_INTERVAL_MAX_NS)
		atomic_store_explicit(&interval_ns, interval * 2, memory_order_relaxed);
	atomic_store_explicit(&smaps_read_ns, now, memory_order_relaxed);
	/* Not Private_…: pages of a ring that only this process has touched so far would count as its own. */
	if (read_proc("/proc/self/smaps_rollup", text, sizeof(text)))
		atomic_store_explicit(&page->private_bytes, find_kib(text, "Pss_Anon:") + find_kib(text, "Pss_File:"),
			memory_order_relaxed);
}
