/* registry.h: the clients of a server: who they are, when they were heard, what they have logged. Bounded. Process:
 * enrgdaq-web; any thread, it locks. */
#ifndef WEB_CNC_REGISTRY_H
#define WEB_CNC_REGISTRY_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#define REGISTRY_CLIENTS_MAX 256u
#define REGISTRY_FREE_NS     15000000000ull /* a name that was silent for so long may be used by another machine */
#define REGISTRY_GONE_NS     30000000000ull /* and may give way to another name, where there is no room */
#define REGISTRY_OWNER_BYTES 64u

enum registry_verdict {
	REGISTRY_KNOWN,
	REGISTRY_NEW,   /* or it speaks again, after it was silent for REGISTRY_GONE_NS */
	REGISTRY_TAKEN, /* another owner uses that name now: not registered */
	REGISTRY_FULL,  /* not registered */
	REGISTRY_NO_MEMORY
};

struct registry;
struct registry *registry_create(void); /* NULL: out of memory */
void registry_destroy(struct registry *registry);

struct registry_sight {
	const char *name, *owner; /* address or key of who uses the name */
	bool is_loopback;         /* it sits on this machine */
	const json_t *info;       /* of a heartbeat; borrowed; NULL: what was known stays */
	uint64_t now_ns;          /* CLOCK_MONOTONIC */
};
/* It was heard. `ret_owner`: whoever has that name already, of REGISTRY_TAKEN. */
enum registry_verdict registry_see(
	struct registry *registry, const struct registry_sight *sight, char ret_owner[REGISTRY_OWNER_BYTES]);
/* A message that `name`, which is known, has logged. Steals. */
void registry_add_log(struct registry *registry, const char *name, json_t *line);

bool registry_knows(struct registry *registry, const char *name);
/* Whether it sits on this machine; false too where it is not known. */
bool registry_is_loopback(struct registry *registry, const char *name);
/* Adds {"identity", "last_seen", "info"} of each to `clients`. */
void registry_list(struct registry *registry, json_t *clients);
/* Adds info or null of each to `infos`. */
void registry_list_infos(struct registry *registry, json_t *infos);
/* New reference; NULL: not known. */
json_t *registry_logs(struct registry *registry, const char *name);

/* One entry as GET /clients has it. `identity` NULL: null. New reference. */
json_t *registry_entry(const char *identity, uint64_t seen_wall_ns, const json_t *info);

#endif
