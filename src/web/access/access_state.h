/* access_state.h: what the files of this room share. */
#ifndef WEB_ACCESS_ACCESS_STATE_H
#define WEB_ACCESS_ACCESS_STATE_H

#include <pthread.h>

#include "web/access/access.h"
#include "web/access/audit.h"
#include "web/access/people.h"
#include "web/access/sessions.h"
#include "web/access/throttle.h"
#include "web/access/tokens.h"

enum { ACCESS_PEERS = 256 };

struct access_peer { /* the user at the other end of a connection, which stays the same as long as it lasts */
	uint64_t connection;
	uint32_t user;
};

struct access {
	char folder[4096];
	char *panel_secret;
	char **hosts, **origins; /* NULL at the end */
	uint16_t port;
	uint32_t owner;
	struct audit *audit;
	pthread_mutex_t mutex; /* of all that follows */
	struct tokens tokens;
	struct people people;
	struct record_stamp tokens_stamp, people_stamp;
	struct sessions sessions;
	struct throttle throttle;
	struct access_peer peers[ACCESS_PEERS];
};

/* With the mutex. Reads tokens and people anew where their files have changed; what can't be read lets nobody in. */
void access_refresh(struct access *access);
/* With the mutex: what a session rests on is there and as it was. Sets role and name. */
bool access_session_stands(struct access *access, const struct session *session, struct access_who *ret_who);
/* Of the clock that only goes on; never 0. */
int64_t access_clock_s(void);
/* What a session of a person rests on: name, password, and when he came. */
void access_person_proof(const struct person *person, uint8_t ret_proof[SHA256_BYTES]);
#endif
