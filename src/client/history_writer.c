/* history_writer.c: a file of a history while it is written. In the process of DAQJobHistory. */
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/crc32c.h"
#include "base/disk.h"
#include "client/history_layout.h"
#include "enrgdaq/history_file.h"

#define WHOLE_MAX       9007199254740992.0 /* 2^53: beyond it a double has no ones */
#define ENTRY_BYTES_MAX 48u

struct bytes {
	uint8_t *at;
	size_t count, room;
};

struct enrg_history_writer {
	int descriptor;
	uint32_t span_s, number; /* of the next block */
	uint64_t bytes;
	bool is_spoilt;             /* a part of a block is in the file */
	struct bytes names, values; /* payloads of the next commit */
	struct bytes out;
	uint32_t last_series;
	bool has_values;
	char path[];
};

/* --- bytes ------------------------------------------------------------------------------------------------------- */

static bool make_room(struct bytes *bytes, size_t count)
{
	if (bytes->room - bytes->count >= count)
		return true;
	size_t room = 2 * bytes->room + count + 256;
	uint8_t *at = realloc(bytes->at, room);
	if (!at)
		return false;
	bytes->at = at;
	bytes->room = room;
	return true;
}

/* There is room. */
static void put(struct bytes *bytes, const void *from, size_t count)
{
	if (count)
		memcpy(bytes->at + bytes->count, from, count);
	bytes->count += count;
}

static void put_varint(struct bytes *bytes, uint64_t value)
{
	for (; value >= 0x80; value >>= 7)
		bytes->at[bytes->count++] = (uint8_t)(value | 0x80u);
	bytes->at[bytes->count++] = (uint8_t)value;
}

static void put_text(struct bytes *bytes, const char *text)
{
	uint16_t count = (uint16_t)strlen(text);

	put(bytes, &count, sizeof(count));
	put(bytes, text, count);
}

static void put_block(
	struct enrg_history_writer *writer, enum history_block type, uint64_t time_ns, const struct bytes *payload)
{
	struct history_head head = {.magic = HISTORY_MAGIC,
		.payload_bytes = (uint32_t)payload->count,
		.time_ns = time_ns,
		.number = writer->number++,
		.type = (uint16_t)type,
		.payload_crc = crc32c(0, payload->at, payload->count)};

	head.crc = crc32c_small(0, &head, offsetof(struct history_head, crc));
	put(&writer->out, &head, sizeof(head));
	put(&writer->out, payload->at, payload->count);
}

/* --- the file ---------------------------------------------------------------------------------------------------- */

/* One write, and what it left; what fails is cut off again, so that the file ends with a whole block. */
static int append(struct enrg_history_writer *writer, uint32_t number_before, struct enrg_error *err)
{
	size_t count = writer->out.count, at = 0;
	ssize_t done = 0;

	while (at < count && ((done = write(writer->descriptor, writer->out.at + at, count - at)) > 0 ||
				     (done < 0 && errno == EINTR)))
		at += done > 0 ? (size_t)done : 0;
	if (at == count) {
		writer->bytes += count;
		return 0;
	}
	int code = done < 0 ? errno : EIO;
	writer->number = number_before;
	if (at > 0 && ftruncate(writer->descriptor, (off_t)writer->bytes) < 0) {
		writer->is_spoilt = true;
		code = EIO;
	}
	errno = code;
	return disk_fail(err, writer->path, "write");
}

static int write_head(
	struct enrg_history_writer *writer, const struct enrg_history_writer_params *params, struct enrg_error *err)
{
	struct bytes head = {0};
	uint16_t version = HISTORY_VERSION, none = 0;
	size_t count = 12 + strlen(params->supervisor) + strlen(params->job);
	int rc = -ENOMEM;

	if (make_room(&head, count) && make_room(&writer->out, count + sizeof(struct history_head))) {
		put(&head, &version, sizeof(version));
		put(&head, &none, sizeof(none));
		put(&head, &params->span_s, sizeof(params->span_s));
		put_text(&head, params->supervisor);
		put_text(&head, params->job);
		put_block(writer, HISTORY_HEAD, params->time_ns, &head);
		rc = append(writer, 0, err);
	} else {
		enrg_error_set(err, rc, "out of memory");
	}
	free(head.at);
	return rc;
}

int enrg_history_writer_open(const struct enrg_history_writer_params *params, struct enrg_history_writer **ret_writer,
	struct enrg_error *err)
{
	struct enrg_history_writer *writer = calloc(1, sizeof(*writer) + strlen(params->path) + 1);

	if (!writer)
		return enrg_error_set(err, -ENOMEM, "out of memory");
	strcpy(writer->path, params->path);
	writer->span_s = params->span_s;
	writer->descriptor = open(params->path, O_RDWR | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0644);
	int rc = writer->descriptor < 0 ? disk_fail(err, params->path, "make") : write_head(writer, params, err);
	if (rc < 0 && writer->descriptor >= 0)
		unlink(params->path);
	if (rc < 0)
		enrg_history_writer_close(writer);
	else
		*ret_writer = writer;
	return rc;
}

void enrg_history_writer_close(struct enrg_history_writer *writer)
{
	if (!writer)
		return;
	if (writer->descriptor >= 0)
		close(writer->descriptor);
	free(writer->names.at);
	free(writer->values.at);
	free(writer->out.at);
	free(writer);
}

/* --- what is committed -------------------------------------------------------------------------------------------- */

int enrg_history_writer_name(struct enrg_history_writer *writer, const struct enrg_history_name *name)
{
	size_t name_bytes = strlen(name->name), unit_bytes = strlen(name->unit);
	uint16_t counts[3] = {(uint16_t)name->flags, (uint16_t)name_bytes, (uint16_t)unit_bytes};

	if (name->series >= ENRG_HISTORY_SERIES_MAX || !name_bytes || name_bytes > ENRG_HISTORY_NAME_MAX ||
		unit_bytes > ENRG_HISTORY_UNIT_MAX)
		return -EINVAL;
	if (writer->names.count + 2000 > HISTORY_PAYLOAD_MAX ||
		!make_room(&writer->names, 10 + name_bytes + unit_bytes))
		return -ENOMEM;
	put(&writer->names, &name->series, sizeof(name->series));
	put(&writer->names, counts, sizeof(counts));
	put(&writer->names, name->name, name_bytes);
	put(&writer->names, name->unit, unit_bytes);
	return 0;
}

static bool is_whole(double value)
{
	return fabs(value) < WHOLE_MAX && value >= trunc(value) && value <= trunc(value) &&
	       !(value == 0 && signbit(value));
}

static bool is_float(double value)
{
	double shorter = (double)(float)value;

	return shorter >= value && shorter <= value;
}

static unsigned form_of(const struct enrg_history_value *value, uint32_t span_s)
{
	unsigned form = HISTORY_F64;

	if (!value->seconds)
		return HISTORY_END;
	if (is_whole(value->min) && is_whole(value->max))
		form = HISTORY_WHOLE;
	else if (is_float(value->min) && is_float(value->max))
		form = HISTORY_F32;
	return form | (value->max > value->min ? HISTORY_RANGE : 0) | (value->seconds < span_s ? HISTORY_PART : 0);
}

static void put_whole(struct bytes *bytes, const struct enrg_history_value *value)
{
	int64_t least = (int64_t)value->min;
	float above = (float)(value->mean - value->min);

	put_varint(bytes, ((uint64_t)least << 1) ^ (uint64_t)(least >> 63));
	if (value->max > value->min) {
		put_varint(bytes, (uint64_t)((int64_t)value->max - least));
		put(bytes, &above, sizeof(above));
	}
}

static void put_real(struct bytes *bytes, const struct enrg_history_value *value, bool is_short)
{
	const double all[] = {value->min, value->max, value->mean};

	for (int i = 0; i < (value->max > value->min ? 3 : 1); i++) {
		float shorter = (float)all[i];

		put(bytes, is_short ? (const void *)&shorter : &all[i], is_short ? sizeof(shorter) : sizeof(all[i]));
	}
}

int enrg_history_writer_put(struct enrg_history_writer *writer, const struct enrg_history_value *value)
{
	struct bytes *bytes = &writer->values;
	unsigned form = form_of(value, writer->span_s);

	if (value->series >= ENRG_HISTORY_SERIES_MAX || (writer->has_values && value->series <= writer->last_series) ||
		value->seconds > writer->span_s ||
		(value->seconds && !(isfinite(value->min) && isfinite(value->mean) && isfinite(value->max) &&
					   value->min <= value->max)))
		return -EINVAL;
	if (bytes->count + ENTRY_BYTES_MAX > HISTORY_PAYLOAD_MAX || !make_room(bytes, ENTRY_BYTES_MAX))
		return -ENOMEM;
	put_varint(bytes,
		(uint64_t)(value->series - (writer->has_values ? writer->last_series : 0)) << HISTORY_FORM_BITS | form);
	writer->last_series = value->series;
	writer->has_values = true;
	if (form == HISTORY_END)
		return 0;
	if ((form & HISTORY_KIND) == HISTORY_WHOLE)
		put_whole(bytes, value);
	else
		put_real(bytes, value, (form & HISTORY_KIND) == HISTORY_F32);
	if (form & HISTORY_PART)
		bytes->at[bytes->count++] = (uint8_t)value->seconds;
	return 0;
}

uint64_t enrg_history_writer_waiting(const struct enrg_history_writer *writer)
{
	return (writer->names.count ? sizeof(struct history_head) + writer->names.count : 0) +
	       sizeof(struct history_head) + writer->values.count;
}

int enrg_history_writer_commit(struct enrg_history_writer *writer, uint64_t time_ns, struct enrg_error *err)
{
	uint32_t number = writer->number;

	if (writer->is_spoilt)
		return enrg_error_set(err, -EIO, "%s: ends with a part of a block", writer->path);
	writer->out.count = 0;
	if (!make_room(&writer->out, enrg_history_writer_waiting(writer)))
		return enrg_error_set(err, -ENOMEM, "out of memory");
	if (writer->names.count)
		put_block(writer, HISTORY_NAMES, time_ns, &writer->names);
	put_block(writer, HISTORY_VALUES, time_ns, &writer->values);
	int rc = append(writer, number, err);
	if (rc == 0) {
		writer->names.count = writer->values.count = 0;
		writer->has_values = false;
	}
	return rc;
}

int enrg_history_writer_sync(struct enrg_history_writer *writer, struct enrg_error *err)
{
	return fdatasync(writer->descriptor) < 0 ? disk_fail(err, writer->path, "sync") : 0;
}

uint64_t enrg_history_writer_bytes(const struct enrg_history_writer *writer)
{
	return writer->bytes;
}
