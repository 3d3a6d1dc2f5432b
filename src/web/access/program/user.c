/* user.c: `enrgdaq user add NAME | change NAME | list | remove NAME`. */
#include <errno.h>
#include <getopt.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "web/access/people.h"
#include "web/access/program/ask_password.h"
#include "web/access/program/command.h"

static const char usage[] =
	"usage: enrgdaq user add NAME --role visitor|user|admin [--password-file FILE]\n"
	"       enrgdaq user change NAME [--role ROLE] [--password | --password-file FILE]\n"
	"       enrgdaq user list\n"
	"       enrgdaq user remove NAME\n"
	"\n"
	"People log in to the page with name and password. A change counts from the next request on; nothing is "
	"started\n"
	"again.\n"
	"\n"
	"  add NAME     asks for the password twice, without showing it\n"
	"  change NAME  another role, another password (which ends the person's sessions), or both\n"
	"  list         names, roles and dates\n"
	"  remove NAME  can't log in any more; sessions end\n"
	"\n"
	"  --role ROLE           visitor: looks; user: starts and stops runs; admin: may run any program as this user\n"
	"  --password            change: asks for another one\n"
	"  --password-file FILE  the password is the first line of that file, of mode 0600; - is standard input\n"
	"  --json                list: as JSON\n"
	"  --id ID               the system that is meant; without it, the one that runs\n"
	"  --config DIR          the system of that configuration folder, also before its first start\n"
	"  --folder DIR          web.folder of that system\n"
	"\n"
	"examples:\n"
	"  enrgdaq user add anna --role user\n"
	"  enrgdaq user change anna --role admin\n"
	"\n"
	"Exit code: 0 done, 1 failed, 2 wrong usage.\n";

struct choices {
	const char *folder, *role, *file;
	bool asks, is_json;
};

static int write_audit(
	const struct choices *choices, const char *verb, const char *name, int rc, const struct enrg_error *err)
{
	char what[128], about[128];

	snprintf(what, sizeof(what), "user %s %.80s", verb, name);
	snprintf(about, sizeof(about), "{\"role\":\"%s\"}", choices->role ? choices->role : "");
	command_audit(choices->folder, what, choices->role ? about : NULL, rc ? "failed" : "done");
	return rc ? command_failed("user", err) : 0;
}

static int add(const struct choices *choices, const char *name)
{
	char password[PASSWORD_BYTES_MAX + 2];
	struct enrg_error err = {0};
	enum access_role role;

	if (!choices->role)
		return command_usage_error("user", "add: --role visitor, user or admin was expected");
	int rc = command_parse_role("user", choices->role, &role);
	rc = rc ? rc : command_make_folder("user", choices->folder);
	if (rc)
		return rc;
	if (ask_password(choices->file, password, &err))
		return command_failed("user", &err);
	rc = people_add(choices->folder, name, role, password, &err);
	explicit_bzero(password, sizeof(password));
	rc = write_audit(choices, "add", name, rc, &err);
	if (rc == 0)
		printf("added: %s can log in as %s\n", name, choices->role);
	return rc;
}

static int change(const struct choices *choices, const char *name)
{
	bool has_password = choices->asks || choices->file;
	enum access_role role = ACCESS_NOBODY; /* stays */
	char password[PASSWORD_BYTES_MAX + 2];
	struct enrg_error err = {0};

	if (!choices->role && !has_password)
		return command_usage_error("user", "change: --role, --password or --password-file was expected");
	if (choices->role && command_parse_role("user", choices->role, &role))
		return 2;
	if (has_password && ask_password(choices->file, password, &err))
		return command_failed("user", &err);
	int rc = people_change(choices->folder, name, role, has_password ? password : NULL, &err);
	explicit_bzero(password, sizeof(password));
	rc = write_audit(choices, "change", name, rc, &err);
	if (rc == 0)
		printf("changed: %s\n", name);
	return rc;
}

static int list(const struct choices *choices)
{
	struct enrg_error err = {0};
	struct record_stamp stamp;
	struct people people;

	if (people_read(choices->folder, &people, &stamp, &err))
		return command_failed("user", &err);
	json_t *json = json_array();
	if (!people.count && !choices->is_json)
		puts("nobody");
	for (size_t i = 0; i < people.count; i++) {
		const struct person *person = &people.items[i];
		char created[32];
		record_time_format(person->created_s, created);
		if (choices->is_json)
			json_array_append_new(json, json_pack("{s:s, s:s, s:s}", "name", person->name, "role",
							    access_role_name(person->role), "created", created));
		else
			printf("%-24s %-8s since %s\n", person->name, access_role_name(person->role), created);
	}
	if (choices->is_json) {
		json_dumpf(json, stdout, JSON_INDENT(2));
		putchar('\n');
	}
	json_decref(json);
	if (people.faulty_line)
		fprintf(stderr, "enrgdaq user: %s/people: line %u is no person: it lets nobody in\n", choices->folder,
			people.faulty_line);
	people_fini(&people);
	return fflush(stdout) ? 1 : 0;
}

static int take_away(const struct choices *choices, const char *name)
{
	struct enrg_error err = {0};

	int rc = people_remove(choices->folder, name, &err);
	if (rc == -ENOENT)
		return command_failed("user", &err);
	rc = write_audit(choices, "remove", name, rc, &err);
	if (rc == 0)
		printf("removed: %s can't log in any more\n", name);
	return rc;
}

static int run(const struct choices *choices, int argc, char **argv)
{
	static const struct {
		const char *verb;
		int (*run)(const struct choices *choices, const char *name);
	} verbs[] = {{"add", add}, {"change", change}, {"remove", take_away}};
	const char *verb = argc ? argv[0] : "";
	bool is_list = !strcmp(verb, "list");

	if (is_list && argc != 1)
		return command_usage_error("user", "list takes no name");
	if (is_list && choices->folder)
		return list(choices);
	for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++) {
		if (strcmp(verb, verbs[i].verb) != 0)
			continue;
		if (argc != 2)
			return command_usage_error("user", "%s: one NAME was expected", verb);
		if (choices->folder)
			return verbs[i].run(choices, argv[1]);
		return command_usage_error("user", "--folder was expected");
	}
	return command_usage_error("user", "add, change, list or remove was expected");
}

int command_user(int argc, char **argv)
{
	static const struct option options[] = {{"role", required_argument, NULL, 'r'},
		{"password", no_argument, NULL, 'p'}, {"password-file", required_argument, NULL, 'P'},
		{"json", no_argument, NULL, 'j'}, {"folder", required_argument, NULL, 'f'},
		{"help", no_argument, NULL, 'h'}, {NULL, 0, NULL, 0}};
	struct choices choices = {0};
	int choice;

	while ((choice = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		if (choice == 'h') {
			fputs(usage, stdout);
			return 0;
		}
		if (choice == '?') {
			fputs("see `enrgdaq user --help`\n", stderr);
			return 2;
		}
		choices.role = choice == 'r' ? optarg : choices.role;
		choices.file = choice == 'P' ? optarg : choices.file;
		choices.folder = choice == 'f' ? optarg : choices.folder;
		choices.asks |= choice == 'p';
		choices.is_json |= choice == 'j';
	}
	return run(&choices, argc - optind, argv + optind);
}
