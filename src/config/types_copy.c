/* types_copy.c: brings the tables of a module to the size that they have in this program. */
#include "config/types_copy.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "config/options.h"
#include "enrgdaq/message.h"

#define TABLE_BYTES_MAX 4096u /* of one table of functions, one option: more can't be true */

/* What every author knew: the tables as they were when ABI 3 was made. */
#define JOB_BYTES_MIN       (offsetof(struct enrg_job_type, runs_code) + sizeof(bool))
#define MESSAGE_BYTES_MIN   (offsetof(struct enrg_message_type, receive) + sizeof(void *))
#define STORE_BYTES_MIN     (offsetof(struct enrg_store_type, runs_code) + sizeof(bool))
#define PROCESSOR_BYTES_MIN (offsetof(struct enrg_processor_type, runs_code) + sizeof(bool))
#define MODULE_BYTES_MIN    (offsetof(struct enrg_module, stores) + sizeof(void *))
#define OPTION_BYTES_MIN    (offsetof(struct enrg_option, runs_code) + sizeof(bool))

struct module_copy {
	struct enrg_module module;
	const struct enrg_module *original;
	struct options_memory *memory;
};

const struct enrg_module *module_copy_get(const struct module_copy *copy)
{
	return &copy->module;
}

static void *take(struct module_copy *copy, size_t bytes, struct enrg_error *err)
{
	void *taken = options_memory_take(copy->memory, bytes);

	if (!taken)
		enrg_error_set(err, -ENOMEM, "out of memory");
	return taken;
}

static int check_size(const char *what, size_t size, size_t least, struct enrg_error *err)
{
	if (size >= least && size <= TABLE_BYTES_MAX)
		return 0;
	return enrg_error_set(err, ENRG_E_PLUGIN,
		"%s: size %zu is not that of such a table (%zu bytes at least): set it to its sizeof", what, size,
		least);
}

/* Tables of options that this program exports (enrg_file_table) have its own size already. */
static bool is_of_module(const struct module_copy *copy, const void *table)
{
	Dl_info own, other;

	return !dladdr(copy->original, &own) || !dladdr(table, &other) || own.dli_fbase == other.dli_fbase;
}

static int copy_table(struct module_copy *copy, const struct enrg_table *table, int depth, struct enrg_table *ret_table,
	struct enrg_error *err);

static int copy_inner(struct module_copy *copy, struct enrg_option *option, int depth, struct enrg_error *err)
{
	struct enrg_table *table;

	if (!option->table)
		return 0;
	table = take(copy, sizeof(*table), err);
	if (!table)
		return -ENOMEM;
	int rc = copy_table(copy, option->table, depth + 1, table, err);
	option->table = table;
	return rc;
}

static size_t smaller(size_t a, size_t b)
{
	return a < b ? a : b;
}

static int copy_table(struct module_copy *copy, const struct enrg_table *table, int depth, struct enrg_table *ret_table,
	struct enrg_error *err)
{
	const size_t step = copy->module.option_bytes;
	const char *entry = (const char *)table->options;
	size_t count = 0;

	*ret_table = *table;
	if (step == sizeof(struct enrg_option) || !table->options || !is_of_module(copy, table->options))
		return 0;
	if (depth >= MODULE_DEPTH_MAX)
		return enrg_error_set(err, ENRG_E_PLUGIN, "its tables are nested deeper than %d", MODULE_DEPTH_MAX);
	while (((const struct enrg_option *)(const void *)(entry + count * step))->key)
		if (++count > MODULE_OPTIONS_MAX)
			return enrg_error_set(err, ENRG_E_PLUGIN, "its options have no end (an entry with key NULL)");
	struct enrg_option *options = take(copy, (count + 1) * sizeof(*options), err); /* zeroed */
	if (!options)
		return -ENOMEM;
	ret_table->options = options;
	for (size_t i = 0; i < count; i++) {
		memcpy(&options[i], entry + i * step, smaller(step, sizeof(*options)));
		int rc = copy_inner(copy, &options[i], depth, err);
		if (rc)
			return rc;
	}
	return 0;
}

static int copy_message(struct module_copy *copy, const struct enrg_message_type *type,
	struct enrg_message_type *ret_type, struct enrg_error *err)
{
	int rc = check_size("message type", type->size, MESSAGE_BYTES_MIN, err);

	if (!rc) {
		memcpy(ret_type, type, smaller(type->size, sizeof(*ret_type)));
		rc = copy_table(copy, &type->body, 0, &ret_type->body, err);
	}
	return rc ? enrg_error_add(err, rc, "message %s", type->kind ? type->kind : "(no kind)") : 0;
}

static int copy_messages(
	struct module_copy *copy, const struct enrg_message_type *const **messages, struct enrg_error *err)
{
	const struct enrg_message_type *const *from = *messages;
	const struct enrg_message_type **list;

	if (!from)
		return 0;
	list = take(copy, (MODULE_NAMES_MAX + 1) * sizeof(*list), err);
	if (!list)
		return -ENOMEM;
	for (size_t i = 0; from[i]; i++) {
		if (i >= MODULE_NAMES_MAX)
			return enrg_error_set(err, ENRG_E_PLUGIN, "its list of messages has no end (NULL)");
		struct enrg_message_type *type = take(copy, sizeof(*type), err);
		int rc = type ? copy_message(copy, from[i], type, err) : -ENOMEM;
		if (rc)
			return rc;
		list[i] = type;
	}
	*messages = list;
	return 0;
}

static int copy_job(struct module_copy *copy, const struct enrg_job_type *type, struct enrg_job_type *ret_type,
	struct enrg_error *err)
{
	int rc = check_size("job type", type->size, JOB_BYTES_MIN, err);

	if (!rc) {
		memcpy(ret_type, type, smaller(type->size, sizeof(*ret_type)));
		rc = copy_table(copy, &type->options, 0, &ret_type->options, err);
	}
	if (!rc)
		rc = copy_messages(copy, &ret_type->messages, err);
	return rc ? enrg_error_add(err, rc, "job %s", type->name ? type->name : "(no name)") : 0;
}

static int copy_store(struct module_copy *copy, const struct enrg_store_type *type, struct enrg_store_type *ret_type,
	struct enrg_error *err)
{
	int rc = check_size("store type", type->size, STORE_BYTES_MIN, err);

	if (!rc) {
		memcpy(ret_type, type, smaller(type->size, sizeof(*ret_type)));
		rc = copy_table(copy, &type->options, 0, &ret_type->options, err);
	}
	if (!rc)
		rc = copy_table(copy, &type->section_options, 0, &ret_type->section_options, err);
	return rc ? enrg_error_add(err, rc, "store %s", type->name ? type->name : "(no name)") : 0;
}

static int copy_jobs(struct module_copy *copy, struct enrg_error *err)
{
	const struct enrg_job_type *const *from = copy->module.jobs;
	const struct enrg_job_type **list = take(copy, (MODULE_NAMES_MAX + 1) * sizeof(*list), err);

	if (!list)
		return -ENOMEM;
	for (size_t i = 0; from && from[i]; i++) {
		if (i >= MODULE_NAMES_MAX)
			return enrg_error_set(err, ENRG_E_PLUGIN, "its list of jobs has no end (NULL)");
		struct enrg_job_type *type = take(copy, sizeof(*type), err);
		int rc = type ? copy_job(copy, from[i], type, err) : -ENOMEM;
		if (rc)
			return rc;
		list[i] = type;
	}
	copy->module.jobs = list;
	return 0;
}

static int copy_stores(struct module_copy *copy, struct enrg_error *err)
{
	const struct enrg_store_type *const *from = copy->module.stores;
	const struct enrg_store_type **list = take(copy, (MODULE_NAMES_MAX + 1) * sizeof(*list), err);

	if (!list)
		return -ENOMEM;
	for (size_t i = 0; from && from[i]; i++) {
		if (i >= MODULE_NAMES_MAX)
			return enrg_error_set(err, ENRG_E_PLUGIN, "its list of stores has no end (NULL)");
		struct enrg_store_type *type = take(copy, sizeof(*type), err);
		int rc = type ? copy_store(copy, from[i], type, err) : -ENOMEM;
		if (rc)
			return rc;
		list[i] = type;
	}
	copy->module.stores = list;
	return 0;
}

static int copy_processor(struct module_copy *copy, const struct enrg_processor_type *type,
	struct enrg_processor_type *ret_type, struct enrg_error *err)
{
	int rc = check_size("processor type", type->size, PROCESSOR_BYTES_MIN, err);

	if (!rc) {
		memcpy(ret_type, type, smaller(type->size, sizeof(*ret_type)));
		rc = copy_table(copy, &type->options, 0, &ret_type->options, err);
	}
	if (!rc)
		rc = copy_messages(copy, &ret_type->messages, err);
	return rc ? enrg_error_add(err, rc, "processor %s", type->name ? type->name : "(no name)") : 0;
}

static int copy_processors(struct module_copy *copy, struct enrg_error *err)
{
	const struct enrg_processor_type *const *from = copy->module.processors;
	const struct enrg_processor_type **list = take(copy, (MODULE_NAMES_MAX + 1) * sizeof(*list), err);

	if (!list)
		return -ENOMEM;
	for (size_t i = 0; from && from[i]; i++) {
		if (i >= MODULE_NAMES_MAX)
			return enrg_error_set(err, ENRG_E_PLUGIN, "its list of processors has no end (NULL)");
		struct enrg_processor_type *type = take(copy, sizeof(*type), err);
		int rc = type ? copy_processor(copy, from[i], type, err) : -ENOMEM;
		if (rc)
			return rc;
		list[i] = type;
	}
	copy->module.processors = list;
	return 0;
}

static int copy_all(struct module_copy *copy, const struct enrg_module *module, struct enrg_error *err)
{
	int rc = check_size("module", module->size, MODULE_BYTES_MIN, err);

	if (!rc)
		rc = check_size("option", module->option_bytes, OPTION_BYTES_MIN, err);
	if (rc)
		return rc;
	memcpy(&copy->module, module, smaller(module->size, sizeof(copy->module)));
	rc = copy_jobs(copy, err);
	if (!rc)
		rc = copy_stores(copy, err);
	return rc ? rc : copy_processors(copy, err);
}

int module_copy_create(const struct enrg_module *module, struct module_copy **ret_copy, struct enrg_error *err)
{
	/* first: with another ABI nothing else may be read */
	if (module->abi != ENRG_MODULE_ABI)
		return enrg_error_set(err, ENRG_E_PLUGIN,
			"it was built for ABI %u, this program has ABI %u; build it again with the headers of this "
			"version",
			module->abi, ENRG_MODULE_ABI);
	struct module_copy *copy = calloc(1, sizeof(*copy));
	if (!copy)
		return enrg_error_set(err, -ENOMEM, "out of memory");
	copy->original = module;
	copy->memory = options_memory_create();
	int rc = copy->memory ? copy_all(copy, module, err) : enrg_error_set(err, -ENOMEM, "out of memory");
	if (rc)
		module_copy_free(copy);
	else
		*ret_copy = copy;
	return rc;
}

void module_copy_free(struct module_copy *copy)
{
	if (!copy)
		return;
	if (copy->memory)
		options_memory_destroy(copy->memory);
	free(copy);
}
