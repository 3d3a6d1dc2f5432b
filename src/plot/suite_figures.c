/* suite_figures.c: the five figures of the founding document. Runs in the process of `enrgdaq bench suite` or
 * `enrgdaq plot`, one thread. */
#include "plot/suite_figures.h"

#include <errno.h>
#include <jansson.h>

int suite_figures_draw(const char *results_path, const char *folder, struct enrg_error *err)
{
	json_error_t where;
	json_t *results = json_load_file(results_path, 0, &where);

	if (!results)
		return enrg_error_set(err, ENRG_E_CORRUPT, "%s:%d: %s", results_path, where.line, where.text);
	json_decref(results);
	return enrg_error_set(err, -ENOENT, "no figures are drawn into %s yet", folder);
}
