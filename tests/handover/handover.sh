#!/bin/bash
# An operator's way out of a table that lacks a column: the store ran with its defaults and could not store, a file with
# add_columns = true is added, and the next run stores what was left, each row once. Needs ENRGDAQ_BIN and sqlite3.
set -u
bin=${ENRGDAQ_BIN:?the program to test}
work=$(mktemp -d)
export ENRGDAQ_RUNTIME_DIR
ENRGDAQ_RUNTIME_DIR=$(mktemp -d /dev/shm/enrgdaq-test.XXXXXX)
run=
trap '[ -z "$run" ] || kill "$run" 2>/dev/null; rm -rf "$work" "$ENRGDAQ_RUNTIME_DIR"' EXIT

fail() {
	echo "FAILED: $*" >&2
	for file in "$work"/*.log; do echo "--- $file" >&2; tail -n 40 "$file" >&2; done
	exit 1
}

# A run whose sqlite store can store nothing, ended in a hurry as soon as the CSV has rows.
run_and_leave() { # LOG
	local end=$((SECONDS + 30)) before
	before=$(cat out/t.csv 2>/dev/null | wc -l)
	"$bin" run c >"$1" 2>&1 &
	run=$!
	until [ "$(cat out/t.csv 2>/dev/null | wc -l)" -gt $((before + 1)) ]; do
		[ $SECONDS -ge $end ] && fail "no data"
		sleep 0.05
	done
	"$bin" stop --hurry >stop.log 2>&1
	wait "$run"
	[ $? -eq 1 ] || fail "$1 should end with 1: the table lacks a column"
}

rows_in_table() {
	sqlite3 out/enrgdaq.sqlite "select count(*) from t where timestamp is not null"
}

cd "$work" || exit 1
mkdir c out
printf '[info]\nsupervisor_id = "handover"\n' >c/supervisor.toml
cat >c/source.toml <<-END
	daq_job_type = "DAQJobTest"
	rand_min = 1
	rand_max = 9
	[store_config.csv]
	file_path = "t.csv"
	[store_config.sqlite]
	table_name = "t"
END
sqlite3 out/enrgdaq.sqlite "create table t (other int)"

run_and_leave first.log
[ -e "$ENRGDAQ_RUNTIME_DIR/handover/source.stream" ] || fail "nothing was left"
waiting=$(($(wc -l <out/t.csv) - 1))
[ "$waiting" -gt 0 ] || fail "no row was produced"

printf 'daq_job_type = "DAQJobStoreSQLite"\nadd_columns = true\n' >c/sq.toml
"$bin" run c --duration 1 >second.log 2>&1 || fail "the second run: exit code $?"
grep -q "c/sq.toml: batches are left of a run in which this store had its defaults and the name DAQJobStoreSQLite" second.log ||
	fail "it does not say by which name the store goes on"
ls out/recovered_* 2>/dev/null && fail "batches went into a file instead of the table"
[ "$(rows_in_table)" -eq $(($(wc -l <out/t.csv) - 1)) ] || fail "$(rows_in_table) rows in the table, not those of the CSV"
[ "$(rows_in_table)" -gt "$waiting" ] || fail "the second run stored nothing of its own"
ls "$ENRGDAQ_RUNTIME_DIR"/handover/*.journal 2>/dev/null && fail "a journal was left"

"$bin" run c --duration 1 >third.log 2>&1 || fail "the third run: exit code $?"
grep -q "batches are left" third.log && fail "the store does not get its own name back"
[ "$(rows_in_table)" -eq $(($(wc -l <out/t.csv) - 1)) ] || fail "the third run: rows are missing"

# Batches that no store continues with: the file of the store is there, but its producer has no section for it any more.
sqlite3 out/enrgdaq.sqlite "drop table t; create table t (other int)"
rm c/sq.toml
run_and_leave fourth.log
sed -i '/sqlite/,$d' c/source.toml
"$bin" run c --duration 1 >fifth.log 2>&1 || fail "the fifth run: exit code $?"
grep -q "that DAQJobStoreSQLite had not stored, and that no store of this configuration continues with, were saved in out/recovered_" \
	fifth.log || fail "it does not say for whom the batches were"
ls out/recovered_*.arrows >/dev/null || fail "nothing was recovered"
ls "$ENRGDAQ_RUNTIME_DIR"/handover/*.journal 2>/dev/null && fail "the journal of nobody was left"
exit 0
