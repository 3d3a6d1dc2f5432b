/* others.c: see the header. Process: `status` and `stop`. */
#include "supervisor/others.h"

#include <pwd.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/path.h"
#include "base/text.h"

#define BUS       "/bus.pub"
#define LISTENING 0x10000u /* __SO_ACCEPTCON of the kernel */

/* Is `path` in that folder? */
static bool is_inside(const char *path, const char *folder)
{
	size_t length = strlen(folder);

	while (length > 1 && folder[length - 1] == '/')
		length--;
	return !strncmp(path, folder, length) && path[length] == '/';
}

/* The owner of the folder, or of the nearest one above it that may be looked at: below a closed folder lies nothing of
 * another user's. */
static bool find_owner(const char *folder, uid_t *ret_owner)
{
	char path[512];
	struct stat status;

	snprintf(path, sizeof(path), "%s", folder);
	while (stat(path, &status) < 0) {
		char *slash = strrchr(path, '/');

		if (!slash || slash == path)
			return false;
		*slash = '\0';
	}
	*ret_owner = status.st_uid;
	return true;
}

/* `folder`: of one run. */
static void describe(const char *folder, FILE *stream)
{
	const char *slash = strrchr(folder, '/'), *name = slash + 1;
	const struct passwd *entry;
	char owner[64];
	uid_t user;

	if (!find_owner(folder, &user)) {
		fprintf(stream, "another user runs \"%s\" in %s\n", name, folder);
		return;
	}
	if (user == geteuid()) {
		fprintf(stream, "\"%s\" runs with another runtime folder: ENRGDAQ_RUNTIME_DIR=%.*s shows it\n", name,
			(int)(slash - folder), folder);
		return;
	}
	path_format_user(user, owner, sizeof(owner));
	entry = getpwuid(user);
	if (entry)
		fprintf(stream, "%s runs \"%s\" in %s: `sudo -u %s enrgdaq status %s` shows it\n", owner, name, folder,
			entry->pw_name, name);
	else
		fprintf(stream, "%s runs \"%s\" in %s\n", owner, name, folder);
}

/* The folder of a run whose bus that line names; it is cut out of the line. NULL: another socket, or a connection. */
static char *find_folder(char *line)
{
	char *path = strchr(line, '/');
	unsigned flags;
	size_t length;

	if (!path || sscanf(line, "%*s %*s %*s %x", &flags) != 1 || !(flags & LISTENING))
		return NULL;
	path[strcspn(path, "\n")] = '\0';
	length = strlen(path);
	if (length <= strlen(BUS) || strcmp(path + length - strlen(BUS), BUS) != 0)
		return NULL;
	path[length - strlen(BUS)] = '\0';
	return strrchr(path, '/') ? path : NULL;
}

size_t others_describe_list(FILE *list, const char *base, const char *name, char *ret_text, size_t text_bytes)
{
	FILE *stream = fmemopen(ret_text, text_bytes, "w");
	char line[512], safe[128];
	size_t count = 0;

	ret_text[0] = '\0';
	if (name)
		path_safe_name(name, safe, sizeof(safe));
	while (stream && fgets(line, sizeof(line), list)) {
		const char *folder = find_folder(line);

		if (!folder || is_inside(folder, base) || (name && strcmp(strrchr(folder, '/') + 1, safe) != 0))
			continue;
		describe(folder, stream);
		count++;
	}
	if (stream)
		fclose(stream);
	ret_text[text_bytes - 1] = '\0';
	/* Other users choose those names: they must not steer this terminal. */
	for (char *at = ret_text; *at; at += *at == '\n') {
		size_t length = strcspn(at, "\n");

		text_make_safe(at, length);
		at += length;
	}
	return count;
}

size_t others_describe(const char *base, const char *name, char *ret_text, size_t text_bytes)
{
	FILE *list = fopen("/proc/net/unix", "re");
	size_t count = list ? others_describe_list(list, base, name, ret_text, text_bytes) : 0;

	if (!list)
		ret_text[0] = '\0';
	else
		fclose(list);
	return count;
}
