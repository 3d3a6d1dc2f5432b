/* ipc_layout.h: numbers of Arrow's flatbuffers schemas (Message.fbs, Schema.fbs), and what the parts of ipc.h share.
 * Inside src/arrow only. */
#ifndef ARROW_IPC_LAYOUT_H
#define ARROW_IPC_LAYOUT_H

#include "arrow/flatbuffer.h"
#include "arrow/ipc.h"

#define IPC_CONTINUATION   0xFFFFFFFFu
#define IPC_PREFIX_BYTES   8u
#define IPC_META_BYTES_MAX (16u << 20) /* 4,096 columns with long names and units take less than 5 MiB */
#define IPC_KEYS_MAX       4096u       /* entries of one custom_metadata */
#define IPC_KEY_PREFIX     "enrgdaq."
#define IPC_MERGED_MAX     (1u << 20) /* batches in one that was merged: bounds the time of whoever counts them */

enum { IPC_VERSION_V4 = 3, IPC_VERSION_V5 = 4 };
enum { MESSAGE_VERSION, MESSAGE_HEADER_TYPE, MESSAGE_HEADER, MESSAGE_BODY_LENGTH, MESSAGE_KEYS, MESSAGE_FIELDS };
enum { SCHEMA_ENDIANNESS, SCHEMA_FIELDS, SCHEMA_KEYS, SCHEMA_FIELD_COUNT };
enum {
	FIELD_NAME,
	FIELD_NULLABLE,
	FIELD_TYPE_KIND,
	FIELD_TYPE,
	FIELD_DICTIONARY,
	FIELD_CHILDREN,
	FIELD_KEYS,
	FIELD_FIELDS
};
enum { BATCH_LENGTH, BATCH_NODES, BATCH_BUFFERS, BATCH_COMPRESSION, BATCH_FIELDS };
enum { KEY_VALUE_KEY, KEY_VALUE_VALUE, KEY_VALUE_FIELDS };
/* The footer of File.fbs. */
enum { FOOTER_VERSION, FOOTER_SCHEMA, FOOTER_DICTIONARIES, FOOTER_BATCHES, FOOTER_FIELDS };

/* The union Type of Schema.fbs. */
enum {
	TYPE_INT = 2,
	TYPE_FLOAT = 3,
	TYPE_BINARY = 4,
	TYPE_UTF8 = 5,
	TYPE_BOOL = 6,
	TYPE_DATE = 8,
	TYPE_TIME = 9,
	TYPE_TIMESTAMP = 10,
	TYPE_LIST = 12,
	TYPE_DURATION = 18,
};

enum { TIME_UNIT_NS = 3 };

#define IPC_NODE_BYTES   16u /* struct FieldNode { length, null_count } */
#define IPC_BUFFER_BYTES 16u /* struct Buffer { offset, length } */

struct ipc_key_value {
	const char *key, *value;
};

/* Those of one table of the flatbuffer, gathered. */
struct ipc_keys {
	uint32_t count;
	struct ipc_key_value items[ENRG_NOTES_MAX + 16];
};

void ipc_keys_add(struct ipc_keys *keys, const char *key, const char *value);
/* The notes of that column, or of the table. */
void ipc_keys_add_notes(struct ipc_keys *keys, const struct enrg_schema *schema, const char *column);

/* What is known of a run; the numbers outlive the keys. */
struct ipc_run_numbers {
	char number[24], began_ns[24];
};
void ipc_keys_add_run(struct ipc_keys *keys, const struct enrg_run_info *run, struct ipc_run_numbers *numbers);

/* Adds a vector of KeyValue tables. ret_values[i] = place of the first character of value i; NULL: not wanted. */
void ipc_add_keys(struct fb_builder *builder, uint32_t reference, uint32_t count, const struct ipc_key_value *keys,
	uint32_t *ret_values);

/* Finishes the flatbuffer and writes it with a prefix in front into malloc'ed memory; the whole a multiple of `align`.
 * -ENOMEM. */
int ipc_finish_message(struct fb_builder *builder, uint32_t align, uint8_t **ret_bytes, uint32_t *ret_count);

/* Fixed-width lower-case digits. */
void ipc_format_hex(void *text, uint64_t value, uint32_t digits);

/* A message whose flatbuffer was found well formed as far as its head. */
struct ipc_head {
	struct fb_reader reader; /* over the flatbuffer, behind the prefix */
	struct fb_table message, header;
	uint32_t header_type;
	uint32_t meta_bytes;
	uint64_t body_bytes;
	bool is_end;
};

/* As ipc_read_message, without the custom metadata. */
int ipc_read_head(
	const void *bytes, size_t count, struct ipc_head *ret_head, size_t *ret_wanted, struct enrg_error *err);

/* As ipc_decode_schema, of a table Schema that stands in a message or in a footer. */
int ipc_read_schema(
	struct fb_reader *reader, const struct fb_table *top, struct enrg_schema **ret_schema, struct enrg_error *err);

/* ENRGDAQ's keys of a message; texts point into it. */
struct ipc_marks {
	struct ipc_stamp stamp;
	const char *source, *run, *tag; /* NULL where absent */
	uint32_t meta_crc_at;           /* place of the digits, counted from the prefix; 0 where absent */
	uint32_t meta_crc;
	bool has_stamp; /* all of them are there and well formed */
	bool has_any;
};

int ipc_read_marks(struct ipc_head *head, struct ipc_marks *ret_marks, struct enrg_error *err);

/* The value of `key` in the vector of KeyValue tables in field `index`; NULL where absent. */
const char *ipc_find_key(struct fb_reader *reader, const struct fb_table *table, uint32_t index, const char *key);

struct ipc_notes {
	struct enrg_note *items; /* room for ENRG_NOTES_MAX */
	uint32_t count;
};

/* Appends what the vector of KeyValue tables in field `index` says and a note may say, the first of each key; texts
 * point into the message. */
void ipc_read_notes(struct fb_reader *reader, const struct fb_table *table, uint32_t index, const char *column,
	struct ipc_notes *notes);

/* CRC of prefix and metadata with the 8 digits at `digits_at` taken as '0'. */
uint32_t ipc_meta_crc(const void *bytes, uint32_t meta_bytes, uint32_t digits_at);

#endif
