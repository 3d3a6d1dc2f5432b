/* fields.h: named values of answers and commands: the framework's side of enrg_fields_… (enrgdaq/message.h). */
#ifndef JOB_SOURCE_FIELDS_H
#define JOB_SOURCE_FIELDS_H

#include <jansson.h>

#include "enrgdaq/message.h"

struct enrg_fields {
	json_t *json; /* object */
};

struct enrg_answer {
	struct enrg_fields fields;
	char text[1000];
};

#endif
