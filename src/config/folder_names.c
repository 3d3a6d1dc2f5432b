/* folder_names.c: names of jobs and paths of files, as they may go into file names, topics, terminals and JSON. */
#include "config/folder_loader.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/path.h"
#include "base/text.h"

bool folder_check_name(
	const struct toml_node *node, const char *key, const char *name, const char *file, struct problems *problems)
{
	int line = node ? node->line : 0;
	size_t length = strlen(name);

	if (!length || length > NAME_BYTES_MAX) {
		problems_add(problems, false, file, line, "%s: expected 1 to %d bytes, found %zu", key, NAME_BYTES_MAX,
			length);
		return false;
	}
	for (const char *c = name; *c; c++)
		if ((unsigned char)*c < 0x20 || *c == 0x7f) {
			problems_add(problems, false, file, line, "%s: it holds a control character", key);
			return false;
		}
	return true;
}

/* Paths and names go into plans, status and ledger as JSON: they are UTF-8 there. */
static bool is_utf8(const char *text)
{
	size_t left = strlen(text), count;

	for (; left; text += count, left -= count) {
		count = text_character(text, left);
		if (!count)
			return false;
	}
	return true;
}

bool folder_check_path(const char *file, struct problems *problems)
{
	for (const char *c = file; *c; c++)
		if ((unsigned char)*c < 0x20 || *c == 0x7f) {
			problems_add(problems, false, file, 0,
				"the path holds a control character: rename what is at fault");
			return false;
		}
	if (is_utf8(file))
		return true;
	problems_add(problems, false, file, 0,
		"the path is not UTF-8 text, as from an old share: rename what is at fault (`convmv -f latin1 -t utf8 "
		"--notest PATH`)");
	return false;
}

struct safe_name {
	size_t index; /* of the job */
	char text[NAME_BYTES_MAX + 100];
};

static int compare_safe_names(const void *left, const void *right)
{
	const struct safe_name *a = left, *b = right;
	int order = strcmp(a->text, b->text);

	return order ? order : (a->index > b->index) - (a->index < b->index);
}

static void add_taken(const struct folder_loader *loader, const struct job_config *job, const struct job_config *first)
{
	const struct toml_node *id = toml_find(job->root, "daq_job_unique_id");

	problems_add(loader->problems, false, job->file, id ? id->line : 0,
		"daq_job_unique_id: \"%s\" is taken: %s calls its job \"%s\"; each job needs a name of its own",
		job->name, first->file, first->name);
}

void folder_check_unique_names(const struct folder_loader *loader)
{
	const struct folder *folder = loader->folder;
	struct safe_name *names = calloc(folder->job_count + 1, sizeof(*names));
	size_t count = 0;

	if (!names) {
		problems_add(loader->problems, false, folder->path, 0, "out of memory");
		return;
	}
	for (size_t i = 0; i < folder->job_count; i++) {
		if (!folder->jobs[i].name)
			continue;
		names[count].index = i;
		path_safe_name(folder->jobs[i].name, names[count].text, sizeof(names[count].text));
		count++;
	}
	qsort(names, count, sizeof(*names), compare_safe_names);
	for (size_t i = 1, first = 0; i < count; i++) {
		if (strcmp(names[i].text, names[first].text))
			first = i;
		else
			add_taken(loader, &folder->jobs[names[i].index], &folder->jobs[names[first].index]);
	}
	free(names);
}
