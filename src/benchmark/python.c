/* python.c: runs the Python ENRGDAQ's benchmark and reads its summary. Process: `enrgdaq bench compare`. */
#include "benchmark/python.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "benchmark/run.h"
#include "benchmark/runner.h"

#define RUNNER_FILE "src/enrgdaq/tools/benchmark_runner.py"
#define START_S     5.0 /* its start and its warm-up, which it leaves out of its summary */
#define IMPORT_S    120.0
#define HOW_TO_INSTALL                                                                                                 \
	"`uv sync` there installs what it needs, or pip with its requirements.txt; --interpreter names another Python"
#define NOT_STARTED 127 /* exit code of a child that found no program */

/* What `benchmark_runner.py` does as a program, none of its files changed. Since June 2026 DAQJobHandleStats needs an
 * argument that it does not give, and it ends at once: the argument is added here, where the class has it. */
static const char prelude[] = "import sys\n"
			      "checkout, what = sys.argv[1:3]\n"
			      "sys.argv = ['benchmark_runner.py'] + sys.argv[3:]\n"
			      "sys.path[:0] = [checkout + '/src/enrgdaq/tools', checkout + '/src']\n"
			      "try:\n"
			      "    import benchmark_runner\n"
			      "    config = getattr(benchmark_runner, 'DAQJobHandleStatsConfig', None)\n"
			      "    if 'timeseries_store_config' in getattr(config, '__struct_fields__', ()):\n"
			      "        def with_series(**keys):\n"
			      "            keys.setdefault('timeseries_store_config', keys.get('store_config'))\n"
			      "            return config(**keys)\n"
			      "        benchmark_runner.DAQJobHandleStatsConfig = with_series\n"
			      "    if what == 'run':\n"
			      "        benchmark_runner.BenchmarkRunner(benchmark_runner.parse_args()).run()\n"
			      "    else:\n"
			      "        print('ready')\n"
			      "except Exception as error:\n"
			      "    print(type(error).__name__ + ': ' + str(error).partition('\\n')[0], flush=True)\n"
			      "    sys.exit(1)\n";

/* The last line that holds something; "" of none. */
static void copy_last_line(const char *text, char *ret_line, size_t line_bytes)
{
	size_t end = strlen(text), begin;

	while (end > 0 && (text[end - 1] == '\n' || text[end - 1] == ' '))
		end--;
	for (begin = end; begin > 0 && text[begin - 1] != '\n'; begin--)
		;
	snprintf(ret_line, line_bytes, "%.*s", (int)(end - begin), text + begin);
}

static int run(char *const *arguments, const char *folder, double timeout_s, struct runner_output *ret_output)
{
	return runner_run(
		&(struct runner_params){.arguments = arguments, .folder = folder, .timeout_s = timeout_s}, ret_output);
}

/* --- before anything is measured ---------------------------------------------------------------------------------- */

static int try_import(struct python *python, struct enrg_error *err)
{
	char *const arguments[] = {
		python->interpreter, "-c", (char *)(uintptr_t)prelude, python->checkout, "try", NULL};
	struct runner_output output;
	char line[200];
	int rc = run(arguments, NULL, IMPORT_S, &output);

	copy_last_line(output.text ? output.text : "", line, sizeof(line));
	if (rc < 0)
		enrg_error_set(err, rc, "--python: %s can't be tried: %s", python->interpreter, enrg_error_name(rc));
	else if (WIFEXITED(output.status) && WEXITSTATUS(output.status) == NOT_STARTED)
		rc = enrg_error_set(err, ENRG_E_CONFIG, "--python: there is no %s to run it; --interpreter names one",
			python->interpreter);
	else if (output.status || strcmp(line, "ready") != 0)
		rc = enrg_error_set(err, ENRG_E_CONFIG, "--python: %s can't run its benchmark: %s; " HOW_TO_INSTALL,
			python->interpreter, line[0] ? line : output.said);
	free(output.text);
	return rc;
}

int python_find(const char *checkout, const char *interpreter, struct python *ret_python, struct enrg_error *err)
{
	char path[PATH_MAX + 64], folder[PATH_MAX];
	int needed;

	if (!realpath(checkout, ret_python->checkout))
		return enrg_error_set(err, ENRG_E_CONFIG, "--python: %s: %s", checkout, enrg_error_name(-errno));
	snprintf(path, sizeof(path), "%s/" RUNNER_FILE, ret_python->checkout);
	if (access(path, R_OK) < 0)
		return enrg_error_set(err, ENRG_E_CONFIG,
			"--python: %s has no " RUNNER_FILE ": it is no checkout of the Python ENRGDAQ", checkout);
	if (interpreter && interpreter[0] != '/' && strchr(interpreter, '/')) {
		/* It runs in another folder. A link stays one: that of a virtual environment is what makes it one. */
		if (!getcwd(folder, sizeof(folder)))
			return enrg_error_set(err, -errno, "--interpreter: %s", enrg_error_name(-errno));
		needed = snprintf(
			ret_python->interpreter, sizeof(ret_python->interpreter), "%s/%s", folder, interpreter);
	} else if (interpreter) {
		needed = snprintf(ret_python->interpreter, sizeof(ret_python->interpreter), "%s", interpreter);
	} else {
		snprintf(path, sizeof(path), "%s/.venv/bin/python", ret_python->checkout);
		needed = snprintf(ret_python->interpreter, sizeof(ret_python->interpreter), "%s",
			access(path, X_OK) == 0 ? path : "python3");
	}
	if (needed >= (int)sizeof(ret_python->interpreter))
		return enrg_error_set(err, -ENAMETOOLONG, "--interpreter: its path is too long");
	return try_import(ret_python, err);
}

/* --- one measurement ---------------------------------------------------------------------------------------------- */

/* The number behind "LABEL:" in a summary; NAN: it is not there. Thousands have commas. */
static double summary_number(const char *text, const char *label)
{
	const char *at = strstr(text, label);
	char number[64];
	size_t count = 0;

	if (!at)
		return (double)NAN;
	at += strlen(label);
	at += strspn(at, " ");
	for (; count < sizeof(number) - 1 && *at && strchr("0123456789.,", *at); at++)
		if (*at != ',')
			number[count++] = *at;
	number[count] = 0;
	return count ? strtod(number, NULL) : (double)NAN;
}

/* Its own summary counts; it kills itself behind it, so the exit code says nothing. */
static int read_summary(const char *text, const char *said, struct python_result *ret_result, struct enrg_error *err)
{
	double mb_per_s = summary_number(text, "Avg Data Throughput:");
	char line[200];

	if (isnan(mb_per_s))
		mb_per_s = summary_number(text, "Avg SHM Throughput:"); /* of earlier versions */
	if (isnan(mb_per_s)) {
		copy_last_line(text[0] ? text : said, line, sizeof(line));
		return enrg_error_set(err, -ENODATA, "no summary: %s", line);
	}
	*ret_result = (struct python_result){mb_per_s / 1e3, summary_number(text, "Messages/Second:"),
		summary_number(text, "Peak p99 Latency:"), summary_number(text, "Avg CPU Usage:")};
	return 0;
}

int python_run(const struct python *python, unsigned clients, unsigned rows, double seconds,
	struct python_result *ret_result, struct enrg_error *err)
{
	char clients_text[16], rows_text[16], seconds_text[32], folder[] = "/var/tmp/enrgdaq-bench-XXXXXX";
	char *const arguments[] = {(char *)(uintptr_t)python->interpreter, "-c", (char *)(uintptr_t)prelude,
		(char *)(uintptr_t)python->checkout, "run", "--clients", clients_text, "--payload-size", rows_text,
		"--duration", seconds_text, "--use-memory-store", "--use-shm", NULL};
	struct runner_output output;
	double duration_s = ceil(seconds) + START_S; /* it takes whole seconds */

	if (!mkdtemp(folder))
		return enrg_error_set(err, -errno, "can't make a folder in /var/tmp");
	snprintf(clients_text, sizeof(clients_text), "%u", clients);
	snprintf(rows_text, sizeof(rows_text), "%u", rows);
	snprintf(seconds_text, sizeof(seconds_text), "%.0f", duration_s);
	int rc = run(arguments, folder, duration_s + RUNNER_GRACE_S, &output);
	if (rc == 0)
		rc = read_summary(output.text, output.said, ret_result, err);
	else
		enrg_error_set(err, rc, "%s", enrg_error_name(rc));
	free(output.text);
	bench_remove_tree(folder);
	return rc;
}
