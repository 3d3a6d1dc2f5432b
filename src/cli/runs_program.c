/* runs_program.c: the program enrgdaq-runs, for sub-commands of `enrgdaq runs`. */
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/runs.h"
#include "runs/entry/program.h"

static int find_program(char ret_path[4096])
{
	int rc = program_find(ret_path, 4096);

	if (rc)
		fprintf(stderr,
			"enrgdaq runs: the program " PROGRAM_NAME
			" is not installed, which reads the run book; it is left out where SQLite is missing\n");
	return rc;
}

int runs_call_program(int argc, char **argv)
{
	char path[4096];
	char **words = calloc((size_t)argc + 2, sizeof(*words));

	if (!words || find_program(path)) {
		free(words);
		return 1;
	}
	words[0] = path;
	memcpy(words + 1, argv, (size_t)argc * sizeof(*argv));
	fflush(stdout);
	execv(path, words);
	fprintf(stderr, "enrgdaq runs: %s: %s\n", path, strerror(errno));
	free(words);
	return 1;
}

/* Its standard output is the pipe. */
static pid_t spawn(const char *path, const char *const *arguments, int output)
{
	pid_t pid = fork();
	char *words[16] = {(char *)(uintptr_t)path};

	if (pid)
		return pid;
	for (size_t i = 0; arguments[i] && i < 14; i++)
		words[i + 1] = (char *)(uintptr_t)arguments[i];
	dup2(output, STDOUT_FILENO);
	execv(path, words);
	_exit(127);
}

json_t *runs_read_program(const char *const *arguments)
{
	char path[4096];
	int ends[2], status = 0;
	json_error_t error;

	if (find_program(path) || pipe(ends))
		return NULL;
	pid_t pid = spawn(path, arguments, ends[1]);
	close(ends[1]);
	FILE *stream = fdopen(ends[0], "r");
	json_t *json = stream ? json_loadf(stream, 0, &error) : NULL;
	if (stream)
		fclose(stream);
	waitpid(pid, &status, 0);
	bool is_fine = WIFEXITED(status) && WEXITSTATUS(status) == 0;
	if (!json && is_fine)
		fprintf(stderr, "enrgdaq runs: " PROGRAM_NAME " has answered nothing that can be read\n");
	if (is_fine)
		return json;
	json_decref(json); /* it has said why */
	return NULL;
}
