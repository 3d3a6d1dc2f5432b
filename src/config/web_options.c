/* web_options.c: see the header. Supervisor, command line and enrgdaq-web, each on its main thread. */
#include "config/web_options.h"

#include <limits.h>
#include <string.h>

#include "base/program.h"
#include "config/verbosity.h"
#include "enrgdaq/job.h"

#define AT(member) offsetof(struct cnc_options, member)

static const struct enrg_choice custom_jobs[] = {
	{"all", CNC_CUSTOM_ALL},
	{"templates", CNC_CUSTOM_TEMPLATES},
	{"none", CNC_CUSTOM_NONE},
	{0},
};

static const struct enrg_option cnc_options[] = {
	{.key = "verbosity",
		.kind = ENRG_OPTION_CHOICE,
		.offset = AT(verbosity),
		.default_value = "\"INFO\"",
		.choices = verbosity_choices,
		.help = "Log lines of command and control below this level are dropped."},
	{.key = "is_server",
		.kind = ENRG_OPTION_BOOL,
		.offset = AT(is_server),
		.default_value = "false",
		.help = "Whether this supervisor serves command and control to the others. With [cnc] and without this "
			"it is a client of server_host."},
	{.key = "server_host",
		.kind = ENRG_OPTION_STRING,
		.offset = AT(server_host),
		.help = "Of a client: host of its server; without it localhost. Of a server: the address that it "
			"listens on; without it all, where only machines with CURVE keys command (docs/cnc.md)."},
	{.key = "server_port",
		.kind = ENRG_OPTION_INT,
		.offset = AT(server_port),
		.default_value = "1638",
		.min = 1,
		.max = 65535,
		.help = "TCP port of the command and control server."},
	{.key = "rest_api_enabled",
		.kind = ENRG_OPTION_BOOL,
		.offset = AT(rest_api_enabled),
		.default_value = "false",
		.help = "Whether the REST API is served."},
	{.key = "rest_api_host",
		.kind = ENRG_OPTION_STRING,
		.offset = AT(rest_api_host),
		.default_value = "\"localhost\"",
		.help = "Address that the REST API listens on."},
	{.key = "rest_api_port",
		.kind = ENRG_OPTION_INT,
		.offset = AT(rest_api_port),
		.default_value = "8000",
		.min = 1,
		.max = 65535,
		.help = "TCP port of the REST API."},
	{.key = "insecure",
		.kind = ENRG_OPTION_BOOL,
		.offset = AT(insecure),
		.default_value = "false",
		.help = "Whether a machine without a CURVE key may command: whoever reaches server_port can then start "
			"any program as this user. Without it such a machine may register, send heartbeats and logs."},
	{.key = "custom_jobs",
		.kind = ENRG_OPTION_CHOICE,
		.offset = AT(custom_jobs),
		.default_value = "\"all\"",
		.choices = custom_jobs,
		.help = "Which jobs admins may start by command and control beside those of this folder: any TOML text "
			"(it can run any program as this user), only texts of the run templates of this folder, or "
			"none."},
	{.key = "curve_public_key",
		.kind = ENRG_OPTION_STRING,
		.offset = AT(curve_public_key),
		.help = "CURVE key of this supervisor for command and control, 40 characters (Z85)."},
	{.key = "curve_secret_key",
		.kind = ENRG_OPTION_STRING,
		.offset = AT(curve_secret_key),
		.secret = true,
		.help = "The secret half of curve_public_key."},
	{.key = "curve_server_key",
		.kind = ENRG_OPTION_STRING,
		.offset = AT(curve_server_key),
		.help = "Of a client: the public key of its server."},
	{.key = "curve_allowed_keys",
		.kind = ENRG_OPTION_STRING_LIST,
		.offset = AT(curve_allowed_keys),
		.default_value = "[]",
		.help = "Of a server: public keys of the machines that may command."},
	{.key = "messages_per_second_max",
		.kind = ENRG_OPTION_INT,
		.offset = AT(messages_per_second_max),
		.default_value = "1000",
		.min = 1,
		.max = 1000000,
		.unit = "1/s",
		.help = "More messages of one machine are thrown away, counted, and reported in the log."},
	{0},
};
const struct enrg_table cnc_table = {sizeof(struct cnc_options), cnc_options};

#undef AT
#define AT(member) offsetof(struct web_options, member)

static const struct enrg_option web_options[] = {
	{.key = "folder",
		.kind = ENRG_OPTION_STRING,
		.offset = AT(folder),
		.help = "Folder of tokens, people and the audit, made with mode 0700. Without the key it is web_ID "
			"beside the run book."},
	{.key = "hosts",
		.kind = ENRG_OPTION_STRING_LIST,
		.offset = AT(hosts),
		.default_value = "[]",
		.help = "Names that browsers may reach it by, besides those of this machine on loopback and the "
			"address "
			"that they connect to."},
	{.key = "origins",
		.kind = ENRG_OPTION_STRING_LIST,
		.offset = AT(origins),
		.default_value = "[]",
		.help = "Pages of other servers that may ask it from a browser, such as https://panel.lab; none "
			"without."},
	{.key = "proxies",
		.kind = ENRG_OPTION_STRING_LIST,
		.offset = AT(proxies),
		.default_value = "[]",
		.help = "Addresses of proxies whose headers say who asks (X-Forwarded-For, X-Admin-Access)."},
	{.key = "tls_certificate",
		.kind = ENRG_OPTION_STRING,
		.offset = AT(tls_certificate),
		.help = "PEM file of the certificate; with tls_key it is https. Loaded anew when it changes."},
	{.key = "tls_key",
		.kind = ENRG_OPTION_STRING,
		.offset = AT(tls_key),
		.help = "PEM file of the key of tls_certificate, mode 0600."},
	{.key = "body_kib",
		.kind = ENRG_OPTION_INT,
		.offset = AT(body_kib),
		.default_value = "1024",
		.min = 1,
		.max = 16384,
		.unit = "KiB",
		.help = "A longer body of a request is refused."},
	{.key = "connections",
		.kind = ENRG_OPTION_INT,
		.offset = AT(connections),
		.default_value = "256",
		.min = 1,
		.max = 800,
		.help = "Connections at a time; more are refused."},
	{.key = "connections_per_address",
		.kind = ENRG_OPTION_INT,
		.offset = AT(connections_per_address),
		.default_value = "64",
		.min = 1,
		.max = 800,
		.help = "Connections of one address at a time; more are refused."},
	{.key = "gets_per_second",
		.kind = ENRG_OPTION_INT,
		.offset = AT(gets_per_second),
		.default_value = "200",
		.min = 1,
		.max = 1000000,
		.unit = "1/s",
		.help = "GETs of one address; more are answered 429."},
	{.key = "posts_per_second",
		.kind = ENRG_OPTION_INT,
		.offset = AT(posts_per_second),
		.default_value = "20",
		.min = 1,
		.max = 1000000,
		.unit = "1/s",
		.help = "POSTs of one address in the long run; more are answered 429."},
	{.key = "posts_burst",
		.kind = ENRG_OPTION_INT,
		.offset = AT(posts_burst),
		.default_value = "100",
		.min = 1,
		.max = 1000000,
		.help = "POSTs of one address at once, such as a stop of each job."},
	{.key = "scope_frames_per_second",
		.kind = ENRG_OPTION_INT,
		.offset = AT(scope_frames_per_second),
		.default_value = "30",
		.min = 1,
		.max = 1000,
		.unit = "1/s",
		.help = "Frames of waveforms for all clients together; the rest is skipped and counted."},
	{.key = "scope_megabytes_per_second",
		.kind = ENRG_OPTION_FLOAT,
		.offset = AT(scope_megabytes_per_second),
		.default_value = "8.0",
		.min = 0.1,
		.max = 10000,
		.unit = "MB/s",
		.help = "Of these frames, for all clients together."},
	{.key = "panel_secret",
		.kind = ENRG_OPTION_STRING,
		.offset = AT(panel_secret),
		.secret = true,
		.help = "Key (HS256) of the header X-Admin-Access that one of `proxies` sets for the web panel; "
			"without "
			"it the header is not believed."},
	{0},
};
const struct enrg_table web_table = {sizeof(struct web_options), web_options};

/* --- what one option alone can't judge --- */

#define KEY_BYTES 40u

/* Where a message points to. */
struct place {
	const char *file;
	int line;
	struct problems *problems;
};

/* The 85 characters of Z85, ZeroMQ's RFC 32. */
static bool is_z85(const char *key)
{
	static const char alphabet[] =
		"0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?&<>()[]{}@%$#";

	return strlen(key) == KEY_BYTES && strspn(key, alphabet) == KEY_BYTES;
}

static void check_key(const char *name, const char *key, const struct place *at)
{
	if (key && !is_z85(key))
		problems_add(at->problems, false, at->file, at->line,
			"cnc.%s: expected a CURVE key, 40 characters of Z85 (such as those of curve_keygen of ZeroMQ)",
			name);
}

static void check_cnc(const struct cnc_options *cnc, const struct place *at)
{
	check_key("curve_public_key", cnc->curve_public_key, at);
	check_key("curve_secret_key", cnc->curve_secret_key, at);
	check_key("curve_server_key", cnc->curve_server_key, at);
	for (size_t i = 0; i < cnc->curve_allowed_keys.count; i++)
		check_key("curve_allowed_keys", cnc->curve_allowed_keys.items[i], at);
	if (!cnc->curve_public_key != !cnc->curve_secret_key)
		problems_add(at->problems, false, at->file, at->line,
			"cnc.curve_%s_key: the other half of the pair, curve_%s_key, is missing",
			cnc->curve_public_key ? "public" : "secret", cnc->curve_public_key ? "secret" : "public");
	if ((cnc->curve_server_key || cnc->curve_allowed_keys.count) && !cnc->curve_secret_key)
		problems_add(at->problems, false, at->file, at->line,
			"cnc.%s: it needs a pair of keys of this supervisor, curve_public_key and curve_secret_key",
			cnc->curve_server_key ? "curve_server_key" : "curve_allowed_keys");
}

static void check_web(const struct web_options *web, const struct place *at)
{
	if (!web->tls_certificate != !web->tls_key)
		problems_add(at->problems, false, at->file, at->line,
			"web.%s: it goes together with %s, which is missing",
			web->tls_certificate ? "tls_certificate" : "tls_key",
			web->tls_certificate ? "tls_key" : "tls_certificate");
	if (web->connections_per_address > web->connections)
		problems_add(at->problems, false, at->file, at->line,
			"web.connections_per_address: more (%lld) than web.connections (%lld) for all addresses",
			(long long)web->connections_per_address, (long long)web->connections);
	if (web->panel_secret && !web->proxies.count)
		problems_add(at->problems, true, at->file, at->line,
			"web.panel_secret: has no effect without web.proxies: the header is believed from a proxy "
			"alone");
}

void web_options_check(const struct web_options_check *check, const char *file, struct problems *problems)
{
	char path[PATH_MAX];
	const struct place cnc = {.file = file, .line = check->cnc_line, .problems = problems};
	const struct place web = {.file = file, .line = check->web_line, .problems = problems};

	check_cnc(check->cnc, &cnc);
	check_web(check->web, &web);
	if (check->has_web && !check->has_cnc)
		problems_add(problems, true, file, check->web_line,
			"web: has no effect without [cnc]: nothing listens; [cnc] with rest_api_enabled = true serves "
			"the REST API");
	if (check->has_cnc && program_find(WEB_PROGRAM, WEB_PROGRAM_VARIABLE, path, sizeof(path)))
		problems_add(problems, true, file, check->cnc_line,
			"cnc: command and control and the REST API are not served, since the program " WEB_PROGRAM
			" is not installed; data taking does not need it. It comes with enrgdaq where that was built "
			"with libwebsockets (Debian: libwebsockets-dev)");
}
