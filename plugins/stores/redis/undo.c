/* undo.c: see the header. Runs in the store's job process, on its main thread. Rows that others have put behind ours
 * meanwhile are seen: the lists are watched, and have to be as long as they were after our commands. */
#include "undo.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "connection.h"

void undo_note_push(struct undo *undo, const char *key, uint64_t rows, const struct request *request)
{
	if (undo->count == undo->capacity) {
		size_t capacity = undo->capacity ? 2 * undo->capacity : 64;
		struct undo_push *grown = realloc(undo->pushes, capacity * sizeof(*grown));
		undo->has_failed |= !grown;
		if (!grown)
			return;
		undo->pushes = grown;
		undo->capacity = capacity;
	}
	char *copy = strdup(key);
	undo->has_failed |= !copy;
	if (copy)
		undo->pushes[undo->count++] =
			(struct undo_push){.key = copy, .rows = rows, .command = request->commands - 1};
}

void undo_note_mark(struct undo *undo, const char *marks, const char *field, uint64_t done)
{
	char number[32];

	request_begin(&undo->marks, done ? 4 : 3);
	request_add_text(&undo->marks, done ? "HSET" : "HDEL");
	request_add_text(&undo->marks, marks);
	request_add_text(&undo->marks, field);
	if (done) {
		snprintf(number, sizeof(number), "%" PRIu64, done);
		request_add_text(&undo->marks, number);
	}
}

void undo_clear(struct undo *undo)
{
	for (size_t i = 0; i < undo->count; i++)
		free(undo->pushes[i].key);
	undo->count = 0;
	undo->has_failed = false;
	request_clear(&undo->marks);
}

void undo_fini(struct undo *undo)
{
	undo_clear(undo);
	free(undo->pushes);
	request_fini(&undo->marks);
	*undo = (struct undo){0};
}

/* The length that the list had after this command; -1: the command was refused. */
static long long find_length(const struct undo_push *push, const redisReply *reply)
{
	if (push->command >= reply->elements || reply->element[push->command]->type != REDIS_REPLY_INTEGER)
		return -1;
	return reply->element[push->command]->integer;
}

static bool is_last_of_key(const struct undo *undo, size_t index)
{
	for (size_t i = index + 1; i < undo->count; i++)
		if (strcmp(undo->pushes[i].key, undo->pushes[index].key) == 0)
			return false;
	return true;
}

static int check_length(struct connection *connection, const char *key, long long length, struct enrg_error *err)
{
	redisReply *reply = connection_ask(connection, err, "WATCH %s", key);

	if (!reply)
		return -ENOTCONN;
	freeReplyObject(reply);
	reply = connection_ask(connection, err, "LLEN %s", key);
	if (!reply)
		return -ENOTCONN;
	bool is_same = reply->type == REDIS_REPLY_INTEGER && reply->integer == length;
	freeReplyObject(reply);
	return is_same ? 0 : enrg_error_set(err, -EBUSY, "somebody else has changed the list %.300s meanwhile", key);
}

static void add_trim(struct request *request, const struct undo_push *push)
{
	char end[32];

	snprintf(end, sizeof(end), "-%" PRIu64, push->rows + 1);
	request_begin(request, 4);
	request_add_text(request, "LTRIM");
	request_add_text(request, push->key);
	request_add_text(request, "0");
	request_add_text(request, end);
}

int undo_run(struct undo *undo, struct connection *connection, const redisReply *reply, struct enrg_error *err)
{
	struct request request = {0};
	redisReply *answers;
	int rc = undo->has_failed ? enrg_error_set(err, -ENOMEM, "out of memory") : 0;

	for (size_t i = 0; i < undo->count && rc == 0; i++) {
		long long length = find_length(&undo->pushes[i], reply);
		if (length < 0)
			continue;
		if (is_last_of_key(undo, i))
			rc = check_length(connection, undo->pushes[i].key, length, err);
		add_trim(&request, &undo->pushes[i]);
	}
	request_append(&request, &undo->marks);
	request.commands += undo->marks.commands;
	if (rc == 0 && request.commands) {
		rc = connection_execute(connection, &request, &answers, err);
		if (rc == 0)
			freeReplyObject(answers);
	}
	request_fini(&request);
	undo_clear(undo);
	return rc;
}
