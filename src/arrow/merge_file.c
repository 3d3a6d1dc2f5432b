/* merge_file.c: a closed .arrows file rewritten with its small batches merged (merge.h). In the arrow store's process.
 * Nothing of the file is believed: what is not whole stays as it is. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "arrow/file_window.h"
#include "arrow/file_writer.h"
#include "arrow/merge.h"
#include "arrow/merge_proof.h"
#include "base/crc32c.h"
#include "enrgdaq/store.h"

struct reader {
	struct file_window window;
	uint64_t offset; /* behind the message at hand */
	struct enrg_schema *schema;
	struct enrg_column_view *views;
	void *schema_ipc;
	uint32_t schema_bytes;
	struct ipc_message message;
	struct enrg_batch batch;
};

/* --- reading ------------------------------------------------------------------------------------------------------ */

static int read_message(struct reader *reader, const uint8_t **ret_bytes, struct enrg_error *err)
{
	uint64_t left = reader->window.file_bytes - reader->offset;
	size_t wanted = 8, count;

	if (left == 0)
		return 0;
	for (;;) {
		int rc = file_window_get(&reader->window, reader->offset, wanted, ret_bytes, &count, err);
		if (rc == 0)
			rc = ipc_read_message(*ret_bytes, count, &reader->message, &wanted, err);
		if (rc < 0 && rc != -EAGAIN)
			return rc;
		if (rc == 0)
			break;
		if (wanted > left)
			return enrg_error_set(err, ENRG_E_CORRUPT, "the file ends inside a message");
	}
	const struct ipc_message *message = &reader->message;
	if (message->is_end || !message->meta_crc_ok || message->body_bytes > left - message->meta_bytes)
		return enrg_error_set(err, ENRG_E_CORRUPT,
			"a message without a right check sum, or one that is not whole, at byte %llu",
			(unsigned long long)reader->offset);
	int rc = file_window_get(&reader->window, reader->offset, (size_t)(message->meta_bytes + message->body_bytes),
		ret_bytes, &count, err);
	return rc < 0 ? rc : 1;
}

static int open_reader(struct reader *reader, const char *path, struct enrg_error *err)
{
	const uint8_t *bytes;

	*reader = (struct reader){.window = {.descriptor = -1}};
	int rc = file_window_open(&reader->window, path, err);
	if (rc == 0)
		rc = read_message(reader, &bytes, err);
	if (rc == 0 || (rc > 0 && reader->message.type != IPC_SCHEMA))
		return enrg_error_set(err, ENRG_E_CORRUPT, "no schema stands at the start of the file");
	if (rc > 0)
		rc = ipc_decode_schema(bytes, reader->message.meta_bytes, &reader->schema, err);
	if (rc < 0)
		return rc;
	reader->schema_bytes = reader->message.meta_bytes;
	reader->views = calloc(reader->schema->column_count, sizeof(*reader->views));
	reader->schema_ipc = malloc(reader->schema_bytes);
	if (!reader->views || !reader->schema_ipc)
		return enrg_error_set(err, -ENOMEM, "out of memory");
	memcpy(reader->schema_ipc, bytes, reader->schema_bytes);
	reader->offset = reader->schema_bytes;
	return 0;
}

static void close_reader(struct reader *reader)
{
	file_window_close(&reader->window);
	free(reader->schema);
	free(reader->views);
	free(reader->schema_ipc);
}

/* The next batch, proved and decoded: 1; 0: the end. */
static int next_batch(struct reader *reader, struct enrg_error *err)
{
	const struct ipc_message *message = &reader->message;
	const uint8_t *bytes;
	int rc = read_message(reader, &bytes, err);

	if (rc <= 0)
		return rc;
	uint64_t total = message->meta_bytes + message->body_bytes;
	if (message->type != IPC_RECORD_BATCH || !message->has_stamp ||
		crc32c(0, bytes + message->meta_bytes, message->body_bytes) != message->stamp.body_crc)
		return enrg_error_set(err, ENRG_E_CORRUPT, "a batch with a wrong check sum, or none, at byte %llu",
			(unsigned long long)reader->offset);
	if (message->is_compressed) {
		reader->batch = (struct enrg_batch){
			.rows = message->rows, .ipc = bytes, .ipc_bytes = total, .body_bytes = message->body_bytes};
	} else {
		rc = ipc_decode_batch(reader->schema, bytes, total, reader->views, &reader->batch, err);
		if (rc < 0)
			return rc;
		reader->batch.columns = reader->views;
	}
	reader->offset += total;
	return 1;
}

static int prove(const char *path, struct merge_proof *ret_proof, struct reader *reader, struct enrg_error *err)
{
	int rc = open_reader(reader, path, err);

	if (rc < 0)
		return rc;
	ret_proof->schema = reader->schema;
	while ((rc = next_batch(reader, err)) > 0)
		if ((rc = merge_proof_add(ret_proof, &reader->message, &reader->batch, err)) < 0)
			break;
	return rc;
}

/* --- is it worth it? ---------------------------------------------------------------------------------------------- */

/* Heads of small batches, of which all but a few go. 1: yes. */
static int judge(const char *path, struct enrg_error *err)
{
	struct reader reader;
	const uint8_t *bytes;
	uint64_t heads = 0;
	int rc = open_reader(&reader, path, err);

	while (rc >= 0 && (rc = read_message(&reader, &bytes, err)) > 0) {
		heads += merge_is_small(&reader.message) ? reader.message.meta_bytes : 0;
		reader.offset += reader.message.meta_bytes + reader.message.body_bytes;
	}
	if (rc == 0)
		rc = heads >= reader.window.file_bytes / 4 && heads > 4096;
	close_reader(&reader);
	return rc;
}

/* --- the file beside it ------------------------------------------------------------------------------------------- */

static int emit(void *context, const void *meta, uint32_t meta_bytes, const void *body, uint64_t body_bytes,
	struct enrg_error *err)
{
	return file_writer_add(context, meta, meta_bytes, body, body_bytes, err);
}

static int copy_merged(struct reader *reader, struct file_writer *writer, struct enrg_error *err)
{
	struct merger *merger;
	int rc = merger_create(reader->schema, emit, writer, &merger, err);

	if (rc < 0)
		return rc;
	while ((rc = next_batch(reader, err)) > 0)
		if ((rc = merger_add(merger, &reader->message, &reader->batch, err)) < 0)
			break;
	if (rc == 0)
		rc = merger_finish(merger, err);
	merger_destroy(merger);
	return rc;
}

/* Like the file itself in rights and owner, and on the disk. */
static int write_beside(const char *path, const char *beside, const struct stat *status, struct enrg_error *err)
{
	struct file_writer writer = {0};
	struct reader reader;
	int rc = open_reader(&reader, path, err);

	if (rc == 0)
		rc = file_writer_open(&writer, beside, true, reader.schema_ipc, reader.schema_bytes, err);
	if (rc == 0)
		rc = copy_merged(&reader, &writer, err);
	if (rc == 0)
		rc = file_writer_finish(&writer, err);
	if (rc == 0) {
		const struct timespec times[2] = {status->st_atim, status->st_mtim};
		int descriptor = fileno(writer.stream);
		struct stat made;
		if (fstat(descriptor, &made) < 0)
			rc = -errno;
		else if ((made.st_uid != status->st_uid || made.st_gid != status->st_gid) &&
			 fchown(descriptor, status->st_uid, status->st_gid) < 0)
			rc = -errno; /* its owner would lose it */
		else if (fchmod(descriptor, status->st_mode & 07777) < 0 || futimens(descriptor, times) < 0 ||
			 fsync(descriptor) < 0)
			rc = -errno;
		if (rc < 0)
			enrg_error_set(err, rc, "%s: %s", beside, strerror(-rc));
	}
	file_writer_close(&writer);
	close_reader(&reader);
	return rc;
}

static int compare(const char *path, const char *beside, struct enrg_error *err)
{
	struct merge_proof one = {0}, other = {0};
	struct reader readers[2] = {{.window = {.descriptor = -1}}, {.window = {.descriptor = -1}}};
	int rc = prove(path, &one, &readers[0], err);

	if (rc == 0)
		rc = prove(beside, &other, &readers[1], err);
	if (rc == 0 && !merge_proof_equal(&one, &other))
		rc = enrg_error_set(err, ENRG_E_CORRUPT, "the merged file does not hold the same");
	merge_proof_fini(&one);
	merge_proof_fini(&other);
	close_reader(&readers[0]);
	close_reader(&readers[1]);
	return rc;
}

static int sync_folder(const char *path)
{
	const char *slash = strrchr(path, '/');
	char *folder = slash ? strndup(path, (size_t)(slash - path + 1)) : strdup(".");
	int descriptor = folder ? open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
	int rc = descriptor < 0 || fsync(descriptor) < 0 ? -errno : 0;

	if (descriptor >= 0)
		close(descriptor);
	free(folder);
	return rc;
}

/* --- the whole ---------------------------------------------------------------------------------------------------- */

/* The reason to leave it alone; NULL: none. */
static const char *find_reason(int descriptor, const struct stat *status, uint64_t bytes_max)
{
	struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
	struct statvfs disk;

	if (!S_ISREG(status->st_mode) || status->st_nlink != 1)
		return "it is no regular file, or has more than one name";
	if (status->st_size == 0 || (uint64_t)status->st_size > bytes_max)
		return "it is empty or too large";
	if (fcntl(descriptor, F_OFD_SETLK, &lock) < 0 && (errno == EAGAIN || errno == EACCES))
		return "somebody else is writing to it";
	if (fstatvfs(descriptor, &disk) < 0 || (uint64_t)disk.f_bavail * disk.f_frsize < 2 * (uint64_t)status->st_size)
		return "its disk has too little room";
	return NULL;
}

static int replace(const char *path, const char *beside, const char *held, const struct stat *before,
	struct merge_report *report, struct enrg_error *err)
{
	struct stat after, now, named;
	int rc = write_beside(held, beside, before, err);

	if (rc == 0)
		rc = compare(held, beside, err);
	if (rc < 0)
		return rc;
	if (stat(beside, &after) < 0 || stat(held, &now) < 0 || lstat(path, &named) < 0)
		return enrg_error_set(err, -errno, "%s: %s", path, strerror(errno));
	if (now.st_size != before->st_size || named.st_dev != before->st_dev || named.st_ino != before->st_ino)
		return snprintf(report->reason, sizeof(report->reason), "somebody else changed or replaced it"), 0;
	if (after.st_size > before->st_size / 4 * 3)
		return snprintf(report->reason, sizeof(report->reason), "it would not become much smaller"), 0;
	if (rename(beside, path) < 0)
		return enrg_error_set(err, -errno, "%s: %s", path, strerror(errno));
	report->is_merged = true;
	report->after_bytes = (uint64_t)after.st_size;
	rc = sync_folder(path);
	return rc < 0 ? enrg_error_set(err, rc, "%s: can't sync its folder: %s", path, strerror(-rc)) : 0;
}

static int merge_open(const char *path, const char *beside, int descriptor, uint64_t bytes_max,
	struct merge_report *report, struct enrg_error *err)
{
	struct stat status;
	char held[64];

	if (fstat(descriptor, &status) < 0)
		return enrg_error_set(err, -errno, "%s: %s", path, strerror(errno));
	report->before_bytes = report->after_bytes = (uint64_t)status.st_size;
	const char *reason = find_reason(descriptor, &status, bytes_max);
	snprintf(report->reason, sizeof(report->reason), "%s", reason ? reason : "");
	if (reason)
		return 0;
	/* The file that is locked, whatever the path may name meanwhile. */
	snprintf(held, sizeof(held), "/proc/self/fd/%d", descriptor);
	int rc = judge(held, err);
	if (rc == 0)
		snprintf(report->reason, sizeof(report->reason), "its batches are large, or few");
	return rc <= 0 ? rc : replace(path, beside, held, &status, report, err);
}

int merge_file(const char *path, uint64_t bytes_max, struct merge_report *ret_report, struct enrg_error *err)
{
	const char *slash = strrchr(path, '/');
	int folder = slash ? (int)(slash + 1 - path) : 0;
	struct enrg_error reason = {0};
	char *beside;

	*ret_report = (struct merge_report){0};
	if (asprintf(&beside, "%.*s.%s.merging", folder, path, path + folder) < 0)
		return enrg_error_set(err, -ENOMEM, "out of memory");
	unlink(beside); /* of one that was killed */
	int descriptor = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	int rc = descriptor < 0 ? enrg_error_set(&reason, -errno, "%s: %s", path, strerror(errno))
				: merge_open(path, beside, descriptor, bytes_max, ret_report, &reason);
	if (!ret_report->is_merged)
		unlink(beside);
	if (descriptor >= 0)
		close(descriptor);
	free(beside);
	if (rc == ENRG_E_CORRUPT) {
		snprintf(ret_report->reason, sizeof(ret_report->reason), "%.190s", reason.text);
		return 0;
	}
	return rc < 0 ? enrg_error_set(err, rc, "%s", reason.text) : 0;
}

int enrg_ipc_compact(const char *path, uint64_t bytes_max, uint64_t *ret_saved_bytes, struct enrg_error *err)
{
	struct merge_report report;
	int rc = merge_file(path, bytes_max, &report, err);

	*ret_saved_bytes = report.before_bytes - report.after_bytes;
	return rc;
}
