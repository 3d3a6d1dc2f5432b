/* stream.c: observes the batches of one source, over its instances. Process: whoever looks from outside. */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "client/client.h"
#include "client/table.h"
#include "handover/presence.h"

#define LOOK_NS     20000000u  /* at a source that is not there */
#define PRESENCE_NS 500000000u /* nothing comes: is anybody there? */
#define NAMES_MAX   4096u

struct enrg_stream {
	char folder[FIND_PATH_BYTES];
	char *source, *tag; /* tag NULL: all */
	uint32_t every;
	uint64_t interval_ns;
	struct observer *observer; /* NULL: it is not there */
	uint32_t instance;
	uint64_t looked_ns, due_ns;
	bool is_alone;                      /* nothing came, and no supervisor is there */
	uint64_t since_last;                /* records since the one that was handed out, for `every` */
	uint64_t left_out;                  /* of them */
	struct observer_tally began, ended; /* of the present stream when it was opened; of all those before together */
	struct enrg_stream_counts counts;
	struct enrg_record shown;
	struct record header; /* of `shown` */
	bool has_shown;
	char run[64];
	struct table tables[SEGMENT_ROUTES];
};

/* --- which stream ------------------------------------------------------------------------------------------------- */

/* What a visitor of the streams of a folder looks for, or collects. */
struct search {
	const char *source; /* NULL: all */
	char path[FIND_PATH_BYTES + 300];
	char **names; /* NULL at the end */
	size_t count;
	bool is_full;
};

static void free_names(char **names)
{
	for (char **name = names; name && *name; name++)
		free(*name);
	free(names);
}

static void collect(struct search *search, const char *name)
{
	char **names = search->count < NAMES_MAX ? realloc(search->names, (search->count + 2) * sizeof(*names)) : NULL;

	if (names) {
		search->names = names;
		names[search->count] = strdup(name);
		search->is_full |= !names[search->count];
		search->count += names[search->count] != NULL;
		names[search->count] = NULL;
	}
	search->is_full |= !names;
}

/* 1: found. */
static int look_at_stream(const char *path, void *context)
{
	struct search *search = context;
	struct observer *observer;
	int rc = 0;

	if (strlen(path) >= sizeof(search->path) || observer_open(path, &observer, NULL) < 0)
		return 0;
	const char *name = observer_info(observer)->source;
	if (search->source && !strcmp(name, search->source)) {
		strcpy(search->path, path);
		rc = 1;
	}
	collect(search, name);
	observer_close(observer);
	return rc;
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* 1: found; 0. The names are sorted; free_names(search->names). */
static int search_folder(const char *folder, const char *source, struct search *ret_search)
{
	*ret_search = (struct search){.source = source};
	int rc = presence_visit_files(folder, ".stream", look_at_stream, ret_search);

	if (ret_search->count)
		qsort(ret_search->names, ret_search->count, sizeof(char *), compare_names);
	return rc;
}

int enrg_client_sources(struct enrg_client *client, const char *const **ret_names, struct enrg_error *err)
{
	static const char *const none[] = {NULL};
	struct search search;

	search_folder(client->folder, NULL, &search);
	for (size_t i = 0; i < search.count; i++)
		text_make_safe(search.names[i], strlen(search.names[i]));
	free_names(client->sources);
	client->sources = search.names;
	if (!search.count && !presence_owner(client->folder))
		return client_explain_absence(client->folder, err);
	*ret_names = client->sources ? (const char *const *)client->sources : none;
	return 0;
}

static int explain_missing(const struct search *search, struct enrg_error *err)
{
	char names[600] = "";
	size_t used = 0;

	for (size_t i = 0; i < search->count && used + 300 < sizeof(names); i++)
		used += (size_t)snprintf(
			names + used, sizeof(names) - used, "%s%s", used ? ", " : "", search->names[i]);
	text_make_safe(names, used);
	return enrg_error_set(err, -ENOENT, "no source named \"%s\" has a stream; %s%s", search->source,
		used ? "there are: " : "there is none at all", names);
}

/* --- its instances ------------------------------------------------------------------------------------------------ */

static void add_tally(struct observer_tally *sum, const struct observer_tally *began, const struct observer_tally *now)
{
	sum->batches += now->batches > began->batches ? now->batches - began->batches : 0;
	sum->rows += now->rows > began->rows ? now->rows - began->rows : 0;
	sum->bytes += now->bytes > began->bytes ? now->bytes - began->bytes : 0;
}

static void leave(struct enrg_stream *stream)
{
	struct observer_tally now;

	if (!stream->observer)
		return;
	observer_get_tally(stream->observer, &now);
	add_tally(&stream->ended, &stream->began, &now);
	for (size_t i = 0; i < SEGMENT_ROUTES; i++)
		table_fini(&stream->tables[i]);
	observer_close(stream->observer);
	stream->observer = NULL;
	stream->has_shown = false;
}

/* -ENOENT; err names the sources that there are. */
static int enter(struct enrg_stream *stream, struct enrg_error *err)
{
	struct search search;
	int rc = 0;

	stream->looked_ns = clock_mono_ns();
	if (search_folder(stream->folder, stream->source, &search) == 1)
		rc = observer_open(search.path, &stream->observer, err);
	else
		rc = explain_missing(&search, err);
	free_names(search.names);
	if (rc < 0)
		return rc;
	observer_get_tally(stream->observer, &stream->began);
	snprintf(stream->run, sizeof(stream->run), "%s", observer_info(stream->observer)->run);
	text_make_safe(stream->run, strlen(stream->run));
	stream->instance++;
	stream->since_last = stream->left_out = 0;
	stream->is_alone = false;
	return 0;
}

static int check_params(
	const struct enrg_stream_params *params, struct enrg_stream_params *ret_params, struct enrg_error *err)
{
	memset(ret_params, 0, sizeof(*ret_params));
	if (params->size < offsetof(struct enrg_stream_params, tag))
		return enrg_error_set(err, -EINVAL, "size is not that of struct enrg_stream_params");
	memcpy(ret_params, params, params->size < sizeof(*ret_params) ? params->size : sizeof(*ret_params));
	return ret_params->source ? 0 : enrg_error_set(err, -EINVAL, "no source was named");
}

int enrg_stream_open(struct enrg_client *client, const struct enrg_stream_params *params,
	struct enrg_stream **ret_stream, struct enrg_error *err)
{
	struct enrg_stream_params own;
	int rc = check_params(params, &own, err);
	struct enrg_stream *stream = rc < 0 ? NULL : calloc(1, sizeof(*stream));

	if (rc < 0)
		return rc;
	if (stream) {
		memcpy(stream->folder, client->folder, sizeof(stream->folder));
		stream->source = strdup(own.source);
		stream->tag = own.tag ? strdup(own.tag) : NULL;
		stream->every = own.every ? own.every : 1;
		stream->interval_ns = own.interval_ns;
	}
	if (!stream || !stream->source || (own.tag && !stream->tag))
		rc = enrg_error_set(err, -ENOMEM, "out of memory");
	else
		rc = enter(stream, err);
	if (rc == -ENOENT && !presence_owner(client->folder))
		rc = client_explain_absence(client->folder, err);
	if (rc < 0) {
		enrg_stream_close(stream);
		return rc;
	}
	*ret_stream = stream;
	return 0;
}

void enrg_stream_close(struct enrg_stream *stream)
{
	if (!stream)
		return;
	leave(stream);
	free(stream->source);
	free(stream->tag);
	free(stream);
}

/* --- its records -------------------------------------------------------------------------------------------------- */

/* Nothing came for a while: the file stays where a supervisor and its jobs were killed. */
static int look_for_anybody(struct enrg_stream *stream, struct enrg_error *err)
{
	uint64_t now_ns = clock_mono_ns();

	if (now_ns - stream->looked_ns >= PRESENCE_NS) {
		stream->looked_ns = now_ns;
		stream->is_alone = !presence_owner(stream->folder) && !presence_count_jobs(stream->folder);
	}
	return stream->is_alone ? enrg_error_set(err, -EAGAIN, "%s is not there now", stream->source) : 0;
}

/* 1: it is to be handed out; 0: it is left out; negative: it can't be told what it belongs to. */
static int choose(struct enrg_stream *stream, const struct record *header, struct table *table, struct enrg_error *err)
{
	int rc = table->route ? 0 : observer_route(stream->observer, header->route, &table->route);

	if (rc < 0)
		return enrg_error_set(
			err, rc, "%s: batch %llu: unknown table", stream->source, (unsigned long long)header->sequence);
	if (stream->tag && strcmp(table->route->tag, stream->tag) != 0)
		return 0;
	if (++stream->since_last < stream->every)
		return 0;
	stream->since_last = 0;
	if (!stream->interval_ns)
		return 1;
	uint64_t now_ns = clock_mono_ns();
	if (now_ns < stream->due_ns)
		return 0;
	stream->due_ns = now_ns + stream->interval_ns;
	return 1;
}

static void hand_out(struct enrg_stream *stream, const struct observer_record *record, const struct table *table)
{
	const struct record *header = &record->header;

	stream->header = *header;
	stream->has_shown = true;
	stream->shown = (struct enrg_record){.size = sizeof(stream->shown),
		.table = header->route,
		.tag = table->route->tag,
		.sequence = header->sequence,
		.rows = header->rows,
		.bytes = (uint64_t)header->meta_bytes + header->body_bytes,
		.acquired_ns = header->acquired_ns,
		.committed_ns = header->committed_ns,
		.skipped = record->skipped + stream->left_out,
		.instance = stream->instance,
		.is_gap = header->type == RECORD_GAP,
		.is_blob = table->route->flags & ROUTE_BLOB};
	stream->left_out = 0;
	stream->counts.seen_batches += header->type == RECORD_DATA;
	stream->counts.seen_rows += header->rows;
	stream->counts.seen_bytes += stream->shown.bytes;
}

/* The present stream's next record that is wanted: 1, 0, or negative. */
static int next_record(struct enrg_stream *stream, struct enrg_error *err)
{
	struct observer_record record;

	for (;;) {
		int rc = observer_next(stream->observer, &record, err);
		if (rc != 1)
			return rc;
		struct table *table = &stream->tables[record.header.route % SEGMENT_ROUTES];
		rc = choose(stream, &record.header, table, err);
		if (rc < 0)
			return rc;
		if (rc == 1) {
			hand_out(stream, &record, table);
			return 1;
		}
		stream->left_out += record.skipped + 1;
		if (stream->interval_ns && clock_mono_ns() < stream->due_ns)
			enrg_stream_skip(stream); /* none of what is there is wanted */
	}
}

int enrg_stream_next(struct enrg_stream *stream, const struct enrg_record **ret_record, struct enrg_error *err)
{
	int rc;

	stream->has_shown = false;
	if (!stream->observer) {
		if (clock_mono_ns() - stream->looked_ns < LOOK_NS)
			return enrg_error_set(err, -EAGAIN, "%s is not there now", stream->source);
		if (enter(stream, err) < 0)
			return err ? (err->code = -EAGAIN) : -EAGAIN;
	}
	rc = next_record(stream, err);
	if (rc == -ESTALE) { /* a new run made it anew: opened at the next call */
		leave(stream);
		return enrg_error_set(err, -EAGAIN, "%s is not there now", stream->source);
	}
	if (rc == 1) {
		stream->looked_ns = clock_mono_ns();
		stream->is_alone = false;
		*ret_record = &stream->shown;
	}
	return rc == 0 ? look_for_anybody(stream, err) : rc;
}

int enrg_stream_read(struct enrg_stream *stream, const struct enrg_batch **ret_batch, struct enrg_error *err)
{
	if (!stream->observer || !stream->has_shown)
		return enrg_error_set(err, -EINVAL, "%s: no record was asked for", stream->source);
	struct table *table = &stream->tables[stream->header.route % SEGMENT_ROUTES];
	int rc = table_read(table, stream->observer, &stream->header, err);

	if (rc == 0)
		*ret_batch = &table->batch;
	return rc == -ESTALE ? enrg_error_set(err, -EOVERFLOW, "%s was cut or made anew", stream->source) : rc;
}

void enrg_stream_skip(struct enrg_stream *stream)
{
	stream->has_shown = false;
	if (stream->observer)
		observer_skip(stream->observer);
}

const struct enrg_stream_counts *enrg_stream_get_counts(struct enrg_stream *stream)
{
	struct observer_tally now = stream->began, sum = stream->ended;

	if (stream->observer) {
		observer_get_tally(stream->observer, &now);
		add_tally(&sum, &stream->began, &now);
	}
	stream->counts.size = sizeof(stream->counts);
	stream->counts.is_at_end = stream->observer && observer_is_at_end(stream->observer);
	stream->counts.published_batches = sum.batches;
	stream->counts.published_rows = sum.rows;
	stream->counts.published_bytes = sum.bytes;
	stream->counts.last_published = stream->observer ? now.sequence : 0;
	stream->counts.run = stream->run;
	return &stream->counts;
}
