/* port.h: the way to the instrument: a serial port of this machine, or a TCP connection. Nothing here waits: who has a
 * descriptor waits for it. */
#ifndef SERIAL_PORT_H
#define SERIAL_PORT_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "enrgdaq/error.h"

enum port_parity { PORT_PARITY_NONE, PORT_PARITY_EVEN, PORT_PARITY_ODD };
enum port_flow { PORT_FLOW_NONE, PORT_FLOW_RTS_CTS, PORT_FLOW_XON_XOFF };

struct port_line { /* of a serial port */
	int64_t baud_rate, data_bits, stop_bits;
	enum port_parity parity;
	enum port_flow flow;
};

struct port_address {
	struct sockaddr_storage address;
	socklen_t bytes; /* 0: not found yet */
};

/* Is it one of the speeds that Linux knows? */
bool port_has_speed(int64_t baud_rate);
/* "50, 75, 110 …": for an error message. */
void port_list_speeds(char *ret_text, size_t text_bytes);

/* Opens the device raw, at this speed, for nobody else, with nothing of before in its buffers. A descriptor that never
 * blocks, or -errno with what a human should look at. */
int port_open_device(const char *device, const struct port_line *line, struct enrg_error *err);
/* Asks for the address of a host. Blocks for as long as the name service takes; not at all where the host is written in
 * numbers and `is_numeric` is set: -EAGAIN, a name. */
int port_find(
	const char *host, int64_t port, bool is_numeric, struct port_address *ret_address, struct enrg_error *err);
/* Begins to connect: a descriptor that is writable when it is there, or has failed: port_finish. -errno. */
int port_connect(const struct port_address *address, struct enrg_error *err);
/* 0: it is there; -errno. */
int port_finish(int descriptor, struct enrg_error *err);

/* How many bytes came (0: none now), or negative: the instrument is gone. */
int port_read(int descriptor, void *bytes, size_t count, struct enrg_error *err);
/* How many bytes went (0: none now), or negative. */
int port_write(int descriptor, const void *bytes, size_t count, struct enrg_error *err);

#endif
