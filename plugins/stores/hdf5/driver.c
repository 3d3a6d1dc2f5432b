/* driver.c: a virtual file driver of libhdf5 over a shadow. Runs in the store's job process, on its main thread.
 *
 * Flush and close write nothing here: a commit is shadow_commit, after H5Fflush. Writes never fail for libhdf5: see
 * shadow.h.
 */
#include "driver.h"

#include <stdlib.h>
#include <string.h>

/* Tells drivers of one process apart: any number from 256 to 65535, as those below are libhdf5's own. */
#define DRIVER_VALUE 17731

struct access {
	struct shadow *shadow;
	const bool *is_packed;
};

struct driver_file {
	H5FD_t head; /* libhdf5's part, first */
	struct access access;
	haddr_t allocated_end;
};

static H5FD_t *driver_open(const char *name, unsigned flags, hid_t access, haddr_t address_max)
{
	const struct access *info = H5Pget_driver_info(access);
	struct driver_file *file = info ? calloc(1, sizeof(*file)) : NULL;

	(void)name;
	(void)address_max;
	if (!file)
		return NULL;
	file->access = *info;
	if (flags & H5F_ACC_TRUNC)
		file->access.shadow->end = 0;
	return &file->head;
}

static herr_t driver_close(H5FD_t *head)
{
	free(head);
	return 0;
}

/* Files are never the same: one that was abandoned must not be found again. */
static int driver_compare(const H5FD_t *a, const H5FD_t *b)
{
	return a < b ? -1 : a > b;
}

static herr_t driver_query(const H5FD_t *head, unsigned long *flags)
{
	(void)head;
	if (flags)
		*flags = H5FD_FEAT_AGGREGATE_METADATA | H5FD_FEAT_AGGREGATE_SMALLDATA;
	return 0;
}

static haddr_t driver_get_allocated_end(const H5FD_t *head, H5FD_mem_t type)
{
	(void)type;
	return ((const struct driver_file *)head)->allocated_end;
}

static herr_t driver_set_allocated_end(H5FD_t *head, H5FD_mem_t type, haddr_t address)
{
	(void)type;
	((struct driver_file *)head)->allocated_end = address;
	return 0;
}

static haddr_t driver_get_end(const H5FD_t *head, H5FD_mem_t type)
{
	(void)type;
	return ((const struct driver_file *)head)->access.shadow->end;
}

static herr_t driver_read(H5FD_t *head, H5FD_mem_t type, hid_t transfer, haddr_t at, size_t count, void *ret_bytes)
{
	struct driver_file *file = (struct driver_file *)head;

	(void)type;
	(void)transfer;
	return shadow_read(file->access.shadow, at, ret_bytes, count) < 0 ? -1 : 0;
}

static herr_t driver_write(H5FD_t *head, H5FD_mem_t type, hid_t transfer, haddr_t at, size_t count, const void *bytes)
{
	struct driver_file *file = (struct driver_file *)head;
	bool is_undoable = type != H5FD_MEM_DRAW || *file->access.is_packed;

	(void)transfer;
	return shadow_write(file->access.shadow, at, bytes, count, is_undoable) < 0 ? -1 : 0;
}

/* libhdf5 wants the file as long as what it has allocated. */
static herr_t driver_truncate(H5FD_t *head, hid_t transfer, hbool_t is_closing)
{
	struct driver_file *file = (struct driver_file *)head;

	(void)transfer;
	(void)is_closing;
	file->access.shadow->end = file->allocated_end;
	return 0;
}

hid_t driver_register(void)
{
	static const H5FD_class_t class = {
#ifdef H5FD_CLASS_VERSION /* since libhdf5 1.14 the struct begins with these two */
		.version = H5FD_CLASS_VERSION,
		.value = DRIVER_VALUE,
#endif
		.name = "enrgdaq",
		.maxaddr = (haddr_t)INT64_MAX,
		.fc_degree = H5F_CLOSE_STRONG,
		.fapl_size = sizeof(struct access),
		.open = driver_open,
		.close = driver_close,
		.cmp = driver_compare,
		.query = driver_query,
		.get_eoa = driver_get_allocated_end,
		.set_eoa = driver_set_allocated_end,
		.get_eof = driver_get_end,
		.read = driver_read,
		.write = driver_write,
		.truncate = driver_truncate,
		.fl_map = H5FD_FLMAP_DICHOTOMY,
	};

	/* A file that libhdf5 could not close must not be touched at exit, when its shadow is gone. In vain, and not
	 * needed, where libhdf5 is in use already. */
	H5dont_atexit();
	return H5FDregister(&class);
}

herr_t driver_use(hid_t driver, hid_t access, struct shadow *shadow, const bool *is_packed)
{
	const struct access info = {shadow, is_packed};

	return H5Pset_driver(access, driver, &info);
}
