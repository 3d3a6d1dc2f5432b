#!/bin/bash
# Stores of databases against real servers that this script starts on free loopback ports and ends again: MariaDB and
# Redis of Debian, and SQLite. Stores and servers are killed in the middle of a run; then the servers' own programs read
# everything back, and it is compared with the CSV file that another store of the same run wrote.
#
#   databases.sh CASE        needs ENRGDAQ_BIN; the case is a function case_… below
set -u
here=$(cd "$(dirname "$0")" && pwd)
bin=$(realpath "${ENRGDAQ_BIN:-$here/../../build/release/enrgdaq}")
work=$(mktemp -d /tmp/enrg-databases.XXXXXX)
runtime=$(mktemp -d /dev/shm/enrgdaq-databases.XXXXXX)
export ENRGDAQ_RUNTIME_DIR=$runtime
token=d$$ # in the names of our jobs, so that no other process is ever hit
run= mariadb= redis= stand_in=
secret=not-for-logs
redis_password=$secret
RANDOM=1

finish() {
	[ -n "$run" ] && kill -KILL "$run" 2>/dev/null
	for pid in $(pgrep -f "enrgdaq-job DAQJob[A-Za-z]* $token"); do kill -KILL "$pid" 2>/dev/null; done
	for pid in $mariadb $redis $stand_in; do kill -KILL "$pid" 2>/dev/null; done
	wait 2>/dev/null
	mountpoint -q "$work/disk" && umount -l "$work/disk"
	rm -rf "$work" "$runtime"
}
trap finish EXIT

fail() {
	echo "FAILED: $*" >&2
	[ -e "$work/run.log" ] && tail -n 40 "$work/run.log" >&2
	exit 1
}

free_port() {
	python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

# Asks again and again until the command succeeds: no wait is longer than it has to be.
until_true() { # SECONDS COMMAND…
	local left=$(($1 * 20))
	shift
	while ! "$@" >/dev/null 2>&1; do
		left=$((left - 1))
		[ $left -gt 0 ] || return 1
		sleep 0.05
	done
}

# --- servers ----------------------------------------------------------------------------------------------------------

sql() { mariadb --no-defaults -S "$work/mariadb.sock" -u root --batch --raw --skip-column-names enrgdaq -e "$1"; }

start_mariadb() { # a second call starts the same database again
	if [ ! -d "$work/mariadb" ]; then
		mysql_port=$(free_port)
		mkdir -p "$work/tmp" # a server that starts removes what it finds in a shared one
		mariadb-install-db --no-defaults --datadir="$work/mariadb" --tmpdir="$work/tmp" \
			--auth-root-authentication-method=normal --skip-test-db --user="$(id -un)" >"$work/install.log" 2>&1 || fail "$(cat "$work/install.log")"
	fi
	mariadbd --no-defaults --datadir="$work/mariadb" --tmpdir="$work/tmp" --port="$mysql_port" --bind-address=127.0.0.1 \
		--skip-networking=0 --socket="$work/mariadb.sock" --pid-file="$work/mariadb.pid" \
		--user="$(id -un)" "$@" >>"$work/mariadbd.log" 2>&1 &
	mariadb=$!
	until_true 60 mariadb --no-defaults -S "$work/mariadb.sock" -u root -e "SELECT 1" ||
		fail "$(tail "$work/mariadbd.log")"
	mariadb --no-defaults -S "$work/mariadb.sock" -u root -e "CREATE DATABASE IF NOT EXISTS enrgdaq;
		CREATE USER IF NOT EXISTS daq@'127.0.0.1' IDENTIFIED BY '$secret';
		GRANT ALL ON enrgdaq.* TO daq@'127.0.0.1'" || fail "no database"
}

kill_mariadb() { kill -KILL "$mariadb"; wait "$mariadb" 2>/dev/null; mariadb=; }

redis_cli() { REDISCLI_AUTH=$secret redis-cli -p "$redis_port" "$@"; }

# The program of the server comes with the client's package as well, as redis-check-rdb, and goes by its name: so that
# no package is needed that installs a service.
redis_server() { exec -a redis-server "$(command -v redis-check-rdb || command -v redis-server)" "$@"; }

# With `everysec` a busy disk may delay the writing of what was confirmed for 2 s: a kill -9 loses it.
start_redis() { # MORE OPTIONS
	[ -d "$work/redis" ] || { mkdir "$work/redis"; redis_port=$(free_port); }
	redis_server --port "$redis_port" --bind 127.0.0.1 --dir "$work/redis" --appendonly yes --appendfsync always --save "" \
		--requirepass $redis_password "$@" >>"$work/redis.log" 2>&1 &
	redis=$!
	until_true 30 sh -c "REDISCLI_AUTH=$redis_password redis-cli -p $redis_port ping | grep -q PONG" ||
		fail "$(tail "$work/redis.log")"
}

kill_redis() { kill -KILL "$redis"; wait "$redis" 2>/dev/null; redis=; }

# --- a system ---------------------------------------------------------------------------------------------------------

configure() { # STORE_TYPE KEYS SECTION SECTION_KEYS: one producer, that store, and a CSV store to compare with
	mkdir "$work/config"
	cat >"$work/config/supervisor.toml" <<-END
		ring_buffer_size_mb = 64
		restart_delay_seconds = 0.01
		restart_delay_max_seconds = 0.05
		[info]
		supervisor_id = "$token"
	END
	cat >"$work/config/source.toml" <<-END
		daq_job_type = "DAQJobBenchmark"
		daq_job_unique_id = "${token}_source"
		payload_size = 20
		rate_hz = 400
		[store_config.csv]
		file_path = "all.csv"
		[store_config.$3]
		$4
	END
	printf 'daq_job_type = "DAQJobStoreCSV"\ndaq_job_unique_id = "%s_csv"\nout_dir = "out"\n' "$token" \
		>"$work/config/csv.toml"
	printf 'daq_job_type = "%s"\ndaq_job_unique_id = "%s_store"\n%s\n' "$1" "$token" "$2" >"$work/config/store.toml"
}

start_run() {
	cd "$work" || exit 1
	"$bin" run config >>"$work/run.log" 2>&1 &
	run=$!
	until_true 30 pgrep -f "enrgdaq-job DAQJobStore[A-Z][A-Za-z]* ${token}_store" || fail "the store did not start"
}

has_stopped() { ! kill -0 "$run" 2>/dev/null; }

stop_run() {
	kill -INT "$run"
	until_true 60 has_stopped || fail "the system did not stop in a minute"
	wait "$run"
	local code=$?
	run=
	[ $code -eq 0 ] || fail "exit code $code at the ordered end"
	grep -q "$secret" "$work/run.log" && fail "the password is in the log"
	return 0
}

kill_stores() { # COUNT
	local done_kills=0 waited=0 pid
	while [ $done_kills -lt "$1" ]; do
		sleep "0.0$((RANDOM % 90 + 10))"
		pid=$(pgrep -f "enrgdaq-job DAQJobStore[A-Za-z]* ${token}_store")
		if [ -n "$pid" ] && kill -KILL $pid 2>/dev/null; then
			done_kills=$((done_kills + 1)) waited=0
			continue
		fi
		waited=$((waited + 1))
		[ $waited -lt 500 ] || fail "the store is not started again"
	done
	echo "$1 kills"
}

compare() { # FILE: two numbers a line; same rows as in the CSV file, each as often
	python3 "$here/compare_rows.py" "$work/out/all.csv" "$1" || fail "rows differ"
}

# Marks of runs before: of the first the time is over, the second is of another table, the third began yesterday, the fourth
# has no time in its name.
yesterday=$(date -u -d yesterday +%Y%m%dT%H%M%SZ)-aaaa
old_marks="INSERT INTO enrgdaq_positions VALUES ('${token}_store', '${token}_source', '20200101T000000Z-aaaa', '', 't', 'x', 5),
	('${token}_store', '${token}_source', '20200101T000000Z-bbbb', '', 'other', 'x', 5),
	('${token}_store', '${token}_source', '$yesterday', '', 't', 'x', 5),
	('${token}_store', '${token}_source', 'by hand', '', 't', 'x', 5)"
left_marks="SELECT COUNT(*) FROM enrgdaq_positions WHERE columns = 'x'"
wanted_marks=3

# --- cases ------------------------------------------------------------------------------------------------------------

sqlite_keys='out_dir = "out"
commit_interval_seconds = 0.02'

read_sqlite() { # FOLDER
	sqlite3 -separator ' ' "$1/enrgdaq.sqlite" \
		"SELECT printf('%!.17g', timestamp), printf('%!.17g', value) FROM t ORDER BY rowid" >"$work/rows"
	[ "$(sqlite3 "$1/enrgdaq.sqlite" 'PRAGMA integrity_check')" = ok ] || fail "the file is damaged"
}

case_sqlite_kills() {
	configure DAQJobStoreSQLite "$sqlite_keys" sqlite 'table_name = "t"'
	mkdir "$work/out"
	sqlite3 "$work/out/enrgdaq.sqlite" "CREATE TABLE enrgdaq_positions (store TEXT NOT NULL, source TEXT NOT NULL,
		run TEXT NOT NULL, tag TEXT NOT NULL, table_name TEXT NOT NULL, columns TEXT NOT NULL, sequence INTEGER NOT NULL,
		PRIMARY KEY (store, source, run, tag, table_name, columns)) WITHOUT ROWID; $old_marks"
	start_run
	kill_stores 100
	stop_run
	read_sqlite "$work/out"
	[ "$(sqlite3 "$work/out/enrgdaq.sqlite" "$left_marks")" = "$wanted_marks" ] || fail "marks of old runs are left"
	compare "$work/rows"
}

case_sqlite_edges() {
	mkdir "$work/sqlite"
	SQLITE_FOLDER=$work/sqlite "$DATABASES_TEST" || fail "see above"
}

# A disk of 24 MB for the file: first too little is free, then nothing. What is removed then sets the store going again.
fill_disk() { # MIN_FREE_GB KEEP_MB TEXT_OF_THE_ALERT
	if ! unshare -m true; then
		echo "no mount of our own is allowed here"
		exit 77
	fi
	[ -n "${DATABASES_IN_OWN_MOUNT-}" ] || { DATABASES_IN_OWN_MOUNT=1 unshare -m "$0" "$case_name"; exit $?; }
	mkdir "$work/disk"
	mount -t tmpfs -o size=24m none "$work/disk" || exit 77
	configure DAQJobStoreSQLite "out_dir = \"disk\"
commit_interval_seconds = 0.02
min_free_gb = $1" sqlite 'table_name = "t"'
	start_run
	until_true 30 has_sqlite_rows || fail "no rows"
	free_mb=$(($(stat -f -c '%a * %S' "$work/disk") / 1000000))
	head -c $(((free_mb - $2) * 1000000)) /dev/zero >"$work/disk/filler" || true
	until_true 60 grep -q "$3" "$work/run.log" || fail "nobody says that the disk is full"
	sleep 1
	rm "$work/disk/filler"
	rows=$(sqlite3 "$work/disk/enrgdaq.sqlite" "SELECT COUNT(*) FROM t")
	until_true 30 has_sqlite_rows "$rows" || fail "no rows after there was space again"
	stop_run
	read_sqlite "$work/disk"
	compare "$work/rows"
}

has_sqlite_rows() { [ "$(sqlite3 "$work/disk/enrgdaq.sqlite" "SELECT COUNT(*) > ${1:-0} FROM t")" = 1 ]; }

case_sqlite_full_disk() { fill_disk 0 1 'disk full: free space'; }

case_sqlite_reserve() { fill_disk 0.008 10 'min_free_gb keeps 8.0 MB: writing waits'; }

mysql_keys() { # COMMIT_SECONDS
	printf 'host = "127.0.0.1"\nport = %d\nuser = "daq"\npassword = "%s"\n' "$mysql_port" "$secret"
	printf 'database = "enrgdaq"\n'
	printf 'commit_interval_seconds = %s\n' "$1"
}

compare_mysql() {
	sql "SELECT timestamp, value FROM t" >"$work/rows" || fail "can't read the table"
	compare "$work/rows"
}

case_mysql_kills() {
	start_mariadb
	sql "CREATE TABLE enrgdaq_positions (store VARBINARY(255) NOT NULL, source VARBINARY(255) NOT NULL,
		run VARBINARY(64) NOT NULL, tag VARBINARY(255) NOT NULL, table_name VARBINARY(64) NOT NULL,
		columns VARBINARY(16) NOT NULL, sequence BIGINT UNSIGNED NOT NULL,
		PRIMARY KEY (store, source, run, tag, table_name, columns)) ENGINE=InnoDB; $old_marks"
	configure DAQJobStoreMySQL "$(mysql_keys 0.02)" mysql 'table_name = "t"'
	start_run
	kill_stores 100
	stop_run
	compare_mysql
	[ "$(sql "$left_marks")" = "$wanted_marks" ] || fail "marks of old runs are left"
}

# A deadlock while old marks go takes back the whole transaction: the store has to begin anew, and must not commit marks
# without their rows. Played by a trigger.
case_mysql_prune_fails() {
	start_mariadb
	sql "CREATE TABLE enrgdaq_positions (store VARBINARY(255) NOT NULL, source VARBINARY(255) NOT NULL,
		run VARBINARY(64) NOT NULL, tag VARBINARY(255) NOT NULL, table_name VARBINARY(64) NOT NULL,
		columns VARBINARY(16) NOT NULL, sequence BIGINT UNSIGNED NOT NULL,
		PRIMARY KEY (store, source, run, tag, table_name, columns)) ENGINE=InnoDB; $old_marks;
		CREATE TRIGGER victim BEFORE DELETE ON enrgdaq_positions FOR EACH ROW
		SIGNAL SQLSTATE '40001' SET MYSQL_ERRNO = 1213, MESSAGE_TEXT = 'Deadlock found'"
	configure DAQJobStoreMySQL "$(mysql_keys 0.1)" mysql 'table_name = "t"'
	start_run
	until_true 30 grep -q "pruning enrgdaq_positions: Deadlock found" "$work/run.log" || fail "the failure is not heeded"
	[ "$(sql "SELECT COUNT(*) FROM t")" = 0 ] || fail "rows in a transaction that was taken back"
	sql "DROP TRIGGER victim"
	until_true 30 has_mysql_rows || fail "no rows after the cause was gone"
	stop_run
	compare_mysql
	[ "$(sql "$left_marks")" = "$wanted_marks" ] || fail "marks of old runs are left"
}

# Everything wrong that an administrator can mend, one after the other, while the data of three producers wait: one alert.
case_mysql_mended() {
	start_mariadb
	configure DAQJobStoreMySQL "$(mysql_keys 0.1 | sed 's/"daq"/"late"/; s/"enrgdaq"/"later"/')" mysql 'table_name = "t"'
	for name in t2 t3; do
		sed "s/_source/_$name/; s/\"t\"/\"$name\"/; /csv/d; /all/d" "$work/config/source.toml" >"$work/config/$name.toml"
	done
	start_run
	admin() { mariadb --no-defaults -S "$work/mariadb.sock" -u root -e "$1" || fail "$1"; }
	until_true 30 grep -q 'Access denied.*check user and password' "$work/run.log" || fail "no word of the user"
	admin "CREATE USER late@'127.0.0.1' IDENTIFIED BY '$secret'"
	sleep 2
	admin "GRANT ALL ON later.* TO late@'127.0.0.1'"
	sleep 2
	admin "CREATE DATABASE later"
	until_true 60 has_mysql_rows 0 later || fail "no rows"
	[ "$(grep -c 'nothing is lost, trying again' "$work/run.log")" -le 2 ] || fail "more than one alert"
	stop_run
	mariadb --no-defaults -S "$work/mariadb.sock" -u root --batch --skip-column-names later -e \
		"SELECT timestamp, value FROM t" >"$work/rows"
	compare "$work/rows"
}

has_mysql_rows() { [ "$(sql "SELECT COUNT(*) > ${1:-0} FROM ${2:-enrgdaq}.t")" = 1 ]; }

# Killed, and away for longer than the ring's quarter; and frozen in the middle of whatever it does.
case_mysql_server_dies() {
	start_mariadb
	configure DAQJobStoreMySQL "$(mysql_keys 0.1)" mysql 'table_name = "t"'
	start_run
	for _ in 1 2 3; do
		until_true 30 has_mysql_rows || fail "no rows"
		sleep "0.$((RANDOM % 9))"
		kill_mariadb
		sleep 3
		start_mariadb
		rows=$(sql "SELECT COUNT(*) FROM t")
		until_true 30 has_mysql_rows "$rows" || fail "no rows after the server came back"
	done
	kill -STOP "$mariadb"
	sleep 3
	kill -CONT "$mariadb"
	stop_run
	compare_mysql
	[ "$(grep -c 'nothing is lost, trying again' "$work/run.log")" -le 5 ] || fail "more than one alert an incident"
}

case_mysql_absent_at_start() {
	start_mariadb
	configure DAQJobStoreMySQL "$(mysql_keys 0.1)" mysql 'table_name = "t"'
	kill_mariadb
	start_run
	until_true 30 grep -q "127.0.0.1:$mysql_port: can't connect" "$work/run.log" ||
		fail "nobody says that the server is away"
	sleep 2
	start_mariadb
	until_true 30 has_mysql_rows || fail "no rows"
	stop_run
	compare_mysql
}

case_mysql_types() {
	start_mariadb --max-allowed-packet=32M
	MYSQL_PORT=$mysql_port MYSQL_PASSWORD=$secret MYSQL_SOCKET=$work/mariadb.sock "$DATABASES_TEST" ||
		fail "see above"
}

# Redis keeps the order: column by column, value by value.
redis_keys() {
	printf 'host = "127.0.0.1"\nport = %d\npassword = "%s"\n' "$redis_port" "$secret"
}

compare_redis() {
	redis_cli --raw LRANGE k.timestamp 0 -1 >"$work/first"
	redis_cli --raw LRANGE k.value 0 -1 >"$work/second"
	[ "$(wc -l <"$work/first")" -eq "$(wc -l <"$work/second")" ] || fail "columns of different length"
	paste "$work/first" "$work/second" >"$work/rows"
	compare "$work/rows"
}

case_redis_kills() {
	start_redis
	for run_name in 20200101T000000Z-aaaa "$yesterday" "by hand"; do
		redis_cli HSET "enrgdaq:positions:${token}_store" "${token}_source/$run_name//k/x" 5 >/dev/null
	done
	redis_cli HSET "enrgdaq:positions:${token}_store" "other/20200101T000000Z-aaaa//k/x" 5 >/dev/null
	configure DAQJobStoreRedis "$(redis_keys)" redis 'key = "k"'
	start_run
	kill_stores 100
	stop_run
	compare_redis
	[ "$(redis_cli HKEYS "enrgdaq:positions:${token}_store" | grep -c /x)" = "$wanted_marks" ] ||
		fail "marks of old runs are left"
}

# The password is wrong until an administrator changes it.
case_redis_mended() {
	redis_password=another
	start_redis
	configure DAQJobStoreRedis "$(redis_keys)" redis 'key = "k"'
	start_run
	until_true 30 grep -q 'check password in the' "$work/run.log" || fail "no word of the password"
	sleep 2
	REDISCLI_AUTH=another redis-cli -p "$redis_port" CONFIG SET requirepass $secret
	until_true 60 has_redis_rows || fail "no rows"
	[ "$(grep -c 'nothing is lost, trying again' "$work/run.log")" -le 2 ] || fail "more than one alert"
	stop_run
	compare_redis
}

has_redis_rows() { [ "$(redis_cli LLEN k.value)" -gt "${1:-0}" ]; }

case_redis_server_dies() {
	start_redis
	configure DAQJobStoreRedis "$(redis_keys)" redis 'key = "k"'
	start_run
	for _ in 1 2 3; do
		until_true 30 has_redis_rows || fail "no rows"
		sleep "0.$((RANDOM % 9))"
		kill_redis
		sleep 3
		start_redis
		rows=$(redis_cli LLEN k.value)
		until_true 30 has_redis_rows "$rows" || fail "no rows after the server came back"
	done
	kill -STOP "$redis"
	sleep 3
	kill -CONT "$redis"
	stop_run
	compare_redis
	[ "$(grep -c 'nothing is lost, trying again' "$work/run.log")" -le 5 ] || fail "more than one alert an incident"
}

# A server that keeps nothing: what it lost after it had confirmed it can't be stored again, but it is told.
case_redis_server_forgets() {
	start_redis --appendonly no
	configure DAQJobStoreRedis "$(redis_keys)" redis 'key = "k"'
	start_run
	until_true 30 has_redis_rows 1000 || fail "no rows"
	kill_redis
	start_redis --appendonly no
	until_true 30 grep -q "batches 1 to [0-9]* of .* are missing" "$work/run.log" || fail "nobody says what is missing"
	stop_run
}

case_redis_absent_at_start() {
	start_redis
	configure DAQJobStoreRedis "$(redis_keys)" redis 'key = "k"'
	kill_redis
	start_run
	until_true 30 grep -q "127.0.0.1:$redis_port: can't connect" "$work/run.log" ||
		fail "nobody says that the server is away"
	sleep 2
	start_redis
	until_true 30 has_redis_rows || fail "no rows"
	stop_run
	compare_redis
}

# Debian's Redis has no such module: one alert, not one a row, and the data wait.
case_redis_without_timeseries() {
	start_redis
	configure DAQJobStoreRedis "$(redis_keys)" redis 'key = "k"
use_timeseries = true'
	start_run
	until_true 30 grep -q "no TimeSeries module" "$work/run.log" || fail "nobody says that the module is missing"
	sleep 4
	[ "$(grep -c "no TimeSeries module" "$work/run.log")" -le 2 ] || fail "more than one alert (and its line in the log)"
	[ "$(redis_cli EXISTS k.value)" = 0 ] || fail "something was stored"
}

case_redis_types() {
	start_redis
	REDIS_PORT=$redis_port REDIS_PASSWORD=$secret "$DATABASES_TEST" || fail "see above"
}

# The module is not in Debian: the commands are checked by a stand-in that speaks RESP and keeps what it is sent.
case_redis_timeseries_stand_in() {
	redis_port=$(free_port)
	python3 "$here/timeseries_stand_in.py" "$redis_port" "$work/commands" >"$work/stand_in.log" 2>&1 &
	stand_in=$!
	until_true 30 test -e "$work/commands" || fail "the stand-in did not start"
	REDIS_PORT=$redis_port REDIS_PASSWORD=$secret TIMESERIES_COMMANDS=$work/commands "$DATABASES_TEST" ||
		fail "see above; $(cat "$work/stand_in.log")"
}

[ $# -eq 1 ] && declare -F "case_$1" >/dev/null || { echo "usage: databases.sh CASE" >&2; exit 2; }
case_name=$1
"case_$1" || exit 1
echo "$1: passed"
