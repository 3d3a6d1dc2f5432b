/* author.h: what this machine has for whoever writes a driver or a store: headers, compiler, folders of modules. */
#ifndef CLI_AUTHOR_H
#define CLI_AUTHOR_H

#include <stdbool.h>
#include <stddef.h>

struct author {
	char headers[600];  /* include folder that belongs to this program; "" = none was found */
	unsigned abi;       /* ENRG_MODULE_ABI of those headers; 0 = unknown */
	char compiler[600]; /* first C compiler of PATH; "" = none */
	char lost[600];     /* first folder of ENRGDAQ_MODULE_PATH that is not there; "" = all are */
};

void author_look(struct author *ret_author);

/* ENRG_MODULE_ABI as a module.h says it; 0: the file is not there, or does not say it. */
unsigned author_read_abi(const char *module_header);

#endif
