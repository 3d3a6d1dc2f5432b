/* rival_module.c: loads a rival's module. Process: `enrgdaq bench compare`. */
#include "benchmark/rival_module.h"

#include <dlfcn.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const struct rival *const *load(const char *folder, const char *behind, const char *name)
{
	char path[2 * PATH_MAX];
	void *module;

	snprintf(path, sizeof(path), "%s%s/%s.so", folder, behind, name);
	module = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	return module ? dlsym(module, RIVAL_MODULE_SYMBOL) : NULL;
}

const struct rival *const *rival_load(const char *name)
{
	const struct rival *const *rivals;
	char folder[PATH_MAX];
	ssize_t length = readlink("/proc/self/exe", folder, sizeof(folder) - 1);
	char *slash;

	folder[length > 0 ? length : 0] = 0;
	slash = strrchr(folder, '/');
	if (!slash)
		return NULL;
	*slash = 0;
	rivals = load(folder, "/rivals", name);
	return rivals ? rivals : load(folder, "/../" ENRG_RIVALS_RELATIVE, name);
}
