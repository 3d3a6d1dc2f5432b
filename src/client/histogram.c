/* histogram.c: the histograms of a system, read from their files. What they say is not trusted. */
#include "enrgdaq/histogram.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/path.h"
#include "client/client.h"
#include "client/histogram.h"
#include "enrgdaq/client.h"

#define ENDING    ".histogram"
#define FILES_MAX 10000u
#define TRIES     200
#define TRY_AGAIN ((struct timespec){.tv_nsec = 1000000})
#define FLAGS_KNOWN                                                                                                    \
	(ENRG_HISTOGRAM_RANGED | ENRG_HISTOGRAM_X_REGULAR | ENRG_HISTOGRAM_Y_REGULAR | ENRG_HISTOGRAM_HAS_LAST)

/* What enrg_histogram_read hands out, with all that it points to behind it. */
struct owned {
	struct enrg_histogram shown;
	struct enrg_histogram_page page;
	uint64_t arrays[];
};

/* --- one file ----------------------------------------------------------------------------------------------------- */

static uint64_t cells_of(const struct enrg_histogram_page *page)
{
	return ((uint64_t)page->x_bins + 2) * (page->dimensions == 2 ? (uint64_t)page->y_bins + 2 : 1);
}

static uint64_t words_of(const struct enrg_histogram_page *page)
{
	return page->x_bins + 1u + (page->dimensions == 2 ? page->y_bins + 1u : 0) + 2 * cells_of(page);
}

static void make_safe(char *text, size_t bytes)
{
	text[bytes - 1] = '\0';
	enrg_text_make_safe(text, strlen(text));
}

static bool is_page(struct enrg_histogram_page *page)
{
	if (page->magic != ENRG_HISTOGRAM_MAGIC || page->version != ENRG_HISTOGRAM_VERSION || page->dimensions < 1 ||
		page->dimensions > 2 || !page->x_bins || page->x_bins > ENRG_HISTOGRAM_CELLS_MAX ||
		page->y_bins > ENRG_HISTOGRAM_CELLS_MAX || (page->dimensions == 2) != (page->y_bins > 0) ||
		cells_of(page) > ENRG_HISTOGRAM_CELLS_MAX)
		return false;
	make_safe(page->name, sizeof(page->name));
	make_safe(page->title, sizeof(page->title));
	make_safe(page->job, sizeof(page->job));
	make_safe(page->run, sizeof(page->run));
	make_safe(page->last_run, sizeof(page->last_run));
	make_safe(page->x_label, sizeof(page->x_label));
	make_safe(page->y_label, sizeof(page->y_label));
	return true;
}

static bool read_page(int descriptor, struct enrg_histogram_page *ret_page)
{
	return pread(descriptor, ret_page, sizeof(*ret_page), 0) == (ssize_t)sizeof(*ret_page) && is_page(ret_page);
}

static bool are_edges(const double *edges, uint32_t bins)
{
	for (uint32_t i = 0; i <= bins; i++)
		if (!isfinite(edges[i]) || (i && edges[i] <= edges[i - 1]))
			return false;
	return true;
}

static void fill_axis(
	struct enrg_histogram_axis *axis, const char *label, uint32_t bins, const double *edges, bool is_regular)
{
	*axis = (struct enrg_histogram_axis){.label = label,
		.bins = bins,
		.low = edges[0],
		.high = edges[bins],
		.edges = edges,
		.is_regular = is_regular};
}

static int fill_histogram(struct owned *owned)
{
	const struct enrg_histogram_page *page = &owned->page;
	const double *x_edges = (const double *)(const void *)owned->arrays, *y_edges = x_edges + page->x_bins + 1;
	const uint64_t *counts = owned->arrays + page->x_bins + 1 + (page->dimensions == 2 ? page->y_bins + 1 : 0);
	bool is_ranged = page->flags & ENRG_HISTOGRAM_RANGED, is_plane = page->dimensions == 2;

	if (is_ranged && (!are_edges(x_edges, page->x_bins) || (is_plane && !are_edges(y_edges, page->y_bins))))
		return ENRG_E_CORRUPT;
	owned->shown = (struct enrg_histogram){.size = sizeof(owned->shown),
		.dimensions = page->dimensions,
		.name = page->name,
		.title = page->title,
		.job = page->job,
		.run = page->run,
		.is_ranged = is_ranged,
		.since_ns = page->since_ns,
		.updated_ns = page->updated_ns,
		.cell_count = cells_of(page),
		.counts = counts,
		.sums = page->sums,
		.last_run = page->last_run,
		.last_counts = page->flags & ENRG_HISTOGRAM_HAS_LAST ? counts + cells_of(page) : NULL,
		.last_sums = page->last_sums};
	fill_axis(&owned->shown.x, page->x_label, page->x_bins, x_edges, page->flags & ENRG_HISTOGRAM_X_REGULAR);
	if (is_plane)
		fill_axis(
			&owned->shown.y, page->y_label, page->y_bins, y_edges, page->flags & ENRG_HISTOGRAM_Y_REGULAR);
	return 0;
}

/* -EAGAIN: it changed meanwhile. */
static int read_once(int descriptor, struct owned **ret_owned)
{
	struct enrg_histogram_page page, behind;

	if (!read_page(descriptor, &page))
		return ENRG_E_CORRUPT;
	if (page.sequence % 2)
		return -EAGAIN;
	uint64_t bytes = words_of(&page) * 8;
	struct owned *owned = malloc(sizeof(*owned) + bytes);
	if (!owned)
		return -ENOMEM;
	owned->page = page;
	ssize_t count = pread(descriptor, owned->arrays, bytes, ENRG_HISTOGRAM_ARRAYS_AT);
	int rc = count == (ssize_t)bytes && read_page(descriptor, &behind) ? 0 : ENRG_E_CORRUPT;
	if (rc == 0 && behind.sequence != page.sequence)
		rc = -EAGAIN;
	if (rc == 0)
		rc = fill_histogram(owned);
	if (rc < 0)
		free(owned);
	else
		*ret_owned = owned;
	return rc;
}

int histogram_read_file(const char *path, struct enrg_histogram **ret_histogram, struct enrg_error *err)
{
	int descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK), rc = -EAGAIN;
	struct owned *owned = NULL;

	if (descriptor < 0)
		return enrg_error_set(err, -errno, "%s: %s", path, enrg_error_name(-errno));
	for (int i = 0; i < TRIES && rc == -EAGAIN; i++) {
		if (i)
			nanosleep(&TRY_AGAIN, NULL);
		rc = read_once(descriptor, &owned);
	}
	close(descriptor);
	if (rc == 0)
		*ret_histogram = &owned->shown;
	return rc == 0 ? 0
		       : enrg_error_set(err, rc, "%s: %s", path,
				 rc == -EAGAIN   ? "changed all the time; ask again"
				 : rc == -ENOMEM ? "out of memory"
						 : "is no histogram of this version, or is damaged");
}

void enrg_histogram_destroy(struct enrg_histogram *histogram)
{
	free(histogram); /* the first member of struct owned */
}

/* --- all of a system ---------------------------------------------------------------------------------------------- */

struct names {
	char **items, **paths;
	size_t count;
};

static void free_names(struct names *names)
{
	for (size_t i = 0; i < names->count; i++) {
		free(names->items[i]);
		free(names->paths[i]);
	}
	free(names->items);
	free(names->paths);
	*names = (struct names){0};
}

static bool add_name(struct names *names, const char *path, const struct enrg_histogram_page *page)
{
	char **items = realloc(names->items, (names->count + 2) * sizeof(*items));
	char **paths = realloc(names->paths, (names->count + 2) * sizeof(*paths));

	names->items = items ? items : names->items;
	names->paths = paths ? paths : names->paths;
	if (!items || !paths || asprintf(&items[names->count], "%s/%s", page->job, page->name) < 0)
		return false;
	paths[names->count] = strdup(path);
	if (!paths[names->count]) {
		free(items[names->count]);
		return false;
	}
	names->count++;
	items[names->count] = paths[names->count] = NULL;
	return true;
}

/* A process that was killed leaves its histograms. Those of a job that comes again are replaced; of one that was
 * removed, which has no page any more, nothing is said. */
static bool is_of_system(const char *folder, const struct enrg_histogram_page *page)
{
	char safe[sizeof(page->job)], path[FIND_PATH_BYTES + 300];

	path_safe_name(page->job, safe, sizeof(safe));
	snprintf(path, sizeof(path), "%s/%s.page", folder, safe);
	return access(path, F_OK) == 0;
}

static int look_at_file(const char *folder, const char *name, struct names *names)
{
	struct enrg_histogram_page page;
	char path[FIND_PATH_BYTES + 300];
	bool is_added = true;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	int descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (descriptor < 0)
		return 0;
	if (read_page(descriptor, &page) && is_of_system(folder, &page))
		is_added = add_name(names, path, &page);
	close(descriptor);
	return is_added ? 0 : -ENOMEM;
}

static int find_names(const char *folder, struct names *names, struct enrg_error *err)
{
	DIR *dir = opendir(folder);
	int rc = dir ? 0 : -errno;

	for (struct dirent *entry; rc == 0 && names->count < FILES_MAX && (entry = readdir(dir));) {
		size_t bytes = strlen(entry->d_name);
		if (bytes > strlen(ENDING) && !strcmp(entry->d_name + bytes - strlen(ENDING), ENDING))
			rc = look_at_file(folder, entry->d_name, names);
	}
	if (dir)
		closedir(dir);
	if (rc < 0)
		free_names(names);
	return rc < 0 ? enrg_error_set(err, rc, "%s: %s", folder, enrg_error_name(rc)) : 0;
}

static void free_list(char **names)
{
	for (size_t i = 0; names && names[i]; i++)
		free(names[i]);
	free(names);
}

int enrg_histograms_list(struct enrg_client *client, const char *const **ret_names, struct enrg_error *err)
{
	struct names names = {0};
	const struct enrg_supervisor *supervisor;
	int rc = enrg_client_supervisor(client, &supervisor, err);

	if (rc == 0)
		rc = find_names(supervisor->folder, &names, err);
	if (rc == 0 && !names.items)
		names.items = calloc(1, sizeof(*names.items));
	if (rc == 0 && !names.items)
		rc = enrg_error_set(err, -ENOMEM, "out of memory");
	if (rc < 0)
		return rc;
	for (size_t i = 0; i < names.count; i++)
		free(names.paths[i]);
	free(names.paths);
	free_list(client->histograms);
	client->histograms = names.items;
	*ret_names = (const char *const *)names.items;
	return 0;
}

static bool is_named(const char *item, const char *name)
{
	const char *slash = strrchr(item, '/');

	return !strcmp(item, name) || (slash && !strcmp(slash + 1, name));
}

static int explain_absence(const struct names *names, const char *name, struct enrg_error *err)
{
	char list[400] = "";
	size_t used = 0;

	for (size_t i = 0; i < names->count && used < sizeof(list); i++)
		used += (size_t)snprintf(list + used, sizeof(list) - used, "%s%s", i ? ", " : "", names->items[i]);
	if (!names->count)
		return enrg_error_set(
			err, -ENOENT, "there is no histogram \"%s\": no job of this system fills any", name);
	return enrg_error_set(err, -ENOENT, "there is no histogram \"%s\"; there are: %s", name, list);
}

int enrg_histogram_read(
	struct enrg_client *client, const char *name, struct enrg_histogram **ret_histogram, struct enrg_error *err)
{
	const struct enrg_supervisor *supervisor;
	const char *found = NULL;
	struct names names = {0};
	size_t count = 0;
	int rc = enrg_client_supervisor(client, &supervisor, err);

	if (rc == 0)
		rc = find_names(supervisor->folder, &names, err);
	if (rc < 0)
		return rc;
	for (size_t i = 0; i < names.count; i++) {
		if (!is_named(names.items[i], name))
			continue;
		found = names.paths[i];
		count++;
	}
	if (count == 1)
		rc = histogram_read_file(found, ret_histogram, err);
	else if (count)
		rc = enrg_error_set(
			err, -EEXIST, "%zu jobs have a histogram \"%s\": name it as JOB/%s", count, name, name);
	else
		rc = explain_absence(&names, name, err);
	free_names(&names);
	return rc;
}
