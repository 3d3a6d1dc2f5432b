/* secret.c: see the header. A list that only grows, so that a look needs no lock, also in the handler of a crash. */
#include "base/secret.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "enrgdaq/error.h"

#define FILE_BYTES_MAX 4096

struct secret {
	struct secret *next;
	size_t bytes;
	char text[];
};

static struct secret *_Atomic secrets;

static bool is_remembered(const struct secret *first, const char *text)
{
	for (; first; first = first->next)
		if (!strcmp(first->text, text))
			return true;
	return false;
}

void secret_remember(const char *text)
{
	size_t bytes = strlen(text);
	struct secret *first = atomic_load_explicit(&secrets, memory_order_acquire);
	struct secret *secret;

	if (bytes < SECRET_BYTES_MIN || is_remembered(first, text))
		return;
	secret = malloc(sizeof(*secret) + bytes + 1);
	if (!secret)
		return;
	secret->bytes = bytes;
	memcpy(secret->text, text, bytes + 1);
	secret->next = first;
	/* pairs with the acquire of whoever walks the list */
	while (!atomic_compare_exchange_weak_explicit(
		&secrets, &secret->next, secret, memory_order_release, memory_order_relaxed))
		;
}

void secret_hide(char *text)
{
	const struct secret *secret = atomic_load_explicit(&secrets, memory_order_acquire);

	for (; secret; secret = secret->next)
		for (char *at = text; (at = strstr(at, secret->text)) != NULL; at += sizeof(SECRET_MASK) - 1) {
			memcpy(at, SECRET_MASK, sizeof(SECRET_MASK) - 1);
			memmove(at + sizeof(SECRET_MASK) - 1, at + secret->bytes, strlen(at + secret->bytes) + 1);
		}
}

static int check_owner(int descriptor, const char *path, struct enrg_error *err)
{
	struct stat now;

	if (fstat(descriptor, &now) < 0)
		return enrg_error_set(err, -errno, "%s: %s", path, enrg_error_name(-errno));
	if (!S_ISREG(now.st_mode))
		return enrg_error_set(err, -EINVAL, "%s is not a file", path);
	if (now.st_uid != geteuid())
		return enrg_error_set(err, -EPERM,
			"%s belongs to another user (%u): it has to be of the user that runs this (%u)", path,
			(unsigned)now.st_uid, (unsigned)geteuid());
	if ((now.st_mode & 07777) != 0600 && (now.st_mode & 07777) != 0400)
		return enrg_error_set(err, -EPERM, "%s has mode %04o, so that others may get at it: chmod 600 it", path,
			(unsigned)(now.st_mode & 07777));
	return 0;
}

static int read_text(int descriptor, const char *path, char *ret_text, struct enrg_error *err)
{
	size_t used = 0;
	ssize_t got;

	while (used <= FILE_BYTES_MAX && (got = read(descriptor, ret_text + used, FILE_BYTES_MAX + 1 - used)) != 0) {
		if (got < 0 && errno != EINTR)
			return enrg_error_set(err, -errno, "%s: %s", path, enrg_error_name(-errno));
		used += got > 0 ? (size_t)got : 0;
	}
	if (used > FILE_BYTES_MAX)
		return enrg_error_set(
			err, -EMSGSIZE, "%s is longer than %d bytes: it holds one secret", path, FILE_BYTES_MAX);
	if (used && ret_text[used - 1] == '\n')
		used--;
	if (used && ret_text[used - 1] == '\r')
		used--;
	ret_text[used] = '\0';
	if (used == 0)
		return enrg_error_set(err, -EINVAL, "%s is empty", path);
	if (strlen(ret_text) != used)
		return enrg_error_set(err, -EINVAL, "%s holds a NUL character: it is no text", path);
	return 0;
}

int secret_read_file(const char *path, char **ret_text, struct enrg_error *err)
{
	int descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* a pipe is refused, not waited for */
	char *text;

	if (descriptor < 0)
		return enrg_error_set(err, -errno, "%s: %s", path, enrg_error_name(-errno));
	text = malloc(FILE_BYTES_MAX + 2);
	int rc = text ? check_owner(descriptor, path, err) : enrg_error_set(err, -ENOMEM, "out of memory");
	if (rc == 0)
		rc = read_text(descriptor, path, text, err);
	close(descriptor);
	if (rc < 0) {
		free(text);
		return rc;
	}
	*ret_text = text;
	return 0;
}
