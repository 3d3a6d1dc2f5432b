/* leftover.c: cuts the files of earlier lives, and switches them to what they committed. Store process, main thread. */
#include "handover/leftover.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "handover/switches.h"

/* Is the file as it was committed? Nothing that another process is writing is touched. */
static bool cut(int descriptor, const char *path, uint64_t length)
{
	struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
	struct stat status;

	if (fstat(descriptor, &status) < 0 || !S_ISREG(status.st_mode))
		return false;
	if (fcntl(descriptor, F_OFD_SETLK, &lock) < 0 && (errno == EAGAIN || errno == EACCES))
		return false;
	if ((uint64_t)status.st_size <= length)
		return (uint64_t)status.st_size == length; /* shorter: who opens it says so */
	int rc;
	do
		rc = ftruncate(descriptor, (off_t)length);
	while (rc < 0 && errno == EINTR);
	if (rc < 0)
		return false;
	log_line(ENRG_INFO, "%s: cut to the %llu bytes that were committed when the store was killed", path,
		(unsigned long long)length);
	return true;
}

void leftover_cut(struct journal *journal)
{
	struct switches switches;
	const char *path;
	uint64_t length;

	/* A note that can't be read now is read again by whoever opens a file of this journal. */
	if (switches_read(journal, &switches, NULL) < 0)
		return;
	for (uint32_t i = 0; journal_next_file(journal, &i, &path, &length); i++) {
		/* A full name: whoever put a link there since did not mean this file. */
		int descriptor = open(path, O_RDWR | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW);
		if (descriptor < 0)
			continue;
		if (cut(descriptor, path, length) && switches_apply(&switches, i, descriptor) == 0)
			journal_forget_file(journal, i);
		close(descriptor);
	}
	switches_fini(&switches);
}

bool leftover_remains(const char *journal_path)
{
	struct journal *journal;
	uint32_t index = 0;
	const char *path;
	uint64_t length;

	if (access(journal_path, F_OK) < 0 || journal_open(journal_path, &journal, NULL) < 0)
		return false;
	bool remains = journal_next_file(journal, &index, &path, &length);
	journal_close(journal);
	return remains;
}
