/* command.h: what one process asks of another, and the answer, as data. A command acts once: its id is chosen by who
 * asks, and a receiver that has answered an id gives the same answer again without acting. What comes after its expiry
 * is refused. docs/control-protocol.md is the contract. Library code of every process that asks or is asked.
 *
 * On a control socket a message is one MessagePack map, over the bus it is the body of an envelope; both are written
 * from and read into the same JSON object, so that there is one reader. */
#ifndef HANDOVER_COMMAND_H
#define HANDOVER_COMMAND_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "enrgdaq/error.h"

#define COMMAND_ID_BYTES   16u
#define COMMAND_HEX_BYTES  33u          /* an id as text, with its end */
#define COMMAND_BYTES_MAX  (320u << 10) /* of a command or an answer on the wire: a text of 256 KiB and more */
#define COMMAND_ITEMS_MAX  8192u
#define COMMAND_DEPTH_MAX  8u
#define COMMAND_EXPIRY_MAX 3600000000000ull /* so far ahead an expiry may lie, ns */

enum command_code {
	COMMAND_OK = 0,
	COMMAND_REFUSED,      /* by who was asked, or because it is down: nothing was done */
	COMMAND_WRONG_FIELDS, /* the body: all that is wrong is named; nothing was done */
	COMMAND_NO_KIND,      /* who was asked does not know such a command */
	COMMAND_NOBODY,       /* there is no such job or type */
	COMMAND_EXPIRED,      /* it came too late: nothing was done */
	COMMAND_FAILED,       /* it was begun, and failed; text says how far it came */
	COMMAND_UNKNOWN,      /* it may have been done or not: read the state back */
};

struct command_sender {
	uint32_t user;  /* of the process that asks; a control socket knows it from the kernel */
	int64_t pid;    /* the same */
	char name[128]; /* what it calls itself: "enrgdaq stop", the name of a job */
};

enum command_role { COMMAND_NOBODY_AT_ALL, COMMAND_VISITOR, COMMAND_USER, COMMAND_ADMIN, COMMAND_ROLES };

/* For whom the asking program asks: who has logged in to it, not the user that it runs as. */
struct command_person {
	bool is_there;
	enum command_role role; /* each may what those before it may */
	char who[128], address[64];
};

struct command {
	uint8_t id[COMMAND_ID_BYTES];
	uint64_t expires_ns; /* wall clock */
	struct command_sender sender;
	struct command_person person;
	char to[320];  /* "supervisor", "job NAME", "type NAME", "all" */
	char kind[64]; /* [a-z0-9_.-] and letters */
	json_t *body;  /* object, owned; NULL while it is made: empty */
};

struct command_answer {
	uint8_t id[COMMAND_ID_BYTES];
	enum command_code code;
	char text[1000]; /* one sentence for a human, or "" */
	json_t *fields;  /* object, owned; NULL: none */
};

/* A new command: random id, expiry from now; sender.pid and .user are this process's. `body` is taken (NULL: empty).
 * -EINVAL: a name that is too long. -errno: no random bytes. command_fini is due either way. */
int command_init(struct command *command, const char *to, const char *kind, json_t *body, uint64_t patience_ns);
void command_fini(struct command *command);
void command_answer_fini(struct command_answer *answer);
/* Sets code and text; fields stay. Returns code. */
int command_answer_set(struct command_answer *answer, enum command_code code, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/* The same answer again; fields are shared. */
void command_answer_copy(const struct command_answer *answer, struct command_answer *ret_copy);

/* "visitor" …; "nobody" for what is no role. */
const char *command_role_name(enum command_role role);
enum command_role command_role_parse(const char *name);

/* "ok", "refused", "wrong_fields" … for ever the same. */
const char *command_code_name(enum command_code code);
/* COMMAND_UNKNOWN for a name that this version does not know. */
enum command_code command_code_parse(const char *name);
void command_format_id(const uint8_t id[COMMAND_ID_BYTES], char ret_hex[COMMAND_HEX_BYTES]);

/* As objects: new reference; NULL: out of memory, or a text that is not UTF-8. */
json_t *command_to_json(const struct command *command);
json_t *command_answer_to_json(const struct command_answer *answer);
/* ENRG_E_PROTOCOL says what is wrong; the result shares the object's body. */
int command_from_json(const json_t *json, struct command *ret_command, struct enrg_error *err);
int command_answer_from_json(const json_t *json, struct command_answer *ret_answer, struct enrg_error *err);

/* As bytes: malloc'ed; ENRG_E_PROTOCOL where the other side would refuse them. */
int command_format(const struct command *command, void **ret_bytes, size_t *ret_count, struct enrg_error *err);
int command_answer_format(
	const struct command_answer *answer, void **ret_bytes, size_t *ret_count, struct enrg_error *err);
/* Never reads outside of the bytes, never allocates more than a bounded multiple of `count`. */
int command_parse(const void *bytes, size_t count, struct command *ret_command, struct enrg_error *err);
int command_answer_parse(const void *bytes, size_t count, struct command_answer *ret_answer, struct enrg_error *err);

#endif
