/* client.c: the handle of one system: who it is, and its end. Process: whoever looks from outside. */
#include "client/client.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <unistd.h>

#include "handover/presence.h"

#define SECOND_WORD_MS 600 /* signals within 0.5 s are one word to a supervisor */

int enrg_client_open(const char *name, struct enrg_client **ret_client, struct enrg_error *err)
{
	struct enrg_client *client = calloc(1, sizeof(*client));
	pid_t pid = 0;

	if (!client)
		return enrg_error_set(err, -ENOMEM, "out of memory");
	int rc = find_supervisor(name, client->folder, sizeof(client->folder), &pid, err);
	if (rc < 0 && !(rc == -ESRCH && name)) {
		free(client);
		return rc;
	}
	client->process = -1;
	*ret_client = client;
	return 0;
}

static void forget_process(struct enrg_client *client)
{
	if (client->process >= 0)
		close(client->process);
	client->process = -1;
	client->is_asked = false;
}

static void free_names(char **names)
{
	for (char **name = names; name && *name; name++)
		free(*name);
	free(names);
}

void enrg_client_close(struct enrg_client *client)
{
	if (!client)
		return;
	forget_process(client);
	figures_fini(&client->figures);
	free(client->reply.fields);
	free(client->reply.json);
	free_names(client->sources);
	free_names(client->histograms);
	free(client);
}

int client_explain_absence(const char *folder, struct enrg_error *err)
{
	uint32_t orphans = presence_count_jobs(folder);

	if (!orphans)
		return enrg_error_set(err, -EAGAIN, "that system does not run now; start it with `enrgdaq run`");
	return enrg_error_set(err, -EAGAIN,
		"the supervisor of \"%s\" is gone, and %u of its jobs still run: they store what they have and end by "
		"themselves; `enrgdaq run` waits for them and takes over",
		strrchr(folder, '/') + 1, orphans);
}

int enrg_client_supervisor(
	struct enrg_client *client, const struct enrg_supervisor **ret_supervisor, struct enrg_error *err)
{
	info_read(client->folder, &client->info);
	*ret_supervisor = &client->info.shown;
	return client->info.shown.is_running ? 0 : client_explain_absence(client->folder, err);
}

/* --- its end ------------------------------------------------------------------------------------------------------ */

/* Holds the process of the supervisor that runs now, so that no other one is meant when its number is used again. */
static int take_process(struct enrg_client *client, struct enrg_error *err)
{
	pid_t pid = presence_owner(client->folder);

	if (!pid)
		return client_explain_absence(client->folder, err);
	int process = pidfd_open(pid, 0);
	if (process < 0)
		return enrg_error_set(err, -errno, "process %d can't be stopped: %s", (int)pid, strerror(errno));
	if (presence_owner(client->folder) != pid) {
		close(process);
		return client_explain_absence(client->folder, err);
	}
	client->process = process;
	return 0;
}

/* Has the process ended within that time? */
static bool has_ended(const struct enrg_client *client, int timeout_ms)
{
	struct pollfd entry = {.fd = client->process, .events = POLLIN};
	int rc;

	do
		rc = poll(&entry, 1, timeout_ms);
	while (rc < 0 && errno == EINTR && timeout_ms < 0);
	return rc > 0;
}

static int say_stop(struct enrg_client *client, struct enrg_error *err)
{
	if (pidfd_send_signal(client->process, SIGTERM, NULL, 0) < 0)
		return enrg_error_set(
			err, -errno, "the supervisor in %s can't be stopped: %s", client->folder, strerror(errno));
	client->is_asked = true;
	return 0;
}

int enrg_client_stop(struct enrg_client *client, bool is_fast, struct enrg_error *err)
{
	bool is_second;
	int rc = 0;

	if (client->process >= 0 && has_ended(client, 0))
		forget_process(client);
	if (client->process < 0)
		rc = take_process(client, err);
	is_second = rc == 0 && client->is_asked;
	if (rc == 0 && !is_second)
		rc = say_stop(client, err);
	/* Signals that come together are one word. */
	if (rc == 0 && is_fast && !has_ended(client, SECOND_WORD_MS))
		rc = say_stop(client, err);
	return rc;
}

int enrg_client_wait(struct enrg_client *client, int timeout_ms, struct enrg_error *err)
{
	int rc = client->process < 0 ? take_process(client, err) : 0;

	if (rc < 0)
		return rc;
	if (!has_ended(client, timeout_ms))
		return enrg_error_set(err, -ETIMEDOUT, "the supervisor in %s has not ended yet", client->folder);
	forget_process(client);
	return 0;
}
