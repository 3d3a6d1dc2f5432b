/* crate.c: see the header. One flat list of entities that refer to each other by their @id. Pure. */
#include "runs/crate.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "runs/reader.h"

#define ID_BYTES 8192u

static const char *text_of(const json_t *json, const char *key)
{
	const char *text = json_string_value(json_object_get(json, key));

	return text ? text : "";
}

static void set_text(json_t *entity, const char *key, const char *text)
{
	if (*text)
		json_object_set_new(entity, key, json_string(text));
}

static json_t *refer(const char *id)
{
	return json_pack("{s:s}", "@id", id);
}

static json_t *add_entity(json_t *graph, const char *id, const char *type)
{
	json_t *entity = json_pack("{s:s, s:s}", "@id", id, "@type", type);

	json_array_append_new(graph, entity);
	return entity;
}

/* --- identifiers -------------------------------------------------------------------------------------------------- */

/* As in a URI: what has a meaning there, and all that is not ASCII, as %XX. */
static void append_escaped(char ret_id[ID_BYTES], const char *text)
{
	size_t used = strlen(ret_id);

	for (; *text && used + 4 < ID_BYTES; text++) {
		unsigned char letter = (unsigned char)*text;
		bool is_plain = (letter >= 'a' && letter <= 'z') || (letter >= 'A' && letter <= 'Z') ||
				(letter >= '0' && letter <= '9') || strchr("-._~/+@=,", letter);
		used += (size_t)snprintf(ret_id + used, ID_BYTES - used, is_plain ? "%c" : "%%%02X", letter);
	}
}

static void format_id(const char *folder, const char *path, char ret_id[ID_BYTES])
{
	size_t length = folder ? strlen(folder) : 0;
	bool is_inside = folder && !strncmp(path, folder, length) && path[length] == '/';

	snprintf(ret_id, ID_BYTES, "%s", is_inside ? "" : "file://");
	append_escaped(ret_id, is_inside ? path + length + 1 : path);
}

/* --- files -------------------------------------------------------------------------------------------------------- */

static const char *find_encoding(const char *format, const char *path)
{
	static const struct {
		const char *format, *encoding;
	} encodings[] = {{"arrow", "application/vnd.apache.arrow.stream"}, {"csv", "text/csv"},
		{"hdf5", "application/x-hdf5"}, {"root", "application/x-root"}, {"sqlite", "application/vnd.sqlite3"}};
	size_t length = strlen(path);

	if (length > 5 && !strcmp(path + length - 5, ".zst"))
		return "application/zstd";
	for (size_t i = 0; i < sizeof(encodings) / sizeof(*encodings); i++)
		if (!strcmp(encodings[i].format, format))
			return encodings[i].encoding;
	return "application/octet-stream";
}

static void add_file(json_t *graph, json_t *parts, const json_t *file, const char *folder)
{
	const char *path = text_of(file, "path"), *slash = strrchr(path, '/'), *state = text_of(file, "state");
	char id[ID_BYTES], number[32];

	format_id(folder, path, id);
	json_t *entity = add_entity(graph, id, "File");
	json_array_append_new(parts, refer(id));
	set_text(entity, "name", slash ? slash + 1 : path);
	set_text(entity, "encodingFormat", find_encoding(text_of(file, "format"), path));
	set_text(entity, "sha256", text_of(file, "sha256"));
	if (json_is_integer(json_object_get(file, "bytes"))) {
		snprintf(number, sizeof(number), "%lld", (long long)json_integer_value(json_object_get(file, "bytes")));
		set_text(entity, "contentSize", number);
	}
	if (json_is_integer(json_object_get(file, "rows"))) {
		char text[120];
		snprintf(text, sizeof(text), "%lld rows of this run, written by %.60s",
			(long long)json_integer_value(json_object_get(file, "rows")), text_of(file, "store"));
		set_text(entity, "description", text);
	}
	if (!strcmp(state, "deleted") || !strcmp(state, "archived") || !strcmp(state, "moved"))
		set_text(entity, "creativeWorkStatus", state);
}

static json_t *add_files(json_t *graph, const json_t *run, const char *folder)
{
	const json_t *files = json_object_get(run, "files");
	json_t *parts = json_array();

	for (size_t i = 0; i < json_array_size(files); i++)
		add_file(graph, parts, json_array_get(files, i), folder);
	return parts;
}

/* --- who, and with what ------------------------------------------------------------------------------------------- */

static json_t *add_authors(json_t *graph, const json_t *begin)
{
	const json_t *authors = json_object_get(begin, "authors");
	json_t *list = json_array();

	for (size_t i = 0; i < json_array_size(authors); i++) {
		const json_t *author = json_array_get(authors, i);
		char id[300];
		if (*text_of(author, "orcid"))
			snprintf(id, sizeof(id), "https://orcid.org/%.200s", text_of(author, "orcid"));
		else
			snprintf(id, sizeof(id), "#author-%zu", i + 1);
		json_t *entity = add_entity(graph, id, "Person");
		set_text(entity, "name", text_of(author, "name"));
		set_text(entity, "affiliation", text_of(author, "affiliation"));
		json_array_append_new(list, refer(id));
	}
	return list;
}

static json_t *add_instruments(json_t *graph, const json_t *begin, const json_t *hardware)
{
	const json_t *versions = json_object_get(begin, "versions");
	json_t *list = json_array(), *program = add_entity(graph, "#enrgdaq", "SoftwareApplication");
	const char *job;
	json_t *identity;
	char id[ID_BYTES], version[200];

	snprintf(version, sizeof(version), "%.80s%s%.80s", text_of(versions, "enrgdaq"),
		*text_of(versions, "commit") ? ", commit " : "", text_of(versions, "commit"));
	set_text(program, "name", "ENRGDAQ");
	set_text(program, "softwareVersion", version);
	set_text(program, "operatingSystem", text_of(json_object_get(begin, "host"), "system"));
	json_array_append_new(list, refer("#enrgdaq"));
	json_object_foreach((json_t *)hardware, job, identity)
	{
		snprintf(id, sizeof(id), "#instrument-");
		append_escaped(id, job);
		json_t *entity = add_entity(graph, id, "IndividualProduct");
		set_text(entity, "name", *text_of(identity, "model") ? text_of(identity, "model") : job);
		set_text(entity, "model", text_of(identity, "model"));
		set_text(entity, "serialNumber", text_of(identity, "serial"));
		set_text(entity, "description", text_of(identity, "firmware"));
		json_array_append_new(list, refer(id));
	}
	return list;
}

static const char *add_config(json_t *graph, const json_t *begin, const char *folder)
{
	const char *id = folder ? CRATE_CONFIG_NAME : "#configuration";
	json_t *entity = add_entity(graph, id, folder ? "File" : "CreativeWork");

	set_text(entity, "name", "Configuration, secrets masked");
	set_text(entity, "encodingFormat", "application/toml");
	set_text(entity, "sha256", text_of(begin, "config_sha256"));
	if (!folder)
		set_text(entity, "text", text_of(begin, "config"));
	return id;
}

/* --- the whole ---------------------------------------------------------------------------------------------------- */

static void add_action(json_t *graph, const json_t *run, json_t *instruments, const char *config, const json_t *parts)
{
	const json_t *begin = reader_newest(run, "begin");
	const char *who = text_of(json_object_get(begin, "by"), "who"), *quality = text_of(run, "quality");
	char id[100];

	snprintf(id, sizeof(id), "#run-%.60s", text_of(run, "uuid"));
	json_t *action = add_entity(graph, id, "CreateAction");
	set_text(action, "name", text_of(run, "run"));
	set_text(action, "description", text_of(run, "description"));
	set_text(action, "startTime", text_of(run, "began"));
	set_text(action, "endTime", text_of(run, "ended"));
	set_text(action, "actionStatus",
		!*text_of(run, "ended")       ? "http://schema.org/ActiveActionStatus"
		: !strcmp(quality, "aborted") ? "http://schema.org/FailedActionStatus"
					      : "http://schema.org/CompletedActionStatus");
	set_text(action, "error", !strcmp(quality, "complete") ? "" : text_of(reader_newest(run, "end"), "reason"));
	if (*who) {
		set_text(add_entity(graph, "#operator", "Person"), "name", who);
		json_object_set_new(action, "agent", refer("#operator"));
	}
	json_object_set_new(action, "instrument", instruments);
	json_object_set_new(action, "object", refer(config));
	json_object_set_new(action, "result", json_deep_copy(parts));
}

static void describe(json_t *dataset, json_t *graph, const json_t *run)
{
	const json_t *begin = reader_newest(run, "begin");
	const char *license = text_of(begin, "license");
	char name[300], date[40];

	snprintf(name, sizeof(name), "Run %lld of %.100s%s%.100s",
		(long long)json_integer_value(json_object_get(run, "number")), text_of(run, "supervisor"),
		*text_of(run, "type") ? ": " : "", text_of(run, "type"));
	clock_format_utc(clock_wall_ns(), date, sizeof(date));
	set_text(dataset, "name", name);
	set_text(dataset, "description", *text_of(run, "description") ? text_of(run, "description") : name);
	set_text(dataset, "datePublished", date);
	set_text(dataset, "identifier", text_of(run, "uuid"));
	set_text(dataset, "publisher", text_of(begin, "publisher"));
	if (!strncmp(license, "http", 4)) {
		json_object_set_new(dataset, "license", refer(license));
		set_text(add_entity(graph, license, "CreativeWork"), "name", license);
	} else {
		set_text(dataset, "license", *license ? license : "No license was named (runs.license)");
	}
}

json_t *crate_make(const json_t *run, const char *folder)
{
	const json_t *begin = reader_newest(run, "begin"), *last = reader_newest(run, "end");
	json_t *graph = json_array(), *crate;

	if (!json_object_get(last, "hardware"))
		last = reader_newest(run, "progress");
	crate = json_pack("{s:s, s:o}", "@context", "https://w3id.org/ro/crate/1.2/context", "@graph", graph);
	if (!crate)
		return NULL;
	json_t *self = add_entity(graph, CRATE_METADATA_NAME, "CreativeWork");
	json_object_set_new(self, "conformsTo", refer("https://w3id.org/ro/crate/1.2"));
	json_object_set_new(self, "about", refer("./"));
	json_t *dataset = add_entity(graph, "./", "Dataset");
	describe(dataset, graph, run);
	json_t *parts = add_files(graph, run, folder);
	const char *config = add_config(graph, begin, folder);
	json_t *authors = add_authors(graph, begin);
	if (json_array_size(authors))
		json_object_set(dataset, "author", authors);
	json_decref(authors);
	add_action(graph, run, add_instruments(graph, begin, json_object_get(last, "hardware")), config, parts);
	if (folder)
		json_array_append_new(parts, refer(config));
	json_object_set_new(dataset, "hasPart", json_deep_copy(parts));
	json_decref(parts);
	char id[100];
	snprintf(id, sizeof(id), "#run-%.60s", text_of(run, "uuid"));
	json_object_set_new(dataset, "mentions", refer(id));
	return crate;
}
