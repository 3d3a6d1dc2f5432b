/* ask_password.c: see the header. */
#include "web/access/program/ask_password.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "base/secret_file.h"

enum { BYTES_MAX = PASSWORD_BYTES_MAX + 1 }; /* one more than may be: it is seen that it is too long */

/* --- a terminal --- */

/* Signals are off, so that no Ctrl-C leaves a terminal without echo: it is read as a character. */
static int read_keys(int terminal, char ret_text[PASSWORD_BYTES_MAX + 2])
{
	size_t used = 0;
	char key;

	for (;;) {
		ssize_t got = read(terminal, &key, 1);
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0 || key == 3 || key == 4)
			return -ECANCELED;
		if (key == '\n' || key == '\r')
			break;
		if (key == 0x7f || key == '\b') {
			while (used && ((unsigned char)ret_text[--used] & 0xc0) == 0x80)
				continue; /* a whole UTF-8 character */
		} else if (key == 0x15) {
			used = 0;
		} else if (used < BYTES_MAX) {
			ret_text[used++] = key;
		}
	}
	ret_text[used] = '\0';
	return 0;
}

static int ask_once(int terminal, const char *prompt, char ret_text[PASSWORD_BYTES_MAX + 2])
{
	struct termios before, silent;

	if (tcgetattr(terminal, &before))
		return -ENOTTY;
	silent = before;
	silent.c_lflag &= ~(tcflag_t)(ECHO | ICANON | ISIG);
	silent.c_cc[VMIN] = 1;
	silent.c_cc[VTIME] = 0;
	if (tcsetattr(terminal, TCSAFLUSH, &silent))
		return -ENOTTY;
	dprintf(terminal, "%s", prompt);
	int rc = read_keys(terminal, ret_text);
	dprintf(terminal, "\n");
	tcsetattr(terminal, TCSAFLUSH, &before);
	return rc;
}

static int ask_terminal(char ret_password[PASSWORD_BYTES_MAX + 2], struct enrg_error *err)
{
	char again[PASSWORD_BYTES_MAX + 2];
	int terminal = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);

	if (terminal < 0)
		return enrg_error_set(err, -ENOTTY,
			"there is no terminal to ask for the password; --password-file FILE (mode 0600; - is standard "
			"input) has it");
	int rc = ask_once(terminal, "password: ", ret_password);
	if (rc == 0)
		rc = ask_once(terminal, "the same again: ", again);
	close(terminal);
	if (rc == 0 && strcmp(ret_password, again) != 0)
		rc = enrg_error_set(err, -EINVAL, "the two differ: nothing was changed");
	else if (rc)
		enrg_error_set(err, rc, "no password was given: nothing was changed");
	explicit_bzero(again, sizeof(again));
	return rc;
}

/* --- a file --- */

static int read_input(char ret_password[PASSWORD_BYTES_MAX + 2], struct enrg_error *err)
{
	if (!fgets(ret_password, PASSWORD_BYTES_MAX + 2, stdin))
		return enrg_error_set(err, -EINVAL, "standard input holds no password");
	ret_password[strcspn(ret_password, "\r\n")] = '\0';
	return 0;
}

int ask_password(const char *file, char ret_password[PASSWORD_BYTES_MAX + 2], struct enrg_error *err)
{
	char *text;

	if (!file)
		return ask_terminal(ret_password, err);
	if (!strcmp(file, "-"))
		return read_input(ret_password, err);
	int rc = secret_read_file(file, &text, err);
	if (rc)
		return rc;
	snprintf(ret_password, PASSWORD_BYTES_MAX + 2, "%s", text);
	explicit_bzero(text, strlen(text));
	free(text);
	return 0;
}
