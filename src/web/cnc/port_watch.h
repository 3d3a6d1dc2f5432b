/* port_watch.h: what ZeroMQ does not bound: how many are connected to a port, and what messages whose frames never end
 * take of the memory. Process: enrgdaq-web, on the thread of CNC. */
#ifndef WEB_CNC_PORT_WATCH_H
#define WEB_CNC_PORT_WATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PORT_CONNECTIONS_MAX 300u
#define PORT_CONNECTIONS_LOW 250u /* below this new ones are taken again */
#define PORT_CONNECTIONS_END 600u /* of these some have said nothing yet, which nobody can refuse */
#define PORT_GROWTH_MAX      (256ull << 20)
#define PORT_LOOK_NS         100000000ull

enum port_word {
	PORT_QUIET,
	PORT_FULL,    /* said once: too many connections; port_watch_is_full until there are fewer */
	PORT_CROWDED, /* PORT_CONNECTIONS_END */
	PORT_SWOLLEN  /* the process has grown by PORT_GROWTH_MAX */
};

struct port_watch { /* zeroed */
	uint64_t look_ns;
	uint64_t least_bytes; /* of the process, since port_watch_shrink */
	bool is_full;
};

enum port_word port_watch_look(struct port_watch *watch, uint16_t port, uint64_t now_ns);
bool port_watch_is_full(const struct port_watch *watch);
/* Memory that was freed is given back; growth is counted from here. */
void port_watch_shrink(struct port_watch *watch);

/* Sockets of this process that somebody has connected to `port`. */
unsigned port_connections(uint16_t port);

#endif
