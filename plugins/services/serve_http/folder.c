/* folder.c: see the header. In the process of DAQJobServeHTTP, on its main thread. */
#include "folder.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/openat2.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "resource.h"

#define ENTRIES_MAX 20000u /* of a page; more are counted */

struct entry {
	char *name;
	bool is_folder;
	uint64_t bytes;
	time_t changed;
};

struct listing {
	struct entry *entries;
	size_t count, capacity, left_out;
};

static int open_below(int root, const char *path, uint64_t flags)
{
	struct open_how how = {.flags = flags | O_CLOEXEC, .resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS};
	int tries = 0;
	long rc;

	do /* a name was moved in the tree meanwhile: the kernel can't prove that it stayed below */
		rc = syscall(SYS_openat2, root, path, &how, sizeof(how));
	while (rc < 0 && errno == EAGAIN && tries++ < 10);
	return (int)rc;
}

int folder_check_kernel(struct enrg_error *err)
{
	int descriptor = open_below(AT_FDCWD, ".", O_PATH);

	if (descriptor >= 0)
		close(descriptor);
	if (descriptor < 0 && errno == ENOSYS)
		return enrg_error_set(err, -ENOSYS,
			"this kernel has no openat2(2), with which files are kept to their folder (Linux 5.6 or later "
			"has it): nothing is served");
	return 0;
}

int folder_open(const char *root, const char *path, struct stat *ret_status)
{
	int folder = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (folder < 0)
		return errno == ENOENT || errno == ENOTDIR ? -ENOTDIR : -errno;
	/* a FIFO without a writer does not hold the process up, a terminal does not become its own */
	int descriptor = open_below(folder, path, O_RDONLY | O_NONBLOCK | O_NOCTTY), code = errno;
	close(folder);
	if (descriptor < 0) /* out of the folder, a loop of links, a part that is no folder: not to be seen */
		return code == EXDEV || code == ELOOP || code == ENOTDIR || code == ENXIO || code == ENAMETOOLONG
			       ? -ENOENT
			       : -code;
	if (fstat(descriptor, ret_status) < 0 || (!S_ISREG(ret_status->st_mode) && !S_ISDIR(ret_status->st_mode))) {
		close(descriptor);
		return -ENOENT;
	}
	return descriptor;
}

/* --- lists ------------------------------------------------------------------------------------------------------- */

static int add_entry(struct listing *listing, const char *name, const struct stat *status)
{
	if (listing->count == ENTRIES_MAX) {
		listing->left_out++;
		return 0;
	}
	if (listing->count == listing->capacity) {
		size_t capacity = listing->capacity ? 2 * listing->capacity : 64;
		struct entry *grown = realloc(listing->entries, capacity * sizeof(*grown));
		if (!grown)
			return -ENOMEM;
		listing->entries = grown;
		listing->capacity = capacity;
	}
	char *copy = strdup(name);
	if (!copy)
		return -ENOMEM;
	listing->entries[listing->count++] = (struct entry){.name = copy,
		.is_folder = S_ISDIR(status->st_mode),
		.bytes = (uint64_t)status->st_size,
		.changed = status->st_mtime};
	return 0;
}

/* What a name stands for, where it may be seen. */
static bool look_at(int folder, const char *root, const char *path, const char *name, struct stat *ret_status)
{
	char whole[RESOURCE_PATH_BYTES];

	if (fstatat(folder, name, ret_status, AT_SYMLINK_NOFOLLOW) < 0)
		return false;
	if (S_ISLNK(ret_status->st_mode)) { /* seldom: judged as a request for it will be */
		snprintf(whole, sizeof(whole), "%s/%s", path, name);
		int descriptor = folder_open(root, whole, ret_status);
		if (descriptor < 0)
			return false;
		close(descriptor);
	}
	return S_ISREG(ret_status->st_mode) || S_ISDIR(ret_status->st_mode);
}

static int compare_entries(const void *left, const void *right)
{
	const struct entry *a = left, *b = right;

	return a->is_folder != b->is_folder ? b->is_folder - a->is_folder : strcmp(a->name, b->name);
}

static int read_folder(int descriptor, const char *root, const char *path, struct listing *listing)
{
	int copy = fcntl(descriptor, F_DUPFD_CLOEXEC, 0), rc = 0;
	DIR *folder = copy < 0 ? NULL : fdopendir(copy);
	struct stat status;

	if (!folder) {
		rc = -errno;
		if (copy >= 0)
			close(copy);
		return rc;
	}
	for (struct dirent *entry; rc == 0 && (entry = readdir(folder));)
		if (!resource_is_hidden(entry->d_name) && look_at(descriptor, root, path, entry->d_name, &status))
			rc = add_entry(listing, entry->d_name, &status);
	closedir(folder);
	if (rc == 0 && listing->count) /* an empty folder has no array, and qsort wants one */
		qsort(listing->entries, listing->count, sizeof(*listing->entries), compare_entries);
	return rc;
}

static void listing_fini(struct listing *listing)
{
	for (size_t i = 0; i < listing->count; i++)
		free(listing->entries[i].name);
	free(listing->entries);
}

/* --- the page ---------------------------------------------------------------------------------------------------- */

/* As text of HTML and of its attributes; what is no printable character becomes '?'. */
static void put_text(FILE *page, const char *text)
{
	for (; *text; text++) {
		switch (*text) {
		case '<':
			fputs("&lt;", page);
			break;
		case '>':
			fputs("&gt;", page);
			break;
		case '&':
			fputs("&amp;", page);
			break;
		case '"':
			fputs("&quot;", page);
			break;
		case '\'':
			fputs("&#39;", page);
			break;
		default:
			fputc((unsigned char)*text < ' ' || *text == 127 ? '?' : *text, page);
		}
	}
}

static void put_size(FILE *page, uint64_t bytes)
{
	static const char *const units[] = {"kB", "MB", "GB", "TB", "PB", "EB"};
	double value = (double)bytes / 1000;
	int unit = 0;

	if (bytes < 1000) {
		fprintf(page, "%" PRIu64 " B", bytes);
		return;
	}
	for (; value >= 999.95; unit++)
		value /= 1000;
	fprintf(page, "%.1f %s", value, units[unit]);
}

static void put_link(FILE *page, const char *path)
{
	char url[3 * RESOURCE_PATH_BYTES];

	resource_format_path(path, url, sizeof(url));
	fputs(url, page);
}

static void put_entry(FILE *page, const struct entry *entry, const char *path)
{
	struct tm day = {0};
	char date[32] = "";

	if (localtime_r(&entry->changed, &day))
		strftime(date, sizeof(date), "%Y-%m-%d %H:%M:%S", &day);
	fputs("<tr><td><a href=\"/", page);
	if (strcmp(path, ".") != 0) {
		put_link(page, path);
		fputc('/', page);
	}
	put_link(page, entry->name);
	fputs(entry->is_folder ? "/\">" : "\">", page);
	put_text(page, entry->name);
	fputs(entry->is_folder ? "/</a></td><td>" : "</a></td><td>", page);
	if (!entry->is_folder)
		put_size(page, entry->bytes);
	fprintf(page, "</td><td>%s</td></tr>\n", date);
}

static void put_page(FILE *page, const struct listing *listing, const char *path)
{
	const char *slash = strrchr(path, '/');
	bool is_root = strcmp(path, ".") == 0;

	fputs("<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
	      "<meta name=\"viewport\" content=\"width=device-width\"><title>",
		page);
	put_text(page, is_root ? "/" : path);
	fputs("</title></head><body><h1>", page);
	put_text(page, is_root ? "/" : path);
	fputs("</h1>\n<table cellpadding=\"4\"><tr><th align=\"left\">name</th><th align=\"left\">size</th>"
	      "<th align=\"left\">changed</th></tr>\n",
		page);
	if (!is_root) {
		char up[RESOURCE_PATH_BYTES];
		snprintf(up, sizeof(up), "%.*s", slash ? (int)(slash - path) : 0, path);
		fputs("<tr><td><a href=\"/", page);
		put_link(page, up);
		fputs("\">..</a></td><td></td><td></td></tr>\n", page);
	}
	for (size_t i = 0; i < listing->count; i++)
		put_entry(page, &listing->entries[i], path);
	fputs("</table>\n", page);
	if (listing->left_out)
		fprintf(page, "<p>… and %zu more, which are not listed</p>\n", listing->left_out);
	fputs("</body></html>\n", page);
}

int folder_list(int descriptor, const char *root, const char *path, char **ret_html, size_t *ret_bytes)
{
	struct listing listing = {0};
	char *html = NULL;
	size_t bytes = 0;
	int rc = read_folder(descriptor, root, path, &listing);
	FILE *page = rc == 0 ? open_memstream(&html, &bytes) : NULL;

	if (rc == 0 && !page)
		rc = -ENOMEM;
	if (page) {
		put_page(page, &listing, path);
		rc = fclose(page) ? -ENOMEM : 0;
	}
	listing_fini(&listing);
	if (rc < 0) {
		free(html);
		return rc;
	}
	*ret_html = html;
	*ret_bytes = bytes;
	return 0;
}
