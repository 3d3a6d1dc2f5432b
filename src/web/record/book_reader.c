/* book_reader.c: see the header. */
#include "web/record/book_reader.h"

#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/path.h"
#include "base/program.h"
#include "runs/entry/entry.h"
#include "web/record/child.h"

#define CHILDREN       2u
#define PATIENCE_MS    10000u
#define QUESTION_BYTES 60000u      /* the program reads lines below 64 KiB */
#define BYTES_MAX      (65u << 20) /* of an answer: the program sends less */
#define HEAD_BYTES     64u

enum place_state { PLACE_FREE, PLACE_BUSY, PLACE_STUCK };

struct place {
	enum place_state state;
	struct child child; /* pid 0: not started */
};

struct book_reader {
	pthread_mutex_t lock;
	pthread_cond_t freed; /* by CLOCK_MONOTONIC */
	struct place places[CHILDREN];
	bool is_hanging; /* the last answer did not come: one asker at a time waits for the next, so that workers stay
			    free */
	char runtime_folder[PATH_MAX], program[PATH_MAX];
	uint32_t patience_ms;
};

int book_reader_open(const struct book_reader_params *params, struct book_reader **ret_reader, struct enrg_error *err)
{
	struct book_reader *reader = calloc(1, sizeof(*reader));
	pthread_condattr_t attributes;

	if (!reader)
		return enrg_error_set(err, -ENOMEM, "out of memory");
	snprintf(reader->runtime_folder, sizeof(reader->runtime_folder), "%s", params->runtime_folder);
	snprintf(reader->program, sizeof(reader->program), "%s", params->program ? params->program : "");
	reader->patience_ms = params->patience_ms ? params->patience_ms : PATIENCE_MS;
	pthread_mutex_init(&reader->lock, NULL);
	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(&reader->freed, &attributes);
	pthread_condattr_destroy(&attributes);
	*ret_reader = reader;
	return 0;
}

void book_reader_close(struct book_reader *reader)
{
	if (!reader)
		return;
	for (unsigned i = 0; i < CHILDREN; i++)
		(void)child_end(&reader->places[i].child);
	pthread_cond_destroy(&reader->freed);
	pthread_mutex_destroy(&reader->lock);
	free(reader);
}

/* --- where the book is --- */

static int find_book(const struct book_reader *reader, char ret_database[PATH_MAX], struct enrg_error *err)
{
	char path[PATH_MAX + 16], *text = NULL;
	size_t bytes;

	snprintf(path, sizeof(path), "%s/book.json", reader->runtime_folder);
	json_t *json = path_read_file(path, 1 << 16, &text, &bytes, NULL) ? NULL : json_loadb(text, bytes, 0, NULL);
	const char *database = json_string_value(json_object_get(json, "database"));
	int rc = database && *database ? 0
				       : enrg_error_set(err, -ENODEV,
						 "this system has no run book: runs.database of supervisor.toml turns "
						 "it off, or ENRGDAQ "
						 "was built without SQLite; data are not concerned");
	if (!rc)
		snprintf(ret_database, PATH_MAX, "%s", database);
	free(text);
	json_decref(json);
	return rc;
}

static int find_program(const struct book_reader *reader, char ret_path[PATH_MAX], struct enrg_error *err)
{
	snprintf(ret_path, PATH_MAX, "%s", reader->program);
	if (*ret_path || !program_find(ENTRY_PROGRAM, ENTRY_PROGRAM_VARIABLE, ret_path, PATH_MAX))
		return 0;
	return enrg_error_set(err, -ENODEV,
		"the program " ENTRY_PROGRAM
		" is not installed, which reads the run book; it is left out where SQLite is missing");
}

/* --- places --- */

/* A child that could not end is looked after by whoever comes next. */
static struct place *find_free(struct book_reader *reader, bool *ret_all_stuck)
{
	struct place *found = NULL;

	*ret_all_stuck = true;
	for (unsigned i = 0; i < CHILDREN; i++) {
		struct place *place = &reader->places[i];
		if (place->state == PLACE_STUCK && child_reap(&place->child))
			place->state = PLACE_FREE;
		*ret_all_stuck = *ret_all_stuck && place->state == PLACE_STUCK;
		/* one that runs rather than one that has to be started */
		if (place->state == PLACE_FREE && (!found || (!found->child.pid && place->child.pid)))
			found = place;
	}
	return found;
}

static bool is_tried(const struct book_reader *reader)
{
	bool is_busy = false;

	for (unsigned i = 0; i < CHILDREN; i++)
		is_busy |= reader->places[i].state == PLACE_BUSY;
	return reader->is_hanging && is_busy;
}

/* NULL: none is free in time; *ret_stuck: the disk hangs, and it is known. */
static struct place *wait_for_place(struct book_reader *reader, const struct timespec *until, bool *ret_stuck)
{
	struct place *place;
	bool all_stuck;
	int rc = 0;

	do {
		place = find_free(reader, &all_stuck);
		*ret_stuck = all_stuck || is_tried(reader);
		if (*ret_stuck)
			return NULL;
	} while (!place && !(rc = pthread_cond_timedwait(&reader->freed, &reader->lock, until)));
	return place;
}

static int take_place(struct book_reader *reader, uint64_t until_ns, struct place **ret_place, struct enrg_error *err)
{
	const struct timespec until = {
		.tv_sec = (time_t)(until_ns / 1000000000u), .tv_nsec = (long)(until_ns % 1000000000u)};
	bool is_stuck;

	pthread_mutex_lock(&reader->lock);
	struct place *place = wait_for_place(reader, &until, &is_stuck);
	if (place)
		place->state = PLACE_BUSY;
	pthread_mutex_unlock(&reader->lock);
	if (!place && is_stuck)
		return enrg_error_set(err, -ETIMEDOUT,
			"the disk of the run book does not answer: what reads it still waits; data are not concerned");
	if (!place)
		return enrg_error_set(err, -EBUSY, "too much is asked of the run book at once: ask again");
	*ret_place = place;
	return 0;
}

static void give_back(struct book_reader *reader, struct place *place, int rc)
{
	bool is_gone = !rc || child_end(&place->child);

	pthread_mutex_lock(&reader->lock);
	place->state = is_gone ? PLACE_FREE : PLACE_STUCK;
	reader->is_hanging = rc == -ETIMEDOUT;
	pthread_cond_broadcast(&reader->freed);
	pthread_mutex_unlock(&reader->lock);
}

/* --- a question --- */

static int left_ms(uint64_t until_ns)
{
	uint64_t now_ns = clock_mono_ns();

	return until_ns > now_ns ? (int)((until_ns - now_ns) / 1000000u) : 0;
}

static int fail(int rc, const char *program, struct enrg_error *err)
{
	if (rc == -ETIMEDOUT)
		return enrg_error_set(err, rc,
			"the run book has not answered in time: its disk hangs, or is very busy; data are not "
			"concerned");
	return enrg_error_set(err, rc,
		"%s has ended instead of answering: the run book may be damaged (`enrgdaq runs check` says so)",
		program);
}

/* "CODE BYTES\n" */
static int read_head(const struct child *child, uint64_t until_ns, int *ret_code, size_t *ret_count)
{
	char head[HEAD_BYTES], *end;
	size_t used = 0;

	do {
		int rc = used + 1 < sizeof(head) ? child_read(child, head + used, 1, left_ms(until_ns)) : -EPROTO;
		if (rc <= 0)
			return rc ? rc : -EPIPE;
	} while (head[used++] != '\n');
	head[used - 1] = '\0';
	long code = strtol(head, &end, 10);
	unsigned long long count = *end == ' ' ? strtoull(end + 1, &end, 10) : ULLONG_MAX;
	if (*end || count > BYTES_MAX || code > 0 || code < INT_MIN)
		return -EPROTO;
	*ret_code = (int)code;
	*ret_count = (size_t)count;
	return 0;
}

static int read_answer(const struct child *child, uint64_t until_ns, char **ret_bytes, size_t *ret_count, int *ret_code)
{
	size_t count = 0, used = 0;
	int rc = read_head(child, until_ns, ret_code, &count);
	char *bytes = rc ? NULL : malloc(count + 1);

	if (!rc && !bytes)
		rc = -ENOMEM;
	while (!rc && used < count) {
		int wanted = count - used > 1 << 20 ? 1 << 20 : (int)(count - used);
		int got = child_read(child, bytes + used, wanted, left_ms(until_ns));
		rc = got < 0 ? got : got ? 0 : -EPIPE;
		used += got > 0 ? (size_t)got : 0;
	}
	if (rc) {
		free(bytes);
		return rc;
	}
	bytes[count] = '\0';
	*ret_bytes = bytes;
	*ret_count = count;
	return 0;
}

static int start(struct place *place, const char *program, struct enrg_error *err)
{
	const char *const words[] = {program, "answer", NULL};

	return place->child.pid ? 0 : child_start(words, true, &place->child, err);
}

/* One that had ended while nobody asked is started again, once. */
static int talk(struct place *place, const char *program, const char *line, uint64_t until_ns, char **ret_bytes,
	size_t *ret_count, int *ret_code, struct enrg_error *err)
{
	bool was_there = place->child.pid != 0;

	for (;;) {
		int rc = start(place, program, err);
		if (rc)
			return rc;
		rc = child_write(&place->child, line, strlen(line), left_ms(until_ns));
		if (!rc)
			rc = read_answer(&place->child, until_ns, ret_bytes, ret_count, ret_code);
		if (rc != -EPIPE || !was_there || !child_end(&place->child))
			return rc ? fail(rc, program, err) : 0;
		was_there = false;
	}
}

static int format_line(const struct book_reader *reader, json_t *question, char **ret_line, struct enrg_error *err)
{
	char database[PATH_MAX];
	int rc = find_book(reader, database, err);

	if (rc)
		return rc;
	json_object_set_new(question, "database", json_string(database));
	char *text = json_dumps(question, JSON_COMPACT), *line = text ? realloc(text, strlen(text) + 2) : NULL;
	if (!line) {
		free(text);
		return enrg_error_set(err, -ENOMEM, "out of memory");
	}
	strcat(line, "\n");
	if (strlen(line) > QUESTION_BYTES) {
		free(line);
		return enrg_error_set(err, -EINVAL, "what is asked of the run book is too long");
	}
	*ret_line = line;
	return 0;
}

int book_reader_ask(
	struct book_reader *reader, json_t *question, char **ret_bytes, size_t *ret_count, struct enrg_error *err)
{
	uint64_t until_ns = clock_mono_ns() + reader->patience_ms * 1000000ull;
	char program[PATH_MAX], *line = NULL, *bytes = NULL;
	struct place *place = NULL;
	size_t count = 0;
	int code = 0;
	int rc = find_program(reader, program, err);

	if (!rc)
		rc = format_line(reader, question, &line, err);
	json_decref(question);
	if (!rc)
		rc = take_place(reader, until_ns, &place, err);
	if (!rc) {
		rc = talk(place, program, line, until_ns, &bytes, &count, &code, err);
		give_back(reader, place, rc);
	}
	free(line);
	if (!rc && code) {
		rc = enrg_error_set(err, code, "%s", bytes);
		free(bytes);
	}
	if (rc)
		return rc;
	*ret_bytes = bytes;
	*ret_count = count;
	return 0;
}
