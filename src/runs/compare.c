/* compare.c: see the header. Pure. */
#include "runs/compare.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "runs/lines.h"
#include "runs/reader.h"

static const char *text_of(const json_t *json, const char *key)
{
	const char *text = json_string_value(json_object_get(json, key));

	return text ? text : "";
}

static json_t *pair(const json_t *from, const json_t *to)
{
	return json_pack(
		"{s:O, s:O}", "from", from ? (json_t *)from : json_null(), "to", to ? (json_t *)to : json_null());
}

static bool is_value(const json_t *json)
{
	return !json || (!json_is_object(json) && !json_is_array(json));
}

/* Values that differ, of two objects. */
static json_t *compare_objects(const json_t *from, const json_t *to)
{
	json_t *changes = json_object(), *value;
	const char *key;

	json_object_foreach((json_t *)from, key, value)
	{
		const json_t *other = json_object_get(to, key);
		if (is_value(value) && is_value(other) && !json_equal(value, (json_t *)other))
			json_object_set_new(changes, key, pair(value, other));
	}
	json_object_foreach((json_t *)to, key, value)
	{
		if (is_value(value) && !json_object_get(from, key))
			json_object_set_new(changes, key, pair(NULL, value));
	}
	return changes;
}

/* Of objects of objects, by name; what is the same is left out. */
static json_t *compare_all(const json_t *from, const json_t *to)
{
	json_t *changes = json_object(), *value;
	const char *name;

	json_object_foreach((json_t *)from, name, value)
	{
		json_t *one = compare_objects(value, json_object_get(to, name));
		if (json_object_size(one))
			json_object_set(changes, name, one);
		json_decref(one);
	}
	json_object_foreach((json_t *)to, name, value)
	{
		if (!json_object_get(from, name))
			json_object_set_new(changes, name, compare_objects(NULL, value));
	}
	return changes;
}

static json_t *list_libraries(const json_t *begin)
{
	const json_t *versions = json_object_get(begin, "versions"),
		     *libraries = json_object_get(versions, "libraries");
	json_t *all = json_object(), *value;
	const char *key;

	json_object_foreach((json_t *)versions, key, value)
	{
		if (is_value(value))
			json_object_set(all, key, value);
	}
	for (size_t i = 0; i < json_array_size(libraries); i++) {
		const json_t *library = json_array_get(libraries, i);
		json_object_set(all, text_of(library, "name"), json_object_get(library, "file"));
	}
	json_object_set(all, "kernel", json_object_get(json_object_get(begin, "host"), "kernel"));
	json_object_set(all, "host", json_object_get(json_object_get(begin, "host"), "name"));
	return all;
}

static json_t *compare_versions(const json_t *from, const json_t *to)
{
	json_t *a = list_libraries(reader_newest(from, "begin")), *b = list_libraries(reader_newest(to, "begin"));
	json_t *changes = compare_objects(a, b);

	json_decref(a);
	json_decref(b);
	return changes;
}

/* Of the end, or of the last progress. */
static const json_t *find_last(const json_t *run, const char *key)
{
	const json_t *found = json_object_get(reader_newest(run, "end"), key);

	return found ? found : json_object_get(reader_newest(run, "progress"), key);
}

/* {"SOURCE -> STORE": {key: count}}, and of each source by its own name. */
static json_t *list_account(const json_t *run)
{
	const json_t *sources = json_object_get(find_last(run, "account"), "sources");
	json_t *all = json_object();
	char name[600];

	for (size_t i = 0; i < json_array_size(sources); i++) {
		json_t *source = json_array_get(sources, i), *stores = json_object_get(source, "stores");
		json_object_set(all, text_of(source, "source"), source);
		for (size_t k = 0; k < json_array_size(stores); k++) {
			json_t *store = json_array_get(stores, k);
			snprintf(name, sizeof(name), "%.250s -> %.250s", text_of(source, "source"),
				text_of(store, "store"));
			json_object_set(all, name, store);
		}
	}
	return all;
}

static json_t *compare_accounts(const json_t *from, const json_t *to)
{
	json_t *a = list_account(from), *b = list_account(to), *changes = compare_all(a, b), *value;
	const char *name;

	json_object_foreach(changes, name, value)
	{
		json_object_del(value, "began_wall_ns"); /* never the same */
		json_object_del(value, "ended_wall_ns");
	}
	json_decref(a);
	json_decref(b);
	return changes;
}

static json_t *compare_settings(const json_t *from, const json_t *to)
{
	static const char *const keys[] = {"type", "description", "quality", "supervisor"};
	json_t *a = json_object(), *b = json_object();

	for (size_t i = 0; i < sizeof(keys) / sizeof(*keys); i++) {
		json_object_set(a, keys[i], json_object_get(from, keys[i]));
		json_object_set(b, keys[i], json_object_get(to, keys[i]));
	}
	json_object_update(a, json_object_get(reader_newest(from, "begin"), "values"));
	json_object_update(b, json_object_get(reader_newest(to, "begin"), "values"));
	json_t *changes = compare_objects(a, b);
	json_decref(a);
	json_decref(b);
	return changes;
}

json_t *compare_runs(const json_t *from, const json_t *to)
{
	json_t *config = lines_diff(
		text_of(reader_newest(from, "begin"), "config"), text_of(reader_newest(to, "begin"), "config"));

	if (!config)
		return NULL;
	return json_pack("{s:O, s:O, s:o, s:o, s:o, s:o, s:o}", "from", json_object_get(from, "number"), "to",
		json_object_get(to, "number"), "config", config, "versions", compare_versions(from, to), "settings",
		compare_settings(from, to), "ledger", compare_accounts(from, to), "rates",
		compare_all(find_last(from, "rates"), find_last(to, "rates")));
}

/* --- for people --------------------------------------------------------------------------------------------------- */

static void print_safe(const char *text, FILE *stream)
{
	char safe[1000];

	text_copy(safe, sizeof(safe), text);
	text_make_safe(safe, strlen(safe));
	fputs(safe, stream);
}

static void print_value(const json_t *value, FILE *stream)
{
	if (!value || json_is_null(value)) {
		fputs("(none)", stream);
	} else if (json_is_string(value)) {
		print_safe(*json_string_value(value) ? json_string_value(value) : "\"\"", stream);
	} else if (json_is_real(value)) {
		fprintf(stream, "%.6g", json_real_value(value));
	} else {
		char *text = json_dumps(value, JSON_ENCODE_ANY);
		fputs(text ? text : "?", stream);
		free(text);
	}
}

static void print_changes(const char *indent, const json_t *changes, FILE *stream)
{
	const char *key;
	json_t *change;

	json_object_foreach((json_t *)changes, key, change)
	{
		fputs(indent, stream);
		print_safe(key, stream);
		fputs(": ", stream);
		print_value(json_object_get(change, "from"), stream);
		fputs(" -> ", stream);
		print_value(json_object_get(change, "to"), stream);
		fputc('\n', stream);
	}
}

static void print_groups(const char *title, const json_t *groups, FILE *stream)
{
	const char *name;
	json_t *changes;

	if (!json_object_size(groups))
		return;
	fprintf(stream, "%s\n", title);
	json_object_foreach((json_t *)groups, name, changes)
	{
		fputs("  ", stream);
		print_safe(name, stream);
		fputc('\n', stream);
		print_changes("    ", changes, stream);
	}
}

static void print_flat(const char *title, const json_t *changes, FILE *stream)
{
	if (!json_object_size(changes))
		return;
	fprintf(stream, "%s\n", title);
	print_changes("  ", changes, stream);
}

void compare_print(const json_t *comparison, FILE *stream)
{
	const json_t *config = json_object_get(comparison, "config");

	if (json_array_size(config))
		fprintf(stream, "--- run %lld\n+++ run %lld\n",
			(long long)json_integer_value(json_object_get(comparison, "from")),
			(long long)json_integer_value(json_object_get(comparison, "to")));
	else
		fputs("the configuration is the same\n", stream);
	for (size_t i = 0; i < json_array_size(config); i++) {
		print_safe(json_string_value(json_array_get(config, i)), stream);
		fputc('\n', stream);
	}
	print_flat("settings", json_object_get(comparison, "settings"), stream);
	print_flat("versions", json_object_get(comparison, "versions"), stream);
	print_groups("ledger", json_object_get(comparison, "ledger"), stream);
	print_groups("rates", json_object_get(comparison, "rates"), stream);
}
