/* token.c: `enrgdaq token add NAME | list | remove NAME`. */
#include <errno.h>
#include <getopt.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "web/access/program/command.h"
#include "web/access/tokens.h"

static const char usage[] =
	"usage: enrgdaq token add NAME --role visitor|user|admin [--days N]\n"
	"       enrgdaq token list\n"
	"       enrgdaq token remove NAME\n"
	"\n"
	"Tokens let scripts, and the control panel, ask a system over HTTP: `Authorization: Bearer TOKEN`, or "
	"/t/TOKEN\n"
	"before the path. A change counts from the next request on; nothing is started again.\n"
	"\n"
	"  add NAME     makes one and prints it, once: only its SHA-256 is kept\n"
	"  list         names, roles and dates\n"
	"  remove NAME  whoever has it is refused from then on, and sessions that began with it end\n"
	"\n"
	"  --role ROLE   visitor: looks; user: starts and stops runs; admin: may run any program as this user\n"
	"  --days N      it expires after N days; without it, never\n"
	"  --json        list: as JSON\n"
	"  --id ID       the system that is meant; without it, the one that runs\n"
	"  --config DIR  the system of that configuration folder, also before its first start\n"
	"  --folder DIR  web.folder of that system\n"
	"\n"
	"examples:\n"
	"  enrgdaq token add panel --role user\n"
	"  enrgdaq token remove first         the one that the first start has made\n"
	"\n"
	"Exit code: 0 done, 1 failed, 2 wrong usage.\n";

struct choices {
	const char *folder, *role;
	uint32_t days;
	bool has_days, is_json;
};

static int add(const struct choices *choices, const char *name)
{
	char text[TOKEN_TEXT_BYTES], what[128], about[128];
	struct enrg_error err = {0};
	enum access_role role;

	if (!choices->role)
		return command_usage_error("token", "add: --role visitor, user or admin was expected");
	int rc = command_parse_role("token", choices->role, &role);
	rc = rc ? rc : command_make_folder("token", choices->folder);
	if (rc)
		return rc;
	rc = tokens_add(choices->folder, name, role, choices->days, text, &err);
	snprintf(what, sizeof(what), "token add %.80s", name);
	snprintf(about, sizeof(about), "{\"role\":\"%s\",\"days\":%u}", choices->role, (unsigned)choices->days);
	command_audit(choices->folder, what, about, rc ? "failed" : "done");
	if (rc)
		return command_failed("token", &err);
	puts(text);
	fflush(stdout);
	if (isatty(STDERR_FILENO))
		fputs("this is shown once; `enrgdaq token remove` takes it away\n", stderr);
	explicit_bzero(text, sizeof(text));
	return 0;
}

static void print_json(const struct tokens *tokens)
{
	json_t *list = json_array();

	for (size_t i = 0; i < tokens->count; i++) {
		const struct token *token = &tokens->items[i];
		char created[32], expires[32];
		record_time_format(token->created_s, created);
		record_time_format(token->expires_s, expires);
		json_array_append_new(
			list, json_pack("{s:s, s:s, s:s, s:s, s:b}", "name", token->name, "role",
				      access_role_name(token->role), "created", created, "expires", expires, "expired",
				      token->expires_s && token->expires_s <= time(NULL)));
	}
	json_dumpf(list, stdout, JSON_INDENT(2));
	putchar('\n');
	json_decref(list);
}

static void print(const struct tokens *tokens)
{
	if (!tokens->count)
		puts("no tokens");
	for (size_t i = 0; i < tokens->count; i++) {
		const struct token *token = &tokens->items[i];
		bool has_expired = token->expires_s && token->expires_s <= time(NULL);
		char created[32], expires[32];
		record_time_format(token->created_s, created);
		record_time_format(token->expires_s, expires);
		printf("%-24s %-8s since %s  %s %s\n", token->name, access_role_name(token->role), created,
			has_expired ? "EXPIRED" : "expires", expires);
	}
}

static int list(const struct choices *choices)
{
	struct enrg_error err = {0};
	struct record_stamp stamp;
	struct tokens tokens;

	if (tokens_read(choices->folder, &tokens, &stamp, &err))
		return command_failed("token", &err);
	(choices->is_json ? print_json : print)(&tokens);
	if (tokens.faulty_line)
		fprintf(stderr, "enrgdaq token: %s/tokens: line %u is no token: it lets nobody in\n", choices->folder,
			tokens.faulty_line);
	tokens_fini(&tokens);
	return fflush(stdout) ? 1 : 0;
}

static int take_away(const struct choices *choices, const char *name)
{
	struct enrg_error err = {0};
	char what[128];

	int rc = tokens_remove(choices->folder, name, &err);
	snprintf(what, sizeof(what), "token remove %.80s", name);
	if (rc != -ENOENT)
		command_audit(choices->folder, what, NULL, rc ? "failed" : "done");
	if (rc)
		return command_failed("token", &err);
	printf("removed: whoever has the token %s is refused from now on\n", name);
	return 0;
}

static int parse_days(const char *text, struct choices *choices)
{
	char *end;
	unsigned long days = strtoul(text, &end, 10);

	if (*text < '1' || *text > '9' || *end || days > 36500)
		return command_usage_error(
			"token", "--days: a number of days from 1 to 36500 was expected, not \"%s\"", text);
	choices->days = (uint32_t)days;
	choices->has_days = true;
	return 0;
}

static int run(const struct choices *choices, int argc, char **argv)
{
	const char *verb = argc ? argv[0] : "";
	bool is_list = !strcmp(verb, "list"), is_add = !strcmp(verb, "add");

	if (!is_list && !is_add && strcmp(verb, "remove") != 0)
		return command_usage_error("token", "add, list or remove was expected");
	if (argc != (is_list ? 1 : 2))
		return command_usage_error("token", is_list ? "list takes no name" : "%s: one NAME was expected", verb);
	if (!is_add && (choices->role || choices->has_days))
		return command_usage_error("token", "--role and --days go with add");
	if (!choices->folder)
		return command_usage_error("token", "--folder was expected");
	return is_list ? list(choices) : is_add ? add(choices, argv[1]) : take_away(choices, argv[1]);
}

int command_token(int argc, char **argv)
{
	static const struct option options[] = {{"role", required_argument, NULL, 'r'},
		{"days", required_argument, NULL, 'd'}, {"json", no_argument, NULL, 'j'},
		{"folder", required_argument, NULL, 'f'}, {"help", no_argument, NULL, 'h'}, {NULL, 0, NULL, 0}};
	struct choices choices = {0};
	int choice;

	while ((choice = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		if (choice == 'h') {
			fputs(usage, stdout);
			return 0;
		}
		if (choice == '?') {
			fputs("see `enrgdaq token --help`\n", stderr);
			return 2;
		}
		if (choice == 'd' && parse_days(optarg, &choices))
			return 2;
		choices.role = choice == 'r' ? optarg : choices.role;
		choices.folder = choice == 'f' ? optarg : choices.folder;
		choices.is_json |= choice == 'j';
	}
	return run(&choices, argc - optind, argv + optind);
}
