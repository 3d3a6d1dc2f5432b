/* runtime.c: folder, lock and run file of a supervisor. Process: supervisor. */
#include "supervisor/runtime.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/crc32c.h"
#include "base/path.h"
#include "base/version.h"
#include "handover/presence.h"
#include "supervisor/claim.h"

#define SOCKET_FOLDER_BYTES_MAX 84 /* sun_path holds 108 with the name of the socket */

static struct flock whole_file(void)
{
	return (struct flock){.l_type = F_WRLCK, .l_whence = SEEK_SET};
}

static int take_lock(struct runtime *runtime, const char *supervisor, struct enrg_error *err)
{
	char path[RUNTIME_PATH_BYTES + 8], text[32];
	struct flock lock = whole_file();
	int length, rc;

	snprintf(path, sizeof(path), "%s/lock", runtime->folder);
	runtime->lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (runtime->lock < 0)
		return enrg_error_set(err, -errno, "%s: %s", path, strerror(errno));
	if (fcntl(runtime->lock, F_OFD_SETLK, &lock)) {
		rc = errno == EAGAIN || errno == EACCES ? -EBUSY : -errno;
		close(runtime->lock);
		runtime->lock = -1;
		if (rc != -EBUSY)
			return enrg_error_set(err, rc, "%s: can't be locked: %s", path, strerror(-rc));
		return enrg_error_set(err, -EBUSY,
			"supervisor \"%s\" runs already as process %d; end it with `enrgdaq stop %s`, or give this one "
			"another info.supervisor_id",
			supervisor, (int)presence_owner(runtime->folder), supervisor);
	}
	length = snprintf(text, sizeof(text), "%d\n", (int)getpid());
	errno = ENOSPC; /* of a short write */
	if (ftruncate(runtime->lock, 0) == 0 && pwrite(runtime->lock, text, (size_t)length, 0) == length)
		return 0;
	rc = -errno;
	close(runtime->lock);
	runtime->lock = -1;
	return enrg_error_set(err, rc, "%s: can't be written: %s", path, strerror(-rc));
}

static int make_socket_folder(struct runtime *runtime, struct enrg_error *err)
{
	if (strlen(runtime->folder) <= SOCKET_FOLDER_BYTES_MAX) {
		snprintf(runtime->sockets, sizeof(runtime->sockets), "%s", runtime->folder);
		return 0;
	}
	snprintf(runtime->sockets, sizeof(runtime->sockets), "/tmp/enrgdaq-%u-%08x", (unsigned)geteuid(),
		crc32c(0, runtime->folder, strlen(runtime->folder)));
	return path_make_private_folder(runtime->sockets, err);
}

static void read_last_run(struct runtime *runtime)
{
	char path[RUNTIME_PATH_BYTES + 16], *text;
	json_t *json;
	const char *id, *state, *version;
	size_t count;

	snprintf(path, sizeof(path), "%s/run.json", runtime->folder);
	/* not json_load_file: it would wait for ever at a FIFO in the place of the file */
	if (path_read_file(path, 1 << 20, &text, &count, NULL))
		return;
	json = json_loadb(text, count, 0, NULL);
	free(text);
	id = json_string_value(json_object_get(json, "run"));
	state = json_string_value(json_object_get(json, "state"));
	version = json_string_value(json_object_get(json, "version"));
	snprintf(runtime->last_version, sizeof(runtime->last_version), "%s", version ? version : "");
	if (id && state) {
		snprintf(runtime->last_run, sizeof(runtime->last_run), "%s", id);
		runtime->last_was_killed = !strcmp(state, "running");
		runtime->earlier = json_incref(json_object_get(json, "earlier"));
		runtime->last_started_wall_ns = (uint64_t)json_integer_value(json_object_get(json, "started_wall_ns"));
	}
	json_decref(json);
}

int runtime_open(const char *supervisor, const char *config_path, struct runtime *ret_runtime, struct enrg_error *err)
{
	char base[RUNTIME_PATH_BYTES - 160], safe[128];
	int rc = path_runtime_folder(base, sizeof(base), err);

	if (rc)
		return rc;
	memset(ret_runtime, 0, sizeof(*ret_runtime));
	ret_runtime->lock = ret_runtime->claim = -1;
	path_safe_name(supervisor, safe, sizeof(safe));
	snprintf(ret_runtime->folder, sizeof(ret_runtime->folder), "%s/%s", base, safe);
	snprintf(ret_runtime->config_path, sizeof(ret_runtime->config_path), "%s", config_path ? config_path : "");
	rc = path_make_private_folder(ret_runtime->folder, err);
	if (!rc)
		rc = make_socket_folder(ret_runtime, err);
	if (!rc)
		rc = claim_take(ret_runtime->folder, supervisor, &ret_runtime->claim, err);
	if (!rc)
		rc = take_lock(ret_runtime, supervisor, err);
	if (!rc)
		read_last_run(ret_runtime);
	return rc;
}

void runtime_close(struct runtime *runtime)
{
	if (strcmp(runtime->sockets, runtime->folder) && runtime->sockets[0])
		rmdir(runtime->sockets);
	json_decref(runtime->earlier);
	runtime->earlier = NULL;
	if (runtime->lock > 0)
		close(runtime->lock);
	if (runtime->claim > 0)
		close(runtime->claim);
	runtime->lock = runtime->claim = -1;
}

void runtime_format_bus(
	const struct runtime *runtime, char ret_publish[RUNTIME_URL_BYTES], char ret_subscribe[RUNTIME_URL_BYTES])
{
	snprintf(ret_publish, RUNTIME_URL_BYTES, "ipc://%s/bus.pub", runtime->sockets);
	snprintf(ret_subscribe, RUNTIME_URL_BYTES, "ipc://%s/bus.sub", runtime->sockets);
}

void runtime_make_run_id(uint64_t wall_ns, char *ret_id, size_t id_bytes)
{
	time_t seconds = (time_t)(wall_ns / 1000000000u);
	uint16_t noise = 0;
	char day[32];
	struct tm tm;

	gmtime_r(&seconds, &tm);
	strftime(day, sizeof(day), "%Y%m%dT%H%M%SZ", &tm);
	if (getrandom(&noise, sizeof(noise), 0) != (ssize_t)sizeof(noise))
		noise = (uint16_t)wall_ns;
	snprintf(ret_id, id_bytes, "%s-%04x", day, noise);
}

static int write_run(const struct runtime *runtime, const char *state, int exit_code, struct enrg_error *err)
{
	char path[RUNTIME_PATH_BYTES + 16], *text;
	json_t *json = json_pack("{s:s, s:s, s:s, s:I, s:s, s:i, s:i}", "version", version_text(), "run", runtime->run,
		"state", state, "started_wall_ns", (json_int_t)runtime->started_wall_ns, "config", runtime->config_path,
		"pid", (int)getpid(), "exit_code", exit_code);
	int rc;

	if (json && runtime->log_path[0]) /* one that is no UTF-8 is left out */
		json_object_set_new(json, "log", json_string(runtime->log_path));
	if (json && json_object_size(runtime->earlier))
		json_object_set(json, "earlier", runtime->earlier);
	text = json ? json_dumps(json, JSON_INDENT(2)) : NULL;
	json_decref(json);
	if (!text)
		return enrg_error_set(err, -ENOMEM, "run.json: out of memory, or a path that is no UTF-8");
	snprintf(path, sizeof(path), "%s/run.json", runtime->folder);
	rc = path_write_private_file(path, text, strlen(text), err);
	free(text);
	return rc;
}

int runtime_begin_run(struct runtime *runtime, bool go_on, struct enrg_error *err)
{
	runtime->started_wall_ns = clock_wall_ns();
	runtime_make_run_id(runtime->started_wall_ns, runtime->run, sizeof(runtime->run));
	if (go_on && runtime->last_run[0]) {
		memcpy(runtime->run, runtime->last_run, sizeof(runtime->run));
		runtime->started_wall_ns = runtime->last_started_wall_ns;
	}
	return write_run(runtime, "running", 0, err);
}

int runtime_end_run(const struct runtime *runtime, bool is_finished, int exit_code, struct enrg_error *err)
{
	return write_run(runtime, is_finished ? "ended" : "unfinished", exit_code, err);
}

enum held_finding runtime_look(const struct runtime *runtime)
{
	char path[RUNTIME_PATH_BYTES + 16];
	enum held_finding finding;

	snprintf(path, sizeof(path), "%s/lock", runtime->folder);
	finding = held_look(runtime->lock, path, 0, NULL);
	snprintf(path, sizeof(path), "%s/run.json", runtime->folder);
	return finding == HELD_SAME && access(path, F_OK) && errno == ENOENT ? HELD_REMOVED : finding;
}

int runtime_restore(struct runtime *runtime)
{
	struct runtime again = *runtime;
	struct enrg_error err = {0};
	char path[RUNTIME_PATH_BYTES + 16];
	int rc = path_make_private_folder(runtime->folder, &err);

	snprintf(path, sizeof(path), "%s/lock", runtime->folder);
	if (!rc && held_look(runtime->lock, path, 0, NULL) != HELD_SAME) {
		/* Whatever stands there is not the lock of a supervisor: the claim is ours. */
		unlink(path);
		again.lock = -1;
		rc = take_lock(&again, "", &err);
		if (rc)
			return rc;
		close(runtime->lock);
		runtime->lock = again.lock;
	}
	return rc ? rc : write_run(runtime, "running", 0, &err);
}
