/* log_place.c: see the header. Process: whoever looks from outside. */
#include "client/log_place.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/text.h"
#include "client/client.h"

/* The unit of systemd that a process belongs to; false: none. */
static bool find_unit(int64_t pid, char ret_unit[256])
{
	char path[64], line[1024];
	bool is_found = false;

	snprintf(path, sizeof(path), "/proc/%lld/cgroup", (long long)pid);
	FILE *file = fopen(path, "re");
	while (file && !is_found && fgets(line, sizeof(line), file)) {
		char *name = strrchr(line, '/');

		line[strcspn(line, "\n")] = '\0';
		is_found = name && strlen(name) > 9 && !strcmp(name + strlen(name) - 8, ".service");
		if (is_found)
			snprintf(ret_unit, 256, "%s", name + 1);
	}
	if (file)
		fclose(file);
	text_make_safe(ret_unit, strlen(ret_unit));
	return is_found;
}

/* Standard error of the supervisor is no file: says what it is, and how its lines can be seen. */
static int explain(int64_t pid, mode_t mode, struct enrg_error *err)
{
	char unit[256] = "";

	if (S_ISSOCK(mode) && find_unit(pid, unit))
		return enrg_error_set(err, -ENOTSUP,
			"the log goes to the journal, which this library does not read: `journalctl --follow "
			"--unit=%s` "
			"shows it; or name a file under [log] in supervisor.toml",
			unit);
	return enrg_error_set(err, -ENOTSUP,
		"the log goes to %s, where nobody can read along: name a file under [log] in supervisor.toml",
		S_ISSOCK(mode)   ? "a socket"
		: S_ISFIFO(mode) ? "a pipe"
		: S_ISCHR(mode)  ? "a terminal or device"
				 : "no file");
}

int log_place_find(const char *folder, struct log_place *ret_place, struct enrg_error *err)
{
	struct info *info = malloc(sizeof(*info)); /* large */
	struct stat status = {0};
	int rc = 0;

	if (!info)
		return enrg_error_set(err, -ENOMEM, "out of memory");
	info_read(folder, info);
	ret_place->pid = info->shown.pid;
	snprintf(ret_place->path, sizeof(ret_place->path), "%s", info->log_path);
	free(info);
	if (!ret_place->pid)
		return client_explain_absence(folder, err);
	if (ret_place->path[0])
		return 0;
	snprintf(ret_place->path, sizeof(ret_place->path), "/proc/%lld/fd/2", (long long)ret_place->pid);
	if (stat(ret_place->path, &status) < 0 || !S_ISREG(status.st_mode))
		rc = explain(ret_place->pid, status.st_mode, err);
	return rc;
}
