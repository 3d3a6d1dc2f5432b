/* access.c: `enrgdaq token`, `enrgdaq user`, `enrgdaq certificate`: find the folder of a system, and let the program
 * enrgdaq-access do the rest. */
#include "cli/access.h"

#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <jansson.h>

#include <enrgdaq/client.h>

#include "base/program.h"
#include "base/path.h"
#include "cli/cli.h"
#include "config/folder.h"
#include "supervisor/web_folder.h"

#define PROGRAM "enrgdaq-access"

/* Of "--NAME VALUE" and "--NAME=VALUE"; NULL: not there. Taken out where `is_taken`. */
static char *find_option(int *argc, char **argv, const char *name, bool is_taken)
{
	size_t length = strlen(name);

	for (int i = 1; i < *argc && strcmp(argv[i], "--") != 0; i++) {
		bool has_value = !strncmp(argv[i], name, length) && argv[i][length] == '=';
		if (!has_value && (strcmp(argv[i], name) != 0 || i + 1 == *argc))
			continue;
		char *value = has_value ? argv[i] + length + 1 : argv[i + 1];
		int used = has_value ? 1 : 2;
		for (int k = i; is_taken && k + used <= *argc; k++)
			argv[k] = argv[k + used];
		*argc -= is_taken ? used : 0;
		return value;
	}
	return NULL;
}

static bool asks_for_help(int argc, char **argv)
{
	for (int i = 1; i < argc; i++)
		if (!strcmp(argv[i], "--help") || !strcmp(argv[i], "-h"))
			return true;
	return false;
}

/* Takes the place of this process. `folder` NULL: none is needed. */
static int call_program(const char *name, int argc, char **argv, char *folder)
{
	char path[4096], option[] = "--folder", program[] = PROGRAM;
	char **words = calloc((size_t)argc + 5, sizeof(*words));
	size_t used = 0;

	if (!words || program_find(PROGRAM, "ENRGDAQ_ACCESS_BIN", path, sizeof(path))) {
		fprintf(stderr, "enrgdaq %s: the program " PROGRAM " is not installed, which does it\n", name);
		free(words);
		return 1;
	}
	words[used++] = program;
	words[used++] = (char *)(uintptr_t)name;
	if (folder) {
		words[used++] = option;
		words[used++] = folder;
	}
	memcpy(words + used, argv + 1, (size_t)(argc - 1) * sizeof(*argv));
	fflush(stdout);
	execv(path, words);
	fprintf(stderr, "enrgdaq %s: %s: %s\n", name, path, strerror(errno));
	free(words);
	return 1;
}

/* --- which folder --- */

/* What its supervisor has left in its runtime folder. */
static bool read_place(const struct enrg_supervisor *supervisor, char ret_folder[PATH_MAX])
{
	char path[PATH_MAX], *text;
	size_t bytes;

	snprintf(path, sizeof(path), "%s/web.json", supervisor->folder);
	if (path_read_file(path, 1 << 16, &text, &bytes, NULL))
		return false;
	json_t *json = json_loadb(text, bytes, 0, NULL);
	const char *folder = json_string_value(json_object_get(json, "folder"));
	if (folder)
		snprintf(ret_folder, PATH_MAX, "%s", folder);
	free(text);
	json_decref(json);
	return folder != NULL;
}

/* Below this runtime folder: systems of other ones are named to people, and can't be meant. */
static bool is_here(const struct enrg_supervisor *supervisor)
{
	char root[PATH_MAX];

	if (path_runtime_folder(root, sizeof(root), NULL))
		return false;
	size_t length = strlen(root);
	return !strncmp(supervisor->folder, root, length) && supervisor->folder[length] == '/';
}

/* Of those that run here, or have run; `id` NULL: any. */
static unsigned look_for(const struct enrg_supervisors *list, const char *id, bool runs, char ret_folder[PATH_MAX])
{
	unsigned count = 0;

	for (uint32_t i = 0; i < enrg_supervisors_count(list); i++) {
		const struct enrg_supervisor *supervisor = enrg_supervisors_get(list, i);
		if (is_here(supervisor) && supervisor->is_running == runs && (!id || !strcmp(id, supervisor->name)))
			count += read_place(supervisor, ret_folder);
	}
	return count;
}

static int find_of_system(const char *name, const char *id, char ret_folder[PATH_MAX])
{
	struct enrg_supervisors *list = NULL;

	if (enrg_supervisors_list(&list, NULL))
		list = NULL;
	unsigned count = list ? look_for(list, id, true, ret_folder) : 0;
	count = list && !count ? look_for(list, id, false, ret_folder) : count;
	enrg_supervisors_destroy(list);
	if (count == 1)
		return 0;
	if (count > 1)
		fprintf(stderr,
			"enrgdaq %s: several systems are here (`enrgdaq status` names them): --id ID says which is "
			"meant\n",
			name);
	else if (id)
		fprintf(stderr, "enrgdaq %s: no system \"%s\" with [cnc] runs here, or has run\n", name, id);
	else
		fprintf(stderr,
			"enrgdaq %s: no system with [cnc] runs here, or has run: --config FOLDER names the one that is "
			"meant by its configuration, --folder DIR by its web.folder\n",
			name);
	return 1;
}

static int find_of_config(const char *config, char ret_folder[PATH_MAX])
{
	struct types *types;
	struct folder *folder;

	int rc = cli_load_types(&types);
	if (rc)
		return rc;
	rc = cli_load_folder(config, types, &folder);
	if (rc == 0) {
		/* Where it runs, its supervisor says it: it may have another working folder. */
		const char *id = folder->supervisor.info.supervisor_id;
		struct enrg_supervisors *list = NULL;
		if (enrg_supervisors_list(&list, NULL) || look_for(list, id, true, ret_folder) != 1)
			web_folder_find(folder, ret_folder, PATH_MAX);
		enrg_supervisors_destroy(list);
		folder_free(folder);
	}
	types_free(types);
	return rc;
}

static int change_folder(const char *name, int argc, char **argv)
{
	const char *id = find_option(&argc, argv, "--id", true), *config = find_option(&argc, argv, "--config", true);
	char folder[PATH_MAX];

	if (asks_for_help(argc, argv) || argc < 2 || find_option(&argc, argv, "--folder", false))
		return call_program(name, argc, argv, NULL);
	int rc = config ? find_of_config(config, folder) : find_of_system(name, id, folder);
	return rc ? rc : call_program(name, argc, argv, folder);
}

int cli_token(int argc, char **argv)
{
	return change_folder("token", argc, argv);
}

int cli_user(int argc, char **argv)
{
	return change_folder("user", argc, argv);
}

int cli_certificate(int argc, char **argv)
{
	return call_program("certificate", argc, argv, NULL);
}
