/* serve_http_fuzz.c: any bytes as what a browser asks for: path, range, dates, tags. What comes out stays inside of the
 * folder and of the file. Runs in a fuzzer or over its corpus. */
#include <stdlib.h>
#include <string.h>

#include "../../plugins/services/serve_http/resource.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count);

static void check(bool is_right)
{
	if (!is_right)
		abort();
}

static void check_path(const char *url)
{
	char path[RESOURCE_PATH_BYTES], again[3 * RESOURCE_PATH_BYTES], second[RESOURCE_PATH_BYTES];

	if (!resource_parse_path(url, 1795867200, path))
		return;
	size_t length = strlen(path);
	check(length > 0 && length < sizeof(path) && path[0] != '/' && path[length - 1] != '/');
	if (strcmp(path, ".") == 0)
		return;
	for (size_t i = 0; i < length; i++) {
		check((unsigned char)path[i] >= ' ' && path[i] != 127);
		check(path[i] != '.' || (i > 0 && path[i - 1] != '/'));
	}
	/* what a list links to means the same file */
	check(resource_format_path(path, again, sizeof(again)) < sizeof(again));
	if (!strstr(path, "TODAY") && !strstr(path, "YESTERDAY"))
		check(resource_parse_path(again, 1795867200, second) && strcmp(path, second) == 0);
}

static void check_range(const char *header, uint64_t size)
{
	uint64_t first = UINT64_MAX, part = UINT64_MAX;

	if (resource_parse_range(header, size, &first, &part) == RESOURCE_PART)
		check(part > 0 && part <= size && first < size && first + part <= size);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count)
{
	char *text = malloc(count + 1);
	time_t time;

	if (!text)
		abort();
	memcpy(text, bytes, count);
	text[count] = '\0';
	check_path(text);
	check_range(text, count);
	check_range(text, 0);
	check_range(text, INT64_MAX);
	resource_parse_date(text, &time);
	check(resource_has_etag("\"a\", W/\"b\"", "W/\"b\""));
	resource_has_etag(text, "\"a\"");
	resource_is_own(text, "lab7");
	free(text);
	return 0;
}
