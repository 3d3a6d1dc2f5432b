/* unfinished.c: see the header. */
#include "handover/unfinished.h"

#include <glob.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/path.h"
#include "handover/journal.h"

#define SUFFIX ".journal"

/* As journals name files: the folder without links, the name as it is. */
static bool find_full_name(const char *path, char ret_full[PATH_MAX])
{
	const char *slash = strrchr(path, '/');
	const char *own = slash ? slash + 1 : path;
	char folder[PATH_MAX], real[PATH_MAX];

	if (realpath(path, ret_full))
		return true;
	int used = snprintf(folder, sizeof(folder), "%.*s", slash ? (int)(own - path) : 1, slash ? path : ".");
	if (used >= (int)sizeof(folder) || !realpath(folder, real))
		return false;
	return snprintf(ret_full, PATH_MAX, "%s/%s", strcmp(real, "/") ? real : "", own) < PATH_MAX;
}

static void describe(const char *journal, char *ret_store, size_t store_bytes)
{
	const char *own = strrchr(journal, '/') + 1;
	const char *folder = own - 1;

	while (folder > journal && folder[-1] != '/')
		folder--;
	snprintf(ret_store, store_bytes, "%.*s of %.*s", (int)(strlen(own) - strlen(SUFFIX)), own,
		(int)(own - 1 - folder), folder);
}

bool unfinished_find(const char *path, char *ret_store, size_t store_bytes)
{
	char base[PATH_MAX], pattern[PATH_MAX], full[PATH_MAX];
	glob_t journals = {0};
	bool is_found = false;

	if (path_runtime_folder(base, sizeof(base), NULL) || !find_full_name(path, full) ||
		snprintf(pattern, sizeof(pattern), "%s/*/*" SUFFIX, base) >= (int)sizeof(pattern))
		return false;
	if (glob(pattern, GLOB_NOSORT, NULL, &journals) == 0)
		for (size_t i = 0; i < journals.gl_pathc && !is_found; i++) {
			is_found = journal_names_file(journals.gl_pathv[i], full);
			if (is_found)
				describe(journals.gl_pathv[i], ret_store, store_bytes);
		}
	globfree(&journals);
	return is_found;
}
