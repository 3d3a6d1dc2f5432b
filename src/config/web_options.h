/* web_options.h: keys of supervisor.toml for command and control: [cnc], and [web]. Any process. */
#ifndef CONFIG_WEB_OPTIONS_H
#define CONFIG_WEB_OPTIONS_H

#include "config/problems.h"
#include "enrgdaq/option.h"

enum cnc_custom_jobs { CNC_CUSTOM_ALL, CNC_CUSTOM_TEMPLATES, CNC_CUSTOM_NONE };

struct cnc_options {
	int verbosity; /* enum enrg_level */
	bool is_server;
	const char *server_host; /* NULL: localhost; of a server all addresses */
	int64_t server_port;
	bool rest_api_enabled;
	const char *rest_api_host;
	int64_t rest_api_port;
	/* ours */
	bool insecure;                                                      /* who has no CURVE key may command */
	int custom_jobs;                                                    /* enum cnc_custom_jobs */
	const char *curve_public_key, *curve_secret_key, *curve_server_key; /* Z85, 40 characters; NULL: none */
	struct enrg_string_list curve_allowed_keys;
	int64_t messages_per_second_max; /* of one peer */
};

struct web_options {        /* ours */
	const char *folder; /* NULL: beside the run book */
	struct enrg_string_list hosts, origins, proxies;
	const char *tls_certificate, *tls_key; /* NULL: plain */
	int64_t body_kib, connections, connections_per_address;
	int64_t gets_per_second, posts_per_second, posts_burst; /* of one address */
	int64_t scope_frames_per_second;
	double scope_megabytes_per_second;
	const char *panel_secret; /* NULL: X-Admin-Access is not believed */
};

extern const struct enrg_table cnc_table, web_table;

#define WEB_PROGRAM          "enrgdaq-web"
#define WEB_PROGRAM_VARIABLE "ENRGDAQ_WEB_BIN"

/* What one option alone can't judge, and warnings: keys without effect, and a program that is not there. `has_cnc`,
 * `has_web`: the table stands in the file. */
struct web_options_check {
	const struct cnc_options *cnc;
	const struct web_options *web;
	bool has_cnc, has_web;
	int cnc_line, web_line; /* of the table; 0: none */
};
void web_options_check(const struct web_options_check *check, const char *file, struct problems *problems);

#endif
