/* client.h: the handle of one system, and what all that is opened from it asks. Process: whoever looks from outside. */
#ifndef CLIENT_CLIENT_H
#define CLIENT_CLIENT_H

#include <jansson.h>

#include "client/figures.h"
#include "client/info.h"

struct enrg_client {
	char folder[FIND_PATH_BYTES];
	struct info info;
	struct figures figures;
	struct reply {
		struct enrg_client_reply shown;
		char text[1000];
		char *fields, *json;
	} reply;            /* what enrg_client_ask got last */
	char **sources;     /* what enrg_client_sources gave last */
	char **histograms;  /* what enrg_histograms_list gave last */
	char history[4096]; /* what enrg_history_find gave last */
	int process;        /* pidfd of the supervisor that was asked to stop, or is waited for; -1 = none */
	bool is_asked;      /* it was */
};

/* -EAGAIN, with the reason, where no supervisor holds that folder. */
int client_explain_absence(const char *folder, struct enrg_error *err);

/* status.json as its supervisor wrote it last, every text in it made safe; json_decref. -EAGAIN: none runs, or it has
 * not written yet; ENRG_E_CORRUPT. *ret_pid: of the supervisor. */
int client_read_status(const char *folder, json_t **ret_status, int64_t *ret_pid, struct enrg_error *err);

#endif
