/* folder_stores.c: could the stores of a folder ever write what its sections ask for? Supervisor and command line, on
 * their main threads, before anything starts: a store that finds out later holds its producers back for ever.
 */
#include "config/folder_inputs.h"
#include "config/folder_stores.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* A section on its way to one store job. */
struct way {
	const struct job_config *producer, *store;
	const struct job_store_section *section;
	char path[FOLDER_PATH_BYTES_MAX + 1]; /* "" = leads to no file */
	/* What stands in the name beside the path: two ways with other parts lead to other files. */
	bool has_day, has_run, has_time;
};

/* --- one section ---------------------------------------------------------------------------------------------------
 */

/* Where the key stands, else the section as a whole. */
static int line_of(const struct toml_node *table, const char *key)
{
	const struct toml_node *node = toml_find(table, key);

	return node ? node->line : table->line;
}

__attribute__((format(printf, 4, 5))) static void refuse(
	struct problems *problems, const struct way *way, const char *key, const char *format, ...)
{
	const struct job_store_section *section = way->section;
	char text[1500];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	problems_add(problems, false, way->producer->file, line_of(section->node, key), "%s.%s.%s: %s", section->group,
		section->store_type->store->section, key, text);
}

/* The option of that key and kind in the table or what it includes; *ret_value is its member in `values`. */
static bool find_value(const struct enrg_table *table, const void *values, const char *key, enum enrg_option_kind kind,
	const void **ret_value)
{
	for (const struct enrg_option *option = table->options; option && option->key; option++) {
		const void *member = (const char *)values + option->offset;
		if (option->kind == ENRG_OPTION_INCLUDE && find_value(option->table, member, key, kind, ret_value))
			return true;
		if (option->kind == kind && !strcmp(option->key, key)) {
			*ret_value = member;
			return true;
		}
	}
	return false;
}

/* NULL: the table has no such key. */
static const char *find_text(const struct enrg_table *table, const void *values, const char *key)
{
	const void *value;
	const char *text;

	if (!find_value(table, values, key, ENRG_OPTION_STRING, &value))
		return NULL;
	memcpy(&text, value, sizeof(text));
	return text;
}

static bool is_set(const struct enrg_table *table, const void *values, const char *key)
{
	const void *value;

	if (find_value(table, values, key, ENRG_OPTION_BOOL, &value))
		return *(const bool *)value;
	return find_value(table, values, key, ENRG_OPTION_FLOAT, &value) && *(const double *)value > 0;
}

/* The type's own judgement. Its text begins with the key, of the section or of the store's file. */
static void ask_type(const struct way *way, struct problems *problems)
{
	const struct enrg_store_type *type = way->store->type->store;
	struct enrg_error err = {0};
	char key[100];

	if (!type->check || type->check(way->store->options, way->section->options, &err) == 0)
		return;
	snprintf(key, sizeof(key), "%.*s", (int)strcspn(err.text, ":"), err.text);
	for (const struct enrg_option *option = type->options.options; option && option->key; option++)
		if (!strcmp(option->key, key)) {
			problems_add(problems, false, way->store->file, line_of(way->store->root, key), "%s", err.text);
			return;
		}
	problems_add(problems, false, way->producer->file, line_of(way->section->node, key), "%s.%s.%s",
		way->section->group, type->section, err.text);
}

/* --- files ---------------------------------------------------------------------------------------------------------
 */

/* NULL: a name that could be a file below the folder. Else what was expected. */
static const char *judge_name(const char *file_path)
{
	const char *slash = strrchr(file_path, '/'), *own = slash ? slash + 1 : file_path;

	if (*file_path == '/')
		return "a name below out_dir without \"/\" at the start (files for another folder need a store job "
		       "with that "
		       "out_dir)";
	if (!*own || !strcmp(own, "."))
		return "the name of a file";
	if (strlen(own) > FOLDER_FILE_BYTES_MAX)
		return "a name of at most 200 bytes, so that day, tag and part find room in it";
	for (const char *at = file_path; *at;) {
		size_t length = strcspn(at, "/");
		if (length == 2 && !strncmp(at, "..", 2))
			return "a name below out_dir without a part \"..\" (files for another folder need a store job "
			       "with "
			       "that out_dir)";
		if (length > NAME_MAX)
			return "folders with names of at most 255 bytes";
		at += length + (at[length] == '/');
	}
	return NULL;
}

/* Follows links as far as there is something; what is not there yet stays as it is written, without "." and empty
 * parts.
 */
static int resolve(const char *path, char *ret_path, size_t path_bytes)
{
	char head[PATH_MAX], real[PATH_MAX];
	size_t length = strlen(path), used;

	for (;;) {
		snprintf(head, sizeof(head), "%.*s", (int)length, path);
		if (realpath(length ? head : *path == '/' ? "/" : ".", real))
			break;
		if (errno != ENOENT || !length)
			return -errno;
		while (length && path[length - 1] != '/')
			length--;
		while (length && path[length - 1] == '/')
			length--;
	}
	used = (size_t)snprintf(ret_path, path_bytes, "%s", strcmp(real, "/") ? real : "");
	for (const char *at = path + length; *at && used < path_bytes; at += strcspn(at, "/")) {
		at += strspn(at, "/");
		int count = (int)strcspn(at, "/");
		if (count && !(count == 1 && *at == '.'))
			used += (size_t)snprintf(ret_path + used, path_bytes - used, "/%.*s", count, at);
	}
	return used < path_bytes ? 0 : -ENAMETOOLONG;
}

/* Is something in the way: a folder of that name, a file where a folder is to be? */
static void look(struct way *way, const char *path, struct problems *problems)
{
	bool is_plain = !way->has_day && !way->has_run && !way->has_time;
	struct stat status;
	int rc = resolve(path, way->path, sizeof(way->path));

	if (rc == -ENAMETOOLONG)
		refuse(problems, way, "file_path",
			"the path with its folders is too long (at most %u bytes, at most 255 each): shorten it, or "
			"out_dir in %s",
			FOLDER_PATH_BYTES_MAX, way->store->file);
	else if (rc == -ENOTDIR || rc == -ELOOP)
		refuse(problems, way, "file_path", "%s: %s: change it, or out_dir in %s", path,
			rc == -ELOOP ? "its links lead in a circle" : "a file lies where a folder is to be",
			way->store->file);
	else if (!rc && is_plain && !stat(way->path, &status) && !S_ISREG(status.st_mode))
		refuse(problems, way, "file_path",
			"%s is a folder or another thing that is not a file; take another name", path);
	else if (!rc)
		return;
	way->path[0] = '\0';
}

static void find_file(struct way *way, struct problems *problems)
{
	const struct enrg_store_type *type = way->store->type->store;
	const struct enrg_table *table = &type->section_options;
	const void *section = way->section->options, *value;
	const char *file_path = find_text(table, section, "file_path"), *expected, *out_dir;
	char path[PATH_MAX];

	if (!file_path || !find_value(&type->options, way->store->options, "out_dir", ENRG_OPTION_STRING, &value))
		return;
	expected = judge_name(file_path);
	if (expected) {
		refuse(problems, way, "file_path", "expected %s, found \"%.60s%s\"", expected, file_path,
			strlen(file_path) > 60 ? "…" : "");
		return;
	}
	way->has_day = is_set(table, section, "add_date");
	if (!is_set(table, section, "overwrite")) { /* which has no parts */
		way->has_run = is_set(&type->options, way->store->options, "rotate_run");
		way->has_time = is_set(&type->options, way->store->options, "rotate_mb") ||
				is_set(&type->options, way->store->options, "rotate_seconds");
	}
	out_dir = find_text(&type->options, way->store->options, "out_dir");
	if (snprintf(path, sizeof(path), "%s%s%s", out_dir ? out_dir : "", out_dir && *out_dir ? "/" : "", file_path) >=
		(int)sizeof(path))
		refuse(problems, way, "file_path", "the path with its folders is too long");
	else
		look(way, path, problems);
}

/* --- two stores, one file ------------------------------------------------------------------------------------------
 */

static bool is_same_file(const struct way *way, const struct way *other)
{
	return way->path[0] && !strcmp(way->path, other->path) && way->has_day == other->has_day &&
	       way->has_run == other->has_run && way->has_time == other->has_time;
}

/* Several producers may lead to one file of one store; two stores are two processes, of which the second is shut out.
 */
static void compare(const struct way *ways, size_t index, struct problems *problems)
{
	const struct way *way = &ways[index];

	for (size_t i = 0; i < index; i++) {
		const struct way *other = &ways[i];
		if (other->store == way->store || !is_same_file(way, other))
			continue;
		if (other->section == way->section)
			refuse(problems, way, "file_path",
				"the stores %s (%s) and %s (%s) would both write %s; give each an out_dir of its own, "
				"or remove one",
				other->store->name, other->store->file, way->store->name, way->store->file, way->path);
		else
			refuse(problems, way, "file_path",
				"the store %s would write %s, which the store %s writes for %s:%d; change the name "
				"here or there, or the out_dir of one store",
				way->store->name, way->path, other->store->name, other->producer->file,
				line_of(other->section->node, "file_path"));
		return;
	}
}

/* --- all ------------------------------------------------------------------------------------------------------------
 */

static struct way *list_ways(const struct folder *folder, size_t *ret_count, struct problems *problems)
{
	struct way *ways = NULL;
	size_t count = 0;

	for (size_t i = 0; i < folder->job_count; i++)
		for (size_t j = 0; j < folder->jobs[i].section_count; j++)
			for (size_t k = 0; k < folder->job_count; k++) {
				const struct job_store_section *section = &folder->jobs[i].sections[j];
				const struct job_config *store = &folder->jobs[k];
				struct way *grown;
				if (store->type != section->store_type || !store->options || !section->options)
					continue;
				grown = realloc(ways, (count + 1) * sizeof(*ways));
				if (!grown) {
					problems_add(problems, false, folder->jobs[i].file, 0, "out of memory");
					free(ways);
					return NULL;
				}
				ways = grown;
				ways[count++] =
					(struct way){.producer = &folder->jobs[i], .store = store, .section = section};
			}
	*ret_count = count;
	return ways;
}

/* --- how many ------------------------------------------------------------------------------------------------------
 */

bool folder_takes(const struct job_config *store, const struct job_config *producer)
{
	for (size_t i = 0; store->type->store && i < producer->section_count; i++)
		if (!strcmp(producer->sections[i].store_type->name, store->type->name))
			return true;
	return folder_reads(store, producer, NULL);
}

static void check_count(const struct folder *folder, const struct job_config *producer, struct problems *problems)
{
	size_t count = 0;

	for (size_t i = 0; i < folder->job_count; i++)
		count += folder_takes(&folder->jobs[i], producer);
	if (count > FOLDER_STORES_MAX)
		problems_add(problems, false, producer->file,
			producer->section_count ? producer->sections[0].node->line : 0,
			"%zu store jobs and processors take the data of %s, and at most %u can: remove a section, a "
			"store job or an [[input]]",
			count, producer->name, FOLDER_STORES_MAX);
}

void folder_check_stores(const struct folder *folder, struct problems *problems)
{
	size_t count = 0;
	struct way *ways = list_ways(folder, &count, problems);

	for (size_t i = 0; i < count; i++) {
		size_t before = problems->errors;
		find_file(&ways[i], problems);
		ask_type(&ways[i], problems);
		compare(ways, i, problems);
		/* A name that is wrong for one store is wrong for all of its type. */
		while (problems->errors > before && i + 1 < count && ways[i + 1].section == ways[i].section)
			i++;
	}
	free(ways);
	for (size_t i = 0; i < folder->job_count; i++)
		check_count(folder, &folder->jobs[i], problems);
}
