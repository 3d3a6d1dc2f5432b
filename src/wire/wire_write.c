/* wire_write.c: MessagePack, bounded: the writer, on the packer of msgpack-c. */
#include "wire/wire.h"

#include <msgpack.h>
#include <stdlib.h>
#include <string.h>

void wire_writer_init(struct wire_writer *writer, size_t count_max, uint32_t items_max)
{
	*writer = (struct wire_writer){.count_max = count_max, .items_left = items_max};
}

void wire_writer_fini(struct wire_writer *writer)
{
	free(writer->bytes);
	*writer = (struct wire_writer){0};
}

int wire_writer_append(void *opaque, const char *bytes, size_t count)
{
	struct wire_writer *writer = opaque;

	if (count > writer->count_max - writer->count)
		goto full;
	if (count > writer->capacity - writer->count) {
		size_t capacity = 2 * (writer->count + count) + 256;
		uint8_t *grown = realloc(writer->bytes, capacity);
		if (!grown)
			goto full;
		writer->bytes = grown;
		writer->capacity = capacity;
	}
	if (count)
		memcpy(writer->bytes + writer->count, bytes, count);
	writer->count += count;
	return 0;
full:
	writer->is_full = true;
	return -1;
}

static int write_text(msgpack_packer *packer, const char *text, size_t count, struct enrg_error *err)
{
	if (memchr(text, 0, count))
		return enrg_error_set(err, ENRG_E_PROTOCOL, "a text that holds a NUL");
	msgpack_pack_str(packer, count);
	msgpack_pack_str_body(packer, text, count);
	return 0;
}

static int write_value(
	struct wire_writer *writer, msgpack_packer *packer, const json_t *json, unsigned depth, struct enrg_error *err);

static int write_object(
	struct wire_writer *writer, msgpack_packer *packer, const json_t *json, unsigned depth, struct enrg_error *err)
{
	/* jansson's iterators ask for a pointer that is not const; nothing is changed. */
	json_t *object = (json_t *)(uintptr_t)json;

	msgpack_pack_map(packer, json_object_size(json));
	for (void *at = json_object_iter(object); at; at = json_object_iter_next(object, at)) {
		const char *key = json_object_iter_key(at);
		size_t count = json_object_iter_key_len(at);
		if (count > WIRE_KEY_BYTES_MAX)
			return enrg_error_set(
				err, ENRG_E_PROTOCOL, "a key of %zu bytes (at most %u)", count, WIRE_KEY_BYTES_MAX);
		if (!writer->items_left)
			return enrg_error_set(err, ENRG_E_PROTOCOL, "too many values in one message");
		writer->items_left--;
		int rc = write_text(packer, key, count, err);
		if (!rc)
			rc = write_value(writer, packer, json_object_iter_value(at), depth, err);
		if (rc)
			return rc;
	}
	return 0;
}

static int write_container(
	struct wire_writer *writer, msgpack_packer *packer, const json_t *json, unsigned depth, struct enrg_error *err)
{
	if (!depth)
		return enrg_error_set(err, ENRG_E_PROTOCOL, "containers nested too deep");
	if (json_is_object(json))
		return write_object(writer, packer, json, depth - 1, err);
	msgpack_pack_array(packer, json_array_size(json));
	for (size_t i = 0; i < json_array_size(json); i++) {
		int rc = write_value(writer, packer, json_array_get(json, i), depth - 1, err);
		if (rc)
			return rc;
	}
	return 0;
}

static int write_value(
	struct wire_writer *writer, msgpack_packer *packer, const json_t *json, unsigned depth, struct enrg_error *err)
{
	int rc = 0;

	if (!writer->items_left)
		return enrg_error_set(err, ENRG_E_PROTOCOL, "too many values in one message");
	writer->items_left--;
	switch (json_typeof(json)) {
	case JSON_OBJECT:
	case JSON_ARRAY:
		rc = write_container(writer, packer, json, depth, err);
		break;
	case JSON_STRING:
		rc = write_text(packer, json_string_value(json), json_string_length(json), err);
		break;
	case JSON_INTEGER:
		msgpack_pack_int64(packer, json_integer_value(json));
		break;
	case JSON_REAL:
		msgpack_pack_double(packer, json_real_value(json));
		break;
	case JSON_TRUE:
		msgpack_pack_true(packer);
		break;
	case JSON_FALSE:
		msgpack_pack_false(packer);
		break;
	case JSON_NULL:
		msgpack_pack_nil(packer);
		break;
	}
	if (!rc && writer->is_full)
		rc = enrg_error_set(err, ENRG_E_PROTOCOL, "a message of more than %zu bytes", writer->count_max);
	return rc;
}

int wire_write_json(struct wire_writer *writer, const json_t *json, unsigned depth, struct enrg_error *err)
{
	msgpack_packer packer;

	msgpack_packer_init(&packer, writer, wire_writer_append);
	return write_value(writer, &packer, json, depth, err);
}
