/* types.c: the registry of job, processor and store types. The supervisor and the command line load all modules, a job
 * process loads the one that it needs; each on its main thread, before any other thread starts.
 */
#include "config/types.h"

#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config/options.h"
#include "config/types_copy.h"

struct types {
	size_t count;
	struct type_entry *entries;
	size_t module_count;
	struct module_copy **modules; /* that entries point into */
};

struct loader {
	struct types *types;
	void (*warn)(void *context, const char *sentence);
	void *context;
};

static struct type_entry *find_exact(const struct types *types, const char *name)
{
	for (size_t i = 0; i < types->count; i++)
		if (!strcmp(types->entries[i].name, name))
			return &types->entries[i];
	return NULL;
}

static int add_entry(struct types *types, const struct type_entry *entry, struct enrg_error *err)
{
	struct type_entry *entries;
	size_t at = 0;

	if (find_exact(types, entry->name))
		return 0; /* the first of a name wins */
	entries = realloc(types->entries, (types->count + 1) * sizeof(*entries));
	if (!entries)
		return enrg_error_set(err, -ENOMEM, "out of memory");
	types->entries = entries;
	char *path = strdup(entry->module_path ? entry->module_path : "");
	if (!path)
		return enrg_error_set(err, -ENOMEM, "out of memory");
	while (at < types->count && strcmp(entries[at].name, entry->name) < 0)
		at++;
	memmove(&entries[at + 1], &entries[at], (types->count - at) * sizeof(*entries));
	entries[at] = *entry;
	entries[at].module_path = path;
	if (entry->module_descriptor > 0)
		entries[at].module_descriptor = fcntl(entry->module_descriptor, F_DUPFD_CLOEXEC, 3);
	types->count++;
	return 0;
}

static int add_module(
	struct types *types, const struct enrg_module *module, const char *path, int descriptor, struct enrg_error *err)
{
	int rc = 0;

	for (size_t i = 0; module->jobs[i] && !rc; i++)
		rc = add_entry(types,
			&(struct type_entry){.job = module->jobs[i],
				.name = module->jobs[i]->name,
				.module_path = path,
				.module_descriptor = descriptor},
			err);
	for (size_t i = 0; module->stores[i] && !rc; i++)
		rc = add_entry(types,
			&(struct type_entry){.store = module->stores[i],
				.name = module->stores[i]->name,
				.module_path = path,
				.module_descriptor = descriptor},
			err);
	for (size_t i = 0; module->processors[i] && !rc; i++)
		rc = add_entry(types,
			&(struct type_entry){.processor = module->processors[i],
				.name = module->processors[i]->name,
				.module_path = path,
				.module_descriptor = descriptor},
			err);
	return rc;
}

/* A section leads to one store: a store of another name may not take it. */
static int check_sections(const struct types *types, const struct enrg_module *module, struct enrg_error *err)
{
	for (size_t i = 0; module->stores[i]; i++) {
		const struct enrg_store_type *store = module->stores[i];
		const struct type_entry *owner = types_find_section(types, store->section);
		if (owner && strcmp(owner->name, store->name))
			return enrg_error_set(err, ENRG_E_PLUGIN,
				"store %s: the section %s belongs to %s of %s already", store->name, store->section,
				owner->name, owner->module_path);
	}
	return 0;
}

/* The name under which the loader finds that very file: its path as long as it lies there, for debuggers' sake. */
static const char *name_file(const char *path, int descriptor, char ret_name[64])
{
	struct stat wanted, there;

	snprintf(ret_name, 64, "/proc/self/fd/%d", descriptor);
	if (fstat(descriptor, &wanted) ||
		(!stat(path, &there) && wanted.st_dev == there.st_dev && wanted.st_ino == there.st_ino))
		return path;
	return ret_name;
}

/* Takes the copy over. */
static int keep_copy(struct types *types, struct module_copy *copy, struct enrg_error *err)
{
	struct module_copy **modules = realloc(types->modules, (types->module_count + 1) * sizeof(*modules));

	if (!modules) {
		module_copy_free(copy);
		return enrg_error_set(err, -ENOMEM, "out of memory");
	}
	types->modules = modules;
	modules[types->module_count++] = copy;
	return 0;
}

/* A copy of the module's tables that pass their check. */
static int take_tables(const struct types *types, void *library, struct module_copy **ret_copy, struct enrg_error *err)
{
	const struct enrg_module *module = dlsym(library, "enrg_module");
	struct module_copy *copy = NULL;

	if (!module)
		return enrg_error_set(err, ENRG_E_PLUGIN, "it has no symbol enrg_module");
	int rc = module_copy_create(module, &copy, err);
	if (!rc)
		rc = types_check_copy(copy, err);
	if (!rc)
		rc = check_sections(types, module_copy_get(copy), err);
	if (rc)
		module_copy_free(copy);
	else
		*ret_copy = copy;
	return rc;
}

/* Opens a module and checks it; on failure it is closed again, since none of its code is referred to. */
static int load_module(struct types *types, const char *path, int descriptor, struct enrg_error *err)
{
	char name[64];
	void *library = dlopen(name_file(path, descriptor, name), RTLD_NOW | RTLD_LOCAL);
	struct module_copy *copy = NULL;

	if (!library) {
		const char *why = dlerror(); /* starts with the path, or with that of a library that the module needs */
		size_t length = strlen(path);
		bool is_own = !strncmp(why, path, length) && !strncmp(why + length, ": ", 2);
		return enrg_error_set(err, ENRG_E_PLUGIN, "%s", is_own ? why + length + 2 : why);
	}
	int rc = take_tables(types, library, &copy, err);
	if (rc) {
		dlclose(library);
		return rc;
	}
	rc = keep_copy(types, copy, err);
	return rc ? rc : add_module(types, module_copy_get(copy), path, descriptor, err);
}

/* The module that lies there now. */
static int load_path(struct types *types, const char *path, struct enrg_error *err)
{
	int descriptor = open(path, O_RDONLY | O_CLOEXEC);
	int rc = load_module(types, path, descriptor, err); /* which says why it can't be opened */

	if (descriptor >= 0)
		close(descriptor);
	return rc;
}

static void warn(const struct loader *loader, const char *path, const char *why)
{
	char sentence[PATH_MAX + 1200];

	if (!loader->warn)
		return;
	snprintf(sentence, sizeof(sentence), "module %s is left out: %s", path, why);
	loader->warn(loader->context, sentence);
}

static int is_module_name(const struct dirent *entry)
{
	size_t length = strlen(entry->d_name);

	return entry->d_name[0] != '.' && length > 3 && !strcmp(entry->d_name + length - 3, ".so");
}

/* A folder that is not there holds no modules. */
static void load_folder(const struct loader *loader, const char *folder)
{
	struct dirent **names = NULL;
	char path[PATH_MAX];
	int count = folder[0] ? scandir(folder, &names, is_module_name, alphasort) : 0;

	for (int i = 0; i < count; i++) {
		struct enrg_error err = {0};
		int length = snprintf(path, sizeof(path), "%s/%s", folder, names[i]->d_name);
		if (length < 0 || (size_t)length >= sizeof(path))
			warn(loader, names[i]->d_name, "its path is too long");
		else if (load_path(loader->types, path, &err))
			warn(loader, path, err.text);
		free(names[i]);
	}
	free(names);
	if (count < 0 && errno != ENOENT)
		warn(loader, folder, strerrordesc_np(errno));
}

static void load_search_path(const struct loader *loader, const char *list)
{
	char *copy = strdup(list), *rest = copy, *folder;

	while (copy && (folder = strsep(&rest, ":")))
		load_folder(loader, folder);
	free(copy);
}

/* `modules` in the folder of the program (a build), and LIBDIR/enrgdaq/modules of the prefix it was installed to, which
 * may be another one than it was configured for. */
static void load_beside_program(const struct loader *loader)
{
	char path[PATH_MAX + 64];
	ssize_t length = readlink("/proc/self/exe", path, PATH_MAX);
	char *slash;

	if (length <= 0)
		return;
	path[length] = 0;
	slash = strrchr(path, '/');
	if (!slash)
		return;
	strcpy(slash, "/modules"); /* 64 bytes are kept for it */
	load_folder(loader, path);
	strcpy(slash, "/../" ENRG_MODULES_RELATIVE);
	load_folder(loader, path);
}

int types_load(struct types **ret_types, void (*warn_function)(void *context, const char *sentence), void *context,
	struct enrg_error *err)
{
	struct types *types = calloc(1, sizeof(*types));
	const struct loader loader = {.types = types, .warn = warn_function, .context = context};
	const char *list = getenv("ENRGDAQ_MODULE_PATH");

	if (!types)
		return enrg_error_set(err, -ENOMEM, "out of memory");
	if (list)
		load_search_path(&loader, list);
	load_beside_program(&loader);
	load_folder(&loader, ENRG_MODULES_INSTALLED);
	*ret_types = types;
	return 0;
}

int types_load_pinned(const char *module_path, int descriptor, struct types **ret_types, struct enrg_error *err)
{
	struct types *types = calloc(1, sizeof(*types));

	if (!types)
		return enrg_error_set(err, -ENOMEM, "out of memory");
	int rc = descriptor < 0 ? load_path(types, module_path, err) : load_module(types, module_path, descriptor, err);
	if (rc) {
		enrg_error_add(err, rc, "module %s", module_path);
		types_free(types);
		return rc;
	}
	*ret_types = types;
	return 0;
}

int types_load_one(const char *module_path, struct types **ret_types, struct enrg_error *err)
{
	return types_load_pinned(module_path, -1, ret_types, err);
}

int types_create_static(
	const struct type_entry *entries, size_t count, struct types **ret_types, struct enrg_error *err)
{
	struct types *types = calloc(1, sizeof(*types));
	int rc = 0;

	if (!types)
		return enrg_error_set(err, -ENOMEM, "out of memory");
	for (size_t i = 0; i < count && !rc; i++) {
		struct type_entry entry = entries[i];
		if (!entry.name)
			entry.name = entry.job         ? entry.job->name
				     : entry.processor ? entry.processor->name
						       : entry.store->name;
		rc = add_entry(types, &entry, err);
	}
	if (rc)
		types_free(types);
	else
		*ret_types = types;
	return rc;
}

void types_free(struct types *types)
{
	if (!types)
		return;
	for (size_t i = 0; i < types->count; i++) {
		free((char *)types->entries[i].module_path);
		if (types->entries[i].module_descriptor > 0)
			close(types->entries[i].module_descriptor);
	}
	for (size_t i = 0; i < types->module_count; i++)
		module_copy_free(types->modules[i]);
	free(types->modules);
	free(types->entries);
	free(types);
}

size_t types_count(const struct types *types)
{
	return types->count;
}

const struct type_entry *types_at(const struct types *types, size_t index)
{
	return index < types->count ? &types->entries[index] : NULL;
}

/* --- what types of all kinds have --------------------------------------------------------------------------------- */

const struct enrg_table *type_options(const struct type_entry *type)
{
	if (type->processor)
		return &type->processor->options;
	return type->job ? &type->job->options : &type->store->options;
}

const char *type_summary(const struct type_entry *type)
{
	if (type->processor)
		return type->processor->summary;
	return type->job ? type->job->summary : type->store->summary;
}

const char *const *type_old_names(const struct type_entry *type)
{
	if (type->processor)
		return type->processor->old_names;
	return type->job ? type->job->old_names : type->store->old_names;
}

bool type_runs_code(const struct type_entry *type)
{
	if (type->processor)
		return type->processor->runs_code;
	return type->job ? type->job->runs_code : type->store->runs_code;
}

const struct enrg_job_group *type_groups(const struct type_entry *type)
{
	if (type->processor)
		return type->processor->groups;
	return type->job ? type->job->groups : NULL;
}

const struct enrg_message_type *const *type_messages(const struct type_entry *type)
{
	if (type->processor)
		return type->processor->messages;
	return type->job ? type->job->messages : NULL;
}

const char *type_kind(const struct type_entry *type)
{
	return type->processor ? "processor" : type->job ? "job" : "store";
}

/* --- finding them ------------------------------------------------------------------------------------------------- */

const struct type_entry *types_find(const struct types *types, const char *name, bool *ret_is_old)
{
	const struct type_entry *entry = find_exact(types, name);

	if (ret_is_old)
		*ret_is_old = false;
	if (entry)
		return entry;
	for (size_t i = 0; i < types->count; i++) {
		const char *const *old = type_old_names(&types->entries[i]);
		for (size_t j = 0; old && old[j]; j++)
			if (!strcmp(old[j], name)) {
				if (ret_is_old)
					*ret_is_old = true;
				return &types->entries[i];
			}
	}
	return NULL;
}

const struct type_entry *types_find_section(const struct types *types, const char *section)
{
	for (size_t i = 0; i < types->count; i++)
		if (types->entries[i].store && !strcmp(types->entries[i].store->section, section))
			return &types->entries[i];
	return NULL;
}

/* Old names are compared too, but it is the new one that is suggested; and "Test" means DAQJobTest. */
const char *types_suggest(const struct types *types, const char *name)
{
	const char *nearest = NULL;
	const char **names = calloc(types->count + 1, sizeof(*names));

	if (!names)
		return NULL;
	for (size_t i = 0; i < types->count; i++)
		names[i] = types->entries[i].name;
	nearest = options_suggest(name, names, types->count);
	for (size_t i = 0; i < types->count && !nearest; i++)
		if (!strncmp(names[i], "DAQJob", 6) && options_suggest(name, &(const char *){names[i] + 6}, 1))
			nearest = names[i];
	for (size_t i = 0; i < types->count && !nearest; i++) {
		const char *const *old = type_old_names(&types->entries[i]);
		for (size_t j = 0; old && old[j] && !nearest; j++)
			if (options_suggest(name, &old[j], 1))
				nearest = names[i];
	}
	free(names);
	return nearest;
}
