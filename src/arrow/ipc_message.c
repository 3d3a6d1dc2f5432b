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
	static const uint8_t sizes[KEY_VALUE_FIELDS] = {4, 4};
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

int ipc_finish_message(struct fb_builder *builder, uint32_t align, uint8_t **ret_bytes, uint32_t *ret_count)
{
	fb_finish(builder);
	if (builder->is_failed)
		return -ENOMEM;
	uint32_t total = (IPC_PREFIX_BYTES + builder->count + align - 1) & ~(align - 1);
	uint8_t *bytes = calloc(1, total);
	if (!bytes)
		return -ENOMEM;
	const uint32_t prefix[2] = {IPC_CONTINUATION, total - IPC_PREFIX_BYTES};
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
static int read_prefix(
	const uint8_t *bytes, size_t count, struct ipc_head *head, size_t *ret_wanted, struct enrg_error *err)
{
	if (count < IPC_PREFIX_BYTES) {
		*ret_wanted = IPC_PREFIX_BYTES;
		return -EAGAIN;
	}
	if (fb_load_u32(bytes) != IPC_CONTINUATION)
		return enrg_error_set(err, ENRG_E_CORRUPT,
			"no message starts here (found %08" PRIx32 ", expected ffffffff)", fb_load_u32(bytes));
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

int ipc_read_head(
	const void *bytes, size_t count, struct ipc_head *ret_head, size_t *ret_wanted, struct enrg_error *err)
{
	struct ipc_head head = {0};

	int rc = read_prefix(bytes, count, &head, ret_wanted, err);
	if (rc < 0)
		return rc;
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
			return enrg_error_set(
				err, ENRG_E_CORRUPT, "unsupported version %" PRIu64 " of the Arrow format", version);
		if (head.body_bytes > INT64_MAX / 2 || head.body_bytes % 8 != 0)
			return enrg_error_set(err, ENRG_E_CORRUPT,
				"impossible length of a message body: %" PRIu64 " bytes", head.body_bytes);
	}
	*ret_head = head;
	return 0;
}

/* Exactly `digits` lower-case hex digits. */
static bool parse_hex(const char *text, uint32_t count, uint32_t digits, uint64_t *ret_value)
{
	uint64_t value = 0;
	bool is_wrong = count != digits;

	for (uint32_t i = 0; i < digits && !is_wrong; i++) {
		uint32_t digit = (uint32_t)(unsigned char)text[i] - '0',
			 letter = (uint32_t)(unsigned char)text[i] - 'a';
		is_wrong = digit > 9 && letter > 5;
		value = value << 4 | (digit <= 9 ? digit : letter + 10);
	}
	if (!is_wrong)
		*ret_value = value;
	return !is_wrong;
}

static bool parse_hex_32(const char *text, uint32_t count, uint32_t *ret_value)
{
	uint64_t value = 0;

	if (!parse_hex(text, count, 8, &value))
		return false;
	*ret_value = (uint32_t)value;
	return true;
}

/* A text that fits into a name; else as if it were absent. */
static unsigned take_text(const char **ret_text, const char *value, uint32_t count, unsigned mark)
{
	if (count > ENRG_NAME_BYTES_MAX || memchr(value, '\0', count))
		return 0;
	*ret_text = value;
	return mark;
}

enum {
	HAS_SEQUENCE = 1,
	HAS_EPOCH = 2,
	HAS_ACQUIRED = 4,
	HAS_KIND = 8,
	HAS_BODY_CRC = 16,
	HAS_META_CRC = 32,
	HAS_SOURCE = 64,
	HAS_RUN = 128,
	HAS_TAG = 256,
	HAS_STAMP = 511,
	HAS_BAD_LAST = 512, /* then there is no stamp to be believed */
};

struct entry {
	const char *key, *value;
	uint32_t key_count, value_count;
};

static bool entry_is(const struct entry *entry, const char *name, uint32_t name_count)
{
	const uint32_t before = sizeof(IPC_KEY_PREFIX) - 1;
	return entry->key_count == before + name_count && !memcmp(entry->key + before, name, name_count);
}

/* An entry whose key begins with our prefix; returns which of the HAS_ bits it sets. Runs nine times a batch: lengths
 * tell most keys apart. */
static unsigned read_mark(struct ipc_marks *marks, const struct ipc_head *head, const struct entry *entry)
{
	struct ipc_stamp *stamp = &marks->stamp;
	const char *value = entry->value;
	uint32_t count = entry->value_count;

	if (entry_is(entry, "source", 6))
		return take_text(&marks->source, value, count, HAS_SOURCE);
	if (entry_is(entry, "run", 3))
		return take_text(&marks->run, value, count, HAS_RUN);
	if (entry_is(entry, "tag", 3))
		return take_text(&marks->tag, value, count, HAS_TAG);
	if (entry_is(entry, "sequence", 8))
		return parse_hex(value, count, 16, &stamp->sequence) ? HAS_SEQUENCE : 0;
	if (entry_is(entry, "sequence_last", 13))
		return parse_hex(value, count, 16, &stamp->sequence_last) && stamp->sequence_last ? 0 : HAS_BAD_LAST;
	if (entry_is(entry, "epoch", 5))
		return parse_hex_32(value, count, &stamp->epoch) ? HAS_EPOCH : 0;
	if (entry_is(entry, "acquired_ns", 11))
		return parse_hex(value, count, 16, &stamp->acquired_ns) ? HAS_ACQUIRED : 0;
	if (entry_is(entry, "kind", 4)) {
		stamp->is_gap = count == 4 && !memcmp(value, "gap ", 4);
		return stamp->is_gap || (count == 4 && !memcmp(value, "data", 4)) ? HAS_KIND : 0;
	}
	if (entry_is(entry, "body_crc32c", 11))
		return parse_hex_32(value, count, &stamp->body_crc) ? HAS_BODY_CRC : 0;
	if (entry_is(entry, "meta_crc32c", 11) && parse_hex_32(value, count, &marks->meta_crc)) {
		marks->meta_crc_at = IPC_PREFIX_BYTES + (uint32_t)((const uint8_t *)value - head->reader.bytes);
		return HAS_META_CRC;
	}
	return 0;
}

/* Entry `index`; false where it lacks key or value. */
static bool read_entry(
	struct fb_reader *reader, const struct fb_vector *entries, uint32_t index, struct entry *ret_entry)
{
	struct fb_table table;

	if (!fb_read_element(reader, entries, index, &table))
		return false;
	ret_entry->key = fb_read_characters(reader, &table, KEY_VALUE_KEY, &ret_entry->key_count);
	ret_entry->value = fb_read_characters(reader, &table, KEY_VALUE_VALUE, &ret_entry->value_count);
	return ret_entry->key && ret_entry->value;
}

int ipc_read_marks(struct ipc_head *head, struct ipc_marks *ret_marks, struct enrg_error *err)
{
	struct ipc_marks marks = {0};
	struct fb_vector entries;
	unsigned found = 0;

	if (!head->is_end && fb_read_vector(&head->reader, &head->message, MESSAGE_KEYS, 4, &entries)) {
		if (entries.count > IPC_KEYS_MAX)
			return enrg_error_set(err, ENRG_E_CORRUPT, "a message with %u keys", entries.count);
		for (uint32_t i = 0; i < entries.count; i++) {
			struct entry entry;
			if (!read_entry(&head->reader, &entries, i, &entry) ||
				entry.key_count < sizeof(IPC_KEY_PREFIX) - 1 ||
				memcmp(entry.key, IPC_KEY_PREFIX, sizeof(IPC_KEY_PREFIX) - 1) != 0)
				continue;
			found |= read_mark(&marks, head, &entry);
			marks.has_any = true;
		}
	}
	if (head->reader.is_bad)
		return enrg_error_set(err, ENRG_E_CORRUPT, "the message's keys are damaged");
	struct ipc_stamp *stamp = &marks.stamp;
	if (!stamp->sequence_last)
		stamp->sequence_last = stamp->sequence;
	else if (stamp->sequence_last < stamp->sequence || stamp->sequence_last == UINT64_MAX || stamp->is_gap ||
		 stamp->sequence_last - stamp->sequence >= IPC_MERGED_MAX)
		found |= HAS_BAD_LAST;
	marks.has_stamp = found == HAS_STAMP;
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
		struct entry entry;
		if (!read_entry(reader, &entries, i, &entry) || strcmp(entry.key, wanted) != 0)
			continue;
		if (!memchr(entry.value, '\0', entry.value_count))
			return entry.value;
		reader->is_bad = true;
	}
	return NULL;
}

int ipc_read_message(
	const void *bytes, size_t count, struct ipc_message *ret_message, size_t *ret_wanted, struct enrg_error *err)
{
	struct ipc_head head;
	struct ipc_marks marks;
	size_t wanted = 0;

	int rc = ipc_read_head(bytes, count, &head, ret_wanted ? ret_wanted : &wanted, err);
	if (rc == 0)
		rc = ipc_read_marks(&head, &marks, err);
	if (rc < 0)
		return rc;
	*ret_message = (struct ipc_message){
		.type = head.header_type == IPC_SCHEMA         ? IPC_SCHEMA
			: head.header_type == IPC_RECORD_BATCH ? IPC_RECORD_BATCH
							       : IPC_OTHER,
		.meta_bytes = head.meta_bytes,
		.body_bytes = head.body_bytes,
		.is_end = head.is_end,
		.has_stamp = marks.has_stamp,
		.has_keys = marks.has_any,
		.stamp = marks.stamp,
		.meta_crc_ok =
			marks.meta_crc_at && ipc_meta_crc(bytes, head.meta_bytes, marks.meta_crc_at) == marks.meta_crc,
	};
	if (ret_message->type == IPC_RECORD_BATCH) {
		struct fb_table compression;
		ret_message->rows = fb_read_number(&head.reader, &head.header, BATCH_LENGTH, 8, 0);
		ret_message->is_compressed = fb_read_table(&head.reader, &head.header, BATCH_COMPRESSION, &compression);
	}
	/* Their lengths were checked by ipc_read_marks. */
	strcpy(ret_message->source, marks.source ? marks.source : "");
	strcpy(ret_message->run, marks.run ? marks.run : "");
	strcpy(ret_message->tag, marks.tag ? marks.tag : "");
	return 0;
}
