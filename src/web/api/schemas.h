/* schemas.h: JSON Schemas with a name, which answers of several routes share; in an answer's schema "#Name" stands for
 * one. Any thread. Process: enrgdaq-web. */
#ifndef WEB_API_SCHEMAS_H
#define WEB_API_SCHEMAS_H

struct schema {
	const char *name; /* NULL ends the list */
	const char *text; /* JSON */
};

extern const struct schema schemas[];

#endif
