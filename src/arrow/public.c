/* public.c: the part of Arrow IPC that stores outside of this layer need (enrgdaq/store.h). In store processes, at
 * the opening of files; the file may hold anything.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "arrow/ipc.h"
#include "arrow/notes.h"
#include "base/crc32c.h"
#include "enrgdaq/store.h"

#define PIECE_BYTES (64u << 10)

int enrg_schema_format_ipc(const struct enrg_schema *schema, const char *source, void **ret_bytes, uint32_t *ret_count,
	struct enrg_error *err)
{
	const struct ipc_origin origin = {.source = source ? source : "", .run = "", .tag = ""};

	return ipc_encode_file_schema(schema, source && *source ? &origin : NULL, ret_bytes, ret_count, err);
}

int enrg_schema_format_ipc_in_run(const struct enrg_schema *schema, const char *source, const struct enrg_run_info *run,
	void **ret_bytes, uint32_t *ret_count, struct enrg_error *err)
{
	const struct ipc_origin origin = {.source = source ? source : "", .run = "", .tag = ""};

	return ipc_encode_run_schema(schema, source && *source ? &origin : NULL, run, ret_bytes, ret_count, err);
}

/* A file whose messages are visited from the front; bodies are stepped over. */
struct scan {
	int descriptor;
	uint64_t size;
	uint64_t offset; /* behind the last whole message */
	uint8_t *bytes;
	size_t capacity;
	struct ipc_message last; /* the last record batch … */
	uint64_t last_offset;    /* … and where it starts */
	bool has_last;
};

/* Makes bytes[0, count) those at `offset`. */
static int load(struct scan *scan, uint64_t offset, size_t count, struct enrg_error *err)
{
	size_t done = 0;

	if (count > scan->capacity) {
		uint8_t *bytes = realloc(scan->bytes, count);

		if (!bytes)
			return enrg_error_set(err, -ENOMEM, "no memory for a message of %zu bytes", count);
		scan->bytes = bytes;
		scan->capacity = count;
	}
	while (done < count) {
		ssize_t got = pread(scan->descriptor, scan->bytes + done, count - done, (off_t)(offset + done));

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return enrg_error_set(err, got < 0 ? -errno : -EIO, "can't read what is there: %s",
				got < 0 ? strerror(errno) : "the file became shorter");
		done += (size_t)got;
	}
	return 0;
}

/* Head of the message at scan->offset, in scan->bytes. -ENODATA: the file ends inside it. */
static int read_head(struct scan *scan, struct ipc_message *ret_message, struct enrg_error *err)
{
	uint64_t left = scan->size - scan->offset;
	size_t wanted = 4096;

	for (;;) {
		size_t count = wanted < left ? wanted : (size_t)left;
		int rc = load(scan, scan->offset, count, err);

		if (rc == 0)
			rc = ipc_read_message(scan->bytes, count, ret_message, &wanted, err);
		if (rc != -EAGAIN)
			return rc;
		if (wanted > left)
			return -ENODATA;
	}
}

/* Only zeros from scan->offset on: 1 or 0. A power cut leaves them where a file had grown before its data was
 * written. */
static int is_rest_zero(struct scan *scan, struct enrg_error *err)
{
	for (uint64_t at = scan->offset; at < scan->size;) {
		size_t count = scan->size - at < PIECE_BYTES ? (size_t)(scan->size - at) : PIECE_BYTES;
		int rc = load(scan, at, count, err);

		if (rc < 0)
			return rc;
		if (scan->bytes[0] != 0 || memcmp(scan->bytes, scan->bytes + 1, count - 1) != 0)
			return 0;
		at += count;
	}
	return 1;
}

/* 0: whole; -ENODATA: its body is not what was written. */
static int check_last_body(struct scan *scan, struct enrg_error *err)
{
	uint64_t at = scan->last_offset + scan->last.meta_bytes, end = at + scan->last.body_bytes;
	uint32_t crc = 0;

	while (at < end) {
		size_t count = end - at < PIECE_BYTES ? (size_t)(end - at) : PIECE_BYTES;
		int rc = load(scan, at, count, err);

		if (rc < 0)
			return rc;
		crc = crc32c(crc, scan->bytes, count);
		at += count;
	}
	return crc == scan->last.stamp.body_crc ? 0 : -ENODATA;
}

static int compare_schema(struct scan *scan, const struct enrg_schema *schema, const struct ipc_message *message,
	bool *ret_is_equal, struct enrg_error *err)
{
	struct enrg_schema *found = NULL;
	int rc;

	*ret_is_equal = false;
	if (message->is_end || message->type != IPC_SCHEMA)
		return 0;
	rc = ipc_decode_schema(scan->bytes, message->meta_bytes, &found, NULL);
	if (rc == ENRG_E_CORRUPT || rc == ENRG_E_VERSION) /* of others, or of a later version */
		return 0;
	if (rc < 0)
		return enrg_error_set(err, rc, "the schema of what is there: %s", enrg_error_name(rc));
	*ret_is_equal = ipc_schema_equal(found, schema);
	free(found);
	return 0;
}

int enrg_ipc_find_other_note(
	int descriptor, const struct enrg_schema *schema, char *ret_text, size_t text_bytes, struct enrg_error *err)
{
	struct scan scan = {.descriptor = descriptor};
	struct enrg_schema *found = NULL;
	struct ipc_message message;
	struct stat status;
	const char *value = "";

	if (fstat(descriptor, &status) < 0)
		return enrg_error_set(err, -errno, "can't look at what is there: %s", strerror(errno));
	scan.size = (uint64_t)status.st_size;
	int rc = scan.size ? read_head(&scan, &message, NULL) : -ENODATA;
	if (rc == 0 && !message.is_end && message.type == IPC_SCHEMA)
		rc = ipc_decode_schema(scan.bytes, message.meta_bytes, &found, NULL);
	const struct enrg_note *other = found ? notes_find_other(found, schema, &value) : NULL;
	if (other)
		snprintf(ret_text, text_bytes, "%s%s%s = \"%s\" there, \"%s\" now", other->column ? other->column : "",
			other->column ? "." : "", other->key, other->value, value);
	free(found);
	free(scan.bytes);
	return other ? 1 : 0;
}

/* The schema at the start: moves on behind it, or says why not. */
static int visit_schema(
	struct scan *scan, const struct enrg_schema *schema, enum enrg_ipc_content *ret_content, struct enrg_error *err)
{
	struct ipc_message message;
	bool is_equal;
	int rc = read_head(scan, &message, NULL);

	if (rc == -ENODATA) /* a part of a first message: nothing of value behind it */
		return 0;
	*ret_content = ENRG_IPC_OTHER;
	if (rc == ENRG_E_CORRUPT)
		return 0;
	if (rc < 0)
		return enrg_error_set(err, rc, "can't read what is there: %s", enrg_error_name(rc));
	rc = compare_schema(scan, schema, &message, &is_equal, err);
	if (rc < 0 || !is_equal)
		return rc;
	*ret_content = ENRG_IPC_OURS;
	scan->offset = message.meta_bytes;
	return 0;
}

/* All messages behind the schema. Leaves scan->offset behind the last whole one. */
static int visit_batches(struct scan *scan, enum enrg_ipc_content *ret_content, struct enrg_error *err)
{
	while (scan->offset < scan->size) {
		struct ipc_message message;
		int rc = read_head(scan, &message, NULL);

		if (rc == -ENODATA)
			return 0;
		if (rc < 0 && rc != ENRG_E_CORRUPT)
			return enrg_error_set(err, rc, "can't read what is there: %s", enrg_error_name(rc));
		if (rc == 0 && message.is_end && scan->offset + message.meta_bytes == scan->size)
			return 0; /* an end mark: readers would stop there, so what is appended replaces it */
		if (rc < 0 || message.is_end || message.type != IPC_RECORD_BATCH ||
			(message.has_keys && !message.meta_crc_ok)) {
			rc = is_rest_zero(scan, err);
			if (rc == 0)
				*ret_content = ENRG_IPC_DAMAGED;
			return rc < 0 ? rc : 0;
		}
		if (message.body_bytes > scan->size - scan->offset - message.meta_bytes)
			return 0;
		scan->last = message;
		scan->last_offset = scan->offset;
		scan->has_last = true;
		scan->offset += message.meta_bytes + message.body_bytes;
	}
	return 0;
}

int enrg_ipc_inspect(int descriptor, const struct enrg_schema *schema, enum enrg_ipc_content *ret_content,
	uint64_t *ret_good_bytes, struct enrg_error *err)
{
	struct scan scan = {.descriptor = descriptor};
	enum enrg_ipc_content content = ENRG_IPC_OURS;
	struct stat status;
	int rc = 0;

	if (fstat(descriptor, &status) < 0)
		return enrg_error_set(err, -errno, "can't look at what is there: %s", strerror(errno));
	scan.size = (uint64_t)status.st_size;
	if (scan.size > 0)
		rc = visit_schema(&scan, schema, &content, err);
	if (rc == 0 && scan.offset > 0)
		rc = visit_batches(&scan, &content, err);
	if (rc == 0 && content == ENRG_IPC_OURS && scan.has_last && scan.last.has_stamp) {
		rc = check_last_body(&scan, err);
		if (rc == -ENODATA) {
			scan.offset = scan.last_offset;
			rc = 0;
		}
	}
	free(scan.bytes);
	if (rc < 0)
		return rc;
	*ret_content = content;
	*ret_good_bytes = scan.offset;
	return 0;
}
