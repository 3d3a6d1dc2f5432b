/* ipc.h: Apache Arrow IPC (format 1.0, metadata V5, little-endian): encode and decode of schema and record batch
 * messages. Source: Apache Arrow columnar format and the flatbuffers schemas Message.fbs and Schema.fbs.
 *
 * Every message carries custom metadata, so that a file proves itself (docs/arrows-format.md). In a record batch
 * message the digits have fixed width and fixed places: the message is built once a table and patched for each batch.
 *   enrgdaq.source, enrgdaq.run, enrgdaq.tag   text, constant
 *   enrgdaq.sequence    16 hex digits          enrgdaq.epoch     8 hex digits
 *   enrgdaq.acquired_ns 16 hex digits          enrgdaq.kind      "data" or "gap " (constant width)
 *   enrgdaq.body_crc32c  8 hex digits: of the body
 *   enrgdaq.meta_crc32c  8 hex digits: of prefix and metadata with these 8 digits as '0'
 * Batches that were merged into one (arrow/merge.h) also have enrgdaq.sequence_last, 16 hex digits.
 */
#ifndef ARROW_IPC_H
#define ARROW_IPC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "enrgdaq/batch.h"
#include "enrgdaq/schema.h"
#include "enrgdaq/store.h"

/* --- schema messages --- */

struct ipc_origin {
	const char *source, *run, *tag; /* "" for none; at most ENRG_NAME_BYTES_MAX each */
};

/* Encapsulated Schema message (0xFFFFFFFF, length, flatbuffer, padded to 8) in malloc'ed memory. `unit` of a column
 * goes into its field's custom metadata as "unit"; a blob has "enrgdaq.kind" = "blob" in the schema's metadata; the
 * origin's source goes into "enrgdaq.source" (NULL origin: no such keys). The message has "enrgdaq.meta_crc32c" as
 * record batches have. */
int ipc_encode_schema(const struct enrg_schema *schema, const struct ipc_origin *origin, void **ret_bytes,
	uint32_t *ret_count, struct enrg_error *err);

/* The same for the start of a file: with "enrgdaq.format" in the schema's metadata, which is no part of the table's
 * identity. Streams have their own version, and files of before have none: they count as format 1. */
#define IPC_FILE_FORMAT "1"
int ipc_encode_file_schema(const struct enrg_schema *schema, const struct ipc_origin *origin, void **ret_bytes,
	uint32_t *ret_count, struct enrg_error *err);

/* The same of a file that is begun in a run, which is said there, too (docs/arrows-format.md); NULL: in none. */
int ipc_encode_run_schema(const struct enrg_schema *schema, const struct ipc_origin *origin,
	const struct enrg_run_info *run, void **ret_bytes, uint32_t *ret_count, struct enrg_error *err);

/* What a schema message says of the run that its file was begun in; texts point into the message. 1; 0: nothing, or it
 * is no such message. */
int ipc_read_run(const void *bytes, size_t count, struct enrg_run_info *ret_run);

/* Decodes and checks every offset and length. The result is one malloc'ed block: free(*ret_schema). Unknown types give
 * ENRG_E_CORRUPT with the field's name; ENRG_E_VERSION: of a file format that this program does not know. Never reads
 * outside bytes[0, count). */
int ipc_decode_schema(const void *bytes, size_t count, struct enrg_schema **ret_schema, struct enrg_error *err);

/* Deep copy in one malloc'ed block; free(). NULL: out of memory. */
struct enrg_schema *ipc_copy_schema(const struct enrg_schema *schema);
/* Never 0; equal schemas have the same. */
uint32_t ipc_schema_id(const struct enrg_schema *schema);
bool ipc_schema_equal(const struct enrg_schema *a, const struct enrg_schema *b);

/* --- record batch messages: writing --- */

struct ipc_template; /* the metadata of one table's record batches, ready to patch */

int ipc_template_create(const struct enrg_schema *schema, const struct ipc_origin *origin,
	struct ipc_template **ret_template, struct enrg_error *err);
/* The same for batches that were merged: ipc_write_meta writes sequence_last, too. */
int ipc_template_create_merged(const struct enrg_schema *schema, const struct ipc_origin *origin,
	struct ipc_template **ret_template, struct enrg_error *err);
void ipc_template_destroy(struct ipc_template *template);

/* Bytes of prefix and metadata; a multiple of 64, so that a body behind it is aligned as the message is. */
uint32_t ipc_meta_bytes(const struct ipc_template *template);

/* Body bytes for `rows` rows with `variable[column]` items or bytes in each column of variable size (NULL = none). All
 * buffers start at multiples of 64. UINT64_MAX: overflow. No validity buffers (no nulls). */
uint64_t ipc_body_bytes(const struct ipc_template *template, uint64_t rows, const uint64_t *variable);

struct ipc_column_place {
	uint64_t offsets_offset; /* in the body; of variable columns */
	uint64_t values_offset;  /* in the body */
	uint64_t values_bytes;   /* exact, without padding */
};

/* Where each column lies in the body of such a batch. `places`: one a column. Returns the body bytes. */
uint64_t ipc_place_columns(
	const struct ipc_template *template, uint64_t rows, const uint64_t *variable, struct ipc_column_place *places);

/* Having filled a body laid out for rows_max/variable_max, moves the columns together so that it is what
 * ipc_place_columns(rows, variable) says, and zeroes the padding. Returns the new body bytes. Does nothing but zero the
 * padding when nothing shrank. */
uint64_t ipc_compact(const struct ipc_template *template, void *body, uint64_t rows_max, const uint64_t *variable_max,
	uint64_t rows, const uint64_t *variable);

struct ipc_stamp {
	uint64_t sequence;
	uint64_t sequence_last; /* of a merged batch: it holds all from `sequence` on; read: never below it; written: 0
				   where it is no merged one */
	uint64_t acquired_ns;
	uint32_t epoch;
	uint32_t body_crc;
	bool is_gap;
};

/* Writes prefix and metadata (ipc_meta_bytes) for a batch of this shape; `meta` is 8-byte aligned. The meta CRC digits
 * are filled in. Allocates nothing. A gap has rows 0. */
void ipc_write_meta(const struct ipc_template *template, void *meta, uint64_t rows, const uint64_t *variable,
	const struct ipc_stamp *stamp);

/* --- record batch messages: reading --- */

struct ipc_message {
	enum { IPC_SCHEMA = 1, IPC_RECORD_BATCH = 3, IPC_OTHER = 100 } type;
	uint32_t meta_bytes; /* prefix, metadata, padding */
	uint64_t body_bytes;
	uint64_t rows;      /* of a record batch, as declared */
	bool is_end;        /* the end mark FFFFFFFF 00000000 */
	bool is_compressed; /* a record batch that ipc_decode_batch can't read */
	/* ENRGDAQ's own metadata; has_stamp false where the keys are not (all) there. */
	bool has_stamp;
	bool has_keys; /* any key of ENRGDAQ's is there: then meta_crc_ok must be true */
	struct ipc_stamp stamp;
	char source[256], run[256], tag[256];
	bool meta_crc_ok;
};

/* Reads prefix and metadata of the message at `bytes` (which may hold less than the whole). 0; -EAGAIN: more bytes are
 * needed, *ret_wanted of them; ENRG_E_CORRUPT. */
int ipc_read_message(
	const void *bytes, size_t count, struct ipc_message *ret_message, size_t *ret_wanted, struct enrg_error *err);

/* Decodes a whole RecordBatch message of a known schema in place: fills rows, columns (views[schema->column_count]),
 * ipc, ipc_bytes, body_bytes, sequence, epoch, is_gap, acquired_ns; leaves source, run, tag, committed_ns alone
 * (strings would need memory). Checks all bounds, that offsets ascend and end inside, and counts nulls as declared.
 * Compressed batches are ENRG_E_CORRUPT "compressed". Never reads outside. The CRCs are not checked here. */
int ipc_decode_batch(const struct enrg_schema *schema, const void *bytes, size_t count, struct enrg_column_view *views,
	struct enrg_batch *ret_batch, struct enrg_error *err);

/* Fills exactly `raw_bytes` at `raw` from one compressed buffer, or ENRG_E_CORRUPT; -ENOTSUP: a codec that is not built
 * in. */
typedef int ipc_decompress_fn(enum enrg_ipc_codec codec, const void *packed, size_t packed_bytes, void *raw,
	size_t raw_bytes, struct enrg_error *err);

/* Makes a compressed RecordBatch message the plain one that ipc_decode_batch takes, in malloc'ed memory. Its check sums
 * are those of the compressed one: check them before. Never reads outside. */
int ipc_unpack(const void *bytes, size_t count, ipc_decompress_fn *decompress, void **ret_bytes, size_t *ret_count,
	struct enrg_error *err);

#endif
