/* csv_file.c: one CSV file, from its header to its commits. Runs in the store's job process, on its main thread. */
#include "csv_file.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "tail.h"
#include "rows.h"

#define PIECE_BYTES (1u << 20) /* of text in memory before it goes to the file */

/* --- opening -------------------- */

static int mend(struct enrg_store *store, struct csv_file *table, struct enrg_error *err)
{
	uint64_t size = enrg_file_size(table->file), good;
	enum tail tail;
	enum tail_form form = table->compressor ? TAIL_OF_FRAMES : table->has_text ? TAIL_OF_TEXT : TAIL_OF_LINES;
	int rc = tail_find(
		&(struct tail_file){enrg_file_descriptor(table->file), size, form}, &table->header, &tail, &good, err);

	if (rc < 0)
		return enrg_error_add(err, rc, "%s", table->path);
	if (tail == TAIL_FOREIGN)
		return ENRG_FILE_IS_OTHER;
	if (tail == TAIL_WHOLE)
		return 0;
	enrg_store_alert(store, ENRG_WARNING, "%s: its last %s was not whole (power cut?): cut %" PRIu64 " bytes off",
		table->path, table->compressor ? "zstd frame" : "line", size - good);
	return enrg_file_truncate(table->file, good, err);
}

static int open_file(struct enrg_store *store, struct csv_file *table, struct enrg_error *err)
{
	int rc = enrg_file_open(store, table->path, &table->file, err);

	if (rc < 0)
		return rc;
	rc = mend(store, table, err);
	if (rc != 0)
		return rc;
	if (enrg_file_size(table->file) > 0)
		return 0;
	if (!text_append(&table->text, table->header.bytes, table->header.count))
		return enrg_error_set(err, -ENOMEM, "out of memory");
	table->is_dirty = true;
	return 0;
}

int csv_file_open(struct enrg_store *store, const struct csv_file_params *params, struct csv_file **ret_table,
	struct enrg_error *err)
{
	struct csv_file *table = calloc(1, sizeof(*table));
	int rc = -ENOMEM;

	if (!table)
		return enrg_error_set(err, -ENOMEM, "out of memory");
	table->is_overwrite = params->overwrite;
	for (uint32_t i = 0; i < params->schema->column_count; i++)
		table->has_text = table->has_text || params->schema->columns[i].type == ENRG_STRING;
	table->path = strdup(params->path);
	if (params->use_zstd)
		table->compressor = ZSTD_createCCtx();
	if (!table->path || (params->use_zstd && !table->compressor))
		enrg_error_set(err, -ENOMEM, "out of memory");
	else
		rc = rows_format_header(params->schema, &table->header, err);
	if (rc == 0 && table->compressor)
		ZSTD_CCtx_setParameter(table->compressor, ZSTD_c_checksumFlag, 1);
	if (rc == 0 && !table->is_overwrite)
		rc = open_file(store, table, err);
	if (rc != 0) {
		csv_file_close(table);
		return rc;
	}
	*ret_table = table;
	return 0;
}

void csv_file_close(struct csv_file *table)
{
	if (!table)
		return;
	if (table->file)
		enrg_file_close(table->file);
	ZSTD_freeCCtx(table->compressor);
	text_fini(&table->header);
	text_fini(&table->text);
	text_fini(&table->compressed);
	free(table->path);
	free(table);
}

bool csv_file_fits(const struct csv_file *table, const struct csv_file_params *params, const struct text *header)
{
	if (table->is_overwrite != params->overwrite)
		return false;
	/* The newest message replaces the whole file, header and all. */
	if (table->is_overwrite)
		return true;
	return table->header.count == header->count && memcmp(table->header.bytes, header->bytes, header->count) == 0;
}

/* --- writing -------------------- */

static int compress_text(struct csv_file *table, ZSTD_EndDirective directive, struct enrg_error *err)
{
	ZSTD_inBuffer input = {table->text.bytes, table->text.count, 0};
	size_t rest;

	if (!text_reserve(&table->compressed, ZSTD_CStreamOutSize()))
		return enrg_error_set(err, -ENOMEM, "out of memory");
	do {
		ZSTD_outBuffer output = {table->compressed.bytes, table->compressed.capacity, 0};
		int rc;

		rest = ZSTD_compressStream2(table->compressor, &output, &input, directive);
		if (ZSTD_isError(rest))
			return enrg_error_set(err, -EIO, "%s: zstd: %s", table->path, ZSTD_getErrorName(rest));
		rc = output.pos ? enrg_file_write(table->file, output.dst, output.pos, err) : 0;
		if (rc < 0)
			return rc;
	} while (input.pos < input.size || (directive == ZSTD_e_end && rest > 0));
	table->has_open_frame = directive != ZSTD_e_end;
	table->text.count = 0;
	return 0;
}

static int send_text(struct csv_file *table, bool is_commit, struct enrg_error *err)
{
	int rc;

	if (table->compressor) {
		if (table->text.count == 0 && !table->has_open_frame)
			return 0;
		return compress_text(table, is_commit ? ZSTD_e_end : ZSTD_e_continue, err);
	}
	if (table->text.count == 0)
		return 0;
	rc = enrg_file_write(table->file, table->text.bytes, table->text.count, err);
	if (rc == 0)
		table->text.count = 0;
	return rc;
}

/* The newest message, whole, with a header of its own: its columns may differ from those before. */
static int write_newest(struct csv_file *table, const struct enrg_batch *batch, struct enrg_error *err)
{
	uint64_t row = 0;
	int rc;

	table->text.count = 0;
	table->is_dirty = true;
	rc = rows_format_header(batch->schema, &table->text, err);
	return rc < 0 ? rc : rows_format(batch, &row, SIZE_MAX, &table->text, err);
}

int csv_file_write(struct csv_file *table, const struct enrg_batch *batch, struct enrg_error *err)
{
	uint64_t row = 0;

	if (batch->is_gap)
		return 0;
	if (table->is_overwrite)
		return write_newest(table, batch, err);
	while (row < batch->rows) {
		int rc = rows_format(batch, &row, PIECE_BYTES, &table->text, err);

		if (rc == 0 && table->text.count >= PIECE_BYTES)
			rc = send_text(table, false, err);
		if (rc < 0)
			return rc;
		table->is_dirty = true;
	}
	enrg_file_count_rows(table->file, batch->rows);
	return 0;
}

static int replace_file(struct enrg_store *store, struct csv_file *table, struct enrg_error *err)
{
	size_t count;

	if (!table->compressor)
		return enrg_file_replace(store, table->path, table->text.bytes, table->text.count, err);
	if (!text_reserve(&table->compressed, ZSTD_compressBound(table->text.count)))
		return enrg_error_set(err, -ENOMEM, "out of memory");
	count = ZSTD_compress2(table->compressor, table->compressed.bytes, table->compressed.capacity,
		table->text.bytes, table->text.count);
	if (ZSTD_isError(count))
		return enrg_error_set(err, -EIO, "%s: zstd: %s", table->path, ZSTD_getErrorName(count));
	return enrg_file_replace(store, table->path, table->compressed.bytes, count, err);
}

int csv_file_commit(struct enrg_store *store, struct csv_file *table, struct enrg_error *err)
{
	int rc;

	if (!table->is_dirty)
		return 0;
	rc = table->is_overwrite ? replace_file(store, table, err) : send_text(table, true, err);
	if (rc == 0)
		table->is_dirty = false;
	return rc;
}
