/* outbox.c: see the header. A line: kind, fields with %XX for what would be none of it, and a hash of all that:
 *   heard SERIAL TIME SEVERITY SUPERVISOR JOB ID MESSAGE EVENT KEY #HASH
 *   begun SERIAL #HASH     ended SERIAL #HASH     overflow COUNT #HASH     alarm KEYHASH #HASH     over KEYHASH #HASH
 * A line that a kill or a full disk has torn fails its hash and does not count. */
#include "outbox.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "draft.h"
#include "quota.h"

#define FILE_BYTES_MAX (1u << 20) /* then it is written anew */
#define NAME_BYTES_MAX 200u
#define FIELDS_MAX     10u

/* --- entries in memory ------------------------------------------------------------------------------------------- */

/* What an alert is, wherever it is heard. */
static void format_id(const struct enrg_alert *alert, char ret_id[OUTBOX_ID_BYTES])
{
	uint64_t hash = quota_hash(QUOTA_HASH, &alert->time_ns, sizeof(alert->time_ns));

	hash = quota_hash(hash, alert->sender.supervisor, strlen(alert->sender.supervisor) + 1);
	hash = quota_hash(hash, alert->job, strlen(alert->job) + 1);
	hash = quota_hash(hash, alert->message, strlen(alert->message));
	snprintf(ret_id, OUTBOX_ID_BYTES, "%016" PRIx64, hash);
}

static const char *copy_text(char **at, const char *text, size_t byte_count)
{
	char *copy = *at;

	memcpy(copy, text, byte_count);
	copy[byte_count] = '\0';
	*at += byte_count + 1;
	return copy;
}

static struct outbox_entry *create_entry(const struct enrg_alert *alert)
{
	size_t supervisor = draft_cut(alert->sender.supervisor, NAME_BYTES_MAX);
	size_t job = draft_cut(alert->job, NAME_BYTES_MAX), message = draft_cut(alert->message, OUTBOX_TEXT_MAX);
	size_t key = alert->key ? draft_cut(alert->key, NAME_BYTES_MAX) : 0;
	struct outbox_entry *entry = calloc(1, sizeof(*entry) + supervisor + job + key + message + 4);

	if (!entry)
		return NULL;
	char *at = entry->texts;
	entry->severity = alert->severity;
	entry->event = key ? alert->event : ENRG_ALERT_ONCE;
	entry->time_ns = alert->time_ns;
	entry->supervisor = copy_text(&at, alert->sender.supervisor, supervisor);
	entry->job = copy_text(&at, alert->job, job);
	entry->key = copy_text(&at, alert->key ? alert->key : "", key);
	entry->message = copy_text(&at, alert->message, message);
	return entry;
}

static void append(struct outbox *outbox, struct outbox_entry *entry)
{
	*outbox->end = entry;
	outbox->end = &entry->next;
	outbox->count++;
}

static void remove_at(struct outbox *outbox, struct outbox_entry **at)
{
	struct outbox_entry *entry = *at;

	*at = entry->next;
	if (!*at)
		outbox->end = at;
	outbox->count--;
	free(entry);
}

/* --- lines ------------------------------------------------------------------------------------------------------- */

static void add_field(struct draft *line, const char *text)
{
	for (; *text; text++) {
		if ((unsigned char)*text <= ' ' || *text == '%' || *text == '#' || *text == 0x7f)
			draft_add(line, "%%%02X", (unsigned)(unsigned char)*text);
		else
			draft_add(line, "%c", *text);
	}
}

static void end_line(struct draft *lines, size_t begin)
{
	if (!lines->is_failed)
		draft_add(lines, " #%016" PRIx64 "\n",
			quota_hash(QUOTA_HASH, lines->text + begin, lines->byte_count - begin));
}

static void add_heard(struct draft *lines, const struct outbox_entry *entry)
{
	size_t begin = lines->byte_count;

	draft_add(lines, "heard %" PRIu64 " %" PRIu64 " %d ", entry->serial, entry->time_ns, (int)entry->severity);
	add_field(lines, entry->supervisor);
	draft_add(lines, " ");
	add_field(lines, entry->job);
	draft_add(lines, " %s ", entry->id);
	add_field(lines, entry->message);
	draft_add(lines, " %d ", (int)entry->event);
	add_field(lines, entry->key);
	end_line(lines, begin);
}

static void add_number(struct draft *lines, const char *kind, uint64_t number)
{
	size_t begin = lines->byte_count;

	draft_add(lines, "%s %" PRIu64, kind, number);
	end_line(lines, begin);
}

static void add_overflow(struct draft *lines, const struct outbox *outbox)
{
	if (outbox->overflow)
		add_number(lines, "overflow", outbox->overflow);
}

/* A line that was written in part gets an end, so that it spoils no other. */
static int write_lines(struct outbox *outbox, struct draft *lines, struct enrg_error *err)
{
	int rc = 0;

	if (lines->is_failed)
		rc = enrg_error_set(err, -ENOMEM, "out of memory");
	else if (outbox->file && lines->byte_count) {
		if (outbox->is_torn && write(outbox->file, "\n", 1) == 1)
			outbox->is_torn = false;
		ssize_t put = outbox->is_torn ? -1 : write(outbox->file, lines->text, lines->byte_count);
		if (put != (ssize_t)lines->byte_count) {
			rc = put < 0 ? -errno : -ENOSPC;
			outbox->is_torn = true;
			enrg_error_set(err, rc, "%s: %s", outbox->state.path, enrg_error_name(rc));
		} else {
			outbox->file_bytes += lines->byte_count;
		}
	}
	draft_fini(lines);
	return rc;
}

/* --- reading what an earlier process has written ----------------------------------------------------------------- */

static char *decode_field(char *field)
{
	char *to = field;

	for (const char *from = field; *from; from++) {
		char hex[3] = {0};
		if (*from == '%' && from[1] && from[2]) {
			memcpy(hex, from + 1, 2);
			*to = (char)strtoul(hex, NULL, 16);
			*to = *to ? *to : '?';
			to++;
			from += 2;
		} else {
			*to++ = *from;
		}
	}
	*to = '\0';
	return field;
}

/* Cuts the line into fields; false: its hash is wrong. */
static bool split_line(char *line, char *ret_fields[FIELDS_MAX], unsigned *ret_count)
{
	char *mark = strrchr(line, '#'), *rest = NULL;

	if (!mark || mark == line || mark[-1] != ' ')
		return false;
	mark[-1] = '\0';
	if (strlen(mark + 1) != 16 || strtoull(mark + 1, NULL, 16) != quota_hash(QUOTA_HASH, line, strlen(line)))
		return false;
	*ret_count = 0;
	/* an empty field stands between two blanks */
	for (rest = line; rest && *ret_count < FIELDS_MAX;)
		ret_fields[(*ret_count)++] = strsep(&rest, " ");
	return rest == NULL;
}

static void read_heard(struct outbox *outbox, char **fields)
{
	long severity = strtol(fields[3], NULL, 10), event = strtol(fields[8], NULL, 10);
	const struct enrg_alert alert = {
		.sender.supervisor = decode_field(fields[4]),
		.job = decode_field(fields[5]),
		.severity = severity < ENRG_DEBUG || severity > ENRG_ERROR ? ENRG_ERROR : (enum enrg_level)severity,
		.message = decode_field(fields[7]),
		.event = event < ENRG_ALERT_ONCE || event > ENRG_ALERT_ENDS ? ENRG_ALERT_ONCE
									    : (enum enrg_alert_event)event,
		.key = decode_field(fields[9]),
		.time_ns = strtoull(fields[2], NULL, 10),
	};
	struct outbox_entry *entry = outbox->count < OUTBOX_MAX ? create_entry(&alert) : NULL;

	if (!entry) {
		outbox->overflow++;
		return;
	}
	entry->serial = strtoull(fields[1], NULL, 10);
	snprintf(entry->id, sizeof(entry->id), "%s", fields[6]);
	append(outbox, entry);
}

/* Is in the set, or is not. True: it was the other way round. */
static bool set_alarm(struct outbox *outbox, uint64_t hash, bool is_on)
{
	uint32_t i = 0;

	while (i < outbox->alarm_count && outbox->alarms[i] != hash)
		i++;
	if (is_on == (i < outbox->alarm_count) || i == OUTBOX_ALARMS_MAX)
		return false;
	if (is_on)
		outbox->alarms[outbox->alarm_count++] = hash;
	else
		outbox->alarms[i] = outbox->alarms[--outbox->alarm_count];
	return true;
}

static void read_line(struct outbox *outbox, char *line)
{
	char *fields[FIELDS_MAX];
	unsigned count;

	if (!split_line(line, fields, &count) || count < 2)
		return;
	uint64_t number = strtoull(fields[1], NULL, 10);
	if (count == 10 && !strcmp(fields[0], "heard")) {
		read_heard(outbox, fields);
	} else if (count == 2 && (!strcmp(fields[0], "alarm") || !strcmp(fields[0], "over"))) {
		set_alarm(outbox, number, fields[0][0] == 'a');
		return;
	} else if (count == 2 && !strcmp(fields[0], "overflow")) {
		outbox->overflow = number;
		return;
	}
	outbox->serial = number > outbox->serial ? number : outbox->serial;
	for (struct outbox_entry **at = &outbox->first; *at; at = &(*at)->next) {
		if ((*at)->serial != number)
			continue;
		if (!strcmp(fields[0], "begun"))
			(*at)->may_have_been_sent = true;
		if (!strcmp(fields[0], "ended"))
			remove_at(outbox, at);
		return;
	}
}

/* --- the file ---------------------------------------------------------------------------------------------------- */

/* Writes the file anew: only what still waits. */
static int rewrite(struct outbox *outbox, struct enrg_error *err)
{
	struct draft lines = {0};

	for (const struct outbox_entry *entry = outbox->first; entry; entry = entry->next) {
		add_heard(&lines, entry);
		if (entry->may_have_been_sent)
			add_number(&lines, "begun", entry->serial);
	}
	for (uint32_t i = 0; i < outbox->alarm_count; i++)
		add_number(&lines, "alarm", outbox->alarms[i]);
	add_overflow(&lines, outbox);
	int rc = lines.is_failed ? enrg_error_set(err, -ENOMEM, "out of memory")
				 : state_replace(&outbox->state, lines.text ? lines.text : "", lines.byte_count, err);
	uint64_t bytes = lines.byte_count;
	draft_fini(&lines);
	if (rc)
		return rc;
	int file = openat(outbox->state.folder, outbox->state.name, O_WRONLY | O_APPEND | O_CLOEXEC | O_NOFOLLOW);
	if (file < 0)
		return enrg_error_set(err, -errno, "%s: %s", outbox->state.path, enrg_error_name(-errno));
	if (outbox->file)
		close(outbox->file);
	outbox->file = file;
	outbox->file_bytes = outbox->kept_bytes = bytes;
	outbox->is_torn = false;
	return 0;
}

int outbox_open(struct outbox *outbox, const char *path, struct enrg_error *err)
{
	char *text, *rest, *line;
	size_t count;

	*outbox = (struct outbox){0};
	outbox->end = &outbox->first;
	if (!path)
		return 0;
	int rc = state_open(&outbox->state, path, err);
	if (!rc)
		rc = state_read(&outbox->state, &text, &count, err);
	if (rc)
		return rc;
	rest = text;
	while ((line = strsep(&rest, "\n")))
		read_line(outbox, line);
	free(text);
	return rewrite(outbox, err);
}

void outbox_close(struct outbox *outbox)
{
	while (outbox->first)
		remove_at(outbox, &outbox->first);
	if (outbox->file)
		close(outbox->file);
	state_close(&outbox->state);
	*outbox = (struct outbox){0};
}

int outbox_put(struct outbox *outbox, const struct enrg_alert *alert, struct enrg_error *err)
{
	struct draft lines = {0};

	if (outbox->count >= OUTBOX_MAX) {
		outbox->overflow++;
		add_overflow(&lines, outbox);
		write_lines(outbox, &lines, NULL);
		return enrg_error_set(err, -ENOBUFS, "%u alerts wait already", OUTBOX_MAX);
	}
	struct outbox_entry *entry = create_entry(alert);
	if (!entry)
		return enrg_error_set(err, -ENOMEM, "out of memory");
	entry->serial = ++outbox->serial;
	format_id(alert, entry->id);
	append(outbox, entry);
	add_heard(&lines, entry);
	return write_lines(outbox, &lines, err);
}

void outbox_note_alarm(struct outbox *outbox, const char *key)
{
	uint64_t hash = quota_hash(QUOTA_HASH, key, strlen(key));
	struct draft lines = {0};

	if (!set_alarm(outbox, hash, true))
		return;
	add_number(&lines, "alarm", hash);
	write_lines(outbox, &lines, NULL);
}

bool outbox_end_alarm(struct outbox *outbox, const char *key)
{
	uint64_t hash = quota_hash(QUOTA_HASH, key, strlen(key));
	struct draft lines = {0};

	if (!set_alarm(outbox, hash, false))
		return false;
	add_number(&lines, "over", hash);
	write_lines(outbox, &lines, NULL);
	return true;
}

/* What is of no use any more goes out of the file; where that fails it grows on, and is tried again. */
static void tidy(struct outbox *outbox)
{
	if (outbox->file && outbox->file_bytes > FILE_BYTES_MAX + outbox->kept_bytes)
		(void)rewrite(outbox, NULL);
}

void outbox_note_begin(struct outbox *outbox)
{
	struct draft lines = {0};

	tidy(outbox); /* also where nothing gets through: each try and each alert that is not kept adds lines */
	for (const struct outbox_entry *entry = outbox->first; entry; entry = entry->next)
		if (entry->is_going && !entry->may_have_been_sent)
			add_number(&lines, "begun", entry->serial);
	write_lines(outbox, &lines, NULL);
}

void outbox_note_end(struct outbox *outbox)
{
	struct draft lines = {0};

	for (struct outbox_entry **at = &outbox->first; *at;) {
		if ((*at)->is_going) {
			add_number(&lines, "ended", (*at)->serial);
			remove_at(outbox, at);
		} else {
			at = &(*at)->next;
		}
	}
	write_lines(outbox, &lines, NULL);
	tidy(outbox);
}

void outbox_note_overflow_told(struct outbox *outbox, uint64_t count)
{
	struct draft lines = {0};

	outbox->overflow -= count < outbox->overflow ? count : outbox->overflow;
	add_number(&lines, "overflow", outbox->overflow);
	write_lines(outbox, &lines, NULL);
}

int outbox_sync(const struct outbox *outbox)
{
	return outbox->file && fdatasync(outbox->file) < 0 ? -errno : 0;
}
