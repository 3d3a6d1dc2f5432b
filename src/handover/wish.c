/* wish.c: see the header. */
#include "handover/wish.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define WISH_MAGIC 0x48534957474E52ull /* "RNGWISH" */
#define WISH_BYTES 4096u

/* Two places: the one that counts is chosen by the parity of the serial, and the other is written for the next. */
struct wish_page {
	uint64_t magic;
	_Alignas(128) _Atomic uint64_t serial;
	_Alignas(128) struct wish wishes[2];
};

static int make_mapping(int descriptor, int protection, void **ret_memory, struct enrg_error *err)
{
	struct stat status;

	if (fstat(descriptor, &status) < 0 || status.st_size < (off_t)WISH_BYTES)
		return enrg_error_set(err, ENRG_E_CORRUPT, "the file that says which run is on is too short");
	*ret_memory = mmap(NULL, WISH_BYTES, protection, MAP_SHARED, descriptor, 0);
	return *ret_memory == MAP_FAILED
		       ? enrg_error_set(err, -errno, "the file that says which run is on: %s", strerror(errno))
		       : 0;
}

int wish_create(int *ret_descriptor, struct wish_page **ret_page, struct enrg_error *err)
{
	int descriptor = memfd_create("enrgdaq-wish", MFD_CLOEXEC), rc;
	char path[64];
	void *memory;

	if (descriptor < 0 || ftruncate(descriptor, WISH_BYTES) < 0) {
		rc = enrg_error_set(err, -errno, "no memory file for runs: %s", strerror(errno));
		if (descriptor >= 0)
			close(descriptor);
		return rc;
	}
	rc = make_mapping(descriptor, PROT_READ | PROT_WRITE, &memory, err);
	if (rc == 0) {
		/* Opened anew: jobs get no way to write it. */
		snprintf(path, sizeof(path), "/proc/self/fd/%d", descriptor);
		*ret_descriptor = open(path, O_RDONLY | O_CLOEXEC);
		if (*ret_descriptor < 0) {
			rc = enrg_error_set(err, -errno, "no memory file for runs: %s", strerror(errno));
			munmap(memory, WISH_BYTES);
		}
	}
	close(descriptor);
	if (rc < 0)
		return rc;
	struct wish_page *page = memory;
	page->magic = WISH_MAGIC;
	page->wishes[1].serial = 1;
	atomic_store_explicit(&page->serial, 1, memory_order_release);
	*ret_page = page;
	return 0;
}

uint64_t wish_set(struct wish_page *page, const struct wish *wish)
{
	uint64_t serial = atomic_load_explicit(&page->serial, memory_order_relaxed) + 1;
	struct wish *place = &page->wishes[serial & 1];

	/* Pairs with the fence in wish_read: who reads of what is written here sees that its own place is not the one
	 * that counts any more. */
	atomic_thread_fence(memory_order_release);
	*place = *wish;
	place->serial = serial;
	place->run[WISH_RUN_BYTES - 1] = '\0';
	/* Pairs with the acquire in wish_serial. */
	atomic_store_explicit(&page->serial, serial, memory_order_release);
	return serial;
}

int wish_open(int descriptor, const struct wish_page **ret_page, struct enrg_error *err)
{
	void *memory;
	int rc = make_mapping(descriptor, PROT_READ, &memory, err);

	if (rc < 0)
		return rc;
	if (((const struct wish_page *)memory)->magic != WISH_MAGIC) {
		munmap(memory, WISH_BYTES);
		return enrg_error_set(err, ENRG_E_CORRUPT, "the file that says which run is on is none");
	}
	*ret_page = memory;
	return 0;
}

void wish_close(const struct wish_page *page)
{
	if (page)
		munmap((void *)(uintptr_t)page, WISH_BYTES);
}

uint64_t wish_serial(const struct wish_page *page)
{
	return atomic_load_explicit(&page->serial, memory_order_acquire);
}

bool wish_read(const struct wish_page *page, struct wish *ret_wish)
{
	uint64_t serial = wish_serial(page);

	*ret_wish = page->wishes[serial & 1];
	atomic_thread_fence(memory_order_acquire);
	/* The place is written anew as soon as another one counts. */
	return ret_wish->serial == serial && wish_serial(page) == serial &&
	       memchr(ret_wish->run, 0, sizeof(ret_wish->run));
}
