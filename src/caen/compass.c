/* compass.c: events of CoMPASS, binary and CSV (caen.h). */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "caen/layout.h"

#define WORD_BYTES   2u
#define BOARDS_MAX   256u
#define CHANNELS_MAX 64u
#define TRIED_EVENTS 300u
#define LINE_BYTES   (1u << 20)
/* A run of CoMPASS is sorted by time to within its buffers; a clock that goes back by an hour is another layout. */
#define BACK_MAX_PS UINT64_C(3600000000000000)

enum { HAS_ENERGY = 1, HAS_CALIBRATED = 2, HAS_SHORT = 4, HAS_WAVEFORM = 8 };

static int check(struct caen *caen, const struct caen_event *event, struct enrg_error *reason)
{
	const uint64_t *numbers = event->numbers;

	if (numbers[CAEN_BOARD] >= BOARDS_MAX || numbers[CAEN_CHANNEL] >= CHANNELS_MAX)
		return enrg_error_set(reason, ENRG_E_CORRUPT,
			"board %" PRIu64 " and channel %" PRIu64 " can't be true; is this a file of CoMPASS?",
			numbers[CAEN_BOARD], numbers[CAEN_CHANNEL]);
	if (caen->event_count && numbers[CAEN_TIME] < caen->last_time &&
		caen->last_time - numbers[CAEN_TIME] > BACK_MAX_PS)
		return enrg_error_set(reason, ENRG_E_CORRUPT,
			"the time goes back from %" PRIu64 " to %" PRIu64 " ps, by more than an hour", caen->last_time,
			numbers[CAEN_TIME]);
	caen->last_time = numbers[CAEN_TIME];
	return 0;
}

static void take(const uint8_t **at, void *to, size_t count)
{
	memcpy(to, *at, count);
	*at += count;
}

int caen_read_compass(struct caen *caen, struct caen_event *ret_event, uint64_t *ret_bytes, struct enrg_error *reason)
{
	static const struct {
		enum caen_field field;
		uint8_t bytes;
	} parts[] = {{CAEN_BOARD, 2}, {CAEN_CHANNEL, 2}, {CAEN_TIME, 8}, {CAEN_ENERGY, 2}, {CAEN_CALIBRATED, 8},
		{CAEN_SHORT, 2}, {CAEN_FLAGS, 4}, {CAEN_CODE, 1}};
	uint64_t head = 0;
	const uint8_t *at;

	if (caen->offset == caen->end)
		return 0;
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
		head += caen->fields >> parts[i].field & 1 ? parts[i].bytes : 0;
	head += caen->fields >> CAEN_SAMPLES & 1 ? 4 : 0;
	int rc = caen_get(caen, caen->offset, head, &at, reason);
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]) && rc == 0; i++)
		if (caen->fields >> parts[i].field & 1)
			take(&at, &ret_event->numbers[parts[i].field], parts[i].bytes);
	if (rc == 0 && caen->fields >> CAEN_SAMPLES & 1)
		take(&at, &ret_event->sample_count, 4);
	if (rc == 0)
		rc = check(caen, ret_event, reason);
	if (rc == 0 && ret_event->sample_count > CAEN_SAMPLES_MAX)
		rc = enrg_error_set(reason, ENRG_E_CORRUPT, "an event can't have %u samples", ret_event->sample_count);
	*ret_bytes = head + 2 * (uint64_t)ret_event->sample_count;
	if (rc == 0)
		rc = caen_get(caen, caen->offset, *ret_bytes, &at, reason);
	if (rc < 0)
		return rc;
	ret_event->samples = at + head;
	return 1;
}

/* --- what events have --------------------------------------------------------------------------------------------- */

static uint32_t fields_of(unsigned flags, bool has_code)
{
	uint32_t fields = 1u << CAEN_BOARD | 1u << CAEN_CHANNEL | 1u << CAEN_TIME | 1u << CAEN_FLAGS;

	fields |= flags & HAS_ENERGY ? 1u << CAEN_ENERGY : 0;
	fields |= flags & HAS_CALIBRATED ? 1u << CAEN_CALIBRATED : 0;
	fields |= flags & HAS_SHORT ? 1u << CAEN_SHORT : 0;
	fields |= flags & HAS_WAVEFORM ? 1u << CAEN_SAMPLES : 0;
	return has_code && flags & HAS_WAVEFORM ? fields | 1u << CAEN_CODE : fields;
}

/* Do the first events make sense if they have these? */
static bool fits(const struct caen *caen, uint32_t fields)
{
	struct caen trial = *caen;
	struct caen_event event = {0};
	uint64_t bytes;
	int rc = 1;

	trial.fields = fields;
	while (rc > 0 && trial.event_count < TRIED_EVENTS) {
		event = (struct caen_event){0};
		rc = caen_read_compass(&trial, &event, &bytes, NULL);
		if (rc > 0) {
			trial.offset += bytes;
			trial.event_count++;
		}
	}
	return rc >= 0 && trial.event_count > 1;
}

/* Without the word at the start: of CoMPASS before 2.0, or a later part of a run that was split by size. */
static int guess(struct caen *caen, struct enrg_error *reason)
{
	static const uint8_t energies[] = {HAS_ENERGY, HAS_CALIBRATED, HAS_ENERGY | HAS_CALIBRATED};
	uint32_t found = fields_of(HAS_ENERGY | HAS_SHORT | HAS_WAVEFORM, false);
	unsigned count = fits(caen, found);

	for (unsigned i = 0; i < 12 && count < 2; i++) {
		unsigned flags = energies[i % 3] | (i / 3 % 2 ? HAS_SHORT : 0u) | (i / 6 ? HAS_WAVEFORM : 0u);
		if (!fits(caen, fields_of(flags, true)))
			continue;
		found = fields_of(flags, true);
		count++;
	}
	if (count != 1)
		return enrg_error_set(reason, ENRG_E_CORRUPT,
			"%s: it does not begin with 0xCAEx, and its events %s; is this a file of CoMPASS?",
			count ? "the layout can't be recognised" : "unknown layout",
			count ? "make sense in more than one layout" : "make sense in no layout of CoMPASS");
	caen->fields = found;
	return 0;
}

int caen_find_compass_layout(struct caen *caen, struct enrg_error *reason)
{
	const uint8_t *bytes;
	int rc = caen_get(caen, 0, WORD_BYTES, &bytes, reason);

	if (rc < 0)
		return rc;
	if (bytes[1] != 0xCA || bytes[0] >> 4 != 0xE)
		return guess(caen, reason);
	unsigned flags = bytes[0] & 0xFu;
	if (!(flags & (HAS_ENERGY | HAS_CALIBRATED)))
		return enrg_error_set(reason, ENRG_E_CORRUPT, "its first word says that events have no energy at all");
	caen->fields = fields_of(flags, true);
	caen->offset = WORD_BYTES;
	return 0;
}

/* --- CSV ---------------------------------------------------------------------------------------------------------- */

static const struct {
	const char *name;
	enum caen_field field;
} csv_names[] = {{"BOARD", CAEN_BOARD}, {"CHANNEL", CAEN_CHANNEL}, {"TIMETAG", CAEN_TIME}, {"ENERGY", CAEN_ENERGY},
	{"CALIB_ENERGY", CAEN_CALIBRATED}, {"ENERGYSHORT", CAEN_SHORT}, {"FLAGS", CAEN_FLAGS},
	{"PROBE_CODE", CAEN_CODE}, {"SAMPLES", CAEN_SAMPLES}};

enum { CSV_NAMES = sizeof(csv_names) / sizeof(csv_names[0]) };

int caen_read_csv_names(struct caen *caen, struct enrg_error *reason)
{
	char line[400], *rest = line, *name;
	uint64_t bytes;
	int rc = caen_get_line(caen, 0, line, sizeof(line), &bytes, reason);
	size_t next = 0;

	if (rc <= 0)
		return rc < 0 ? rc : enrg_error_set(reason, ENRG_E_CORRUPT, "the file is empty");
	while ((name = strsep(&rest, ";"))) {
		while (next < CSV_NAMES && strcmp(csv_names[next].name, name) != 0)
			next++;
		if (next == CSV_NAMES)
			return enrg_error_set(reason, ENRG_E_CORRUPT,
				"the column \"%.60s\" is unknown, or not where CoMPASS has it", name);
		caen->fields |= 1u << csv_names[next++].field;
	}
	if (!(caen->fields >> CAEN_BOARD & caen->fields >> CAEN_CHANNEL & caen->fields >> CAEN_TIME & 1))
		return enrg_error_set(reason, ENRG_E_CORRUPT, "a list of CoMPASS has BOARD, CHANNEL and TIMETAG");
	caen->offset = bytes;
	return 0;
}

static int read_number(const char *text, enum caen_field field, uint64_t *ret_number, struct enrg_error *reason)
{
	static const uint64_t limits[CAEN_SAMPLES] = {[CAEN_BOARD] = UINT16_MAX,
		[CAEN_CHANNEL] = UINT16_MAX,
		[CAEN_TIME] = UINT64_MAX,
		[CAEN_ENERGY] = UINT16_MAX,
		[CAEN_SHORT] = UINT16_MAX,
		[CAEN_FLAGS] = UINT32_MAX,
		[CAEN_CODE] = UINT8_MAX};
	bool is_real = field == CAEN_CALIBRATED, is_number = is_real || (text[0] >= '0' && text[0] <= '9');
	char *end;

	errno = 0; /* a time has all 64 bits: only that tells what has more */
	if (is_real) {
		double value = strtod(text, &end);
		memcpy(ret_number, &value, sizeof(value));
	} else {
		*ret_number = strtoull(text, &end, text[0] == '0' && (text[1] | 32) == 'x' ? 16 : 10);
	}
	if (!is_number || end == text || *end || (!is_real && (errno == ERANGE || *ret_number > limits[field])))
		return enrg_error_set(reason, ENRG_E_CORRUPT, "\"%.60s\" is no value of this column", text);
	return 0;
}

static int read_samples(struct caen *caen, char *rest, struct caen_event *event, struct enrg_error *reason)
{
	char *text;

	while ((text = strsep(&rest, ";"))) {
		uint64_t sample;
		if (!*text && !rest)
			break; /* a line may end with a semicolon */
		int rc = read_number(text, CAEN_ENERGY, &sample, reason);
		if (rc == 0)
			rc = caen_reserve_samples(caen, event->sample_count + 1, reason);
		if (rc < 0)
			return rc;
		caen->text_samples[event->sample_count++] = (uint16_t)sample;
	}
	event->samples = (const uint8_t *)caen->text_samples;
	return 0;
}

static int read_line(struct caen *caen, char *line, struct caen_event *event, struct enrg_error *reason)
{
	char *rest = line;
	int rc = 0;

	for (size_t i = 0; i < CSV_NAMES && rc == 0; i++) {
		enum caen_field field = csv_names[i].field;
		if (!(caen->fields >> field & 1))
			continue;
		if (field == CAEN_SAMPLES)
			return rest ? read_samples(caen, rest, event, reason) : 0;
		char *text = strsep(&rest, ";");
		if (!text)
			return enrg_error_set(
				reason, ENRG_E_CORRUPT, "this line has fewer values than there are columns");
		rc = read_number(text, field, &event->numbers[field], reason);
	}
	if (rc == 0 && rest && *rest)
		rc = enrg_error_set(reason, ENRG_E_CORRUPT, "this line has more values than there are columns");
	return rc;
}

int caen_read_compass_csv(
	struct caen *caen, struct caen_event *ret_event, uint64_t *ret_bytes, struct enrg_error *reason)
{
	char *line = malloc(LINE_BYTES);
	int rc = line ? caen_get_line(caen, caen->offset, line, LINE_BYTES, ret_bytes, reason)
		      : enrg_error_set(reason, -ENOMEM, "out of memory");

	if (rc > 0)
		rc = read_line(caen, line, ret_event, reason);
	else if (rc == 0)
		return free(line), 0;
	if (rc == 0)
		rc = check(caen, ret_event, reason);
	free(line);
	return rc < 0 ? rc : 1;
}
