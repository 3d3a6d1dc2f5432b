/* recovery.c: from a stream to Arrow files. Process: supervisor, at start. */
#include "supervisor/earlier/recovery.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/path.h"
#include "plane/stream.h"

#define PATH_BYTES 512

struct saver {
	const struct recovery_params *params;
	struct recovery_result *result;
	struct consumer *consumer;
	struct enrg_error *err;
	int files[SEGMENT_ROUTES]; /* descriptor + 1; 0 = none */
	char stamp[32];
};

static int write_all(int descriptor, const void *bytes, size_t count)
{
	const char *place = bytes;

	while (count) {
		ssize_t done = write(descriptor, place, count);

		if (done < 0 && errno == EINTR)
			continue;
		if (done <= 0)
			return done < 0 ? -errno : -EIO;
		place += done;
		count -= (size_t)done;
	}
	return 0;
}

static void make_path(const struct saver *saver, uint16_t route, const char *suffix, char *ret_path, size_t path_bytes)
{
	char source[128], tag[128], part[160] = "";
	struct consumer_route info = {.tag = ""};

	path_safe_name(saver->params->source, source, sizeof(source));
	consumer_route(saver->consumer, route, &info);
	if (info.tag && info.tag[0]) {
		path_safe_name(info.tag, tag, sizeof(tag));
		snprintf(part, sizeof(part), "_%s", tag);
	}
	if (route)
		snprintf(part + strlen(part), sizeof(part) - strlen(part), "_%u", route);
	snprintf(ret_path, path_bytes, "%s/recovered_%s_%s%s.arrows%s", saver->params->out_folder, source, saver->stamp,
		part, suffix);
}

static int open_route(struct saver *saver, uint16_t route, struct enrg_error *err)
{
	struct consumer_route info;
	char path[PATH_BYTES];
	int descriptor, rc;

	if (route >= SEGMENT_ROUTES || consumer_route(saver->consumer, route, &info))
		return enrg_error_set(err, ENRG_E_CORRUPT, "route %u is damaged", route);
	if (saver->files[route])
		return 0;
	make_path(saver, route, ".part", path, sizeof(path));
	descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (descriptor < 0)
		return enrg_error_set(err, -errno, "%s: %s", path, strerror(errno));
	saver->files[route] = descriptor + 1;
	rc = write_all(descriptor, info.schema_ipc, info.schema_bytes);
	return rc ? enrg_error_set(err, rc, "%s: %s", path, strerror(-rc)) : 0;
}

static int save_record(struct saver *saver, const struct consumer_record *record, struct enrg_error *err)
{
	uint16_t route = record->header->route;
	size_t count = (size_t)record->header->meta_bytes + record->header->body_bytes;
	int rc;

	if (record->header->type == RECORD_RUN)
		return 0;
	if (consumer_check(saver->consumer, record, NULL)) {
		saver->result->corrupted++;
		return 0;
	}
	rc = open_route(saver, route, err);
	if (rc == ENRG_E_CORRUPT) {
		saver->result->corrupted++;
		return 0;
	}
	if (!rc)
		rc = write_all(saver->files[route] - 1, record->payload, count);
	if (rc)
		return enrg_error_set(
			err, rc, "%s: writing recovered batches: %s", saver->params->out_folder, strerror(-rc));
	saver->result->batches++;
	saver->result->rows += record->header->rows;
	return 0;
}

static int save_all(void *context)
{
	struct saver *saver = context;
	struct consumer_record record;

	for (;;) {
		int rc = consumer_acquire(saver->consumer, &record, NULL);

		if (!rc)
			return 0;
		if (rc == 1)
			rc = save_record(saver, &record, saver->err);
		else {
			saver->result->corrupted++;
			consumer_skip(saver->consumer);
			rc = 0;
		}
		if (rc)
			return rc;
	}
}

/* The name, or one beside it: a clock that was set back may come to a second in which a file was saved before. */
static int give_name(const char *part, const char *path, char *ret_name, size_t name_bytes)
{
	size_t stem = strlen(path) - strlen(".arrows");

	snprintf(ret_name, name_bytes, "%s", path);
	for (unsigned number = 2; access(ret_name, F_OK) == 0; number++)
		snprintf(ret_name, name_bytes, "%.*s_%u.arrows", (int)stem, path, number);
	return rename(part, ret_name) ? -errno : 0;
}

/* Only whole, synced files get their names. */
static int name_files(struct saver *saver, struct enrg_error *err)
{
	for (uint16_t route = 0; route < SEGMENT_ROUTES; route++) {
		char part[PATH_BYTES], path[PATH_BYTES], name[PATH_BYTES + 16];
		int rc;

		if (!saver->files[route])
			continue;
		make_path(saver, route, ".part", part, sizeof(part));
		make_path(saver, route, "", path, sizeof(path));
		rc = fsync(saver->files[route] - 1) ? -errno : give_name(part, path, name, sizeof(name));
		if (rc)
			return enrg_error_set(err, rc, "%s: %s", path, strerror(-rc));
		if (!saver->result->files++)
			snprintf(saver->result->first_file, sizeof(saver->result->first_file), "%s", name);
	}
	return 0;
}

int recovery_save(const struct recovery_params *params, struct recovery_result *ret_result, struct enrg_error *err)
{
	struct saver saver = {.params = params, .result = ret_result, .err = err};
	time_t seconds = (time_t)(params->now_wall_ns / 1000000000u);
	struct tm tm;
	int rc;

	memset(ret_result, 0, sizeof(*ret_result));
	gmtime_r(&seconds, &tm);
	strftime(saver.stamp, sizeof(saver.stamp), "%Y%m%dT%H%M%SZ", &tm);
	rc = path_make_folders(params->out_folder, 0755, err);
	if (!rc)
		rc = consumer_open(params->stream_path, params->consumer, params->position, &saver.consumer, err);
	if (rc)
		return rc;
	rc = fault_guard(save_all, &saver);
	if (rc == -EFAULT) { /* the file was cut short meanwhile: what came before is saved */
		ret_result->corrupted++;
		rc = 0;
	}
	if (!rc)
		rc = name_files(&saver, err);
	for (size_t i = 0; i < SEGMENT_ROUTES; i++)
		if (saver.files[i])
			close(saver.files[i] - 1);
	consumer_close(saver.consumer);
	return rc;
}
