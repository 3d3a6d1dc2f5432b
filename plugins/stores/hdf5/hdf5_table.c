/* hdf5_table.c: the columns of a table in the file. Runs in the store's job process, on its main thread. */
#include "hdf5_table.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "failure.h"

#define TIME_UNIT "nanoseconds since 1970-01-01T00:00:00Z" /* as the CF conventions write it */

/* --- create -------------------- */

static hid_t choose_type(enum enrg_type type)
{
	switch (type) {
	case ENRG_I8:
		return H5T_STD_I8LE;
	case ENRG_I16:
		return H5T_STD_I16LE;
	case ENRG_I32:
		return H5T_STD_I32LE;
	case ENRG_I64:
	case ENRG_TIMESTAMP_NS:
		return H5T_STD_I64LE;
	case ENRG_U16:
		return H5T_STD_U16LE;
	case ENRG_U32:
		return H5T_STD_U32LE;
	case ENRG_U64:
		return H5T_STD_U64LE;
	case ENRG_F32:
		return H5T_IEEE_F32LE;
	case ENRG_F64:
		return H5T_IEEE_F64LE;
	case ENRG_BOOL:
	case ENRG_U8:
	case ENRG_STRING: /* its bytes */
	case ENRG_BINARY:
	case ENRG_LIST:
		break;
	}
	return H5T_STD_U8LE;
}

static void init_series(struct growing *growing, enum enrg_type type)
{
	*growing = (struct growing){.dataset = -1, .type = choose_type(type), .value_bytes = enrg_type_bytes(type)};
	if (growing->value_bytes == 0)
		growing->value_bytes = 1;
}

/* No '/' can stand in a name of HDF5 and none can be "."; '%' is left alone where that can't be taken for an escape. */
static char *escape_name(const char *name)
{
	char *escaped = malloc(3 * strlen(name) + 1), *to = escaped;

	if (!escaped)
		return NULL;
	if (strcmp(name, ".") == 0)
		return strcpy(escaped, "%2E");
	for (const char *at = name; *at; at++) {
		bool is_like_escape = *at == '%' && (strncmp(at + 1, "2F", 2) == 0 || strncmp(at + 1, "2E", 2) == 0 ||
							    strncmp(at + 1, "25", 2) == 0);

		if (*at == '/' || is_like_escape)
			to = stpcpy(to, *at == '/' ? "%2F" : "%25");
		else
			*to++ = *at;
	}
	*to = '\0';
	return escaped;
}

static bool init_column(struct column *column, const struct enrg_column *source)
{
	column->name = escape_name(source->name);
	column->unit = strdup(enrg_type_is_time(source->type) ? TIME_UNIT : source->unit ? source->unit : "");
	column->type = source->type;
	column->item = source->item;
	init_series(&column->values, enrg_column_item(source));
	init_series(&column->offsets, ENRG_U64);
	init_series(&column->valid, ENRG_U8);
	return column->name && column->unit;
}

int hdf5_table_create(const char *group_name, const struct enrg_schema *schema, int deflate_level,
	struct hdf5_table **ret_table, struct enrg_error *err)
{
	struct hdf5_table *table = calloc(1, sizeof(*table));
	bool is_whole = table != NULL;

	if (table) {
		table->group = -1;
		table->deflate_level = deflate_level;
		table->group_name = strdup(group_name);
		if (asprintf(&table->valid_name, "%s_valid", group_name) < 0)
			table->valid_name = NULL;
		table->columns = calloc(schema->column_count, sizeof(*table->columns));
		is_whole =
			notes_init(&table->notes, schema) && table->group_name && table->valid_name && table->columns;
	}
	for (uint32_t i = 0; i < schema->column_count && is_whole; i++) {
		table->column_count = i + 1;
		is_whole = init_column(&table->columns[i], &schema->columns[i]);
	}
	if (!is_whole) {
		hdf5_table_destroy(table);
		return enrg_error_set(err, -ENOMEM, "out of memory");
	}
	*ret_table = table;
	return 0;
}

void hdf5_table_destroy(struct hdf5_table *table)
{
	if (!table)
		return;
	for (uint32_t i = 0; i < table->column_count; i++) {
		struct column *column = &table->columns[i];

		growing_fini(&column->values);
		growing_fini(&column->offsets);
		growing_fini(&column->valid);
		free(column->name);
		free(column->unit);
	}
	notes_fini(&table->notes);
	free(table->columns);
	free(table->valid_name);
	free(table->group_name);
	free(table);
}

bool hdf5_table_equal(const struct hdf5_table *table, const struct hdf5_table *other)
{
	if (table->column_count != other->column_count)
		return false;
	for (uint32_t i = 0; i < table->column_count; i++) {
		const struct column *a = &table->columns[i], *b = &other->columns[i];

		if (strcmp(a->name, b->name) != 0 || a->type != b->type || a->item != b->item)
			return false;
	}
	return true;
}

/* --- open -------------------- */

/* Is there anything of that name? H5Lexists wants each group on the way to exist. */
static bool exists(hid_t file, const char *name)
{
	char part[1024];

	for (const char *at = name; at; at = strchr(at + 1, '/')) {
		if (at > name) {
			snprintf(part, sizeof(part), "%.*s", (int)(at - name), name);
			if (H5Lexists(file, part, H5P_DEFAULT) <= 0)
				return false;
		}
	}
	return H5Lexists(file, name, H5P_DEFAULT) > 0;
}

static hid_t open_group(hid_t file, const char *name)
{
	H5O_info_t info;

	if (!exists(file, name) || H5Oget_info_by_name(file, name, &info, H5P_DEFAULT) < 0 ||
		info.type != H5O_TYPE_GROUP)
		return -1;
	return H5Gopen2(file, name, H5P_DEFAULT);
}

static int open_column(struct hdf5_table *table, struct column *column)
{
	const char *kind = enrg_type_name(column->type);
	hid_t group;
	int rc;

	if (!enrg_type_is_variable(column->type))
		return growing_open(&column->values, table->group, column->name, kind);
	group = open_group(table->group, column->name);
	if (group < 0)
		return 0;
	rc = growing_open(&column->values, group, "values", kind);
	if (rc > 0)
		rc = growing_open(&column->offsets, group, "offsets", "offsets");
	H5Gclose(group);
	return rc;
}

/* The last offset says how many values there are. */
static bool is_even(const struct column *column, uint64_t rows)
{
	hsize_t one = 1, first = rows - 1;
	hid_t memory, file;
	uint64_t end = 0;
	herr_t rc = 0;

	if (!enrg_type_is_variable(column->type))
		return column->values.count == rows;
	if (column->offsets.count != rows)
		return false;
	if (rows > 0) {
		memory = H5Screate_simple(1, &one, NULL);
		file = H5Dget_space(column->offsets.dataset);
		H5Sselect_hyperslab(file, H5S_SELECT_SET, &first, NULL, &one, NULL);
		rc = H5Dread(column->offsets.dataset, H5T_STD_U64LE, memory, file, H5P_DEFAULT, &end);
		H5Sclose(file);
		H5Sclose(memory);
	}
	return rc >= 0 && column->values.count == end;
}

static int open_valid(struct hdf5_table *table, hid_t file)
{
	hid_t group = open_group(file, table->valid_name);
	int rc = 1;

	for (uint32_t i = 0; i < table->column_count && group >= 0 && rc > 0; i++) {
		struct column *column = &table->columns[i];

		if (H5Lexists(group, column->name, H5P_DEFAULT) <= 0)
			continue;
		rc = growing_open(&column->valid, group, column->name, "valid");
		column->has_valid = true;
		if (rc > 0 && column->valid.count != table->rows)
			rc = 0;
	}
	if (group >= 0)
		H5Gclose(group);
	return rc;
}

int hdf5_table_open(struct hdf5_table *table, hid_t file, const struct shadow *shadow, struct enrg_error *err)
{
	H5G_info_t info;
	int rc = 1;

	if (!exists(file, table->group_name))
		return 0;
	table->group = open_group(file, table->group_name);
	if (table->group < 0)
		return HDF5_TABLE_IS_FOREIGN;
	if (H5Gget_info(table->group, &info) < 0)
		return failure_set(err, shadow, "read");
	if (info.nlinks == 0) {
		H5Gclose(table->group);
		table->group = -1;
		return 0;
	}
	if (info.nlinks != table->column_count)
		return HDF5_TABLE_IS_FOREIGN;
	for (uint32_t i = 0; i < table->column_count && rc > 0; i++) {
		struct column *column = &table->columns[i];

		rc = open_column(table, column);
		if (rc > 0 && i == 0)
			table->rows =
				enrg_type_is_variable(column->type) ? column->offsets.count : column->values.count;
		if (rc > 0 && !is_even(column, table->rows))
			rc = 0;
	}
	if (rc > 0)
		rc = open_valid(table, file);
	if (rc < 0)
		return failure_set(err, shadow, "read");
	return rc == 0 ? HDF5_TABLE_IS_FOREIGN : 0;
}

bool hdf5_table_is_packed(const struct hdf5_table *table)
{
	bool is_packed = table->deflate_level > 0;

	for (uint32_t i = 0; i < table->column_count; i++)
		is_packed = is_packed || table->columns[i].values.is_packed || table->columns[i].offsets.is_packed ||
			    table->columns[i].valid.is_packed;
	return is_packed;
}

/* --- append -------------------- */

/* What lies in the ring below a missing value is arbitrary: 0, and NaN where there is one. */
static void blank_missing(
	const struct column *column, const struct enrg_column_view *view, uint64_t rows, uint8_t *values)
{
	const void *blank = enrg_type_missing(column->type);

	for (uint64_t row = 0; row < rows; row++)
		if (!enrg_column_present(view, row))
			memcpy(values + row * column->values.value_bytes, blank, column->values.value_bytes);
}

static int append_plain(struct column *column, const struct enrg_column_view *view, uint64_t rows)
{
	bool has_holes = view->validity && view->null_count > 0;
	const uint8_t *from = view->values;
	uint8_t *to;

	if (column->type != ENRG_BOOL && !has_holes)
		return growing_append(&column->values, from, rows);
	to = bytes_add(&column->values.pending, rows * column->values.value_bytes);
	if (!to)
		return -ENOMEM;
	if (column->type == ENRG_BOOL) {
		for (uint64_t row = 0; row < rows; row++)
			to[row] = (uint8_t)((unsigned)from[row >> 3] >> (row & 7) & 1u);
	} else {
		memcpy(to, from, rows * column->values.value_bytes);
	}
	if (has_holes)
		blank_missing(column, view, rows, to);
	return 0;
}

static int append_variable(struct column *column, const struct enrg_column_view *view, uint64_t rows)
{
	uint64_t first = (uint64_t)view->offsets[0], count = (uint64_t)view->offsets[rows] - first;
	uint64_t value_bytes = column->values.value_bytes;
	uint64_t base = column->values.count + column->values.pending.count / value_bytes;
	uint8_t *offsets = bytes_add(&column->offsets.pending, rows * sizeof(uint64_t));

	if (!offsets)
		return -ENOMEM;
	for (uint64_t row = 0; row < rows; row++) {
		uint64_t end = base + (uint64_t)view->offsets[row + 1] - first;

		memcpy(offsets + row * sizeof(end), &end, sizeof(end));
	}
	if (count == 0)
		return 0;
	return growing_append(&column->values, (const uint8_t *)view->values + first * value_bytes, count);
}

/* From the first missing value on, each row says whether it is there. */
static int append_valid(
	struct hdf5_table *table, struct column *column, const struct enrg_column_view *view, uint64_t rows)
{
	uint8_t *to;

	if (!column->has_valid && view->null_count == 0)
		return 0;
	if (!column->has_valid) {
		to = bytes_add(&column->valid.pending, table->pending_rows);
		if (!to)
			return -ENOMEM;
		memset(to, 1, table->pending_rows);
		column->has_valid = true;
	}
	to = bytes_add(&column->valid.pending, rows);
	for (uint64_t row = 0; to && row < rows; row++)
		to[row] = enrg_column_present(view, row);
	return to ? 0 : -ENOMEM;
}

int hdf5_table_append(
	struct hdf5_table *table, const struct enrg_batch *batch, const struct shadow *shadow, struct enrg_error *err)
{
	if (batch->rows == 0)
		return 0;
	for (uint32_t i = 0; i < table->column_count; i++) {
		struct column *column = &table->columns[i];
		const struct enrg_column_view *view = &batch->columns[i];
		int rc = enrg_type_is_variable(column->type) ? append_variable(column, view, batch->rows)
							     : append_plain(column, view, batch->rows);

		if (rc == 0)
			rc = append_valid(table, column, view, batch->rows);
		if (rc == -ENOMEM)
			return enrg_error_set(err, rc, "%s: out of memory for %llu rows", shadow->path,
				(unsigned long long)batch->rows);
		if (rc < 0 || shadow->failure < 0)
			return failure_set(err, shadow, "write");
	}
	table->pending_rows += batch->rows;
	table->pending_bytes += batch->body_bytes;
	return 0;
}

/* --- flush -------------------- */

static hid_t make_group(hid_t parent, const char *name)
{
	hid_t group = open_group(parent, name), links;

	if (group >= 0)
		return group;
	links = H5Pcreate(H5P_LINK_CREATE);
	H5Pset_create_intermediate_group(links, 1);
	H5Pset_char_encoding(links, H5T_CSET_UTF8);
	group = H5Gcreate2(parent, name, links, H5P_DEFAULT, H5P_DEFAULT);
	if (group < 0)
		failure_keep();
	H5Pclose(links);
	return group;
}

static herr_t make_column(struct hdf5_table *table, uint32_t index)
{
	struct column *column = &table->columns[index];
	struct growing_params params = {.name = column->name,
		.kind = enrg_type_name(column->type),
		.unit = column->unit,
		.deflate_level = table->deflate_level};
	hid_t group;
	herr_t rc;

	if (!enrg_type_is_variable(column->type)) {
		rc = growing_create(&column->values, table->group, &params);
		if (rc >= 0)
			notes_write(&table->notes, index, column->values.dataset);
		return rc;
	}
	group = make_group(table->group, column->name);
	if (group < 0)
		return -1;
	notes_write(&table->notes, index, group);
	params.name = "values";
	rc = growing_create(&column->values, group, &params);
	params = (struct growing_params){.name = "offsets", .kind = "offsets", .deflate_level = table->deflate_level};
	if (rc >= 0)
		rc = growing_create(&column->offsets, group, &params);
	H5Gclose(group);
	return rc;
}

static herr_t make_valid(struct hdf5_table *table, struct column *column, hid_t file)
{
	const struct growing_params params = {
		.name = column->name, .kind = "valid", .is_filled_with_1 = true, .deflate_level = table->deflate_level};
	hid_t group = make_group(file, table->valid_name);
	herr_t rc;

	if (group < 0)
		return -1;
	rc = growing_create(&column->valid, group, &params);
	if (rc >= 0 && table->rows > 0)
		rc = growing_extend(&column->valid, table->rows);
	H5Gclose(group);
	return rc;
}

static herr_t flush_column(struct hdf5_table *table, uint32_t index, hid_t file)
{
	struct column *column = &table->columns[index];
	herr_t rc = column->values.dataset < 0 ? make_column(table, index) : 0;

	if (rc >= 0 && column->has_valid && column->valid.dataset < 0)
		rc = make_valid(table, column, file);
	if (rc >= 0)
		rc = growing_flush(&column->values);
	if (rc >= 0)
		rc = growing_flush(&column->offsets);
	return rc < 0 ? rc : growing_flush(&column->valid);
}

int hdf5_table_flush(struct hdf5_table *table, hid_t file, const struct shadow *shadow, struct enrg_error *err)
{
	herr_t rc = 0;

	if (table->group < 0) {
		table->group = make_group(file, table->group_name);
		if (table->group < 0)
			return failure_set(err, shadow, "make the group");
		notes_write(&table->notes, NOTES_OF_TABLE, table->group);
	}
	for (uint32_t i = 0; i < table->column_count && rc >= 0 && shadow->failure == 0; i++)
		rc = flush_column(table, i, file);
	if (rc < 0 || shadow->failure < 0)
		return failure_set(err, shadow, "write");
	table->rows += table->pending_rows;
	table->pending_rows = table->pending_bytes = 0;
	return 0;
}
