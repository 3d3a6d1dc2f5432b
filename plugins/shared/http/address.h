/* address.h: may this program connect to that address? Judged by the bytes of a socket address, after a name was
 * resolved: a name says nothing, since its owner may let it resolve to this machine or to the metadata service of a
 * cloud. Addresses inside of IPv6 ones (mapped, compatible, 6to4, NAT64) are judged as what they lead to. */
#ifndef HTTP_ADDRESS_H
#define HTTP_ADDRESS_H

#include <stddef.h>
#include <sys/socket.h>

#include "enrgdaq/option.h"

#define ADDRESS_TEXT_BYTES 64u

enum address_class {
	ADDRESS_PUBLIC,
	ADDRESS_LOOPBACK,   /* this machine: allowed where it is listed */
	ADDRESS_PRIVATE,    /* the laboratory's network: allowed where it is listed */
	ADDRESS_LINK_LOCAL, /* never */
	ADDRESS_METADATA,   /* of a cloud, which hands out credentials: never */
	ADDRESS_NONE,       /* unspecified, multicast, reserved, not of the internet: never */
};

enum address_class address_classify(const struct sockaddr *address, socklen_t bytes);
/* "a loopback address" */
const char *address_class_name(enum address_class class);
/* "10.0.0.1", "fe80::1" */
void address_format(const struct sockaddr *address, socklen_t bytes, char ret_text[ADDRESS_TEXT_BYTES]);

/* `allowed`: loopback and private addresses, or networks of them ("192.168.1.0/24"), that may be connected to. 0; or
 * -EACCES with the address, what it is and what would allow it. */
int address_judge(const struct sockaddr *address, socklen_t bytes, const struct enrg_string_list *allowed,
	struct enrg_error *err);

/* For the check of a configuration: each entry is an address or network that lies inside of loopback or private ones.
 * ENRG_E_CONFIG with a text that begins with `key`. */
int address_check_list(const struct enrg_string_list *allowed, const char *key, struct enrg_error *err);

#endif
