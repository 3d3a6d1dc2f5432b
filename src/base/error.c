/* error.c: the error object. */
#include "enrgdaq/error.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/secret.h"
#include "base/text.h"

int enrg_error_set(struct enrg_error *err, int rc, const char *format, ...)
{
	if (err) {
		va_list arguments;
		va_start(arguments, format);
		err->code = rc;
		vsnprintf(err->text, sizeof(err->text), format, arguments);
		va_end(arguments);
		secret_hide(err->text);
	}
	return rc;
}

int enrg_error_add(struct enrg_error *err, int rc, const char *format, ...)
{
	char before[sizeof(((struct enrg_error *)0)->text)];
	va_list arguments;

	if (!err)
		return rc;
	va_start(arguments, format);
	vsnprintf(before, sizeof(before), format, arguments);
	va_end(arguments);
	secret_hide(before);
	size_t used = strlen(before);
	if (used + 3 < sizeof(before)) {
		memcpy(before + used, ": ", 2);
		text_copy(before + used + 2, sizeof(before) - used - 2, err->text[0] ? err->text : enrg_error_name(rc));
	}
	memcpy(err->text, before, sizeof(err->text));
	err->code = rc;
	return rc;
}

const char *enrg_error_name(int rc)
{
	switch (rc) {
	case ENRG_E_CONFIG:
		return "the configuration needs a human";
	case ENRG_E_CORRUPT:
		return "corrupt data";
	case ENRG_E_SEQUENCE:
		return "a batch is missing or came twice";
	case ENRG_E_STOPPED:
		return "asked to stop";
	case ENRG_E_PLUGIN:
		return "unusable module";
	case ENRG_E_PROTOCOL:
		return "malformed message";
	case ENRG_E_VERSION:
		return "a format of another version";
	default:
		return strerrordesc_np(rc < 0 ? -rc : rc) ? strerrordesc_np(rc < 0 ? -rc : rc) : "unknown error";
	}
}
