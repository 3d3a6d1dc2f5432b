/* address.c: see the header. Tables of networks, the most special first. */
#include "address.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* IPv4 addresses are judged in their mapped form, so that one table is enough: 16 bytes and a length in bits. */
struct network {
	struct in6_addr base;
	unsigned bits;
};

#define V4(a, b, c, d, length)                                                                                         \
	{                                                                                                              \
		{{{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, a, b, c, d}}}, 96 + (length)                              \
	}
#define V6(a, b, c, d, e, f, g, h, length)                                                                             \
	{                                                                                                              \
		{{{(a) >> 8, (a)&0xff, (b) >> 8, (b)&0xff, (c) >> 8, (c)&0xff, (d) >> 8, (d)&0xff, (e) >> 8, (e)&0xff, \
			(f) >> 8, (f)&0xff, (g) >> 8, (g)&0xff, (h) >> 8, (h)&0xff}}},                                 \
			length                                                                                         \
	}

static const struct {
	struct network network;
	enum address_class class;
} networks[] = {
	/* metadata services: AWS and most others, Alibaba, Oracle, Azure's host, AWS by IPv6 */
	{V4(169, 254, 169, 254, 32), ADDRESS_METADATA}, {V4(169, 254, 170, 2, 32), ADDRESS_METADATA},
	{V4(100, 100, 100, 200, 32), ADDRESS_METADATA}, {V4(192, 0, 0, 192, 32), ADDRESS_METADATA},
	{V4(168, 63, 129, 16, 32), ADDRESS_METADATA}, {V6(0xfd00, 0x0ec2, 0, 0, 0, 0, 0, 0, 32), ADDRESS_METADATA},
	{V6(0xfd20, 0x00ce, 0, 0, 0, 0, 0, 0x254, 128), ADDRESS_METADATA}, {V4(169, 254, 0, 0, 16), ADDRESS_LINK_LOCAL},
	{V6(0xfe80, 0, 0, 0, 0, 0, 0, 0, 10), ADDRESS_LINK_LOCAL}, {V4(127, 0, 0, 0, 8), ADDRESS_LOOPBACK},
	{V6(0, 0, 0, 0, 0, 0, 0, 1, 128), ADDRESS_LOOPBACK}, {V4(10, 0, 0, 0, 8), ADDRESS_PRIVATE},
	{V4(172, 16, 0, 0, 12), ADDRESS_PRIVATE}, {V4(192, 168, 0, 0, 16), ADDRESS_PRIVATE},
	{V4(100, 64, 0, 0, 10), ADDRESS_PRIVATE}, /* carriers */
	{V4(198, 18, 0, 0, 15), ADDRESS_PRIVATE}, /* benchmarks */
	{V6(0xfc00, 0, 0, 0, 0, 0, 0, 0, 7), ADDRESS_PRIVATE},
	{V6(0xfec0, 0, 0, 0, 0, 0, 0, 0, 10), ADDRESS_PRIVATE}, /* site local, of before */
	{V4(0, 0, 0, 0, 8), ADDRESS_NONE},                      /* to Linux 0.0.0.0 is this machine */
	{V4(192, 0, 0, 0, 24), ADDRESS_NONE}, {V4(192, 0, 2, 0, 24), ADDRESS_NONE}, /* documentation, here and below */
	{V4(198, 51, 100, 0, 24), ADDRESS_NONE}, {V4(203, 0, 113, 0, 24), ADDRESS_NONE},
	{V4(224, 0, 0, 0, 3), ADDRESS_NONE},                 /* multicast, reserved, broadcast */
	{V4(0, 0, 0, 0, 0), ADDRESS_PUBLIC},                 /* every other of IPv4 */
	{V6(0x2001, 0, 0, 0, 0, 0, 0, 0, 23), ADDRESS_NONE}, /* Teredo and other protocols */
	{V6(0x2001, 0x0db8, 0, 0, 0, 0, 0, 0, 32), ADDRESS_NONE},
	{V6(0x2000, 0, 0, 0, 0, 0, 0, 0, 3), ADDRESS_PUBLIC}, /* all that is given out */
};

/* An IPv4 address inside of an IPv6 one: where the network is, and where in it the four bytes stand. */
static const struct {
	struct network network;
	unsigned at;
} carriers[] = {
	{V6(0x64, 0xff9b, 0, 0, 0, 0, 0, 0, 96), 12}, /* NAT64 */
	{V6(0x64, 0xff9b, 1, 0, 0, 0, 0, 0, 48), 12}, /* NAT64 of one's own */
	{V6(0x2002, 0, 0, 0, 0, 0, 0, 0, 16), 2},     /* 6to4 */
	{V6(0, 0, 0, 0, 0, 0, 0, 0, 96), 12},         /* compatible: ::10.0.0.1 */
	{V6(0, 0, 0, 0, 0xffff, 0, 0, 0, 96), 12},    /* translated: ::ffff:0:10.0.0.1 */
};

static bool is_in(const struct in6_addr *address, const struct network *network)
{
	unsigned whole = network->bits / 8, rest = network->bits % 8;
	unsigned mask = (0xffu << (8 - rest)) & 0xff;

	if (memcmp(address->s6_addr, network->base.s6_addr, whole) != 0)
		return false;
	return !rest || (address->s6_addr[whole] & mask) == (network->base.s6_addr[whole] & mask);
}

static struct in6_addr map(const void *four_bytes)
{
	struct in6_addr mapped = {{{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0, 0, 0, 0}}};

	memcpy(mapped.s6_addr + 12, four_bytes, 4);
	return mapped;
}

static bool read_address(const struct sockaddr *address, socklen_t bytes, struct in6_addr *ret_address)
{
	if (address->sa_family == AF_INET && bytes >= sizeof(struct sockaddr_in)) {
		*ret_address = map(&((const struct sockaddr_in *)(const void *)address)->sin_addr);
		return true;
	}
	if (address->sa_family != AF_INET6 || bytes < sizeof(struct sockaddr_in6))
		return false;
	*ret_address = ((const struct sockaddr_in6 *)(const void *)address)->sin6_addr;
	return true;
}

/* What the bytes lead to in the end. ::1 and :: are no compatible forms of anything. */
static struct in6_addr unwrap(const struct in6_addr *address)
{
	static const struct network small = V6(0, 0, 0, 0, 0, 0, 0, 0, 120);

	for (size_t i = 0; !is_in(address, &small) && i < sizeof(carriers) / sizeof(carriers[0]); i++)
		if (is_in(address, &carriers[i].network))
			return map(address->s6_addr + carriers[i].at);
	return *address;
}

static enum address_class classify(const struct in6_addr *address)
{
	for (size_t i = 0; i < sizeof(networks) / sizeof(networks[0]); i++)
		if (is_in(address, &networks[i].network))
			return networks[i].class;
	return ADDRESS_NONE;
}

enum address_class address_classify(const struct sockaddr *address, socklen_t bytes)
{
	struct in6_addr found;

	if (!read_address(address, bytes, &found))
		return ADDRESS_NONE;
	found = unwrap(&found);
	return classify(&found);
}

const char *address_class_name(enum address_class class)
{
	switch (class) {
	case ADDRESS_PUBLIC:
		return "a public address";
	case ADDRESS_LOOPBACK:
		return "a loopback address";
	case ADDRESS_PRIVATE:
		return "a private address";
	case ADDRESS_LINK_LOCAL:
		return "a link-local address";
	case ADDRESS_METADATA:
		return "the metadata service of a cloud";
	case ADDRESS_NONE:
		break;
	}
	return "no address that can be connected to";
}

void address_format(const struct sockaddr *address, socklen_t bytes, char ret_text[ADDRESS_TEXT_BYTES])
{
	struct in6_addr found;

	if (!read_address(address, bytes, &found))
		snprintf(ret_text, ADDRESS_TEXT_BYTES, "(family %d)", address->sa_family);
	else if (address->sa_family == AF_INET)
		inet_ntop(AF_INET, found.s6_addr + 12, ret_text, ADDRESS_TEXT_BYTES);
	else
		inet_ntop(AF_INET6, &found, ret_text, ADDRESS_TEXT_BYTES);
}

/* "10.0.0.0/8", "::1" */
static bool parse_network(const char *text, struct network *ret_network)
{
	const char *slash = strchr(text, '/');
	size_t length = slash ? (size_t)(slash - text) : strlen(text);
	char base[ADDRESS_TEXT_BYTES], *end = NULL;
	struct in_addr four;

	if (length >= sizeof(base))
		return false;
	memcpy(base, text, length);
	base[length] = '\0';
	bool is_four = inet_pton(AF_INET, base, &four) == 1;
	if (is_four)
		ret_network->base = map(&four);
	else if (inet_pton(AF_INET6, base, &ret_network->base) != 1)
		return false;
	unsigned long most = is_four ? 32 : 128, bits = most;
	if (slash) {
		bits = strtoul(slash + 1, &end, 10);
		if (slash[1] < '0' || slash[1] > '9' || *end || bits > most)
			return false;
	}
	ret_network->bits = (unsigned)bits + (is_four ? 96 : 0);
	return true;
}

static bool is_listed(const struct in6_addr *address, const struct enrg_string_list *allowed)
{
	struct network network;

	for (size_t i = 0; allowed && i < allowed->count; i++)
		if (parse_network(allowed->items[i], &network) && is_in(address, &network))
			return true;
	return false;
}

int address_judge(
	const struct sockaddr *address, socklen_t bytes, const struct enrg_string_list *allowed, struct enrg_error *err)
{
	enum address_class class = address_classify(address, bytes);
	char text[ADDRESS_TEXT_BYTES];
	struct in6_addr found;

	if (class == ADDRESS_PUBLIC)
		return 0;
	address_format(address, bytes, text);
	if (class != ADDRESS_LOOPBACK && class != ADDRESS_PRIVATE)
		return enrg_error_set(err, -EACCES, "%s is %s: nothing is sent there", text, address_class_name(class));
	if (read_address(address, bytes, &found)) {
		found = unwrap(&found);
		if (is_listed(&found, allowed))
			return 0;
	}
	return enrg_error_set(err, -EACCES,
		"%s is %s: nothing is sent there unless allow_private lists it (allow_private = [\"%s\"])", text,
		address_class_name(class), text);
}

/* Every address of the network is of one of the two classes: it lies in one entry of the table for them. */
static bool may_be_listed(const struct network *wanted)
{
	for (size_t i = 0; i < sizeof(networks) / sizeof(networks[0]); i++) {
		enum address_class class = networks[i].class;
		if (!is_in(&wanted->base, &networks[i].network))
			continue;
		return wanted->bits >= networks[i].network.bits &&
		       (class == ADDRESS_LOOPBACK || class == ADDRESS_PRIVATE);
	}
	return false;
}

int address_check_list(const struct enrg_string_list *allowed, const char *key, struct enrg_error *err)
{
	for (size_t i = 0; i < allowed->count; i++) {
		struct network network;
		if (!parse_network(allowed->items[i], &network))
			return enrg_error_set(err, ENRG_E_CONFIG,
				"%s: expected addresses or networks such as \"192.168.1.20\" or \"10.1.0.0/16\", found "
				"\"%s\"",
				key, allowed->items[i]);
		if (!may_be_listed(&network))
			return enrg_error_set(err, ENRG_E_CONFIG,
				"%s: \"%s\" is not a loopback or private network; public addresses need no entry, "
				"link-local ones "
				"and those of metadata services are never connected to",
				key, allowed->items[i]);
	}
	return 0;
}
