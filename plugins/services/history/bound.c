/* bound.c: see the header. */
#include "bound.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "enrgdaq/history_file.h"

struct part {
	const struct enrg_history_part *name;
	uint64_t bytes;
	bool is_current, is_old, is_gone;
};

struct parts {
	int folder;
	struct part *items; /* seconds first, each level from the oldest on */
	uint32_t count;
	uint64_t seconds_bytes, minutes_bytes;
};

/* Marks what lies behind the newest `slots` hours (months) of a level, by the order in which they were begun: a clock
 * that was wrong for a while makes no file old. */
static void mark_old(struct parts *parts, uint32_t span_s, uint32_t slots)
{
	uint64_t known[BOUND_HOURS];
	uint32_t known_count = 0, files = 0;

	for (uint32_t i = parts->count; i-- > 0;) {
		struct part *part = &parts->items[i];
		bool is_known = false;

		if (part->name->span_s != span_s)
			continue;
		for (uint32_t k = 0; k < known_count; k++)
			is_known |= known[k] == part->name->from_ns;
		if (!is_known && known_count < slots) {
			known[known_count++] = part->name->from_ns;
			is_known = true;
		}
		part->is_old = !is_known || ++files > BOUND_FILES;
	}
}

static void look(struct parts *parts, const struct bound *bound)
{
	struct stat status;

	for (uint32_t i = 0; i < parts->count; i++) {
		struct part *part = &parts->items[i];
		bool is_second = part->name->span_s == 1;

		if (fstatat(parts->folder, part->name->name, &status, AT_SYMLINK_NOFOLLOW) == 0)
			part->bytes = (uint64_t)status.st_size;
		part->is_current = part->name->number == (is_second ? bound->seconds_number : bound->minutes_number);
		if (is_second)
			parts->seconds_bytes += part->bytes;
		else
			parts->minutes_bytes += part->bytes;
	}
	mark_old(parts, 1, BOUND_HOURS);
	mark_old(parts, 60, BOUND_MONTHS);
}

static int remove_part(struct parts *parts, struct part *part, struct enrg_error *err)
{
	if (unlinkat(parts->folder, part->name->name, 0) < 0 && errno != ENOENT)
		return enrg_error_set(
			err, -errno, "%s: can't be removed: %s", part->name->name, enrg_error_name(-errno));
	part->is_gone = true;
	if (part->name->span_s == 1)
		parts->seconds_bytes -= part->bytes;
	else
		parts->minutes_bytes -= part->bytes;
	return 0;
}

/* NULL: nothing of this level may go. */
static struct part *find_oldest(struct parts *parts, uint32_t span_s)
{
	for (uint32_t i = 0; i < parts->count; i++)
		if (parts->items[i].name->span_s == span_s && !parts->items[i].is_gone && !parts->items[i].is_current)
			return &parts->items[i];
	return NULL;
}

/* Seconds go first, but minutes may have half at the most. */
static struct part *choose(struct parts *parts, uint64_t limit_bytes)
{
	struct part *seconds = find_oldest(parts, 1), *minutes = find_oldest(parts, 60);

	if (minutes && (parts->minutes_bytes > limit_bytes / 2 || !seconds))
		return minutes;
	return seconds;
}

static void report(struct parts *parts, struct bound_report *ret_report)
{
	ret_report->bytes = parts->seconds_bytes + parts->minutes_bytes;
	for (uint32_t i = parts->count; i-- > 0;) {
		const struct part *part = &parts->items[i];

		if (part->is_gone)
			continue;
		if (part->name->span_s == 1)
			ret_report->seconds_from_ns = part->name->from_ns;
		else
			ret_report->minutes_from_ns = part->name->from_ns;
	}
}

static int keep(struct parts *parts, const struct bound *bound, uint64_t more_bytes, struct bound_report *report,
	struct enrg_error *err)
{
	int rc = 0;

	for (uint32_t i = 0; i < parts->count && rc == 0; i++)
		if (parts->items[i].is_old && !parts->items[i].is_current)
			rc = remove_part(parts, &parts->items[i], err);
	while (rc == 0 && parts->seconds_bytes + parts->minutes_bytes + more_bytes > bound->limit_bytes) {
		struct part *part = choose(parts, bound->limit_bytes);

		if (!part)
			break;
		rc = remove_part(parts, part, err);
		if (part->name->span_s == 1)
			report->early_seconds++;
		else
			report->early_minutes++;
	}
	return rc;
}

int bound_keep(const struct bound *bound, uint64_t more_bytes, struct bound_report *ret_report, struct enrg_error *err)
{
	struct enrg_history_part *names;
	struct parts parts = {.folder = -1};
	int rc = enrg_history_parts_list(bound->folder, &names, &parts.count, err);

	*ret_report = (struct bound_report){0};
	if (rc < 0)
		return rc;
	parts.items = calloc(parts.count + 1u, sizeof(*parts.items));
	parts.folder = open(bound->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (!parts.items || parts.folder < 0)
		rc = enrg_error_set(err, parts.items ? -errno : -ENOMEM, "%s: %s", bound->folder,
			parts.items ? enrg_error_name(-errno) : "out of memory");
	for (uint32_t i = 0; rc == 0 && i < parts.count; i++)
		parts.items[i].name = &names[i];
	if (rc == 0) {
		look(&parts, bound);
		rc = keep(&parts, bound, more_bytes, ret_report, err);
		report(&parts, ret_report);
	}
	if (parts.folder >= 0)
		close(parts.folder);
	free(parts.items);
	free(names);
	return rc;
}
