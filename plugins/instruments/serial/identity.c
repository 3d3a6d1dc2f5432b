/* identity.c: see the header. In the job's process, on its main thread; nothing here waits for a device. */
#include "identity.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PARENTS_MAX 8 /* from the port up to its USB device */

static bool read_line(const char *folder, const char *name, char ret_text[IDENTITY_TEXT_BYTES])
{
	char path[PATH_MAX + 40];

	ret_text[0] = '\0';
	snprintf(path, sizeof(path), "%s/%s", folder, name);
	FILE *file = fopen(path, "re");
	if (!file)
		return false;
	bool is_there = fgets(ret_text, (int)IDENTITY_TEXT_BYTES, file);
	fclose(file);
	ret_text[strcspn(ret_text, "\n")] = '\0';
	return is_there && *ret_text;
}

bool identity_read(const char *sys, const char *device, struct identity *ret_identity)
{
	char real[PATH_MAX], link[PATH_MAX + 40], folder[PATH_MAX];

	if (!realpath(device, real))
		return false;
	snprintf(link, sizeof(link), "%s/class/tty/%s/device", sys, strrchr(real, '/') + 1);
	if (!realpath(link, folder))
		return false;
	for (int i = 0; i < PARENTS_MAX && strlen(folder) > strlen(sys); i++) {
		if (read_line(folder, "product", ret_identity->model)) {
			read_line(folder, "serial", ret_identity->serial);
			read_line(folder, "bcdDevice", ret_identity->firmware);
			return true;
		}
		char *slash = strrchr(folder, '/');
		if (!slash)
			break;
		*slash = '\0';
	}
	return false;
}
