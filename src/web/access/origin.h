/* origin.h: from where a request says that it comes: Host, Origin, Sec-Fetch-Site. Any thread. */
#ifndef WEB_ACCESS_ORIGIN_H
#define WEB_ACCESS_ORIGIN_H

#include "web/http/message.h"

struct authority {      /* of "host:port" */
	char host[256]; /* lower case, without the dot at its end; an IPv6 address without brackets */
	uint16_t port;  /* 0: none was there */
	bool is_address;
	unsigned char address[16]; /* IPv4 as ::ffff:a.b.c.d */
};

/* "daq.lab:8000", "[::1]", "10.0.0.1": -EINVAL for all that is none. */
int authority_parse(const char *text, struct authority *ret_authority);
/* The same for "https://daq.lab:8443", without anything behind it. */
int origin_parse(const char *text, struct authority *ret_authority, bool *ret_is_tls);

/* Can it stand in `hosts`: a name or an address, IPv6 also without brackets. */
bool host_is_good(const char *text);
/* localhost, loopback addresses, an address of this machine where the request has reached it, names of `hosts`. Ports
 * are not compared: a tunnel has others (`ssh -L`), and who can choose a port can't choose the name. */
bool host_is_ours(const struct web_request *request, const char *const *hosts);

enum site {
	SITE_NONE,   /* no browser, or its address bar */
	SITE_OWN,    /* a page of this server */
	SITE_LISTED, /* a page of one of `origins` */
	SITE_LINK,   /* a link on a page of somebody else: may open a page, with no right that the browser has */
	SITE_OTHER   /* a page of somebody else: refused */
};
enum site site_find(const struct web_request *request, const char *const *origins);

#endif
