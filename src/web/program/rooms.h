/* rooms.h: what the program is made of, opened one after the other. Process: enrgdaq-web, main thread. */
#ifndef WEB_PROGRAM_ROOMS_H
#define WEB_PROGRAM_ROOMS_H

#include "web/api/router.h"

/* What needs no address to listen at: access, system, node, CNC. Takes the settings. */
int rooms_open(struct web *web, struct web_settings *settings, struct enrg_error *err);
/* What needs web->http: live, metrics, router. */
int rooms_open_http(struct web *web, struct router **ret_router, struct enrg_error *err);

#endif
