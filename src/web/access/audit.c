/* audit.c: see the header. */
#include "web/access/audit.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "base/text.h"

struct audit {
	char folder[4096], path[4200], run[64];
	pthread_t thread;
	pthread_mutex_t mutex; /* of all that follows */
	pthread_cond_t woken, written;
	char *waiting;         /* lines that are not written yet */
	size_t bytes, writing; /* of these; of those that the thread writes, which come back where it can't */
	uint64_t lost;         /* lines that found no room */
	int64_t second;        /* of the monotonic clock, that the next two count in */
	unsigned refused;      /* lines */
	uint64_t beyond;       /* refused attempts without a line */
	bool is_failing, is_busy, is_over;
};

/* --- lines --- */

static json_t *make_text(const char *text)
{
	char *copy = strdup(text);
	json_t *json;

	if (!copy)
		return json_null();
	for (char *one = strchr(copy, 0x7f); one; one = strchr(one, 0x7f))
		*one = '?'; /* the one control character that JSON does not escape */
	json = json_string(copy);
	if (!json) { /* not UTF-8 text */
		text_make_safe(copy, strlen(copy));
		json = json_string(copy);
	}
	free(copy);
	return json ? json : json_null();
}

static json_t *make_about(const char *about)
{
	size_t bytes = strnlen(about, AUDIT_ABOUT_BYTES_MAX + 1);
	json_t *json = json_loadb(about, bytes, JSON_DECODE_ANY, NULL);
	char *cut;

	if (json && bytes <= AUDIT_ABOUT_BYTES_MAX)
		return json;
	json_decref(json);
	if (bytes <= AUDIT_ABOUT_BYTES_MAX)
		return make_text(about);
	cut = malloc(AUDIT_ABOUT_BYTES_MAX);
	if (!cut)
		return json_null();
	text_copy(cut, AUDIT_ABOUT_BYTES_MAX, about);
	json = make_text(cut);
	free(cut);
	return json;
}

static void format_time(char ret_text[40])
{
	struct timespec now;
	struct tm parts;
	char second[32];

	clock_gettime(CLOCK_REALTIME, &now);
	gmtime_r(&now.tv_sec, &parts);
	strftime(second, sizeof(second), "%Y-%m-%dT%H:%M:%S", &parts);
	snprintf(ret_text, 40, "%s.%03dZ", second, (int)(now.tv_nsec / 1000000));
}

/* malloc'ed, with its line end; NULL: out of memory. */
static char *make_line(const struct audit_entry *entry, const char *run)
{
	char time[40], *text = NULL, *line = NULL;
	json_t *json = json_object();

	format_time(time);
	json_object_set_new(json, "time", json_string(time));
	json_object_set_new(json, "who", make_text(entry->who->name));
	json_object_set_new(json, "role", json_string(access_role_name(entry->who->role)));
	json_object_set_new(json, "way", json_string(access_way_name(entry->who->way)));
	json_object_set_new(json, "address", make_text(entry->who->address));
	json_object_set_new(json, "what", make_text(entry->what));
	if (entry->about)
		json_object_set_new(json, "about", make_about(entry->about));
	json_object_set_new(json, "run", *run ? make_text(run) : json_null());
	json_object_set_new(json, "result", make_text(entry->result));
	audit_mask(json);
	text = json_dumps(json, JSON_COMPACT | JSON_ENSURE_ASCII);
	json_decref(json);
	if (text && asprintf(&line, "%s\n", text) < 0)
		line = NULL;
	free(text);
	return line;
}

/* --- what waits; with the mutex --- */

static int64_t monotonic_s(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec;
}

static void append(struct audit *audit, const char *line)
{
	size_t bytes = line ? strlen(line) : 0;
	char *grown = NULL;

	if (bytes && audit->writing + audit->bytes + bytes <= AUDIT_WAITING_BYTES_MAX)
		grown = realloc(audit->waiting, audit->bytes + bytes + 1);
	if (!grown) {
		audit->lost++;
		return;
	}
	memcpy(grown + audit->bytes, line, bytes + 1);
	audit->waiting = grown;
	audit->bytes += bytes;
}

static void append_count(struct audit *audit, const char *format, uint64_t count)
{
	static const struct access_who nobody = {.role = ACCESS_NOBODY};
	char what[200];

	snprintf(what, sizeof(what), format, (unsigned long long)count);
	char *line = make_line(&(struct audit_entry){.who = &nobody, .what = what, .result = "counted"}, audit->run);
	append(audit, line);
	free(line);
}

/* A second is over: how many refused attempts it had beyond those that became lines. */
static void end_second(struct audit *audit)
{
	int64_t now_s = monotonic_s();

	if (now_s == audit->second && !audit->is_over)
		return;
	if (audit->beyond)
		append_count(audit, "and %llu more refused attempts in one second", audit->beyond);
	audit->second = now_s;
	audit->refused = 0;
	audit->beyond = 0;
}

static bool takes(struct audit *audit, bool is_refused)
{
	end_second(audit);
	if (!is_refused)
		return true;
	if (audit->refused < AUDIT_REFUSED_PER_SECOND) {
		audit->refused++;
		return true;
	}
	audit->beyond++;
	return false;
}

void audit_add(struct audit *audit, const struct audit_entry *entry)
{
	char run[sizeof(audit->run)];

	pthread_mutex_lock(&audit->mutex);
	bool is_taken = takes(audit, entry->is_refused);
	memcpy(run, audit->run, sizeof(run));
	pthread_mutex_unlock(&audit->mutex);
	if (!is_taken)
		return;
	char *line = make_line(entry, run);
	pthread_mutex_lock(&audit->mutex);
	append(audit, line);
	pthread_cond_signal(&audit->woken);
	pthread_mutex_unlock(&audit->mutex);
	free(line);
}

void audit_set_run(struct audit *audit, const char *run)
{
	pthread_mutex_lock(&audit->mutex);
	snprintf(audit->run, sizeof(audit->run), "%s", run);
	pthread_mutex_unlock(&audit->mutex);
}

/* --- the file; on the thread, without the mutex --- */

/* Kept for good under the time that it ended. Another program may do the same: its file is not replaced. */
static void rotate(const struct audit *audit)
{
	char kept[4300], stamp[40];

	format_time(stamp);
	for (char *from = stamp, *to = stamp;; from++) /* 20261128T101909.123Z */
		if (*from != '-' && *from != ':' && !(*to++ = *from))
			break;
	snprintf(kept, sizeof(kept), "%s/audit-%s.jsonl", audit->folder, stamp);
	renameat2(AT_FDCWD, audit->path, AT_FDCWD, kept, RENAME_NOREPLACE);
}

static int open_file(const struct audit *audit, bool *ret_is_torn)
{
	int file = open(audit->path, O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	struct stat now;
	char last = '\n';

	if (file < 0)
		return -errno;
	if (fstat(file, &now) == 0 && now.st_size >= AUDIT_FILE_BYTES_MAX) {
		close(file);
		rotate(audit);
		file = open(audit->path, O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
		if (file < 0)
			return -errno;
		now.st_size = 0;
	}
	if (now.st_size > 0 && pread(file, &last, 1, now.st_size - 1) != 1)
		last = '\n';
	*ret_is_torn = last != '\n'; /* a full disk, or a kill in the middle of a line */
	return file;
}

/* *ret_done: bytes that are in the file. 0, or -errno. */
static int write_lines(const struct audit *audit, const char *lines, size_t bytes, size_t *ret_done)
{
	bool is_torn = false;
	int file = open_file(audit, &is_torn), rc = 0;

	*ret_done = 0;
	if (file < 0)
		return file;
	if (is_torn && write(file, "\n", 1) != 1)
		rc = -errno;
	while (rc == 0 && *ret_done < bytes) {
		ssize_t done = write(file, lines + *ret_done, bytes - *ret_done);
		if (done < 0 && errno != EINTR)
			rc = -errno;
		*ret_done += done > 0 ? (size_t)done : 0;
	}
	if (rc) /* a line that is there in part is written anew */
		while (*ret_done && lines[*ret_done - 1] != '\n')
			--*ret_done;
	if (close(file) < 0 && rc == 0)
		rc = -errno;
	return rc;
}

/* --- the thread --- */

static void say_failure(struct audit *audit, int rc)
{
	if (rc && !audit->is_failing)
		log_line(ENRG_ERROR,
			"access: %s can't be written: %s. Commands are carried out all the same; up to %d MB of lines "
			"wait in memory, what is beyond is counted. Make room, or see to the folder",
			audit->path, enrg_error_name(rc), AUDIT_WAITING_BYTES_MAX >> 20);
	if (!rc && audit->is_failing)
		log_line(ENRG_WARNING, "access: %s is written again; %llu lines were lost", audit->path,
			(unsigned long long)audit->lost);
	if (!rc && audit->lost) {
		append_count(audit, "%llu lines were lost: they could not be written", audit->lost);
		audit->lost = 0;
	}
	audit->is_failing = rc != 0;
}

/* With the mutex, which is free while it writes. */
static void write_waiting(struct audit *audit)
{
	char *lines = audit->waiting;
	size_t bytes = audit->bytes, done;

	audit->waiting = NULL;
	audit->bytes = 0;
	audit->writing = bytes;
	audit->is_busy = true;
	pthread_mutex_unlock(&audit->mutex);
	int rc = write_lines(audit, lines, bytes, &done);
	pthread_mutex_lock(&audit->mutex);
	audit->is_busy = false;
	audit->writing = 0;
	if (done < bytes) { /* before what has come since, for which there is room */
		char *newer = audit->waiting;
		memmove(lines, lines + done, bytes - done);
		lines[bytes - done] = '\0';
		audit->waiting = lines;
		audit->bytes = bytes - done;
		if (newer)
			append(audit, newer);
		free(newer);
	} else {
		free(lines);
	}
	say_failure(audit, rc);
	pthread_cond_broadcast(&audit->written);
}

static void wait_for_more(struct audit *audit)
{
	struct timespec until;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += 1;
	if (audit->beyond || audit->is_failing)
		pthread_cond_timedwait(&audit->woken, &audit->mutex, &until);
	else
		pthread_cond_wait(&audit->woken, &audit->mutex);
}

static void *run_thread(void *context)
{
	struct audit *audit = context;

	pthread_mutex_lock(&audit->mutex);
	while (!audit->is_over) {
		end_second(audit);
		if (audit->bytes && !audit->is_failing)
			write_waiting(audit);
		else
			wait_for_more(audit);
		if (audit->is_failing && audit->bytes && !audit->is_over)
			write_waiting(audit); /* once a second, or when a line comes */
	}
	end_second(audit);
	for (int tries = 0; audit->bytes && tries < 2; tries++) /* the second time: how many were lost */
		write_waiting(audit);
	pthread_mutex_unlock(&audit->mutex);
	return NULL;
}

void audit_flush(struct audit *audit, uint32_t timeout_ms)
{
	struct timespec until;
	int rc = 0;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += timeout_ms / 1000;
	until.tv_nsec += (long)(timeout_ms % 1000) * 1000000;
	if (until.tv_nsec >= 1000000000) {
		until.tv_sec++;
		until.tv_nsec -= 1000000000;
	}
	pthread_mutex_lock(&audit->mutex);
	pthread_cond_signal(&audit->woken);
	while (rc == 0 && (audit->bytes || audit->is_busy) && !audit->is_failing)
		rc = pthread_cond_timedwait(&audit->written, &audit->mutex, &until);
	pthread_mutex_unlock(&audit->mutex);
}

int audit_open(const char *folder, struct audit **ret_audit, struct enrg_error *err)
{
	struct audit *audit = calloc(1, sizeof(*audit));
	pthread_condattr_t attributes;

	if (!audit)
		return enrg_error_set(err, -ENOMEM, "audit: out of memory");
	snprintf(audit->folder, sizeof(audit->folder), "%s", folder);
	snprintf(audit->path, sizeof(audit->path), "%s/audit.jsonl", folder);
	pthread_mutex_init(&audit->mutex, NULL);
	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(&audit->woken, &attributes);
	pthread_cond_init(&audit->written, &attributes);
	pthread_condattr_destroy(&attributes);
	int rc = pthread_create(&audit->thread, NULL, run_thread, audit);
	if (rc) {
		free(audit);
		return enrg_error_set(err, -rc, "audit: no thread: %s", enrg_error_name(-rc));
	}
	*ret_audit = audit;
	return 0;
}

void audit_close(struct audit *audit)
{
	struct timespec until;

	if (!audit)
		return;
	pthread_mutex_lock(&audit->mutex);
	audit->is_over = true;
	pthread_cond_signal(&audit->woken);
	pthread_mutex_unlock(&audit->mutex);
	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += 2;
	if (pthread_timedjoin_np(audit->thread, NULL, &until)) {
		pthread_detach(audit->thread);
		return; /* it hangs on a disk, and keeps what it works with */
	}
	pthread_mutex_destroy(&audit->mutex);
	pthread_cond_destroy(&audit->woken);
	pthread_cond_destroy(&audit->written);
	free(audit->waiting);
	free(audit);
}
