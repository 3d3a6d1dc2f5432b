/* serial_identity_test.c: an adapter is found from its port, in a /sys that is played. In the test process. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "identity.h"

static void an_adapter_is_found_from_its_port(void **state)
{
	char folder[] = "/tmp/enrg-identity-XXXXXX", command[800], device[100], other[100];
	struct identity identity = {0};

	(void)state;
	assert_non_null(mkdtemp(folder));
	snprintf(command, sizeof(command),
		"cd %s && mkdir -p usb1/1-2/1-2:1.0/ttyUSB7 class/tty/ttyUSB7 class/tty/ttyS7 platform && "
		"echo 'FT232R USB UART' >usb1/1-2/product && echo A50285BI >usb1/1-2/serial && "
		"ln -s ../../../usb1/1-2/1-2:1.0/ttyUSB7 class/tty/ttyUSB7/device && "
		"ln -s ../../../platform class/tty/ttyS7/device && touch ttyUSB7 ttyS7 && ln -s ttyUSB7 scale",
		folder);
	assert_int_equal(system(command), 0);
	snprintf(device, sizeof(device), "%s/scale", folder);
	snprintf(other, sizeof(other), "%s/ttyS7", folder);
	assert_true(identity_read(folder, device, &identity));
	assert_string_equal(identity.model, "FT232R USB UART");
	assert_string_equal(identity.serial, "A50285BI");
	assert_string_equal(identity.firmware, "");
	assert_false(identity_read(folder, other, &identity));
	assert_false(identity_read(folder, "/none", &identity));
	snprintf(command, sizeof(command), "rm -rf %s", folder);
	assert_int_equal(system(command), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(an_adapter_is_found_from_its_port)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
