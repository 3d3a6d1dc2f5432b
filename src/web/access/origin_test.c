/* origin_test.c: a table of Host headers, a table of origins. */
#include "web/access/sample.h"

#include "web/access/origin.h"

static const char *const hosts[] = {"daq.lab", "10.9.9.9", "fe80::9", "Daq.Example.ORG", NULL};

static const struct {
	const char *host;
	bool is_ours;
} host_rows[] = {
	{"localhost", true},
	{"localhost:8000", true},
	{"LOCALHOST:8000", true},
	{"localhost.", true},
	{"localhost:1", true}, /* a tunnel */
	{"127.0.0.1:8000", true},
	{"127.1.2.3", true},
	{"[::1]:8000", true},
	{"[::1]", true},
	{"[::ffff:127.0.0.1]:8000", true},
	{"10.1.2.3:8000", true},
	{"10.1.2.3", true},
	{"10.1.2.4:8000", false}, /* an address, not ours */
	{"daq.lab", true},
	{"daq.lab:8000", true},
	{"DAQ.LAB.", true},
	{"daq.example.org:443", true},
	{"10.9.9.9", true},
	{"[fe80::9]", true},
	{"[fe80::8]", false},
	{"evil.example", false},
	{"evil.example:8000", false},
	{"daq.lab.evil.example", false},
	{"localhost.evil.example", false},
	{"xdaq.lab", false},
	{"daq.la", false},
	{"127.0.0.1.evil.example", false},
	{"", false},
	{":8000", false},
	{"localhost..", false},
	{".localhost", false},
	{"daq..lab", false},
	{"localhost:", false},
	{"localhost:0", false},
	{"localhost:65536", false},
	{"localhost:80x", false},
	{"localhost:-1", false},
	{"localhost:8000:8000", false},
	{"localhost@evil.example", false},
	{"localhost/", false},
	{"localhost ", false},
	{"[::1", false},
	{"::1", false},
	{"[::1]x", false},
	{"[localhost]", false},
	{"[127.0.0.1]", false},
	{"127.1", false},
	{"0x7f.0.0.1", false},
	{"2130706433", false},
	{"0.0.0.0:8000", false},
	{"localh\xc3\xb6st", false},
	{"*", false},
};

static void hosts_are_ours_or_not(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(host_rows) / sizeof(host_rows[0]); i++) {
		struct web_request request = sample_request(WEB_GET, "/");
		request.host = host_rows[i].host;
		if (host_is_ours(&request, hosts) != host_rows[i].is_ours)
			fail_msg("Host: %s", host_rows[i].host);
	}
}

/* Listening on all addresses, or behind a translation of ports: an address of this machine is good, a name is not. */
static void addresses_of_this_machine_are_ours(void **state)
{
	struct web_request request = sample_request(WEB_GET, "/");

	(void)state;
	request.server_address = "::ffff:10.1.2.3"; /* of a socket of both kinds */
	assert_true(host_is_ours(&request, NULL));
	request.host = "[2001:db8::1]:8000";
	assert_false(host_is_ours(&request, NULL));
	request.server_address = "2001:db8:0::1";
	assert_true(host_is_ours(&request, NULL));
	request.host = "daq.lab";
	assert_false(host_is_ours(&request, NULL));
}

static void what_can_be_listed_is_known(void **state)
{
	static const char *const good[] = {"daq.lab", "daq.lab:8000", "10.1.2.3", "fe80::1", "[fe80::1]", "daq"},
				 *const bad[] = {"https://daq.lab", "daq.lab/", "*", "", "*.lab", "10.1.2.0/24"};

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		assert_true(host_is_good(good[i]));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(host_is_good(bad[i]));
}

static const char *const origins[] = {"https://eve.lab", "http://panel.lab:3000", NULL};

static const struct {
	const char *host, *origin, *fetch_site, *fetch_mode;
	bool is_tls, is_proxied, is_post;
	enum site site;
} site_rows[] = {
	{"daq.lab:8000", NULL, NULL, NULL, false, false, false, SITE_NONE},
	{"daq.lab:8000", NULL, "none", "navigate", false, false, false, SITE_NONE},
	{"daq.lab:8000", NULL, "same-origin", "cors", false, false, false, SITE_OWN},
	{"daq.lab:8000", "http://daq.lab:8000", NULL, NULL, false, false, true, SITE_OWN},
	{"daq.lab:8000", "http://DAQ.lab:8000", "same-origin", NULL, false, false, true, SITE_OWN},
	{"daq.lab:8000", "https://daq.lab:8000", NULL, NULL, false, false, true, SITE_OTHER},
	{"daq.lab:8000", "http://daq.lab", NULL, NULL, false, false, true, SITE_OTHER},
	{"daq.lab:8000", "http://daq.lab:8001", NULL, NULL, false, false, true, SITE_OTHER},
	{"daq.lab", "http://daq.lab", NULL, NULL, false, false, true, SITE_OWN},
	{"daq.lab", "http://daq.lab:80", NULL, NULL, false, false, true, SITE_OWN},
	{"daq.lab", "https://daq.lab", NULL, NULL, true, false, true, SITE_OWN},
	{"daq.lab:443", "https://daq.lab", NULL, NULL, true, false, true, SITE_OWN},
	{"daq.lab", "https://daq.lab", NULL, NULL, false, false, true, SITE_OTHER},
	{"daq.lab", "https://daq.lab", NULL, NULL, false, true, true, SITE_OWN}, /* TLS ends at the proxy */
	{"127.0.0.1:8000", "https://daq.lab", NULL, NULL, false, true, true, SITE_OTHER},
	{"127.0.0.1:8000", "https://daq.lab", "same-origin", NULL, false, true, true, SITE_OWN}, /* it changes Host */
	{"127.0.0.1:8000", "https://daq.lab", "same-origin", NULL, false, false, true, SITE_OTHER},
	{"daq.lab:8000", "null", NULL, NULL, false, false, true, SITE_OTHER},
	{"daq.lab:8000", "", NULL, NULL, false, false, true, SITE_OTHER},
	{"daq.lab:8000", "http://daq.lab:8000/", NULL, NULL, false, false, true, SITE_OTHER},
	{"daq.lab:8000", "file://", NULL, NULL, false, false, true, SITE_OTHER},
	{"daq.lab:8000", "http://evil.example", "cross-site", "cors", false, false, true, SITE_OTHER},
	{"daq.lab:8000", "http://evil.example", NULL, NULL, false, false, false, SITE_OTHER},
	{"daq.lab:8000", "http://daq.lab:8000", "cross-site", "cors", false, false, true, SITE_OTHER},
	{"daq.lab:8000", NULL, "cross-site", "no-cors", false, false, false, SITE_OTHER},  /* an image */
	{"localhost:8000", NULL, "same-site", "no-cors", false, false, false, SITE_OTHER}, /* another port */
	{"daq.lab:8000", NULL, "cross-site", "navigate", false, false, false, SITE_LINK},
	{"daq.lab:8000", NULL, "cross-site", "navigate", false, false, true, SITE_OTHER}, /* a form */
	{"daq.lab:8000", "null", "cross-site", "navigate", false, false, false, SITE_OTHER},
	{"daq.lab:8000", NULL, "what-is-this", NULL, false, false, false, SITE_OTHER},
	{"daq.lab:8000", "https://eve.lab", "cross-site", "cors", false, false, true, SITE_LISTED},
	{"daq.lab:8000", "https://eve.lab:443", "same-site", "cors", false, false, true, SITE_LISTED},
	{"daq.lab:8000", "http://eve.lab", "same-site", "cors", false, false, true, SITE_OTHER},
	{"daq.lab:8000", "http://panel.lab:3000", NULL, NULL, false, false, true, SITE_LISTED},
	{"daq.lab:8000", "http://panel.lab", NULL, NULL, false, false, true, SITE_OTHER},
	{"[::1]:8000", "http://[::1]:8000", NULL, NULL, false, false, true, SITE_OWN},
	{"localhost:8000", "http://127.0.0.1:8000", NULL, NULL, false, false, true, SITE_OTHER},
};

static void sites_are_known(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(site_rows) / sizeof(site_rows[0]); i++) {
		struct web_request request = sample_request(site_rows[i].is_post ? WEB_POST : WEB_GET, "/");
		request.host = site_rows[i].host;
		request.origin = site_rows[i].origin;
		request.fetch_site = site_rows[i].fetch_site;
		request.fetch_mode = site_rows[i].fetch_mode;
		request.is_tls = site_rows[i].is_tls;
		request.is_proxied = site_rows[i].is_proxied;
		if (site_find(&request, origins) != site_rows[i].site)
			fail_msg("row %zu: Host %s, Origin %s, Sec-Fetch-Site %s", i, site_rows[i].host,
				site_rows[i].origin, site_rows[i].fetch_site);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hosts_are_ours_or_not),
		cmocka_unit_test(addresses_of_this_machine_are_ours),
		cmocka_unit_test(what_can_be_listed_is_known),
		cmocka_unit_test(sites_are_known),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
