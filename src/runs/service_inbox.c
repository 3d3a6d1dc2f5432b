/* service_inbox.c: entries of the runtime folder: into the database, all that there are in one transaction; an entry
 * that is not valid is set aside. Process: the book, main thread. */
#include "runs/service_state.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/path.h"

#define AT_ONCE 500
#define KEEP_NS 10000000000ull /* so long without a database, and entries go beside the data */
#define PATH    (DATABASE_PATH_BYTES + 300)

/* A progress may be replaced by a newer one at any moment: it is taken by another name. */
static void take_progress(const struct service *service)
{
	DIR *directory = opendir(service->inbox);
	char from[PATH], to[PATH];
	unsigned count = 0;

	for (const struct dirent *entry; directory && (entry = readdir(directory));) {
		if (strncmp(entry->d_name, "progress-", 9) != 0)
			continue;
		snprintf(from, sizeof(from), "%s/%s", service->inbox, entry->d_name);
		snprintf(to, sizeof(to), "%s/%020llu-%07d-p%05u.json", service->inbox,
			(unsigned long long)clock_wall_ns(), (int)getpid(), count++ % 100000);
		(void)rename(from, to);
	}
	if (directory)
		closedir(directory);
}

static int is_entry(const struct dirent *entry)
{
	return entry->d_name[0] >= '0' && entry->d_name[0] <= '9';
}

bool service_has_entries(const struct service *service)
{
	DIR *directory = opendir(service->inbox);
	bool is_there = false;

	for (const struct dirent *entry; directory && !is_there && (entry = readdir(directory));)
		is_there = is_entry(entry);
	if (directory)
		closedir(directory);
	return is_there;
}

static void set_aside(struct service *service, const char *path, const char *why)
{
	char bad[PATH + 8], text[PATH + 1400];
	const char *slash = strrchr(path, '/');

	snprintf(bad, sizeof(bad), "%.*s/bad-%s", (int)(slash - path), path, slash + 1);
	if (rename(path, bad))
		unlink(path); /* it would come again and again */
	snprintf(text, sizeof(text),
		"the run book could not take an entry: %s; it lies in %s, and the rest is entered; data are not "
		"touched by "
		"that",
		why, bad);
	if (!service->has_bad)
		service_alert(service, "WARNING", "book/entry", text, false);
	service->has_bad = true;
}

/* 0: `ret_entry` is to be freed; 1: there is none any more. */
static int load(struct service *service, const char *path, struct entry *ret_entry)
{
	struct enrg_error err = {0};
	size_t bytes;
	char *text;
	int rc = path_read_file(path, ENTRY_BYTES_MAX, &text, &bytes, &err);

	if (!rc) {
		rc = entry_parse(text, bytes, ret_entry, &err);
		free(text);
	}
	if (!rc || rc == -ENOENT)
		return rc ? 1 : 0;
	set_aside(service, path, err.text);
	return 1;
}

/* true: that will not pass when the same is tried again, and the database is not the cause. */
static bool is_entrys_fault(int code)
{
	return code == -EEXIST || code == -EINVAL || code == ENRG_E_PROTOCOL;
}

/* In a transaction of its own. -ECANCELED: one was set aside, the rest is to be tried again. */
static int enter_some(struct service *service, struct dirent **names, int count, struct enrg_error *err)
{
	char path[PATH];
	int rc = database_begin(service->database, err);

	for (int i = 0; rc >= 0 && i < count; i++) {
		struct entry entry;
		snprintf(path, sizeof(path), "%s/%s", service->inbox, names[i]->d_name);
		if (load(service, path, &entry))
			continue;
		rc = enter_entry(&service->context, &entry, err);
		entry_fini(&entry);
		if (rc < 0 && is_entrys_fault(rc)) {
			set_aside(service, path, err->text);
			rc = -ECANCELED;
		}
	}
	if (rc >= 0)
		return database_commit(service->database, err);
	database_abort(service->database);
	return rc;
}

static void remove_all(const struct service *service, struct dirent **names, int count)
{
	char path[PATH];

	for (int i = 0; i < count; i++) {
		snprintf(path, sizeof(path), "%s/%s", service->inbox, names[i]->d_name);
		unlink(path);
	}
}

/* --- without a database --- */

static int note_kept(const struct service *service, const char *path, struct enrg_error *err)
{
	int descriptor = open(service->kept, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
	bool is_written = descriptor >= 0 && dprintf(descriptor, "%s\n", path) > 0 && !fsync(descriptor);
	int rc = is_written ? 0 : errno ? -errno : -EIO;
	if (descriptor >= 0)
		close(descriptor);
	return rc ? enrg_error_set(err, rc, "%s: %s", service->kept, strerror(-rc)) : 0;
}

/* What can't be kept there either stays where it is. */
static void keep_some(struct service *service, struct dirent **names, int count)
{
	char path[PATH], kept[BESIDE_PATH_BYTES];
	struct enrg_error err = {0};
	int rc = 0;

	for (int i = 0; !rc && i < count; i++) {
		struct entry entry;
		snprintf(path, sizeof(path), "%s/%s", service->inbox, names[i]->d_name);
		if (load(service, path, &entry))
			continue;
		rc = beside_keep(service->folder, &entry, kept, &err);
		if (!rc)
			rc = note_kept(service, kept, &err);
		if (!rc)
			unlink(path);
		entry_fini(&entry);
	}
}

void service_take_entries(struct service *service)
{
	struct dirent **names = NULL;
	struct enrg_error err = {0};
	int rc = 0;

	service->has_mail = false;
	take_progress(service);
	int all = scandir(service->inbox, &names, is_entry, alphasort), count = all > AT_ONCE ? AT_ONCE : all;
	if (count > 0 && service_has_database(service)) {
		rc = enter_some(service, names, count, &err);
		if (!rc)
			remove_all(service, names, count);
		service->has_mail = all > count || rc == -ECANCELED;
		service->is_work_known = false;
		service->busy_ns = clock_mono_ns();
		sequence_driver_wake(&service->driver);
		service_note(service, rc == -ECANCELED ? 0 : rc, &err);
	} else if (count > 0 && (service->is_over || clock_mono_ns() - service->trouble_since_ns > KEEP_NS)) {
		keep_some(service, names, count);
	}
	for (int i = 0; i < all; i++)
		free(names[i]);
	free(names);
}
