/* verify.c: goes through an .arrows file, or one in Arrow's file format, message by message and says what is wrong. In
 * `enrgdaq verify` and in tests; the file may be anything at all, so nothing in it is believed before its check sum was
 * right. */
#include "arrow/verify.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "arrow/file_footer.h"
#include "arrow/file_message.h"
#include "arrow/file_window.h"
#include "base/crc32c.h"

#define DECODE_BYTES_MAX (UINT64_C(1) << 30) /* larger batches pass through the check sum in pieces */

#define FILE_MAGIC "ARROW1\0" /* with the NUL that the literal adds: padded to 8 bytes */

struct verifier {
	struct file_window window;
	uint64_t start, end;        /* of the messages in the file */
	uint64_t offset;            /* of the message at hand */
	struct enrg_schema *schema; /* NULL: none read yet, or damaged */
	uint32_t schema_id;         /* of the schema; 0 without one */
	struct enrg_column_view *views;
	bool wants_schema;    /* at the start and behind an end mark */
	bool is_stamped;      /* this file has ENRGDAQ's check sums: a message without is a damaged one */
	bool is_schema_plain; /* the schema has none: right only where the batches have none either */
	struct verify_table *tables;
	size_t table_count, table_capacity, last_table;
	/* Of a file with a footer: the footer (at 0 where it is damaged), and the batches to compare it with. */
	struct file_footer footer;
	struct file_blocks blocks;
	struct verify_report report;
	const struct verify_hooks *hooks;
};

__attribute__((format(printf, 3, 4))) static void tell(
	struct verifier *verifier, enum verify_finding finding, const char *format, ...)
{
	char sentence[2048];
	va_list arguments;

	if (!verifier->hooks->tell)
		return;
	va_start(arguments, format);
	vsnprintf(sentence, sizeof(sentence), format, arguments);
	va_end(arguments);
	verifier->hooks->tell(verifier->hooks->context, finding, sentence);
}

static void format_table(const struct verify_table *table, char *ret_text, size_t text_bytes)
{
	snprintf(ret_text, text_bytes, "source \"%s\", run \"%s\"%s%s%s", table->source, table->run,
		table->tag[0] ? ", tag \"" : "", table->tag, table->tag[0] ? "\"" : "");
}

/* --- sequences --- */

/* A damaged schema may have been any. */
static bool table_is(const struct verify_table *table, const struct ipc_message *message, uint32_t schema_id)
{
	return (table->schema_id == schema_id || !table->schema_id || !schema_id) &&
	       !strcmp(table->source, message->source) && !strcmp(table->run, message->run) &&
	       !strcmp(table->tag, message->tag);
}

static int add_table(struct verifier *verifier, const struct ipc_message *message, struct enrg_error *err)
{
	bool is_new_source = true;

	if (verifier->table_count == verifier->table_capacity) {
		size_t capacity = verifier->table_capacity ? 2 * verifier->table_capacity : 8;
		struct verify_table *grown = realloc(verifier->tables, capacity * sizeof(*grown));
		if (!grown)
			return enrg_error_set(err, -ENOMEM, "no memory for %zu tables", capacity);
		verifier->tables = grown;
		verifier->table_capacity = capacity;
	}
	for (size_t i = 0; i < verifier->table_count; i++)
		if (!strcmp(verifier->tables[i].source, message->source))
			is_new_source = false;
	verifier->report.sources += is_new_source;
	struct verify_table *table = &verifier->tables[verifier->table_count++];
	*table = (struct verify_table){0};
	strcpy(table->source, message->source);
	strcpy(table->run, message->run);
	strcpy(table->tag, message->tag);
	return 0;
}

static int find_table(struct verifier *verifier, const struct ipc_message *message, struct verify_table **ret_table,
	struct enrg_error *err)
{
	/* Nearly always the table of the batch before. */
	if (verifier->last_table < verifier->table_count &&
		table_is(&verifier->tables[verifier->last_table], message, verifier->schema_id)) {
		*ret_table = &verifier->tables[verifier->last_table];
		return 0;
	}
	size_t index = 0;
	while (index < verifier->table_count && !table_is(&verifier->tables[index], message, verifier->schema_id))
		index++;
	int rc = index == verifier->table_count ? add_table(verifier, message, err) : 0;
	if (rc < 0)
		return rc;
	verifier->last_table = index;
	*ret_table = &verifier->tables[index];
	return 0;
}

static int note_sequence(
	struct verifier *verifier, const struct ipc_message *message, bool *ret_is_duplicate, struct enrg_error *err)
{
	uint64_t first = message->stamp.sequence, last = message->stamp.sequence_last, duplicates;
	struct verify_table *table;
	char name[800];

	int rc = find_table(verifier, message, &table, err);
	if (rc < 0)
		return rc;
	rc = sequence_set_add_range(&table->seen, first, last, &duplicates);
	if (rc < 0)
		return enrg_error_set(err, rc, "no memory for the sequences of source \"%s\"", table->source);
	if (!table->schema_id)
		table->schema_id = verifier->schema_id;
	*ret_is_duplicate = duplicates > last - first;
	verifier->report.duplicated += duplicates;
	if (duplicates)
		format_table(table, name, sizeof(name));
	if (duplicates && first == last)
		tell(verifier, VERIFY_DUPLICATE, "%s: batch %" PRIu64 " is there a second time, at byte %" PRIu64, name,
			first, verifier->offset);
	else if (duplicates)
		tell(verifier, VERIFY_DUPLICATE,
			"%s: %" PRIu64 " of the batches %" PRIu64 " to %" PRIu64
			" are there a second time, at byte %" PRIu64,
			name, duplicates, first, last, verifier->offset);
	return 0;
}

static void tell_missing(struct verifier *verifier)
{
	char name[800];

	for (size_t i = 0; i < verifier->table_count; i++) {
		const struct verify_table *table = &verifier->tables[i];
		format_table(table, name, sizeof(name));
		for (size_t k = 0; k < table->seen.hole_count; k++) {
			const struct sequence_range *hole = &table->seen.holes[k];
			verifier->report.missing += hole->last - hole->first + 1;
			if (hole->first == hole->last)
				tell(verifier, VERIFY_MISSING, "%s: batch %" PRIu64 " is missing", name, hole->first);
			else
				tell(verifier, VERIFY_MISSING, "%s: batches %" PRIu64 " to %" PRIu64 " are missing",
					name, hole->first, hole->last);
		}
	}
}

/* --- damage --- */

/* Are there only zeros from `offset` on? A power cut leaves them where a file had grown before its data was written. */
static int is_rest_zero(struct verifier *verifier, uint64_t offset, struct enrg_error *err)
{
	const uint8_t *bytes;
	size_t count;

	for (; offset < verifier->window.file_bytes; offset += count) {
		int rc = file_window_get(&verifier->window, offset, 1, &bytes, &count, err);
		if (rc < 0)
			return rc;
		if (bytes[0] != 0 || memcmp(bytes, bytes + 1, count - 1) != 0)
			return 0;
	}
	return 1;
}

static void note_torn(struct verifier *verifier)
{
	uint64_t end = verifier->end;

	if (verifier->report.is_file) { /* where the end of the file is cut, the lack of the footer tells */
		if (verifier->footer.at) {
			verifier->report.corrupted++;
			tell(verifier, VERIFY_CORRUPT, "the message at byte %" PRIu64 " reaches into the footer",
				verifier->offset);
		}
		verifier->offset = end;
		return;
	}
	verifier->report.is_torn = true;
	verifier->report.good_bytes = verifier->offset;
	tell(verifier, VERIFY_TORN_TAIL,
		"the last message is not whole: the file ends inside it (%" PRIu64 " bytes from byte %" PRIu64 " on)",
		end - verifier->offset, verifier->offset);
	verifier->offset = end;
}

/* What stands at the offset can't be trusted: go on at the next message that can. */
static int skip_damage(struct verifier *verifier, const char *reason, bool is_cut, struct enrg_error *err)
{
	uint64_t next, end = verifier->end;

	int rc = file_message_find(&verifier->window, verifier->offset + 8, end, &next, err);
	if (rc < 0)
		return rc;
	if (next == end && !is_cut) {
		rc = verifier->offset > 0 && !verifier->report.is_file ? is_rest_zero(verifier, verifier->offset, err)
								       : 0;
		if (rc < 0)
			return rc;
		is_cut = rc != 0;
	}
	if (next == end && is_cut) {
		note_torn(verifier);
		return 0;
	}
	if (next == end && verifier->offset == 0) /* a file with a footer begins behind ARROW1 */
		return enrg_error_set(err, ENRG_E_CORRUPT, "this is no Arrow stream: %s", reason);
	verifier->report.corrupted++;
	verifier->wants_schema = false; /* the damage may have held it */
	tell(verifier, VERIFY_CORRUPT, "bytes %" PRIu64 " to %" PRIu64 " are damaged%s: %s", verifier->offset, next - 1,
		next == end ? ", up to the end of the file" : "", reason);
	verifier->offset = next;
	return 0;
}

static void note_corrupt(struct verifier *verifier, const struct ipc_message *message, const char *reason)
{
	verifier->report.corrupted++;
	if (message->has_stamp)
		tell(verifier, VERIFY_CORRUPT, "source \"%s\", run \"%s\": batch %" PRIu64 " at byte %" PRIu64 ": %s",
			message->source, message->run, message->stamp.sequence, verifier->offset, reason);
	else
		tell(verifier, VERIFY_CORRUPT, "the message at byte %" PRIu64 ": %s", verifier->offset, reason);
}

/* --- messages --- */

static int take_schema(struct verifier *verifier, const struct ipc_message *message, struct enrg_error *err)
{
	struct enrg_error reason = {0};
	const uint8_t *bytes;
	size_t count;

	if (!verifier->wants_schema)
		note_corrupt(verifier, message, "a schema inside the stream; readers will stop here");
	verifier->wants_schema = false;
	verifier->is_schema_plain = !message->has_keys;
	free(verifier->schema);
	verifier->schema = NULL;
	verifier->schema_id = 0;
	int rc = file_window_get(&verifier->window, verifier->offset, message->meta_bytes, &bytes, &count, err);
	if (rc < 0)
		return rc;
	rc = ipc_decode_schema(bytes, count, &verifier->schema, &reason);
	if (rc == ENRG_E_CORRUPT) {
		/* A stream of another program with types that we do not have: its batches are counted, not looked into.
		 */
		note_corrupt(verifier, message, reason.text);
		return 0;
	}
	if (rc < 0)
		return enrg_error_set(err, rc, "%s", reason.text);
	verifier->schema_id = ipc_schema_id(verifier->schema);
	free(verifier->views);
	verifier->views = calloc(verifier->schema->column_count, sizeof(*verifier->views));
	return verifier->views
		       ? 0
		       : enrg_error_set(err, -ENOMEM, "no memory for %u columns", verifier->schema->column_count);
}

/* CRC of the body in pieces. */
static int body_crc(
	struct verifier *verifier, const struct ipc_message *message, uint32_t *ret_crc, struct enrg_error *err)
{
	uint64_t at = verifier->offset + message->meta_bytes, end = at + message->body_bytes;
	uint32_t crc = 0;

	while (at < end) {
		const uint8_t *bytes;
		size_t count;
		int rc = file_window_get(&verifier->window, at, 8, &bytes, &count, err);
		if (rc < 0)
			return rc;
		size_t piece = count < end - at ? count : (size_t)(end - at);
		crc = crc32c(crc, bytes, piece);
		at += piece;
	}
	*ret_crc = crc;
	return 0;
}

/* Check sum and structure of a batch: 0, ENRG_E_CORRUPT with `reason`, or an error of reading with `err`. */
static int check_batch(
	struct verifier *verifier, const struct ipc_message *message, struct enrg_error *reason, struct enrg_error *err)
{
	uint64_t total = message->meta_bytes + message->body_bytes;
	bool in_memory = total <= DECODE_BYTES_MAX;
	const uint8_t *bytes = NULL;
	struct enrg_batch batch;
	uint32_t crc = 0;
	size_t count;

	int rc = in_memory ? file_window_get(&verifier->window, verifier->offset, (size_t)total, &bytes, &count, err)
		 : message->has_stamp ? body_crc(verifier, message, &crc, err)
				      : 0;
	if (rc < 0)
		return rc;
	if (in_memory && message->has_stamp)
		crc = crc32c(0, bytes + message->meta_bytes, (size_t)message->body_bytes);
	if (message->has_stamp && crc != message->stamp.body_crc)
		return enrg_error_set(reason, ENRG_E_CORRUPT, "its CRC is %08" PRIx32 " and should be %08" PRIx32, crc,
			message->stamp.body_crc);
	/* A compressed body is proved by its check sum, if it has one; what is in it only a decompressor can tell. */
	if (!verifier->schema || !in_memory || message->is_compressed)
		return 0;
	return ipc_decode_batch(verifier->schema, bytes, (size_t)total, verifier->views, &batch, reason);
}

static int take_batch(struct verifier *verifier, const struct ipc_message *message, struct enrg_error *err)
{
	struct verify_report *report = &verifier->report;
	struct enrg_error reason = {0};
	bool is_duplicate = false;

	if (message->has_keys && verifier->is_schema_plain) {
		verifier->is_schema_plain = false;
		note_corrupt(verifier, message, "the schema in front of this batch has no check sum");
	}
	if (verifier->wants_schema) {
		verifier->wants_schema = false;
		note_corrupt(verifier, message, "no schema stands in front of it; readers will stop here");
	}
	int rc = check_batch(verifier, message, &reason, err);
	if (rc < 0 && rc != ENRG_E_CORRUPT)
		return rc;
	if (rc == ENRG_E_CORRUPT)
		note_corrupt(verifier, message, reason.text);
	/* A damaged batch is named as damaged: it is not missing as well. */
	if (message->has_stamp) {
		int noted = note_sequence(verifier, message, &is_duplicate, err);
		if (noted < 0)
			return noted;
	} else {
		report->unstamped++;
	}
	if (rc == ENRG_E_CORRUPT || is_duplicate)
		return 0;
	if (message->has_stamp && message->stamp.is_gap) {
		report->gaps++;
		tell(verifier, VERIFY_GAP_NOTE,
			"source \"%s\", run \"%s\": started again before batch %" PRIu64 " (life %" PRIu32
			"); the hardware may have had data in between",
			message->source, message->run, message->stamp.sequence + 1, message->stamp.epoch);
		return 0;
	}
	report->batches += message->has_stamp ? message->stamp.sequence_last - message->stamp.sequence + 1 : 1;
	report->rows += message->rows;
	report->payload_bytes += message->body_bytes;
	return 0;
}

static int take_message(struct verifier *verifier, const struct ipc_message *message, struct enrg_error *err)
{
	struct verify_report *report = &verifier->report;
	uint64_t corrupted = report->corrupted;
	int rc = 0;

	report->has_end_mark = message->is_end;
	if (message->is_end) {
		verifier->wants_schema = true;
	} else if (message->type == IPC_SCHEMA) {
		rc = take_schema(verifier, message, err);
	} else if (message->type == IPC_RECORD_BATCH) {
		rc = take_batch(verifier, message, err);
		if (rc == 0 && report->is_file)
			rc = file_blocks_add(
				&verifier->blocks, verifier->offset, message->meta_bytes, message->body_bytes, err);
	} else {
		report->unstamped++;
	}
	verifier->offset += message->meta_bytes + message->body_bytes;
	if (report->corrupted == corrupted)
		report->good_bytes = verifier->offset;
	return rc;
}

/* One message, or one stretch of damage. Moves the offset on. */
static int step(struct verifier *verifier, struct enrg_error *err)
{
	struct ipc_message message;
	struct enrg_error reason = {0};
	bool is_cut;

	int rc = file_message_read(&verifier->window, verifier->offset, verifier->end, &message, &is_cut, &reason);
	if (rc < 0 && rc != ENRG_E_CORRUPT)
		return enrg_error_set(err, rc, "%s", reason.text);
	if (rc == ENRG_E_CORRUPT || is_cut)
		return skip_damage(verifier, reason.text, is_cut, err);
	if (message.has_keys && !message.meta_crc_ok)
		return skip_damage(verifier, "the check sum of a message's head is wrong", false, err);
	verifier->is_stamped |= message.has_keys;
	bool is_stamp_due = verifier->is_stamped && !message.is_end;
	if (is_stamp_due && (message.type == IPC_RECORD_BATCH ? !message.has_stamp : !message.has_keys))
		return skip_damage(
			verifier, "a message without ENRGDAQ's check sums among others that have them", false, err);
	uint64_t left = verifier->end - verifier->offset;
	if (message.body_bytes > left - message.meta_bytes) {
		if (!message.meta_crc_ok)
			return skip_damage(verifier, "a body that is longer than the file", true, err);
		note_torn(verifier); /* the check sum proves the length: nothing can follow */
		return 0;
	}
	if (verifier->offset == verifier->start && (message.is_end || message.type != IPC_SCHEMA))
		return enrg_error_set(err, ENRG_E_CORRUPT, "this is no Arrow stream: it does not begin with a schema");
	return take_message(verifier, &message, err);
}

/* What kind of file is it, and where in it do messages lie? */
static int find_messages(struct verifier *verifier, struct enrg_error *err)
{
	struct enrg_error reason = {0};
	const uint8_t *bytes;
	size_t count;

	verifier->end = verifier->window.file_bytes;
	if (!verifier->end)
		return 0;
	int rc = file_window_get(&verifier->window, 0, 8, &bytes, &count, err);
	if (rc < 0)
		return rc;
	if (count >= sizeof(FILE_MAGIC) && !memcmp(bytes, FILE_MAGIC, sizeof(FILE_MAGIC))) {
		verifier->report.is_file = true;
		verifier->start = verifier->offset = sizeof(FILE_MAGIC);
		rc = file_footer_read(&verifier->window, &verifier->footer, &reason, err);
		if (rc == ENRG_E_CORRUPT) {
			verifier->report.corrupted++;
			tell(verifier, VERIFY_CORRUPT, "%s", reason.text);
			return 0;
		}
		verifier->end = rc == 0 ? verifier->footer.at : verifier->end;
		return rc;
	}
	/* A longer file is searched for whole messages first: its head may be damaged. */
	if (count < 8 && memcmp(bytes, "\xff\xff\xff\xff", count < 4 ? count : 4) != 0)
		return enrg_error_set(err, ENRG_E_CORRUPT, "this is no Arrow stream: it does not begin with ffffffff");
	return 0;
}

/* The end mark was reached, or the footer. */
static void check_footer(struct verifier *verifier)
{
	struct enrg_error reason = {0};

	/* Where something is damaged, its batches can't all be named. */
	if (!verifier->footer.at || verifier->report.corrupted)
		return;
	if (verifier->offset < verifier->end) {
		verifier->report.corrupted++;
		tell(verifier, VERIFY_CORRUPT,
			"bytes %" PRIu64 " to %" PRIu64 " stand between the end mark and the footer", verifier->offset,
			verifier->end - 1);
	}
	if (file_footer_compare(&verifier->footer, &verifier->blocks, verifier->schema, &reason) < 0) {
		verifier->report.corrupted++;
		tell(verifier, VERIFY_CORRUPT, "%s", reason.text);
	}
}

static int go_through(struct verifier *verifier, struct enrg_error *err)
{
	int rc = find_messages(verifier, err);

	while (rc == 0 && verifier->offset < verifier->end) {
		rc = step(verifier, err);
		if (verifier->hooks->progress)
			verifier->hooks->progress(verifier->hooks->context, verifier->offset, verifier->end);
		if (verifier->report.is_file && verifier->report.has_end_mark)
			break;
	}
	if (rc < 0)
		return rc;
	if (verifier->report.is_file)
		check_footer(verifier);
	tell_missing(verifier);
	for (size_t i = 0; rc == 0 && verifier->hooks->take_table && i < verifier->table_count; i++)
		rc = verifier->hooks->take_table(
			verifier->hooks->context, &verifier->tables[i], &verifier->report, err);
	return rc;
}

int verify_tables(
	const char *path, const struct verify_hooks *hooks, struct verify_report *ret_report, struct enrg_error *err)
{
	struct verifier verifier = {.wants_schema = true, .hooks = hooks};

	int rc = file_window_open(&verifier.window, path, err);
	verifier.report.file_bytes = verifier.window.file_bytes;
	if (rc == 0) {
		rc = go_through(&verifier, err);
		if (rc < 0)
			enrg_error_add(err, rc, "%s", path);
	}
	if (rc == 0)
		*ret_report = verifier.report;
	for (size_t i = 0; i < verifier.table_count; i++)
		sequence_set_fini(&verifier.tables[i].seen);
	free(verifier.tables);
	free(verifier.views);
	free(verifier.schema);
	free(verifier.blocks.items);
	file_footer_fini(&verifier.footer);
	file_window_close(&verifier.window);
	return rc;
}

int verify_file(const char *path, void (*tell_finding)(void *context, enum verify_finding, const char *sentence),
	void *context, struct verify_report *ret_report, struct enrg_error *err)
{
	const struct verify_hooks hooks = {.tell = tell_finding, .context = context};

	return verify_tables(path, &hooks, ret_report, err);
}

int verify_repair(const char *path, const struct verify_report *report, struct enrg_error *err)
{
	struct stat status;
	int rc = 0;

	if (!report->is_torn || report->good_bytes > report->file_bytes)
		return enrg_error_set(err, -EINVAL, "%s: there is no torn tail to cut", path);
	int descriptor = open(path, O_WRONLY | O_CLOEXEC);
	if (descriptor < 0)
		return enrg_error_set(err, -errno, "%s: %s", path, strerror(errno));
	if (fstat(descriptor, &status) < 0)
		rc = enrg_error_set(err, -errno, "%s: %s", path, strerror(errno));
	else if ((uint64_t)status.st_size != report->file_bytes)
		rc = enrg_error_set(
			err, -EBUSY, "%s: somebody else is writing to it: its length changed since it was read", path);
	else if (ftruncate(descriptor, (off_t)report->good_bytes) < 0 || fsync(descriptor) < 0)
		rc = enrg_error_set(err, -errno, "%s: can't cut it: %s", path, strerror(errno));
	if (close(descriptor) < 0 && rc == 0)
		rc = enrg_error_set(err, -errno, "%s: %s", path, strerror(errno));
	return rc;
}
