/* choice.c: in which file a table goes on (enrg_file_choice_… of enrgdaq/store.h): day, part, and the next free
 * name where something else is there. Store process, main thread.
 */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "job/file/alert.h"
#include "job/file/handle.h"

#define NUMBERS_MAX 100u          /* a_2.csv … a_100.csv */
#define QUARTER_NS  900000000000u /* in every time zone midnight lies between two quarters of an hour */

struct enrg_file_choice {
	struct enrg_store *store;
	char *out_dir, *file_path, *other, *source, *tag;
	bool add_date, is_replaced;
	enrg_file_judge_function *judge;
	void *state, *target;
	char *first;     /* name of the day, before another had to be found for it */
	unsigned number; /* of the name that was found: 1 = the first, 2 = a_2.csv … */
	char *path;      /* that name … */
	char *part;      /* … and what was opened for it */
	struct enrg_file *file;
	uint64_t quarter; /* of an hour, of the last choice */
};

/* What the batch is that a file is chosen for. */
struct occasion {
	const struct enrg_schema *schema;
	const char *run;
	uint64_t acquired_ns;
};

static int keep_text(char **text, const char *new_text, struct enrg_error *err)
{
	char *copy = strdup(new_text);

	if (!copy)
		return enrg_error_set(err, -ENOMEM, "out of memory");
	free(*text);
	*text = copy;
	return 0;
}

/* Name `number` for that day. */
static int format_path(const struct enrg_file_choice *choice, unsigned number, uint64_t date_ns,
	char ret_path[PATH_MAX], struct enrg_error *err)
{
	char tag[ENRG_NAME_BYTES_MAX + 1];
	struct enrg_file_name name = {.out_dir = choice->out_dir,
		.file_path = choice->file_path,
		.tag = choice->tag,
		.add_date = choice->add_date,
		.date_ns = date_ns};

	if (number > 1) {
		int used = snprintf(tag, sizeof(tag), "%s%s%u", choice->tag, *choice->tag ? "_" : "", number);

		if (used < 0 || (size_t)used >= sizeof(tag))
			return enrg_error_set(
				err, -ENAMETOOLONG, "tag \"%.40s…\" has no room for \"_%u\"", choice->tag, number);
		name.tag = tag;
	}
	return enrg_file_path(&name, ret_path, PATH_MAX, err);
}

static int find_part(const struct enrg_file_choice *choice, const char *path, const char *run, char ret_part[PATH_MAX],
	struct enrg_error *err)
{
	if (!choice->is_replaced)
		return enrg_file_part(choice->store, path, run, ret_part, PATH_MAX, err);
	snprintf(ret_part, PATH_MAX, "%s", path);
	return 0;
}

/* Has another part begun? A store that writes by itself has no file to ask. */
static bool is_part_due(const struct enrg_file_choice *choice, const char *run)
{
	char part[PATH_MAX];

	if (choice->is_replaced)
		return false;
	if (choice->file)
		return enrg_file_is_due(choice->file, run);
	return find_part(choice, choice->path, run, part, NULL) < 0 || strcmp(part, choice->part) != 0;
}

static int take(struct enrg_file_choice *choice, const struct enrg_file_candidate *candidate, const char *path,
	unsigned number, struct enrg_error *err)
{
	int rc = keep_text(&choice->path, path, err);

	if (rc == 0)
		rc = keep_text(&choice->part, candidate->path, err);
	choice->file = candidate->file;
	choice->number = number;
	return rc;
}

/* The first name from `number` on whose file continues with this. */
static int try_names(
	struct enrg_file_choice *choice, unsigned number, const struct occasion *occasion, struct enrg_error *err)
{
	unsigned before = number;

	for (; number <= NUMBERS_MAX; number++) {
		char path[PATH_MAX], part[PATH_MAX];
		struct enrg_file_candidate candidate = {
			.path = part, .schema = occasion->schema, .run = occasion->run ? occasion->run : ""};
		int rc = format_path(choice, number, occasion->acquired_ns, path, err);

		if (rc == 0)
			rc = find_part(choice, path, occasion->run, part, err);
		if (rc == 0)
			rc = choice->judge(choice->state, choice->target, &candidate, err);
		if (rc == ENRG_FILE_IS_OTHER)
			continue;
		if (rc < 0)
			return rc;
		if (number != before)
			file_set_tell(&choice->store->files, ENRG_WARNING, "%s %s: what \"%s\" sends goes to %s",
				choice->first, choice->other, choice->source, part);
		return take(choice, &candidate, path, number, err);
	}
	return enrg_error_set(err, -EEXIST, "%s and the names numbered after it up to %u are taken: each %s",
		choice->first, NUMBERS_MAX, choice->other);
}

static int choose(
	struct enrg_file_choice *choice, const struct occasion *occasion, bool is_dirty, struct enrg_error *err)
{
	char first[PATH_MAX];
	int rc = format_path(choice, 1, occasion->acquired_ns, first, err);

	if (rc < 0)
		return rc;
	choice->quarter = occasion->acquired_ns / QUARTER_NS;
	if (choice->first && strcmp(first, choice->first) == 0) /* still the same day */
		return is_dirty || !is_part_due(choice, occasion->run)
			       ? 0
			       : try_names(choice, choice->number, occasion, err);
	rc = keep_text(&choice->first, first, err);
	return rc < 0 ? rc : try_names(choice, 1, occasion, err);
}

int enrg_file_choice_create(struct enrg_store *store, const struct enrg_file_choice_params *params,
	const struct enrg_target *target, struct enrg_file_choice **ret_choice, struct enrg_error *err)
{
	struct enrg_file_choice *choice = calloc(1, sizeof(*choice));
	const struct occasion occasion = {target->schema, target->run, target->acquired_ns};
	int rc;

	if (!choice)
		return enrg_error_set(err, -ENOMEM, "out of memory");
	*choice = (struct enrg_file_choice){.store = store,
		.add_date = params->add_date,
		.is_replaced = params->is_replaced,
		.judge = params->judge,
		.state = params->state,
		.target = params->target};
	rc = keep_text(&choice->out_dir, params->out_dir ? params->out_dir : "", err);
	if (rc == 0)
		rc = keep_text(&choice->file_path, params->file_path ? params->file_path : "", err);
	if (rc == 0)
		rc = keep_text(&choice->other, params->other, err);
	if (rc == 0)
		rc = keep_text(&choice->source, target->source, err);
	if (rc == 0)
		rc = keep_text(&choice->tag, target->tag ? target->tag : "", err);
	if (rc == 0)
		rc = choose(choice, &occasion, false, err);
	if (rc < 0) {
		enrg_file_choice_destroy(choice);
		return rc;
	}
	*ret_choice = choice;
	return 0;
}

int enrg_file_choice_follow(
	struct enrg_file_choice *choice, const struct enrg_batch *batch, bool is_dirty, struct enrg_error *err)
{
	const struct occasion occasion = {batch->schema, batch->run, batch->acquired_ns};
	bool may_be_other_day = choice->add_date && batch->acquired_ns / QUARTER_NS != choice->quarter;

	if (!may_be_other_day && (is_dirty || !is_part_due(choice, batch->run)))
		return 0;
	return choose(choice, &occasion, is_dirty, err);
}

void enrg_file_choice_destroy(struct enrg_file_choice *choice)
{
	if (!choice)
		return;
	free(choice->out_dir);
	free(choice->file_path);
	free(choice->other);
	free(choice->source);
	free(choice->tag);
	free(choice->first);
	free(choice->path);
	free(choice->part);
	free(choice);
}
