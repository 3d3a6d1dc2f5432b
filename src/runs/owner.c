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

#define SIGN_BYTES 500u

static int format_sign(const char *who, char ret_text[SIGN_BYTES])
{
	char host[200] = "";

	gethostname(host, sizeof(host) - 1);
	return snprintf(ret_text, SIGN_BYTES, "%.200s on %s", who, host);
}

/* For the sentence that refuses the next one; it is no loss where the disk is full. */
static void sign(int descriptor, const char *who)
{
	char text[SIGN_BYTES];
	int count = format_sign(who, text);

	if (ftruncate(descriptor, 0) == 0 && pwrite(descriptor, text, (size_t)count, 0) != count)
		(void)!ftruncate(descriptor, 0);
}

/* Does who holds it go by itself? One that says so; and the program of a supervisor of this name on this machine, which
 * was killed: it has not seen that yet, since there is no second one of a name. */
static bool is_going(int descriptor, const char *who)
{
	char text[SIGN_BYTES] = "", own[SIGN_BYTES];

	if (pread(descriptor, text, sizeof(text) - 1, 0) <= 0)
		return false;
	(void)format_sign(who, own);
	return !strncmp(text, OWNER_FINISHING, sizeof(OWNER_FINISHING) - 1) || !strcmp(text, own);
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
			now_ns < until_ns || (now_ns < until_ns + OWNER_FINISHING_NS && is_going(descriptor, who));
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
