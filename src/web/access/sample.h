/* sample.h: requests and folders for the tests of this room. */
#ifndef WEB_ACCESS_SAMPLE_H
#define WEB_ACCESS_SAMPLE_H

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "web/access/access.h"

/* Of a script on another machine that has connected to 10.1.2.3:8000 and shows nothing. */
static inline struct web_request sample_request(enum web_method method, const char *path)
{
	struct web_request request = {.id = 1,
		.connection = 1,
		.method = method,
		.address = "10.1.2.9",
		.peer_address = "10.1.2.9",
		.peer_port = 40000,
		.server_port = 8000,
		.server_address = "10.1.2.3",
		.path = path,
		.query = "",
		.host = "10.1.2.3:8000",
		.body = ""};

	if (method == WEB_POST) {
		request.content_type = "application/json";
		request.body = "{}";
		request.body_bytes = 2;
	}
	return request;
}

static inline void sample_make_folder(char ret_folder[64])
{
	strcpy(ret_folder, "/tmp/enrgdaq_access_XXXXXX");
	assert_non_null(mkdtemp(ret_folder));
}

static inline void sample_remove_folder(const char *folder)
{
	char command[128];

	snprintf(command, sizeof(command), "rm -rf '%s'", folder);
	assert_int_equal(system(command), 0);
}

/* The file's text; malloc'ed. */
static inline char *sample_read(const char *folder, const char *name)
{
	char path[256], *text = calloc(1, 1 << 20);

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	FILE *stream = fopen(path, "r");
	if (stream) {
		text[fread(text, 1, (1 << 20) - 1, stream)] = '\0';
		fclose(stream);
	}
	return text;
}

static inline void sample_write(const char *folder, const char *name, const char *text)
{
	char path[256];

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	FILE *stream = fopen(path, "w");
	assert_non_null(stream);
	fputs(text, stream);
	fclose(stream);
}

#endif
