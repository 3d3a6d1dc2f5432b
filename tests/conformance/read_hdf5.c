/* read_hdf5.c: reads a file of the HDF5 store with libhdf5's own driver. In the test process. */
#include <hdf5.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "readers.h"

#define GROUP "scan/run" /* dataset_name in kinds.c */

/* A dataset as numbers of 64 bits. */
struct numbers {
	size_t count;
	void *values; /* int64_t, uint64_t or double, as asked for */
};

static bool read_numbers(hid_t file, const char *path, hid_t type, struct numbers *ret_numbers)
{
	hid_t dataset = H5Dopen2(file, path, H5P_DEFAULT), space;
	hssize_t count;
	bool is_good;

	if (dataset < 0)
		return false;
	space = H5Dget_space(dataset);
	count = H5Sget_simple_extent_npoints(space);
	ret_numbers->count = (size_t)count;
	ret_numbers->values = calloc((size_t)count + 1, 8);
	is_good = count >= 0 && H5Dread(dataset, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, ret_numbers->values) >= 0;
	H5Sclose(space);
	H5Dclose(dataset);
	return is_good;
}

static int format_number(enum enrg_type type, const void *values, uint64_t i, char *ret_text, size_t text_bytes)
{
	if (type == ENRG_BOOL)
		return snprintf(ret_text, text_bytes, "%s", ((const uint64_t *)values)[i] ? "true" : "false");
	if (enrg_type_is_float(type))
		return snprintf(ret_text, text_bytes, "%a", ((const double *)values)[i]);
	if (enrg_type_is_signed(type))
		return snprintf(ret_text, text_bytes, "%" PRId64, ((const int64_t *)values)[i]);
	return snprintf(ret_text, text_bytes, "%" PRIu64, ((const uint64_t *)values)[i]);
}

struct column_data {
	enum enrg_type type, item;
	bool is_variable;
	struct numbers values, offsets;
};

/* As the store's page says: '/' is "%2F", a name "." is "%2E", and a '%' that could be taken for one of these is "%25".
 */
static void format_name(const char *name, char *ret_name)
{
	if (strcmp(name, ".") == 0) {
		strcpy(ret_name, "%2E");
		return;
	}
	for (; *name; name++) {
		if (*name == '/')
			ret_name = stpcpy(ret_name, "%2F");
		else if (!strncmp(name, "%2F", 3) || !strncmp(name, "%2E", 3) || !strncmp(name, "%25", 3))
			ret_name = stpcpy(ret_name, "%25");
		else
			*ret_name++ = *name;
	}
	*ret_name = '\0';
}

static bool read_column(hid_t file, const struct enrg_column *column, struct column_data *ret_data)
{
	enum enrg_type item = enrg_column_item(column);
	hid_t type = enrg_type_is_float(item)    ? H5T_NATIVE_DOUBLE
		     : enrg_type_is_signed(item) ? H5T_NATIVE_INT64
						 : H5T_NATIVE_UINT64;
	char path[1024], name[768];

	format_name(column->name, name);
	*ret_data = (struct column_data){
		.type = column->type, .item = item, .is_variable = enrg_type_is_variable(column->type)};
	snprintf(path, sizeof(path), GROUP "/%s%s", name, ret_data->is_variable ? "/values" : "");
	if (!read_numbers(file, path, type, &ret_data->values))
		return false;
	snprintf(path, sizeof(path), GROUP "/%s/offsets", name);
	if (!ret_data->is_variable)
		return true;
	if (!read_numbers(file, path, H5T_NATIVE_UINT64, &ret_data->offsets))
		return false;
	return ret_data->values.count ==
	       (ret_data->offsets.count ? ((uint64_t *)ret_data->offsets.values)[ret_data->offsets.count - 1] : 0);
}

static void add_cell(const struct column_data *data, size_t row, struct cells *cells)
{
	const uint64_t *offsets = data->offsets.values;
	uint64_t first = data->is_variable ? (row ? offsets[row - 1] : 0) : row;
	uint64_t end = data->is_variable ? offsets[row] : row + 1;
	size_t room = (size_t)(end - first) * 32 + 1, used = 0;
	char *text = malloc(room);

	if (!text)
		abort();
	for (uint64_t i = first; i < end; i++) {
		if (data->type == ENRG_STRING || data->type == ENRG_BINARY) {
			text[used++] = (char)((const uint64_t *)data->values.values)[i];
			continue;
		}
		if (i > first)
			text[used++] = ' ';
		used += (size_t)format_number(data->item, data->values.values, i, text + used, room - used);
	}
	if (data->type == ENRG_BINARY)
		cells_add_hex(cells, text, used);
	else
		cells_add(cells, text, used);
	free(text);
}

bool read_hdf5(const char *path, const struct enrg_schema *schema, struct cells *ret_cells)
{
	struct column_data columns[32] = {0};
	hid_t file = H5Fopen(path, H5F_ACC_RDONLY, H5P_DEFAULT);
	bool is_good = file >= 0;
	size_t rows = 0;

	for (uint32_t i = 0; i < schema->column_count && is_good; i++) {
		size_t count;

		is_good = read_column(file, &schema->columns[i], &columns[i]);
		count = columns[i].is_variable ? columns[i].offsets.count : columns[i].values.count;
		is_good = is_good && (i == 0 || count == rows);
		rows = count;
	}
	for (size_t row = 0; row < rows && is_good; row++)
		for (uint32_t i = 0; i < schema->column_count; i++)
			add_cell(&columns[i], row, ret_cells);
	ret_cells->rows = rows;
	ret_cells->columns = schema->column_count;
	for (uint32_t i = 0; i < schema->column_count; i++) {
		free(columns[i].values.values);
		free(columns[i].offsets.values);
	}
	if (file >= 0)
		H5Fclose(file);
	return is_good;
}
