/* hardware.c: see the header: three lines. */
#include "handover/hardware.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/path.h"
#include "base/secret.h"
#include "base/text.h"

static bool name_file(const char *page_path, char ret_path[PATH_MAX])
{
	size_t length = strlen(page_path), suffix = strlen(".page");

	return snprintf(ret_path, PATH_MAX, "%.*s" HARDWARE_SUFFIX, (int)(length > suffix ? length - suffix : 0),
		       page_path) < PATH_MAX;
}

/* One line of it. */
static void make_line(const char *text, char ret_line[HARDWARE_TEXT_BYTES])
{
	text_copy(ret_line, HARDWARE_TEXT_BYTES, text ? text : "");
	text_make_safe(ret_line, strlen(ret_line));
	secret_hide(ret_line);
}

int hardware_write(
	const char *page_path, const char *model, const char *serial, const char *firmware, struct enrg_error *err)
{
	char path[PATH_MAX], lines[3][HARDWARE_TEXT_BYTES], text[3 * HARDWARE_TEXT_BYTES + 4];

	if (!name_file(page_path, path))
		return enrg_error_set(err, -ENAMETOOLONG, "%s: the path is too long", page_path);
	make_line(model, lines[0]);
	make_line(serial, lines[1]);
	make_line(firmware, lines[2]);
	int count = snprintf(text, sizeof(text), "%s\n%s\n%s\n", lines[0], lines[1], lines[2]);
	int rc = path_write_private_file(path, text, (size_t)count, err);
	return rc < 0 ? rc : 0;
}

static const char *take_line(const char *text, char ret_line[HARDWARE_TEXT_BYTES])
{
	size_t count = strcspn(text, "\n");

	snprintf(ret_line, HARDWARE_TEXT_BYTES, "%.*s", (int)count, text);
	text_make_safe(ret_line, strlen(ret_line));
	return text + count + (text[count] == '\n');
}

bool hardware_read(const char *page_path, struct hardware *ret_hardware)
{
	char path[PATH_MAX], *text;
	size_t count;

	if (!name_file(page_path, path) || path_read_file(path, 4 * HARDWARE_TEXT_BYTES, &text, &count, NULL) < 0)
		return false;
	const char *at = take_line(text, ret_hardware->model);
	at = take_line(at, ret_hardware->serial);
	take_line(at, ret_hardware->firmware);
	free(text);
	return true;
}
