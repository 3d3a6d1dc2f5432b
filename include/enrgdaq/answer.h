/* answer.h: what becomes of a command, as jobs and clients are told. */
#ifndef ENRGDAQ_ANSWER_H
#define ENRGDAQ_ANSWER_H

#ifdef __cplusplus
extern "C" {
#endif

enum enrg_answer_code {
	ENRG_ANSWER_OK = 0,
	ENRG_ANSWER_REFUSED = 1,      /* nothing was done: not allowed, not possible now, or who was asked is down */
	ENRG_ANSWER_WRONG_FIELDS = 2, /* nothing was done: `text` names all that is wrong */
	ENRG_ANSWER_NO_KIND = 3,      /* who was asked does not know such a command */
	ENRG_ANSWER_NOBODY = 4,       /* there is no such job or type */
	ENRG_ANSWER_EXPIRED = 5,      /* nothing was done: it came too late */
	ENRG_ANSWER_FAILED = 6,       /* it was begun, and failed */
	ENRG_ANSWER_UNKNOWN = 7,      /* it may have been done or not: read the state back */
};

#ifdef __cplusplus
}
#endif

#endif
