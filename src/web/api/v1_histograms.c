/* v1_histograms.c: live histograms, as JSON of JSROOT or UHI; and the tree that a JSROOT page in online mode reads
 * (h.json, PATH/root.json). Nothing of it calls anything: exe.json and cmd.json are no paths of ours. */
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "enrgdaq/client.h"
#include "enrgdaq/histogram.h"
#include "web/api/packed.h"
#include "web/api/routes.h"

#define TREE_MAX 1000u /* histograms in the tree */

static enum call_outcome refuse(struct call *call, int rc, const struct enrg_error *err)
{
	return call_refuse(call, rc == -ENOENT || rc == -EEXIST ? 404 : 503, "%s", err->text);
}

static int open_client(const struct call *call, struct enrg_client **ret_client, struct enrg_error *err)
{
	int rc = enrg_client_open(system_settings(call->web->system)->supervisor_id, ret_client, err);

	return rc == -ENOENT ? -EAGAIN : rc; /* that system, not that histogram, is not there */
}

/* Their names; valid as long as the client, which is to be closed also where there are none. */
static int list_names(
	struct call *call, struct enrg_client **ret_client, const char *const **ret_names, struct enrg_error *err)
{
	int rc = open_client(call, ret_client, err);

	return rc ? rc : enrg_histograms_list(*ret_client, ret_names, err);
}

/* In the first place that is free. */
static void add_header(struct call *call, const char *name, const char *value)
{
	size_t place = 0;

	while (place < WEB_HEADERS_MAX && call->response.headers[place].name)
		place++;
	if (place == WEB_HEADERS_MAX)
		return;
	call->response.headers[place].name = name;
	snprintf(call->response.headers[place].value, sizeof(call->response.headers[place].value), "%s", value);
}

/* A page of another origin may read it where web.origins names that. */
static void allow_origin(struct call *call)
{
	const char *origin = call->request ? call->request->origin : NULL;
	const char *const *allowed = system_settings(call->web->system)->origins;

	while (origin && allowed && *allowed && strcmp(*allowed, origin) != 0)
		allowed++;
	if (!origin || !allowed || !*allowed || strlen(origin) >= sizeof(call->response.headers[0].value))
		return;
	add_header(call, "Access-Control-Allow-Origin", origin);
	add_header(call, "Vary", "Origin");
}

/* --- lists --- */

static enum call_outcome list_histograms(struct call *call)
{
	struct enrg_client *client = NULL;
	struct enrg_error err = {0};
	const char *const *names = NULL;
	int rc = list_names(call, &client, &names, &err);

	if (rc < 0) {
		enrg_client_close(client);
		return refuse(call, rc, &err);
	}
	json_t *list = json_array();
	for (; *names; names++)
		json_array_append_new(list, json_string(*names));
	enrg_client_close(client);
	return call_json(call, 200, json_pack("{s:o}", "histograms", list));
}

/* --- one --- */

static enum call_outcome answer_histogram(struct call *call, const char *name, enum enrg_histogram_form form)
{
	struct enrg_histogram *histogram = NULL;
	struct enrg_client *client = NULL;
	struct enrg_error err = {0};
	int rc = open_client(call, &client, &err);

	if (!rc)
		rc = enrg_histogram_read(client, name, &histogram, &err);
	enrg_client_close(client);
	if (rc < 0)
		return refuse(call, rc, &err);
	char *text = enrg_histogram_print(histogram, form);
	enrg_histogram_destroy(histogram);
	call_bytes(call, 200, "application/json", text ? web_bytes_create(text, strlen(text)) : NULL);
	free(text);
	return CALL_ANSWERED;
}

struct form_query {
	const char *name;
	int form;
};

static const struct enrg_choice forms[] = {{"jsroot", ENRG_HISTOGRAM_JSROOT}, {"uhi", ENRG_HISTOGRAM_UHI}, {NULL, 0}};

static const struct enrg_option form_options[] = {
	{.key = "name",
		.kind = ENRG_OPTION_STRING,
		.offset = offsetof(struct form_query, name),
		.required = true,
		.help = "JOB/NAME, as the list has it."},
	{.key = "form",
		.kind = ENRG_OPTION_CHOICE,
		.offset = offsetof(struct form_query, form),
		.choices = forms,
		.default_value = "\"jsroot\"",
		.help = "As JSROOT's parse() takes it, or as the uhi package of Python does."},
	{0},
};
static const struct enrg_table form_table = {.size = sizeof(struct form_query), .options = form_options};

static enum call_outcome get_histogram(struct call *call)
{
	const struct form_query *query = call->query;

	return answer_histogram(call, query->name, (enum enrg_histogram_form)query->form);
}

/* --- the tree of JSROOT --- */

/* What JSROOT says of how it wants the text does not matter: it is compact. */
struct root_query {
	const char *compact, *version, *stamp;
};

#define ROOT_OPTION(member)                                                                                            \
	{                                                                                                              \
		.key = #member, .kind = ENRG_OPTION_STRING, .offset = offsetof(struct root_query, member),             \
		.help = "Of JSROOT; not looked at."                                                                    \
	}

static const struct enrg_option root_options[] = {ROOT_OPTION(compact), ROOT_OPTION(version), ROOT_OPTION(stamp), {0}};
static const struct enrg_table root_table = {.size = sizeof(struct root_query), .options = root_options};

/* The folder of that job, made where it is missing. Borrowed. */
static json_t *find_folder(json_t *root, const char *job, size_t count)
{
	json_t *folders = json_object_get(root, "_childs"), *folder;
	size_t i;

	json_array_foreach(folders, i, folder)
	{
		const char *name = json_string_value(json_object_get(folder, "_name"));
		if (strlen(name) == count && !strncmp(name, job, count))
			return folder;
	}
	folder = json_pack("{s:s%, s:s, s:[]}", "_name", job, count, "_kind", "ROOT.TFolder", "_childs");
	json_array_append_new(folders, folder);
	return folder;
}

/* Names with more than one '/' would be other folders to JSROOT: left out. */
static void add_leaf(json_t *root, struct enrg_client *client, const char *name)
{
	const char *slash = strchr(name, '/');
	struct enrg_histogram *histogram = NULL;

	if (!slash || slash == name || strchr(slash + 1, '/') ||
		enrg_histogram_read(client, name, &histogram, NULL) < 0)
		return;
	json_t *folder = find_folder(root, name, (size_t)(slash - name));
	json_array_append_new(json_object_get(folder, "_childs"),
		json_pack("{s:s, s:s, s:s}", "_name", slash + 1, "_kind",
			histogram->dimensions == 2 ? "ROOT.TH2D" : "ROOT.TH1D", "_title", histogram->title));
	enrg_histogram_destroy(histogram);
}

static enum call_outcome get_tree(struct call *call)
{
	struct enrg_client *client = NULL;
	struct enrg_error err = {0};
	const char *const *names = NULL;
	int rc = list_names(call, &client, &names, &err);

	if (rc < 0) {
		enrg_client_close(client);
		return refuse(call, rc, &err);
	}
	const char *supervisor = system_settings(call->web->system)->supervisor_id;
	json_t *root = json_pack(
		"{s:s, s:s, s:s, s:[]}", "_name", "ENRGDAQ", "_kind", "ROOT.Session", "_title", supervisor, "_childs");
	for (unsigned i = 0; names[i] && i < TREE_MAX; i++)
		add_leaf(root, client, names[i]);
	enrg_client_close(client);
	call_json(call, 200, root);
	allow_origin(call);
	return CALL_ANSWERED;
}

/* The answer as gzip, which the name says; browsers unpack it by the header, programs by themselves. */
static void pack(struct call *call)
{
	struct web_bytes *plain = call->response.body;

	if (call->response.status != 200)
		return;
	call_bytes(call, 200, "application/json", packed_create(plain->data, plain->count));
	web_bytes_release(plain);
	add_header(call, "Content-Encoding", "gzip");
}

static enum call_outcome get_root_object(struct call *call)
{
	char name[1024];

	snprintf(name, sizeof(name), "%s/%s", call->parts[0], call->parts[1]);
	answer_histogram(call, name, ENRG_HISTOGRAM_JSROOT);
	allow_origin(call);
	return CALL_ANSWERED;
}

static enum call_outcome get_packed_object(struct call *call)
{
	get_root_object(call);
	pack(call);
	return CALL_ANSWERED;
}

/* --- the table --- */

static const struct route_answer list_answers[] = {
	{200,
		"{\"type\":\"object\",\"properties\":{\"histograms\":{\"type\":"
		"\"array\",\"items\":{\"type\":\"string\"}}},\"required\":["
		"\"histograms\"]}",
		"names as JOB/NAME"},
	{0}};
static const struct route_answer histogram_answers[] = {
	{200, "{\"type\":\"object\"}", "one object of JSROOT, or of UHI"},
	{304, NULL, "it is what the client has (If-None-Match)"}, {404, "#Error", "there is no such histogram"}, {0}};
static const struct route_answer tree_answers[] = {
	{200, "{\"type\":\"object\"}", "jobs as folders, histograms as leaves"}, {0}};

#define ROOT_ROUTE(name, where, what, list, function)                                                                  \
	{                                                                                                              \
		.method = WEB_GET, .path = where, .least = ACCESS_VISITOR, .operation = name, .tag = "jsroot",         \
		.summary = what, .query = &root_table, .answers = list, .handle = function                             \
	}

const struct route v1_histograms_routes[] = {
	{.method = WEB_GET,
		.path = "/api/v1/histograms",
		.least = ACCESS_VISITOR,
		.operation = "listHistograms",
		.tag = "histograms",
		.summary = "Which live histograms there are",
		.answers = list_answers,
		.handle = list_histograms},
	{.method = WEB_GET,
		.path = "/api/v1/histograms/content",
		.least = ACCESS_VISITOR,
		.operation = "getHistogram",
		.tag = "histograms",
		.summary = "A histogram as it is now",
		.query = &form_table,
		.answers = histogram_answers,
		.handle = get_histogram},
	ROOT_ROUTE("getRootTree", "/h.json", "The tree that a JSROOT page in online mode asks for", tree_answers,
		get_tree),
	ROOT_ROUTE("getRootObject", "/{job}/{name}/root.json", "A histogram for JSROOT", histogram_answers,
		get_root_object),
	ROOT_ROUTE("getRootObjectPacked", "/{job}/{name}/root.json.gz", "The same as gzip, which JSROOT asks for",
		histogram_answers, get_packed_object),
	{0},
};
