/* owner.c: see the header. One thread. */
#include "runs/owner.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/text.h"
#include "runs/database.h"

#define LOOK_MS 20

static int refuse(int descriptor, const char *database, struct enrg_error *err)
{
	char text[300];
	ssize_t count = pread(descriptor, text, sizeof(text) - 1, 0);

	text[count > 0 ? count : 0] = '\0';
	text_make_safe(text, strlen(text));
	return enrg_error_set(err, -EPERM,
		"the run book %s belongs to %s, which is running: a run book has one supervisor alone, so name another "
		"file "
		"for this one (runs.database in supervisor.toml), or leave the key out: then its name has the "
		"supervisor's "
		"in it",
		database, *text ? text : "somebody else");
}

/* For the sentence that refuses the next one; it is no loss where the disk is full. */
static void sign(int descriptor, const char *who)
{
	char host[200] = "", text[500];

	gethostname(host, sizeof(host) - 1);
	int count = snprintf(text, sizeof(text), "%.200s on %s", who, host);
	if (ftruncate(descriptor, 0) == 0 && pwrite(descriptor, text, (size_t)count, 0) != count)
		(void)!ftruncate(descriptor, 0);
}

static bool is_finishing(int descriptor)
{
	char text[sizeof(OWNER_FINISHING)] = "";

	return pread(descriptor, text, sizeof(text) - 1, 0) == (ssize_t)sizeof(text) - 1 &&
	       !strcmp(text, OWNER_FINISHING);
}

void owner_say_finishing(int descriptor)
{
	if (descriptor >= 0)
		sign(descriptor, OWNER_FINISHING "its supervisor has gone");
}

int owner_take(const char *database, const char *who, unsigned long long patience_ns, int *ret_descriptor,
	struct enrg_error *err)
{
	struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
	char path[DATABASE_PATH_BYTES + 16];
	uint64_t until_ns = clock_mono_ns() + patience_ns;

	snprintf(path, sizeof(path), "%s.owner", database);
	int descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
	if (descriptor < 0) {
		int rc = -errno;
		return enrg_error_set(err, rc, "%s: %s", path, strerror(-rc));
	}
	while (fcntl(descriptor, F_OFD_SETLK, &lock) < 0) {
		int rc = -errno;
		uint64_t now_ns = clock_mono_ns();
		bool is_waiting =
			now_ns < until_ns || (now_ns < until_ns + OWNER_FINISHING_NS && is_finishing(descriptor));
		if ((rc == -EAGAIN || rc == -EACCES) && is_waiting) {
			(void)poll(NULL, 0, LOOK_MS);
			continue;
		}
		rc = rc == -EAGAIN || rc == -EACCES
			     ? refuse(descriptor, database, err)
			     : enrg_error_set(err, rc, "%s: it can't be locked: %s", path, strerror(-rc));
		close(descriptor);
		return rc;
	}
	sign(descriptor, who);
	*ret_descriptor = descriptor;
	return 0;
}

void owner_release(int *descriptor)
{
	if (*descriptor >= 0)
		close(*descriptor);
	*descriptor = -1;
}
