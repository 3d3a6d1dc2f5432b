/* origin.c: see the header. */
#include "web/access/origin.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <ifaddrs.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

/* --- text --- */

static int parse_address(const char *text, unsigned char ret_address[16])
{
	static const unsigned char mapped[12] = {[10] = 0xff, [11] = 0xff};

	memcpy(ret_address, mapped, sizeof(mapped));
	return inet_pton(AF_INET, text, ret_address + 12) == 1 || inet_pton(AF_INET6, text, ret_address) == 1 ? 0
													      : -EINVAL;
}

static int parse_port(const char *text, uint16_t *ret_port)
{
	unsigned port = 0;
	size_t length = strlen(text);

	if (length == 0 || length > 5 || strspn(text, "0123456789") != length)
		return -EINVAL;
	for (; *text; text++)
		port = port * 10 + (unsigned)(*text - '0');
	*ret_port = (uint16_t)port;
	return port >= 1 && port <= 65535 ? 0 : -EINVAL;
}

static int check_name(char *name)
{
	size_t length = strlen(name);

	if (length && name[length - 1] == '.') /* "daq.lab." is daq.lab */
		name[--length] = '\0';
	for (size_t i = 0; i < length; i++) {
		name[i] = (char)tolower((unsigned char)name[i]);
		if (!isascii((unsigned char)name[i]) || (!isalnum((unsigned char)name[i]) && !strchr("-._", name[i])))
			return -EINVAL;
	}
	return length && *name != '.' && name[length - 1] != '.' && !strstr(name, "..") ? 0 : -EINVAL;
}

int authority_parse(const char *text, struct authority *ret_authority)
{
	struct authority authority = {0};
	bool is_bracket = *text == '[';
	const char *end = is_bracket ? strchr(text, ']') : strchrnul(text, ':');

	if (!end)
		return -EINVAL;
	const char *from = text + is_bracket, *behind = end + is_bracket;
	size_t length = (size_t)(end - from);
	if (length == 0 || length >= sizeof(authority.host) || (*behind && *behind != ':'))
		return -EINVAL;
	memcpy(authority.host, from, length);
	if (*behind && parse_port(behind + 1, &authority.port))
		return -EINVAL;
	authority.is_address = !parse_address(authority.host, authority.address);
	if (is_bracket != (authority.is_address && strchr(authority.host, ':')))
		return -EINVAL;
	if (!authority.is_address && check_name(authority.host))
		return -EINVAL;
	*ret_authority = authority;
	return 0;
}

int origin_parse(const char *text, struct authority *ret_authority, bool *ret_is_tls)
{
	bool is_tls = !strncasecmp(text, "https://", 8);

	if (!is_tls && strncasecmp(text, "http://", 7) != 0)
		return -EINVAL;
	*ret_is_tls = is_tls;
	return authority_parse(text + (is_tls ? 8 : 7), ret_authority);
}

/* --- Host --- */

static bool is_loopback(const unsigned char address[16])
{
	static const unsigned char mapped[12] = {[10] = 0xff, [11] = 0xff}, one[16] = {[15] = 1};

	return !memcmp(address, one, 16) || (!memcmp(address, mapped, 12) && address[12] == 127);
}

static bool is_of_this_machine(const unsigned char address[16])
{
	struct ifaddrs *list;
	bool is_ours = false;

	if (getifaddrs(&list))
		return false;
	for (const struct ifaddrs *one = list; one && !is_ours; one = one->ifa_next) {
		struct sockaddr_in in;
		struct sockaddr_in6 in6;
		if (one->ifa_addr && one->ifa_addr->sa_family == AF_INET && address[10] == 0xff) {
			memcpy(&in, one->ifa_addr, sizeof(in));
			is_ours = !memcmp(&in.sin_addr, address + 12, 4);
		} else if (one->ifa_addr && one->ifa_addr->sa_family == AF_INET6) {
			memcpy(&in6, one->ifa_addr, sizeof(in6));
			is_ours = !memcmp(&in6.sin6_addr, address, 16);
		}
	}
	freeifaddrs(list);
	return is_ours;
}

bool host_is_good(const char *text)
{
	struct authority one;

	return !parse_address(text, one.address) || !authority_parse(text, &one);
}

static bool is_listed(const struct authority *host, const char *const *hosts)
{
	for (; hosts && *hosts; hosts++) {
		struct authority one = {0};
		one.is_address = !parse_address(*hosts, one.address); /* also IPv6 without brackets */
		if (!one.is_address && authority_parse(*hosts, &one))
			continue;
		if (one.is_address == host->is_address &&
			(host->is_address ? !memcmp(one.address, host->address, 16) : !strcmp(one.host, host->host)))
			return true;
	}
	return false;
}

bool host_is_ours(const struct web_request *request, const char *const *hosts)
{
	unsigned char server[16];
	struct authority host;

	if (authority_parse(request->host, &host))
		return false;
	if (!host.is_address)
		return !strcmp(host.host, "localhost") || is_listed(&host, hosts);
	if (is_loopback(host.address) || is_listed(&host, hosts))
		return true;
	if (!parse_address(request->server_address, server) && !memcmp(server, host.address, sizeof(server)))
		return true;
	/* Reached at another of its addresses: a translation of ports, as containers have it. */
	return is_of_this_machine(host.address);
}

/* --- Origin --- */

static bool is_same(const struct authority *one, const struct authority *other, bool is_tls)
{
	uint16_t usual = is_tls ? 443 : 80;

	if ((one->port ? one->port : usual) != (other->port ? other->port : usual) ||
		one->is_address != other->is_address)
		return false;
	return one->is_address ? !memcmp(one->address, other->address, 16) : !strcmp(one->host, other->host);
}

/* Behind a proxy the page may be https where we are not: what it says of itself counts. */
static bool origin_is_own(const struct web_request *request, const struct authority *origin, bool is_tls)
{
	struct authority host;

	return !authority_parse(request->host, &host) && (is_tls == request->is_tls || request->is_proxied) &&
	       is_same(origin, &host, is_tls);
}

static bool origin_is_listed(const struct authority *origin, bool is_tls, const char *const *origins)
{
	struct authority one;
	bool one_is_tls;

	for (; origins && *origins; origins++)
		if (!origin_parse(*origins, &one, &one_is_tls) && one_is_tls == is_tls && is_same(origin, &one, is_tls))
			return true;
	return false;
}

static enum site find_by_origin(const struct web_request *request, const char *const *origins)
{
	struct authority origin;
	bool is_tls;

	if (origin_parse(request->origin, &origin, &is_tls)) /* "null" too */
		return SITE_OTHER;
	if (origin_is_own(request, &origin, is_tls))
		return SITE_OWN;
	return origin_is_listed(&origin, is_tls, origins) ? SITE_LISTED : SITE_OTHER;
}

enum site site_find(const struct web_request *request, const char *const *origins)
{
	const char *fetch_site = request->fetch_site;
	enum site site = request->origin ? find_by_origin(request, origins) : SITE_NONE;

	if (!fetch_site || site == SITE_LISTED)
		return site;
	if (!strcmp(fetch_site, "same-origin")) /* a proxy that has changed Host makes Origin another one */
		return site == SITE_OTHER && !request->is_proxied ? SITE_OTHER : SITE_OWN;
	if (!strcmp(fetch_site, "none"))
		return site;
	/* "cross-site", "same-site" (another port of this machine is that), and what is not known yet. */
	if (!request->origin && request->method == WEB_GET && !request->is_upgrade && request->fetch_mode &&
		!strcmp(request->fetch_mode, "navigate"))
		return SITE_LINK;
	return SITE_OTHER;
}
