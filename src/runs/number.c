/* number.c: see the header. One thread. */
#include "runs/number.h"

#include <dirent.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/path.h"
#include "runs/database.h"

uint64_t number_read(const char *database)
{
	char path[DATABASE_PATH_BYTES + 16], *text;
	uint64_t number;
	size_t bytes;

	snprintf(path, sizeof(path), "%s.number", database);
	if (path_read_file(path, 100, &text, &bytes, NULL))
		return 0;
	number = strtoull(text, NULL, 10);
	free(text);
	return number < NUMBER_MAX ? number : 0;
}

int number_write(const char *database, uint64_t number, struct enrg_error *err)
{
	char path[DATABASE_PATH_BYTES + 16], text[32];

	snprintf(path, sizeof(path), "%s.number", database);
	int count = snprintf(text, sizeof(text), "%" PRIu64 "\n", number);
	return path_write_file(path, text, (size_t)count, 1, err);
}

uint64_t number_find_largest(const char *folder)
{
	DIR *directory = opendir(folder);
	uint64_t largest = 0;

	for (const struct dirent *entry; directory && (entry = readdir(directory));) {
		uint64_t number = 0;
		size_t length = strlen(entry->d_name);
		if (length > 5 && !strcmp(entry->d_name + length - 5, ".json") &&
			sscanf(entry->d_name, "run_%16" SCNu64, &number) == 1 && number > largest)
			largest = number;
	}
	if (directory)
		closedir(directory);
	return largest;
}
