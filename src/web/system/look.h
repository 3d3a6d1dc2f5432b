/* look.h: the thread that looks at the system once a second. Process: enrgdaq-web. */
#ifndef WEB_SYSTEM_LOOK_H
#define WEB_SYSTEM_LOOK_H

#include "enrgdaq/error.h"
#include "web/system/snapshot.h"

struct look;

/* Looks once, then begins. */
int look_start(const char *supervisor, struct look **ret_look, struct enrg_error *err);
void look_stop(struct look *look); /* takes NULL */
struct snapshot *look_hold(struct look *look);
void look_listen(struct look *look, void (*on_event)(void *context, const json_t *event), void *context);

#endif
