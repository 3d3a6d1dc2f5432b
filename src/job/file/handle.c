/* handle.c: what store types call, and the harness for their tests. Store process, main thread. */
#include "job/file/handle.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "job/file/sync.h"

const char *enrg_store_name(const struct enrg_store *store)
{
	return store->name;
}

void enrg_store_log(struct enrg_store *store, enum enrg_level level, const char *format, ...)
{
	va_list arguments;

	(void)store;
	va_start(arguments, format);
	log_line_v(level, format, arguments);
	va_end(arguments);
}

void enrg_store_alert(struct enrg_store *store, enum enrg_level level, const char *format, ...)
{
	char text[1000];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	if (store->alert)
		store->alert(store->alert_context, level, text);
	else
		log_line(level, "%s", text);
}

void enrg_store_set_commit(struct enrg_store *store, uint64_t interval_ns, uint64_t bytes)
{
	store->commit_interval_ns = interval_ns;
	store->commit_bytes = bytes;
}

void enrg_store_set_files(struct enrg_store *store, const struct enrg_file_options *options)
{
	store->files.options = options;
	store->files.guard.rules = &options->rules;
}

/* --- without rings ------------------------------------------------------------------------------------------------ */

static void alert_from_files(void *context, enum enrg_level level, const char *text)
{
	enrg_store_alert(context, level, "%s", text);
}

int store_init(struct enrg_store *store, const char *name, const char *journal_path, struct enrg_error *err)
{
	int rc = journal_open(journal_path, &store->journal, err);

	if (rc < 0)
		return rc;
	store->name = name;
	file_set_init(&store->files, store->journal, alert_from_files, store);
	return 0;
}

void store_fini(struct enrg_store *store)
{
	file_set_fini(&store->files);
	journal_close(store->journal);
	store->journal = NULL;
}

int store_create_alone(
	const char *name, const char *journal_path, struct enrg_store **ret_store, struct enrg_error *err)
{
	struct enrg_store *store = calloc(1, sizeof(*store));

	if (!store)
		return enrg_error_set(err, -ENOMEM, "%s: out of memory", name);
	int rc = store_init(store, name, journal_path, err);
	if (rc < 0) {
		free(store);
		return rc;
	}
	*ret_store = store;
	return 0;
}

void store_commit_alone(struct enrg_store *store)
{
	file_sync_due(&store->files, clock_mono_ns(), 0, NULL);
	if (file_set_prepare(&store->files, NULL) < 0)
		abort();
	journal_commit(store->journal);
	file_set_committed(&store->files);
}

int store_roll_back_alone(struct enrg_store *store, struct enrg_error *err)
{
	return file_set_rollback(&store->files, err);
}

void store_destroy_alone(struct enrg_store *store)
{
	if (!store)
		return;
	store_fini(store);
	free(store);
}
