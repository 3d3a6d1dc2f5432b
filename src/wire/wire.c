/* wire.c: MessagePack, bounded: the reader. */
#include "wire/wire.h"

#include <errno.h>
#include <math.h>
#include <string.h>

void wire_reader_init(
	struct wire_reader *reader, const void *bytes, size_t count, uint32_t items_max, struct enrg_error *err)
{
	*reader = (struct wire_reader){.start = bytes,
		.at = bytes,
		.end = (const uint8_t *)bytes + count,
		.items_left = items_max,
		.err = err};
}

int wire_fail(const struct wire_reader *reader, const char *what)
{
	return enrg_error_set(reader->err, ENRG_E_PROTOCOL, "byte %zu: %s", (size_t)(reader->at - reader->start), what);
}

static size_t bytes_left(const struct wire_reader *reader)
{
	return (size_t)(reader->end - reader->at);
}

static int take_number(struct wire_reader *reader, unsigned width, uint64_t *ret_value)
{
	uint64_t value = 0;

	if (bytes_left(reader) < width)
		return wire_fail(reader, "the message ends inside a value");
	for (unsigned i = 0; i < width; i++)
		value = value << 8 | reader->at[i];
	reader->at += width;
	*ret_value = value;
	return 0;
}

static int take_integer(struct wire_reader *reader, unsigned width, bool is_signed, struct wire_token *token)
{
	uint64_t value = 0;
	int status = take_number(reader, width, &value);

	if (status)
		return status;
	token->type = WIRE_INT;
	if (!is_signed) {
		if (value > INT64_MAX)
			return wire_fail(reader, "an integer of more than 63 bits");
		token->integer = (int64_t)value;
		return 0;
	}
	unsigned shift = 64 - 8 * width;
	token->integer = (int64_t)(value << shift) >> shift;
	return 0;
}

static int take_float(struct wire_reader *reader, unsigned width, struct wire_token *token)
{
	uint64_t value = 0;
	int status = take_number(reader, width, &value);

	if (status)
		return status;
	token->type = WIRE_FLOAT;
	if (width == 4) {
		uint32_t bits = (uint32_t)value;
		float real;
		memcpy(&real, &bits, sizeof(real));
		token->real = (double)real;
	} else {
		memcpy(&token->real, &value, sizeof(token->real));
	}
	if (!isfinite(token->real))
		return wire_fail(reader, "a number that is not finite");
	return 0;
}

static int take_span(struct wire_reader *reader, enum wire_type type, uint64_t size, struct wire_token *token)
{
	if (size > bytes_left(reader))
		return wire_fail(reader, "a text or byte string longer than the message");
	token->type = type;
	token->bytes = reader->at;
	token->size = (uint32_t)size;
	reader->at += size;
	return 0;
}

static int take_container(struct wire_reader *reader, enum wire_type type, uint64_t size, struct wire_token *token)
{
	uint64_t items = type == WIRE_MAP ? 2 * size : size;

	/* Every item takes a byte at least. */
	if (items > bytes_left(reader))
		return wire_fail(reader, "a container that claims more items than the message has bytes");
	if (items > reader->items_left)
		return wire_fail(reader, "too many values in one message");
	token->type = type;
	token->size = (uint32_t)size;
	return 0;
}

/* Types whose length follows in 1, 2 or 4 bytes. */
static int take_sized(struct wire_reader *reader, enum wire_type type, unsigned width, struct wire_token *token)
{
	uint64_t size = 0;
	int status = take_number(reader, width, &size);

	if (status)
		return status;
	if (type == WIRE_ARRAY || type == WIRE_MAP)
		return take_container(reader, type, size, token);
	return take_span(reader, type, size, token);
}

static int read_tagged(struct wire_reader *reader, uint8_t tag, struct wire_token *token)
{
	switch (tag) {
	case 0xc0:
		token->type = WIRE_NIL;
		return 0;
	case 0xc2:
	case 0xc3:
		token->type = WIRE_BOOL;
		token->integer = tag == 0xc3;
		return 0;
	case 0xc4:
	case 0xc5:
	case 0xc6:
		return take_sized(reader, WIRE_BYTES, 1u << (tag - 0xc4), token);
	case 0xca:
	case 0xcb:
		return take_float(reader, tag == 0xca ? 4 : 8, token);
	case 0xcc:
	case 0xcd:
	case 0xce:
	case 0xcf:
		return take_integer(reader, 1u << (tag - 0xcc), false, token);
	case 0xd0:
	case 0xd1:
	case 0xd2:
	case 0xd3:
		return take_integer(reader, 1u << (tag - 0xd0), true, token);
	case 0xd9:
	case 0xda:
	case 0xdb:
		return take_sized(reader, WIRE_TEXT, 1u << (tag - 0xd9), token);
	case 0xdc:
	case 0xdd:
		return take_sized(reader, WIRE_ARRAY, 2u << (tag - 0xdc), token);
	case 0xde:
	case 0xdf:
		return take_sized(reader, WIRE_MAP, 2u << (tag - 0xde), token);
	default:
		return wire_fail(reader, "an extension or unknown type");
	}
}

int wire_read(struct wire_reader *reader, struct wire_token *ret_token)
{
	*ret_token = (struct wire_token){0};
	if (reader->at == reader->end)
		return wire_fail(reader, "the message ends where a value should be");
	if (!reader->items_left)
		return wire_fail(reader, "too many values in one message");
	reader->items_left--;

	uint8_t tag = *reader->at++;
	if (tag <= 0x7f || tag >= 0xe0) {
		ret_token->type = WIRE_INT;
		ret_token->integer = tag <= 0x7f ? tag : (int64_t)tag - 256;
		return 0;
	}
	if (tag <= 0x8f)
		return take_container(reader, WIRE_MAP, tag & 0x0f, ret_token);
	if (tag <= 0x9f)
		return take_container(reader, WIRE_ARRAY, tag & 0x0f, ret_token);
	if (tag <= 0xbf)
		return take_span(reader, WIRE_TEXT, tag & 0x1f, ret_token);
	return read_tagged(reader, tag, ret_token);
}

int wire_read_type(struct wire_reader *reader, enum wire_type type, const char *what, struct wire_token *ret_token)
{
	int status = wire_read(reader, ret_token);

	if (status)
		return status;
	return ret_token->type == type ? 0 : wire_fail(reader, what);
}

int wire_skip(struct wire_reader *reader, unsigned depth)
{
	struct wire_token token;
	int status = wire_read(reader, &token);

	if (status || (token.type != WIRE_ARRAY && token.type != WIRE_MAP))
		return status;
	if (!depth)
		return wire_fail(reader, "containers nested too deep");
	uint32_t items = token.type == WIRE_MAP ? 2 * token.size : token.size;
	for (uint32_t i = 0; i < items && !status; i++)
		status = wire_skip(reader, depth - 1);
	return status;
}

static int build_array(struct wire_reader *reader, uint32_t items, unsigned depth, json_t *array)
{
	for (uint32_t i = 0; i < items; i++) {
		json_t *item;
		int status = wire_read_json(reader, depth, &item);
		if (status)
			return status;
		if (json_array_append_new(array, item))
			return enrg_error_set(reader->err, -ENOMEM, "no memory for a message");
	}
	return 0;
}

static int build_map(struct wire_reader *reader, uint32_t pairs, unsigned depth, json_t *object)
{
	for (uint32_t i = 0; i < pairs; i++) {
		struct wire_token key;
		json_t *value;
		int status = wire_read_type(reader, WIRE_TEXT, "a key that is not text", &key);
		if (status)
			return status;
		if (key.size > WIRE_KEY_BYTES_MAX || memchr(key.bytes, 0, key.size))
			return wire_fail(reader, "a key that is too long or holds a NUL");
		if (json_object_getn(object, (const char *)key.bytes, key.size))
			return wire_fail(reader, "a key that comes twice");
		status = wire_read_json(reader, depth, &value);
		if (status)
			return status;
		if (json_object_setn_new(object, (const char *)key.bytes, key.size, value))
			return wire_fail(reader, "a key that is not UTF-8");
	}
	return 0;
}

static int build_container(
	struct wire_reader *reader, const struct wire_token *token, unsigned depth, json_t **ret_json)
{
	if (!depth)
		return wire_fail(reader, "containers nested too deep");
	json_t *json = token->type == WIRE_MAP ? json_object() : json_array();
	if (!json)
		return enrg_error_set(reader->err, -ENOMEM, "no memory for a message");
	int status = token->type == WIRE_MAP ? build_map(reader, token->size, depth - 1, json)
					     : build_array(reader, token->size, depth - 1, json);
	if (status) {
		json_decref(json);
		return status;
	}
	*ret_json = json;
	return 0;
}

static int build_value(struct wire_reader *reader, const struct wire_token *token, unsigned depth, json_t **ret_json)
{
	json_t *json = NULL;

	switch (token->type) {
	case WIRE_ARRAY:
	case WIRE_MAP:
		return build_container(reader, token, depth, ret_json);
	case WIRE_NIL:
		json = json_null();
		break;
	case WIRE_BOOL:
		json = json_boolean(token->integer);
		break;
	case WIRE_INT:
		json = json_integer(token->integer);
		break;
	case WIRE_FLOAT:
		json = json_real(token->real);
		break;
	case WIRE_TEXT:
		if (memchr(token->bytes, 0, token->size))
			return wire_fail(reader, "a text that holds a NUL");
		json = json_stringn((const char *)token->bytes, token->size);
		if (!json)
			return wire_fail(reader, "a text that is not UTF-8");
		break;
	case WIRE_BYTES:
		return wire_fail(reader, "bytes in a body");
	}
	if (!json)
		return enrg_error_set(reader->err, -ENOMEM, "no memory for a message");
	*ret_json = json;
	return 0;
}

int wire_read_json(struct wire_reader *reader, unsigned depth, json_t **ret_json)
{
	struct wire_token token;
	int status = wire_read(reader, &token);

	return status ? status : build_value(reader, &token, depth, ret_json);
}
