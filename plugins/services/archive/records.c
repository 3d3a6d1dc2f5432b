/* records.c: see the header. In the process of DAQJobArchive, on its main thread. */
#include "records.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "names.h"

#define LINE_BYTES_MAX 16384u
#define CHECK_BYTES    8u /* of the digest of a line, in front of it */
#define COMPACT_FROM   1000u
#define FILE_BYTES_MAX (1ull << 32)
#define NAME_BYTES_MAX 4096u

struct records {
	char *path;
	int descriptor;
	uint64_t bytes, lines;
	struct record *items; /* by name */
	size_t count, capacity;
};

/* --- the list ---------------------------------------------------------------------------------------------------- */

static size_t place_of(const struct records *records, const char *name, bool *ret_is_there)
{
	return names_find(records->items, records->count, sizeof(*records->items), name, ret_is_there);
}

static int keep(struct records *records, const struct record *record)
{
	struct record copy = *record;
	bool is_there;
	size_t place = place_of(records, record->name, &is_there);

	if (!is_there && records->count == records->capacity) {
		size_t capacity = records->capacity ? 2 * records->capacity : 256;
		struct record *grown = realloc(records->items, capacity * sizeof(*grown));
		if (!grown)
			return -ENOMEM;
		records->items = grown;
		records->capacity = capacity;
	}
	copy.name = strdup(record->name);
	copy.archived = strdup(record->archived);
	if (!copy.name || !copy.archived) {
		free(copy.name);
		free(copy.archived);
		return -ENOMEM;
	}
	struct record *at = &records->items[place];
	if (is_there) {
		free(at->name);
		free(at->archived);
	} else {
		memmove(at + 1, at, (records->count - place) * sizeof(*at));
		records->count++;
	}
	*at = copy;
	return 0;
}

const struct record *records_find(const struct records *records, const char *name)
{
	bool is_there;
	size_t place = place_of(records, name, &is_there);

	return is_there ? &records->items[place] : NULL;
}

/* --- lines ------------------------------------------------------------------------------------------------------- */

/* Names may hold anything but NUL: what would end a field is percent-encoded. */
static size_t put_name(char *to, const char *name)
{
	size_t count = 0;

	for (; *name; name++) {
		unsigned char byte = (unsigned char)*name;
		if (byte <= ' ' || byte == '%' || byte == 127)
			count += (size_t)sprintf(to + count, "%%%02x", byte);
		else
			to[count++] = *name;
	}
	to[count] = '\0';
	return count;
}

static void take_name(char *name)
{
	char *to = name;

	for (const char *from = name; *from; from++) {
		unsigned byte;
		if (*from == '%' && sscanf(from + 1, "%2x", &byte) == 1) {
			*to++ = (char)byte;
			from += 2;
		} else {
			*to++ = *from;
		}
	}
	*to = '\0';
}

/* With its newline; its bytes, or 0: a name is too long. */
static size_t format_line(const struct record *record, char ret_line[LINE_BYTES_MAX])
{
	char body[LINE_BYTES_MAX - 64], digest[DIGEST_TEXT_BYTES];
	size_t count;

	if (strlen(record->name) > NAME_BYTES_MAX / 2 || strlen(record->archived) > NAME_BYTES_MAX / 2)
		return 0;
	count = (size_t)sprintf(body, "%s %" PRIu64 " %" PRId64 " %s %" PRIu64 " ",
		record->is_removed ? "removed" : "copied", record->bytes, record->changed_ns, record->digest,
		record->proved_ns);
	count += put_name(body + count, record->name);
	body[count++] = ' ';
	count += put_name(body + count, record->archived);
	if (digest_of(body, count, digest) < 0)
		return 0;
	return (size_t)sprintf(ret_line, "%.*s %s\n", (int)CHECK_BYTES, digest, body);
}

/* A line without its newline, which it changes. */
static bool parse_line(char *line, struct record *ret_record)
{
	static char name[LINE_BYTES_MAX], archived[LINE_BYTES_MAX];
	char digest[DIGEST_TEXT_BYTES], kind[8];
	size_t length = strlen(line);
	int end = 0;

	*ret_record = (struct record){0};
	if (length <= CHECK_BYTES + 1 || length >= LINE_BYTES_MAX || line[CHECK_BYTES] != ' ' ||
		digest_of(line + CHECK_BYTES + 1, length - CHECK_BYTES - 1, digest) < 0 ||
		strncmp(digest, line, CHECK_BYTES) != 0)
		return false;
	if (sscanf(line + CHECK_BYTES + 1, "%7s %" SCNu64 " %" SCNd64 " %64s %" SCNu64 " %16383s %16383s%n", kind,
		    &ret_record->bytes, &ret_record->changed_ns, ret_record->digest, &ret_record->proved_ns, name,
		    archived, &end) != 7)
		return false;
	ret_record->is_removed = strcmp(kind, "removed") == 0;
	take_name(name);
	take_name(archived);
	ret_record->name = name;
	ret_record->archived = archived;
	return strlen(ret_record->digest) == DIGEST_TEXT_BYTES - 1;
}

/* --- the file ---------------------------------------------------------------------------------------------------- */

static int fail(const struct records *records, const char *what, struct enrg_error *err)
{
	int code = errno;

	return enrg_error_set(err, -code, "state_file: can't %s %s: %s", what, records->path, strerror(code));
}

/* Takes all whole lines; cuts off what follows the last one. */
static int read_lines(struct records *records, uint64_t *ret_dropped, struct enrg_error *err)
{
	int copy = fcntl(records->descriptor, F_DUPFD_CLOEXEC, 0), rc = 0;
	FILE *file = copy < 0 ? NULL : fdopen(copy, "r");
	struct record record;
	size_t capacity = 0;
	char *line = NULL;

	if (!file)
		return fail(records, "read", err);
	for (ssize_t count; rc == 0 && (count = getline(&line, &capacity, file)) > 0;) {
		bool is_whole = line[count - 1] == '\n';
		if (is_whole)
			line[count - 1] = '\0';
		if (is_whole)
			records->bytes += (uint64_t)count;
		if (is_whole && strlen(line) == (size_t)count - 1 && parse_line(line, &record)) {
			rc = keep(records, &record);
			records->lines++;
		} else {
			*ret_dropped += 1;
		}
	}
	free(line);
	fclose(file);
	if (rc < 0)
		return enrg_error_set(err, rc, "out of memory");
	/* what is appended begins a line of its own */
	return ftruncate(records->descriptor, (off_t)records->bytes) < 0 ? fail(records, "cut", err) : 0;
}

static int write_whole(int descriptor, const char *bytes, size_t count, uint64_t at)
{
	while (count > 0) {
		ssize_t done = pwrite(descriptor, bytes, count, (off_t)at);
		if (done < 0 && errno == EINTR)
			continue;
		if (done <= 0)
			return -1;
		bytes += done;
		at += (uint64_t)done;
		count -= (size_t)done;
	}
	return 0;
}

/* The name of the file is on the disk, too. */
static int sync_folder(const char *path)
{
	const char *slash = strrchr(path, '/');
	char *folder = slash ? strndup(path, slash > path ? (size_t)(slash - path) : 1) : strdup(".");
	int descriptor = folder ? open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1, rc;

	free(folder);
	if (descriptor < 0)
		return -1;
	rc = fsync(descriptor);
	close(descriptor);
	return rc;
}

/* A line for each record that is known, in a new file that takes the place of this one. */
static int compact(struct records *records, struct enrg_error *err)
{
	char line[LINE_BYTES_MAX], path[4200];
	uint64_t bytes = 0;
	int rc = 0;

	if (records->lines < COMPACT_FROM || records->lines < 2 * (uint64_t)records->count)
		return 0;
	snprintf(path, sizeof(path), "%s.new", records->path);
	int descriptor = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (descriptor < 0)
		return fail(records, "write beside", err);
	for (size_t i = 0; rc == 0 && i < records->count; i++) {
		size_t count = format_line(&records->items[i], line);
		rc = write_whole(descriptor, line, count, bytes);
		bytes += count;
	}
	if (rc < 0 || flock(descriptor, LOCK_EX | LOCK_NB) < 0 || fsync(descriptor) < 0 ||
		rename(path, records->path) < 0) {
		rc = fail(records, "write beside", err);
		close(descriptor);
		unlink(path);
		return rc;
	}
	close(records->descriptor);
	records->descriptor = descriptor;
	records->bytes = bytes;
	records->lines = records->count;
	return sync_folder(records->path) < 0 ? fail(records, "sync the folder of", err) : 0;
}

int records_open(const char *path, struct records **ret_records, uint64_t *ret_dropped, struct enrg_error *err)
{
	struct records *records = calloc(1, sizeof(*records));
	struct stat status;
	int rc = 0;

	*ret_dropped = 0;
	if (!records || !(records->path = strdup(path))) {
		free(records);
		return enrg_error_set(err, -ENOMEM, "out of memory");
	}
	records->descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (records->descriptor < 0)
		rc = fail(records, "open", err);
	if (rc == 0 && flock(records->descriptor, LOCK_EX | LOCK_NB) < 0)
		rc = errno == EWOULDBLOCK ? enrg_error_set(err, -EBUSY,
						    "state_file: another process has %s: two archive jobs need a "
						    "`state_file` each",
						    path)
					  : fail(records, "lock", err);
	if (rc == 0 && fstat(records->descriptor, &status) == 0 && (uint64_t)status.st_size > FILE_BYTES_MAX)
		rc = enrg_error_set(err, -EFBIG, "state_file: %s is no file of archive records", path);
	if (rc == 0)
		rc = read_lines(records, ret_dropped, err);
	if (rc == 0)
		rc = compact(records, err);
	if (rc == 0 && (fsync(records->descriptor) < 0 || sync_folder(path) < 0))
		rc = fail(records, "sync", err);
	if (rc < 0)
		records_close(records);
	else
		*ret_records = records;
	return rc;
}

int records_put(struct records *records, const struct record *record, struct enrg_error *err)
{
	char line[LINE_BYTES_MAX];
	size_t count = format_line(record, line);

	if (!count)
		return enrg_error_set(err, -ENAMETOOLONG, "the name is too long for the records: %s", record->name);
	if (write_whole(records->descriptor, line, count, records->bytes) < 0 || fdatasync(records->descriptor) < 0) {
		int rc = fail(records, "write", err);
		(void)!ftruncate(records->descriptor, (off_t)records->bytes);
		return rc;
	}
	records->bytes += count;
	records->lines++;
	return keep(records, record) < 0 ? enrg_error_set(err, -ENOMEM, "out of memory") : 0;
}

void records_close(struct records *records)
{
	if (!records)
		return;
	for (size_t i = 0; i < records->count; i++) {
		free(records->items[i].name);
		free(records->items[i].archived);
	}
	free(records->items);
	if (records->descriptor >= 0)
		close(records->descriptor);
	free(records->path);
	free(records);
}
