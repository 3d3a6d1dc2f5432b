/* find.c: see the header. Process: whoever looks from outside. */
#include "client/find.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/path.h"
#include "client/others.h"
#include "handover/presence.h"

/* Folders whose lock is held; *ret_names lists them. */
static int find_running(const char *base, char *ret_folder, size_t folder_bytes, char *ret_names, size_t names_bytes)
{
	DIR *dir = opendir(base);
	int found = 0;

	for (struct dirent *entry; dir && (entry = readdir(dir));) {
		char path[FIND_PATH_BYTES + 260];
		size_t used = strlen(ret_names);

		if (entry->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "%s/%s", base, entry->d_name);
		if (!presence_owner(path))
			continue;
		if (!found++)
			snprintf(ret_folder, folder_bytes, "%s", path);
		snprintf(ret_names + used, names_bytes - used, "%s%s", used ? ", " : "", entry->d_name);
	}
	if (dir)
		closedir(dir);
	return found;
}

/* Nobody holds the lock, but jobs may still run: they end by themselves when their supervisor is gone. */
static int tell_orphans(const char *folder, struct enrg_error *err)
{
	uint32_t count = presence_count_jobs(folder);

	if (!count)
		return 0;
	return enrg_error_set(err, -ESRCH,
		"the supervisor of \"%s\" is gone, and %u of its jobs still run: they store what they have and end by "
		"themselves; `enrgdaq run` waits for them and takes over",
		strrchr(folder, '/') + 1, count);
}

static int find_orphans(const char *base, struct enrg_error *err)
{
	DIR *dir = opendir(base);
	int rc = 0;

	for (struct dirent *entry; rc == 0 && dir && (entry = readdir(dir));) {
		char path[FIND_PATH_BYTES + 260];

		if (entry->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "%s/%s", base, entry->d_name);
		rc = tell_orphans(path, err);
	}
	if (dir)
		closedir(dir);
	return rc;
}

/* A folder that lets only its owner in: what happens there is for the owner to see. */
static int explain_foreign(const char *folder, struct enrg_error *err)
{
	struct stat status;
	char owner[64];

	if (stat(folder, &status) || status.st_uid == geteuid() || !access(folder, R_OK | W_OK | X_OK))
		return 0;
	path_format_user(status.st_uid, owner, sizeof(owner));
	return enrg_error_set(
		err, -EACCES, "%s belongs to %s: only that user and root see what runs there", folder, owner);
}

/* No run of that name (NULL: none at all) was found in `base`; is there one elsewhere? */
static int tell_none(const char *base, const char *supervisor, struct enrg_error *err)
{
	char others[600];

	others_describe(base, supervisor, others, sizeof(others));
	if (others[0])
		others[strlen(others) - 1] = '\0'; /* the last line end */
	if (supervisor)
		return enrg_error_set(err, -ENOENT, "no supervisor \"%s\" has run here%s%s", supervisor,
			others[0] ? "; but " : "", others);
	return enrg_error_set(err, -ENOENT, "no system%s is running; start one with `enrgdaq run CONFIG_DIR`%s%s",
		others[0] ? " of yours" : "", others[0] ? "\n" : "", others);
}

int find_supervisor(
	const char *supervisor, char *ret_folder, size_t folder_bytes, pid_t *ret_pid, struct enrg_error *err)
{
	char base[FIND_PATH_BYTES - 160], safe[128], names[400] = "";
	struct stat stat_buffer;
	int rc = path_runtime_folder(base, sizeof(base), err);

	if (rc)
		return rc;
	rc = explain_foreign(base, err);
	if (rc)
		return rc;
	if (!supervisor) {
		int found = find_running(base, ret_folder, folder_bytes, names, sizeof(names));

		if (found > 1)
			return enrg_error_set(err, -EEXIST, "several systems run here: %s; name one", names);
		if (!found)
			rc = find_orphans(base, err);
		if (!found && rc == 0)
			rc = tell_none(base, supervisor, err);
		if (!found)
			return rc;
		*ret_pid = presence_owner(ret_folder);
		return 0;
	}
	path_safe_name(supervisor, safe, sizeof(safe));
	snprintf(ret_folder, folder_bytes, "%s/%s", base, safe);
	if (stat(ret_folder, &stat_buffer))
		return tell_none(base, supervisor, err);
	rc = explain_foreign(ret_folder, err);
	if (rc)
		return rc;
	*ret_pid = presence_owner(ret_folder);
	return *ret_pid ? 0 : tell_orphans(ret_folder, err);
}
