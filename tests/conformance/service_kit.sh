#!/bin/bash
# enrgdaq-conformance-service: what every service has to stand, for one that was built outside of ENRGDAQ's tree.
# docs/writing-a-service.md teaches it.
# usage: enrgdaq-conformance-service [--kills N] [--patience SECONDS] FILE.toml   (ENRGDAQ_MODULE_PATH: where its module lies)
set -u
here=$(dirname "$(realpath "$0")")
# shellcheck source-path=SCRIPTDIR source=kit.bash
. "$here/enrgdaq-conformance.bash"
kills=2 growth_kb=4096
while [ $# -gt 2 ]; do
	case $1 in
	--kills) kills=$2 ;;
	--patience) patience=$2 ;;
	*) break ;;
	esac
	shift 2
done
if [ $# -ne 1 ] || [ ! -f "$1" ]; then
	echo "usage: enrgdaq-conformance-service [--kills N] [--patience SECONDS] FILE.toml

Runs the service of that file (all of it, with its sections of stores) beside a source and a job that raises alerts. It must name wrong
fields of each of its commands and refuse those that it does not know, live through a flood of both without growing, hold nobody
back while it stands still, come back after each of N kills (2), and end in order in the middle of messages. ENRGDAQ_MODULE_PATH
names the folder of its module.

Exit code: 0 it stands that, 1 not so, 2 wrong usage." >&2
	exit 2
fi

file=$(realpath "$1")
type=$(type_of "$file")
kit_begin
export ENRGDAQ_MODULE_PATH="${ENRGDAQ_MODULE_PATH:+$ENRGDAQ_MODULE_PATH:}$here/kit"
printf 'daq_job_type = "DAQJobTest"\nrand_min = 1\nrand_max = 6\ninterval_seconds = 0.02\n[store_config.csv]\nfile_path = "kit_dice.csv"\n' >c/kit_dice.toml
printf 'daq_job_type = "DAQJobKitAlarm"\n' >c/kit_alarm.toml
sed '/^ *daq_job_unique_id/d; 1i daq_job_unique_id = "service"' "$file" >c/service.toml

rows() { wc -l <out/kit_dice.csv 2>/dev/null || echo 0; }
has_rows() { [ "$(rows)" -gt "$1" ]; }
rss_of() { awk '/VmRSS/ {print $2}' "/proc/$1/status"; }
send() { "$enrgdaq" send "$@"; }
answers() { send service no.such.kind 2>&1 | grep -q '^no_kind'; }

# Many commands and alerts at once.
flood() {
	local pids=()
	for _ in 1 2 3; do
		for _ in $(seq 15); do
			send service "${kind:-no.such.kind}" no_such_field=1 >/dev/null 2>&1
			send kit_alarm raise >/dev/null 2>&1
		done &
		pids+=($!)
	done
	wait "${pids[@]}"
}

kinds=$("$enrgdaq" describe "$type" | sed -n 's/^Command \([^ ,]*\).*/\1/p')
start_run
await "$patience" answers || fail "it is not ready in $patience s"
await "$patience" has_rows 2 || fail "the source beside it does not run"
pid=$(pid_of service)
kind=
for kind in $kinds; do
	send service "$kind" no_such_field=1 >wrong.log 2>&1
	[ $? -eq 2 ] || fail "the command $kind was taken with a field that it does not know"
	grep -q "no_such_field: unknown key" wrong.log || fail "$kind does not name the wrong field: $(cat wrong.log)"
done
[ "$(pid_of service)" = "$pid" ] || fail "a wrong command ended it"
echo "names what is wrong in a command"
flood # once, for what is allocated once
before=$(rss_of "$pid")
flood
[ "$(pid_of service)" = "$pid" ] || fail "it did not live through a flood of commands and alerts"
after=$(rss_of "$pid")
[ $((after - before)) -lt $growth_kb ] || fail "it grew from $before to $after kB in a flood of commands and alerts"
echo "lives through a flood"
kill -STOP "$pid"
before=$(rows)
for _ in $(seq 20); do send kit_alarm raise >/dev/null || fail "an alert waits for it"; done
await "$patience" has_rows $((before + 20)) || fail "others stand still as well"
kill -CONT "$pid"
echo "holds nobody back"
for i in $(seq "$kills"); do
	pid=$(pid_of service)
	kill -KILL "$pid"
	await "$patience" is_another service "$pid" || fail "it was not started again after kill $i"
	await "$patience" answers || fail "it is not ready again after kill $i"
done
echo "comes back after each of $kills kills"
flood &
send supervisor stop >/dev/null || fail "the run can't be stopped"
wait_run
wait
grep -q "was killed because\|service did not end within" run.log && fail "it did not end by itself"
echo "ends in order in the middle of messages"
