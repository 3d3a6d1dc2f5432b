/* catalogue.c: see the header. */
#include "web/system/catalogue.h"

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "web/system/tool.h"

#define PATIENCE_MS 20000u
#define PAUSE_NS    10000000000ull /* after a failure */

struct catalogue {
	pthread_mutex_t lock; /* who asks meanwhile waits for the same answer */
	json_t *types;        /* NULL: not yet */
	uint64_t failed_ns;   /* 0: it has not */
	struct enrg_error failure;
	char program[];
};

struct catalogue *catalogue_create(const char *program)
{
	struct catalogue *catalogue = calloc(1, sizeof(*catalogue) + strlen(program) + 1);

	if (!catalogue)
		return NULL;
	pthread_mutex_init(&catalogue->lock, NULL);
	memcpy(catalogue->program, program, strlen(program) + 1);
	return catalogue;
}

void catalogue_destroy(struct catalogue *catalogue)
{
	if (!catalogue)
		return;
	json_decref(catalogue->types);
	pthread_mutex_destroy(&catalogue->lock);
	free(catalogue);
}

static json_t *fetch(const char *program, struct enrg_error *err)
{
	const char *const words[] = {program, "describe", "--catalogue", NULL};
	const struct tool_params params = {.words = words, .patience_ms = PATIENCE_MS};
	int code = 0;
	json_t *types = tool_run(&params, &code, err);

	if (!types)
		enrg_error_add(err, err->code, "the types of jobs are not known");
	return types;
}

json_t *catalogue_get(struct catalogue *catalogue, struct enrg_error *err)
{
	pthread_mutex_lock(&catalogue->lock);
	bool may_try = !catalogue->failed_ns || clock_mono_ns() - catalogue->failed_ns > PAUSE_NS;
	if (!catalogue->types && may_try) {
		catalogue->types = fetch(catalogue->program, &catalogue->failure);
		catalogue->failed_ns = catalogue->types ? 0 : clock_mono_ns();
	}
	json_t *types = json_incref(catalogue->types);
	if (!types && err)
		*err = catalogue->failure;
	pthread_mutex_unlock(&catalogue->lock);
	return types;
}
