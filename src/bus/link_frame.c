/* link_frame.c: the messages of a link, to and from frames. */
#include "bus/link_frame.h"

#include <errno.h>
#include <string.h>
#include <sys/random.h>

#include "base/clock.h"

#define RECORD_NUMBERS 14u

uint64_t link_draw_number(void)
{
	uint64_t number = 0;

	if (getrandom(&number, sizeof(number), 0) != (ssize_t)sizeof(number))
		number = clock_mono_ns();
	return number >> 2 | 1u; /* positive as int64, with room to count up */
}

static int complain(struct enrg_error *err, const char *kind, const char *what)
{
	return enrg_error_set(err, ENRG_E_PROTOCOL, "%s of a link: %s", kind, what);
}

static bool is_uuid(const char *text)
{
	return strlen(text) == LINK_UUID_BYTES && strspn(text, "0123456789abcdef") == LINK_UUID_BYTES;
}

int link_note_parse(const json_t *body, struct link_note *ret_note, struct enrg_error *err)
{
	json_int_t life, session, position, received, sent;
	const char *stream;
	int is_full;

	if (json_unpack((json_t *)(uintptr_t)body, "{s:s,s:I,s:I,s:I,s:I,s:I,s:b}", "stream", &stream, "life", &life,
		    "session", &session, "position", &position, "received", &received, "sent", &sent, "full", &is_full))
		return complain(err, "note", "a member is missing or has the wrong type");
	if (!is_uuid(stream) || life < 0 || session < 0 || position < 0 || received < 0 || sent < 0)
		return complain(err, "note", "a number or the stream's name is out of range");
	*ret_note = (struct link_note){
		.life = (uint64_t)life,
		.session = (uint64_t)session,
		.position = (uint64_t)position,
		.received = (uint64_t)received,
		.sent = (uint64_t)sent,
		.is_full = is_full,
	};
	memcpy(ret_note->stream_uuid, stream, sizeof(ret_note->stream_uuid));
	return 0;
}

json_t *link_note_format(const struct link_note *note)
{
	return json_pack("{s:s,s:I,s:I,s:I,s:I,s:I,s:b}", "stream", note->stream_uuid, "life", (json_int_t)note->life,
		"session", (json_int_t)note->session, "position", (json_int_t)note->position, "received",
		(json_int_t)note->received, "sent", (json_int_t)note->sent, "full", note->is_full);
}

/* --- batches
 * ------------------------------------------------------------------------------------------------------------ */

static json_t *format_record(const struct record *record)
{
	/* 64-bit times are kept bit by bit, whatever a job wrote there. */
	return json_pack("[I,I,I,I,I,I,I,I,I,I,I,I,I,I]", (json_int_t)record->length, (json_int_t)record->type,
		(json_int_t)record->route, (json_int_t)record->sequence, (json_int_t)record->acquired_ns,
		(json_int_t)record->committed_ns, (json_int_t)record->epoch, (json_int_t)record->rows,
		(json_int_t)record->lead_bytes, (json_int_t)record->meta_bytes, (json_int_t)record->body_bytes,
		(json_int_t)record->body_crc, (json_int_t)record->meta_crc, (json_int_t)record->header_crc);
}

static int parse_record(const json_t *array, struct record *ret_record, struct enrg_error *err)
{
	uint64_t numbers[RECORD_NUMBERS];

	if (json_array_size(array) != RECORD_NUMBERS)
		return complain(err, "batch", "the record is not an array of 14 numbers");
	for (size_t i = 0; i < RECORD_NUMBERS; i++) {
		const json_t *item = json_array_get(array, i);
		bool is_long = i >= 3 && i <= 5;
		numbers[i] = (uint64_t)json_integer_value(item);
		if (!json_is_integer(item) || (!is_long && numbers[i] > UINT32_MAX))
			return complain(err, "batch", "a number of the record is out of range");
	}
	*ret_record = (struct record){
		.length = (uint32_t)numbers[0],
		.type = (uint16_t)numbers[1],
		.route = (uint16_t)numbers[2],
		.sequence = numbers[3],
		.acquired_ns = numbers[4],
		.committed_ns = numbers[5],
		.epoch = (uint32_t)numbers[6],
		.rows = (uint32_t)numbers[7],
		.lead_bytes = (uint32_t)numbers[8],
		.meta_bytes = (uint32_t)numbers[9],
		.body_bytes = (uint32_t)numbers[10],
		.body_crc = (uint32_t)numbers[11],
		.meta_crc = (uint32_t)numbers[12],
		.header_crc = (uint32_t)numbers[13],
	};
	if ((numbers[1] != RECORD_DATA && numbers[1] != RECORD_GAP && numbers[1] != RECORD_RUN) ||
		numbers[2] >= SEGMENT_ROUTES || numbers[9] + numbers[10] > LINK_PAYLOAD_MAX)
		return complain(err, "batch", "type, route or size of the record is out of range");
	return 0;
}

json_t *link_batch_format(const struct link_batch *batch, const struct link_place *place)
{
	return json_pack("{s:s,s:I,s:s,s:s,s:I,s:I,s:I,s:i,s:i,s:I,s:s,s:o}", "stream", batch->stream_uuid, "session",
		(json_int_t)place->session, "source", batch->source, "run", batch->run, "after",
		(json_int_t)place->after, "position", (json_int_t)batch->position, "end", (json_int_t)batch->end,
		"group", (int)batch->group, "schema", (int)batch->schema, "flags", (json_int_t)batch->flags, "tag",
		batch->tag, "record", format_record(&batch->header));
}

static bool take_text(char *ret_text, size_t text_bytes, const char *text)
{
	size_t count = strlen(text);

	if (count >= text_bytes)
		return false;
	memcpy(ret_text, text, count + 1);
	return true;
}

int link_batch_parse(
	const json_t *body, struct link_batch *ret_batch, struct link_place *ret_place, struct enrg_error *err)
{
	json_int_t session, after, position, end, group, schema, flags;
	const char *stream, *source, *run, *tag;
	struct link_batch batch = {0};
	json_t *record;

	if (json_unpack((json_t *)(uintptr_t)body, "{s:s,s:I,s:s,s:s,s:I,s:I,s:I,s:I,s:I,s:I,s:s,s:o}", "stream",
		    &stream, "session", &session, "source", &source, "run", &run, "after", &after, "position",
		    &position, "end", &end, "group", &group, "schema", &schema, "flags", &flags, "tag", &tag, "record",
		    &record))
		return complain(err, "batch", "a member is missing or has the wrong type");
	if (!is_uuid(stream) || !take_text(batch.source, sizeof(batch.source), source) ||
		!take_text(batch.run, sizeof(batch.run), run) || !take_text(batch.tag, sizeof(batch.tag), tag))
		return complain(err, "batch", "a text is too long");
	if (session < 0 || after < 0 || position < after || end <= position || group < 0 || group > UINT16_MAX ||
		schema < 0 || schema >= (json_int_t)SEGMENT_SCHEMAS || flags < 0 || flags > UINT32_MAX)
		return complain(err, "batch", "a number is out of range");
	int rc = parse_record(record, &batch.header, err);
	if (rc)
		return rc;
	memcpy(batch.stream_uuid, stream, sizeof(batch.stream_uuid));
	batch.position = (uint64_t)position;
	batch.end = (uint64_t)end;
	batch.group = (uint16_t)group;
	batch.schema = (uint16_t)schema;
	batch.flags = (uint32_t)flags;
	*ret_batch = batch;
	*ret_place = (struct link_place){.session = (uint64_t)session, .after = (uint64_t)after};
	return 0;
}
