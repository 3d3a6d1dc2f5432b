/* curve.c: see the header. */
#include "bus/curve.h"

#include <errno.h>
#include <zmq.h>

int curve_make_keys(char ret_public[CURVE_KEY_BYTES], char ret_secret[CURVE_KEY_BYTES])
{
	if (!zmq_has("curve"))
		return -ENOTSUP;
	return zmq_curve_keypair(ret_public, ret_secret) ? -zmq_errno() : 0;
}
