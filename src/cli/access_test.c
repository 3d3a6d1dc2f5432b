/* access_test.c: `enrgdaq token`, `user` and `certificate` as a person calls them: exit codes, what is printed, a
 * terminal that shows no password, and which system is meant. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

static char folder[64], output[16384];

static int set_up(void **state)
{
	char path[128];

	(void)state;
	strcpy(folder, "/tmp/enrgdaq_cli_XXXXXX");
	assert_non_null(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/runtime", folder);
	assert_int_equal(mkdir(path, 0700), 0);
	return setenv("ENRGDAQ_RUNTIME_DIR", path, 1);
}

static int tear_down(void **state)
{
	char line[128];

	(void)state;
	snprintf(line, sizeof(line), "rm -rf '%s'", folder);
	return system(line);
}

static void write_file(const char *name, const char *text, mode_t mode)
{
	char path[256];

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	FILE *stream = fopen(path, "w");
	assert_non_null(stream);
	fputs(text, stream);
	fclose(stream);
	assert_int_equal(chmod(path, mode), 0);
}

/* In `folder`; exit code, `output` holds both streams. */
static int call(const char *arguments)
{
	char line[1024];

	snprintf(line, sizeof(line), "cd '%s' && '%s' %s 2>&1", folder, getenv("ENRGDAQ_BIN"), arguments);
	FILE *pipe = popen(line, "re");
	assert_non_null(pipe);
	output[fread(output, 1, sizeof(output) - 1, pipe)] = '\0';
	int status = pclose(pipe);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void assert_call(const char *arguments, int rc, const char *part)
{
	int found = call(arguments);

	if (found != rc || !strstr(output, part))
		fail_msg("enrgdaq %s: %d (expected %d), lacks \"%s\":\n%s", arguments, found, rc, part, output);
}

static void usage_is_explained(void **state)
{
	(void)state;
	assert_call("help token", 0, "usage: enrgdaq token add NAME");
	assert_call("user --help", 0, "usage: enrgdaq user add NAME");
	assert_call("certificate -h", 0, "usage: enrgdaq certificate FOLDER");
	assert_call("token", 2, "enrgdaq token: add, list or remove was expected");
	assert_call("token --nonsense", 1, "no system with [cnc] runs here");
	assert_call("token list --nonsense --folder w", 2, "enrgdaq token: unrecognized option '--nonsense'");
	assert_call("token add x --folder w", 2, "--role visitor, user or admin was expected");
	assert_call("token add x --role boss --folder w", 2, "not \"boss\"");
	assert_call("token add x --role user --days 0 --folder w", 2, "from 1 to 36500");
	assert_call("token list x --folder w", 2, "list takes no name");
	assert_call("token remove --folder w", 2, "remove: one NAME was expected");
	assert_call("token remove x --role user --folder w", 2, "--role and --days go with add");
	assert_call("user change anna --folder w", 2, "--role, --password or --password-file was expected");
	assert_call("user add anna --folder w", 2, "--role visitor, user or admin was expected");
	assert_call("user", 2, "add, change, list or remove was expected");
	assert_call("certificate", 2, "one FOLDER was expected");
	assert_call("certificate t --days 4000", 2, "from 1 to 3650");
}

static void tokens_are_made_and_removed(void **state)
{
	(void)state;
	assert_call("token list --folder w", 0, "no tokens");
	assert_call("token add script --role user --days 3 --folder w", 0, "made the folder w");
	assert_non_null(strstr(output, "enrg_"));
	assert_call("token add script --role user --folder w", 1, "there is a token \"script\" already");
	assert_call("token list --folder=w", 0, "script                   user     since 20");
	assert_call("token list --folder w --json", 0, "\"expired\": false");
	assert_call("token remove script --folder w", 0, "refused from now on");
	assert_call("token remove script --folder w", 1, "there is no token \"script\" in w");
	assert_int_equal(call("--version; grep -c '\"way\":\"local\"' w/audit.jsonl; ls -l w"), 0);
	assert_non_null(strstr(output, "\n3\n")); /* each change, also the one that failed */
	assert_non_null(strstr(output, "-rw-------"));
}

static void which_system_is_meant(void **state)
{
	(void)state;
	assert_call("token list", 1, "no system with [cnc] runs here, or has run: --config FOLDER");
	assert_call("token list --id lab", 1, "no system \"lab\" with [cnc]");
	write_file("supervisor.toml", "[info]\nsupervisor_id = \"lab\"\n[web]\nfolder = \"who\"\n", 0644);
	assert_call("token add a --role user --config .", 0, "made the folder who");
	assert_call("token list --config=.", 0, "a   ");
	write_file("supervisor.toml", "[info]\nsupervisor_id = \"lab 1\"\n[runs]\ndatabase = \"book/runs.sqlite\"\n",
		0644);
	assert_call("token add b --role user --config .", 0, "made the folder book/web_lab_1");
	write_file("supervisor.toml", "[info]\nsupervisor_id = \"lab\"\n", 0644);
	assert_call("token add c --role user --config .", 0, "made the folder out/web_lab");
	write_file("supervisor.toml", "[info]\nsupervisor_id = 3\n", 0644);
	assert_call("token list --config .", 2, "supervisor_id");
}

static void passwords_come_from_files(void **state)
{
	(void)state;
	write_file("password", "correct horse\n", 0600);
	write_file("open", "correct horse\n", 0644);
	int rc = call("user add anna --role user --password-file password --folder w");
	if (strstr(output, "without libcrypt"))
		skip();
	assert_int_equal(rc, 0);
	assert_non_null(strstr(output, "added: anna can log in as user"));
	assert_call(
		"user add anna --role user --password-file password --folder w", 1, "somebody called \"anna\" already");
	assert_call("user change anna --password-file open --folder w", 1, "open has mode 0644");
	assert_call("user change anna --password-file - --folder w </dev/null", 1, "standard input holds no password");
	assert_call("user change anna --role admin --folder w", 0, "changed: anna");
	assert_call("user list --folder w", 0, "anna                     admin    since 20");
	assert_call("user remove anna --folder w", 0, "can't log in any more");
	assert_call("user list --folder w", 0, "nobody");
}

/* --- a person at a terminal --- */

static void read_until(int master, const char *part)
{
	size_t used = strlen(output);

	while (!strstr(output, part)) {
		ssize_t got = read(master, output + used, sizeof(output) - used - 1);
		if (got <= 0)
			fail_msg("the terminal lacks \"%s\":\n%s", part, output);
		used += (size_t)got;
		output[used] = '\0';
	}
}

static pid_t start_at_terminal(const char *name, int *ret_master)
{
	int master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);

	assert_true(master >= 0 && !grantpt(master) && !unlockpt(master));
	pid_t child = fork();
	if (child == 0) {
		char role[] = "--role";
		setsid();
		int slave = open(ptsname(master), O_RDWR);
		ioctl(slave, TIOCSCTTY, 0);
		dup2(slave, 0);
		dup2(slave, 1);
		dup2(slave, 2);
		if (chdir(folder))
			_exit(3);
		execl(getenv("ENRGDAQ_BIN"), "enrgdaq", "user", "add", name, role, "user", "--folder", "w",
			(char *)NULL);
		_exit(3);
	}
	*ret_master = master;
	*output = '\0';
	return child;
}

static int end_at_terminal(pid_t child, int master)
{
	int status;

	waitpid(child, &status, 0);
	close(master);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void type(int master, const char *text)
{
	assert_int_equal(write(master, text, strlen(text)), (ssize_t)strlen(text));
}

static void a_terminal_shows_no_password(void **state)
{
	int master;

	(void)state;
	write_file("password", "correct horse\n", 0600);
	if (call("user add first --role user --password-file password --folder w") == 1)
		skip(); /* built without libcrypt */
	pid_t child = start_at_terminal("anna", &master);
	read_until(master, "password: ");
	type(master, "wrong\x15"
		     "correct horsf\x7f"
		     "e\r");
	read_until(master, "the same again: ");
	type(master, "correct horse\r");
	read_until(master, "added: anna");
	assert_null(strstr(output, "hors"));
	assert_int_equal(end_at_terminal(child, master), 0);
	child = start_at_terminal("berta", &master);
	read_until(master, "password: ");
	type(master, "correct horse\r");
	read_until(master, "the same again: ");
	type(master, "another horse\r");
	read_until(master, "the two differ: nothing was changed");
	assert_int_equal(end_at_terminal(child, master), 1);
	child = start_at_terminal("berta", &master);
	read_until(master, "password: ");
	type(master, "corr\x03"); /* Ctrl-C */
	read_until(master, "nothing was changed");
	assert_int_equal(end_at_terminal(child, master), 1);
	assert_call("user list --folder w", 0, "anna");
	assert_null(strstr(output, "berta"));
}

static void a_certificate_is_for_this_machine(void **state)
{
	char path[128];
	struct stat now;

	(void)state;
	int rc = call("certificate tls --name daq.lab --name 10.1.2.3");
	if (strstr(output, "without OpenSSL"))
		skip();
	assert_int_equal(rc, 0);
	assert_non_null(strstr(output, "  daq.lab\n  10.1.2.3\n"));
	assert_non_null(strstr(output, "  localhost\n"));
	assert_non_null(strstr(output, "  127.0.0.1\n"));
	assert_non_null(strstr(output, "tls/key.pem\""));
	snprintf(path, sizeof(path), "%s/tls/key.pem", folder);
	assert_int_equal(stat(path, &now), 0);
	assert_int_equal(now.st_mode & 07777, 0600);
	assert_call("certificate tls", 1, "--replace replaces both");
	assert_call("certificate tls --replace --days 30", 0, "valid for 30 days");
	assert_call("certificate tls --name 'a b'", 2, "not \"a b\"");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(usage_is_explained, set_up, tear_down),
		cmocka_unit_test_setup_teardown(tokens_are_made_and_removed, set_up, tear_down),
		cmocka_unit_test_setup_teardown(which_system_is_meant, set_up, tear_down),
		cmocka_unit_test_setup_teardown(passwords_come_from_files, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_terminal_shows_no_password, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_certificate_is_for_this_machine, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
