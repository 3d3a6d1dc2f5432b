/* runs_program.c: the program enrgdaq-runs, for sub-commands of `enrgdaq runs`. */
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/program.h"
#include "cli/runs.h"
#include "runs/entry/entry.h"

static int find_program(char ret_path[4096])
{
	int rc = program_find(ENTRY_PROGRAM, ENTRY_PROGRAM_VARIABLE, ret_path, 4096);

	if (rc)
		fprintf(stderr,
			"enrgdaq runs: the program " ENTRY_PROGRAM
			" is not installed, which reads the run book; it is left out where SQLite is missing\n");
	return rc;
}

int runs_call_program(int argc, char **argv)
{
	char path[4096], option[] = "--database";
	struct runs_book book;
	size_t used = 2;

	if (runs_book_find(&argc, argv, &book) || find_program(path))
		return 1;
	char **words = calloc((size_t)argc + 4, sizeof(*words));
	if (!words)
		return 1;
	words[0] = path;
	words[1] = argv[0];
	if (*book.database && !book.is_named) {
		words[used++] = option;
		words[used++] = book.database;
	}
	memcpy(words + used, argv + 1, (size_t)(argc - 1) * sizeof(*argv));
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

json_t *runs_read_book(const struct runs_book *book, const char *const *arguments)
{
	const char *words[14] = {arguments[0]};
	char path[4096];
	int ends[2], status = 0;
	size_t used = 1;
	json_error_t error;

	if (*book->database && !book->is_named) {
		words[used++] = "--database";
		words[used++] = book->database;
	}
	for (size_t i = 1; arguments[i] && used < 13; i++)
		words[used++] = arguments[i];
	if (find_program(path) || pipe(ends))
		return NULL;
	pid_t pid = spawn(path, words, ends[1]);
	close(ends[1]);
	FILE *stream = fdopen(ends[0], "r");
	json_t *json = stream ? json_loadf(stream, 0, &error) : NULL;
	if (stream)
		fclose(stream);
	waitpid(pid, &status, 0);
	bool is_fine = WIFEXITED(status) && WEXITSTATUS(status) == 0;
	if (!json && is_fine)
		fprintf(stderr, "enrgdaq runs: " ENTRY_PROGRAM " has answered nothing that can be read\n");
	if (is_fine)
		return json;
	json_decref(json); /* it has said why */
	return NULL;
}
