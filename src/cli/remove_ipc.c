/* remove_ipc.c: see the header. Command `doctor`. */
#include "cli/remove_ipc.h"

#include <glob.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/path.h"

#define SYSTEM_USER_MAX 999u /* logind leaves the files of system users alone */

static int parse_value(const char *value, size_t length)
{
	static const char *const yes[] = {"yes", "true", "on", "1", "y", "t"};
	static const char *const no[] = {"no", "false", "off", "0", "n", "f"};

	for (size_t i = 0; i < sizeof(yes) / sizeof(yes[0]); i++) {
		if (strlen(yes[i]) == length && !strncasecmp(value, yes[i], length))
			return 1;
		if (strlen(no[i]) == length && !strncasecmp(value, no[i], length))
			return 0;
	}
	return -1;
}

int remove_ipc_parse(const char *text)
{
	int found = -1;

	for (const char *line = text; *line;) {
		size_t length = strcspn(line, "\n"), lead = strspn(line, " \t");

		if (!strncmp(line + lead, "RemoveIPC", 9)) {
			const char *at = line + lead + 9;

			at += strspn(at, " \t");
			if (*at == '=') {
				at += 1 + strspn(at + 1, " \t");
				int value = parse_value(at, strcspn(at, " \t\r\n"));
				found = value >= 0 ? value : found;
			}
		}
		line += length + (line[length] != '\0');
	}
	return found;
}

/* The last one that says something counts. */
bool remove_ipc_is_on(void)
{
	static const char *const patterns[] = {"/usr/lib/systemd/logind.conf", "/etc/systemd/logind.conf",
		"/usr/lib/systemd/logind.conf.d/*.conf", "/run/systemd/logind.conf.d/*.conf",
		"/etc/systemd/logind.conf.d/*.conf"};
	bool is_on = true;
	glob_t files;

	for (size_t i = 0; i < sizeof(patterns) / sizeof(patterns[0]); i++) {
		if (glob(patterns[i], 0, NULL, &files))
			continue;
		for (size_t k = 0; k < files.gl_pathc; k++) {
			char *text;
			size_t count;
			int value;

			if (path_read_file(files.gl_pathv[k], 1 << 20, &text, &count, NULL))
				continue;
			value = remove_ipc_parse(text);
			is_on = value >= 0 ? value : is_on;
			free(text);
		}
		globfree(&files);
	}
	return is_on;
}

bool remove_ipc_concerns(uid_t user, const char *folder)
{
	const struct passwd *entry = getpwuid(user);
	char path[300];

	if (user <= SYSTEM_USER_MAX || strncmp(folder, "/dev/shm/", 9) || access("/run/systemd/system", F_OK))
		return false;
	snprintf(path, sizeof(path), "/var/lib/systemd/linger/%.200s", entry ? entry->pw_name : "");
	return !entry || access(path, F_OK);
}
