/* logs.c: follows the log file of a running system over rotations and instances. Process: whoever looks from outside.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "client/client.h"
#include "client/log_line.h"
#include "client/log_place.h"
#include "handover/presence.h"

#define LOOK_NS        200000000u  /* is it still that file and that supervisor? */
#define LAST_BYTES_MAX (16u << 20) /* so far back lines are looked for at the start */
#define BUFFER_BYTES   (2u * LOG_LINE_BYTES_MAX)

struct enrg_logs {
	char folder[FIND_PATH_BYTES];
	struct log_place place;
	int descriptor; /* -1 = none is open */
	struct stat file;
	uint64_t offset; /* of what is read next into the buffer */
	uint64_t looked_ns, lost_files;
	size_t from, end; /* in the buffer: what is not handed out yet */
	bool is_replaced; /* another file has its name */
	bool is_skipping; /* the rest of a line that was too long */
	struct enrg_log_line shown;
	struct log_line_room room;
	char buffer[BUFFER_BYTES + 1];
};

/* --- which file --------------------------------------------------------------------------------------------------- */

static void close_file(struct enrg_logs *logs)
{
	if (logs->descriptor >= 0)
		close(logs->descriptor);
	logs->descriptor = -1;
	logs->from = logs->end = 0;
	logs->offset = 0;
	logs->is_skipping = logs->is_replaced = false;
}

/* -ENOENT: nothing was written yet. */
static int open_file(struct enrg_logs *logs, struct enrg_error *err)
{
	int descriptor = open(logs->place.path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

	if (descriptor < 0)
		return enrg_error_set(err, -errno, "%s: %s", logs->place.path, strerror(errno));
	if (fstat(descriptor, &logs->file) < 0 || !S_ISREG(logs->file.st_mode)) {
		close(descriptor);
		return enrg_error_set(err, -ENOTSUP, "%s is not a file", logs->place.path);
	}
	close_file(logs);
	logs->descriptor = descriptor;
	return 0;
}

static bool is_same(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}

/* The end of what is there is reached: is it still that file? Cut (its bytes are gone), or another one by now. */
static void look_at_file(struct enrg_logs *logs)
{
	struct stat now;

	if (fstat(logs->descriptor, &now) == 0 && (uint64_t)now.st_size < logs->offset) {
		logs->offset = 0;
		logs->from = logs->end = 0;
		logs->is_skipping = false;
		logs->lost_files++;
	}
	if (stat(logs->place.path, &now) < 0 || is_same(&now, &logs->file))
		return;
	/* Who had it open may have written there for the last time since: it is read once more before. */
	if (logs->is_replaced)
		(void)open_file(logs, NULL);
	else
		logs->is_replaced = true;
}

/* Follows the supervisor to its new instance. 0; -EAGAIN, -ENOTSUP. */
static int look(struct enrg_logs *logs, struct enrg_error *err)
{
	struct log_place place;
	struct stat now;
	int rc;

	logs->looked_ns = clock_mono_ns();
	if (presence_owner(logs->folder) == logs->place.pid && logs->place.pid) {
		if (logs->descriptor >= 0)
			look_at_file(logs);
		return 0;
	}
	rc = log_place_find(logs->folder, &place, err);
	if (rc < 0) {
		logs->place.pid = 0;
		return rc;
	}
	if (logs->descriptor >= 0 && !(stat(place.path, &now) == 0 && is_same(&now, &logs->file)))
		logs->is_replaced = true;
	logs->place = place;
	return 0;
}

/* --- lines -------------------------------------------------------------------------------------------------------- */

/* Where the last `lines` lines begin; the start of what is looked at where there are fewer. */
static uint64_t find_last(struct enrg_logs *logs, uint32_t lines)
{
	uint64_t size = (uint64_t)logs->file.st_size, at = size, found = 0;
	uint64_t least = size > LAST_BYTES_MAX ? size - LAST_BYTES_MAX : 0;

	while (at > least && lines) {
		size_t wanted = at - least < BUFFER_BYTES ? (size_t)(at - least) : BUFFER_BYTES;

		at -= wanted;
		if (pread(logs->descriptor, logs->buffer, wanted, (off_t)at) != (ssize_t)wanted)
			return size;
		for (size_t i = wanted; i > 0; i--) {
			if (logs->buffer[i - 1] != '\n' || at + i == size)
				continue; /* the end of the last line begins none */
			if (++found == lines)
				return at + i;
		}
	}
	return lines ? least : size;
}

/* More bytes behind those that wait. 0: none now. */
static size_t fill(struct enrg_logs *logs)
{
	memmove(logs->buffer, logs->buffer + logs->from, logs->end - logs->from);
	logs->end -= logs->from;
	logs->from = 0;
	ssize_t got = pread(logs->descriptor, logs->buffer + logs->end, BUFFER_BYTES - logs->end, (off_t)logs->offset);
	if (got <= 0)
		return 0;
	logs->offset += (uint64_t)got;
	logs->end += (size_t)got;
	return (size_t)got;
}

/* 1: a line of the buffer; 0: none that is whole. */
static int take_line(struct enrg_logs *logs)
{
	char *from = logs->buffer + logs->from, *end = memchr(from, '\n', logs->end - logs->from);
	size_t bytes = end ? (size_t)(end - from) : logs->end - logs->from;
	bool is_cut = bytes >= LOG_LINE_BYTES_MAX;

	if (!end && !is_cut)
		return 0;
	if (logs->is_skipping) {
		logs->is_skipping = !end;
		logs->from += bytes + (end ? 1 : 0);
		return end ? take_line(logs) : 0;
	}
	logs->is_skipping = !end;
	logs->from += bytes + (end ? 1 : 0);
	bytes = is_cut ? LOG_LINE_BYTES_MAX - 1 : bytes;
	from[bytes] = '\0';
	log_line_parse(from, bytes, &logs->room, &logs->shown);
	logs->shown.is_cut = is_cut;
	logs->shown.lost_files = logs->lost_files;
	return 1;
}

static int read_line(struct enrg_logs *logs)
{
	int rc = take_line(logs);

	while (rc == 0 && fill(logs) > 0)
		rc = take_line(logs);
	return rc;
}

/* --- calls -------------------------------------------------------------------------------------------------------- */

int enrg_logs_open(struct enrg_client *client, uint32_t lines, struct enrg_logs **ret_logs, struct enrg_error *err)
{
	struct enrg_logs *logs = calloc(1, sizeof(*logs));

	if (!logs)
		return enrg_error_set(err, -ENOMEM, "out of memory");
	memcpy(logs->folder, client->folder, sizeof(logs->folder));
	logs->descriptor = -1;
	int rc = look(logs, err);
	if (rc == 0)
		rc = open_file(logs, err);
	if (rc == 0)
		logs->offset = find_last(logs, lines);
	if (rc < 0 && rc != -ENOENT) {
		enrg_logs_close(logs);
		return rc;
	}
	*ret_logs = logs;
	return 0;
}

void enrg_logs_close(struct enrg_logs *logs)
{
	if (!logs)
		return;
	close_file(logs);
	free(logs);
}

int enrg_logs_next(struct enrg_logs *logs, const struct enrg_log_line **ret_line, struct enrg_error *err)
{
	int rc = logs->descriptor >= 0 ? read_line(logs) : 0;
	bool is_due = clock_mono_ns() - logs->looked_ns >= LOOK_NS;

	if (rc == 0 && !logs->place.pid && !is_due)
		return enrg_error_set(err, -EAGAIN, "that system does not run now");
	if (rc == 0 && is_due) {
		rc = look(logs, err);
		if (rc == 0 && logs->descriptor < 0)
			(void)open_file(logs, NULL); /* what stands there is all new */
		if (rc == 0 && logs->descriptor >= 0)
			rc = read_line(logs);
	}
	if (rc == 1)
		*ret_line = &logs->shown;
	return rc;
}
