/* worker.c: see the header. */
#include "runs/worker.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/disk.h"
#include "base/path.h"
#include "base/sha256.h"
#include "base/text.h"

#define PIECE_BYTES (1u << 20)
#define IO_IDLE     (3 << 13) /* ioprio_set: class idle */
#define IO_LOW      (2 << 13 | 7)
#define FORGET_FROM (64 << 20) /* of a larger file nothing stays in the page cache for our sake */

struct worker {
	pthread_t thread;
	pthread_mutex_t mutex;
	pthread_cond_t wake;
	struct worker_job *todo[2], *done; /* by kind, the first is next */
	unsigned counts[2];
	int event;
	bool is_stopping;
};

static void set_io_priority(int priority)
{
	(void)syscall(SYS_ioprio_set, 1 /* this thread */, 0, priority);
}

void worker_yield_to_all(void)
{
	(void)setpriority(PRIO_PROCESS, (id_t)syscall(SYS_gettid), 19);
	set_io_priority(IO_IDLE);
}

/* --- a file --- */

static int read_all(
	int descriptor, struct worker_job *job, struct sha256 *sha, bool (*is_given_up)(void *context), void *context)
{
	uint8_t *piece = malloc(PIECE_BYTES);
	ssize_t count = -1;

	job->bytes = 0;
	while (piece && (count = read(descriptor, piece, PIECE_BYTES)) != 0) {
		if (count < 0 && errno == EINTR)
			continue;
		if (count < 0 || (is_given_up && is_given_up(context)))
			break;
		sha256_add(sha, piece, (size_t)count);
		if (job->bytes >= FORGET_FROM)
			(void)posix_fadvise(descriptor, job->bytes, count, POSIX_FADV_DONTNEED);
		job->bytes += count;
	}
	int rc = !piece ? -ENOMEM : count < 0 ? -errno : count > 0 ? -ECANCELED : 0;
	free(piece);
	return rc;
}

int worker_hash(struct worker_job *job, bool (*is_given_up)(void *context), void *context)
{
	int descriptor = open(job->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	uint8_t digest[SHA256_BYTES];
	struct stat status;
	struct sha256 sha;
	int rc = descriptor < 0 ? -errno : 0;

	if (!rc && (fstat(descriptor, &status) || !S_ISREG(status.st_mode)))
		rc = -EINVAL;
	sha256_init(&sha);
	if (!rc)
		rc = read_all(descriptor, job, &sha, is_given_up, context);
	if (descriptor >= 0)
		close(descriptor);
	job->code = rc;
	if (rc)
		return enrg_error_set(&job->err, rc, "%s: %s", job->path, strerror(-rc));
	sha256_finish(&sha, digest);
	text_format_hex(digest, sizeof(digest), job->sha256);
	return 0;
}

/* --- the thread --- */

static void put_last(struct worker_job **list, struct worker_job *job)
{
	job->next = NULL;
	while (*list)
		list = &(*list)->next;
	*list = job;
}

static struct worker_job *pop(struct worker *worker, enum worker_kind kind)
{
	struct worker_job *job = worker->todo[kind];

	if (job)
		worker->todo[kind] = job->next;
	return job;
}

static void give_back(struct worker *worker, struct worker_job *job)
{
	uint64_t one = 1;

	pthread_mutex_lock(&worker->mutex);
	put_last(&worker->done, job);
	pthread_mutex_unlock(&worker->mutex);
	(void)!write(worker->event, &one, sizeof(one));
}

/* The new name reaches the disk; a file system that can't do that has done what it can. */
static void sync_folder(const char *path)
{
	char folder[WORKER_PATH_BYTES];
	const char *slash = strrchr(path, '/');

	snprintf(folder, sizeof(folder), "%.*s", slash ? (int)(slash - path) + 1 : 1, slash ? path : ".");
	int descriptor = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (descriptor < 0)
		return;
	(void)fsync(descriptor);
	close(descriptor);
}

/* One name for what is not whole yet: what a kill leaves is written over the next time. */
static int write_part(const char *path, const char *text, const char *part)
{
	int descriptor = open(part, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	int rc = descriptor < 0 ? -errno : 0;

	if (!rc && disk_write_all(descriptor, (const uint8_t *)text, strlen(text), 0) < 0)
		rc = -errno;
	if (!rc && fsync(descriptor) < 0)
		rc = -errno;
	if (descriptor >= 0 && close(descriptor) < 0 && !rc)
		rc = -errno;
	if (!rc && rename(part, path) < 0)
		rc = -errno;
	if (rc)
		unlink(part);
	else
		sync_folder(path);
	return rc;
}

static void write_file(struct worker_job *job)
{
	const char *slash = strrchr(job->path, '/');
	char part[WORKER_PATH_BYTES + 8];

	set_io_priority(IO_LOW);
	snprintf(part, sizeof(part), "%.*s.%s.part", slash ? (int)(slash - job->path) + 1 : 0, job->path,
		slash ? slash + 1 : job->path);
	job->code = path_make_parent(job->path, 0755, &job->err);
	if (job->code)
		return;
	job->code = write_part(job->path, job->text, part);
	if (job->code)
		enrg_error_set(&job->err, job->code, "%s: %s", job->path, strerror(-job->code));
}

/* Between two pieces of a file that may be as long as a disk: what is to be written is written. */
static bool is_stopping(void *context)
{
	struct worker *worker = context;
	struct worker_job *job;
	bool answer;

	do {
		pthread_mutex_lock(&worker->mutex);
		answer = worker->is_stopping;
		job = pop(worker, WORKER_WRITE);
		pthread_mutex_unlock(&worker->mutex);
		if (!job)
			break;
		write_file(job);
		give_back(worker, job);
		set_io_priority(IO_IDLE);
	} while (!answer);
	return answer;
}

static struct worker_job *next_job(struct worker *worker)
{
	pthread_mutex_lock(&worker->mutex);
	while (!worker->is_stopping && !worker->todo[WORKER_WRITE] && !worker->todo[WORKER_HASH])
		pthread_cond_wait(&worker->wake, &worker->mutex);
	struct worker_job *job = pop(worker, WORKER_WRITE);
	if (!job && !worker->is_stopping)
		job = pop(worker, WORKER_HASH);
	pthread_mutex_unlock(&worker->mutex);
	return job;
}

static void *work(void *context)
{
	struct worker *worker = context;
	struct worker_job *job;

	(void)setpriority(PRIO_PROCESS, (id_t)syscall(SYS_gettid), 19);
	while ((job = next_job(worker))) {
		if (job->kind == WORKER_WRITE) {
			write_file(job);
		} else {
			set_io_priority(IO_IDLE);
			(void)worker_hash(job, is_stopping, worker);
		}
		give_back(worker, job);
	}
	return NULL;
}

/* --- from outside --- */

int worker_start(struct worker **ret_worker, struct enrg_error *err)
{
	struct worker *worker = calloc(1, sizeof(*worker));
	int rc = worker ? 0 : -ENOMEM;

	if (!rc && (worker->event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) < 0)
		rc = -errno;
	if (!rc) {
		pthread_mutex_init(&worker->mutex, NULL);
		pthread_cond_init(&worker->wake, NULL);
		rc = -pthread_create(&worker->thread, NULL, work, worker);
	}
	if (rc) {
		free(worker);
		return enrg_error_set(err, rc, "no thread: %s", strerror(-rc));
	}
	*ret_worker = worker;
	return 0;
}

static void free_jobs(struct worker_job *job)
{
	while (job) {
		struct worker_job *next = job->next;
		worker_free_job(job);
		job = next;
	}
}

void worker_stop(struct worker *worker)
{
	if (!worker)
		return;
	pthread_mutex_lock(&worker->mutex);
	worker->is_stopping = true;
	pthread_cond_signal(&worker->wake);
	pthread_mutex_unlock(&worker->mutex);
	pthread_join(worker->thread, NULL);
	free_jobs(worker->todo[WORKER_WRITE]);
	free_jobs(worker->todo[WORKER_HASH]);
	free_jobs(worker->done);
	pthread_cond_destroy(&worker->wake);
	pthread_mutex_destroy(&worker->mutex);
	close(worker->event);
	free(worker);
}

int worker_descriptor(const struct worker *worker)
{
	return worker->event;
}

void worker_add(struct worker *worker, struct worker_job *job)
{
	pthread_mutex_lock(&worker->mutex);
	put_last(&worker->todo[job->kind], job);
	worker->counts[job->kind]++;
	pthread_cond_signal(&worker->wake);
	pthread_mutex_unlock(&worker->mutex);
}

struct worker_job *worker_take(struct worker *worker)
{
	uint64_t count;

	pthread_mutex_lock(&worker->mutex);
	struct worker_job *job = worker->done;
	if (job) {
		worker->done = job->next;
		worker->counts[job->kind]--;
	} else {
		(void)!read(worker->event, &count, sizeof(count));
	}
	pthread_mutex_unlock(&worker->mutex);
	return job;
}

void worker_free_job(struct worker_job *job)
{
	if (job)
		free(job->text);
	free(job);
}

unsigned worker_count(struct worker *worker, enum worker_kind kind)
{
	pthread_mutex_lock(&worker->mutex);
	unsigned count = worker->counts[kind];
	pthread_mutex_unlock(&worker->mutex);
	return count;
}
