/* compare.h: what differs between two runs: configuration, versions, ledger, rates. Pure. */
#ifndef RUNS_COMPARE_H
#define RUNS_COMPARE_H

#include <jansson.h>
#include <stdio.h>

/* Both of reader_show:
 *
 *   {"from": number, "to": number, "config": [lines of a unified diff, "" where nothing differs], "versions": {name:
 *    {"from", "to"}}, "settings": {…}, "ledger": {"SOURCE -> STORE": {key: {"from", "to"}}}, "rates": {job: {…}}}
 *
 * What is the same is left out. New reference; NULL: out of memory. */
json_t *compare_runs(const json_t *from, const json_t *to);
/* For people; text of others can't steer the terminal. */
void compare_print(const json_t *comparison, FILE *stream);

#endif
