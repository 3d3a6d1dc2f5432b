/* cnc_keys.c: `enrgdaq cnc-keys`: a new pair of keys for command and control between machines, as lines of
 * supervisor.toml. */
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "bus/curve.h"
#include "cli/cli.h"
#include "cli/usage.h"

static const char usage[] = "usage: enrgdaq cnc-keys\n"
			    "\n"
			    "Prints a new pair of CURVE keys, as two lines for [cnc] of supervisor.toml. Each machine "
			    "has a pair of its own; the\n"
			    "server lists the public keys of the others in curve_allowed_keys, they have its public "
			    "key as curve_server_key.\n"
			    "The secret key is printed once and kept nowhere: whoever has it is that machine.\n"
			    "\n"
			    "Exit code: 0 printed, 1 libzmq of this machine has no CURVE, 2 usage.\n";

int cli_cnc_keys(int argc, char **argv)
{
	static const struct option options[] = {{"help", no_argument, NULL, 'h'}, {0}};
	char public[CURVE_KEY_BYTES], secret[CURVE_KEY_BYTES];
	int option;

	while ((option = getopt_long(argc, argv, "h", options, NULL)) >= 0) {
		if (option != 'h')
			return cli_option_error("cnc-keys");
		fputs(usage, stdout);
		return 0;
	}
	if (optind < argc)
		return cli_usage_error("cnc-keys", "it takes no arguments, found %s", argv[optind]);
	if (curve_make_keys(public, secret)) {
		fputs("enrgdaq cnc-keys: libzmq of this machine was built without CURVE (Debian: libzmq5 has it)\n",
			stderr);
		return 1;
	}
	printf("curve_public_key = \"%s\"\ncurve_secret_key = \"%s\"\n", public, secret);
	explicit_bzero(secret, sizeof(secret));
	return 0;
}
