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

#define WEB_ROTATE_BYTES (2u << 20)

struct settings {
	char file[4096]; /* "" = none */
	uint64_t rotate_bytes;
	uint32_t keep;
};

/* Whoever asks over HTTP for the log reads a file. Where standard error is one, it is that. */
static bool needs_file(const struct supervisor_options *options)
{
	struct stat now;

	return options->has_cnc && !(fstat(STDERR_FILENO, &now) == 0 && S_ISREG(now.st_mode));
}

/* `runtime_folder` NULL: it is not there yet. */
static struct settings choose(const struct supervisor_options *options, const char *runtime_folder)
{
	struct settings settings = {0};
	struct stat now;

	if (options->log.file && options->log.file[0]) {
		snprintf(settings.file, sizeof(settings.file), "%s", options->log.file);
		settings.rotate_bytes = (uint64_t)(options->log.rotate_mb * BYTES_A_MEGABYTE);
		settings.keep = (uint32_t)options->log.keep;
	} else if (stat(EARLIER_FILE, &now) == 0 && S_ISREG(now.st_mode)) {
		snprintf(settings.file, sizeof(settings.file), EARLIER_FILE);
	} else if (runtime_folder && needs_file(options)) {
		snprintf(settings.file, sizeof(settings.file), "%s/log", runtime_folder);
		settings.rotate_bytes = WEB_ROTATE_BYTES;
		settings.keep = 1;
	}
	return settings;
}

int run_log_open(const struct supervisor_options *options, enum log_format format, struct enrg_error *err)
{
	struct settings settings = choose(options, NULL);

	log_set_format(format);
	if (settings.file[0] && log_set_file(settings.file, settings.rotate_bytes, settings.keep))
		return enrg_error_set(err, -ENOMEM, "%s: out of memory", settings.file);
	return 0;
}

void run_log_follow(const struct supervisor_options *options, struct runtime *runtime)
{
	struct settings early = choose(options, NULL), settings = choose(options, runtime->folder);
	char folder[2048];

	runtime->log_path[0] = '\0';
	if (settings.file[0] == '/')
		snprintf(runtime->log_path, sizeof(runtime->log_path), "%s", settings.file);
	else if (settings.file[0] && getcwd(folder, sizeof(folder)))
		snprintf(runtime->log_path, sizeof(runtime->log_path), "%s/%.2000s", folder, settings.file);
	if (settings.file[0] && !early.file[0]) /* without memory nobody can read along, which is said where he tries */
		(void)log_set_file(settings.file, settings.rotate_bytes, settings.keep);
}

int run_log_plan(const struct run_log_params *params, struct plan_set *plans, struct enrg_error *err)
{
	struct settings settings = choose(params->options, params->runtime_folder);

	for (size_t i = 0; i < plans->count; i++) {
		struct plan *plan = plans->plans[i];

		plan->is_log_json = params->format == LOG_JSON;
		plan->log_rotate_bytes = settings.rotate_bytes;
		plan->log_keep = settings.keep;
		plan->log_file = settings.file[0] ? strdup(settings.file) : NULL;
		if (settings.file[0] && !plan->log_file)
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
