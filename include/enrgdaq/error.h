/* error.h: result codes and the error object that collects a chain of context.
 *
 * Every function that can fail returns `int`: 0 (or a positive, documented outcome) on success, a negative code on
 * failure. System errors are -errno; ENRGDAQ's own are below -1000. Where a human must act, the last parameter is a
 * `struct enrg_error *`; it may be NULL. Not thread safe: one object belongs to one thread at a time.
 */
#ifndef ENRGDAQ_ERROR_H
#define ENRGDAQ_ERROR_H

#include <stdarg.h>
#include <stddef.h>

#define ENRG_API __attribute__((visibility("default")))

#ifdef __cplusplus
extern "C" {
#endif

enum {
	ENRG_E_CONFIG = -1001,   /* a configuration that a human must mend */
	ENRG_E_CORRUPT = -1002,  /* bytes that fail their check: CRC, bounds, magic */
	ENRG_E_SEQUENCE = -1003, /* a batch is missing or came twice */
	ENRG_E_STOPPED = -1004,  /* asked to stop while waiting */
	ENRG_E_PLUGIN = -1005,   /* a module that can't be loaded or has another ABI */
	ENRG_E_PROTOCOL = -1006, /* a message that does not follow docs/control-protocol.md */
	ENRG_E_VERSION = -1007, /* what another version of this program made, in a format that this one does not know */
};

struct enrg_error {
	int code;        /* 0 = none */
	char text[1000]; /* "outer: inner: what, and what to do"; always terminated */
};

/* Sets code and text and returns the code, so that `return enrg_error_set(err, -EINVAL, "…")` reads well.
 * With err NULL it only returns the code. */
ENRG_API int enrg_error_set(struct enrg_error *err, int code, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* Puts "context: " before the text and returns rc, also with err NULL: `return enrg_error_add(err, rc, "job %s", name)`
 * never turns a failure into a success. err gets rc as its code, and the name of rc as its text where the callee left
 * none. */
ENRG_API int enrg_error_add(struct enrg_error *err, int rc, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* A constant English phrase for a code, also for -errno. Thread safe. Never NULL. */
ENRG_API const char *enrg_error_name(int code);

#ifdef __cplusplus
}
#endif

#endif
