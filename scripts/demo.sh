#!/bin/sh
# What `make demo` shows: a detector's data acquired, accounted for, proved, analysed and drawn; then what this machine can do.
# Everything lands in demo-out/. In a terminal the acquisition is shown live until Ctrl-C, else it lasts DEMO_SECONDS (30).
set -eu
program=$(realpath "$1")
folder=${2:-demo-out}
seconds=${DEMO_SECONDS:-30}
mkdir -p "$folder"
cd "$folder"
rm -rf enrgdaq-demo-out # of an earlier demo: its muons would be counted twice

say() { printf '\n\033[1m%s\033[0m\n' "$*"; }

# The run in the background, its view in front; Ctrl-C ends the view, and then the run in order.
watch_live() {
	trap : INT
	"$program" run --demo >run.log 2>&1 &
	run=$!
	tries=0
	until "$program" watch --id demo tank --seconds 0.1 >/dev/null 2>&1 || [ $tries -ge 100 ]; do
		sleep 0.1
		tries=$((tries + 1))
	done
	clear
	"$program" watch --id demo --ledger tank || true
	"$program" stop demo >/dev/null 2>&1 || true
	wait $run || true # a signal ends the first wait
	wait $run || { cat run.log; exit 1; }
	trap - INT
	grep -v INFO run.log
}

if [ -t 1 ]; then
	say "1. A water Cherenkov tank is read out until Ctrl-C (enrgdaq run --demo, enrgdaq watch --ledger tank)"
	sleep 2
	watch_live
else
	say "1. A water Cherenkov tank is read out for $seconds seconds (enrgdaq run --demo --duration $seconds)"
	"$program" run --demo --duration "$seconds"
fi
say "2. What was written"
ls -l enrgdaq-demo-out
echo "the last seconds of enrgdaq-demo-out/tank_stats.csv:"
head -n 1 enrgdaq-demo-out/tank_stats.csv
tail -n +2 enrgdaq-demo-out/tank_stats.csv | tail -n 3
say "3. Prove it (enrgdaq verify)"
"$program" verify enrgdaq-demo-out/*.arrows
say "4. How long does a muon live? (enrgdaq plot tank, enrgdaq plot digitizer)"
"$program" plot tank --graphs results/graphs --truth enrgdaq-demo-out/tank_truth.arrows enrgdaq-demo-out/tank.arrows ||
	echo "(a few seconds more would have been enough)"
"$program" plot digitizer --graphs results/graphs enrgdaq-demo-out/tank_stats.csv || true
say "5. What this machine moves, a second a point (enrgdaq bench suite --all --duration 1)"
"$program" bench suite --all --duration 1
say "Done"
echo "data:    $PWD/enrgdaq-demo-out"
echo "figures: $PWD/results/graphs (PNG and PDF; begin with tank.png)"
echo "next:    README.md, \"Five minutes to first data\""
