/* look.c: see the header. Process: whoever looks from outside. */
#include "client/look.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/path.h"
#include "base/version.h"
#include "client/info.h"
#include "handover/page.h"

#define DELETED " (deleted)"

static double number(const json_t *object, const char *key)
{
	return json_number_value(json_object_get(object, key));
}

static const char *text(const json_t *object, const char *key)
{
	const char *value = json_string_value(json_object_get(object, key));

	return value ? value : "-";
}

/* --- files -------------------------------------------------------------------------------------------------------- */

/* Target of a link below /proc, without the kernel's word for a file that has no name any more. False: none. */
static bool read_link(const char *link, char *ret_path, size_t path_bytes, bool *ret_is_deleted)
{
	ssize_t count = readlink(link, ret_path, path_bytes - 1);

	if (count <= 0 || ret_path[0] != '/')
		return false;
	ret_path[count] = '\0';
	*ret_is_deleted = count > (ssize_t)strlen(DELETED) && !strcmp(ret_path + count - strlen(DELETED), DELETED);
	if (*ret_is_deleted)
		ret_path[count - (ssize_t)strlen(DELETED)] = '\0';
	return true;
}

/* Is that descriptor of another process open for writing? */
static bool is_writable(pid_t pid, const char *descriptor)
{
	char path[320], line[128];
	unsigned flags = 0;

	snprintf(path, sizeof(path), "/proc/%d/fdinfo/%s", (int)pid, descriptor);
	FILE *file = fopen(path, "re");
	while (file && fgets(line, sizeof(line), file))
		if (sscanf(line, "flags: %o", &flags) == 1)
			break;
	if (file)
		fclose(file);
	return (flags & O_ACCMODE) != O_RDONLY;
}

struct look {
	json_t *files;
	const char *folder;
	struct stat log; /* of the run's log, which its jobs write as well; all zero: none */
};

/* What the store does with its data, not how: rings, its journal, and an index beside a database are no data. */
static bool is_data(const char *path, const char *folder)
{
	size_t length = strlen(folder), end = strlen(path);

	return !(strncmp(path, folder, length) == 0 && path[length] == '/') && strncmp(path, "/memfd:", 7) != 0 &&
	       strncmp(path, "/dev/", 5) != 0 && !(end > 4 && !strcmp(path + end - 4, "-shm"));
}

static bool has_path(const json_t *files, const char *path)
{
	const json_t *file;
	size_t i;

	json_array_foreach((json_t *)files, i, file) if (!strcmp(text(file, "path"), path)) return true;
	return false;
}

static void add_file(const struct look *look, const char *store, pid_t pid, const char *descriptor)
{
	char link[320], path[4096];
	struct stat status;
	bool is_deleted;
	json_t *file;
	double age;

	snprintf(link, sizeof(link), "/proc/%d/fd/%s", (int)pid, descriptor);
	if (stat(link, &status) || !S_ISREG(status.st_mode) || !read_link(link, path, sizeof(path), &is_deleted) ||
		!is_data(path, look->folder) || !is_writable(pid, descriptor) || has_path(look->files, path) ||
		(status.st_ino == look->log.st_ino && status.st_dev == look->log.st_dev))
		return;
	age = ((double)clock_wall_ns() - (double)status.st_mtim.tv_sec * 1e9 - (double)status.st_mtim.tv_nsec) / 1e9;
	file = json_pack("{s:s, s:s, s:I, s:f, s:b, s:I}", "store", store, "path", path, "bytes",
		(json_int_t)status.st_size, "age_s", age > 0 ? age : 0.0, "removed", is_deleted || status.st_nlink == 0,
		"device", (json_int_t)status.st_dev);
	if (file)
		json_array_append_new(look->files, file);
}

/* Those that the store's process has open for writing. */
static void add_files(const struct look *look, const json_t *job)
{
	pid_t pid = (pid_t)number(job, "pid");
	char path[64];
	DIR *directory;

	snprintf(path, sizeof(path), "/proc/%d/fd", (int)pid);
	directory = pid > 1 ? opendir(path) : NULL;
	for (const struct dirent *entry; directory && (entry = readdir(directory));)
		if (entry->d_name[0] != '.' && strtol(entry->d_name, NULL, 10) > 2) /* not where its log goes */
			add_file(look, text(job, "name"), pid, entry->d_name);
	if (directory)
		closedir(directory);
}

/* --- disks -------------------------------------------------------------------------------------------------------- */

/* Bytes that this life of the store has written for each byte that it has taken in; 0 = not known. */
static double find_ratio(const json_t *job, const char *folder)
{
	char path[512], safe[180], line[128];
	unsigned long long written = 0;
	struct page page;
	FILE *file;

	path_safe_name(text(job, "name"), safe, sizeof(safe));
	snprintf(path, sizeof(path), "%s/%s.page", folder, safe);
	int descriptor = page_open_file(path);
	int rc = descriptor < 0 ? descriptor : page_read(descriptor, &page);
	if (descriptor >= 0)
		close(descriptor);
	snprintf(path, sizeof(path), "/proc/%d/io", (int)number(job, "pid"));
	file = rc ? NULL : fopen(path, "re");
	while (file && fgets(line, sizeof(line), file))
		if (sscanf(line, "wchar: %llu", &written) == 1)
			break;
	if (file)
		fclose(file);
	uint64_t taken = rc ? 0 : atomic_load_explicit(&page.in_bytes, memory_order_relaxed);
	return taken ? (double)written / (double)taken : 0;
}

/* The disk of that file in the list, made where it is not there yet. */
static json_t *get_disk(json_t *disks, const json_t *file)
{
	const char *path = text(file, "path"), *slash = strrchr(path, '/');
	struct statvfs space;
	json_t *disk;
	size_t i;

	json_array_foreach(disks, i, disk) if (number(disk, "device") == number(file, "device")) return disk;
	if (statvfs(path, &space))
		return NULL;
	disk = json_pack("{s:o, s:s%, s:f, s:f}", "device", json_incref(json_object_get(file, "device")), "path", path,
		slash > path ? (size_t)(slash - path) : strlen(path), "free_bytes",
		(double)space.f_bavail * (double)space.f_frsize, "bytes_per_s", 0.0);
	if (disk)
		json_array_append_new(disks, disk);
	return disk;
}

static const json_t *find_file_of(const json_t *files, const char *store)
{
	const json_t *file;
	size_t i;

	json_array_foreach((json_t *)files, i, file) if (!strcmp(text(file, "store"), store) &&
							 !json_is_true(json_object_get(file, "removed"))) return file;
	return NULL;
}

static void add_disks(json_t *status, const json_t *files, const char *folder)
{
	json_t *disks = json_array(), *job, *disk;
	size_t i;

	json_array_foreach(json_object_get(status, "jobs"), i, job)
	{
		const json_t *file = find_file_of(files, text(job, "name"));

		disk = file ? get_disk(disks, file) : NULL;
		if (disk)
			json_object_set_new(disk, "bytes_per_s",
				json_real(number(disk, "bytes_per_s") +
					  number(json_object_get(job, "in"), "bytes_per_s") * find_ratio(job, folder)));
	}
	json_array_foreach(disks, i, disk)
	{
		double rate = number(disk, "bytes_per_s");

		json_object_set_new(
			disk, "full_in_s", rate > 0 ? json_real(number(disk, "free_bytes") / rate) : json_null());
	}
	json_object_set_new(status, "disks", disks);
}

/* --- program ------------------------------------------------------------------------------------------------------ */

static bool is_same(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}

/* "installed": version of what lies under the program's name now, where it is this very program; null: not known. */
static void add_program(json_t *status, pid_t pid)
{
	char link[64], path[4096];
	struct stat running, there, own;
	bool is_deleted, is_there;
	const char *state = "unchanged", *installed = NULL;

	snprintf(link, sizeof(link), "/proc/%d/exe", (int)pid);
	if (stat(link, &running) || !read_link(link, path, sizeof(path), &is_deleted))
		return;
	is_there = !stat(path, &there);
	if (!is_there)
		state = "removed";
	else if (!is_same(&there, &running))
		state = "replaced";
	if (is_there && !stat("/proc/self/exe", &own) && is_same(&there, &own))
		installed = version_text();
	json_object_set_new(status, "program",
		json_pack("{s:s, s:s, s:s, s:s?}", "path", path, "running", text(status, "version"), "state", state,
			"installed", installed));
}

/* --- the whole ---------------------------------------------------------------------------------------------------- */

static void find_log(const char *folder, struct stat *ret_log)
{
	struct info *info = malloc(sizeof(*info)); /* large */

	if (info)
		info_read(folder, info);
	if (!info || !info->log_path[0] || stat(info->log_path, ret_log))
		*ret_log = (struct stat){0};
	free(info);
}

void look_add(json_t *status, const char *folder, int64_t pid)
{
	struct look look = {.files = json_array(), .folder = folder};
	json_t *job;
	size_t i;

	find_log(folder, &look.log);

	json_array_foreach(json_object_get(status, "jobs"), i, job) if (json_is_true(json_object_get(job, "is_store")))
		add_files(&look, job);
	json_object_set_new(status, "files", look.files);
	add_disks(status, look.files, folder);
	add_program(status, (pid_t)pid);
}
