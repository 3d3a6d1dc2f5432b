/* answer.c: `enrgdaq-runs answer`: reads the run book for a program that shows it to others (enrgdaq-web), question by
 * question, so that a damaged database or a disk that hangs is this process's fault and nobody else's. */
#include "runs/answer.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "runs/program/program.h"

#define NICE           10
#define IDLE_MS        60000
#define QUESTION_BYTES 65536u

static const char usage[] = "usage: enrgdaq-runs answer\n"
			    "\n"
			    "Answers questions about a run book on standard input, until it ends; enrgdaq-web starts "
			    "it. A line of JSON is\n"
			    "a question (src/runs/answer.h), with the member \"database\". The answer is a line CODE "
			    "BYTES, and so many bytes:\n"
			    "with CODE 0 what was asked for, else a sentence. Not for humans.\n";

struct reading {
	struct database *database;
	char path[DATABASE_PATH_BYTES];
	dev_t device;
	ino_t inode;
};

/* The book may be moved aside and made anew while it is shown. */
static int open_database(struct reading *reading, const char *path, struct enrg_error *err)
{
	const struct database_params params = {.path = path, .is_reader = true};
	struct stat status;

	if (stat(path, &status) < 0)
		return enrg_error_set(err, -errno, "%s: %s", path, strerror(errno));
	if (reading->database && !strcmp(reading->path, path) && reading->device == status.st_dev &&
		reading->inode == status.st_ino)
		return 0;
	database_close(reading->database);
	reading->database = NULL;
	int rc = database_open(&params, &reading->database, err);
	if (rc)
		return rc;
	snprintf(reading->path, sizeof(reading->path), "%s", path);
	reading->device = status.st_dev;
	reading->inode = status.st_ino;
	return 0;
}

/* What is missing is no run where the whole book is. */
static int hide_absence(int rc)
{
	return rc == -ENOENT ? -ENODEV : rc;
}

static int answer_line(
	struct reading *reading, const char *line, char **ret_bytes, size_t *ret_count, struct enrg_error *err)
{
	json_t *question = json_loads(line, 0, NULL);
	const char *path = json_string_value(json_object_get(question, "database"));
	int rc = path ? hide_absence(open_database(reading, path, err))
		      : enrg_error_set(err, -EINVAL, "a question with the name of a database was expected");

	if (!rc)
		rc = answer_question(reading->database, question, ret_bytes, ret_count, err);
	json_decref(question);
	/* a fault of the file is looked at anew with the next question */
	if (rc && rc != -ENOENT && rc != -EINVAL) {
		database_close(reading->database);
		reading->database = NULL;
	}
	return rc;
}

/* While nothing is asked the book is closed: it may be moved, and its log does not have to be kept for this process. */
static bool read_line(struct reading *reading, char *line, int bytes)
{
	struct pollfd input = {.fd = STDIN_FILENO, .events = POLLIN};

	if (poll(&input, 1, IDLE_MS) == 0) {
		database_close(reading->database);
		reading->database = NULL;
	}
	return fgets(line, bytes, stdin) != NULL;
}

int program_answer(int argc, char **argv)
{
	static char line[QUESTION_BYTES];
	struct reading reading = {0};

	(void)argv;
	if (argc > 1) {
		fputs(usage, stderr);
		return 2;
	}
	(void)setpriority(PRIO_PROCESS, 0, NICE);
	/* the configurations of a laboratory are in it: no core of it lies about */
	(void)prctl(PR_SET_DUMPABLE, 0);
	setvbuf(stdin, NULL, _IONBF, 0); /* what is there is seen by poll */
	while (read_line(&reading, line, sizeof(line))) {
		struct enrg_error err = {0};
		char *bytes = NULL;
		size_t count = 0;
		int rc = answer_line(&reading, line, &bytes, &count, &err);
		const char *text = rc ? err.text : bytes;
		count = rc ? strlen(text) : count;
		printf("%d %zu\n", rc, count);
		fwrite(text, 1, count, stdout);
		free(bytes);
		if (fflush(stdout) != 0)
			break;
	}
	database_close(reading.database);
	return 0;
}
