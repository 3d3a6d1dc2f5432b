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

#include "arrow/file_message.h"
#include "arrow/verify_state.h"
#include "base/crc32c.h"

#define DECODE_BYTES_MAX (UINT64_C(1) << 30) /* larger batches pass through the check sum in pieces */

#define FILE_MAGIC "ARROW1\0" /* with the NUL that the literal adds: padded to 8 bytes */

/* --- messages --- */

static int take_schema(struct verifier *verifier, const struct ipc_message *message, struct enrg_error *err)
{
	struct enrg_error reason = {0};
	const uint8_t *bytes;
	size_t count;

	if (!verifier->wants_schema)
		verify_note_corrupt(verifier, message, "a schema inside the stream; readers will stop here");
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
		verify_note_corrupt(verifier, message, reason.text);
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
		verify_note_corrupt(verifier, message, "the schema in front of this batch has no check sum");
	}
	if (verifier->wants_schema) {
		verifier->wants_schema = false;
		verify_note_corrupt(verifier, message, "no schema stands in front of it; readers will stop here");
	}
	int rc = check_batch(verifier, message, &reason, err);
	if (rc < 0 && rc != ENRG_E_CORRUPT)
		return rc;
	if (rc == ENRG_E_CORRUPT)
		verify_note_corrupt(verifier, message, reason.text);
	/* A damaged batch is named as damaged: it is not missing as well. */
	if (message->has_stamp) {
		int noted = verify_note_sequence(verifier, message, &is_duplicate, err);
		if (noted < 0)
			return noted;
	} else {
		report->unstamped++;
	}
	if (rc == ENRG_E_CORRUPT || is_duplicate)
		return 0;
	if (message->has_stamp && message->stamp.is_gap) {
		report->gaps++;
		verify_tell(verifier, VERIFY_GAP_NOTE,
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
		return verify_skip_damage(verifier, reason.text, is_cut, err);
	if (message.has_keys && !message.meta_crc_ok)
		return verify_skip_damage(verifier, "the check sum of a message's head is wrong", false, err);
	verifier->is_stamped |= message.has_keys;
	bool is_stamp_due = verifier->is_stamped && !message.is_end;
	if (is_stamp_due && (message.type == IPC_RECORD_BATCH ? !message.has_stamp : !message.has_keys))
		return verify_skip_damage(
			verifier, "a message without ENRGDAQ's check sums among others that have them", false, err);
	uint64_t left = verifier->end - verifier->offset;
	if (message.body_bytes > left - message.meta_bytes) {
		if (!message.meta_crc_ok)
			return verify_skip_damage(verifier, "a body that is longer than the file", true, err);
		verify_note_torn(verifier); /* the check sum proves the length: nothing can follow */
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
			verify_tell(verifier, VERIFY_CORRUPT, "%s", reason.text);
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
		verify_tell(verifier, VERIFY_CORRUPT,
			"bytes %" PRIu64 " to %" PRIu64 " stand between the end mark and the footer", verifier->offset,
			verifier->end - 1);
	}
	if (file_footer_compare(&verifier->footer, &verifier->blocks, verifier->schema, &reason) < 0) {
		verifier->report.corrupted++;
		verify_tell(verifier, VERIFY_CORRUPT, "%s", reason.text);
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
	verify_tell_missing(verifier);
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
