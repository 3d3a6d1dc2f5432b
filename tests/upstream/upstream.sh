#!/bin/bash
# Folders of the Python ENRGDAQ, as its loader and its documentation have them: upstream.sh CASE. Each *.toml beside this
# file is one snippet; its first line says what it is and what becomes of it:
#   #: job|bare|supervisor|environment ok | warn TEXT | refuse TEXT | later
# job: in a folder with a supervisor and the stores that have to be configured; bare: without those; later: taken, or named
# as a type that is not built yet.
. "$(dirname "$0")/../system/harness.sh"

# Others may configure a database for this user.
unset MYSQL_HOST MYSQL_PORT MYSQL_USER MYSQL_PASSWORD MYSQL_DB

write_folder() { # FILE KIND
	rm -rf c
	mkdir c
	if [ "$2" = supervisor ]; then
		cp "$1" c/supervisor.toml
		return
	fi
	printf '[info]\nsupervisor_id = "lab"\n' >c/supervisor.toml
	cp "$1" c/job.toml
	[ "$2" = bare ] && return
	if grep -q '\.mysql\]' "$1"; then cp "$here/example_store_mysql.toml" c/store_mysql.toml; fi
	if grep -q '\.redis\]' "$1"; then cp "$here/example_store_redis.toml" c/store_redis.toml; fi
}

# A type whose library is missing on this machine is named as that.
has_modules() { ! grep -q 'its module is not installed' check.log; }

try() { # FILE
	local kind expect text rc=0
	read -r _ kind expect text <"$1"
	write_folder "$1" "$kind"
	if [ "$kind" = environment ]; then
		MYSQL_HOST=db.example.org MYSQL_PORT=3307 MYSQL_USER=daq MYSQL_PASSWORD=secret MYSQL_DB=lab "$bin" check c >check.log 2>&1 || rc=$?
		grep -q secret check.log && fail "$1 shows a password"
	else
		"$bin" check c >check.log 2>&1 || rc=$?
	fi
	has_modules || return 0
	case $expect in
	ok) [ $rc -eq 0 ] && ! grep -q 'warning: [a-z_.]*: unknown\|old name\|no effect' check.log ;;
	warn) [ $rc -eq 0 ] && grep -q "warning: .*$text" check.log ;;
	refuse) [ $rc -ne 0 ] && grep -q "$text" check.log ;;
	later) [ $rc -eq 0 ] || grep -q 'type of the Python ENRGDAQ that is not built yet' check.log ;;
	*) false ;;
	esac || fail "$(basename "$1") ($expect $text): exit code $rc: $(cat check.log)"
}

case_snippets() {
	local file count=0
	for file in "$here"/*.toml; do
		try "$file"
		count=$((count + 1))
	done
	[ $count -gt 60 ] || fail "only $count snippets"
}

# The examples that need no hardware, in one folder as they are: all that they name is written.
case_runs() {
	local name day
	mkdir c
	for name in test pc_metrics handle_alerts handle_stats store_csv store_raw store_root; do
		cp "$here/example_$name.toml" c/$name.toml
	done
	cp "$here/quickstart_floats.toml" c/floats.toml
	cp "$here/storage_both.toml" c/both.toml
	cp "$here/example_cnc_server.toml" c/supervisor.toml
	timeout 60 "$bin" run c --duration 3 >run.log 2>&1 || fail "exit code $?"
	grep -c ': accounted$' run.log | grep -q '^[6-9]$' || fail "not all is accounted for"
	day=$(date +%F)
	for name in "${day}_test.csv" pc_metrics_server.csv stats.csv stats_remote.csv floats.csv data.csv "${day}_data.root"; do
		[ -s "out/$name" ] || fail "no $name: $(ls out)"
	done
	head -n 1 "out/${day}_test.csv" | grep -qx 'timestamp,A,B,C' || fail "columns of the test job"
}

# A hub without jobs: it waits, and ends in order.
case_no_jobs() {
	mkdir c
	cp "$here/deployment_hub.toml" c/supervisor.toml
	start run.log run c
	await 20 "$bin" send supervisor ping || fail "it does not run without a job"
	"$bin" send supervisor stop >/dev/null || fail "stop"
	wait "$run" || fail "exit code $?"
}

run_case "$@"
