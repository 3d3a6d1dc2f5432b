/* kit.c: enrgdaq-conformance: the conformance suite for a store that was built outside of this tree.
 * docs/writing-a-store.md teaches it. */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "kinds.h"
#include "read_command.h"
#include "readers.h"
#include "store_cases.h"

#define WITHOUT_MAX 64u

static const char usage[] =
	"usage: enrgdaq-conformance [OPTIONS] MODULE.so TYPE [PATTERN]\n"
	"\n"
	"Puts the store TYPE of a module through what ENRGDAQ's own stores have to pass: all types of columns, many\n"
	"batches, tags, restarts, kills at any moment, roll back, a full disk, cut files. It is driven as the "
	"framework\n"
	"drives it, in folders of its own below TMPDIR or /tmp (those of cases that failed stay), and each row is "
	"read\n"
	"back. PATTERN: cases of such names alone.\n"
	"\n"
	"  --section KEYS   keys of the store's section in a source's file, as TOML: 'file_path = \"t.csv\"'\n"
	"  --store KEYS     keys of the store's own file, beside out_dir\n"
	"  --file NAME      the file that results, below out_dir; without it: the store keeps no files, none is read\n"
	"  --read COMMAND   prints such a file, whose path is put behind: a line with the names of the columns that "
	"it\n"
	"                   keeps, then a line a row, cells between tabs; or csv or arrows, which the kit reads "
	"itself\n"
	"  --missing TEXT   what a missing string reads as\n"
	"  --dates          the section knows add_date\n"
	"  --newest         a file holds the newest batch alone\n"
	"  --indexed        files are no logs: one that was cut anywhere is not continued\n"
	"  --starts-files   a file that was there is never continued: t_1, t_2 …\n"
	"  --database       tables instead of files\n"
	"  --without CASE   leave that case out; again for others\n"
	"  --list           the names of all cases\n"
	"\n"
	"example:\n"
	"  enrgdaq-conformance --section 'file_path = \"t.txt\"' --file t.txt --read ./print_lines ./lines.so "
	"DAQJobStoreLines\n"
	"\n"
	"Exit code: 0 all passed, 1 some failed (named), 2 wrong usage.\n";

static struct store_kind kind;
static char module[4096];
static const char *without[WITHOUT_MAX + 1];

const struct store_kind *const store_kinds = &kind;
const unsigned store_kind_count = 1;

static int usage_error(const char *what, const char *value)
{
	fprintf(stderr, "enrgdaq-conformance: %s%s; see `enrgdaq-conformance --help`\n", what, value);
	return 2;
}

static int set_reader(const char *command)
{
	kind.read_back = !strcmp(command, "csv") ? read_csv : !strcmp(command, "arrows") ? read_arrows : read_command;
	read_command_set(command);
	return 0;
}

static int leave_out(const char *name)
{
	static size_t count;

	if (!store_cases_has(name))
		return usage_error("there is no case ", name);
	if (count == WITHOUT_MAX)
		return usage_error("too many cases are left out", "");
	without[count++] = name;
	printf("left out: %s\n", name);
	return 0;
}

static int take_option(int choice, const char *value)
{
	switch (choice) {
	case 's':
		kind.section_keys = value;
		return 0;
	case 'S':
		kind.store_keys = value;
		return 0;
	case 'f':
		kind.file_path = value;
		kind.has_out_dir = true;
		return 0;
	case 'm':
		kind.missing = value;
		return 0;
	case 'r':
		return set_reader(value);
	case 'w':
		return leave_out(value);
	case 'd':
		kind.has_dates = true;
		return 0;
	case 'n':
		kind.keeps_newest = true;
		return 0;
	case 'i':
		kind.is_indexed = true;
		return 0;
	case 't':
		kind.starts_files = true;
		return 0;
	case 'b':
		kind.is_database = true;
		return 0;
	default:
		return usage_error("wrong option", "");
	}
}

static int run(int count, char **arguments)
{
	if (count < 2 || count > 3)
		return usage_error("MODULE.so and TYPE are expected", "");
	if (kind.has_out_dir && !kind.read_back)
		return usage_error("--file needs --read", "");
	if (!realpath(arguments[0], module)) {
		fprintf(stderr, "enrgdaq-conformance: %s: %s\n", arguments[0], strerror(errno));
		return 2;
	}
	kind.name = kind.type = arguments[1];
	kind.module = module;
	if (!kind.has_out_dir)
		printf("without --file nothing is read back: what the store keeps is not looked at\n");
	fflush(stdout);
	log_init("conformance", ENRG_ERROR);
	return store_cases_run("conformance", count > 2 ? arguments[2] : NULL, without) != 0;
}

int main(int argc, char **argv)
{
	static const struct option options[] = {{"section", required_argument, NULL, 's'},
		{"store", required_argument, NULL, 'S'}, {"file", required_argument, NULL, 'f'},
		{"read", required_argument, NULL, 'r'}, {"missing", required_argument, NULL, 'm'},
		{"dates", no_argument, NULL, 'd'}, {"newest", no_argument, NULL, 'n'},
		{"indexed", no_argument, NULL, 'i'}, {"starts-files", no_argument, NULL, 't'},
		{"database", no_argument, NULL, 'b'}, {"without", required_argument, NULL, 'w'},
		{"list", no_argument, NULL, 'l'}, {"help", no_argument, NULL, 'h'}, {NULL, 0, NULL, 0}};
	int choice, rc = 0;

	while (rc == 0 && (choice = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		if (choice == 'h') {
			fputs(usage, stdout);
			return 0;
		}
		if (choice == 'l') {
			store_cases_print(stdout);
			return 0;
		}
		rc = take_option(choice, optarg);
	}
	return rc ? rc : run(argc - optind, argv + optind);
}
