/* history_file.c: a file of a history while it is read. Its bytes are not trusted. */
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/crc32c.h"
#include "base/disk.h"
#include "base/text.h"
#include "client/history_layout.h"
#include "enrgdaq/history_file.h"

#define BUFFER_BYTES (256u << 10)

struct enrg_history_file {
	int descriptor;
	uint32_t span_s;
	uint64_t begin_ns, last_ns;
	uint64_t at;     /* behind the last whole block */
	uint32_t number; /* of the next one */
	/* what was read ahead */
	uint64_t buffer_at;
	size_t buffer_count;
	uint8_t *buffer, *payload;
	size_t payload_room;
	struct enrg_history_name **names; /* by series; NULL where there is none */
	uint32_t names_end, names_room;
	struct enrg_history_value *values;
	uint32_t values_room;
};

/* --- bytes ------------------------------------------------------------------------------------------------------- */

static ssize_t read_at(const struct enrg_history_file *file, void *to, size_t count, uint64_t at)
{
	size_t done = 0;

	while (done < count) {
		ssize_t got = pread(file->descriptor, (uint8_t *)to + done, count - done, (off_t)(at + done));
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			break;
		done += (size_t)got;
	}
	return (ssize_t)done;
}

/* false: the file ends before. Large payloads go past the buffer. */
static bool take(struct enrg_history_file *file, void *to, size_t count, uint64_t at)
{
	if (count > BUFFER_BYTES / 2)
		return read_at(file, to, count, at) == (ssize_t)count;
	if (at < file->buffer_at || at + count > file->buffer_at + file->buffer_count) {
		file->buffer_at = at;
		file->buffer_count = (size_t)read_at(file, file->buffer, BUFFER_BYTES, at);
		if (file->buffer_count < count)
			return false;
	}
	memcpy(to, file->buffer + (at - file->buffer_at), count);
	return true;
}

static bool take_head(struct enrg_history_file *file, struct history_head *ret_head)
{
	return take(file, ret_head, sizeof(*ret_head), file->at) && ret_head->magic == HISTORY_MAGIC &&
	       ret_head->crc == crc32c_small(0, ret_head, offsetof(struct history_head, crc)) &&
	       ret_head->number == file->number && ret_head->payload_bytes <= HISTORY_PAYLOAD_MAX;
}

/* 1; 0: it is torn or damaged. */
static int take_payload(struct enrg_history_file *file, const struct history_head *head)
{
	if (file->payload_room < head->payload_bytes) {
		uint8_t *payload = realloc(file->payload, head->payload_bytes);
		if (!payload)
			return -ENOMEM;
		file->payload = payload;
		file->payload_room = head->payload_bytes;
	}
	return take(file, file->payload, head->payload_bytes, file->at + sizeof(*head)) &&
	       crc32c(0, file->payload, head->payload_bytes) == head->payload_crc;
}

static void pass(struct enrg_history_file *file, const struct history_head *head)
{
	file->at += sizeof(*head) + head->payload_bytes;
	file->number++;
}

/* A payload while it is taken apart. */
struct cursor {
	const uint8_t *at, *end;
	bool is_bad;
};

static void get(struct cursor *cursor, void *to, size_t count)
{
	if ((size_t)(cursor->end - cursor->at) < count) {
		cursor->is_bad = true;
		memset(to, 0, count);
		return;
	}
	memcpy(to, cursor->at, count);
	cursor->at += count;
}

static uint64_t get_varint(struct cursor *cursor)
{
	uint64_t value = 0;

	for (unsigned shift = 0; shift < 64 && cursor->at < cursor->end; shift += 7) {
		uint8_t byte = *cursor->at++;

		value |= (uint64_t)(byte & 0x7Fu) << shift;
		if (!(byte & 0x80u))
			return value;
	}
	cursor->is_bad = true;
	return 0;
}

/* --- names ------------------------------------------------------------------------------------------------------- */

static bool make_place(struct enrg_history_file *file, uint32_t series)
{
	if (series < file->names_room)
		return true;
	uint32_t room = series < 512 ? 1024 : 2 * series;
	struct enrg_history_name **names = realloc(file->names, room * sizeof(struct enrg_history_name *));
	if (!names)
		return false;
	memset(names + file->names_room, 0, (room - file->names_room) * sizeof(struct enrg_history_name *));
	file->names = names;
	file->names_room = room;
	return true;
}

/* One that came before keeps its place: values have its meaning. */
static int keep_name(struct enrg_history_file *file, uint32_t series, struct enrg_history_name *name)
{
	if (!make_place(file, series)) {
		free(name);
		return -ENOMEM;
	}
	if (file->names[series]) {
		free(name);
		return 0;
	}
	file->names[series] = name;
	file->names_end = series >= file->names_end ? series + 1 : file->names_end;
	return 0;
}

/* 0; ENRG_E_CORRUPT. */
static int take_name(struct enrg_history_file *file, struct cursor *cursor)
{
	uint32_t series;
	uint16_t counts[3];

	get(cursor, &series, sizeof(series));
	get(cursor, counts, sizeof(counts));
	if (cursor->is_bad || series >= ENRG_HISTORY_SERIES_MAX || !counts[1] || counts[1] > ENRG_HISTORY_NAME_MAX ||
		counts[2] > ENRG_HISTORY_UNIT_MAX || cursor->end - cursor->at < counts[1] + counts[2])
		return ENRG_E_CORRUPT;
	struct enrg_history_name *name = malloc(sizeof(*name) + counts[1] + counts[2] + 2u);
	if (!name)
		return -ENOMEM;
	char *text = (char *)(name + 1), *unit = text + counts[1] + 1;
	get(cursor, text, counts[1]);
	get(cursor, unit, counts[2]);
	text[counts[1]] = unit[counts[2]] = '\0';
	text_make_safe(text, counts[1]);
	text_make_safe(unit, counts[2]);
	*name = (struct enrg_history_name){.series = series, .flags = counts[0], .name = text, .unit = unit};
	return keep_name(file, series, name);
}

static int take_names(struct enrg_history_file *file, uint32_t bytes)
{
	struct cursor cursor = {file->payload, file->payload + bytes, false};
	int rc = 0;

	while (rc == 0 && cursor.at < cursor.end)
		rc = take_name(file, &cursor);
	return rc;
}

/* --- values ------------------------------------------------------------------------------------------------------ */

static void get_whole(struct cursor *cursor, bool is_range, struct enrg_history_value *value)
{
	uint64_t zigzag = get_varint(cursor), above = is_range ? get_varint(cursor) : 0;
	float mean = 0;

	if (is_range)
		get(cursor, &mean, sizeof(mean));
	value->min = (double)(int64_t)((zigzag >> 1) ^ (0 - (zigzag & 1)));
	value->max = value->min + (double)above;
	value->mean = value->min + (double)mean;
}

static void get_real(struct cursor *cursor, bool is_range, bool is_short, struct enrg_history_value *value)
{
	double all[3] = {0};

	for (int i = 0; i < (is_range ? 3 : 1); i++) {
		float shorter = 0;

		if (is_short)
			get(cursor, &shorter, sizeof(shorter));
		else
			get(cursor, &all[i], sizeof(all[i]));
		all[i] = is_short ? (double)shorter : all[i];
	}
	value->min = all[0];
	value->max = is_range ? all[1] : all[0];
	value->mean = is_range ? all[2] : all[0];
}

static bool is_value(const struct enrg_history_file *file, const struct enrg_history_value *value)
{
	return value->series < file->names_end && file->names[value->series] && isfinite(value->min) &&
	       isfinite(value->max) && isfinite(value->mean) && value->min <= value->max &&
	       value->seconds <= file->span_s;
}

/* A mean that was rounded may lie beside its range. */
static void clamp_mean(struct enrg_history_value *value)
{
	value->mean = fmin(fmax(value->mean, value->min), value->max);
}

static bool take_value(struct enrg_history_file *file, struct cursor *cursor, uint64_t *series, bool is_first,
	struct enrg_history_value *value)
{
	uint64_t key = get_varint(cursor), gap = key >> HISTORY_FORM_BITS;
	unsigned form = key & ((1u << HISTORY_FORM_BITS) - 1), kind = form & HISTORY_KIND;
	bool is_range = form & HISTORY_RANGE;
	uint8_t seconds = (uint8_t)file->span_s;

	if (cursor->is_bad || gap >= ENRG_HISTORY_SERIES_MAX || (!gap && !is_first))
		return false;
	*series += gap;
	*value = (struct enrg_history_value){.series = (uint32_t)*series};
	if (kind == HISTORY_END)
		return form == HISTORY_END && is_value(file, value);
	if (kind == HISTORY_WHOLE)
		get_whole(cursor, is_range, value);
	else
		get_real(cursor, is_range, kind == HISTORY_F32, value);
	if (form & HISTORY_PART)
		get(cursor, &seconds, sizeof(seconds));
	value->seconds = seconds;
	clamp_mean(value);
	return !cursor->is_bad && seconds && is_value(file, value);
}

static int take_values(
	struct enrg_history_file *file, const struct history_head *head, struct enrg_history_block *ret_block)
{
	struct cursor cursor = {file->payload, file->payload + head->payload_bytes, false};
	uint64_t series = 0;
	uint32_t count = 0;

	while (cursor.at < cursor.end) {
		if (count == file->values_room) {
			uint32_t room = file->values_room ? 2 * file->values_room : 64;
			struct enrg_history_value *values = realloc(file->values, room * sizeof(*values));
			if (!values)
				return -ENOMEM;
			file->values = values;
			file->values_room = room;
		}
		if (!take_value(file, &cursor, &series, count == 0, &file->values[count]))
			return ENRG_E_CORRUPT;
		count++;
	}
	*ret_block = (struct enrg_history_block){.time_ns = head->time_ns, .count = count, .values = file->values};
	return 0;
}

/* --- the file ---------------------------------------------------------------------------------------------------- */

static int take_first(struct enrg_history_file *file, const char *path, struct enrg_error *err)
{
	struct history_head head;
	uint16_t version = 0;

	if (!take_head(file, &head) || head.type != HISTORY_HEAD || head.payload_bytes < 8 ||
		take_payload(file, &head) != 1)
		return enrg_error_set(err, ENRG_E_CORRUPT, "%s: is no file of a history, or its head is torn", path);
	memcpy(&version, file->payload, sizeof(version));
	memcpy(&file->span_s, file->payload + 4, sizeof(file->span_s));
	if (version != HISTORY_VERSION)
		return enrg_error_set(err, ENRG_E_VERSION, "%s: is of version %u; this program reads version %u", path,
			version, HISTORY_VERSION);
	if (file->span_s != 1 && file->span_s != 60)
		return enrg_error_set(err, ENRG_E_CORRUPT, "%s: its head is wrong", path);
	file->begin_ns = head.time_ns;
	pass(file, &head);
	return 0;
}

int enrg_history_file_open(const char *path, struct enrg_history_file **ret_file, struct enrg_error *err)
{
	struct enrg_history_file *file = calloc(1, sizeof(*file));
	uint8_t *buffer = malloc(BUFFER_BYTES);
	int rc;

	if (!file || !buffer) {
		free(file);
		free(buffer);
		return enrg_error_set(err, -ENOMEM, "out of memory");
	}
	file->buffer = buffer;
	file->descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	rc = file->descriptor < 0 ? disk_fail(err, path, "open") : take_first(file, path, err);
	if (rc < 0)
		enrg_history_file_close(file);
	else
		*ret_file = file;
	return rc;
}

void enrg_history_file_close(struct enrg_history_file *file)
{
	if (!file)
		return;
	if (file->descriptor >= 0)
		close(file->descriptor);
	for (uint32_t i = 0; i < file->names_end; i++)
		free(file->names[i]);
	free(file->names);
	free(file->values);
	free(file->buffer);
	free(file->payload);
	free(file);
}

/* One block: 1 it has values that are wanted; 0 it has not; ENRG_E_CORRUPT: no more whole ones. */
static int take_block(struct enrg_history_file *file, uint64_t from_ns, struct enrg_history_block *ret_block)
{
	struct history_head head;
	int rc;

	if (!take_head(file, &head))
		return ENRG_E_CORRUPT;
	bool is_wanted = head.type == HISTORY_NAMES || (head.type == HISTORY_VALUES && head.time_ns >= from_ns);
	if (is_wanted && (rc = take_payload(file, &head)) != 1)
		return rc < 0 ? rc : ENRG_E_CORRUPT;
	rc = head.type == HISTORY_NAMES ? take_names(file, head.payload_bytes)
	     : is_wanted                ? take_values(file, &head, ret_block)
					: 0;
	if (rc < 0)
		return rc;
	if (head.type == HISTORY_VALUES)
		file->last_ns = head.time_ns;
	pass(file, &head);
	return head.type == HISTORY_VALUES && is_wanted;
}

int enrg_history_file_next(struct enrg_history_file *file, uint64_t from_ns, struct enrg_history_block *ret_block)
{
	int rc = 0;

	while (rc == 0)
		rc = take_block(file, from_ns, ret_block);
	if (rc == ENRG_E_CORRUPT)
		file->buffer_count = 0; /* it may be just being written: the next time reads anew */
	return rc == ENRG_E_CORRUPT ? 0 : rc;
}

uint32_t enrg_history_file_span_s(const struct enrg_history_file *file)
{
	return file->span_s;
}

uint64_t enrg_history_file_begin_ns(const struct enrg_history_file *file)
{
	return file->begin_ns;
}

uint64_t enrg_history_file_last_ns(const struct enrg_history_file *file)
{
	return file->last_ns;
}

uint64_t enrg_history_file_bytes(const struct enrg_history_file *file)
{
	return file->at;
}

uint32_t enrg_history_file_series_end(const struct enrg_history_file *file)
{
	return file->names_end;
}

const struct enrg_history_name *enrg_history_file_name(const struct enrg_history_file *file, uint32_t series)
{
	return series < file->names_end ? file->names[series] : NULL;
}
