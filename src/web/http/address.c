#include "web/http/address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/random.h>

/* IPv4 as it stands in IPv6, so that there is one kind. */
static void get_bytes(const struct sockaddr_storage *socket, unsigned char ret_bytes[16])
{
	static const unsigned char mapped[12] = {[10] = 0xFF, [11] = 0xFF};

	memset(ret_bytes, 0, 16);
	if (socket->ss_family == AF_INET) {
		memcpy(ret_bytes, mapped, 12);
		memcpy(ret_bytes + 12, &((const struct sockaddr_in *)(const void *)socket)->sin_addr, 4);
	} else if (socket->ss_family == AF_INET6) {
		memcpy(ret_bytes, &((const struct sockaddr_in6 *)(const void *)socket)->sin6_addr, 16);
	}
}

static bool is_mapped(const unsigned char bytes[16])
{
	static const unsigned char mapped[12] = {[10] = 0xFF, [11] = 0xFF};

	return memcmp(bytes, mapped, 12) == 0;
}

static bool is_loopback_bytes(const unsigned char bytes[16])
{
	static const unsigned char one[16] = {[15] = 1};

	return memcmp(bytes, one, 16) == 0 || (is_mapped(bytes) && bytes[12] == 127);
}

bool address_is_loopback(const struct sockaddr_storage *socket)
{
	unsigned char bytes[16];

	get_bytes(socket, bytes);
	return is_loopback_bytes(bytes);
}

bool address_equals(const struct sockaddr_storage *one, const struct sockaddr_storage *other)
{
	unsigned char bytes[16], others[16];

	get_bytes(one, bytes);
	get_bytes(other, others);
	return memcmp(bytes, others, 16) == 0;
}

uint16_t address_format(const struct sockaddr_storage *socket, char ret_text[46])
{
	unsigned char bytes[16];

	ret_text[0] = '\0';
	get_bytes(socket, bytes);
	if (is_mapped(bytes))
		inet_ntop(AF_INET, bytes + 12, ret_text, 46);
	else
		inet_ntop(AF_INET6, bytes, ret_text, 46);
	if (socket->ss_family == AF_INET)
		return ntohs(((const struct sockaddr_in *)(const void *)socket)->sin_port);
	return socket->ss_family == AF_INET6 ? ntohs(((const struct sockaddr_in6 *)(const void *)socket)->sin6_port)
					     : 0;
}

bool address_parse(const char *text, struct sockaddr_storage *ret_socket)
{
	char copy[64];
	size_t bytes = strlen(text);
	struct sockaddr_storage socket = {.ss_family = AF_INET};
	struct sockaddr_in *four = (struct sockaddr_in *)(void *)&socket;
	struct sockaddr_in6 *six = (struct sockaddr_in6 *)(void *)&socket;

	if (bytes >= sizeof(copy))
		return false;
	memcpy(copy, text, bytes + 1);
	char *colon = strchr(copy, ':'), *bracket = strchr(copy, ']');
	if (copy[0] == '[' && bracket) {
		*bracket = '\0';
		memmove(copy, copy + 1, (size_t)(bracket - copy));
	} else if (colon && strchr(copy, '.') && !strchr(colon + 1, ':')) {
		*colon = '\0';
	}
	if (inet_pton(AF_INET, copy, &four->sin_addr) == 1) {
		*ret_socket = socket;
		return true;
	}
	socket.ss_family = AF_INET6;
	if (inet_pton(AF_INET6, copy, &six->sin6_addr) != 1)
		return false;
	*ret_socket = socket;
	return true;
}

void address_table_init(struct address_table *table, const struct address_limits *limits)
{
	memset(table, 0, sizeof(*table));
	table->limits = *limits;
	/* so that nobody can choose addresses that meet in one bucket; without it he could */
	if (getrandom(&table->seed, sizeof(table->seed), GRND_NONBLOCK) != sizeof(table->seed))
		table->seed = 0x9E3779B97F4A7C15u;
}

static uint32_t bucket_of(const struct address_table *table, const unsigned char key[16])
{
	uint64_t hash = table->seed;

	for (int i = 0; i < 16; i++) {
		hash = (hash ^ key[i]) * 0x100000001B3u;
		hash ^= hash >> 29;
	}
	return (uint32_t)((hash ^ (hash >> 32)) % ADDRESS_PLACES);
}

static void unlink_place(struct address_table *table, uint32_t index)
{
	uint32_t *at = &table->buckets[bucket_of(table, table->places[index].key)];

	while (*at != index + 1)
		at = &table->places[*at - 1].next;
	*at = table->places[index].next;
}

static int find_free(struct address_table *table)
{
	int oldest = -1;

	for (int i = 0; i < ADDRESS_PLACES; i++) {
		const struct address *place = &table->places[i];
		if (place->connections)
			continue;
		if (oldest < 0 || place->filled_ns < table->places[oldest].filled_ns)
			oldest = i;
		if (!place->filled_ns)
			break;
	}
	if (oldest >= 0 && table->places[oldest].filled_ns)
		unlink_place(table, (uint32_t)oldest);
	return oldest;
}

struct address *address_find(struct address_table *table, const struct sockaddr_storage *socket, uint64_t now_ns)
{
	unsigned char key[16];

	get_bytes(socket, key);
	if (!is_mapped(key) && !is_loopback_bytes(key))
		memset(key + 8, 0, 8);
	uint32_t *bucket = &table->buckets[bucket_of(table, key)];
	for (uint32_t at = *bucket; at; at = table->places[at - 1].next)
		if (memcmp(table->places[at - 1].key, key, 16) == 0)
			return &table->places[at - 1];
	int index = find_free(table);
	if (index < 0)
		return NULL;
	struct address *place = &table->places[index];
	*place = (struct address){.gets = table->limits.gets_per_second,
		.posts = table->limits.posts_burst,
		.filled_ns = now_ns ? now_ns : 1};
	memcpy(place->key, key, 16);
	bucket = &table->buckets[bucket_of(table, key)];
	place->next = *bucket;
	*bucket = (uint32_t)index + 1;
	return place;
}

bool address_take(struct address_table *table, struct address *address, bool is_get, uint64_t now_ns)
{
	const struct address_limits *limits = &table->limits;
	double seconds = now_ns > address->filled_ns ? (double)(now_ns - address->filled_ns) / 1e9 : 0;
	double *left = is_get ? &address->gets : &address->posts;

	address->filled_ns = now_ns;
	address->gets += seconds * limits->gets_per_second;
	if (address->gets > limits->gets_per_second)
		address->gets = limits->gets_per_second;
	address->posts += seconds * limits->posts_per_second;
	if (address->posts > limits->posts_burst)
		address->posts = limits->posts_burst;
	if (!(is_get ? limits->gets_per_second : limits->posts_per_second))
		return true;
	if (*left < 1)
		return false;
	*left -= 1;
	return true;
}
