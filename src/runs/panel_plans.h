/* panel_plans.h: types, templates and webhooks of the panel as text: files of CONFIG/runs and a piece of
 * supervisor.toml. Pure. */
#ifndef RUNS_PANEL_PLANS_H
#define RUNS_PANEL_PLANS_H

#include <jansson.h>

/* [{"path": "runs/templates/NAME.toml", "text", "by_hand": [sentences]}, …]; `by_hand`: what a person has to look at,
 * also written into the text as comments. New reference. */
json_t *panel_plans_make(const json_t *tables);
/* [[runs.hook]] sections, without secrets; malloc'ed, "" = there is none. */
char *panel_plans_make_hooks(const json_t *tables);

#endif
