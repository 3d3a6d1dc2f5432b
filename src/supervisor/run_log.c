/* run_log.c: the log of a run and its jobs. Process: supervisor, main thread. */
#include "supervisor/run_log.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/path.h"
#include "config/toml.h"
#include "handover/order.h"

#define EARLIER_FILE     "out/supervisor.log"
#define TOML_BYTES_MAX   (16u << 20)
#define BYTES_A_MEGABYTE 1e6

struct settings {
	const char *file; /* NULL = none */
	uint64_t rotate_bytes;
	uint32_t keep;
};

static struct settings choose(const struct supervisor_options *options)
{
	struct stat now;

	if (options->log.file && options->log.file[0])
		return (struct settings){.file = options->log.file,
			.rotate_bytes = (uint64_t)(options->log.rotate_mb * BYTES_A_MEGABYTE),
			.keep = (uint32_t)options->log.keep};
	if (stat(EARLIER_FILE, &now) == 0 && S_ISREG(now.st_mode))
		return (struct settings){.file = EARLIER_FILE};
	return (struct settings){0};
}

int run_log_open(const struct supervisor_options *options, enum log_format format, struct enrg_error *err)
{
	struct settings settings = choose(options);

	log_set_format(format);
	if (settings.file && log_set_file(settings.file, settings.rotate_bytes, settings.keep))
		return enrg_error_set(err, -ENOMEM, "%s: out of memory", settings.file);
	return 0;
}

void run_log_find(const struct supervisor_options *options, char *ret_path, size_t path_bytes)
{
	struct settings settings = choose(options);
	char folder[2048];

	ret_path[0] = '\0';
	if (settings.file && settings.file[0] == '/')
		snprintf(ret_path, path_bytes, "%s", settings.file);
	else if (settings.file && getcwd(folder, sizeof(folder)))
		snprintf(ret_path, path_bytes, "%s/%s", folder, settings.file);
}

int run_log_plan(const struct supervisor_options *options, enum log_format format, struct plan_set *plans,
	struct enrg_error *err)
{
	struct settings settings = choose(options);

	for (size_t i = 0; i < plans->count; i++) {
		struct plan *plan = plans->plans[i];

		plan->is_log_json = format == LOG_JSON;
		plan->log_rotate_bytes = settings.rotate_bytes;
		plan->log_keep = settings.keep;
		plan->log_file = settings.file ? strdup(settings.file) : NULL;
		if (settings.file && !plan->log_file)
			return enrg_error_set(err, -ENOMEM, "out of memory");
	}
	return 0;
}

/* 0: *ret_level is what the file says now; 1: it says nothing; negative. */
static int read_verbosity(const char *path, enum enrg_level *ret_level, struct enrg_error *err)
{
	char *text;
	struct toml_node *root = NULL;
	size_t bytes;
	int rc;

	rc = path_read_file(path, TOML_BYTES_MAX, &text, &bytes, err);
	if (rc)
		return rc;
	rc = toml_parse(path, text, bytes, &root, err);
	const struct toml_node *node = rc ? NULL : toml_find(root, "verbosity");
	if (!rc && !node)
		rc = 1;
	else if (!rc && (node->kind != TOML_STRING || log_parse_level(node->text, ret_level)))
		rc = enrg_error_set(err, ENRG_E_CONFIG, "%s:%d: verbosity: expected DEBUG, INFO, WARNING or ERROR",
			path, node->line);
	if (root)
		toml_free(root);
	free(text);
	return rc;
}

void run_log_reload(const struct folder *folder, const char *supervisor_file, struct roster *roster)
{
	enum enrg_level level = (enum enrg_level)folder->supervisor.verbosity;
	struct enrg_error err = {0};
	char path[4096];

	snprintf(path, sizeof(path), "%s/supervisor.toml", folder->path);
	int rc = folder->path[0] ? read_verbosity(supervisor_file ? supervisor_file : path, &level, &err) : 1;

	log_reopen();
	level = rc == 1 ? ENRG_INFO : level;
	if (rc < 0) {
		log_line(ENRG_WARNING, "SIGHUP: log files are opened anew; verbosity stays as it was: %s", err.text);
	} else {
		log_set_level(level);
		log_line(ENRG_INFO, "SIGHUP: log files are opened anew, verbosity is %s", log_level_name(level));
	}
	for (size_t i = 0; i < roster->count; i++) {
		struct member *member = roster->members[i];

		if (rc >= 0 && !member->config->common.has_verbosity)
			member->plan->verbosity = (int)level;
		/* one that starts has its level from its plan */
		if (member_is_alive(member))
			(void)child_send_order(&member->child, ORDER_LOG + member->plan->verbosity);
	}
}
