/* main.c: a job process from its plan to its exit code. Main thread. */
#include "job/main.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "handover/order.h"
#include "job/process/crash.h"
#include "job/process/end.h"
#include "job/process/mailbox.h"
#include "job/process/process.h"
#include "job/process/reporter.h"
#include "job/processor/processor.h"
#include "job/source/source.h"
#include "job/store/store.h"

#define PROCESS_PLAN_BYTES_MAX (256u << 20)

/* --- start ------------------------------------------------------------------------------------------------------- */

/* A descriptor that the supervisor left open for us and that our own children must not get. -1: none. */
static int take_descriptor(const char *variable)
{
	const char *text = getenv(variable);
	char *end;

	if (!text || !*text)
		return -1;
	long number = strtol(text, &end, 10);
	if (*end || number < 0 || number > INT_MAX || fcntl((int)number, F_SETFD, FD_CLOEXEC) < 0)
		return -1;
	unsetenv(variable);
	return (int)number;
}

static int read_plan(int descriptor, struct plan **ret_plan, struct enrg_error *err)
{
	struct stat status;
	json_error_t json_error;

	if (descriptor < 0)
		return enrg_error_set(err, ENRG_E_CONFIG, "no plan: `enrgdaq run` starts jobs; this is not for humans");
	if (fstat(descriptor, &status) < 0 || status.st_size <= 0 || status.st_size > (off_t)PROCESS_PLAN_BYTES_MAX)
		return enrg_error_set(
			err, -EINVAL, "plan: not a file of 1 byte to %u MiB", PROCESS_PLAN_BYTES_MAX >> 20);
	/* the position is shared with the supervisor's copy of the descriptor */
	if (lseek(descriptor, 0, SEEK_SET) < 0)
		return enrg_error_set(err, -errno, "plan: %s", enrg_error_name(-errno));
	json_t *json = json_loadfd(descriptor, JSON_REJECT_DUPLICATES, &json_error);
	if (!json)
		return enrg_error_set(err, -EINVAL, "plan: line %d: %s", json_error.line, json_error.text);
	int rc = plan_parse(json, ret_plan, err);
	json_decref(json);
	return rc;
}

/* Ctrl-C and a hangup mean what the supervisor says. The rest are errors of write(2) that can be told: nobody reads, a
 * file at its limit, a terminal that stops background output (`stty tostop`). */
static void set_up_signals(void)
{
	static const int ignored[] = {SIGINT, SIGHUP, SIGPIPE, SIGXFSZ, SIGTTOU};
	const struct sigaction ignore = {.sa_handler = SIG_IGN};
	sigset_t blocked;

	for (size_t i = 0; i < sizeof(ignored) / sizeof(ignored[0]); i++)
		sigaction(ignored[i], &ignore, NULL);
	sigemptyset(&blocked);
	order_add_signals(&blocked);
	sigprocmask(SIG_SETMASK, &blocked, NULL);
}

/* `ps -o comm` shows 15 bytes: the end of the job's name, without the folders before it. */
static void name_process(const struct plan *plan)
{
	const char *slash = strrchr(plan->name, '/');
	char name[16];

	snprintf(name, sizeof(name), "%s", slash && slash[1] ? slash + 1 : plan->name);
	prctl(PR_SET_NAME, name);
}

static int load_type(struct process *process, int module, struct enrg_error *err)
{
	const struct plan *plan = process->plan;
	bool is_old;
	int rc = types_load_pinned(plan->module_path, module, &process->types, err);

	if (rc < 0)
		return rc;
	process->type = types_find(process->types, plan->type, &is_old);
	const char *kind = plan->is_store ? "store" : plan->is_processor ? "processor" : "job";
	if (!process->type || strcmp(type_kind(process->type), kind) != 0)
		return enrg_error_set(
			err, ENRG_E_PLUGIN, "%s: holds no %s named %s", plan->module_path, kind, plan->type);
	return 0;
}

static int fill_options(struct process *process, struct enrg_error *err)
{
	const struct plan *plan = process->plan;
	struct problems problems;
	int rc = 0;

	problems_init(&problems);
	process->memory = options_memory_create();
	if (!process->memory)
		return enrg_error_set(err, -ENOMEM, "options: out of memory");
	folder_fill_job(process->type, &(struct folder_file){plan->file, plan->toml_text}, &process->common,
		&process->options, process->memory, &problems);
	for (size_t i = 0; i < problems.count && rc == 0; i++) {
		const struct problem *problem = &problems.items[i];
		if (!problem->is_warning)
			rc = enrg_error_set(
				err, ENRG_E_CONFIG, "%s:%d: %s", problem->file, problem->line, problem->text);
	}
	problems_fini(&problems);
	if (rc == 0 && process->common.has_verbosity)
		log_set_level((enum enrg_level)process->common.verbosity);
	return rc;
}

/* --- the whole --------------------------------------------------------------------------------------------------- */

static int exit_code_of(int code)
{
	return code == ENRG_E_CONFIG || code == ENRG_E_PLUGIN ? EXIT_CONFIG : EXIT_FAILED;
}

/* `module`: the file of the type, -1 = whatever lies under its name. */
static int run_job(struct process *process, int lifeline, int module)
{
	struct enrg_error err = {0};
	struct enrg_error reporter_err = {0};
	int result = load_type(process, module, &err);

	if (result == 0)
		result = fill_options(process, &err);
	if (result == 0 && !process->type->store && !(process->mailbox = mailbox_create()))
		result = enrg_error_set(&err, -ENOMEM, "out of memory");
	/* after the options, which name topics; before what may fail from here on, so that the alert goes out */
	int started = reporter_start(process, lifeline, &process->reporter, &reporter_err);
	if (result == 0 && started < 0) {
		err = reporter_err;
		result = started;
	}
	int code = exit_code_of(result);
	if (result == 0)
		code = process->plan->is_store       ? store_run(process, &err)
		       : process->plan->is_processor ? processor_run(process, &err)
						     : source_run(process, &err);
	if (code == EXIT_UNASKED)
		return code;
	if (code == EXIT_FAILED || code == EXIT_CONFIG) {
		process_alert(process, ENRG_ERROR, "%s", err.text[0] ? err.text : "failed without saying why");
		page_set_reason(process->page, err.text);
		atomic_store_explicit(&process->page->state, PAGE_FAILED, memory_order_relaxed);
	} else {
		atomic_store_explicit(&process->page->state, PAGE_DONE, memory_order_relaxed);
	}
	return code;
}

int process_main(int argc, char **argv)
{
	static struct process process; /* zeroed; lives as long as the reporter thread may look */
	struct enrg_error err = {0};

	(void)argc;
	(void)argv;
	set_up_signals();
	int plan_descriptor = take_descriptor("ENRGDAQ_PLAN_FD");
	int lifeline = take_descriptor("ENRGDAQ_LIFELINE_FD");
	int module = take_descriptor("ENRGDAQ_MODULE_FD");
	(void)take_descriptor("ENRGDAQ_LIFE_FD"); /* ends with this process, and says so */
	process.wish_descriptor = take_descriptor("ENRGDAQ_WISH_FD");
	process.ready_descriptor = take_descriptor("ENRGDAQ_READY_FD");
	log_init("job", ENRG_INFO);
	log_start();
	int result = read_plan(plan_descriptor, &process.plan, &err);
	if (plan_descriptor >= 0)
		close(plan_descriptor);
	if (result == 0) {
		if (!process.plan->is_store && !process.plan->is_processor)
			mallopt(M_ARENA_MAX, 1); /* an arena for each thread is a third of an idle source's memory */
		name_process(process.plan);
		log_init(process.plan->name, (enum enrg_level)process.plan->verbosity);
		log_set_format(process.plan->is_log_json ? LOG_JSON : LOG_TEXT);
		if (process.plan->log_file)
			(void)log_set_file(
				process.plan->log_file, process.plan->log_rotate_bytes, process.plan->log_keep);
		crash_watch(process.plan->module_path);
		result = page_create(process.plan->page_path, &process.page, &err);
	}
	int code = exit_code_of(result);
	if (result == 0)
		code = run_job(&process, lifeline, module);
	else
		log_line(ENRG_ERROR, "%s", err.text);
	if (module >= 0)
		close(module);
	reporter_stop(process.reporter);
	mailbox_destroy(process.mailbox);
	if (process.page)
		page_refresh(process.page);
	page_close(process.page);
	process_end_if_left(&process, code);
	if (process.memory)
		options_memory_destroy(process.memory);
	if (process.types)
		types_free(process.types);
	crash_forget_module();
	plan_free(process.plan);
	log_stop();
	return code;
}
