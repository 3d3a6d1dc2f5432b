/* web_folder.c: see the header. */
#include "supervisor/web_folder.h"

#include <stdio.h>
#include <string.h>

#include "base/path.h"
#include "supervisor/supervisor_state.h"

/* Of the run book, as the supervisor finds it. */
static void find_book_folder(const struct folder *folder, char ret_path[BOOK_PATH_BYTES])
{
	const char *database = folder->supervisor.runs.database, *slash = database ? strrchr(database, '/') : NULL;

	snprintf(ret_path, BOOK_PATH_BYTES, ".");
	if (!database || !*database)
		supervisor_find_data_folder(folder, ret_path);
	else if (slash)
		snprintf(ret_path, BOOK_PATH_BYTES, "%.*s", (int)(slash == database ? 1 : slash - database), database);
	for (size_t length = strlen(ret_path); length > 1 && ret_path[length - 1] == '/'; length--)
		ret_path[length - 1] = '\0';
}

void web_folder_find(const struct folder *folder, char *ret_path, size_t path_bytes)
{
	const char *wanted = folder->supervisor.web.folder;
	char beside[BOOK_PATH_BYTES], name[200];

	if (wanted && *wanted) {
		snprintf(ret_path, path_bytes, "%s", wanted);
		return;
	}
	find_book_folder(folder, beside);
	path_safe_name(folder->supervisor.info.supervisor_id, name, sizeof(name));
	snprintf(ret_path, path_bytes, "%s/web_%s", beside, name);
}
