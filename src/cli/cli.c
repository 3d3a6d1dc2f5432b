/* cli.c: what several commands do. */
#include "cli/cli.h"
#include "config/folder.h"
#include "config/run_judge.h"

static void print_warning(void *context, const char *sentence)
{
	(void)context;
	fprintf(stderr, "enrgdaq: warning: %s\n", sentence);
}

int cli_load_types(struct types **ret_types)
{
	struct enrg_error err = {0};

	if (types_load(ret_types, print_warning, NULL, &err)) {
		fprintf(stderr, "enrgdaq: %s\n", err.text);
		return 1;
	}
	if (!types_count(*ret_types))
		fprintf(stderr,
			"enrgdaq: warning: no module was found; set ENRGDAQ_MODULE_PATH to the folder that holds "
			"them\n");
	return 0;
}

int cli_load_folder(const char *path, const struct types *types, struct folder **ret_folder)
{
	struct problems problems;
	struct folder *folder = NULL;
	struct enrg_error err = {0};
	int rc = 0;

	problems_init(&problems);
	if (folder_load(path, types, &folder, &problems, &err)) {
		fprintf(stderr, "enrgdaq: %s\n", err.text);
		rc = 2;
	} else {
		run_judge_plans(folder, types, &problems);
	}
	problems_print(&problems, stderr);
	if (problems.errors) {
		fprintf(stderr, "enrgdaq: %zu error%s in the configuration %s\n", problems.errors,
			problems.errors == 1 ? "" : "s", path);
		rc = 2;
	}
	problems_fini(&problems);
	if (rc)
		folder_free(folder);
	else
		*ret_folder = folder;
	return rc;
}
