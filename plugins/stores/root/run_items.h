/* run_items.h: what is known of a run, in a ROOT file: a TNamed an item, its name the key, its title the value. The run
 * that the file was begun in has names without a number (run, run_number, run_config …), the next ones run_2,
 * run_number_2 …; `runs` lists them all. Store process, main thread. */
#ifndef ROOT_RUN_ITEMS_H
#define ROOT_RUN_ITEMS_H

#include "container.h"

/* Names of items live as long as the container, which refers to them. */
struct run_items {
	char run[64]; /* that was noted last */
	char *runs;   /* all, a blank between two */
	struct place runs_place;
	uint32_t count, name_count;
	char **names;
};

/* Rows of that run come next: notes it, unless it was noted or nothing is known of it. */
int run_items_note(struct run_items *items, struct enrg_store *store, struct container *container, const char *run,
	struct enrg_error *err);
void run_items_fini(struct run_items *items); /* takes zeroed; behind container_fini */

#endif
