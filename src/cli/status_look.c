/* status_look.c: see the header. Process: `status`. */
#include "cli/status_look.h"

#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/path.h"
#include "base/version.h"
#include "handover/page.h"
#include "supervisor/status.h"

#define STALE_S   3.0 /* the supervisor writes once a second, or tells when it will again */
#define FILES_MAX 20u /* in the table; JSON has all */
#define DELETED   " (deleted)"

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

static void add_file(json_t *files, const char *store, pid_t pid, const char *descriptor, const char *folder)
{
	char link[320], path[4096];
	struct stat status;
	bool is_deleted;
	json_t *file;
	double age;

	snprintf(link, sizeof(link), "/proc/%d/fd/%s", (int)pid, descriptor);
	if (stat(link, &status) || !S_ISREG(status.st_mode) || !read_link(link, path, sizeof(path), &is_deleted) ||
		!is_data(path, folder) || !is_writable(pid, descriptor) || has_path(files, path))
		return;
	age = ((double)clock_wall_ns() - (double)status.st_mtim.tv_sec * 1e9 - (double)status.st_mtim.tv_nsec) / 1e9;
	file = json_pack("{s:s, s:s, s:I, s:f, s:b, s:I}", "store", store, "path", path, "bytes",
		(json_int_t)status.st_size, "age_s", age > 0 ? age : 0.0, "removed", is_deleted || status.st_nlink == 0,
		"device", (json_int_t)status.st_dev);
	if (file)
		json_array_append_new(files, file);
}

/* Those that the store's process has open for writing. */
static void add_files(json_t *files, const json_t *job, const char *folder)
{
	pid_t pid = (pid_t)number(job, "pid");
	char path[64];
	DIR *directory;

	snprintf(path, sizeof(path), "/proc/%d/fd", (int)pid);
	directory = pid > 1 ? opendir(path) : NULL;
	for (const struct dirent *entry; directory && (entry = readdir(directory));)
		if (entry->d_name[0] != '.' && strtol(entry->d_name, NULL, 10) > 2) /* not where its log goes */
			add_file(files, text(job, "name"), pid, entry->d_name, folder);
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

static void print_program(const json_t *program, FILE *stream)
{
	const char *state = text(program, "state");
	bool is_known = json_is_string(json_object_get(program, "installed"));

	if (!strcmp(state, "replaced"))
		fprintf(stream,
			"program: %s was replaced since this run began%s%s: the run continues as version %s, jobs that "
			"are "
			"started again too; `enrgdaq stop` and a new start take what is installed\n",
			text(program, "path"), is_known ? ", by version " : "",
			is_known ? text(program, "installed") : "", text(program, "running"));
	else if (!strcmp(state, "removed"))
		fprintf(stream,
			"program: %s was removed since this run began: the run continues as version %s, jobs that are "
			"started again too, until it is stopped\n",
			text(program, "path"), text(program, "running"));
	else if (is_known && strcmp(text(program, "installed"), text(program, "running")) != 0)
		fprintf(stream, "program: the run is of version %s\n", text(program, "running"));
}

/* --- the whole ---------------------------------------------------------------------------------------------------- */

void status_look_add(json_t *status, const char *folder, pid_t pid)
{
	double mono_ns = number(status, "mono_ns");
	json_t *files = json_array(), *job;
	size_t i;

	if (mono_ns > 0)
		json_object_set_new(status, "age_s", json_real(((double)clock_mono_ns() - mono_ns) / 1e9));
	json_array_foreach(json_object_get(status, "jobs"), i, job) if (json_is_true(json_object_get(job, "is_store")))
		add_files(files, job, folder);
	json_object_set_new(status, "files", files);
	add_disks(status, files, folder);
	add_program(status, pid);
}

void status_look_print_age(const json_t *status, FILE *stream)
{
	char span[32];
	double age_s = number(status, "age_s");

	if (age_s < STALE_S || age_s < number(status, "interval_s") + STALE_S - 1)
		return;
	clock_format_span((uint64_t)(age_s * 1e9), span, sizeof(span));
	fprintf(stream,
		"OLD: the supervisor has reported nothing for %s: it stands still (stopped by a debugger or Ctrl-Z, or "
		"a disk "
		"does not answer). Jobs continue by themselves; what follows was true then\n",
		span);
}

static void print_file(const json_t *file, FILE *stream)
{
	char bytes[32], span[32];

	status_format_bytes(number(file, "bytes"), bytes);
	clock_format_span((uint64_t)(number(file, "age_s") * 1e9), span, sizeof(span));
	fprintf(stream, "%s: %s, %s, last written %s ago%s\n", text(file, "store"), text(file, "path"), bytes, span,
		json_is_true(json_object_get(file, "removed")) ? ", REMOVED: it has no name any more" : "");
}

static void print_disk(const json_t *disk, FILE *stream)
{
	char bytes[32], rate[32], span[32];
	double full_in_s = number(disk, "full_in_s");

	status_format_bytes(number(disk, "free_bytes"), bytes);
	status_format_bytes(number(disk, "bytes_per_s"), rate);
	fprintf(stream, "disk of %s: %s free", text(disk, "path"), bytes);
	if (full_in_s > 0 && full_in_s < 100.0 * 365 * 86400) {
		clock_format_span((uint64_t)(full_in_s * 1e9), span, sizeof(span));
		fprintf(stream, ", full in %s at the present %s/s", span, rate);
	}
	fputc('\n', stream);
}

void status_look_print(const json_t *status, FILE *stream)
{
	const json_t *files = json_object_get(status, "files"), *item;
	size_t i;

	json_array_foreach((json_t *)files, i, item)
	{
		if (i == FILES_MAX) {
			fprintf(stream, "… and %zu files more (--json lists all)\n", json_array_size(files) - i);
			break;
		}
		print_file(item, stream);
	}
	json_array_foreach((json_t *)json_object_get(status, "disks"), i, item) print_disk(item, stream);
	print_program(json_object_get(status, "program"), stream);
}
