/* exposition.h: writes the text format of Prometheus (version 0.0.4,
 * https://prometheus.io/docs/instrumenting/exposition_formats/): families one after another, each with HELP and TYPE,
 * then its samples. One thread. Process: enrgdaq-web. */
#ifndef WEB_METRICS_EXPOSITION_H
#define WEB_METRICS_EXPOSITION_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum family_type { FAMILY_COUNTER, FAMILY_GAUGE, FAMILY_HISTOGRAM, FAMILY_SUMMARY };

struct exposition {
	FILE *stream;
	const char *family; /* that is being written */
};

struct label {
	const char *name, *value; /* a NULL name ends a list; what is no UTF-8 text in a value becomes '?' */
};

/* Names are literals, or live as long as the family is written. */
void exposition_begin(struct exposition *exposition, const char *family, enum family_type type, const char *help);
/* `suffix`: "" or of a histogram ("_bucket"); `more`: a label as text ("quantile=\"0.5\""), or NULL. NaN is left out.
 */
struct sample {
	const char *suffix, *more;
	const struct label *labels;
};
void exposition_put(struct exposition *exposition, const struct sample *sample, double value);
void exposition_put_count(struct exposition *exposition, const struct sample *sample, uint64_t value);

#endif
