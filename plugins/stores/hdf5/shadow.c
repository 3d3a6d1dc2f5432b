/* shadow.c: transactions on a file that is changed in place. Runs in the store's job process, on its main thread. */
#include "shadow.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define UNDO_MAGIC        0x32304F444E554845ull /* "EHUNDO02" */
#define UNDO_MAGIC_1      0x31304F444E554845ull /* "EHUNDO01": pages without new_sum */
#define UNDO_GATHER_PAGES 64u

/* Head of the undo file; behind it page_count times struct undo_page. Written last. */
struct undo_head {
	uint64_t magic;
	uint64_t inode;
	uint64_t commit;
	uint64_t file_bytes; /* length to go back to */
	uint64_t page_count;
	uint64_t sum; /* of all before and of what stands behind the head */
};

struct undo_page {
	uint64_t index;
	uint64_t new_sum;                 /* of what the commit writes over it */
	uint8_t bytes[SHADOW_PAGE_BYTES]; /* what stood there before */
};

#define UNDO_PAGE_BYTES_1 (sizeof(uint64_t) + SHADOW_PAGE_BYTES)

static int fail(struct enrg_error *err, const char *path, const char *verb, int rc)
{
	return enrg_error_set(err, rc, "%s: can't %s: %s", path, verb, enrg_error_name(rc));
}

/* Against a power cut that left a part of the undo file; kills can't leave one with a head. */
static uint64_t add_sum(uint64_t sum, const void *bytes, size_t count)
{
	const uint8_t *from = bytes;

	for (size_t i = 0; i + 8 <= count; i += 8) {
		uint64_t word;

		memcpy(&word, from + i, sizeof(word));
		sum = (sum ^ word) * 0x9E3779B97F4A7C15ull;
		sum ^= sum >> 29;
	}
	return sum;
}

/* --- whole reads and writes -------------------- */

static int write_all(int descriptor, uint64_t at, const void *bytes, uint64_t count)
{
	const uint8_t *from = bytes;

	while (count > 0) {
		ssize_t done = pwrite(descriptor, from, count < (1u << 30) ? count : (1u << 30), (off_t)at);

		if (done < 0 && errno == EINTR)
			continue;
		if (done <= 0)
			return done < 0 ? -errno : -EIO;
		from += done;
		at += (uint64_t)done;
		count -= (uint64_t)done;
	}
	return 0;
}

/* Bytes behind the end of the file are zero. */
static int read_all(int descriptor, uint64_t at, void *ret_bytes, uint64_t count)
{
	uint8_t *to = ret_bytes;

	while (count > 0) {
		ssize_t done = pread(descriptor, to, count < (1u << 30) ? count : (1u << 30), (off_t)at);

		if (done < 0 && errno == EINTR)
			continue;
		if (done < 0)
			return -errno;
		if (done == 0) {
			memset(to, 0, count);
			return 0;
		}
		to += done;
		at += (uint64_t)done;
		count -= (uint64_t)done;
	}
	return 0;
}

static int set_length(int descriptor, uint64_t count)
{
	int rc;

	do
		rc = ftruncate(descriptor, (off_t)count);
	while (rc < 0 && errno == EINTR);
	return rc < 0 ? -errno : 0;
}

static int sync_file(int descriptor)
{
	int rc;

	do
		rc = fdatasync(descriptor);
	while (rc < 0 && errno == EINTR);
	return rc < 0 ? -errno : 0;
}

/* --- pages in memory -------------------- */

static struct shadow_page *find_slot(const struct shadow *shadow, uint64_t index)
{
	uint64_t at = (index * 0x9E3779B97F4A7C15ull) >> 32 & (shadow->slot_count - 1);

	while (shadow->slots[at].bytes && shadow->slots[at].index != index)
		at = (at + 1) & (shadow->slot_count - 1);
	return &shadow->slots[at];
}

static uint8_t *find_page(const struct shadow *shadow, uint64_t index)
{
	return shadow->page_count ? find_slot(shadow, index)->bytes : NULL;
}

static int grow_slots(struct shadow *shadow)
{
	struct shadow grown = {.slot_count = shadow->slot_count ? shadow->slot_count * 2 : 64};

	grown.slots = calloc(grown.slot_count, sizeof(*grown.slots));
	if (!grown.slots)
		return -ENOMEM;
	for (uint64_t i = 0; i < shadow->slot_count; i++)
		if (shadow->slots[i].bytes)
			*find_slot(&grown, shadow->slots[i].index) = shadow->slots[i];
	free(shadow->slots);
	shadow->slots = grown.slots;
	shadow->slot_count = grown.slot_count;
	return 0;
}

/* The page in memory; it is read from the file where it is not there. */
static int take_page(struct shadow *shadow, uint64_t index, uint8_t **ret_page)
{
	struct shadow_page *slot;
	uint8_t *bytes;
	int rc;

	*ret_page = find_page(shadow, index);
	if (*ret_page)
		return 0;
	if (2 * (shadow->page_count + 1) > shadow->slot_count) {
		rc = grow_slots(shadow);
		if (rc < 0)
			return rc;
	}
	bytes = malloc(SHADOW_PAGE_BYTES);
	if (!bytes)
		return -ENOMEM;
	rc = read_all(shadow->descriptor, index * SHADOW_PAGE_BYTES, bytes, SHADOW_PAGE_BYTES);
	if (rc < 0) {
		free(bytes);
		return rc;
	}
	slot = find_slot(shadow, index);
	*slot = (struct shadow_page){index, bytes};
	shadow->page_count++;
	*ret_page = bytes;
	return 0;
}

static void drop_pages(struct shadow *shadow)
{
	for (uint64_t i = 0; i < shadow->slot_count; i++)
		free(shadow->slots[i].bytes);
	free(shadow->slots);
	shadow->slots = NULL;
	shadow->slot_count = shadow->page_count = 0;
}

/* --- undo -------------------- */

static uint64_t sum_head(const struct undo_head *head)
{
	return add_sum(1, head, offsetof(struct undo_head, sum));
}

static uint64_t undo_page_bytes(const struct undo_head *head)
{
	return head->magic == UNDO_MAGIC ? sizeof(struct undo_page) : UNDO_PAGE_BYTES_1;
}

static int read_undo_page(
	const struct shadow *shadow, const struct undo_head *head, uint64_t i, struct undo_page *ret_page)
{
	uint64_t at = sizeof(*head) + i * undo_page_bytes(head);
	int rc;

	if (head->magic == UNDO_MAGIC)
		return read_all(shadow->undo_descriptor, at, ret_page, sizeof(*ret_page));
	ret_page->new_sum = 0;
	rc = read_all(shadow->undo_descriptor, at, &ret_page->index, sizeof(ret_page->index));
	return rc < 0 ? rc
		      : read_all(shadow->undo_descriptor, at + sizeof(ret_page->index), ret_page->bytes,
				SHADOW_PAGE_BYTES);
}

static uint64_t add_page(uint64_t sum, const struct undo_head *head, const struct undo_page *page)
{
	if (head->magic == UNDO_MAGIC)
		return add_sum(sum, page, sizeof(*page));
	return add_sum(add_sum(sum, &page->index, sizeof(page->index)), page->bytes, SHADOW_PAGE_BYTES);
}

/* An undo file that is whole, and of the commit after `commit`. */
static bool is_whole(const struct shadow *shadow, uint64_t commit, struct undo_head *ret_head)
{
	struct undo_page page;
	struct stat status;
	uint64_t sum;

	if (read_all(shadow->undo_descriptor, 0, ret_head, sizeof(*ret_head)) < 0 ||
		(ret_head->magic != UNDO_MAGIC && ret_head->magic != UNDO_MAGIC_1) || ret_head->commit != commit + 1 ||
		fstat(shadow->undo_descriptor, &status) < 0 ||
		ret_head->page_count > ((uint64_t)status.st_size - sizeof(*ret_head)) / undo_page_bytes(ret_head))
		return false;
	sum = sum_head(ret_head);
	for (uint64_t i = 0; i < ret_head->page_count; i++) {
		if (read_undo_page(shadow, ret_head, i, &page) < 0)
			return false;
		sum = add_page(sum, ret_head, &page);
	}
	return sum == ret_head->sum;
}

/* Each page of that commit stands in the file as it was before, or as the commit wrote it: a copy of the file that the
 * undo file was written for, and not another one of its name. Of a new file the first page is written last. */
static bool is_same_content(const struct shadow *shadow, const struct undo_head *head, uint64_t file_bytes)
{
	uint8_t found[SHADOW_PAGE_BYTES];
	static const uint8_t zeros[8];
	struct undo_page page;

	if (head->magic != UNDO_MAGIC || file_bytes < head->file_bytes)
		return false;
	if (head->page_count == 0)
		return head->file_bytes == 0 && read_all(shadow->descriptor, 0, found, sizeof(zeros)) == 0 &&
		       memcmp(found, zeros, sizeof(zeros)) == 0;
	for (uint64_t i = 0; i < head->page_count; i++) {
		if (read_undo_page(shadow, head, i, &page) < 0 ||
			read_all(shadow->descriptor, page.index * SHADOW_PAGE_BYTES, found, sizeof(found)) < 0 ||
			(memcmp(found, page.bytes, sizeof(found)) != 0 &&
				add_sum(1, found, sizeof(found)) != page.new_sum))
			return false;
	}
	return true;
}

static bool is_due(const struct shadow *shadow, uint64_t commit, const struct stat *status, struct undo_head *ret_head)
{
	return is_whole(shadow, commit, ret_head) &&
	       (ret_head->inode == status->st_ino || is_same_content(shadow, ret_head, (uint64_t)status->st_size));
}

/* Never behind `end`: on a full disk nothing may have to grow for a moment. */
static int write_page(const struct shadow *shadow, uint64_t index, const uint8_t *bytes, uint64_t end)
{
	uint64_t at = index * SHADOW_PAGE_BYTES, rest = end > at ? end - at : 0;

	return write_all(shadow->descriptor, at, bytes, rest < SHADOW_PAGE_BYTES ? rest : SHADOW_PAGE_BYTES);
}

static int undo(struct shadow *shadow, uint64_t commit, const struct stat *status, struct enrg_error *err)
{
	struct undo_head head;
	struct undo_page page;
	int rc = 0;

	if (!is_due(shadow, commit, status, &head))
		return 0;
	for (uint64_t i = 0; i < head.page_count && rc == 0; i++) {
		rc = read_undo_page(shadow, &head, i, &page);
		if (rc == 0)
			rc = write_page(shadow, page.index, page.bytes, head.file_bytes);
	}
	if (rc == 0)
		rc = set_length(shadow->descriptor, head.file_bytes);
	return rc < 0 ? fail(err, shadow->path, "take an unfinished commit back", rc) : 0;
}

/* The page as it will stand in a file that ends at `end`. */
static uint64_t sum_new_page(const struct shadow_page *page, uint64_t end)
{
	uint64_t at = page->index * SHADOW_PAGE_BYTES, rest = end > at ? end - at : 0;
	uint8_t bytes[SHADOW_PAGE_BYTES] = {0};

	memcpy(bytes, page->bytes, rest < SHADOW_PAGE_BYTES ? rest : SHADOW_PAGE_BYTES);
	return add_sum(1, bytes, sizeof(bytes));
}

/* Gathers pages, so that the undo file is written in large pieces. */
static int write_undo_pages(struct shadow *shadow, uint64_t end, struct undo_head *head)
{
	struct undo_page *pages = malloc(UNDO_GATHER_PAGES * sizeof(*pages));
	uint64_t at = sizeof(*head);
	unsigned count = 0;
	int rc = pages ? 0 : -ENOMEM;

	for (uint64_t i = 0; i < shadow->slot_count && rc == 0; i++) {
		if (!shadow->slots[i].bytes)
			continue;
		pages[count].index = shadow->slots[i].index;
		pages[count].new_sum = sum_new_page(&shadow->slots[i], end);
		rc = read_all(shadow->descriptor, pages[count].index * SHADOW_PAGE_BYTES, pages[count].bytes,
			SHADOW_PAGE_BYTES);
		head->sum = add_sum(head->sum, &pages[count], sizeof(pages[count]));
		if (rc == 0 && ++count == UNDO_GATHER_PAGES) {
			rc = write_all(shadow->undo_descriptor, at, pages, count * sizeof(*pages));
			at += count * sizeof(*pages);
			count = 0;
		}
	}
	if (rc == 0)
		rc = write_all(shadow->undo_descriptor, at, pages, count * sizeof(*pages));
	free(pages);
	return rc;
}

/* Before the file is made `end` long by that commit. */
static int write_undo(struct shadow *shadow, uint64_t commit, uint64_t end, struct enrg_error *err)
{
	struct undo_head head = {.magic = UNDO_MAGIC,
		.commit = commit,
		.file_bytes = shadow->committed_bytes,
		.page_count = shadow->page_count};
	struct stat status;
	int rc = fstat(shadow->descriptor, &status) < 0 ? -errno : 0;

	/* What is appended to a new file can be taken back all the while. */
	if (rc == 0 && shadow->committed_bytes > 0)
		rc = set_length(shadow->undo_descriptor, 0);
	if (rc == 0) {
		head.inode = status.st_ino;
		head.sum = sum_head(&head);
		rc = write_undo_pages(shadow, end, &head);
	}
	if (rc == 0)
		rc = write_all(shadow->undo_descriptor, 0, &head, sizeof(head));
	if (rc == 0 && shadow->is_synced)
		rc = sync_file(shadow->undo_descriptor);
	return rc < 0 ? fail(err, shadow->undo_path, "write", rc) : 0;
}

/* --- open and close -------------------- */

static char *name_undo(const char *path)
{
	const char *slash = strrchr(path, '/');
	const char *own = slash ? slash + 1 : path;
	char *name;

	return asprintf(&name, "%.*s.%.200s.undo", (int)(own - path), path, own) < 0 ? NULL : name;
}

static int open_files(struct shadow *shadow, uint64_t commit, struct enrg_error *err)
{
	struct stat status;
	int rc;

	shadow->descriptor = open(shadow->path, O_RDWR | O_CREAT | O_CLOEXEC | O_NONBLOCK, 0644);
	if (shadow->descriptor < 0)
		return fail(err, shadow->path, "open", -errno);
	shadow->undo_descriptor = open(shadow->undo_path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
	if (shadow->undo_descriptor < 0)
		return fail(err, shadow->undo_path, "open", -errno);
	if (fstat(shadow->descriptor, &status) < 0)
		return fail(err, shadow->path, "look at the file", -errno);
	if (!S_ISREG(status.st_mode))
		return enrg_error_set(err, -EINVAL, "%s: is not a regular file", shadow->path);
	rc = undo(shadow, commit, &status, err);
	if (rc < 0)
		return rc;
	if (fstat(shadow->descriptor, &status) < 0)
		return fail(err, shadow->path, "look at the file", -errno);
	shadow->committed_bytes = shadow->used_bytes = shadow->end = (uint64_t)status.st_size;
	/* A new file is known to be one, whatever gets into it before its first commit. */
	rc = shadow_settle(shadow, err);
	return rc == 0 && shadow->end == 0 ? write_undo(shadow, commit + 1, 0, err) : rc;
}

int shadow_open(const char *path, uint64_t commit, struct shadow **ret_shadow, struct enrg_error *err)
{
	struct shadow *shadow = calloc(1, sizeof(*shadow));
	int rc;

	if (!shadow)
		return enrg_error_set(err, -ENOMEM, "%s: out of memory", path);
	shadow->descriptor = shadow->undo_descriptor = -1;
	shadow->path = strdup(path);
	shadow->undo_path = name_undo(path);
	if (!shadow->path || !shadow->undo_path)
		rc = enrg_error_set(err, -ENOMEM, "%s: out of memory", path);
	else
		rc = open_files(shadow, commit, err);
	if (rc < 0) {
		shadow_close(shadow, false);
		return rc;
	}
	*ret_shadow = shadow;
	return 0;
}

void shadow_close(struct shadow *shadow, bool is_clean)
{
	struct stat status;

	if (!shadow)
		return;
	drop_pages(shadow);
	/* Readers need not wait for the next open; which tries it again if this fails. */
	if (shadow->unfinished > 0 && fstat(shadow->descriptor, &status) == 0)
		undo(shadow, shadow->unfinished - 1, &status, NULL);
	if (shadow->undo_descriptor >= 0)
		close(shadow->undo_descriptor);
	/* What was appended behind the last commit belongs to nobody. */
	if (is_clean && fstat(shadow->descriptor, &status) == 0 &&
		((uint64_t)status.st_size == shadow->used_bytes ||
			set_length(shadow->descriptor, shadow->used_bytes) == 0))
		unlink(shadow->undo_path);
	if (shadow->descriptor >= 0)
		close(shadow->descriptor);
	free(shadow->undo_path);
	free(shadow->path);
	free(shadow);
}

int shadow_set_synced(struct shadow *shadow, struct enrg_error *err)
{
	int rc = sync_file(shadow->undo_descriptor); /* a new file has written it already */

	shadow->is_synced = rc == 0;
	return rc < 0 ? fail(err, shadow->undo_path, "sync", rc) : 0;
}

int shadow_settle(struct shadow *shadow, struct enrg_error *err)
{
	int rc = set_length(shadow->undo_descriptor, 0);

	return rc < 0 ? fail(err, shadow->undo_path, "cut the file", rc) : 0;
}

/* --- access -------------------- */

int shadow_read(struct shadow *shadow, uint64_t at, void *ret_bytes, uint64_t count)
{
	uint8_t *to = ret_bytes;
	int rc = read_all(shadow->descriptor, at, to, count);

	while (rc == 0 && count > 0 && shadow->page_count > 0) {
		uint64_t offset = at % SHADOW_PAGE_BYTES;
		uint64_t part = SHADOW_PAGE_BYTES - offset < count ? SHADOW_PAGE_BYTES - offset : count;
		const uint8_t *page = find_page(shadow, at / SHADOW_PAGE_BYTES);

		if (page)
			memcpy(to, page + offset, part);
		to += part;
		at += part;
		count -= part;
	}
	if (rc < 0 && shadow->failure == 0)
		shadow->failure = rc;
	return rc;
}

/* Length of the part at `at` that does not touch a page in memory. */
static uint64_t count_direct(const struct shadow *shadow, uint64_t at, uint64_t count)
{
	uint64_t done = 0;

	if (shadow->page_count == 0)
		return count;
	while (done < count && !find_page(shadow, (at + done) / SHADOW_PAGE_BYTES))
		done += SHADOW_PAGE_BYTES - (at + done) % SHADOW_PAGE_BYTES;
	return done < count ? done : count;
}

static int write_part(
	struct shadow *shadow, uint64_t at, const uint8_t *bytes, uint64_t count, bool is_undoable, uint64_t *ret_done)
{
	uint64_t index = at / SHADOW_PAGE_BYTES, offset = at % SHADOW_PAGE_BYTES;
	uint64_t part = SHADOW_PAGE_BYTES - offset < count ? SHADOW_PAGE_BYTES - offset : count;
	/* The first page makes a new file one of HDF5: it comes with the first commit. */
	bool is_new = index > 0 && index * SHADOW_PAGE_BYTES >= shadow->committed_bytes;
	bool is_frozen = shadow->is_frozen || shadow->failure < 0;
	uint8_t *page = find_page(shadow, index);
	int rc;

	if (!page && is_frozen && !is_undoable) {
		*ret_done = part;
		return 0;
	}
	if (!page && !is_frozen && (!is_undoable || is_new)) {
		*ret_done = count_direct(shadow, at, count);
		return write_all(shadow->descriptor, at, bytes, *ret_done);
	}
	rc = take_page(shadow, index, &page);
	if (rc < 0)
		return rc;
	memcpy(page + offset, bytes, part);
	*ret_done = part;
	return 0;
}

int shadow_write(struct shadow *shadow, uint64_t at, const void *bytes, uint64_t count, bool is_undoable)
{
	const uint8_t *from = bytes;

	while (count > 0) {
		uint64_t done;
		int rc = write_part(shadow, at, from, count, is_undoable, &done);

		if (rc < 0 && shadow->failure == 0) {
			shadow->failure = rc;
			continue; /* once more, into memory */
		}
		if (rc < 0)
			return rc;
		at += done;
		from += done;
		count -= done;
		if (at > shadow->end)
			shadow->end = at;
	}
	return 0;
}

static int compare_pages(const void *a, const void *b)
{
	const struct shadow_page *left = a, *right = b;

	return left->index < right->index ? -1 : left->index > right->index;
}

static int apply_pages(const struct shadow *shadow, uint64_t end)
{
	struct shadow_page *pages = malloc((shadow->page_count + 1) * sizeof(*pages));
	uint64_t count = 0;
	int rc = 0;

	if (!pages)
		return -ENOMEM;
	for (uint64_t i = 0; i < shadow->slot_count; i++)
		if (shadow->slots[i].bytes)
			pages[count++] = shadow->slots[i];
	qsort(pages, count, sizeof(*pages), compare_pages);
	for (uint64_t i = 0; i < count && rc == 0; i++)
		rc = write_page(shadow, pages[i].index, pages[i].bytes, end);
	free(pages);
	return rc;
}

int shadow_commit(struct shadow *shadow, uint64_t commit, struct enrg_error *err)
{
	/* Never shorter: what was cut off could not be undone. */
	uint64_t end = shadow->end > shadow->committed_bytes ? shadow->end : shadow->committed_bytes;
	struct stat status = {0};
	int rc = write_undo(shadow, commit, end, err);

	if (rc < 0) {
		shadow->failure = rc;
		return rc;
	}
	/* Longer first: the pages may say that it is. */
	rc = fstat(shadow->descriptor, &status) < 0 ? -errno : 0;
	if (rc == 0 && (uint64_t)status.st_size < end)
		rc = set_length(shadow->descriptor, end);
	if (rc == 0)
		rc = apply_pages(shadow, end);
	if (rc == 0 && shadow->is_synced)
		rc = sync_file(shadow->descriptor);
	if (rc < 0) {
		shadow->unfinished = commit;
		shadow->failure = rc;
		return fail(err, shadow->path, "write", rc);
	}
	drop_pages(shadow);
	shadow->committed_bytes = end;
	shadow->used_bytes = shadow->end;
	return 0;
}
