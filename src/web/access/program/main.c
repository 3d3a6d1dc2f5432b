/* main.c: enrgdaq-access: what `enrgdaq token`, `enrgdaq user` and `enrgdaq certificate` do, which call it with
 * --folder. */
#include <pwd.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/path.h"
#include "web/access/audit.h"
#include "web/access/program/command.h"

static const struct {
	const char *name;
	int (*run)(int argc, char **argv);
} commands[] = {{"token", command_token}, {"user", command_user}, {"certificate", command_certificate}};

int command_usage_error(const char *command, const char *format, ...)
{
	va_list arguments;

	fprintf(stderr, "enrgdaq %s: ", command);
	va_start(arguments, format);
	vfprintf(stderr, format, arguments);
	va_end(arguments);
	fprintf(stderr, "\nsee `enrgdaq %s --help`\n", command);
	return 2;
}

int command_parse_role(const char *command, const char *text, enum access_role *ret_role)
{
	if (access_role_parse(text, ret_role) || *ret_role == ACCESS_NOBODY)
		return command_usage_error(command, "--role: visitor, user or admin was expected, not \"%s\"", text);
	return 0;
}

int command_failed(const char *command, const struct enrg_error *err)
{
	fprintf(stderr, "enrgdaq %s: %s\n", command, err->text);
	return 1;
}

int command_make_folder(const char *command, const char *folder)
{
	struct enrg_error err = {0};
	struct stat now;

	if (!stat(folder, &now))
		return 0;
	if (path_make_private_folder(folder, &err))
		return command_failed(command, &err);
	fprintf(stderr, "enrgdaq %s: made the folder %s, which was not there\n", command, folder);
	return 0;
}

void command_audit(const char *folder, const char *what, const char *about, const char *result)
{
	struct access_who who = {.role = ACCESS_ADMIN, .way = ACCESS_BY_LOCAL};
	struct audit *audit;

	path_format_user(getuid(), who.name, sizeof(who.name));
	if (audit_open(folder, &audit, NULL))
		return;
	audit_add(audit, &(struct audit_entry){.who = &who, .what = what, .about = about, .result = result});
	audit_close(audit); /* writes it */
}

int main(int argc, char **argv)
{
	char name[64];

	for (size_t i = 0; argc > 1 && i < sizeof(commands) / sizeof(commands[0]); i++)
		if (!strcmp(argv[1], commands[i].name)) {
			snprintf(name, sizeof(name), "enrgdaq %s", argv[1]);
			argv[1] = name;
			return commands[i].run(argc - 1, argv + 1);
		}
	fputs("usage: enrgdaq-access token|user|certificate …\n\nNot for humans: `enrgdaq token`, `enrgdaq user` and "
	      "`enrgdaq certificate` call it.\n",
		stderr);
	return 2;
}
