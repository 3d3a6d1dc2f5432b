#!/bin/bash
# web_storm.sh CASE: enrgdaq-web under a storm, killed and hung, while data are taken. STORM_SECONDS (10), WEB_KILLS (2) and
# WEB_HANGS (0, of half a minute each) are more in `make torture`, and GETS_A_SECOND
# (20: a slow machine sends more than that, too) is there what the server has without it. GET_STORM is the generator.
# shellcheck source=tests/system/harness.sh
. "$(dirname "$0")/harness.sh"

# A source at full rate into a store of memory that reads all.
start_lab() {
	mkdir -p c
	cat >c/supervisor.toml <<-END
		ring_buffer_size_mb = 64
		restart_delay_seconds = 0.1
		[info]
		supervisor_id = "lab"
		[web]
		gets_per_second = ${GETS_A_SECOND:-20}
	END
	add_rest
	cat >c/bench.toml <<-END
		daq_job_type = "DAQJobBenchmark"
		daq_job_unique_id = "bench"
		payload_size = 100000
		use_shm = true
		[store_config.memory]
	END
	start run.log run c
	await 20 answers || fail "no server"
	await 20 has_rows || fail "no rows"
}
rows() { "$bin" status lab --json | python3 -c 'import json, sys; d = json.load(sys.stdin); print(d["ledger"]["sources"][0]["produced_rows"], d["mono_ns"])'; }
has_rows() { [ "$(rows | cut -d' ' -f1)" -gt 100000 ]; }
web_pid() { "$bin" status lab --json | python3 -c 'import json, sys; print(json.load(sys.stdin)["web"]["pid"] or "")'; }

end_lab() {
	"$bin" stop lab >stop.log 2>&1 || fail "not every batch is stored: $(cat stop.log)"
	grep -q "accounted" run.log || fail "no account"
}

# rate COMMAND…: rows a second while it runs
rate() {
	local before after
	before=$(rows)
	"$@"
	sleep 1.1 # figures are written once a second: those behind the command
	after=$(rows)
	python3 -c 'import sys; a, b, c, d = map(float, sys.argv[1:]); print((c - a) / (d - b) * 1e9)' $before $after
}

# 10,000 GETs a second: those past the limit are 429, nothing is lost, the server answers afterwards. The ratio of rates is printed, not judged:
# this machine has other work.
case_gets() {
	local seconds=${STORM_SECONDS:-10} quiet loud
	start_lab
	quiet=$(rate sleep $((seconds / 2)))
	storm() { "$GET_STORM" "$port" /clients 10000 "$seconds" 16 >storm.json; }
	loud=$(rate storm)
	python3 - "$quiet" "$loud" <<-'END' || fail "the storm: $(cat storm.json)"
		import json, sys
		quiet, loud = map(float, sys.argv[1:])
		storm = json.load(open("storm.json"))
		answers = storm["answers"]
		total = sum(answers.values())
		print(f"storm: {storm['sent']} GETs, {answers.get('200', 0)} answered, {answers.get('429', 0)} past the limit; "
		      f"acquisition {loud / quiet:.3f} of {quiet:.3g} rows/s (goal 0.95)")
		assert set(answers) <= {"200", "429"}, answers
		assert answers["200"] >= 20 and answers["429"] > 0, answers
		assert total >= storm["sent"] - 16 * 16, "requests without an answer"
	END
	sleep 1 # of the limit
	await 20 answers || fail "it answers no more"
	end_lab
}

# Killed, and stopped so that it hangs: the source notices nothing, the server comes again, the system ends in order.
case_killed() {
	local kills=${WEB_KILLS:-2} hangs=${WEB_HANGS:-0} pid i signal
	start_lab
	for i in $(seq $((kills + hangs))); do
		signal=$([ "$i" -le "$kills" ] && echo KILL || echo STOP)
		await 20 web_is_there || fail "no server after kill $((i - 1))"
		pid=$(web_pid)
		curl -s -m 2 "http://127.0.0.1:$port/clients/lab/status" >/dev/null &
		kill -"$signal" "$pid"
		is_new() { local now; now=$(web_pid); [ -n "$now" ] && [ "$now" != "$pid" ] && answers; }
		await 30 is_new || fail "it does not come again after kill $i"
	done
	local restarts
	restarts=$("$bin" status lab --json | python3 -c 'import json, sys; d = json.load(sys.stdin); print(sum(j["restarts"] for j in d["jobs"]), d["ledger"]["accounted"])')
	[ "$restarts" = "0 True" ] || fail "jobs noticed it: $restarts"
	end_lab
}
web_is_there() { [ -n "$(web_pid)" ]; }

run_case "$@"
