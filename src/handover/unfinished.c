/* unfinished.c: see the header. */
#include "handover/unfinished.h"

#include <errno.h>
#include <glob.h>
#include <limits.h>
#include <stdbool.h>
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

static int look(const glob_t *journals, const char *full, char *ret_store, size_t store_bytes, struct enrg_error *err)
{
	int rc = 0;

	for (size_t i = 0; i < journals->gl_pathc && rc != 1; i++) {
		const char *journal = journals->gl_pathv[i];
		int found = journal_names_file(journal, full);

		if (found == 1)
			describe(journal, ret_store, store_bytes);
		if (found < 0)
			rc = enrg_error_set(err, found, "%s: %s", journal,
				found == ENRG_E_CORRUPT ? "is damaged, or of another version" : strerror(-found));
		else if (found == 1)
			rc = 1;
	}
	return rc;
}

int unfinished_find(const char *path, char *ret_store, size_t store_bytes, struct enrg_error *err)
{
	char base[PATH_MAX], pattern[PATH_MAX], full[PATH_MAX];
	glob_t journals = {0};
	int rc = path_runtime_folder(base, sizeof(base), err), found;

	if (rc < 0)
		return rc;
	if (!find_full_name(path, full))
		return enrg_error_set(err, -ENOENT, "%s: its folder is not there", path);
	if (snprintf(pattern, sizeof(pattern), "%s/*/*" SUFFIX, base) >= (int)sizeof(pattern))
		return enrg_error_set(err, -ENAMETOOLONG, "%s: the name is too long", base);
	found = glob(pattern, GLOB_NOSORT | GLOB_ERR, NULL, &journals);
	if (found == 0)
		rc = look(&journals, full, ret_store, store_bytes, err);
	else if (found != GLOB_NOMATCH)
		rc = enrg_error_set(err, -EIO, "%s: not all of its folders can be read", base);
	globfree(&journals);
	return rc;
}
