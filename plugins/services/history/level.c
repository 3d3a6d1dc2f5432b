/* level.c: see the header. */
#include "level.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static void format_path(const struct level *level, const char *name, char ret_path[PATH_MAX])
{
	snprintf(ret_path, PATH_MAX, "%s/%s", level->folder, name);
}

void level_close(struct level *level)
{
	enrg_history_writer_close(level->writer);
	level->writer = NULL;
	level->is_unsynced = false;
}

/* Behind all that are there. */
static int find_number(struct level *level, struct enrg_error *err)
{
	struct enrg_history_part *parts;
	uint32_t count;
	int rc = enrg_history_parts_list(level->folder, &parts, &count, err);

	if (rc < 0)
		return rc;
	level->next_number = 1;
	for (uint32_t i = 0; i < count; i++)
		if (parts[i].span_s == level->span_s && parts[i].number >= level->next_number)
			level->next_number = parts[i].number + 1;
	free(parts);
	return 0;
}

static int begin_file(struct level *level, uint64_t time_ns, struct enrg_error *err)
{
	char path[PATH_MAX];
	const struct enrg_history_writer_params params = {.size = sizeof(params),
		.span_s = level->span_s,
		.path = path,
		.supervisor = level->supervisor,
		.job = level->job,
		.time_ns = time_ns};

	if (enrg_history_part_set(&level->part, level->span_s, level->next_number, time_ns) < 0)
		return enrg_error_set(err, -EINVAL, "the clock says a year that can't be");
	format_path(level, level->part.name, path);
	int rc = enrg_history_writer_open(&params, &level->writer, err);
	if (rc == 0) {
		level->next_number++;
		level->files++;
	}
	return rc;
}

static bool is_fit(const struct level *level, uint64_t time_ns)
{
	return level->writer && time_ns >= level->part.from_ns && time_ns < level->part.to_ns &&
	       enrg_history_writer_bytes(level->writer) < level->part_bytes_max;
}

int level_open(struct level *level, uint64_t time_ns, bool *ret_is_new, struct enrg_error *err)
{
	int rc = 0;

	*ret_is_new = false;
	if (is_fit(level, time_ns))
		return 0;
	if (level->writer && level->is_unsynced)
		enrg_history_writer_sync(level->writer, NULL);
	level_close(level);
	if (!level->next_number)
		rc = find_number(level, err);
	if (rc == 0)
		rc = begin_file(level, time_ns, err);
	if (rc < 0)
		level->next_number = 0; /* the folder may be another one by the next time */
	*ret_is_new = rc == 0;
	return rc;
}

int level_commit(struct level *level, uint64_t time_ns, struct enrg_error *err)
{
	int rc = enrg_history_writer_commit(level->writer, time_ns, err);

	level->is_unsynced = true;
	if (rc < 0)
		level_close(level);
	return rc;
}

int level_sync(struct level *level, struct enrg_error *err)
{
	char path[PATH_MAX];
	struct stat status;
	int rc = 0;

	if (!level->writer)
		return 0;
	if (level->is_unsynced)
		rc = enrg_history_writer_sync(level->writer, err);
	level->is_unsynced = false;
	format_path(level, level->part.name, path);
	if (rc == 0 &&
		(lstat(path, &status) < 0 ? errno == ENOENT
					  : (uint64_t)status.st_size != enrg_history_writer_bytes(level->writer)))
		rc = enrg_error_set(err, -ENOENT, "%s: somebody has removed or changed it", path);
	if (rc < 0)
		level_close(level);
	return rc;
}
