/* growing.c: one growing dataset. Runs in the store's job process, on its main thread. */
#include "growing.h"

#include <errno.h>
#include <string.h>

#include "failure.h"

#define CHUNK_BYTES_MIN     (16u << 10)
#define CHUNK_BYTES_MAX     (1u << 20)
#define CHUNK_BYTES_UNKNOWN (64u << 10) /* where no row says how fast they come */
#define CACHE_SLOTS         101u
#define DIRECT_BYTES        (64u << 10) /* from here on a copy costs more than another call of libhdf5 */

#define KIND_ATTRIBUTE "enrgdaq_type"
#define UNIT_ATTRIBUTE "unit"
#define TEXT_BYTES     260u

void growing_fini(struct growing *growing)
{
	bytes_fini(&growing->pending);
}

/* --- attributes -------------------- */

herr_t growing_write_text(hid_t object, const char *name, const char *text)
{
	hid_t type, space, attribute;
	herr_t rc = -1;

	if (!text || !*text)
		return 0;
	type = H5Tcopy(H5T_C_S1);
	space = H5Screate(H5S_SCALAR);
	H5Tset_size(type, strlen(text));
	H5Tset_strpad(type, H5T_STR_NULLPAD);
	H5Tset_cset(type, H5T_CSET_UTF8);
	attribute = H5Acreate2(object, name, type, space, H5P_DEFAULT, H5P_DEFAULT);
	if (attribute >= 0) {
		rc = H5Awrite(attribute, type, text);
		H5Aclose(attribute);
	}
	H5Sclose(space);
	H5Tclose(type);
	return rc;
}

/* Files that others made have no such attribute: their type alone decides. */
static bool has_kind(hid_t object, const char *kind)
{
	char text[TEXT_BYTES] = "";
	hid_t attribute, type;
	bool is_equal = false;

	if (H5Aexists(object, KIND_ATTRIBUTE) <= 0)
		return true;
	attribute = H5Aopen(object, KIND_ATTRIBUTE, H5P_DEFAULT);
	if (attribute < 0)
		return false;
	type = H5Aget_type(attribute);
	if (H5Tget_class(type) == H5T_STRING && H5Tis_variable_str(type) == 0 && H5Tget_size(type) < sizeof(text) &&
		H5Aread(attribute, type, text) >= 0)
		is_equal = strcmp(text, kind) == 0;
	H5Tclose(type);
	H5Aclose(attribute);
	return is_equal;
}

/* --- create and open -------------------- */

/* A power of two that holds what came until the first commit. */
static uint64_t choose_chunk(const struct growing *growing)
{
	uint64_t bytes = CHUNK_BYTES_MIN;

	if (growing->pending.count == 0)
		bytes = CHUNK_BYTES_UNKNOWN;
	while (bytes < growing->pending.count && bytes < CHUNK_BYTES_MAX)
		bytes *= 2;
	return bytes / growing->value_bytes;
}

/* A chunk and the next one fit in, whatever its size; chunks that are full leave first. */
static hid_t make_access(uint64_t chunk_bytes)
{
	hid_t access = H5Pcreate(H5P_DATASET_ACCESS);

	H5Pset_chunk_cache(access, CACHE_SLOTS, 2 * chunk_bytes, 1.0);
	return access;
}

herr_t growing_create(struct growing *growing, hid_t group, const struct growing_params *params)
{
	hsize_t count = 0, count_max = H5S_UNLIMITED, chunk = choose_chunk(growing);
	hid_t space = H5Screate_simple(1, &count, &count_max);
	hid_t create = H5Pcreate(H5P_DATASET_CREATE);
	hid_t access = make_access(chunk * growing->value_bytes);
	const uint8_t one = 1;

	H5Pset_chunk(create, 1, &chunk);
	if (params->is_filled_with_1)
		H5Pset_fill_value(create, H5T_STD_U8LE, &one);
	if (params->deflate_level > 0) {
		H5Pset_shuffle(create);
		H5Pset_deflate(create, (unsigned)params->deflate_level);
	}
	growing->is_packed = params->deflate_level > 0;
	growing->count = 0;
	growing->dataset = H5Dcreate2(group, params->name, growing->type, space, H5P_DEFAULT, create, access);
	if (growing->dataset < 0)
		failure_keep();
	H5Pclose(access);
	H5Pclose(create);
	H5Sclose(space);
	if (growing->dataset < 0 || growing_write_text(growing->dataset, KIND_ATTRIBUTE, params->kind) < 0)
		return -1;
	return growing_write_text(growing->dataset, UNIT_ATTRIBUTE, params->unit);
}

static bool is_growing(struct growing *growing, hid_t *ret_create)
{
	hid_t space = H5Dget_space(growing->dataset), type = H5Dget_type(growing->dataset);
	hsize_t count = 0, count_max = 0;
	bool is_ours;

	*ret_create = H5Dget_create_plist(growing->dataset);
	is_ours = H5Sget_simple_extent_ndims(space) == 1 && H5Sget_simple_extent_dims(space, &count, &count_max) == 1 &&
		  count_max == H5S_UNLIMITED && H5Tequal(type, growing->type) > 0 &&
		  H5Pget_layout(*ret_create) == H5D_CHUNKED;
	growing->count = count;
	growing->is_packed = H5Pget_nfilters(*ret_create) > 0;
	H5Tclose(type);
	H5Sclose(space);
	return is_ours;
}

int growing_open(struct growing *growing, hid_t group, const char *name, const char *kind)
{
	hid_t create = -1, access;
	hsize_t chunk = 1;
	H5O_info_t info;
	bool is_ours;

	if (H5Lexists(group, name, H5P_DEFAULT) <= 0 || H5Oget_info_by_name(group, name, &info, H5P_DEFAULT) < 0 ||
		info.type != H5O_TYPE_DATASET)
		return 0;
	growing->dataset = H5Dopen2(group, name, H5P_DEFAULT);
	if (growing->dataset < 0)
		return -1;
	is_ours = is_growing(growing, &create) && has_kind(growing->dataset, kind);
	if (is_ours)
		H5Pget_chunk(create, 1, &chunk);
	H5Pclose(create);
	H5Dclose(growing->dataset);
	growing->dataset = -1;
	if (!is_ours)
		return 0;
	/* Once more, with a cache that fits its chunks. */
	access = make_access(chunk * growing->value_bytes);
	growing->dataset = H5Dopen2(group, name, access);
	H5Pclose(access);
	return growing->dataset < 0 ? -1 : 1;
}

/* --- writing -------------------- */

herr_t growing_extend(struct growing *growing, uint64_t count)
{
	hsize_t size = count;

	if (H5Dset_extent(growing->dataset, &size) < 0)
		return -1;
	growing->count = count;
	return 0;
}

static herr_t write_values(struct growing *growing, const void *values, uint64_t count)
{
	hsize_t first = growing->count, more = count, size = first + more;
	hid_t memory, file;
	herr_t rc;

	if (growing_extend(growing, size) < 0) {
		failure_keep();
		return -1;
	}
	memory = H5Screate_simple(1, &more, NULL);
	file = H5Screate_simple(1, &size, NULL);
	rc = H5Sselect_hyperslab(file, H5S_SELECT_SET, &first, NULL, &more, NULL);
	if (rc >= 0)
		rc = H5Dwrite(growing->dataset, growing->type, memory, file, H5P_DEFAULT, values);
	if (rc < 0)
		failure_keep();
	H5Sclose(file);
	H5Sclose(memory);
	return rc;
}

herr_t growing_flush(struct growing *growing)
{
	uint64_t count = growing->pending.count / growing->value_bytes;
	herr_t rc = count > 0 ? write_values(growing, growing->pending.data, count) : 0;

	growing->pending.count = 0;
	return rc;
}

int growing_append(struct growing *growing, const void *values, uint64_t count)
{
	uint64_t bytes = count * growing->value_bytes;
	uint8_t *to;

	if (growing->dataset >= 0 && bytes >= DIRECT_BYTES)
		return growing_flush(growing) < 0 || write_values(growing, values, count) < 0 ? -EIO : 0;
	to = bytes_add(&growing->pending, bytes);
	if (!to)
		return -ENOMEM;
	if (bytes > 0)
		memcpy(to, values, bytes);
	return 0;
}
