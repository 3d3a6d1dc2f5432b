/* v1_files.c: data files: which ones stores write now, in which runs one lies, a part of one, and the proof of one.
 * Nothing is read but what the system itself has written: a path counts where the status or the run book has it. */
#include <errno.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "web/api/routes.h"
#include "web/api/v1_book.h"
#include "web/record/piece.h"
#include "web/record/proof.h"

#define READING_MAX 2u /* workers that may wait for a disk of data */

static atomic_uint reading;

/* --- which files --- */

static json_t *part_of(const json_t *status, const char *key)
{
	json_t *part = json_object_get(status, key);

	return json_is_array(part) ? json_incref(part) : json_array();
}

static enum call_outcome list_files(struct call *call)
{
	struct snapshot *snapshot = system_hold_snapshot(call->web->system);

	call_json(call, 200,
		json_pack("{s:b, s:o, s:o}", "is_there", snapshot->is_there, "files",
			part_of(snapshot->status, "files"), "disks", part_of(snapshot->status, "disks")));
	snapshot_release(snapshot);
	return CALL_ANSWERED;
}

static bool is_written_now(struct web_system *system, const char *path)
{
	struct snapshot *snapshot = system_hold_snapshot(system);
	const json_t *files = json_object_get(snapshot->status, "files");
	bool is_found = false;

	for (size_t i = 0; i < json_array_size(files); i++) {
		const char *other = json_string_value(json_object_get(json_array_get(files, i), "path"));
		is_found |= other && !strcmp(other, path);
	}
	snapshot_release(snapshot);
	return is_found;
}

/* false: the call is answered. */
static bool is_ours(struct call *call, const char *path)
{
	if (is_written_now(call->web->system, path))
		return true;
	json_t *found = v1_read_book(call, json_pack("{s:s, s:s}", "do", "file", "path", path));
	json_decref(found);
	return found != NULL;
}

struct path_query {
	const char *path;
};

static const struct enrg_option path_options[] = {
	{.key = "path",
		.kind = ENRG_OPTION_STRING,
		.offset = offsetof(struct path_query, path),
		.required = true,
		.help = "Of a file, as /api/v1/files or the files of a run name it."},
	{0},
};
static const struct enrg_table path_table = {.size = sizeof(struct path_query), .options = path_options};

static enum call_outcome find_file(struct call *call)
{
	const struct path_query *query = call->query;

	return v1_answer_book(call, json_pack("{s:s, s:s}", "do", "file", "path", query->path), NULL);
}

/* --- a part of one --- */

struct content_query {
	const char *path;
	int64_t from, bytes;
};

static const struct enrg_option content_options[] = {
	{.key = "path",
		.kind = ENRG_OPTION_STRING,
		.offset = offsetof(struct content_query, path),
		.required = true,
		.help = "Of a file, as /api/v1/files or the files of a run name it."},
	{.key = "from",
		.kind = ENRG_OPTION_INT,
		.offset = offsetof(struct content_query, from),
		.default_value = "0",
		.min = 0,
		.max = 9e18,
		.unit = "bytes",
		.help = "Where the part begins."},
	{.key = "bytes",
		.kind = ENRG_OPTION_INT,
		.offset = offsetof(struct content_query, bytes),
		.default_value = "4194304",
		.min = 1,
		.max = PIECE_BYTES_MAX,
		.unit = "bytes",
		.help = "At most so many; fewer come at the end of the file, none behind it."},
	{0},
};
static const struct enrg_table content_table = {.size = sizeof(struct content_query), .options = content_options};

static enum call_outcome refuse(struct call *call, int rc, const struct enrg_error *err)
{
	return call_refuse(call, rc == -ENOENT || rc == -ENOTDIR ? 404 : 503, "%s", err->text);
}

static enum call_outcome read_piece(struct call *call, const struct content_query *query)
{
	struct piece piece = {0};
	struct enrg_error err = {0};
	int rc = piece_read(query->path, (uint64_t)query->from, (size_t)query->bytes, &piece, &err);

	if (rc < 0)
		return refuse(call, rc, &err);
	call_bytes(call, 200, "application/octet-stream", web_bytes_create(piece.bytes, piece.count));
	call->response.has_etag = false; /* data are not hashed for it */
	free(piece.bytes);
	if (call->response.status == 200) {
		call->response.headers[0].name = "X-ENRGDAQ-File-Bytes";
		snprintf(call->response.headers[0].value, sizeof(call->response.headers[0].value), "%llu",
			(unsigned long long)piece.file_bytes);
	}
	return CALL_ANSWERED;
}

static enum call_outcome get_content(struct call *call)
{
	const struct content_query *query = call->query;

	if (!is_ours(call, query->path))
		return CALL_ANSWERED;
	if (atomic_fetch_add_explicit(&reading, 1, memory_order_relaxed) >= READING_MAX)
		call_refuse(call, 503, "%u parts of files are being read, or their disk does not answer: ask again",
			READING_MAX);
	else
		read_piece(call, query);
	atomic_fetch_sub_explicit(&reading, 1, memory_order_relaxed);
	return CALL_ANSWERED;
}

/* --- the proof of one --- */

static enum call_outcome show_proof(struct call *call)
{
	return call_json(call, 200, proof_format(call->web->proof));
}

static enum call_outcome start_proof(struct call *call)
{
	const struct path_query *body = call->body;
	struct enrg_error err = {0};

	if (!is_ours(call, body->path))
		return CALL_ANSWERED;
	int rc = proof_start(call->web->proof, body->path, call->who.name, &err);
	if (rc < 0)
		return call_refuse(call, rc == -EBUSY ? 409 : 503, "%s", err.text);
	return show_proof(call);
}

static enum call_outcome cancel_proof(struct call *call)
{
	(void)proof_cancel(call->web->proof);
	return show_proof(call);
}

/* --- the table --- */

#define OURS_ANSWER                                                                                                    \
	{                                                                                                              \
		404, "#Error", "it is no file of this system, or it is gone"                                           \
	}

static const struct route_answer list_answers[] = {
	{200, "#OpenFiles", "those that stores have open now, and their disks"}, {0}};
static const struct route_answer find_answers[] = {
	{200, "#FileRuns", "the newest run first, at most 100"}, V1_BOOK_ANSWERS, {0}};
static const struct route_answer content_answers[] = {
	{200, "{\"type\":\"string\",\"format\":\"binary\"}", "the part; X-ENRGDAQ-File-Bytes is the size of the file"},
	OURS_ANSWER, {0}};
static const struct route_answer proof_answers[] = {{200, "#Proof", "of the last one, or the one that runs"}, {0}};
static const struct route_answer start_answers[] = {{200, "#Proof", "it has begun"}, OURS_ANSWER,
	{409, "#Error", "another file is being proved: one at a time"}, {0}};

const struct route v1_files_routes[] = {
	{.method = WEB_GET,
		.path = "/api/v1/files",
		.least = ACCESS_VISITOR,
		.is_quick = true,
		.operation = "listFiles",
		.tag = "files",
		.summary = "Files that stores write now",
		.answers = list_answers,
		.handle = list_files},
	{.method = WEB_GET,
		.path = "/api/v1/files/runs",
		.least = ACCESS_VISITOR,
		.operation = "findFile",
		.tag = "files",
		.summary = "In which runs a file lies, with what the run book knows of it",
		.query = &path_table,
		.answers = find_answers,
		.handle = find_file},
	{.method = WEB_GET,
		.path = "/api/v1/files/content",
		.least = ACCESS_USER,
		.operation = "getFileContent",
		.tag = "files",
		.summary = "A part of a data file, at most 8 MiB",
		.query = &content_table,
		.answers = content_answers,
		.type = "application/octet-stream",
		.handle = get_content},
	{.method = WEB_GET,
		.path = "/api/v1/files/proof",
		.least = ACCESS_VISITOR,
		.is_quick = true,
		.operation = "getProof",
		.tag = "files",
		.summary = "How far the proof of a file is, and what came of the last one",
		.answers = proof_answers,
		.handle = show_proof},
	{.method = WEB_POST,
		.path = "/api/v1/files/proof",
		.least = ACCESS_USER,
		.is_change = true,
		.operation = "startProof",
		.tag = "files",
		.summary = "Proves a file as `enrgdaq verify` does, with the lowest priority",
		.body = &path_table,
		.answers = start_answers,
		.handle = start_proof},
	{.method = WEB_POST,
		.path = "/api/v1/files/proof/cancel",
		.least = ACCESS_USER,
		.is_change = true,
		.is_quick = true,
		.operation = "cancelProof",
		.tag = "files",
		.summary = "Ends the proof that runs",
		.answers = proof_answers,
		.handle = cancel_proof},
	{0},
};
