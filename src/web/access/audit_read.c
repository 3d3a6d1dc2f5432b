/* audit_read.c: pages of the audit, newest first, over the file and those that were kept. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "web/access/audit.h"

enum { SCANNED_BYTES_MAX = 64 << 20 };

struct position { /* of a line: all before it is older */
	uint64_t inode, offset;
	bool is_set;
};

struct page {
	const struct audit_query *query;
	json_t *entries;
	uint32_t limit;
	uint64_t scanned, taken; /* bytes that were looked at; of lines that are on the page */
	struct position last;    /* of the oldest line that was looked at */
};

static int choose(const struct dirent *entry)
{
	size_t length = strlen(entry->d_name);

	return !strncmp(entry->d_name, "audit-", 6) && length > 6 && !strcmp(entry->d_name + length - 6, ".jsonl");
}

static bool holds(const json_t *entry, const char *key, const char *part)
{
	const char *text = json_string_value(json_object_get(entry, key));

	return !part || !*part || (text && strstr(text, part));
}

static void look_at(struct page *page, const char *line, size_t bytes)
{
	json_t *entry = json_loadb(line, bytes, 0, NULL);

	if (json_is_object(entry) && holds(entry, "who", page->query->who) && holds(entry, "what", page->query->what) &&
		holds(entry, "result", page->query->result)) {
		json_array_append(page->entries, entry);
		page->taken += bytes;
	}
	json_decref(entry); /* a line that was cut short is none */
}

static bool is_full(const struct page *page)
{
	return json_array_size(page->entries) >= page->limit || page->taken >= AUDIT_PAGE_BYTES_MAX ||
	       page->scanned > SCANNED_BYTES_MAX;
}

/* Lines that end before `end`, backwards. */
static void look_back(struct page *page, const char *text, size_t end, uint64_t inode)
{
	while (end && !is_full(page)) {
		size_t begin = end - 1;
		while (begin && text[begin - 1] != '\n')
			begin--;
		look_at(page, text + begin, end - begin);
		page->scanned += end - begin;
		page->last = (struct position){inode, begin, true};
		end = begin;
	}
}

static int read_file(int folder, const char *name, char **ret_text, struct stat *ret_stat)
{
	int file = openat(folder, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	size_t used = 0;
	ssize_t got = 1;

	if (file < 0)
		return -errno;
	char *text = fstat(file, ret_stat) == 0 && ret_stat->st_size < 64 << 20 ? malloc((size_t)ret_stat->st_size + 1)
										: NULL;
	while (text && used < (size_t)ret_stat->st_size && got > 0) {
		got = read(file, text + used, (size_t)ret_stat->st_size - used);
		used += got > 0 ? (size_t)got : 0;
	}
	close(file);
	if (!text)
		return -ENOMEM;
	ret_stat->st_size = (off_t)used;
	*ret_text = text;
	return 0;
}

/* Sets from->is_set to false once the place is found. */
static void look_through(struct page *page, int folder, const char *name, struct position *from)
{
	struct stat now;
	char *text = NULL;

	if (from->is_set && (fstatat(folder, name, &now, 0) || now.st_ino != from->inode))
		return;
	if (read_file(folder, name, &text, &now))
		return;
	size_t end = (size_t)now.st_size;
	if (from->is_set && from->offset < end)
		end = from->offset;
	from->is_set = false;
	look_back(page, text, end, now.st_ino);
	free(text);
}

static int parse_position(const char *text, struct position *ret_position)
{
	unsigned long long inode, offset;
	int end = 0;

	*ret_position = (struct position){0};
	if (!text || !*text)
		return 0;
	if (sscanf(text, "%20llu-%20llu%n", &inode, &offset, &end) != 2 || text[end])
		return -EINVAL;
	*ret_position = (struct position){inode, offset, true};
	return 0;
}

static void look_through_all(struct page *page, const char *path, int folder, struct position *from)
{
	struct dirent **kept = NULL;
	int count = scandir(path, &kept, choose, alphasort);

	look_through(page, folder, "audit.jsonl", from);
	for (int i = count - 1; i >= 0; i--) { /* names are times */
		if (!is_full(page))
			look_through(page, folder, kept[i]->d_name, from);
		free(kept[i]);
	}
	free(kept);
}

json_t *audit_read(const char *folder, const struct audit_query *query, struct enrg_error *err)
{
	struct page page = {.query = query, .limit = query->limit ? query->limit : 100};
	struct position from;
	char next[64];

	if (page.limit > AUDIT_PAGE_MAX || parse_position(query->before, &from)) {
		enrg_error_set(
			err, -EINVAL, "limit is at most %d, and before is `next` of the page before", AUDIT_PAGE_MAX);
		return NULL;
	}
	int descriptor = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	page.entries = json_array();
	if (descriptor < 0 || !page.entries) {
		enrg_error_set(err, -errno, "%s: %s", folder, enrg_error_name(-errno));
		json_decref(page.entries);
		if (descriptor >= 0)
			close(descriptor);
		return NULL;
	}
	look_through_all(&page, folder, descriptor, &from);
	close(descriptor);
	snprintf(next, sizeof(next), "%llu-%llu", (unsigned long long)page.last.inode,
		(unsigned long long)page.last.offset);
	return json_pack("{s:o, s:o}", "entries", page.entries, "next",
		is_full(&page) && page.last.is_set ? json_string(next) : json_null());
}
