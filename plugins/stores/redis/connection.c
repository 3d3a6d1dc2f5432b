/* connection.c: see the header. Runs in the store's job process, on its main thread. */
#include "connection.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

/* Far below the watchdog's 60 s. */
static const struct timeval connect_time = {.tv_sec = 5}, answer_time = {.tv_sec = 20};

/* --- errors ------------------------------------------------------------------------------------------------------- */

static bool starts_with(const char *text, const char *start)
{
	return strncmp(text, start, strlen(start)) == 0;
}

static const char *find_remedy(const char *text)
{
	if (starts_with(text, "NOAUTH") || starts_with(text, "WRONGPASS") || strstr(text, "password"))
		return "; check password in the store's file";
	if (strstr(text, "DB index"))
		return "; check db in the store's file";
	if (starts_with(text, "OOM"))
		return "; the server's memory is full: raise its maxmemory or let keys expire";
	if (strstr(text, "DUPLICATE_POLICY"))
		return "; allow it: TS.ALTER of that key with DUPLICATE_POLICY LAST";
	if (starts_with(text, "WRONGTYPE") || strstr(text, "not a TSDB key"))
		return "; somebody has put something else under a key of this store: remove it, or give another key";
	if (starts_with(text, "MOVED") || starts_with(text, "CROSSSLOT"))
		return "; this store does not know clusters";
	return "";
}

int connection_fail(
	const struct connection *connection, const char *doing, const redisReply *reply, struct enrg_error *err)
{
	const redisContext *redis = connection->redis;
	const char *host = connection->server->host;
	int port = connection->server->port;

	if (reply && reply->type == REDIS_REPLY_ERROR)
		return enrg_error_set(err, starts_with(reply->str, "OOM") ? -ENOSPC : -EINVAL,
			"Redis server %.200s:%d: %.200s: %.400s%s", host, port, doing, reply->str,
			find_remedy(reply->str));
	if (reply)
		return enrg_error_set(
			err, -EPROTO, "Redis server %.200s:%d: %.200s: an answer that is none", host, port, doing);
	const char *why = !redis                                     ? "out of memory"
			  : redis->err != REDIS_ERR_IO && redis->err ? redis->errstr
			  : errno == EAGAIN                          ? "no answer in 20 s"
			  : redis->err                               ? redis->errstr
								     : strerror(errno);
	return enrg_error_set(err, -ENOTCONN,
		"Redis server %.200s:%d: %.200s: %.300s; check that the server runs, and host and port in the store's "
		"file",
		host, port, doing, why);
}

/* --- commands ----------------------------------------------------------------------------------------------------- */

redisReply *connection_next(struct connection *connection, struct enrg_error *err)
{
	void *reply = NULL;

	if (redisGetReply(connection->redis, &reply) == REDIS_OK && reply)
		return reply;
	connection_fail(connection, "waiting for an answer", NULL, err);
	return NULL;
}

redisReply *connection_ask(struct connection *connection, struct enrg_error *err, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	int rc = redisvAppendCommand(connection->redis, format, arguments);
	va_end(arguments);
	if (rc == REDIS_OK)
		return connection_next(connection, err);
	connection_fail(connection, "sending", NULL, err);
	return NULL;
}

/* A command that answers OK. `doing` is told instead of the command, which may hold the password. */
static int expect_ok(struct connection *connection, redisReply *reply, const char *doing, struct enrg_error *err)
{
	if (!reply)
		return -ENOTCONN;
	int rc = reply->type == REDIS_REPLY_STATUS ? 0 : connection_fail(connection, doing, reply, err);
	freeReplyObject(reply);
	return rc;
}

/* --- open and close ----------------------------------------------------------------------------------------------- */

static int set_up(struct connection *connection, struct enrg_error *err)
{
	const struct server *server = connection->server;
	int rc = 0;

	connection->redis = server->host[0] == '/' ? redisConnectUnixWithTimeout(server->host, connect_time)
						   : redisConnectWithTimeout(server->host, server->port, connect_time);
	if (!connection->redis || connection->redis->err)
		return connection_fail(connection, "can't connect", NULL, err);
	fcntl(connection->redis->fd, F_SETFD, FD_CLOEXEC);
	redisSetTimeout(connection->redis, answer_time);
	if (server->host[0] != '/')
		redisEnableKeepAlive(connection->redis);
	if (server->password && *server->password)
		rc = expect_ok(
			connection, connection_ask(connection, err, "AUTH %s", server->password), "logging in", err);
	if (rc == 0 && server->db)
		rc = expect_ok(
			connection, connection_ask(connection, err, "SELECT %d", server->db), "choosing db", err);
	if (rc == 0)
		rc = expect_ok(
			connection, connection_ask(connection, err, "WATCH %s", connection->marks), "WATCH", err);
	return rc;
}

int connection_open(
	const struct server *server, const char *store, struct connection **ret_connection, struct enrg_error *err)
{
	struct connection *connection = calloc(1, sizeof(*connection));

	if (!connection)
		return enrg_error_set(err, -ENOMEM, "out of memory");
	connection->server = server;
	snprintf(connection->marks, sizeof(connection->marks), "enrgdaq:positions:%s", store);
	int rc = set_up(connection, err);
	if (rc < 0) {
		connection_close(connection);
		return rc;
	}
	*ret_connection = connection;
	return 0;
}

void connection_close(struct connection *connection)
{
	if (!connection)
		return;
	redisFree(connection->redis);
	undo_fini(&connection->undo);
	free(connection);
}

/* --- marks and transactions --------------------------------------------------------------------------------------- */

int connection_get_mark(
	struct connection *connection, const char *field, uint64_t *ret_sequence, struct enrg_error *err)
{
	redisReply *reply = connection_ask(connection, err, "HGET %s %s", connection->marks, field);
	int rc = 0;

	if (!reply)
		return -ENOTCONN;
	if (reply->type == REDIS_REPLY_STRING)
		*ret_sequence = strtoull(reply->str, NULL, 10);
	else if (reply->type == REDIS_REPLY_NIL)
		*ret_sequence = 0;
	else
		rc = connection_fail(connection, connection->marks, reply, err);
	freeReplyObject(reply);
	return rc;
}

/* Is it "source/RUN/…" of an old run? */
static bool is_old_field(const redisReply *field, const char *source, const char *run, const char *oldest)
{
	size_t length = strlen(source);

	if (field->type != REDIS_REPLY_STRING || !starts_with(field->str, source) || field->str[length] != '/')
		return false;
	const char *found = field->str + length + 1;
	size_t run_length = strlen(run);
	bool is_current = strncmp(found, run, run_length) == 0 && found[run_length] == '/';
	return !is_current && *found >= '1' && strncmp(found, oldest, strlen(oldest)) < 0;
}

int connection_prune_marks(struct connection *connection, const char *source, const char *run, struct request *request,
	struct enrg_error *err)
{
	char oldest[SQL_RUN_TIME_BYTES];
	struct request fields = {0};
	uint64_t count = 0;

	if (!sql_find_oldest_run(run, time(NULL), oldest) || strcmp(connection->pruned, source) == 0)
		return 0;
	snprintf(connection->pruned, sizeof(connection->pruned), "%s", source);
	redisReply *reply = connection_ask(connection, err, "HKEYS %s", connection->marks);
	if (!reply)
		return -ENOTCONN;
	for (size_t i = 0; reply->type == REDIS_REPLY_ARRAY && i < reply->elements; i++) {
		if (!is_old_field(reply->element[i], source, run, oldest))
			continue;
		request_add(&fields, reply->element[i]->str, reply->element[i]->len);
		count++;
	}
	if (count) {
		request_begin(request, 2 + count);
		request_add_text(request, "HDEL");
		request_add_text(request, connection->marks);
		request_append(request, &fields);
	}
	request_fini(&fields);
	freeReplyObject(reply);
	return 0;
}

/* The answers to MULTI and to the commands, which are "queued" or the reason why the transaction will not be. */
static int read_queued(struct connection *connection, uint64_t count, struct enrg_error *err)
{
	int rc = 0;

	for (uint64_t i = 0; i < count; i++) {
		redisReply *reply = connection_next(connection, rc ? NULL : err);
		if (!reply)
			return rc ? rc : -ENOTCONN;
		if (rc == 0 && reply->type != REDIS_REPLY_STATUS)
			rc = connection_fail(connection, "a command was refused", reply, err);
		freeReplyObject(reply);
	}
	return rc;
}

static int send_bytes(struct connection *connection, const char *bytes, size_t count, int flags, struct enrg_error *err)
{
	while (count) {
		ssize_t sent = send(connection->redis->fd, bytes, count, MSG_NOSIGNAL | flags);
		if (sent < 0 && errno == EINTR)
			continue;
		if (sent < 0)
			return connection_fail(connection, "sending", NULL, err);
		bytes += sent;
		count -= (size_t)sent;
	}
	return 0;
}

/* Past hiredis, which would copy it all; it has nothing of its own to send when this is called. */
int connection_send(struct connection *connection, struct request *request, struct enrg_error *err)
{
	static const char multi[] = "*1\r\n$5\r\nMULTI\r\n";
	int rc = 0;

	if (request->has_failed)
		return enrg_error_set(err, -ENOMEM, "out of memory");
	if (!connection->has_begun)
		rc = send_bytes(connection, multi, sizeof(multi) - 1, MSG_MORE, err);
	connection->has_begun = true;
	if (rc == 0)
		rc = send_bytes(connection, request->bytes, request->count, 0, err);
	request_sent(request);
	return rc;
}

int connection_execute(
	struct connection *connection, struct request *request, redisReply **ret_reply, struct enrg_error *err)
{
	uint64_t commands = request->commands;

	request_begin(request, 1);
	request_add_text(request, "EXEC");
	request_begin(request, 2);
	request_add_text(request, "WATCH");
	request_add_text(request, connection->marks);
	int rc = connection_send(connection, request, err);
	if (rc == 0)
		rc = read_queued(connection, 1 + commands, err);
	if (rc == -ENOTCONN || rc == -ENOMEM)
		return rc;
	connection->has_begun = false;
	redisReply *reply = connection_next(connection, rc ? NULL : err);
	if (!reply)
		return rc ? rc : -ENOTCONN;
	if (rc == 0 && reply->type == REDIS_REPLY_NIL)
		rc = enrg_error_set(err, -EAGAIN,
			"Redis server %.200s:%d: an earlier connection of this store has just stored something: asking "
			"what",
			connection->server->host, connection->server->port);
	else if (rc == 0 && (reply->type != REDIS_REPLY_ARRAY || reply->elements != commands))
		rc = connection_fail(connection, "EXEC", reply, err);
	if (rc == 0)
		rc = expect_ok(connection, connection_next(connection, err), "WATCH", err);
	if (rc == 0)
		*ret_reply = reply;
	else
		freeReplyObject(reply);
	return rc;
}
