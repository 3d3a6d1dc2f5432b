/* envelope.c: control messages to and from bytes. Library code of every process that speaks on the bus. */
#include "bus/envelope.h"

#include <errno.h>
#include <msgpack.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/clock.h"
#include "wire/wire.h"

#define ENVELOPE_VERSION 1

/* Values outside the body: the map itself, its keys and values, and room for keys of later versions. */
#define ITEMS_AROUND 64u

enum { SEEN_VERSION = 1, SEEN_KIND = 2, SEEN_ID = 4, SEEN_TIME = 8, SEEN_FROM = 16, SEEN_BODY = 32, SEEN_ALL = 63 };

void envelope_fini(struct envelope *envelope)
{
	json_decref(envelope->body);
	*envelope = (struct envelope){0};
}

/* --- to bytes
 * ---------------------------------------------------------------------------------------------------------- */

static void pack_text(msgpack_packer *packer, const char *text)
{
	size_t count = strlen(text);

	msgpack_pack_str(packer, count);
	msgpack_pack_str_body(packer, text, count);
}

static void pack_from(msgpack_packer *packer, const struct envelope *envelope)
{
	msgpack_pack_map(packer, 4);
	pack_text(packer, "supervisor");
	pack_text(packer, envelope->supervisor);
	pack_text(packer, "job");
	pack_text(packer, envelope->job);
	pack_text(packer, "type");
	pack_text(packer, envelope->job_type);
	pack_text(packer, "pid");
	msgpack_pack_int64(packer, envelope->pid);
}

static int complete(struct envelope *envelope, struct enrg_error *err)
{
	static const uint8_t none[sizeof(envelope->id)];

	if (!envelope->kind[0])
		return enrg_error_set(err, ENRG_E_PROTOCOL, "a message without a kind");
	if (!json_is_object(envelope->body))
		return enrg_error_set(err, ENRG_E_PROTOCOL, "%s: the body is not a map", envelope->kind);
	if (!memcmp(envelope->id, none, sizeof(none)) &&
		getrandom(envelope->id, sizeof(envelope->id), 0) != (ssize_t)sizeof(envelope->id))
		return enrg_error_set(err, -errno, "no random bytes for a message id");
	if (!envelope->sent_wall_ns)
		envelope->sent_wall_ns = clock_wall_ns();
	return 0;
}

int envelope_format(struct envelope *envelope, void **ret_bytes, size_t *ret_count, struct enrg_error *err)
{
	struct wire_writer writer;
	msgpack_packer packer;
	int rc = complete(envelope, err);

	if (rc)
		return rc;
	wire_writer_init(&writer, ENVELOPE_BYTES_MAX, ENVELOPE_ITEMS_MAX);
	msgpack_packer_init(&packer, &writer, wire_writer_append);
	msgpack_pack_map(&packer, 6);
	pack_text(&packer, "v");
	msgpack_pack_int(&packer, ENVELOPE_VERSION);
	pack_text(&packer, "kind");
	pack_text(&packer, envelope->kind);
	pack_text(&packer, "id");
	msgpack_pack_bin(&packer, sizeof(envelope->id));
	msgpack_pack_bin_body(&packer, envelope->id, sizeof(envelope->id));
	pack_text(&packer, "t");
	msgpack_pack_uint64(&packer, envelope->sent_wall_ns);
	pack_text(&packer, "from");
	pack_from(&packer, envelope);
	pack_text(&packer, "body");
	rc = wire_write_json(&writer, envelope->body, ENVELOPE_DEPTH_MAX, err);
	if (rc) {
		enrg_error_add(err, rc, "%s", envelope->kind);
		wire_writer_fini(&writer);
		return rc;
	}
	*ret_bytes = writer.bytes;
	*ret_count = writer.count;
	return 0;
}

/* --- from bytes
 * -------------------------------------------------------------------------------------------------------- */

static bool is_key(const struct wire_token *token, const char *key)
{
	return token->size == strlen(key) && !memcmp(token->bytes, key, token->size);
}

static int parse_text(struct wire_reader *reader, char *ret_text, size_t text_bytes)
{
	struct wire_token token;
	int rc = wire_read_type(reader, WIRE_TEXT, "text was expected", &token);

	if (rc)
		return rc;
	if (token.size >= text_bytes || memchr(token.bytes, 0, token.size))
		return wire_fail(reader, "a text that is too long or holds a NUL");
	memcpy(ret_text, token.bytes, token.size);
	ret_text[token.size] = 0;
	return 0;
}

static int parse_integer(struct wire_reader *reader, int64_t *ret_value)
{
	struct wire_token token;
	int rc = wire_read_type(reader, WIRE_INT, "an integer was expected", &token);

	if (rc)
		return rc;
	if (token.integer < 0)
		return wire_fail(reader, "a negative number");
	*ret_value = token.integer;
	return 0;
}

static int parse_id(struct wire_reader *reader, uint8_t ret_id[16])
{
	struct wire_token token;
	int rc = wire_read_type(reader, WIRE_BYTES, "an id of 16 bytes was expected", &token);

	if (rc)
		return rc;
	if (token.size != 16)
		return wire_fail(reader, "an id that does not have 16 bytes");
	memcpy(ret_id, token.bytes, 16);
	return 0;
}

static int parse_from(struct wire_reader *reader, struct envelope *envelope)
{
	struct wire_token map, key;
	int rc = wire_read_type(reader, WIRE_MAP, "from is not a map", &map);

	for (uint32_t i = 0; i < map.size && !rc; i++) {
		rc = wire_read_type(reader, WIRE_TEXT, "a key that is not text", &key);
		if (rc)
			break;
		if (is_key(&key, "supervisor"))
			rc = parse_text(reader, envelope->supervisor, sizeof(envelope->supervisor));
		else if (is_key(&key, "job"))
			rc = parse_text(reader, envelope->job, sizeof(envelope->job));
		else if (is_key(&key, "type"))
			rc = parse_text(reader, envelope->job_type, sizeof(envelope->job_type));
		else if (is_key(&key, "pid"))
			rc = parse_integer(reader, &envelope->pid);
		else
			rc = wire_skip(reader, ENVELOPE_DEPTH_MAX);
	}
	return rc;
}

static int parse_version(struct wire_reader *reader)
{
	int64_t version = 0;
	int rc = parse_integer(reader, &version);

	if (!rc && version != ENVELOPE_VERSION)
		rc = enrg_error_set(reader->err, ENRG_E_PROTOCOL,
			"version %lld of the protocol, this program speaks %d", (long long)version, ENVELOPE_VERSION);
	return rc;
}

static int parse_body(struct wire_reader *reader, struct envelope *envelope)
{
	int rc = wire_read_json(reader, ENVELOPE_DEPTH_MAX, &envelope->body);

	if (!rc && !json_is_object(envelope->body))
		rc = wire_fail(reader, "the body is not a map");
	return rc;
}

/* One member of the envelope; keys that this version does not know are stepped over. */
static int parse_member(
	struct wire_reader *reader, const struct wire_token *key, unsigned *seen, struct envelope *envelope)
{
	static const char *const keys[] = {"v", "kind", "id", "t", "from", "body"};
	unsigned bit = 0;
	int64_t number = 0;
	int rc;

	for (unsigned i = 0; i < 6; i++)
		if (is_key(key, keys[i]))
			bit = 1u << i;
	if (*seen & bit)
		return wire_fail(reader, "a key that comes twice");
	*seen |= bit;
	switch (bit) {
	case SEEN_VERSION:
		return parse_version(reader);
	case SEEN_KIND:
		return parse_text(reader, envelope->kind, sizeof(envelope->kind));
	case SEEN_ID:
		return parse_id(reader, envelope->id);
	case SEEN_TIME:
		rc = parse_integer(reader, &number);
		envelope->sent_wall_ns = (uint64_t)number;
		return rc;
	case SEEN_FROM:
		return parse_from(reader, envelope);
	case SEEN_BODY:
		return parse_body(reader, envelope);
	default:
		return wire_skip(reader, ENVELOPE_DEPTH_MAX);
	}
}

static int parse_map(struct wire_reader *reader, struct envelope *envelope)
{
	struct wire_token map, key;
	unsigned seen = 0;
	int rc = wire_read_type(reader, WIRE_MAP, "the envelope is not a map", &map);

	for (uint32_t i = 0; i < map.size && !rc; i++) {
		rc = wire_read_type(reader, WIRE_TEXT, "a key that is not text", &key);
		if (!rc)
			rc = parse_member(reader, &key, &seen, envelope);
	}
	if (rc)
		return rc;
	if (reader->at != reader->end)
		return wire_fail(reader, "bytes behind the envelope");
	if (seen != SEEN_ALL || !envelope->kind[0])
		return wire_fail(reader, "v, kind, id, t, from or body is missing");
	return 0;
}

int envelope_parse(const void *bytes, size_t count, struct envelope *ret_envelope, struct enrg_error *err)
{
	struct envelope envelope = {0};
	struct wire_reader reader;

	if (count > ENVELOPE_BYTES_MAX)
		return enrg_error_set(
			err, ENRG_E_PROTOCOL, "an envelope of %zu bytes (at most %u)", count, ENVELOPE_BYTES_MAX);
	wire_reader_init(&reader, bytes, count, ENVELOPE_ITEMS_MAX + ITEMS_AROUND, err);
	int rc = parse_map(&reader, &envelope);
	if (rc) {
		enrg_error_add(err, rc, "malformed envelope");
		envelope_fini(&envelope);
		return rc;
	}
	envelope.wire_bytes = count;
	*ret_envelope = envelope;
	return 0;
}

void topic_format(char *ret_topic, size_t topic_bytes, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(ret_topic, topic_bytes, format, arguments);
	va_end(arguments);
}
