/* serve.c: the server of tests/fixtures/http_server.h for clients that are not written in C. Prints its port; ends with
 * its standard input, and says how many WebSockets were opened and closed.
 * usage: http_serve PING_MS [CERTIFICATE KEY]  */
#include "fixtures/http_server.h"

int main(int argc, char **argv)
{
	struct http_params params = {.tls_certificate = argc > 3 ? argv[2] : NULL,
		.tls_key = argc > 3 ? argv[3] : NULL,
		.limits = {.ping_ms = (uint32_t)atoi(argc > 1 ? argv[1] : "0")}};
	char byte;

	if (serve(&params)) {
		fprintf(stderr, "%s\n", served.err.text);
		return 1;
	}
	printf("%u\n", served.port);
	fflush(stdout);
	while (read(STDIN_FILENO, &byte, 1) > 0)
		continue;
	serve_no_more(NULL);
	printf("%u opened, %u closed\n", atomic_load(&served.opened), atomic_load(&served.closed));
	return 0;
}
