/* others.c: see the header. Process: whoever looks from outside. */
#include "client/others.h"

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
static void describe(const char *folder, char ret_owner[64], char *ret_sentence, size_t bytes)
{
	const char *slash = strrchr(folder, '/'), *name = slash + 1;
	struct passwd room, *entry = NULL;
	char texts[1024];
	uid_t user;

	ret_owner[0] = '\0';
	if (!find_owner(folder, &user)) {
		snprintf(ret_sentence, bytes, "another user runs \"%s\" in %s", name, folder);
		return;
	}
	path_format_user(user, ret_owner, 64);
	(void)getpwuid_r(user, &room, texts, sizeof(texts), &entry);
	if (user == geteuid())
		snprintf(ret_sentence, bytes,
			"\"%s\" runs with another runtime folder: ENRGDAQ_RUNTIME_DIR=%.*s shows it", name,
			(int)(slash - folder), folder);
	else if (entry)
		snprintf(ret_sentence, bytes, "%s runs \"%s\" in %s: `sudo -u %s enrgdaq status %s` shows it",
			ret_owner, name, folder, entry->pw_name, name);
	else
		snprintf(ret_sentence, bytes, "%s runs \"%s\" in %s", ret_owner, name, folder);
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

size_t others_visit_list(FILE *list, const char *base, const char *name,
	void (*visit)(const struct other *other, void *context), void *context)
{
	char line[512], safe[128], owner[64], sentence[1400];
	size_t count = 0;

	if (name)
		path_safe_name(name, safe, sizeof(safe));
	while (fgets(line, sizeof(line), list)) {
		char *folder = find_folder(line);

		if (!folder || is_inside(folder, base) || (name && strcmp(strrchr(folder, '/') + 1, safe) != 0))
			continue;
		describe(folder, owner, sentence, sizeof(sentence));
		/* Other users choose those names: they must not steer this terminal. */
		text_make_safe(folder, strlen(folder));
		text_make_safe(sentence, strlen(sentence));
		visit(&(struct other){strrchr(folder, '/') + 1, folder, owner, sentence}, context);
		count++;
	}
	return count;
}

size_t others_visit(
	const char *base, const char *name, void (*visit)(const struct other *other, void *context), void *context)
{
	FILE *list = fopen("/proc/net/unix", "re");
	size_t count = list ? others_visit_list(list, base, name, visit, context) : 0;

	if (list)
		fclose(list);
	return count;
}

static void print_sentence(const struct other *other, void *stream)
{
	fprintf(stream, "%s\n", other->sentence);
}

size_t others_describe_list(FILE *list, const char *base, const char *name, char *ret_text, size_t text_bytes)
{
	FILE *stream = fmemopen(ret_text, text_bytes, "w");
	size_t count = 0;

	ret_text[0] = '\0';
	if (stream) {
		count = others_visit_list(list, base, name, print_sentence, stream);
		fclose(stream);
	}
	ret_text[text_bytes - 1] = '\0';
	return count;
}

size_t others_describe(const char *base, const char *name, char *ret_text, size_t text_bytes)
{
	FILE *list = fopen("/proc/net/unix", "re");
	size_t count = list ? others_describe_list(list, base, name, ret_text, text_bytes) : 0;

	ret_text[text_bytes - 1] = '\0';
	if (!list)
		ret_text[0] = '\0';
	else
		fclose(list);
	return count;
}
