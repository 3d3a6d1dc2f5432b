/* program.c: looks in a build, then where it was installed. Any thread. */
#include "runs/entry/program.h"

#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static bool is_there(const char *path, char *ret_path, size_t path_bytes)
{
	return !access(path, X_OK) && (size_t)snprintf(ret_path, path_bytes, "%s", path) < path_bytes;
}

static bool is_beside(char *ret_path, size_t path_bytes)
{
	char folder[PATH_MAX], path[PATH_MAX + 128];
	ssize_t length = readlink("/proc/self/exe", folder, sizeof(folder) - 1);

	folder[length > 0 ? length : 0] = '\0';
	char *slash = strrchr(folder, '/');
	if (!slash)
		return false;
	*slash = '\0';
	snprintf(path, sizeof(path), "%s/" PROGRAM_NAME, folder);
	if (is_there(path, ret_path, path_bytes))
		return true;
	snprintf(path, sizeof(path), "%s/../" ENRG_LIBEXEC_RELATIVE "/enrgdaq/" PROGRAM_NAME, folder);
	return is_there(path, ret_path, path_bytes);
}

int program_find(char *ret_path, size_t path_bytes)
{
	const char *chosen = getenv("ENRGDAQ_RUNS_BIN");

	if (chosen && *chosen)
		return is_there(chosen, ret_path, path_bytes) ? 0 : -ENOENT;
	if (is_beside(ret_path, path_bytes))
		return 0;
	return is_there(ENRG_LIBEXEC_INSTALLED "/enrgdaq/" PROGRAM_NAME, ret_path, path_bytes) ? 0 : -ENOENT;
}
