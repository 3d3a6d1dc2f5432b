/* proof.c: see the header. */
#include "web/record/proof.h"

#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "web/record/child.h"

#define LOOK_MS        500
#define LINE_BYTES_MAX (8u << 20) /* of a line: a file with that many faults has lost more than the rest says */

enum proof_state { PROOF_IDLE, PROOF_RUNNING, PROOF_WHOLE, PROOF_DAMAGED, PROOF_FAILED, PROOF_CANCELLED };

static const char *const names[] = {"idle", "running", "whole", "damaged", "failed", "cancelled"};

struct proof {
	pthread_mutex_t lock;
	pthread_t thread;
	bool has_thread; /* to be joined */
	char program[PATH_MAX];
	struct child child; /* of the thread while one runs */
	/* by the lock: */
	enum proof_state state;
	bool is_cancelled;
	char path[PATH_MAX], who[128], detail[1000];
	uint64_t began_ns, ended_ns, done_bytes, all_bytes;
	json_t *result;
};

/* Of the thread: what has come of the output. */
struct output {
	char *bytes;
	size_t used, size;
	bool is_cut; /* a line was too long */
};

int proof_open(const char *program, struct proof **ret_proof, struct enrg_error *err)
{
	struct proof *proof = calloc(1, sizeof(*proof));

	if (!proof)
		return enrg_error_set(err, -ENOMEM, "out of memory");
	pthread_mutex_init(&proof->lock, NULL);
	text_copy(proof->program, sizeof(proof->program), program);
	*ret_proof = proof;
	return 0;
}

static void join(struct proof *proof)
{
	if (proof->has_thread)
		pthread_join(proof->thread, NULL);
	proof->has_thread = false;
}

void proof_close(struct proof *proof)
{
	if (!proof)
		return;
	(void)proof_cancel(proof);
	join(proof);
	json_decref(proof->result);
	pthread_mutex_destroy(&proof->lock);
	free(proof);
}

/* --- what it says --- */

static const char *text_of(const json_t *json, const char *key)
{
	const char *text = json_string_value(json_object_get(json, key));

	return text ? text : "";
}

static uint64_t number_of(const json_t *json, const char *key)
{
	json_int_t value = json_integer_value(json_object_get(json, key));

	return value > 0 ? (uint64_t)value : 0;
}

static void take_line(struct proof *proof, const char *line, size_t count)
{
	json_t *json = json_loadb(line, count, 0, NULL);
	const json_t *progress = json_object_get(json, "progress");

	pthread_mutex_lock(&proof->lock);
	if (progress) {
		proof->done_bytes = number_of(progress, "done_bytes");
		proof->all_bytes = number_of(progress, "all_bytes");
	} else if (json_object_get(json, "file")) {
		json_decref(proof->result);
		proof->result = json_incref(json);
	}
	pthread_mutex_unlock(&proof->lock);
	json_decref(json);
}

/* Whole lines; what is left moves to the begin. */
static void take_lines(struct proof *proof, struct output *output)
{
	char *begin = output->bytes, *end;

	while (output->used && (end = memchr(begin, '\n', output->used))) {
		if (!output->is_cut)
			take_line(proof, begin, (size_t)(end - begin));
		output->used -= (size_t)(end + 1 - begin);
		begin = end + 1;
	}
	if (output->used)
		memmove(output->bytes, begin, output->used);
}

static bool make_room(struct output *output)
{
	size_t size = output->size ? 2 * output->size : 65536;

	if (output->used < output->size)
		return true;
	if (size > LINE_BYTES_MAX) {
		output->is_cut = true;
		output->used = 0;
		return true;
	}
	char *bytes = realloc(output->bytes, size);
	if (!bytes)
		return false;
	output->bytes = bytes;
	output->size = size;
	return true;
}

static bool is_cancelled(struct proof *proof)
{
	pthread_mutex_lock(&proof->lock);
	bool is_so = proof->is_cancelled;
	pthread_mutex_unlock(&proof->lock);
	return is_so;
}

/* Until its end; 0, -errno. */
static int follow(struct proof *proof, struct output *output)
{
	int got = -ETIMEDOUT;

	while (!is_cancelled(proof) && (got > 0 || got == -ETIMEDOUT)) {
		if (!make_room(output))
			return -ENOMEM;
		size_t room = output->size - output->used;
		got = child_read(
			&proof->child, output->bytes + output->used, (int)(room > 65536 ? 65536 : room), LOOK_MS);
		output->used += got > 0 ? (size_t)got : 0;
		take_lines(proof, output);
	}
	return got == -ETIMEDOUT ? 0 : got > 0 ? 0 : got;
}

/* --- a proof --- */

static void judge(struct proof *proof, int rc, bool is_cut)
{
	const char *error = text_of(proof->result, "error");

	proof->ended_ns = clock_wall_ns();
	if (proof->is_cancelled) {
		proof->state = PROOF_CANCELLED;
		text_copy(proof->detail, sizeof(proof->detail), "it was cancelled: nothing is known of the file");
		json_decref(proof->result);
		proof->result = NULL;
	} else if (rc < 0 || *error || (!proof->result && !is_cut)) {
		proof->state = PROOF_FAILED;
		text_copy(proof->detail, sizeof(proof->detail),
			*error ? error : "`enrgdaq verify` has ended without an answer: see the log");
	} else if (is_cut) {
		proof->state = PROOF_DAMAGED;
		text_copy(proof->detail, sizeof(proof->detail),
			"more is wrong with it than can be listed: `enrgdaq verify FILE` shows it");
	} else {
		bool is_whole = json_is_true(json_object_get(proof->result, "whole"));
		proof->state = is_whole ? PROOF_WHOLE : PROOF_DAMAGED;
		text_copy(proof->detail, sizeof(proof->detail),
			is_whole ? "the file is whole" : "the file is not whole: `findings` of the result say why");
		proof->done_bytes = proof->all_bytes = number_of(proof->result, "file_bytes");
	}
	text_make_safe(proof->detail, strlen(proof->detail));
}

static void *run(void *argument)
{
	struct proof *proof = argument;
	struct output output = {0};
	int rc = follow(proof, &output);

	while (!child_end(&proof->child)) /* waits by itself: its disk hangs */
		;
	pthread_mutex_lock(&proof->lock);
	judge(proof, rc, output.is_cut);
	pthread_mutex_unlock(&proof->lock);
	free(output.bytes);
	return NULL;
}

/* Locked. */
static int begin(struct proof *proof, const char *path, const char *who, struct enrg_error *err)
{
	const char *const words[] = {proof->program, "verify", "--json", "--progress", "--", path, NULL};
	int rc;

	if (!*proof->program)
		return enrg_error_set(err, -ENODEV, "the program enrgdaq is not known here: nothing can be proved");
	join(proof); /* it has ended: the state says so */
	rc = child_start(words, false, &proof->child, err);
	if (rc < 0)
		return rc;
	json_decref(proof->result);
	proof->result = NULL;
	proof->is_cancelled = false;
	proof->done_bytes = proof->all_bytes = proof->ended_ns = 0;
	proof->began_ns = clock_wall_ns();
	text_copy(proof->path, sizeof(proof->path), path);
	text_copy(proof->who, sizeof(proof->who), who);
	text_copy(proof->detail, sizeof(proof->detail), "it is being read, with the lowest priority");
	proof->state = PROOF_RUNNING;
	rc = -pthread_create(&proof->thread, NULL, run, proof);
	proof->has_thread = rc == 0;
	if (rc < 0) {
		(void)child_end(&proof->child);
		proof->state = PROOF_FAILED;
		return enrg_error_set(err, rc, "no thread for it: %s", strerror(-rc));
	}
	return 0;
}

int proof_start(struct proof *proof, const char *path, const char *who, struct enrg_error *err)
{
	pthread_mutex_lock(&proof->lock);
	int rc = proof->state == PROOF_RUNNING
			 ? enrg_error_set(err, -EBUSY, "%s is being proved, for %s: one file at a time", proof->path,
				   proof->who)
			 : begin(proof, path, who, err);
	pthread_mutex_unlock(&proof->lock);
	return rc;
}

bool proof_cancel(struct proof *proof)
{
	pthread_mutex_lock(&proof->lock);
	bool runs = proof->state == PROOF_RUNNING;
	proof->is_cancelled = runs || proof->is_cancelled;
	pthread_mutex_unlock(&proof->lock);
	return runs;
}

json_t *proof_format(struct proof *proof)
{
	pthread_mutex_lock(&proof->lock);
	json_t *result = proof->result ? json_incref(proof->result) : json_null();
	json_t *json = json_pack("{s:s, s:s, s:s, s:I, s:I, s:I, s:I, s:s, s:o}", "state", names[proof->state], "path",
		proof->path, "who", proof->who, "began_wall_ns", (json_int_t)proof->began_ns, "ended_wall_ns",
		(json_int_t)proof->ended_ns, "done_bytes", (json_int_t)proof->done_bytes, "all_bytes",
		(json_int_t)proof->all_bytes, "detail", proof->detail, "result", result);
	pthread_mutex_unlock(&proof->lock);
	return json;
}
