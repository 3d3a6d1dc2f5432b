/* ipc_message.c: what all messages have in common: prefix, head, ENRGDAQ's keys. Any process; the reading half takes
 * bytes from files and shared memory that anybody may have written. */
#include "arrow/ipc_layout.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "base/crc32c.h"

/* --- writing --- */

void ipc_add_keys(struct fb_builder *builder, uint32_t reference, uint32_t count, const struct ipc_key_value *keys,
	uint32_t *ret_values)
{
	static const uint8_t sizes[KEY_VALUE_FIELDS] = { 4, 4 };
	uint32_t at = fb_add_vector(builder, reference, count, 4, 4);

	for (uint32_t i = 0; i < count; i++) {
		uint32_t fields[KEY_VALUE_FIELDS];
		fb_link(builder, at + 4 * i, fb_add_table(builder, KEY_VALUE_FIELDS, sizes, fields));
		fb_add_string(builder, fields[KEY_VALUE_KEY], keys[i].key);
		uint32_t value = fb_add_string(builder, fields[KEY_VALUE_VALUE], keys[i].value);
		if (ret_values)
			ret_values[i] = value;
	}
}

int ipc_finish_message(const struct fb_builder *builder, uint32_t align, uint8_t **ret_bytes, uint32_t *ret_count)
{
	if (builder->is_failed)
		return -ENOMEM;
	uint32_t total = (IPC_PREFIX_BYTES + builder->count + align - 1) & ~(align - 1);
	uint8_t *bytes = calloc(1, total);
	if (!bytes)
		return -ENOMEM;
	const uint32_t prefix[2] = { IPC_CONTINUATION, total - IPC_PREFIX_BYTES };
	memcpy(bytes, prefix, sizeof(prefix));
	memcpy(bytes + IPC_PREFIX_BYTES, builder->bytes, builder->count);
	*ret_bytes = bytes;
	*ret_count = total;
	return 0;
}

uint32_t ipc_meta_crc(const void *bytes, uint32_t meta_bytes, uint32_t digits_at)
{
	const uint8_t *at = bytes;

	uint32_t crc = crc32c(0, at, digits_at);
	crc = crc32c(crc, "00000000", 8);
	return crc32c(crc, at + digits_at + 8, meta_bytes - digits_at - 8);
}

/* --- reading --- */

/* Checks the prefix: 0 with meta_bytes set (the end mark included), -EAGAIN, ENRG_E_CORRUPT. */
static int read_prefix(const uint8_t *bytes, size_t count, struct ipc_head *head, size_t *ret_wanted,
	struct enrg_error *err)
{
	if (count < IPC_PREFIX_BYTES) {
		*ret_wanted = IPC_PREFIX_BYTES;
		return -EAGAIN;
	}
	if (fb_load_u32(bytes) != IPC_CONTINUATION)
		return enrg_error_set(err, ENRG_E_CORRUPT, "no message starts here (found %08" PRIx32 ", expected ffffffff)",
			fb_load_u32(bytes));
	uint32_t length = fb_load_u32(bytes + 4);
	head->meta_bytes = IPC_PREFIX_BYTES + length;
	head->is_end = length == 0;
	if (length > IPC_META_BYTES_MAX || length % 8 != 0)
		return enrg_error_set(err, ENRG_E_CORRUPT, "impossible length of metadata: %" PRIu32 " bytes", length);
	if (head->meta_bytes > count) {
		*ret_wanted = head->meta_bytes;
		return -EAGAIN;
	}
	return 0;
}

int ipc_read_head(const void *bytes, size_t count, struct ipc_head *ret_head, size_t *ret_wanted,
	struct enrg_error *err)
{
	struct ipc_head head = { 0 };

	int result = read_prefix(bytes, count, &head, ret_wanted, err);
	if (result < 0)
		return result;
	if (!head.is_end) {
		head.reader = (struct fb_reader){
			.bytes = (const uint8_t *)bytes + IPC_PREFIX_BYTES,
			.count = head.meta_bytes - IPC_PREFIX_BYTES,
		};
		struct fb_reader *reader = &head.reader;
		if (!fb_read_root(reader, &head.message))
			return enrg_error_set(err, ENRG_E_CORRUPT, "the message's metadata is damaged");
		uint64_t version = fb_read_number(reader, &head.message, MESSAGE_VERSION, 2, 0);
		head.header_type = (uint32_t)fb_read_number(reader, &head.message, MESSAGE_HEADER_TYPE, 1, 0);
		head.body_bytes = fb_read_number(reader, &head.message, MESSAGE_BODY_LENGTH, 8, 0);
		if (!fb_read_table(reader, &head.message, MESSAGE_HEADER, &head.header) || reader->is_bad)
			return enrg_error_set(err, ENRG_E_CORRUPT, "the message's metadata is damaged");
		if (version != IPC_VERSION_V5 && version != IPC_VERSION_V4)
			return enrg_error_set(err, ENRG_E_CORRUPT, "unsupported version %" PRIu64 " of the Arrow format", version);
		if (head.body_bytes > INT64_MAX / 2 || head.body_bytes % 8 != 0)
			return enrg_error_set(err, ENRG_E_CORRUPT, "impossible length of a message body: %" PRIu64 " bytes",
				head.body_bytes);
	}
	*ret_head = head;
	return 0;
}

static bool parse_hex(const char *text, uint32_t count, uint32_t digits, uint64_t *ret_value)
{
	uint64_t value = 0;

	if (count != digits)
		return false;
	for (uint32_t i = 0; i < digits; i++) {
		char c = text[i];
		if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f')))
			return false;
		value = value << 4 | (uint64_t)(c <= '9' ? c - '0' : c - 'a' + 10);
	}
	*ret_value = value;
	return true;
}

enum { HAS_SEQUENCE = 1, HAS_EPOCH = 2, HAS_ACQUIRED = 4, HAS_KIND = 8, HAS_BODY_CRC = 16, HAS_META_CRC = 32,
	HAS_STAMP = 63 };

/* One key of ENRGDAQ's; returns which of the HAS_ bits it sets. */
static unsigned read_mark(struct ipc_marks *marks, const struct ipc_head *head, const char *key, const char *value,
	uint32_t count)
{
	uint64_t number;

	if (!strcmp(key, "sequence"))
		return parse_hex(value, count, 16, &marks->stamp.sequence) ? HAS_SEQUENCE : 0;
	if (!strcmp(key, "acquired_ns"))
		return parse_hex(value, count, 16, &marks->stamp.acquired_ns) ? HAS_ACQUIRED : 0;
	if (!strcmp(key, "kind")) {
		marks->stamp.is_gap = !strcmp(value, "gap ");
		return marks->stamp.is_gap || !strcmp(value, "data") ? HAS_KIND : 0;
	}
	if (!strcmp(key, "epoch") && parse_hex(value, count, 8, &number)) {
		marks->stamp.epoch = (uint32_t)number;
		return HAS_EPOCH;
	}
	if (!strcmp(key, "body_crc32c") && parse_hex(value, count, 8, &number)) {
		marks->stamp.body_crc = (uint32_t)number;
		return HAS_BODY_CRC;
	}
	if (!strcmp(key, "meta_crc32c") && parse_hex(value, count, 8, &number)) {
		marks->meta_crc = (uint32_t)number;
		marks->meta_crc_at = IPC_PREFIX_BYTES + (uint32_t)((const uint8_t *)value - head->reader.bytes);
		return HAS_META_CRC;
	}
	const char **text = !strcmp(key, "source") ? &marks->source :
		!strcmp(key, "run") ? &marks->run :
		!strcmp(key, "tag") ? &marks->tag : NULL;
	if (text && count <= ENRG_NAME_BYTES_MAX)
		*text = value;
	return 0;
}

/* Key and value of entry `index`; false where the entry lacks one of them. */
static bool read_entry(struct fb_reader *reader, const struct fb_vector *entries, uint32_t index, const char **ret_key,
	const char **ret_value, uint32_t *ret_value_count)
{
	struct fb_table entry;
	uint32_t key_count;

	if (!fb_read_element(reader, entries, index, &entry))
		return false;
	*ret_key = fb_read_string(reader, &entry, KEY_VALUE_KEY, &key_count);
	*ret_value = fb_read_string(reader, &entry, KEY_VALUE_VALUE, ret_value_count);
	return *ret_key && *ret_value;
}

int ipc_read_marks(struct ipc_head *head, struct ipc_marks *ret_marks, struct enrg_error *err)
{
	struct ipc_marks marks = { 0 };
	struct fb_vector entries;
	unsigned found = 0;

	if (!head->is_end && fb_read_vector(&head->reader, &head->message, MESSAGE_KEYS, 4, &entries)) {
		if (entries.count > IPC_KEYS_MAX)
			return enrg_error_set(err, ENRG_E_CORRUPT, "a message with %u keys", entries.count);
		for (uint32_t i = 0; i < entries.count; i++) {
			const char *key, *value;
			uint32_t value_count;
			if (!read_entry(&head->reader, &entries, i, &key, &value, &value_count) ||
				strncmp(key, IPC_KEY_PREFIX, sizeof(IPC_KEY_PREFIX) - 1) != 0)
				continue;
			found |= read_mark(&marks, head, key + sizeof(IPC_KEY_PREFIX) - 1, value, value_count);
			marks.has_any = true;
		}
	}
	if (head->reader.is_bad)
		return enrg_error_set(err, ENRG_E_CORRUPT, "the message's keys are damaged");
	marks.has_stamp = found == HAS_STAMP && marks.source && marks.run && marks.tag;
	*ret_marks = marks;
	return 0;
}

const char *ipc_find_key(struct fb_reader *reader, const struct fb_table *table, uint32_t index, const char *wanted)
{
	struct fb_vector entries;

	if (!fb_read_vector(reader, table, index, 4, &entries))
		return NULL;
	if (entries.count > IPC_KEYS_MAX) {
		reader->is_bad = true;
		return NULL;
	}
	for (uint32_t i = 0; i < entries.count; i++) {
		const char *key, *value;
		uint32_t value_count;
		if (read_entry(reader, &entries, i, &key, &value, &value_count) && !strcmp(key, wanted))
			return value;
	}
	return NULL;
}

int ipc_read_message(const void *bytes, size_t count, struct ipc_message *ret_message, size_t *ret_wanted,
	struct enrg_error *err)
{
	struct ipc_head head;
	struct ipc_marks marks;
	size_t wanted = 0;

	int result = ipc_read_head(bytes, count, &head, ret_wanted ? ret_wanted : &wanted, err);
	if (result == 0)
		result = ipc_read_marks(&head, &marks, err);
	if (result < 0)
		return result;
	*ret_message = (struct ipc_message){
		.type = head.header_type == IPC_SCHEMA ? IPC_SCHEMA :
			head.header_type == IPC_RECORD_BATCH ? IPC_RECORD_BATCH : IPC_OTHER,
		.meta_bytes = head.meta_bytes,
		.body_bytes = head.body_bytes,
		.is_end = head.is_end,
		.has_stamp = marks.has_stamp,
		.has_keys = marks.has_any,
		.stamp = marks.stamp,
		.meta_crc_ok = marks.meta_crc_at &&
			ipc_meta_crc(bytes, head.meta_bytes, marks.meta_crc_at) == marks.meta_crc,
	};
	if (ret_message->type == IPC_RECORD_BATCH)
		ret_message->rows = fb_read_number(&head.reader, &head.header, BATCH_LENGTH, 8, 0);
	/* Their lengths were checked by ipc_read_marks. */
	strcpy(ret_message->source, marks.source ? marks.source : "");
	strcpy(ret_message->run, marks.run ? marks.run : "");
	strcpy(ret_message->tag, marks.tag ? marks.tag : "");
	return 0;
}
