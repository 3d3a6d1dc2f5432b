/* ipc_run.c: the run that a file was begun in, as custom metadata of its schema. At the opening of files. */
#include "arrow/ipc_layout.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CONFIG_BYTES_MAX (1u << 20) /* of a longer configuration only the hash is there */
#define KEY_NUMBER       IPC_KEY_PREFIX "run_number"
#define KEY_BEGAN        IPC_KEY_PREFIX "run_began_ns"

static const struct {
	const char *key;
	size_t offset;
} texts[] = {
	{IPC_KEY_PREFIX "run", offsetof(struct enrg_run_info, run)},
	{IPC_KEY_PREFIX "run_uuid", offsetof(struct enrg_run_info, uuid)},
	{IPC_KEY_PREFIX "run_type", offsetof(struct enrg_run_info, type)},
	{IPC_KEY_PREFIX "run_description", offsetof(struct enrg_run_info, description)},
	{IPC_KEY_PREFIX "supervisor", offsetof(struct enrg_run_info, supervisor)},
	{IPC_KEY_PREFIX "version", offsetof(struct enrg_run_info, version)},
	{IPC_KEY_PREFIX "run_config_sha256", offsetof(struct enrg_run_info, config_sha256)},
	{IPC_KEY_PREFIX "run_config", offsetof(struct enrg_run_info, config)},
};
#define TEXT_COUNT (sizeof(texts) / sizeof(*texts))

void ipc_keys_add_run(struct ipc_keys *keys, const struct enrg_run_info *run, struct ipc_run_numbers *numbers)
{
	snprintf(numbers->number, sizeof(numbers->number), "%" PRIu64, run->number);
	snprintf(numbers->began_ns, sizeof(numbers->began_ns), "%" PRIu64, run->began_ns);
	for (size_t i = 0; i < TEXT_COUNT; i++) {
		const char *text;
		memcpy(&text, (const char *)run + texts[i].offset, sizeof(text));
		if (text && *text && strlen(text) <= CONFIG_BYTES_MAX)
			ipc_keys_add(keys, texts[i].key, text);
	}
	ipc_keys_add(keys, KEY_NUMBER, numbers->number);
	ipc_keys_add(keys, KEY_BEGAN, numbers->began_ns);
}

static uint64_t read_number(struct ipc_head *head, const char *key)
{
	const char *text = ipc_find_key(&head->reader, &head->header, SCHEMA_KEYS, key);

	return text ? strtoull(text, NULL, 10) : 0;
}

int ipc_read_run(const void *bytes, size_t count, struct enrg_run_info *ret_run)
{
	struct enrg_run_info run = {.size = sizeof(run)};
	struct ipc_head head;
	size_t wanted;

	if (ipc_read_head(bytes, count, &head, &wanted, NULL) < 0 || head.is_end || head.header_type != IPC_SCHEMA)
		return 0;
	for (size_t i = 0; i < TEXT_COUNT; i++) {
		const char *text = ipc_find_key(&head.reader, &head.header, SCHEMA_KEYS, texts[i].key);
		if (!text)
			text = "";
		memcpy((char *)&run + texts[i].offset, &text, sizeof(text));
	}
	run.number = read_number(&head, KEY_NUMBER);
	run.began_ns = read_number(&head, KEY_BEGAN);
	if (head.reader.is_bad || !*run.run)
		return 0;
	*ret_run = run;
	return 1;
}
