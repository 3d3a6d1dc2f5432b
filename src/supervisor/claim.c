/* claim.c: a claim on a runtime folder that stays when the folder is removed. Process: supervisor, at start. */
#include "supervisor/claim.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/crc32c.h"
#include "base/log.h"

/* Without the zero byte that it begins with. */
static void name_claim(const char *folder, char *ret_name, size_t name_bytes)
{
	char real[PATH_MAX];
	const char *path = realpath(folder, real) ? real : folder;

	snprintf(ret_name, name_bytes, "enrgdaq-%u-%08x%08x", (unsigned)geteuid(), crc32c(0, path, strlen(path)),
		crc32c(0x454e5247u, path, strlen(path)));
}

/* "socket:[INODE]" of whoever has that name; false: it has been let go. */
static bool find_socket(const char *name, char *ret_link, size_t link_bytes)
{
	FILE *file = fopen("/proc/net/unix", "re");
	char line[512], place[160];
	bool is_found = false;

	if (!file)
		return false;
	while (!is_found && fgets(line, sizeof(line), file)) {
		unsigned long inode;

		is_found = sscanf(line, "%*s %*s %*s %*s %*s %*s %lu %159s", &inode, place) == 2 && place[0] == '@' &&
			   strcmp(place + 1, name) == 0;
		if (is_found)
			snprintf(ret_link, link_bytes, "socket:[%lu]", inode);
	}
	fclose(file);
	return is_found;
}

static bool has_socket(const char *process, const char *wanted)
{
	char path[64], link[64];
	bool is_found = false;

	snprintf(path, sizeof(path), "/proc/%.20s/fd", process);
	DIR *dir = opendir(path);
	for (struct dirent *entry; !is_found && dir && (entry = readdir(dir));) {
		ssize_t length = readlinkat(dirfd(dir), entry->d_name, link, sizeof(link) - 1);

		if (length > 0) {
			link[length] = '\0';
			is_found = strcmp(link, wanted) == 0;
		}
	}
	if (dir)
		closedir(dir);
	return is_found;
}

/* Another mount name space may have another folder of that name: a container that shares the network of its host. */
static bool sees_same_files(const char *process)
{
	struct stat own, other;
	char path[64];

	snprintf(path, sizeof(path), "/proc/%.20s/ns/mnt", process);
	return stat(path, &other) < 0 || stat("/proc/self/ns/mnt", &own) < 0 ||
	       (own.st_dev == other.st_dev && own.st_ino == other.st_ino);
}

/* Not the owner of its folder in /proc: that is root where a process has changed its user. */
static bool is_own(const char *process)
{
	char path[64], line[256];
	unsigned real, effective = 0;
	bool is_read = false;

	snprintf(path, sizeof(path), "/proc/%.20s/status", process);
	FILE *file = fopen(path, "re");
	while (file && !is_read && fgets(line, sizeof(line), file))
		is_read = sscanf(line, "Uid: %u %u", &real, &effective) == 2;
	if (file)
		fclose(file);
	return is_read && effective == geteuid();
}

/* A process of this user that has the socket, or 0. */
static pid_t find_owner(const char *link)
{
	DIR *dir = opendir("/proc");
	pid_t pid = 0;

	for (struct dirent *entry; !pid && dir && (entry = readdir(dir));) {
		const char *name = entry->d_name;

		if (name[0] >= '1' && name[0] <= '9' && is_own(name) && has_socket(name, link) && sees_same_files(name))
			pid = (pid_t)strtol(entry->d_name, NULL, 10);
	}
	if (dir)
		closedir(dir);
	return pid;
}

static int explain_taken(const char *name, const char *folder, const char *supervisor, struct enrg_error *err)
{
	char link[64];
	pid_t pid;

	if (!find_socket(name, link, sizeof(link)))
		return 0;
	pid = find_owner(link);
	if (pid)
		return enrg_error_set(err, -EBUSY,
			"supervisor \"%s\" runs already as process %d; end it with `enrgdaq stop %s`, or give this one "
			"another info.supervisor_id",
			supervisor, (int)pid, supervisor);
	log_line(ENRG_WARNING,
		"another user, or a container of this machine, has taken the name @%s: should %s be removed while this "
		"run is on, nothing but its lock would keep a second start away",
		name, folder);
	return 0;
}

int claim_take(const char *folder, const char *supervisor, int *ret_descriptor, struct enrg_error *err)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int descriptor = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	*ret_descriptor = -1;
	if (descriptor < 0)
		return 0;
	name_claim(folder, address.sun_path + 1, sizeof(address.sun_path) - 1);
	socklen_t bytes = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + strlen(address.sun_path + 1));
	if (bind(descriptor, (const struct sockaddr *)&address, bytes) == 0) {
		*ret_descriptor = descriptor;
		return 0;
	}
	int rc = errno == EADDRINUSE ? explain_taken(address.sun_path + 1, folder, supervisor, err) : 0;
	close(descriptor);
	return rc;
}
