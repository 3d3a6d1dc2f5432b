/* number.h: numbers as text, exact: what is read back is the same number, and no shorter text says so. */
#ifndef NUMBER_NUMBER_H
#define NUMBER_NUMBER_H

#include <stdint.h>

#define NUMBER_BYTES_MAX 32u /* no number is longer; all of them may be written to */

/* Fills the table of powers of ten. Once, before the functions for reals. */
void number_init(void);

/* For tests: 10^k as 128 bits, the first of them set, rounded up. */
#define NUMBER_POWER_MIN (-292)
#define NUMBER_POWER_MAX 324
void number_get_power(int k, uint64_t *ret_high, uint64_t *ret_low);

/* Write at `out` (NUMBER_BYTES_MAX writable bytes, no NUL behind) and return the end. */
char *number_format_u64(char *out, uint64_t value);
char *number_format_i64(char *out, int64_t value);
/* As Python's repr: "1.0", "0.0001", "1e-05", "1e+16", "-0.0", "nan", "inf". */
char *number_format_f64(char *out, double value);
/* The shortest text that reads back as the same float (32 bits). */
char *number_format_f32(char *out, float value);

#endif
