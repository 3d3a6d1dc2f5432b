/* address.h: who asks from where, how often, over how many connections. A table of fixed size: of IPv6 the network
 * (/64) counts, since a machine has as many addresses there as it likes. One thread. */
#ifndef WEB_HTTP_ADDRESS_H
#define WEB_HTTP_ADDRESS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

struct address_limits {
	uint32_t gets_per_second, posts_per_second, posts_burst; /* 0: no limit */
};

struct address {
	unsigned char key[16];
	uint32_t connections;
	double gets, posts; /* that may be taken at once, at `filled_ns` */
	uint64_t filled_ns; /* 0: the place is free */
	uint32_t next;      /* of the same bucket; index + 1 */
};

enum { ADDRESS_PLACES = 1024 };

struct address_table {
	struct address_limits limits;
	struct address places[ADDRESS_PLACES];
	uint32_t buckets[ADDRESS_PLACES]; /* index + 1 */
	uint64_t seed;
};

void address_table_init(struct address_table *table, const struct address_limits *limits);
/* The entry of an address; of whoever has asked for nothing for longest, and has no connection, it takes the place.
 * NULL: all have connections. Valid until the next call, longer while connections > 0. */
struct address *address_find(struct address_table *table, const struct sockaddr_storage *socket, uint64_t now_ns);
/* May one more GET (else POST) be answered now? */
bool address_take(struct address_table *table, struct address *address, bool is_get, uint64_t now_ns);

/* "192.0.2.1", also of ::ffff:192.0.2.1; returns the port. */
uint16_t address_format(const struct sockaddr_storage *socket, char ret_text[46]);
bool address_is_loopback(const struct sockaddr_storage *socket);
/* "192.0.2.1", "[2001:db8::1]:4711", "192.0.2.1:4711"; false: it is none. */
bool address_parse(const char *text, struct sockaddr_storage *ret_socket);
bool address_equals(const struct sockaddr_storage *one, const struct sockaddr_storage *other); /* without the port */

#endif
