/* runs_book.c: see the header. */
#include "cli/runs_book.h"

#include <glob.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <enrgdaq/client.h>

#include "base/path.h"

/* --- which one --- */

/* The value of an option, "--NAME VALUE" or "--NAME=VALUE"; with `is_taken` it is taken out. */
static const char *find_option(int *argc, char **argv, const char *name, bool is_taken)
{
	size_t length = strlen(name);

	for (int i = 1; i < *argc && strcmp(argv[i], "--") != 0; i++) {
		bool has_value = !strncmp(argv[i], name, length) && argv[i][length] == '=';
		if (!has_value && (strcmp(argv[i], name) != 0 || i + 1 == *argc))
			continue;
		const char *value = has_value ? argv[i] + length + 1 : argv[i + 1];
		int used = has_value ? 1 : 2;
		for (int k = i; is_taken && k + used <= *argc; k++)
			argv[k] = argv[k + used];
		*argc -= is_taken ? used : 0;
		return value;
	}
	return NULL;
}

/* What its supervisor has left in its runtime folder. */
static bool read_place(const struct enrg_supervisor *supervisor, struct runs_book *ret_book)
{
	char path[PATH_MAX], *text;
	size_t bytes;

	snprintf(path, sizeof(path), "%s/book.json", supervisor->folder);
	if (path_read_file(path, 1 << 16, &text, &bytes, NULL))
		return false;
	json_t *json = json_loadb(text, bytes, 0, NULL);
	const char *database = json_string_value(json_object_get(json, "database"));
	const char *folder = json_string_value(json_object_get(json, "folder"));
	if (database && folder) {
		snprintf(ret_book->database, sizeof(ret_book->database), "%s", database);
		snprintf(ret_book->folder, sizeof(ret_book->folder), "%s", folder);
		snprintf(ret_book->supervisor, sizeof(ret_book->supervisor), "%s",
			supervisor->is_running ? supervisor->name : "");
	}
	free(text);
	json_decref(json);
	return database && folder;
}

static bool is_book_here(void)
{
	glob_t found = {0};

	glob("out/runs_*.sqlite", 0, NULL, &found);
	glob("runs_*.sqlite", found.gl_pathc ? GLOB_APPEND : 0, NULL, &found);
	bool is_here = found.gl_pathc > 0;
	globfree(&found);
	return is_here;
}

static bool is_same_file(const char *one, const char *other)
{
	char first[PATH_MAX], second[PATH_MAX];

	return realpath(one, first) && realpath(other, second) && !strcmp(first, second);
}

/* Below this runtime folder: systems of other ones are named to people, and can't be meant. */
static bool is_here(const struct enrg_supervisor *supervisor)
{
	char root[PATH_MAX];
	size_t length;

	if (path_runtime_folder(root, sizeof(root), NULL))
		return false;
	length = strlen(root);
	return !strncmp(supervisor->folder, root, length) && supervisor->folder[length] == '/';
}

/* Of those that have run here: `database` (NULL: any), or `id`; one that runs comes before one that has. */
static unsigned look_for(const struct enrg_supervisors *list, const char *id, const char *database, bool runs,
	struct runs_book *ret_book)
{
	struct runs_book book;
	unsigned count = 0;

	for (uint32_t i = 0; i < enrg_supervisors_count(list); i++) {
		const struct enrg_supervisor *supervisor = enrg_supervisors_get(list, i);
		if (!is_here(supervisor) || (runs && !supervisor->is_running) ||
			(id && strcmp(id, supervisor->name) != 0) || !read_place(supervisor, &book) ||
			(database && !is_same_file(database, book.database)))
			continue;
		*ret_book = book;
		count++;
	}
	return count;
}

int runs_book_find(int *argc, char **argv, struct runs_book *ret_book)
{
	const char *id = find_option(argc, argv, "--id", true),
		   *database = find_option(argc, argv, "--database", false);
	struct enrg_supervisors *list = NULL;
	struct runs_book book = {0};
	unsigned count;

	*ret_book = book;
	if (enrg_supervisors_list(&list, NULL))
		list = NULL;
	count = list ? look_for(list, id, database, true, &book) : 0;
	if (count == 1)
		*ret_book = book;
	else if (list && !count && (id || (!database && !is_book_here())) &&
		 look_for(list, id, NULL, false, &book) == 1)
		*ret_book = book;
	enrg_supervisors_destroy(list);
	ret_book->is_named = database != NULL;
	if (database)
		snprintf(ret_book->database, sizeof(ret_book->database), "%s", database);
	if (id && !*ret_book->database)
		fprintf(stderr, "enrgdaq runs: no system \"%s\" has a run book here\n", id);
	else if (count > 1)
		fprintf(stderr,
			"enrgdaq runs: several systems run: --id ID or --database FILE names the one that is meant\n");
	return (id && !*ret_book->database) || count > 1 ? 1 : 0;
}
