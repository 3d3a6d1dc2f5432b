/* wavedump.c: events of WaveDump, binary and text (caen.h). */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "caen/layout.h"

#define HEADER_BYTES 24u
#define BOARDS_MAX   32u
#define CHANNELS_MAX 64u
#define COUNTER_MAX  (1u << 24)
#define SAMPLE_MAX   0x3FFFu /* 14 bits: none of these boards has more */
#define LINE_BYTES   200u

/* Is it an event of these boards, and of the same setting as the first? */
static int check(struct caen *caen, const struct caen_event *event, uint32_t event_bytes, struct enrg_error *reason)
{
	const uint64_t *numbers = event->numbers;

	if (numbers[CAEN_BOARD] >= BOARDS_MAX || numbers[CAEN_CHANNEL] >= CHANNELS_MAX ||
		numbers[CAEN_COUNTER] >= COUNTER_MAX)
		return enrg_error_set(reason, ENRG_E_CORRUPT,
			"board %" PRIu64 ", channel %" PRIu64 " and event %" PRIu64
			" can't be true; is this a file of WaveDump with headers? (--record-length N reads one "
			"without)",
			numbers[CAEN_BOARD], numbers[CAEN_CHANNEL], numbers[CAEN_COUNTER]);
	if (caen->event_count == 0)
		caen->event_bytes = event_bytes;
	if (event_bytes != caen->event_bytes)
		return enrg_error_set(reason, ENRG_E_CORRUPT,
			"an event of %u bytes among those of %u: WaveDump writes one record length", event_bytes,
			caen->event_bytes);
	return 0;
}

/* What is no u16 sample of these boards: the two bytes of two 8-bit samples (x721, x731), half a real (x742). */
static int check_samples(const uint8_t *bytes, uint32_t count, struct enrg_error *reason)
{
	uint16_t sample;

	for (uint32_t i = 0; i < count; i++) {
		memcpy(&sample, bytes + 2 * (uint64_t)i, sizeof(sample));
		if (sample > SAMPLE_MAX)
			return enrg_error_set(reason, ENRG_E_CORRUPT,
				"sample %u is %u, and no board that WaveDump writes 16-bit samples of has more than 14 "
				"bits; files of x721, x731 (8 bits) and x742 (reals) can't be read",
				i, sample);
	}
	return 0;
}

static int read_plain(struct caen *caen, struct caen_event *ret_event, uint64_t *ret_bytes, struct enrg_error *reason)
{
	if (caen->offset == caen->end)
		return 0;
	*ret_bytes = 2 * (uint64_t)caen->record_length;
	ret_event->sample_count = caen->record_length;
	int rc = caen_get(caen, caen->offset, *ret_bytes, &ret_event->samples, reason);
	if (rc == 0)
		rc = check_samples(ret_event->samples, ret_event->sample_count, reason);
	return rc < 0 ? rc : 1;
}

int caen_read_wavedump(struct caen *caen, struct caen_event *ret_event, uint64_t *ret_bytes, struct enrg_error *reason)
{
	uint32_t words[HEADER_BYTES / 4];
	const uint8_t *bytes;

	if (caen->record_length)
		return read_plain(caen, ret_event, ret_bytes, reason);
	if (caen->offset == caen->end)
		return 0;
	int rc = caen_get(caen, caen->offset, HEADER_BYTES, &bytes, reason);
	if (rc < 0)
		return rc;
	memcpy(words, bytes, sizeof(words));
	if (words[0] <= HEADER_BYTES || words[0] % 2 || words[0] - HEADER_BYTES > 2 * CAEN_SAMPLES_MAX)
		return enrg_error_set(reason, ENRG_E_CORRUPT,
			"an event can't have %u bytes; is this a file of WaveDump with headers? (--record-length N "
			"reads one without)",
			words[0]);
	ret_event->numbers[CAEN_BOARD] = words[1];
	ret_event->numbers[CAEN_PATTERN] = words[2];
	ret_event->numbers[CAEN_CHANNEL] = words[3];
	ret_event->numbers[CAEN_COUNTER] = words[4];
	ret_event->numbers[CAEN_TIME] = words[5];
	rc = check(caen, ret_event, words[0], reason);
	if (rc == 0)
		rc = caen_get(caen, caen->offset, words[0], &bytes, reason);
	if (rc < 0)
		return rc;
	ret_event->samples = bytes + HEADER_BYTES;
	ret_event->sample_count = (words[0] - HEADER_BYTES) / 2;
	*ret_bytes = words[0];
	rc = check_samples(ret_event->samples, ret_event->sample_count, reason);
	return rc < 0 ? rc : 1;
}

/* --- text --------------------------------------------------------------------------------------------------------- */

/* The number behind "NAME:"; lines come in one order. */
static int read_entry(
	struct caen *caen, uint64_t *offset, const char *name, uint64_t *ret_number, struct enrg_error *reason)
{
	char line[LINE_BYTES], *end;
	size_t length = strlen(name);
	uint64_t bytes;
	int rc = caen_get_line(caen, *offset, line, sizeof(line), &bytes, reason);

	if (rc == 0)
		return enrg_error_set(reason, ENRG_E_CORRUPT, "the file ends inside an event");
	if (rc < 0)
		return rc;
	if (strncmp(line, name, length) != 0 || line[length] != ':')
		return enrg_error_set(reason, ENRG_E_CORRUPT,
			"expected \"%s: …\" in the header of an event, found \"%.60s\"", name, line);
	*ret_number = strtoull(line + length + 1, &end, 0);
	if (end == line + length + 1 || *end || strchr(line + length + 1, '-') || *ret_number > UINT32_MAX)
		return enrg_error_set(reason, ENRG_E_CORRUPT, "\"%.60s\" holds no number of 32 bits", line);
	*offset += bytes;
	return 0;
}

static int read_sample(struct caen *caen, uint64_t *offset, uint16_t *ret_sample, struct enrg_error *reason)
{
	char line[LINE_BYTES], *end;
	uint64_t bytes;
	int rc = caen_get_line(caen, *offset, line, sizeof(line), &bytes, reason);

	if (rc == 0)
		return enrg_error_set(reason, ENRG_E_CORRUPT, "the file ends inside an event");
	if (rc < 0)
		return rc;
	unsigned long sample = strtoul(line, &end, 10);
	if (end == line || *end || line[0] == '-' || sample > UINT16_MAX)
		return enrg_error_set(reason, ENRG_E_CORRUPT, "\"%.60s\" is no sample of 16 bits", line);
	*ret_sample = (uint16_t)sample;
	*offset += bytes;
	return 0;
}

static int read_head(struct caen *caen, uint64_t *offset, struct caen_event *ret_event, uint32_t *ret_count,
	struct enrg_error *reason)
{
	static const struct {
		const char *name;
		int field; /* CAEN_FIELDS: not kept */
	} entries[] = {{"BoardID", CAEN_BOARD}, {"Channel", CAEN_CHANNEL}, {"Event Number", CAEN_COUNTER},
		{"Pattern", CAEN_PATTERN}, {"Trigger Time Stamp", CAEN_TIME}, {"DC offset (DAC)", CAEN_FIELDS}};
	uint64_t number;
	int rc = read_entry(caen, offset, "Record Length", &number, reason);

	if (rc < 0)
		return rc;
	if (number == 0 || number > CAEN_SAMPLES_MAX)
		return enrg_error_set(reason, ENRG_E_CORRUPT, "an event can't have %" PRIu64 " samples", number);
	*ret_count = (uint32_t)number;
	for (size_t i = 0; i < sizeof(entries) / sizeof(entries[0]); i++) {
		rc = read_entry(caen, offset, entries[i].name, &number, reason);
		if (rc < 0)
			return rc;
		if (entries[i].field != CAEN_FIELDS)
			ret_event->numbers[entries[i].field] = number;
	}
	return check(caen, ret_event, 2 * *ret_count + HEADER_BYTES, reason);
}

int caen_read_wavedump_text(
	struct caen *caen, struct caen_event *ret_event, uint64_t *ret_bytes, struct enrg_error *reason)
{
	uint64_t offset = caen->offset;
	uint32_t count = caen->record_length;
	int rc = 0;

	if (offset == caen->end)
		return 0;
	if (!count)
		rc = read_head(caen, &offset, ret_event, &count, reason);
	/* A sample has two bytes at least: a few bytes can't ask for much memory. */
	if (rc == 0 && 2 * (uint64_t)count > caen->end - offset + 1)
		rc = enrg_error_set(reason, ENRG_E_CORRUPT, "the file ends inside an event");
	if (rc == 0)
		rc = caen_reserve_samples(caen, count, reason);
	for (uint32_t i = 0; i < count && rc == 0; i++)
		rc = read_sample(caen, &offset, &caen->text_samples[i], reason);
	if (rc < 0)
		return rc;
	ret_event->samples = (const uint8_t *)caen->text_samples;
	ret_event->sample_count = count;
	*ret_bytes = offset - caen->offset;
	return 1;
}
