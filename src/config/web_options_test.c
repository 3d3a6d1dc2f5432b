/* web_options_test.c: [cnc] and [web]: what is judged, and that settings survive the way to another process. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/folder.h"
#include "config/options_json.h"
#include "config/options_values.h"
#include "config/web_options.h"

#define KEY "rq:rM>}U?@Lns47E1%kR.o@n%FcmmsL/@{H8]yf7"

struct fixture {
	struct types *types;
	struct problems problems;
	struct folder *folder;
	char *printed;
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	setenv(WEB_PROGRAM_VARIABLE, "/bin/true", 1);
	problems_init(&f->problems);
	*state = f;
	return types_create_static(NULL, 0, &f->types, NULL);
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	folder_free(f->folder);
	problems_fini(&f->problems);
	types_free(f->types);
	free(f->printed);
	free(f);
	return 0;
}

static void load(struct fixture *f, const char *rest)
{
	char text[2000];
	const char *const names[] = {"supervisor.toml"}, *const texts[] = {text};
	size_t count = 0;

	snprintf(text, sizeof(text), "info.supervisor_id = 'one'\n%s", rest);
	assert_int_equal(
		folder_load_texts(&(struct folder_texts){1, names, texts}, f->types, &f->folder, &f->problems, NULL),
		0);
	FILE *stream = open_memstream(&f->printed, &count);
	problems_print(&f->problems, stream);
	fclose(stream);
}

static void test_absent(void **state)
{
	struct fixture *f = *state;

	load(f, "");
	assert_false(f->folder->supervisor.has_cnc);
	assert_int_equal(f->folder->supervisor.web.connections, 256);
	assert_null(strstr(f->printed, "cnc"));
}

static void test_wrong(void **state)
{
	struct fixture *f = *state;

	load(f, "[cnc]\ncurve_public_key = 'short'\ncurve_allowed_keys = ['" KEY "', 'x']\ncustom_jobs = 'some'\n"
		"[web]\ntls_key = 'a'\nconnections = 5\n");
	assert_int_equal(f->problems.errors, 7);
	assert_non_null(strstr(f->printed, "cnc.custom_jobs: expected one of"));
	assert_non_null(strstr(f->printed, "cnc.curve_public_key: expected a CURVE key"));
	assert_non_null(strstr(f->printed, "cnc.curve_allowed_keys: expected a CURVE key"));
	assert_non_null(strstr(f->printed, "cnc.curve_public_key: the other half"));
	assert_non_null(strstr(f->printed, "cnc.curve_allowed_keys: it needs a pair"));
	assert_non_null(strstr(f->printed, "web.tls_key: it goes together with tls_certificate"));
	assert_non_null(strstr(f->printed, "web.connections_per_address: more (64) than"));
}

static void test_warnings(void **state)
{
	struct fixture *f = *state;

	load(f, "[web]\npanel_secret = 'abc'\nring_buffer_size_mb = 3\n");
	assert_int_equal(f->problems.errors, 0);
	assert_non_null(strstr(f->printed, "web.ring_buffer_size_mb: stands below [web]"));
	assert_non_null(strstr(f->printed, "web: has no effect without [cnc]"));
	assert_non_null(strstr(f->printed, "web.panel_secret: has no effect without web.proxies"));
}

static void test_no_program(void **state)
{
	struct fixture *f = *state;

	setenv(WEB_PROGRAM_VARIABLE, "/nonexistent/enrgdaq-web", 1);
	load(f, "[cnc]\nrest_api_enabled = true\n");
	assert_int_equal(f->problems.errors, 0);
	assert_non_null(strstr(f->printed, "the program enrgdaq-web is not installed"));
	assert_true(f->folder->supervisor.has_cnc);
}

/* As the supervisor hands them to enrgdaq-web. */
static void test_way_to_another_process(void **state)
{
	struct fixture *f = *state;
	struct options_memory *memory = options_memory_create();
	char wrong[500] = "";
	void *filled = NULL;

	load(f, "[cnc]\nis_server = true\nrest_api_port = 9\ncustom_jobs = 'templates'\ncurve_public_key = '" KEY
		"'\ncurve_secret_key = '" KEY "'\ncurve_allowed_keys = ['" KEY "']\n"
		"[web]\nhosts = ['daq.lab', 'x']\nscope_megabytes_per_second = 2.5\npanel_secret = 's3'\nproxies = "
		"['::1']\n");
	assert_int_equal(f->problems.errors, 0);
	json_t *cnc = options_values(&cnc_table, &f->folder->supervisor.cnc);
	json_t *web = options_values(&web_table, &f->folder->supervisor.web);
	assert_int_equal(options_fill_json(&cnc_table, cnc, memory, &filled, wrong, sizeof(wrong)), 0);
	const struct cnc_options *c = filled;
	assert_true(c->is_server);
	assert_int_equal(c->rest_api_port, 9);
	assert_int_equal(c->custom_jobs, CNC_CUSTOM_TEMPLATES);
	assert_string_equal(c->curve_secret_key, KEY);
	assert_string_equal(c->curve_allowed_keys.items[0], KEY);
	assert_null(c->curve_server_key);
	assert_int_equal(options_fill_json(&web_table, web, memory, &filled, wrong, sizeof(wrong)), 0);
	const struct web_options *w = filled;
	assert_int_equal(w->hosts.count, 2);
	assert_string_equal(w->hosts.items[0], "daq.lab");
	assert_true(w->scope_megabytes_per_second == 2.5);
	assert_string_equal(w->panel_secret, "s3");
	assert_null(w->folder);
	json_decref(cnc);
	json_decref(web);
	options_memory_destroy(memory);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_absent, setup, teardown),
		cmocka_unit_test_setup_teardown(test_wrong, setup, teardown),
		cmocka_unit_test_setup_teardown(test_warnings, setup, teardown),
		cmocka_unit_test_setup_teardown(test_no_program, setup, teardown),
		cmocka_unit_test_setup_teardown(test_way_to_another_process, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
