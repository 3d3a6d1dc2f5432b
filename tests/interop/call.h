/* call.h: the program as a user calls it, for the tests of this folder: a shell line in a folder of samples that
 * write_arrows made. The line finds the program as $E. */
#ifndef INTEROP_CALL_H
#define INTEROP_CALL_H

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static inline char *call_run(const char *line, int *ret_code)
{
	char command[2000], part[4096], *text = NULL;
	size_t count, size;

	assert_non_null(getenv("ENRGDAQ_BIN"));
	snprintf(command, sizeof(command), "E=\"$ENRGDAQ_BIN\"; %s", line);
	FILE *pipe = popen(command, "re");
	FILE *stream = open_memstream(&text, &size);
	assert_non_null(pipe);
	while ((count = fread(part, 1, sizeof(part), pipe)) > 0)
		fwrite(part, 1, count, stream);
	fclose(stream);
	int status = pclose(pipe);
	*ret_code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
	return text;
}

/* Exit code and the whole of stdout. */
static inline void assert_output(const char *line, int expected_code, const char *expected)
{
	int rc;
	char *text = call_run(line, &rc);

	if (rc != expected_code || strcmp(text, expected) != 0)
		fail_msg("%s\ncode %d (expected %d), printed:\n%s\nexpected:\n%s", line, rc, expected_code, text,
			expected);
	free(text);
}

/* Exit code, and a part of stdout. */
static inline void assert_part(const char *line, int expected_code, const char *part)
{
	int rc;
	char *text = call_run(line, &rc);

	if (rc != expected_code || !strstr(text, part))
		fail_msg("%s\ncode %d (expected %d), lacks \"%s\":\n%s", line, rc, expected_code, part, text);
	free(text);
}

/* Makes the samples in a new folder and goes there. */
static inline int call_setup(void **state)
{
	static char folder[64];
	char command[300];

	strcpy(folder, "/tmp/interop_call_XXXXXX");
	if (!mkdtemp(folder) || chdir(folder) != 0)
		return -1;
	snprintf(command, sizeof(command), "'%s' .", WRITE_ARROWS);
	*state = folder;
	return system(command);
}

static inline int call_teardown(void **state)
{
	char command[300];

	snprintf(command, sizeof(command), "rm -r '%s'", (const char *)*state);
	return chdir("/") != 0 ? -1 : system(command);
}

#endif
