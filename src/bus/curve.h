/* curve.h: keys of CURVE, ZeroMQ's encryption. Any thread. */
#ifndef BUS_CURVE_H
#define BUS_CURVE_H

#define CURVE_KEY_BYTES 41u /* 40 characters (Z85) and a NUL */

/* A new pair. -ENOTSUP: libzmq of this machine was built without CURVE. */
int curve_make_keys(char ret_public[CURVE_KEY_BYTES], char ret_secret[CURVE_KEY_BYTES]);

#endif
