/* history_select.h: which history, of which time: options that commands share. One thread. */
#ifndef CLI_HISTORY_SELECT_H
#define CLI_HISTORY_SELECT_H

#include <enrgdaq/history.h>

struct history_select {
	const char *command;                   /* for messages: "history" */
	const char *folder, *supervisor;       /* --folder, --id */
	const char *from, *to, *last, *points; /* --from … */
	char source[4096];                     /* the folder that history_select_open has chosen */
};

/* Opens the folder that is named, that of the running system, or the one here. 0, or an exit code after the error was
 * printed; as the others. */
int history_select_open(struct history_select *select, struct enrg_history **ret_history);
/* Fills time and points of the query; `points_default` without --points. */
int history_select_set(const struct history_select *select, uint32_t points_default, struct enrg_history_query *query);
/* Opens and reads. */
int history_select_read(struct history_select *select, uint32_t points_default, const char *const *patterns,
	struct enrg_history_result **ret_result);

#endif
