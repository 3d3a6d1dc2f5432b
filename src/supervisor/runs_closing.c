/* runs_closing.c: what becomes of a run when it has ended: its account, logged and beside the data. Process:
 * supervisor, main thread. */
#include "supervisor/runs_state.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/path.h"
#include "supervisor/run_end.h"

static void name_account(const struct account *account, char *ret_name, size_t name_bytes)
{
	char safe[180];

	path_safe_name(account->id, safe, sizeof(safe));
	if (account->number)
		snprintf(ret_name, name_bytes, "run_%06llu_%s.json", (unsigned long long)account->number, safe);
	else
		snprintf(ret_name, name_bytes, "run_%s.json", safe);
}

void runs_tell_account(const struct runs *runs, const struct account *account)
{
	bool is_closed = account_is_closed(account), is_fine = is_closed && account_is_accounted(account);
	json_t *json = account_format(account, runs->supervisor);
	char name[256], *text = NULL;
	size_t bytes;
	FILE *stream = open_memstream(&text, &bytes);

	name_account(account, name, sizeof(name));
	if (json)
		run_end_write_beside(runs->roster, name, json);
	else
		log_line(ENRG_ERROR, "the account of run %s can't be written beside the data; the log has it",
			account->id);
	json_decref(json);
	if (!stream)
		return;
	fprintf(stream, "run %llu (%s) %s%s:\n", (unsigned long long)account->number, account->id,
		is_closed ? "is closed" : "is not all stored", is_fine || !is_closed ? "" : ", NOT accounted for");
	account_print(account, stream);
	if (!fclose(stream))
		log_print(text);
	free(text);
}

static void add_sum(struct runs *runs, const char *source, const char *store, const struct account_line *line)
{
	struct runs_sum *sum = NULL;

	for (uint32_t i = 0; !sum && i < runs->sum_count; i++)
		if (!strcmp(runs->sums[i].source, source) && !strcmp(runs->sums[i].store, store))
			sum = &runs->sums[i];
	if (!sum) {
		struct runs_sum *longer = realloc(runs->sums, (runs->sum_count + 1) * sizeof(*longer));
		if (!longer)
			return;
		runs->sums = longer;
		sum = &longer[runs->sum_count++];
		*sum = (struct runs_sum){0};
		snprintf(sum->source, sizeof(sum->source), "%s", source);
		snprintf(sum->store, sizeof(sum->store), "%s", store);
	}
	sum->produced_batches += line->produced_batches;
	sum->produced_rows += line->produced_rows;
	sum->stored_batches += line->stored_batches;
	sum->stored_rows += line->stored_rows;
}

static void add_sums(struct runs *runs, const struct account *account)
{
	for (uint32_t i = 0; i < account->source_count; i++)
		for (uint32_t k = 0; k < account->sources[i].store_count; k++) {
			const struct account_line line = account_balance(account, i, k);
			add_sum(runs, account->sources[i].name, account->sources[i].stores[k].name, &line);
		}
}

void runs_close_done(struct runs *runs)
{
	struct account *account;

	while ((account = runs->closing[0])) {
		account_look(account, runs->roster);
		if (!account_is_closed(account))
			return;
		runs_tell_account(runs, account);
		add_sums(runs, account);
		runs_put_end(runs, account, account_is_accounted(account), NULL);
		runs_keep_rate(runs, account);
		runs->closed_count++;
		runs->unaccounted_count += !account_is_accounted(account);
		snprintf(runs->last_id, sizeof(runs->last_id), "%s", account->id);
		account_destroy(account);
		for (uint32_t i = 0; i < RUNS_CLOSING; i++)
			runs->closing[i] = i + 1 < RUNS_CLOSING ? runs->closing[i + 1] : NULL;
		runs_save_or_tell(runs);
	}
}

bool runs_hand_over(struct runs *runs)
{
	uint32_t place = 0;

	while (place < RUNS_CLOSING && runs->closing[place])
		place++;
	if (place == RUNS_CLOSING)
		return false;
	if (!runs->account->ended_wall_ns)
		runs->account->ended_wall_ns = clock_wall_ns();
	runs->account->clock_end = clock_state_read();
	runs->closing[place] = runs->account;
	runs->account = NULL;
	return true;
}
