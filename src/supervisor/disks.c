/* disks.c: see the header. */
#include "supervisor/disks.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include "supervisor/errand.h"

struct question {
	char *folder;
	struct disk_room room;
};

struct disk {
	char *folder;
	struct errand *errand; /* NULL: none is open */
	struct question *question;
	uint64_t asked_ns;
};

/* --- on a thread of its own --------------------------------------------------------------------------------------- */

static int look(void *context)
{
	struct question *question = context;
	struct disk_room *room = &question->room;
	struct statvfs space;
	struct stat info;

	room->is_there = stat(question->folder, &info) == 0 && statvfs(question->folder, &space) == 0;
	if (!room->is_there)
		return 0;
	room->device = (uint64_t)info.st_dev;
	room->free_bytes = (uint64_t)space.f_bavail * space.f_frsize;
	room->total_bytes = (uint64_t)space.f_blocks * space.f_frsize;
	return 0;
}

static void release(void *context)
{
	struct question *question = context;

	free(question->folder);
	free(question);
}

/* --- on the main thread ------------------------------------------------------------------------------------------- */

/* Its question lives as long as the errand. NULL: out of memory or threads. */
static struct errand *begin(const char *folder, struct question **ret_question)
{
	struct question *question = calloc(1, sizeof(*question));
	struct errand *errand = NULL;

	if (!question)
		return NULL;
	question->folder = strdup(folder);
	const struct errand_params params = {.work = look, .release = release, .context = question};
	if (!question->folder)
		release(question);
	else if (errand_start(&params, &errand) == 0)
		*ret_question = question;
	return errand;
}

static void ask(struct disk *disk, uint64_t now_ns)
{
	disk->errand = begin(disk->folder, &disk->question);
	disk->asked_ns = now_ns;
}

bool disks_read(const char *folder, uint64_t patience_ns, struct disk_room *ret_room)
{
	struct question *question = NULL;
	struct errand *errand = begin(folder, &question);
	int rc;
	bool is_heard = errand && errand_wait(errand, patience_ns, &rc);

	if (is_heard)
		*ret_room = question->room;
	errand_end(errand);
	return is_heard;
}

static struct disk *find(struct disks *disks, const char *folder)
{
	for (uint32_t i = 0; i < disks->count; i++)
		if (!strcmp(disks->items[i]->folder, folder))
			return disks->items[i];
	struct disk *disk = disks->count < DISKS_MAX ? calloc(1, sizeof(*disk)) : NULL;
	if (disk && !(disk->folder = strdup(folder))) {
		free(disk);
		disk = NULL;
	}
	if (disk)
		disks->items[disks->count++] = disk;
	return disk;
}

enum disks_answer disks_ask(
	struct disks *disks, const char *folder, uint64_t now_ns, struct disk_room *ret_room, uint64_t *ret_silent_ns)
{
	struct disk *disk = find(disks, folder);
	enum disks_answer answer = DISKS_NONE;
	int rc;

	if (!disk)
		return DISKS_NONE;
	if (disk->errand && !errand_wait(disk->errand, 0, &rc)) {
		*ret_silent_ns = now_ns - disk->asked_ns;
		return *ret_silent_ns >= DISKS_PATIENCE_NS ? DISKS_UNHEARD : DISKS_NONE;
	}
	if (disk->errand) {
		*ret_room = disk->question->room;
		answer = DISKS_FRESH;
	}
	errand_end(disk->errand);
	disk->errand = NULL;
	if (!disk->asked_ns || now_ns - disk->asked_ns >= DISKS_EVERY_NS)
		ask(disk, now_ns);
	return answer;
}

void disks_fini(struct disks *disks)
{
	for (uint32_t i = 0; i < disks->count; i++) {
		errand_end(disks->items[i]->errand);
		free(disks->items[i]->folder);
		free(disks->items[i]);
	}
	*disks = (struct disks){0};
}
