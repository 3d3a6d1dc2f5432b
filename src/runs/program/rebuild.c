/* rebuild.c: `enrgdaq-runs rebuild FOLDER` and `check`. */
#include "runs/program/program.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "runs/beside.h"
#include "runs/number.h"
#include "runs/owner.h"

static const char usage[] =
	"usage: enrgdaq runs rebuild FOLDER [--database FILE]\n"
	"       enrgdaq runs check [--database FILE]\n"
	"\n"
	"rebuild enters what lies beside the data in FOLDER (run_000123.json of each run) into a run book, which is "
	"made\n"
	"where it is not there; what it has already stays. FILE is FOLDER/runs_rebuilt.sqlite where it is not given.\n"
	"check reads a run book whole, and says whether it is sound.\n"
	"\n"
	"examples:\n"
	"  enrgdaq runs rebuild /data/out --database /data/out/runs_lab1.sqlite\n"
	"\n"
	"Exit code: 0 done, 1 failed or not sound, 2 wrong usage.\n";

static void complain(void *context, const char *text)
{
	(void)context;
	fprintf(stderr, "enrgdaq runs rebuild: left out: %s\n", text);
}

static int rebuild(const char *folder, const char *path)
{
	const struct database_params params = {.path = path};
	struct enter_context context = {.supervisor = "", .folder = folder};
	struct enrg_error err = {0};
	unsigned runs = 0;
	int owner = -1, rc = owner_take(path, "`enrgdaq runs rebuild`", 0, &owner, &err);

	if (!rc)
		rc = database_open(&params, &context.database, &err);
	if (!rc)
		rc = beside_enter_all(&context, folder, complain, NULL, &runs, &err);
	if (!rc && number_find_largest(folder) > number_read(path))
		rc = number_write(path, number_find_largest(folder), &err);
	if (!rc) /* what lies there is what was read */
		rc = database_run(context.database, "UPDATE run SET written = changed", &err, "");
	database_close(context.database);
	owner_release(&owner);
	if (rc)
		return program_fail("rebuild", &err);
	printf("%s: %u runs\n", path, runs);
	return 0;
}

/* false: --help, or an option that there is not; *ret_code is set. */
static bool take_options(int argc, char **argv, const char *name, const char **ret_path, int *ret_code)
{
	static const struct option options[] = {
		{"database", required_argument, NULL, 'b'}, {"help", no_argument, NULL, 'h'}, {NULL, 0, NULL, 0}};
	int choice;

	while ((choice = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		if (choice == 'h')
			fputs(usage, stdout);
		if (choice != 'b') {
			*ret_code = choice == 'h' ? 0 : program_usage_error(name, "no such option");
			return false;
		}
		*ret_path = optarg;
	}
	return true;
}

int program_rebuild(int argc, char **argv)
{
	char path[DATABASE_PATH_BYTES];
	const char *chosen = NULL;
	int rc = 0;

	if (!take_options(argc, argv, "rebuild", &chosen, &rc))
		return rc;
	if (argc - optind != 1)
		return program_usage_error("rebuild", "one FOLDER was expected");
	snprintf(path, sizeof(path), "%.900s/runs_rebuilt.sqlite", argv[optind]);
	return rebuild(argv[optind], chosen ? chosen : path);
}

int program_check(int argc, char **argv)
{
	struct enrg_error err = {0};
	const char *path = NULL;
	int rc = 0;

	if (!take_options(argc, argv, "check", &path, &rc))
		return rc;
	struct database *database = program_open_reader("check", path);
	if (!database)
		return 1;
	rc = database_prove(database, UINT64_MAX, &err);
	if (!rc)
		printf("%s: sound\n", database->path);
	database_close(database);
	return rc ? program_fail("check", &err) : 0;
}
