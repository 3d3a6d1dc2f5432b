/* program.c: looks in a build, then where it was installed. Any thread. */
#include "base/program.h"

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

static bool is_beside(const char *name, char *ret_path, size_t path_bytes)
{
	char folder[PATH_MAX], path[PATH_MAX + 128];
	ssize_t length = readlink("/proc/self/exe", folder, sizeof(folder) - 1);

	folder[length > 0 ? length : 0] = '\0';
	char *slash = strrchr(folder, '/');
	if (!slash)
		return false;
	*slash = '\0';
	snprintf(path, sizeof(path), "%s/%s", folder, name);
	if (is_there(path, ret_path, path_bytes))
		return true;
	snprintf(path, sizeof(path), "%s/../" ENRG_LIBEXEC_RELATIVE "/enrgdaq/%s", folder, name);
	return is_there(path, ret_path, path_bytes);
}

int program_find(const char *name, const char *variable, char *ret_path, size_t path_bytes)
{
	const char *chosen = getenv(variable);
	char path[PATH_MAX];

	if (chosen && *chosen)
		return is_there(chosen, ret_path, path_bytes) ? 0 : -ENOENT;
	if (is_beside(name, ret_path, path_bytes))
		return 0;
	snprintf(path, sizeof(path), ENRG_LIBEXEC_INSTALLED "/enrgdaq/%s", name);
	return is_there(path, ret_path, path_bytes) ? 0 : -ENOENT;
}
