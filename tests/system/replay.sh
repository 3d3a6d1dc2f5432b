#!/bin/bash
# DAQJobReplay in whole systems: replay.sh CASE. Needs ENRGDAQ_BIN, CC, INCLUDE, READERS (where write_arrows lies).
. "$(dirname "$0")/harness.sh"

kills=${REPLAY_KILLS:-8}

build_batches() {
	local folder
	folder=$(dirname "$bin")
	"$CC" -std=c17 -Wall -Wextra -Wconversion -Werror -I"$INCLUDE" "$here/batches.c" -L"$folder" -lenrgdaq -Wl,-rpath,"$folder" \
		-o batches || fail "a program on reader.h"
}

write_supervisor() { # [LINES…]
	mkdir -p c
	{
		printf '%s\n' "$@"
		printf 'restart_delay_seconds = 0.01\nrestart_delay_max_seconds = 0.05\n[info]\nsupervisor_id = "lab"\n'
	} >c/supervisor.toml
}

write_replay() { # NAME PATH [LINES…]
	local name=$1 path=$2
	shift 2
	{
		printf 'daq_job_type = "DAQJobReplay"\ndaq_job_unique_id = "%s"\npath = "%s"\n' "$name" "$path"
		printf '%s\n' "$@"
		printf '[store_config.arrow]\nfile_path = "%s.arrows"\n' "$name"
	} >"c/$name.toml"
}

# batches_of FILE…: of each table in its order
batches_of() { ./batches "$@" | sort -s -k1,1; }

# A run of two sources with two tables, in parts; its batches are too large to be merged when a file is closed.
record() { # SECONDS
	write_supervisor
	cat >c/bench.toml <<-END
		daq_job_type = "DAQJobBenchmark"
		payload_size = 600
		rate_hz = 300
		[store_config.arrow]
		file_path = "bench.arrows"
	END
	cat >c/pc.toml <<-END
		daq_job_type = "DAQJobPCMetrics"
		poll_interval_seconds = 0.05
		[store_config.arrow]
		file_path = "pc.arrows"
	END
	printf 'daq_job_type = "DAQJobStoreArrow"\nout_dir = "recorded"\nrotate_mb = 2\n' >c/arrow.toml
	"$bin" run c --duration "$1" >record.log 2>&1 || fail "the recording"
	rm -r c
}

# Every kind of column, blobs, a table of 4,096 columns, compressed files: all comes back bit for bit, to the end.
case_bit_for_bit() {
	build_batches
	mkdir in
	"$READERS/write_arrows" in || fail write_arrows
	write_supervisor 'ring_buffer_size_mb = 64'
	local name
	for name in types zstd lz4 blob times wide; do
		[ ! -f "in/$name.arrows" ] || write_replay "$name" "$work/in/$name.arrows" 'speed = 0'
	done
	"$bin" run c >run.log 2>&1 || fail "run"
	for name in c/*.toml; do
		name=$(basename "$name" .toml)
		[ "$name" = supervisor ] && continue
		batches_of "in/$name.arrows" >"$name.expected"
		[ -s "$name.expected" ] || fail "$name: nothing was to be replayed"
		batches_of out/"$name"*.arrows | cmp - "$name.expected" || fail "$name: other batches than were recorded"
		"$bin" cat "in/$name.arrows" | cmp -s - <("$bin" cat out/"$name"*.arrows) || fail "$name: other rows"
	done
	"$bin" verify out >verify.log 2>&1 || fail "$(cat verify.log)"
	# A batch that is larger than the ring takes is refused with the key that has to grow.
	write_supervisor 'ring_buffer_slot_size_kb = 1024'
	rm -f c/[a-rt-z]*.toml
	write_replay large "$work/in/large.arrows" 'speed = 0'
	"$bin" run c >large.log 2>&1 && fail "a batch that is too large was taken"
	grep -q "large.arrows: batch 1: .*ring_buffer_slot_size_kb" large.log || fail "it is not said which key has to grow"
}

# Killed again and again, replay continues behind the last batch that it published: nothing is missing, nothing comes twice,
# and no gap record claims that data may be missing.
case_kills() {
	build_batches
	record 1
	write_supervisor
	write_replay again "$work/recorded" "rate_hz = $((2400 / kills + 1))"
	printf '[store_config.csv]\nfile_path = "again.csv"\n' >>c/again.toml
	start run.log run c
	local killed=0 pid
	while [ $killed -lt "$kills" ] && kill -0 "$run" 2>/dev/null; do
		sleep "0.0$((RANDOM % 90 + 10))"
		pid=$(pid_of again)
		[ -n "$pid" ] && kill -KILL "$pid" 2>/dev/null && killed=$((killed + 1))
	done
	wait "$run" || fail "exit code"
	[ $killed -ge "$kills" ] || fail "only $killed kills before it was done"
	batches_of recorded/*.arrows >expected
	batches_of out/again*.arrows | cmp - expected || fail "other batches than were recorded"
	"$bin" verify out >verify.log 2>&1 || fail "$(cat verify.log)"
	grep -q "gap" verify.log && fail "a gap record was written: $(cat verify.log)"
	"$bin" cat recorded/bench*.arrows | cmp - out/again.csv || fail "the rows of the csv store"
	grep -q "continues behind them" run.log || fail "it is not said that it continues"
}

# At its own pace, faster, and shifted to now; again from the beginning in another run.
case_pace() {
	build_batches
	record 1
	write_supervisor
	write_replay slow "$work/recorded/bench*" 'speed = 1.0'
	write_replay fast "$work/recorded/bench*" 'speed = 4.0' 'retime = true'
	local before after recorded
	before=$(date +%s%N)
	"$bin" run c >run.log 2>&1 || fail run
	after=$(date +%s%N)
	recorded=$(./batches --times recorded/bench*.arrows | awk 'NR == 1 {first = $3} {last = $3} END {printf "%d", (last - first) / 1e6}')
	[ $(((after - before) / 1000000)) -ge "$recorded" ] || fail "$recorded ms were replayed in less"
	batches_of out/slow.arrows | cmp - <(batches_of recorded/bench*.arrows) || fail "other batches"
	[ "$(./batches --times out/fast.arrows | wc -l)" = "$(./batches --times out/slow.arrows | wc -l)" ] || fail "other counts"
	"$bin" cat --columns value out/fast.arrows | cmp - <("$bin" cat --columns value out/slow.arrows) || fail "values changed"
	"$bin" cat --columns timestamp out/fast.arrows | awk -v a=$((before / 1000000)) -v b=$((after / 1000000)) \
		'NR > 1 && ($1 < a || $1 > b) {bad++} NR == 2 {first = $1} {last = $1} END {exit bad || last - first > 0.7 * (b - a)}' ||
		fail "times are not those of the replay"
	rm c/fast.toml
	"$bin" run c >again.log 2>&1 || fail "a second run"
	[ "$(./batches out/slow.arrows | wc -l)" = $((2 * $(./batches recorded/bench*.arrows | wc -l))) ] ||
		fail "a new run does not begin at the beginning"
}

# What is cut, damaged or foreign is named, and all else is replayed. Nothing that can be replayed at all is an error.
case_damaged() {
	build_batches
	record 1
	set -- recorded/bench*.arrows
	truncate -s -100 "$1"
	printf 'A,B\n1,2\n' >recorded/foreign.arrows
	local second=${2:-}
	[ -z "$second" ] || printf '\377' | dd of="$second" bs=1 seek=5000 conv=notrunc status=none
	write_supervisor
	write_replay rest "$work/recorded" 'speed = 0'
	"$bin" run c >run.log 2>&1 || fail run
	batches_of recorded/bench*.arrows recorded/pc*.arrows | grep -v damaged >expected
	batches_of out/rest*.arrows | cmp - expected || fail "other batches than can be proved"
	grep -q "is not replayed: .*foreign.arrows: this is no Arrow file" run.log || fail "the foreign file is not named"
	grep -q "is not replayed: $work/$1: at byte [0-9]*: the file ends inside a message" run.log || fail "the cut is not named"
	grep -qE "part\(s\) of the recording could not be replayed" run.log || fail "no alert"
	write_replay rest "$work/recorded/foreign.arrows"
	"$bin" run c >nothing.log 2>&1 && fail "nothing was replayed, and nothing said"
	grep -q 'path: nothing in ".*foreign.arrows" can be replayed' nothing.log || fail "it is not said why"
}

# loop: for ever, also where it is killed in a later pass.
case_loop() {
	build_batches
	record 1
	write_supervisor
	write_replay round "$work/recorded/bench*" 'rate_hz = 2000' 'loop = true'
	start run.log run c
	local wanted=$((3 * $(./batches recorded/bench*.arrows | wc -l))) pid
	enough() { [ "$(./batches --times out/round.arrows 2>/dev/null | wc -l)" -gt "$1" ]; }
	await 20 enough $((wanted / 2)) || fail "no second pass"
	pid=$(pid_of round)
	kill -KILL "$pid"
	await 20 enough "$wanted" || fail "it does not go on"
	kill -INT "$run"
	wait "$run" || fail "exit code"
	./batches recorded/bench*.arrows | awk '{print $NF}' >once
	./batches out/round.arrows | awk 'FNR == NR {once[n++] = $1; next} once[m++ % n] != $NF {print FNR; exit 1}' once - ||
		fail "a pass differs"
}

run_case "$@"
