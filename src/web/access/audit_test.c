/* audit_test.c: lines are whole, masked and escaped; storms are counted; a full disk stops nobody; pages come newest
 * first. */
#include "web/access/sample.h"

#include <dirent.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

#include "base/log.h"
#include "base/secret.h"
#include "web/access/audit.h"

static char folder[64];
static struct audit *audit;
static const struct access_who anna = {
	.role = ACCESS_USER, .way = ACCESS_BY_SESSION, .name = "anna", .address = "10.1.2.9"};

static int set_up(void **state)
{
	(void)state;
	sample_make_folder(folder);
	return audit_open(folder, &audit, NULL);
}

static int tear_down(void **state)
{
	(void)state;
	audit_close(audit);
	sample_remove_folder(folder);
	return 0;
}

static void add(const char *what, const char *about, const char *result)
{
	audit_add(audit, &(struct audit_entry){.who = &anna, .what = what, .about = about, .result = result});
}

static json_t *read_page(const char *before, uint32_t limit, const char *what)
{
	json_t *page = audit_read(folder, &(struct audit_query){.before = before, .limit = limit, .what = what}, NULL);

	assert_non_null(page);
	return page;
}

static const char *text_of(const json_t *page, size_t index, const char *key)
{
	const char *text =
		json_string_value(json_object_get(json_array_get(json_object_get(page, "entries"), index), key));

	return text ? text : "";
}

static void a_line_says_all(void **state)
{
	char path[128];
	struct stat now;

	(void)state;
	audit_set_run(audit, "123");
	add("POST /api/v1/runs", "{\"type\":\"calibration\"}", "200");
	audit_flush(audit, 60000);
	json_t *page = read_page(NULL, 10, NULL), *entry = json_array_get(json_object_get(page, "entries"), 0);
	assert_int_equal(json_array_size(json_object_get(page, "entries")), 1);
	assert_true(json_is_null(json_object_get(page, "next")));
	assert_string_equal(text_of(page, 0, "who"), "anna");
	assert_string_equal(text_of(page, 0, "role"), "user");
	assert_string_equal(text_of(page, 0, "way"), "session");
	assert_string_equal(text_of(page, 0, "address"), "10.1.2.9");
	assert_string_equal(text_of(page, 0, "what"), "POST /api/v1/runs");
	assert_string_equal(text_of(page, 0, "run"), "123");
	assert_string_equal(text_of(page, 0, "result"), "200");
	assert_int_equal(strlen(text_of(page, 0, "time")), 24);
	assert_string_equal(json_string_value(json_object_get(json_object_get(entry, "about"), "type")), "calibration");
	json_decref(page);
	snprintf(path, sizeof(path), "%s/audit.jsonl", folder);
	assert_int_equal(stat(path, &now), 0);
	assert_int_equal(now.st_mode & 07777, 0600);
}

static void no_secret_shows(void **state)
{
	static const char about[] =
		"{\"password\":\"hunter2x\",\"nested\":[{\"api-key\":\"hunter2x\",\"n\":1}],\"panel_secret\":12345678,"
		"\"config\":\"user = \\\"daq\\\"\\npassword = \\\"hunter2x\\\"\\nport = 3\\n\",\"has_token\":true,"
		"\"payload\":\"{\\\"token\\\": \\\"hunter2x\\\", \\\"value\\\": 3}\",\"free\":\"it was remembered77\"}";

	(void)state;
	secret_remember("remembered77");
	add("POST /clients/lab/run_custom_daqjob", about, "200");
	add("remembered77", "password = hunter2x", "200");
	audit_flush(audit, 60000);
	char *text = sample_read(folder, "audit.jsonl");
	assert_null(strstr(text, "hunter2x"));
	assert_null(strstr(text, "12345678"));
	assert_null(strstr(text, "remembered77"));
	assert_non_null(strstr(text, "user = \\\"daq\\\""));
	assert_non_null(strstr(text, "port = 3"));
	assert_non_null(strstr(text, "\\\"value\\\":3"));
	assert_non_null(strstr(text, "\"has_token\":true"));
	free(text);
}

/* As behind a proxy that leaves its prefix before /t/TOKEN, cut or whole; words of ours stay. */
static void no_token_shows(void **state)
{
	static const char token[] = "enrg_CaGFontDwzGYnlSgWUuXTbovyuLN4DynZVymvBs9J-_";
	char what[128];

	(void)state;
	snprintf(what, sizeof(what), "GET /daq/t/%s/clients", token);
	add(what, "{\"host\":\"enrg_CaGFontDwzGYnlSg\",\"why\":\"enrg_error_name\"}", "403");
	audit_flush(audit, 60000);
	char *text = sample_read(folder, "audit.jsonl");
	assert_null(strstr(text, "CaGF"));
	assert_non_null(strstr(text, "GET /daq/t/enrg_***/clients"));
	assert_non_null(strstr(text, "\"why\":\"enrg_error_name\""));
	free(text);
}

static void nothing_steers_a_terminal(void **state)
{
	static const struct access_who evil = {.name = "a\n{\"who\":\"root\"}\x1b[2J\x7f", .address = "\xff\xfe"};
	size_t lines = 0;

	(void)state;
	audit_add(audit, &(struct audit_entry){.who = &evil,
				 .what = "GET /\r\n\xc2\x9b\xe2\x80\xae\xf0\x9f\x98\x80",
				 .about = "not JSON \x01\xff",
				 .result = "401"});
	audit_flush(audit, 60000);
	char *text = sample_read(folder, "audit.jsonl");
	for (const char *one = text; *one; one++) {
		lines += *one == '\n';
		assert_true(*one == '\n' || (*one >= ' ' && *one < 0x7f));
	}
	assert_int_equal(lines, 1);
	json_t *page = read_page(NULL, 10, NULL);
	assert_int_equal(json_array_size(json_object_get(page, "entries")), 1);
	json_decref(page);
	free(text);
}

static void a_storm_is_counted(void **state)
{
	unsigned long long counted = 0, lines = 0;
	char *text, *line, *place;

	(void)state;
	for (int i = 0; i < 9143; i++)
		audit_add(audit,
			&(struct audit_entry){.who = &anna, .what = "GET /storm", .result = "401", .is_refused = true});
	add("POST /change", NULL, "200"); /* is never counted away */
	audit_close(audit);
	text = sample_read(folder, "audit.jsonl");
	assert_int_equal(audit_open(folder, &audit, NULL), 0);
	for (line = strtok_r(text, "\n", &place); line; line = strtok_r(NULL, "\n", &place)) {
		const char *more = strstr(line, "\"and ");
		lines += strstr(line, "GET /storm") != NULL;
		counted += more ? strtoull(more + 5, NULL, 10) : 0;
	}
	free(text);
	assert_int_equal(lines + counted, 9143);
	assert_true(lines >= AUDIT_REFUSED_PER_SECOND && lines < 9143 / 2);
	text = sample_read(folder, "audit.jsonl");
	assert_non_null(strstr(text, "POST /change"));
	free(text);
}

/* A limit of the file's size fails as a full disk does: a part of a line, then nothing. In a process of its own, since
 * limits stay. */
static void fill_the_disk(void)
{
	struct rlimit small = {.rlim_cur = 1000, .rlim_max = RLIM_INFINITY}, large = {RLIM_INFINITY, RLIM_INFINITY};

	signal(SIGXFSZ, SIG_IGN);
	log_init("test", ENRG_ERROR + 1);
	setrlimit(RLIMIT_FSIZE, &small);
	for (int i = 0; i < 20; i++) {
		char what[32];
		snprintf(what, sizeof(what), "POST /change/%02d", i);
		add(what, NULL, "200"); /* never waits */
		audit_flush(audit, 60000);
	}
	setrlimit(RLIMIT_FSIZE, &large);
	add("POST /change/20", NULL, "200");
	audit_close(audit); /* writes what waits */
	_exit(0);
}

static void a_full_disk_stops_nobody(void **state)
{
	int status;

	(void)state;
	audit_close(audit);
	pid_t child = fork();
	if (child == 0) {
		if (audit_open(folder, &audit, NULL))
			_exit(1);
		fill_the_disk();
	}
	waitpid(child, &status, 0);
	assert_int_equal(status, 0);
	assert_int_equal(audit_open(folder, &audit, NULL), 0);
	json_t *page = read_page(NULL, 100, "POST /change/");
	assert_int_equal(json_array_size(json_object_get(page, "entries")), 21); /* each once */
	for (size_t i = 0; i < 21; i++) {
		char what[32];
		snprintf(what, sizeof(what), "POST /change/%02d", (int)(20 - i));
		assert_string_equal(text_of(page, i, "what"), what);
	}
	json_decref(page);
}

/* More than may wait for the disk: counted, and said when it is written again. */
static void overflow(void)
{
	struct rlimit none = {.rlim_cur = 0, .rlim_max = RLIM_INFINITY}, large = {RLIM_INFINITY, RLIM_INFINITY};
	static char about[4000];

	signal(SIGXFSZ, SIG_IGN);
	log_init("test", ENRG_ERROR + 1);
	memset(about, 'a', sizeof(about) - 1);
	setrlimit(RLIMIT_FSIZE, &none);
	for (int i = 0; i < 1200; i++)
		add("POST /change", about, "200");
	setrlimit(RLIMIT_FSIZE, &large);
	audit_close(audit);
	_exit(0);
}

static void what_finds_no_room_is_counted(void **state)
{
	int status, lines = 0, lost = 0;

	(void)state;
	audit_close(audit);
	pid_t child = fork();
	if (child == 0) {
		if (audit_open(folder, &audit, NULL))
			_exit(1);
		overflow();
	}
	waitpid(child, &status, 0);
	assert_int_equal(status, 0);
	assert_int_equal(audit_open(folder, &audit, NULL), 0);
	for (char before[64] = "", *end = before; end;) {
		json_t *page = read_page(before, 1000, NULL);
		for (size_t i = 0; i < json_array_size(json_object_get(page, "entries")); i++) {
			lines += !strcmp(text_of(page, i, "what"), "POST /change");
			lost += strstr(text_of(page, i, "what"), "lines were lost") ? atoi(text_of(page, i, "what"))
										    : 0;
		}
		const char *next = json_string_value(json_object_get(page, "next"));
		snprintf(before, sizeof(before), "%s", next ? next : "");
		json_decref(page);
		end = *before ? before : NULL;
	}
	assert_true(lines > 500 && lines < 1200);
	assert_int_equal(lines + lost, 1200);
}

static unsigned count_kept(void)
{
	DIR *open_folder = opendir(folder);
	unsigned count = 0;

	for (const struct dirent *entry; (entry = readdir(open_folder));)
		count += !strncmp(entry->d_name, "audit-", 6);
	closedir(open_folder);
	return count;
}

/* Texts of started jobs: a page of a thousand would not fit into the memory of the process. */
static void a_page_ends_with_its_bytes(void **state)
{
	static char text[250000];
	char before[64] = "";
	size_t seen = 0, pages = 0;

	(void)state;
	memset(text, 'x', sizeof(text) - 1);
	for (int i = 0; i < 20; i++) {
		add("POST /run", text, "200");
		audit_flush(audit, 60000);
	}
	do {
		json_t *page = read_page(before, AUDIT_PAGE_MAX, NULL);
		size_t count = json_array_size(json_object_get(page, "entries"));
		const char *next = json_string_value(json_object_get(page, "next"));
		assert_true(count * sizeof(text) < AUDIT_PAGE_BYTES_MAX + 2 * sizeof(text));
		snprintf(before, sizeof(before), "%s", next ? next : "");
		seen += count;
		pages++;
		json_decref(page);
	} while (*before && pages < 20);
	assert_int_equal(seen, 20);
	assert_int_equal(pages, 2);
}

static void a_large_file_is_kept_and_pages_go_on(void **state)
{
	char what[64], before[64] = "", path[128];
	size_t seen = 0;

	(void)state;
	for (int i = 0; i < 50; i++) {
		snprintf(what, sizeof(what), "POST /old/%02d", i);
		add(what, NULL, "200");
	}
	audit_flush(audit, 60000);
	snprintf(path, sizeof(path), "%s/audit.jsonl", folder);
	FILE *stream = fopen(path, "a");
	for (int i = 0; i < AUDIT_FILE_BYTES_MAX / 1000; i++) /* lines that are none: stepped over */
		fprintf(stream, "%-999s\n", "x");
	fputs("{\"torn", stream);
	fseek(stream, AUDIT_FILE_BYTES_MAX, SEEK_SET);
	fputs("x", stream);
	fclose(stream);
	for (int i = 50; i < 75; i++) {
		snprintf(what, sizeof(what), "POST /new/%02d", i);
		add(what, NULL, "200");
	}
	audit_flush(audit, 60000);
	assert_int_equal(count_kept(), 1);
	for (int pages = 0; pages < 40; pages++) {
		json_t *page = read_page(before, 7, "POST /");
		size_t count = json_array_size(json_object_get(page, "entries"));
		for (size_t i = 0; i < count; i++, seen++) {
			snprintf(what, sizeof(what), "/%02d", (int)(74 - seen));
			assert_non_null(strstr(text_of(page, i, "what"), what));
		}
		const char *next = json_string_value(json_object_get(page, "next"));
		snprintf(before, sizeof(before), "%s", next ? next : "");
		json_decref(page);
		if (!*before)
			break;
	}
	assert_int_equal(seen, 75);
	assert_null(audit_read(folder, &(struct audit_query){.before = "x"}, NULL));
	assert_null(audit_read(folder, &(struct audit_query){.limit = AUDIT_PAGE_MAX + 1}, NULL));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_line_says_all, set_up, tear_down),
		cmocka_unit_test_setup_teardown(no_secret_shows, set_up, tear_down),
		cmocka_unit_test_setup_teardown(no_token_shows, set_up, tear_down),
		cmocka_unit_test_setup_teardown(nothing_steers_a_terminal, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_storm_is_counted, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_full_disk_stops_nobody, set_up, tear_down),
		cmocka_unit_test_setup_teardown(what_finds_no_room_is_counted, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_page_ends_with_its_bytes, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_large_file_is_kept_and_pages_go_on, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
