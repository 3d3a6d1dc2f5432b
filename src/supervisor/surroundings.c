/* surroundings.c: see the header. Any thread; reads /proc and /etc. */
#include "supervisor/surroundings.h"

#include <limits.h>
#include <link.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysinfo.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/path.h"
#include "base/text.h"
#include "base/version.h"

#define BUILD_BYTES_MAX 32u

/* --- libraries ---------------------------------------------------------------------------------------------------- */

static size_t align_4(size_t count)
{
	return (count + 3) & ~(size_t)3;
}

/* The build id in that segment of notes; "" where there is none. */
static void find_build(const char *notes, size_t count, char ret_hex[2 * BUILD_BYTES_MAX + 1])
{
	size_t at = 0;

	while (at + sizeof(ElfW(Nhdr)) <= count) {
		ElfW(Nhdr) head;
		memcpy(&head, notes + at, sizeof(head));
		size_t name = at + sizeof(head), value = name + align_4(head.n_namesz);
		if (value > count || head.n_descsz > count - value)
			return;
		if (head.n_type == NT_GNU_BUILD_ID && head.n_namesz == 4 && !memcmp(notes + name, "GNU", 4) &&
			head.n_descsz <= BUILD_BYTES_MAX)
			text_format_hex(notes + value, head.n_descsz, ret_hex);
		at = value + align_4(head.n_descsz);
	}
}

static void read_build(const struct dl_phdr_info *info, char ret_hex[2 * BUILD_BYTES_MAX + 1])
{
	ret_hex[0] = '\0';
	for (size_t i = 0; i < info->dlpi_phnum && !ret_hex[0]; i++)
		if (info->dlpi_phdr[i].p_type == PT_NOTE)
			/* Where the loader says that it has put the segment. */
			find_build((const char *)(uintptr_t)(info->dlpi_addr + info->dlpi_phdr[i].p_vaddr),
				info->dlpi_phdr[i].p_memsz, ret_hex);
}

struct objects {
	json_t *libraries;
	bool has_program; /* the first object is the program */
	char build[2 * BUILD_BYTES_MAX + 1];
};

static const char *own_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

/* The name of what a link leads to has the version: libhdf5.so.103.3.0. */
static int take_object(struct dl_phdr_info *info, size_t bytes, void *context)
{
	struct objects *objects = context;
	char build[2 * BUILD_BYTES_MAX + 1], real[PATH_MAX];

	(void)bytes;
	read_build(info, build);
	if (!objects->has_program) {
		objects->has_program = true;
		memcpy(objects->build, build, sizeof(build));
		return 0;
	}
	if (!info->dlpi_name || !strstr(info->dlpi_name, ".so") || !realpath(info->dlpi_name, real))
		return 0;
	json_t *entry =
		json_pack("{s:s, s:s, s:s}", "name", own_name(info->dlpi_name), "file", own_name(real), "build", build);
	if (entry) /* else a name that is not UTF-8 text */
		json_array_append_new(objects->libraries, entry);
	return 0;
}

json_t *surroundings_format_versions(void)
{
	struct objects objects = {.libraries = json_array()};

	dl_iterate_phdr(take_object, &objects);
	return json_pack("{s:s, s:s, s:s, s:s, s:o}", "enrgdaq", version_text(), "commit", version_commit(), "build",
		objects.build, "compiler", version_compiler(), "libraries", objects.libraries);
}

/* --- machine ------------------------------------------------------------------------------------------------------ */

/* The value behind `key` in a file of lines "KEY=value" or "key : value"; `key` NULL: the first line. */
static void read_value(const char *path, const char *key, char *ret_text, size_t text_bytes)
{
	FILE *file = fopen(path, "re");
	char line[1000];

	ret_text[0] = '\0';
	while (file && fgets(line, sizeof(line), file)) {
		size_t length = key ? strlen(key) : 0;
		if (key && strncmp(line, key, length) != 0)
			continue;
		const char *from = line + length + strspn(line + length, key ? "\t :=\"" : "");
		text_copy(ret_text, text_bytes, from);
		ret_text[strcspn(ret_text, "\"\n")] = '\0';
		break;
	}
	if (file)
		fclose(file);
	text_make_safe(ret_text, strlen(ret_text));
}

json_t *surroundings_format_host(void)
{
	struct utsname name = {0};
	struct sysinfo info = {0};
	char kernel[sizeof(name.release) + sizeof(name.version) + 2], system[200], cpu[200], boot[64];

	uname(&name);
	sysinfo(&info);
	snprintf(kernel, sizeof(kernel), "%s %s", name.release, name.version);
	read_value("/etc/os-release", "PRETTY_NAME", system, sizeof(system));
	read_value("/proc/cpuinfo", "model name", cpu, sizeof(cpu));
	read_value("/proc/sys/kernel/random/boot_id", NULL, boot, sizeof(boot));
	return json_pack("{s:s, s:s, s:s, s:s, s:s, s:I, s:I, s:s}", "name", name.nodename, "system", system, "kernel",
		kernel, "machine", name.machine, "cpu", cpu, "cpus", (json_int_t)sysconf(_SC_NPROCESSORS_ONLN),
		"memory_bytes", (json_int_t)info.totalram * (json_int_t)info.mem_unit, "boot_id", boot);
}
