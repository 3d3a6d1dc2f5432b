/* presence.c: see the header. Process: any. */
#include "handover/presence.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/path.h"
#include "handover/page.h"

#define PATH_BYTES 1024

pid_t presence_owner(const char *folder)
{
	char path[PATH_BYTES], text[32] = "";
	struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
	pid_t pid = 0;
	int descriptor;

	snprintf(path, sizeof(path), "%s/lock", folder);
	descriptor = open(path, O_RDWR | O_CLOEXEC);
	if (descriptor < 0)
		return 0;
	if (!fcntl(descriptor, F_OFD_GETLK, &lock) && lock.l_type != F_UNLCK &&
		pread(descriptor, text, sizeof(text) - 1, 0) > 0)
		pid = (pid_t)strtol(text, NULL, 10);
	close(descriptor);
	return pid > 0 ? pid : 0;
}

int presence_visit_files(
	const char *folder, const char *suffix, int (*visit)(const char *path, void *context), void *context)
{
	DIR *dir = opendir(folder);
	int rc = 0;

	if (!dir)
		return 0;
	for (struct dirent *entry; !rc && (entry = readdir(dir));) {
		char path[PATH_BYTES];
		size_t length = strlen(entry->d_name);

		if (entry->d_name[0] == '.' || length <= strlen(suffix) ||
			strcmp(entry->d_name + length - strlen(suffix), suffix))
			continue;
		snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name);
		rc = visit(path, context);
	}
	closedir(dir);
	return rc;
}

/* Is that process a job with this page? "enrgdaq-job\0TYPE\0NAME": the page's file is named after NAME. */
static bool is_job_of_page(pid_t pid, const char *page_path)
{
	char path[64], command[1024] = "", safe[180];
	const char *file = strrchr(page_path, '/') + 1, *name;
	ssize_t count;
	int descriptor;

	snprintf(path, sizeof(path), "/proc/%d/cmdline", (int)pid);
	descriptor = open(path, O_RDONLY | O_CLOEXEC);
	if (descriptor < 0)
		return false;
	count = read(descriptor, command, sizeof(command) - 2);
	close(descriptor);
	if (count <= 0 || strcmp(command, "enrgdaq-job"))
		return false;
	name = command + strlen(command) + 1;
	name += strlen(name) + 1;
	if (name >= command + count)
		return false;
	path_safe_name(name, safe, sizeof(safe));
	return !strncmp(file, safe, strlen(safe));
}

pid_t presence_find_job(const char *page_path)
{
	int descriptor = page_open_file(page_path);

	if (descriptor < 0)
		return 0;
	pid_t pid = (pid_t)page_read_pid(descriptor);
	close(descriptor);
	return pid > 1 && is_job_of_page(pid, page_path) ? pid : 0;
}

static int count_job(const char *path, void *context)
{
	*(uint32_t *)context += presence_find_job(path) > 0;
	return 0;
}

uint32_t presence_count_jobs(const char *folder)
{
	uint32_t count = 0;

	presence_visit_files(folder, ".page", count_job, &count);
	return count;
}
