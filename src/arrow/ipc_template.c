/* ipc_template.c: record batch messages, built once a table and patched for each batch, and the layout of their bodies.
 * ipc_write_meta and the layout functions run for each batch in the producing process: no allocation, no call. */
#include "arrow/ipc_layout.h"

#include <errno.h>
#include <stdlib.h>

#include "base/crc32c.h"

#define BODY_ALIGN 64u

struct template_column {
	uint32_t node;        /* index of its (first) FieldNode */
	uint32_t buffer;      /* index of its validity buffer; data or offsets follow */
	uint32_t value_bytes; /* of one value or item; 0 = bits */
	bool is_variable, is_list;
};

struct ipc_template {
	uint8_t *bytes;
	uint32_t meta_bytes;
	uint32_t column_count;
	struct template_column *columns;
	/* Places in `bytes` that change from batch to batch. */
	uint32_t length_at, body_length_at, nodes_at, buffers_at;
	uint32_t sequence_at, epoch_at, acquired_at, kind_at, body_crc_at, meta_crc_at;
	uint32_t last_at; /* of sequence_last; 0: not of merged batches */
};

void ipc_format_hex(void *text, uint64_t value, uint32_t digits)
{
	char *at = text;

	for (uint32_t i = digits; i-- > 0; value >>= 4)
		at[i] = "0123456789abcdef"[value & 15];
}

static void fill_columns(
	struct ipc_template *template, const struct enrg_schema *schema, uint32_t *ret_nodes, uint32_t *ret_buffers)
{
	uint32_t nodes = 0, buffers = 0;

	for (uint32_t i = 0; i < schema->column_count; i++) {
		const struct enrg_column *column = &schema->columns[i];
		bool is_list = column->type == ENRG_LIST;
		bool is_variable = enrg_type_is_variable(column->type);
		template->columns[i] = (struct template_column){
			.node = nodes,
			.buffer = buffers,
			.value_bytes = enrg_column_item_bytes(column),
			.is_variable = is_variable,
			.is_list = is_list,
		};
		nodes += is_list ? 2 : 1;
		buffers += is_list ? 4 : is_variable ? 3 : 2;
	}
	*ret_nodes = nodes;
	*ret_buffers = buffers;
}

/* Builds the flatbuffer; the places are those of the message, which has the prefix in front. */
static void build(struct ipc_template *template, struct fb_builder *builder, const struct ipc_origin *origin,
	uint32_t nodes, uint32_t buffers, bool is_merged)
{
	const struct ipc_key_value keys[] = {
		{IPC_KEY_PREFIX "source", origin->source ? origin->source : ""},
		{IPC_KEY_PREFIX "run", origin->run ? origin->run : ""},
		{IPC_KEY_PREFIX "tag", origin->tag ? origin->tag : ""},
		{IPC_KEY_PREFIX "sequence", "0000000000000000"},
		{IPC_KEY_PREFIX "epoch", "00000000"},
		{IPC_KEY_PREFIX "acquired_ns", "0000000000000000"},
		{IPC_KEY_PREFIX "kind", "data"},
		{IPC_KEY_PREFIX "body_crc32c", "00000000"},
		{IPC_KEY_PREFIX "meta_crc32c", "00000000"},
		{IPC_KEY_PREFIX "sequence_last", "0000000000000000"},
	};
	enum { KEYS = sizeof(keys) / sizeof(keys[0]) };
	static const uint8_t message_sizes[MESSAGE_FIELDS] = {2, 1, 4, 8, 4};
	static const uint8_t batch_sizes[BATCH_FIELDS - 1] = {8, 4, 4};
	uint32_t message[MESSAGE_FIELDS], batch[BATCH_FIELDS], values[KEYS];

	fb_add_table(builder, MESSAGE_FIELDS, message_sizes, message);
	fb_put(builder, message[MESSAGE_VERSION], &(uint16_t){IPC_VERSION_V5}, 2);
	fb_put(builder, message[MESSAGE_HEADER_TYPE], &(uint8_t){IPC_RECORD_BATCH}, 1);
	fb_link(builder, message[MESSAGE_HEADER], fb_add_table(builder, BATCH_FIELDS - 1, batch_sizes, batch));
	template->length_at = IPC_PREFIX_BYTES + batch[BATCH_LENGTH];
	template->body_length_at = IPC_PREFIX_BYTES + message[MESSAGE_BODY_LENGTH];
	template->nodes_at = IPC_PREFIX_BYTES + fb_add_vector(builder, batch[BATCH_NODES], nodes, IPC_NODE_BYTES, 8);
	template->buffers_at =
		IPC_PREFIX_BYTES + fb_add_vector(builder, batch[BATCH_BUFFERS], buffers, IPC_BUFFER_BYTES, 8);
	ipc_add_keys(builder, message[MESSAGE_KEYS], is_merged ? KEYS : KEYS - 1, keys, values);
	template->last_at = is_merged ? IPC_PREFIX_BYTES + values[9] : 0;
	template->sequence_at = IPC_PREFIX_BYTES + values[3];
	template->epoch_at = IPC_PREFIX_BYTES + values[4];
	template->acquired_at = IPC_PREFIX_BYTES + values[5];
	template->kind_at = IPC_PREFIX_BYTES + values[6];
	template->body_crc_at = IPC_PREFIX_BYTES + values[7];
	template->meta_crc_at = IPC_PREFIX_BYTES + values[8];
}

static int check_origin(const struct ipc_origin *origin, struct enrg_error *err)
{
	const char *texts[] = {origin->source, origin->run, origin->tag};
	static const char *const names[] = {"source", "run", "tag"};

	for (int i = 0; i < 3; i++)
		if (texts[i] && strlen(texts[i]) > ENRG_NAME_BYTES_MAX)
			return enrg_error_set(err, -EMSGSIZE, "the name of the %s is longer than %u bytes: \"%.40s…\"",
				names[i], ENRG_NAME_BYTES_MAX, texts[i]);
	return 0;
}

static int create(const struct enrg_schema *schema, const struct ipc_origin *origin, bool is_merged,
	struct ipc_template **ret_template, struct enrg_error *err)
{
	static const struct ipc_origin nowhere = {"", "", ""};
	struct fb_builder builder;
	uint32_t nodes, buffers;

	int rc = enrg_schema_check(schema, err);
	if (rc == 0 && origin)
		rc = check_origin(origin, err);
	if (rc < 0)
		return rc;
	struct ipc_template *template = calloc(1, sizeof(*template));
	if (template)
		template->columns = calloc(schema->column_count, sizeof(*template->columns));
	if (!template || !template->columns) {
		ipc_template_destroy(template);
		return enrg_error_set(err, -ENOMEM, "no memory for the message of a table");
	}
	template->column_count = schema->column_count;
	fill_columns(template, schema, &nodes, &buffers);
	fb_init(&builder);
	build(template, &builder, origin ? origin : &nowhere, nodes, buffers, is_merged);
	rc = ipc_finish_message(&builder, BODY_ALIGN, &template->bytes, &template->meta_bytes);
	fb_fini(&builder);
	if (rc < 0) {
		ipc_template_destroy(template);
		return enrg_error_set(err, rc, "no memory for the message of a table");
	}
	*ret_template = template;
	return 0;
}

int ipc_template_create(const struct enrg_schema *schema, const struct ipc_origin *origin,
	struct ipc_template **ret_template, struct enrg_error *err)
{
	return create(schema, origin, false, ret_template, err);
}

int ipc_template_create_merged(const struct enrg_schema *schema, const struct ipc_origin *origin,
	struct ipc_template **ret_template, struct enrg_error *err)
{
	return create(schema, origin, true, ret_template, err);
}

void ipc_template_destroy(struct ipc_template *template)
{
	if (!template)
		return;
	free(template->columns);
	free(template->bytes);
	free(template);
}

uint32_t ipc_meta_bytes(const struct ipc_template *template)
{
	return template->meta_bytes;
}

/* Places the next column at or behind *at (a multiple of 64) and moves *at behind it. false: overflow. */
static inline bool place_column(const struct template_column *column, uint64_t rows, uint64_t variable, uint64_t *at,
	struct ipc_column_place *ret_place)
{
	uint64_t values = column->is_variable ? variable : rows;
	uint64_t limit = column->is_variable ? INT32_MAX : UINT64_C(1) << 56;

	/* With these bounds and at most 4,096 columns no sum below can pass 2^63 unnoticed. */
	if (values > limit || rows > UINT64_C(1) << 56 || *at > UINT64_C(1) << 60)
		return false;
	ret_place->offsets_offset = *at;
	if (column->is_variable)
		*at += ((rows + 1) * sizeof(int32_t) + BODY_ALIGN - 1) & ~(uint64_t)(BODY_ALIGN - 1);
	ret_place->values_offset = *at;
	ret_place->values_bytes = column->value_bytes ? values * column->value_bytes : (values + 7) / 8;
	*at += (ret_place->values_bytes + BODY_ALIGN - 1) & ~(uint64_t)(BODY_ALIGN - 1);
	return true;
}

uint64_t ipc_place_columns(
	const struct ipc_template *template, uint64_t rows, const uint64_t *variable, struct ipc_column_place *places)
{
	uint64_t at = 0;

	for (uint32_t i = 0; i < template->column_count; i++)
		if (!place_column(&template->columns[i], rows, variable ? variable[i] : 0, &at, &places[i]))
			return UINT64_MAX;
	return at;
}

uint64_t ipc_body_bytes(const struct ipc_template *template, uint64_t rows, const uint64_t *variable)
{
	struct ipc_column_place place;
	uint64_t at = 0;

	for (uint32_t i = 0; i < template->column_count; i++)
		if (!place_column(&template->columns[i], rows, variable ? variable[i] : 0, &at, &place))
			return UINT64_MAX;
	return at;
}

/* Moves a buffer towards the start of the body and zeroes what lies between its end and the next buffer. */
static void settle(uint8_t *body, uint64_t to, uint64_t from, uint64_t bytes)
{
	uint64_t end = to + bytes, next = (end + BODY_ALIGN - 1) & ~(uint64_t)(BODY_ALIGN - 1);

	if (to != from)
		memmove(body + to, body + from, bytes);
	memset(body + end, 0, next - end);
}

uint64_t ipc_compact(const struct ipc_template *template, void *body, uint64_t rows_max, const uint64_t *variable_max,
	uint64_t rows, const uint64_t *variable)
{
	uint64_t from_at = 0, to_at = 0;

	for (uint32_t i = 0; i < template->column_count; i++) {
		const struct template_column *column = &template->columns[i];
		struct ipc_column_place from, to;
		if (!place_column(column, rows_max, variable_max ? variable_max[i] : 0, &from_at, &from) ||
			!place_column(column, rows, variable ? variable[i] : 0, &to_at, &to))
			return UINT64_MAX;
		if (column->is_variable)
			settle(body, to.offsets_offset, from.offsets_offset, (rows + 1) * sizeof(int32_t));
		settle(body, to.values_offset, from.values_offset, to.values_bytes);
		/* Bits behind the last row are padding too. */
		if (column->value_bytes == 0 && rows % 8 != 0)
			((uint8_t *)body)[to.values_offset + to.values_bytes - 1] &= (uint8_t)((1u << (rows % 8)) - 1);
	}
	return to_at;
}

static inline void put_pair(uint8_t *at, uint64_t first, uint64_t second)
{
	const uint64_t pair[2] = {first, second};
	memcpy(at, pair, sizeof(pair));
}

/* Patches nodes and buffers; returns the body bytes. */
static uint64_t write_places(
	const struct ipc_template *template, uint8_t *meta, uint64_t rows, const uint64_t *variable)
{
	uint64_t at = 0;

	for (uint32_t i = 0; i < template->column_count; i++) {
		const struct template_column *column = &template->columns[i];
		uint8_t *node = meta + template->nodes_at + (size_t)column->node * IPC_NODE_BYTES;
		uint8_t *buffer = meta + template->buffers_at + (size_t)column->buffer * IPC_BUFFER_BYTES;
		uint64_t start = at, items = variable ? variable[i] : 0;
		struct ipc_column_place place = {0};
		place_column(column, rows, items, &at, &place);
		put_pair(node, rows, 0);
		put_pair(buffer, start, 0);
		if (column->is_variable) {
			buffer += IPC_BUFFER_BYTES;
			put_pair(buffer, place.offsets_offset, (rows + 1) * sizeof(int32_t));
		}
		if (column->is_list) {
			buffer += IPC_BUFFER_BYTES;
			put_pair(node + IPC_NODE_BYTES, items, 0);
			put_pair(buffer, place.values_offset, 0);
		}
		put_pair(buffer + IPC_BUFFER_BYTES, place.values_offset, place.values_bytes);
	}
	return at;
}

void ipc_write_meta(const struct ipc_template *template, void *meta, uint64_t rows, const uint64_t *variable,
	const struct ipc_stamp *stamp)
{
	uint8_t *bytes = meta;

	memcpy(bytes, template->bytes, template->meta_bytes);
	uint64_t body_bytes = write_places(template, bytes, rows, variable);
	memcpy(bytes + template->length_at, &rows, sizeof(rows));
	memcpy(bytes + template->body_length_at, &body_bytes, sizeof(body_bytes));
	ipc_format_hex(bytes + template->sequence_at, stamp->sequence, 16);
	if (template->last_at)
		ipc_format_hex(
			bytes + template->last_at, stamp->sequence_last ? stamp->sequence_last : stamp->sequence, 16);
	ipc_format_hex(bytes + template->epoch_at, stamp->epoch, 8);
	ipc_format_hex(bytes + template->acquired_at, stamp->acquired_ns, 16);
	ipc_format_hex(bytes + template->body_crc_at, stamp->body_crc, 8);
	memcpy(bytes + template->kind_at, stamp->is_gap ? "gap " : "data", 4);
	/* The template has zeros where the CRC's own digits go. */
	ipc_format_hex(bytes + template->meta_crc_at, crc32c(0, bytes, template->meta_bytes), 8);
}
