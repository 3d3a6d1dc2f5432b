/* histogram_page.c: see the header. */
#include "histogram_page.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

_Static_assert(sizeof(struct enrg_histogram_page) <= ENRG_HISTOGRAM_ARRAYS_AT, "the arrays come behind it");

/* FNV-1a: names of jobs are paths, and longer than names of files. */
static uint64_t hash_text(const char *text)
{
	uint64_t hash = 0xCBF29CE484222325u;

	for (; *text; text++)
		hash = (hash ^ (unsigned char)*text) * 0x100000001B3u;
	return hash;
}

static uint64_t now_wall_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static int make_file(struct histogram_page *page, struct enrg_error *err)
{
	char beside[sizeof(page->path) + 8];
	int rc = 0;

	snprintf(beside, sizeof(beside), "%s.part", page->path);
	unlink(beside);
	int descriptor = open(beside, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (descriptor < 0)
		return enrg_error_set(err, -errno, "%s: %s", beside, enrg_error_name(-errno));
	/* Its memory before it is used: a full tmpfs is an error now and no signal later. */
	rc = -posix_fallocate(descriptor, 0, (off_t)page->file_bytes);
	void *memory =
		rc ? MAP_FAILED : mmap(NULL, page->file_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0);
	if (!rc && memory == MAP_FAILED)
		rc = -errno;
	close(descriptor);
	if (!rc)
		page->head = memory;
	if (!rc && rename(beside, page->path) < 0)
		rc = -errno;
	if (rc)
		unlink(beside);
	return rc ? enrg_error_set(err, rc, "%s: %s", page->path, enrg_error_name(rc)) : 0;
}

static void copy_text(char *ret_text, size_t bytes, const char *text)
{
	snprintf(ret_text, bytes, "%s", text);
}

static bool format_path(const struct histogram_page_params *params, uint32_t index, char *ret_path, size_t path_bytes)
{
	return snprintf(ret_path, path_bytes, "%s/%016llx.%u.histogram", params->folder,
		       (unsigned long long)hash_text(params->job), index) < (int)path_bytes;
}

void histogram_page_remove_rest(const struct histogram_page_params *params)
{
	char path[sizeof(((struct histogram_page *)0)->path)];

	/* they were numbered without a gap */
	for (uint32_t index = params->index; format_path(params, index, path, sizeof(path)) && unlink(path) == 0;)
		index++;
}

int histogram_page_open(struct histogram_page *page, const struct histogram_page_params *params,
	const struct bins *bins, struct enrg_error *err)
{
	memset(page, 0, sizeof(*page));
	if (!format_path(params, params->index, page->path, sizeof(page->path)))
		return enrg_error_set(err, -ENAMETOOLONG, "%s: too long", params->folder);
	page->file_bytes = ENRG_HISTOGRAM_ARRAYS_AT +
			   8 * (bins->x.axis.bins + 1ull + (bins->dimensions == 2 ? bins->y.axis.bins + 1ull : 0) +
				       2 * bins->cell_count);
	int rc = make_file(page, err);
	if (rc < 0) {
		histogram_page_close(page);
		return rc;
	}
	struct enrg_histogram_page *head = page->head;
	head->version = ENRG_HISTOGRAM_VERSION;
	head->dimensions = bins->dimensions;
	head->file_bytes = page->file_bytes;
	head->x_bins = bins->x.axis.bins;
	head->y_bins = bins->dimensions == 2 ? bins->y.axis.bins : 0;
	copy_text(head->name, sizeof(head->name), params->name);
	copy_text(head->title, sizeof(head->title), params->title);
	copy_text(head->job, sizeof(head->job), params->job);
	copy_text(head->x_label, sizeof(head->x_label), bins->x.label);
	copy_text(head->y_label, sizeof(head->y_label), bins->y.label);
	/* Last: until then nobody takes it for a histogram. */
	atomic_thread_fence(memory_order_release);
	head->magic = ENRG_HISTOGRAM_MAGIC;
	return 0;
}

void histogram_page_close(struct histogram_page *page)
{
	if (page->head) {
		munmap(page->head, page->file_bytes);
		unlink(page->path);
	}
	page->head = NULL;
}

static uint32_t flags_of(const struct bins *bins)
{
	return (bins_is_ranged(bins) ? ENRG_HISTOGRAM_RANGED : 0u) |
	       (bins->x.axis.is_regular ? ENRG_HISTOGRAM_X_REGULAR : 0u) |
	       (bins->y.axis.is_regular ? ENRG_HISTOGRAM_Y_REGULAR : 0u) |
	       (bins->has_last ? ENRG_HISTOGRAM_HAS_LAST : 0u);
}

static uint8_t *put(uint8_t *at, const void *words, uint64_t count)
{
	memcpy(at, words, count * 8);
	return at + count * 8;
}

void histogram_page_show(
	struct histogram_page *page, const struct bins *bins, const char *run, const char *last_run, uint64_t since_ns)
{
	struct enrg_histogram_page *head = page->head;
	_Atomic uint64_t *sequence = (_Atomic uint64_t *)&head->sequence;
	uint64_t now = atomic_load_explicit(sequence, memory_order_relaxed);
	uint8_t *at = (uint8_t *)head + ENRG_HISTOGRAM_ARRAYS_AT;

	atomic_store_explicit(sequence, now + 1, memory_order_relaxed);
	atomic_thread_fence(memory_order_release); /* it is odd before anything changes */
	head->flags = flags_of(bins);
	head->since_ns = since_ns;
	head->updated_ns = now_wall_ns();
	head->sums = bins->sums;
	head->last_sums = bins->last_sums;
	copy_text(head->run, sizeof(head->run), run);
	copy_text(head->last_run, sizeof(head->last_run), last_run);
	at = put(at, bins->x.axis.edges, bins->x.axis.bins + 1u);
	if (bins->dimensions == 2)
		at = put(at, bins->y.axis.edges, bins->y.axis.bins + 1u);
	at = put(at, bins->counts, bins->cell_count);
	put(at, bins->last_counts, bins->cell_count);
	/* Pairs with the reads of clients, which take what lies between two equal values. */
	atomic_store_explicit(sequence, now + 2, memory_order_release);
}
