/* listener.c: see the header. */
#include "web/program/listener.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "config/web_options.h"

#define DELAY_NS     1000000000ull
#define DELAY_MAX_NS 60000000000ull
#define KEY          "web/listen"

void listener_init(struct listener *listener, const struct web_settings *settings, struct link *link,
	const struct http_params *params)
{
	const struct web_options *web = settings->web;

	*listener = (struct listener){.settings = settings, .link = link, .params = *params, .delay_ns = DELAY_NS};
	listener->params.host = settings->cnc->rest_api_host;
	listener->params.port = (uint16_t)settings->cnc->rest_api_port;
	listener->params.tls_certificate = web->tls_certificate;
	listener->params.tls_key = web->tls_key;
	listener->params.proxies = settings->proxies;
	listener->params.limits = (struct http_limits){
		.body_bytes = (uint32_t)web->body_kib * 1024u,
		.connections = (uint32_t)web->connections,
		.connections_per_address = (uint32_t)web->connections_per_address,
		.gets_per_second = (uint32_t)web->gets_per_second,
		.posts_per_second = (uint32_t)web->posts_per_second,
		.posts_burst = (uint32_t)web->posts_burst,
	};
}

bool listener_is_everywhere(const char *host)
{
	return !*host || !strcmp(host, "0.0.0.0") || !strcmp(host, "::") || !strcmp(host, "*");
}

void listener_format_address(const struct listener *listener, char *ret_text, size_t text_bytes)
{
	const char *host = listener->params.host, *scheme = listener->params.tls_certificate ? "https" : "http";
	uint16_t port = listener->http ? http_port(listener->http) : listener->params.port;
	bool is_six = !listener_is_everywhere(host) && strchr(host, ':');

	snprintf(ret_text, text_bytes, is_six ? "%s://[%s]:%u" : "%s://%s:%u", scheme,
		listener_is_everywhere(host) ? "127.0.0.1" : host, port);
}

/* Upstream's panel is told one address; a token goes in it, since it sends none. */
static void say_panel(const struct listener *listener)
{
	const char *scheme = listener->params.tls_certificate ? "https" : "http";
	char name[256] = "";

	(void)gethostname(name, sizeof(name) - 1);
	log_line(ENRG_INFO,
		"listens on all addresses: the panel reaches it by ENRGDAQ_API_BASE=%s://%s:%u/t/TOKEN; `enrgdaq token "
		"add "
		"panel --role admin` makes the token (user: it can start no job with code)",
		scheme, name, http_port(listener->http));
	if (!listener->params.tls_certificate)
		log_line(ENRG_WARNING,
			"without TLS tokens and passwords cross the network as plain text: set web.tls_certificate and "
			"web.tls_key, or put a proxy in front");
}

static void say(struct listener *listener)
{
	char address[320];

	listener_format_address(listener, address, sizeof(address));
	log_line(ENRG_INFO, "listens at %s: REST, /api/v1, /metrics; `curl %s/healthz` asks whether all is well",
		address, address);
	if (listener_is_everywhere(listener->params.host))
		say_panel(listener);
	json_t *line = json_pack("{ssss}", "do", "listening", "address", address);
	link_send(listener->link, line);
	json_decref(line);
	if (listener->failures)
		link_alert(listener->link, KEY, "info", "enrgdaq-web listens now", true);
	listener->failures = 0;
	listener->delay_ns = DELAY_NS;
}

void listener_try(struct listener *listener)
{
	struct enrg_error err = {0};
	char text[1200];

	if (listener->http || !listener->settings->cnc->rest_api_enabled || clock_mono_ns() < listener->due_ns)
		return;
	if (http_open(&listener->params, &listener->http, &err) == 0) {
		say(listener);
		return;
	}
	snprintf(text, sizeof(text),
		"REST and the page can't be reached, data taking is not touched: %s. It is tried again, every minute "
		"at "
		"last",
		err.text);
	log_line(ENRG_ERROR, "%s", text);
	if (!listener->failures++)
		link_alert(listener->link, KEY, "error", text, false);
	listener->due_ns = clock_mono_ns() + listener->delay_ns;
	listener->delay_ns = 2 * listener->delay_ns < DELAY_MAX_NS ? 2 * listener->delay_ns : DELAY_MAX_NS;
}
