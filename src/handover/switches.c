/* switches.c: the note of what follows a commit. Store process, main thread; supervisor.
 *
 * The note is one write: head, then the entries. Its number is that of the commit which it belongs to, its sum covers
 * all of it: a note that a kill tore, or whose commit was never made, counts for nothing. Writing it destroys the note
 * of the commit before, whose switches were made by then or are in the new note as well.
 */
#include "handover/switches.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/crc32c.h"
#include "base/disk.h"
#include "base/path.h"

#define NOTE_MAGIC  0x3130435457534E45ull /* "ENSWTC01" */
#define ENTRIES_MAX (1u << 20)
#define ENTRY_BYTES sizeof(struct switch_entry)
#define NAME_BYTES  (PATH_MAX + 16)

struct note_head {
	uint64_t magic;
	uint64_t commit;
	uint32_t count;
	uint32_t sum; /* of the head up to here, and of the entries */
};

static_assert(sizeof(struct switch_entry) == 536, "a note of another version of the program is read as well");

static void name_note(const char *journal_path, char ret_path[NAME_BYTES])
{
	snprintf(ret_path, NAME_BYTES, "%s.switches", journal_path);
}

static uint32_t sum_of(const struct note_head *head, const struct switch_entry *entries)
{
	return crc32c(crc32c(0, head, offsetof(struct note_head, sum)), entries, head->count * ENTRY_BYTES);
}

static uint32_t sum_path(const struct journal *journal, uint32_t file)
{
	const char *path = journal_file_path(journal, file);

	return path ? crc32c(0, path, strlen(path)) : 0;
}

int switches_add(struct switches *switches, const struct journal *journal, const struct switch_entry *added,
	struct enrg_error *err)
{
	struct switch_entry *entries = realloc(switches->entries, (switches->count + 1) * ENTRY_BYTES);

	if (!entries)
		return enrg_error_set(err, -ENOMEM, "out of memory");
	switches->entries = entries;
	struct switch_entry *entry = &entries[switches->count++];
	*entry = *added;
	entry->path_sum = sum_path(journal, added->file);
	return 0;
}

void switches_fini(struct switches *switches)
{
	free(switches->entries);
	*switches = (struct switches){0};
}

static bool is_good(const struct journal *journal, const struct switch_entry *entry)
{
	return entry->byte_count <= sizeof(entry->bytes) && journal_file_path(journal, entry->file) &&
	       entry->path_sum == sum_path(journal, entry->file);
}

/* What stands in the file, where that is a whole note of the journal's last commit. */
static int parse(const struct journal *journal, const char *text, size_t count, struct switches *ret_switches,
	bool *ret_is_valid, struct enrg_error *err)
{
	struct note_head head;
	int rc = 0;

	*ret_is_valid = false;
	if (count < sizeof(head))
		return 0;
	memcpy(&head, text, sizeof(head));
	const struct switch_entry *entries = (const struct switch_entry *)(const void *)(text + sizeof(head));
	if (head.magic != NOTE_MAGIC || head.commit != journal_commit_number(journal) || head.count > ENTRIES_MAX ||
		count < sizeof(head) + head.count * ENTRY_BYTES || head.sum != sum_of(&head, entries))
		return 0;
	*ret_is_valid = true;
	for (uint32_t i = 0; i < head.count && rc == 0; i++)
		if (is_good(journal, &entries[i]))
			rc = switches_add(ret_switches, journal, &entries[i], err);
	return rc;
}

int switches_read(const struct journal *journal, struct switches *ret_switches, struct enrg_error *err)
{
	char path[NAME_BYTES], *text;
	bool is_valid;
	size_t count;

	*ret_switches = (struct switches){0};
	name_note(journal_get_path(journal), path);
	if (access(path, F_OK) < 0)
		return 0;
	int rc = path_read_file(path, sizeof(struct note_head) + ENTRIES_MAX * ENTRY_BYTES, &text, &count, err);
	if (rc < 0)
		return rc;
	rc = parse(journal, text, count, ret_switches, &is_valid, err);
	free(text);
	if (rc == 0 && !is_valid && unlink(path) < 0)
		rc = enrg_error_set(err, -errno, "%s: can't remove the file: %s", path, enrg_error_name(-errno));
	return rc;
}

int switches_write(const struct journal *journal, const struct switches *switches, struct enrg_error *err)
{
	size_t count = sizeof(struct note_head) + switches->count * ENTRY_BYTES;
	struct note_head head = {
		.magic = NOTE_MAGIC, .commit = journal_commit_number(journal) + 1, .count = switches->count};
	char path[NAME_BYTES];

	name_note(journal_get_path(journal), path);
	uint8_t *note = malloc(count);
	if (!note)
		return enrg_error_set(err, -ENOMEM, "out of memory");
	head.sum = sum_of(&head, switches->entries);
	memcpy(note, &head, sizeof(head));
	memcpy(note + sizeof(head), switches->entries, switches->count * ENTRY_BYTES);
	int descriptor = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	int rc = 0;
	if (descriptor < 0 || disk_write_all(descriptor, note, count, 0) < 0)
		rc = disk_fail(err, path, "write");
	if (descriptor >= 0)
		close(descriptor);
	free(note);
	return rc;
}

void switches_remove(const char *journal_path)
{
	char path[NAME_BYTES];

	name_note(journal_path, path);
	unlink(path);
}

int switches_apply(struct switches *switches, uint32_t file, int descriptor)
{
	uint32_t kept = 0;
	int rc = 0;

	for (uint32_t i = 0; i < switches->count; i++) {
		const struct switch_entry *entry = &switches->entries[i];
		if (entry->file == file && rc == 0)
			rc = disk_write_all(descriptor, entry->bytes, entry->byte_count, entry->offset);
		if (entry->file != file || rc < 0)
			switches->entries[kept++] = *entry;
	}
	switches->count = kept;
	return rc;
}
