/* check.c: what can't be meant: before anything starts, and of folders as they lie on disk. Commands and the process of
 * DAQJobArchive. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "archive.h"
#include "sending.h"

static int check_way(const struct archive_options *options, struct enrg_error *err)
{
	int ways = (options->target != NULL) + (options->rsync != NULL) + (options->command.count > 0);
	const char *folder;
	char host[256];

	if (ways != 1)
		return enrg_error_set(err, ENRG_E_CONFIG,
			"target: expected one of `target` (a mounted folder), `rsync` and `command`, found %s",
			ways ? "several" : "none");
	if (options->rsync && !sending_parse_target(options->rsync, host, sizeof(host), &folder))
		return enrg_error_set(
			err, ENRG_E_CONFIG, "rsync: expected \"user@host:folder\", found \"%s\"", options->rsync);
	if (options->command.count && !options->verify.count)
		return enrg_error_set(err, ENRG_E_CONFIG,
			"verify: a `command` needs one that prints the SHA-256 of the copy {name}: what is not proved "
			"is not "
			"archived");
	if (options->command.count > 60 || options->verify.count > 60 || options->shell.count > 60)
		return enrg_error_set(err, ENRG_E_CONFIG, "command: more than 60 words");
	for (size_t i = 0; options->rsync && i < options->shell.count; i++)
		if (!options->shell.items[i][0] || strpbrk(options->shell.items[i], " \t\n\"'\\"))
			return enrg_error_set(err, ENRG_E_CONFIG,
				"shell: rsync splits it at blanks: \"%s\" can't be one word of it",
				options->shell.items[i]);
	return 0;
}

int archive_check(const void *options, struct enrg_error *err)
{
	const struct archive_options *chosen = options;

	if (!chosen->folder[0] || strcmp(chosen->folder, "/") == 0)
		return enrg_error_set(
			err, ENRG_E_CONFIG, "folder: expected the folder of the data, found \"%s\"", chosen->folder);
	if (!chosen->marker[0] || chosen->marker[0] == '/' || strstr(chosen->marker, ".."))
		return enrg_error_set(err, ENRG_E_CONFIG,
			"marker: expected the name of a file in the target, found \"%s\"", chosen->marker);
	if (chosen->target && names_is_inside(chosen->target, chosen->folder))
		return enrg_error_set(err, ENRG_E_CONFIG,
			"target: \"%s\" is inside of the folder that is archived, \"%s\": copies would be copied "
			"again, and "
			"are on the same disk",
			chosen->target, chosen->folder);
	return check_way(chosen, err);
}

int archive_check_folders(const struct archive_options *options, struct enrg_error *err)
{
	char *folder = realpath(options->folder, NULL);
	char *target = options->target ? realpath(options->target, NULL) : NULL;
	int rc = 0;

	if (folder && target && names_is_inside(target, folder))
		rc = enrg_error_set(err, ENRG_E_CONFIG,
			"target: %s is %s, inside of the folder that is archived, %s: copies would be copied again",
			options->target, target, folder);
	free(folder);
	free(target);
	return rc;
}
