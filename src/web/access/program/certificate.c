/* certificate.c: `enrgdaq certificate FOLDER`: a key and a self-signed certificate for TLS. */
#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <ifaddrs.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/path.h"
#include "web/access/program/command.h"
#include "web/access/program/self_signed.h"
#include "web/access/record_file.h"

enum { NAMES_MAX = 64, DAYS_DEFAULT = 825, DAYS_MAX = 3650 };

static const char usage[] =
	"usage: enrgdaq certificate FOLDER [--name NAME]… [--days N] [--replace]\n"
	"\n"
	"Makes a key and a certificate for TLS, signed by itself, by OpenSSL: FOLDER/key.pem (mode 0600) and\n"
	"FOLDER/certificate.pem. It is for the names and addresses of this machine, and for those that are given.\n"
	"Browsers ask once whether to trust it; scripts are told its file (curl --cacert). A running system takes a "
	"new\n"
	"one by itself.\n"
	"\n"
	"  --name NAME  a name or address that it is for as well, such as one that a name server knows\n"
	"  --days N     valid for so long; without it, 825\n"
	"  --replace    also where the files are there\n"
	"\n"
	"example:\n"
	"  enrgdaq certificate lab/tls --name daq.lab\n"
	"\n"
	"Exit code: 0 done, 1 failed, 2 wrong usage.\n";

struct choices {
	const char *names[NAMES_MAX + 1];
	char found[NAMES_MAX][256];
	size_t count;
	uint32_t days;
	bool replaces;
};

/* --- names --- */

static bool is_good_name(const char *name)
{
	static const char good[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789.-_*:";
	size_t length = strlen(name);

	return length > 0 && length < 254 && strspn(name, good) == length;
}

static void take_name(struct choices *choices, const char *name)
{
	for (size_t i = 0; i < choices->count; i++)
		if (!strcmp(choices->names[i], name))
			return;
	if (choices->count == NAMES_MAX || !is_good_name(name))
		return;
	snprintf(choices->found[choices->count], sizeof(choices->found[0]), "%s", name);
	choices->names[choices->count] = choices->found[choices->count];
	choices->count++;
}

static void take_host_names(struct choices *choices)
{
	const struct addrinfo hints = {.ai_flags = AI_CANONNAME, .ai_socktype = SOCK_STREAM};
	struct addrinfo *list;
	char host[256] = "";

	gethostname(host, sizeof(host) - 1);
	if (!getaddrinfo(host, NULL, &hints, &list)) {
		if (list->ai_canonname)
			take_name(choices, list->ai_canonname);
		freeaddrinfo(list);
	}
	take_name(choices, host);
}

/* All but those that change with a cable: link-local ones. */
static void take_addresses(struct choices *choices)
{
	struct ifaddrs *list;
	char text[INET6_ADDRSTRLEN];

	if (getifaddrs(&list))
		return;
	for (const struct ifaddrs *one = list; one; one = one->ifa_next) {
		struct sockaddr_in in;
		struct sockaddr_in6 in6;
		if (one->ifa_addr && one->ifa_addr->sa_family == AF_INET) {
			memcpy(&in, one->ifa_addr, sizeof(in));
			take_name(choices, inet_ntop(AF_INET, &in.sin_addr, text, sizeof(text)));
		} else if (one->ifa_addr && one->ifa_addr->sa_family == AF_INET6) {
			memcpy(&in6, one->ifa_addr, sizeof(in6));
			if (!IN6_IS_ADDR_LINKLOCAL(&in6.sin6_addr))
				take_name(choices, inet_ntop(AF_INET6, &in6.sin6_addr, text, sizeof(text)));
		}
	}
	freeifaddrs(list);
}

/* --- files --- */

static int write_files(
	const char *folder, bool replaces, const char *key, const char *certificate, struct enrg_error *err)
{
	char key_path[4096], path[4096];
	struct stat now;

	snprintf(key_path, sizeof(key_path), "%s/key.pem", folder);
	snprintf(path, sizeof(path), "%s/certificate.pem", folder);
	if (!replaces && (!stat(key_path, &now) || !stat(path, &now)))
		return enrg_error_set(
			err, -EEXIST, "%s has a key or a certificate already: --replace replaces both", folder);
	int rc = path_make_folders(folder, 0755, err);
	/* The key first: whoever sees a new certificate finds its key. */
	rc = rc ? rc : record_file_write(key_path, key, strlen(key), err);
	return rc ? rc : path_write_file(path, certificate, strlen(certificate), 1, err);
}

static void print_done(const struct choices *choices, const char *folder)
{
	char whole[4096];
	const char *shown = realpath(folder, whole) ? whole : folder;

	printf("%s/certificate.pem is valid for %u days, for:\n", folder, (unsigned)choices->days);
	for (size_t i = 0; i < choices->count; i++)
		printf("  %s\n", choices->names[i]);
	printf("\nin supervisor.toml:\n\n[web]\ntls_certificate = \"%s/certificate.pem\"\ntls_key = \"%s/key.pem\"\n",
		shown, shown);
}

static int make(struct choices *choices, const char *folder)
{
	const struct self_signed_params params = {.names = choices->names, .days = choices->days};
	char *key, *certificate;
	struct enrg_error err = {0};

	take_host_names(choices);
	take_name(choices, "localhost");
	take_addresses(choices);
	if (self_signed_make(&params, &key, &certificate, &err))
		return command_failed("certificate", &err);
	int rc = write_files(folder, choices->replaces, key, certificate, &err);
	explicit_bzero(key, strlen(key));
	free(key);
	free(certificate);
	if (rc)
		return command_failed("certificate", &err);
	print_done(choices, folder);
	return 0;
}

static int parse_days(const char *text, uint32_t *ret_days)
{
	char *end;
	unsigned long days = strtoul(text, &end, 10);

	if (*text < '1' || *text > '9' || *end || days > DAYS_MAX)
		return command_usage_error("certificate",
			"--days: a number of days from 1 to %d was expected, not \"%s\"", DAYS_MAX, text);
	*ret_days = (uint32_t)days;
	return 0;
}

int command_certificate(int argc, char **argv)
{
	static const struct option options[] = {{"name", required_argument, NULL, 'n'},
		{"days", required_argument, NULL, 'd'}, {"replace", no_argument, NULL, 'r'},
		{"help", no_argument, NULL, 'h'}, {NULL, 0, NULL, 0}};
	static struct choices choices = {.days = DAYS_DEFAULT};
	int choice;

	while ((choice = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		if (choice == 'h') {
			fputs(usage, stdout);
			return 0;
		}
		if (choice == '?') {
			fputs("see `enrgdaq certificate --help`\n", stderr);
			return 2;
		}
		if (choice == 'd' && parse_days(optarg, &choices.days))
			return 2;
		if (choice == 'n' && !is_good_name(optarg))
			return command_usage_error(
				"certificate", "--name: a name or an address was expected, not \"%s\"", optarg);
		if (choice == 'n')
			take_name(&choices, optarg);
		choices.replaces |= choice == 'r';
	}
	if (argc - optind != 1)
		return command_usage_error("certificate", "one FOLDER was expected");
	return make(&choices, argv[optind]);
}
