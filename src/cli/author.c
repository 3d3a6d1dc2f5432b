/* author.c: finds headers from where the program lies (an installed prefix, or a build folder inside the source tree),
 * then where it was to be installed. Reads only. */
#include "cli/author.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/path.h"
#include "enrgdaq/error.h"

#define HEADER_BYTES_MAX (1u << 20)

unsigned author_read_abi(const char *module_header)
{
	static const char mark[] = "#define ENRG_MODULE_ABI ";
	char *text = NULL;
	size_t count;
	unsigned abi = 0;

	if (path_read_file(module_header, HEADER_BYTES_MAX, &text, &count, NULL))
		return 0;
	const char *found = strstr(text, mark);
	if (found)
		abi = (unsigned)strtoul(found + strlen(mark), NULL, 10);
	free(text);
	return abi;
}

static bool try_headers(struct author *author, const char *folder)
{
	char header[sizeof(author->headers) + 32], real[4096];

	if (!realpath(folder, real) || strlen(real) >= sizeof(author->headers))
		return false;
	snprintf(header, sizeof(header), "%s/enrgdaq/module.h", real);
	author->abi = author_read_abi(header);
	if (!author->abi)
		return false;
	strcpy(author->headers, real);
	return true;
}

static void find_headers(struct author *author)
{
	static const char *const beside[] = {"/../include", "/../../include"};
	char program[512], folder[600];
	ssize_t length = readlink("/proc/self/exe", program, sizeof(program) - 1);

	program[length > 0 ? length : 0] = '\0';
	char *slash = strrchr(program, '/');
	if (slash)
		*slash = '\0';
	for (size_t i = 0; slash && i < sizeof(beside) / sizeof(beside[0]); i++) {
		snprintf(folder, sizeof(folder), "%s%s", program, beside[i]);
		if (try_headers(author, folder))
			return;
	}
	try_headers(author, ENRG_HEADERS_INSTALLED);
}

/* Calls `visit` with each folder of a list such as PATH until it returns true. */
static void visit_folders(struct author *author, const char *list, bool (*visit)(struct author *, const char *folder))
{
	char folder[512];

	while (list && *list) {
		size_t length = strcspn(list, ":");
		if (length && length < sizeof(folder)) {
			memcpy(folder, list, length);
			folder[length] = '\0';
			if (visit(author, folder))
				return;
		}
		list += length + (list[length] == ':');
	}
}

static bool find_compiler(struct author *author, const char *folder)
{
	static const char *const names[] = {"cc", "gcc", "clang"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		snprintf(author->compiler, sizeof(author->compiler), "%s/%s", folder, names[i]);
		if (!access(author->compiler, X_OK))
			return true;
	}
	author->compiler[0] = '\0';
	return false;
}

static bool find_lost(struct author *author, const char *folder)
{
	struct stat info;

	if (!stat(folder, &info) && S_ISDIR(info.st_mode))
		return false;
	snprintf(author->lost, sizeof(author->lost), "%s", folder);
	return true;
}

void author_look(struct author *ret_author)
{
	memset(ret_author, 0, sizeof(*ret_author));
	find_headers(ret_author);
	visit_folders(ret_author, getenv("PATH"), find_compiler);
	visit_folders(ret_author, getenv("ENRGDAQ_MODULE_PATH"), find_lost);
}
