#!/bin/bash
# What every service has to stand, whatever it does: services.sh CASE. Needs ENRGDAQ_BIN, CC, INCLUDE. A new one is a case of a
# few lines: its file, and `suite TYPE`.
. "$(dirname "$0")/../system/harness.sh"

# Beside it: a source, and a job that raises alerts and hears all.
write_company() {
	mkdir -p c modules
	"${CC:-cc}" -std=gnu17 -O1 -fPIC -shared -I "$INCLUDE" "$here/../system/knob.c" -o modules/knob.so 2>cc.log ||
		fail "the module does not build"
	export ENRGDAQ_MODULE_PATH="$work/modules:${ENRGDAQ_MODULE_PATH:-}"
	printf 'ring_buffer_size_mb = 16\nrestart_delay_seconds = 0.1\n[info]\nsupervisor_id = "lab"\n' >c/supervisor.toml
	printf 'daq_job_type = "DAQJobTest"\nrand_min = 1\nrand_max = 6\ninterval_seconds = 0.02\n[store_config.csv]\nfile_path = "dice.csv"\n' >c/dice.toml
	printf 'daq_job_type = "DAQJobKnob"\ndiary = "knob.txt"\n' >c/knob.toml
}

rows() { wc -l <out/dice.csv; }
rss_of() { awk '/VmRSS/ {print $2}' "/proc/$1/status"; }

# Many commands and alerts at once.
flood() {
	local kind=${1:-no.such.kind} pids=()
	for _ in 1 2 3; do
		for _ in $(seq 15); do
			"$bin" send service "$kind" no_such_field=1 >/dev/null 2>&1
			"$bin" send knob warn >/dev/null 2>&1
		done &
		pids+=($!)
	done
	wait "${pids[@]}"
}

# suite TYPE: c/service.toml configures it
suite() {
	local kind='' kinds pid before after
	"$bin" check c >check.log 2>&1 || { cat check.log >&2; fail "check"; }
	kinds=$("$bin" describe "$1" | sed -n 's/^Command \([^ ,]*\).*/\1/p')
	start run.log run c
	await 20 test -s out/dice.csv || fail "no rows"
	await 20 sh -c "! '$bin' send service no.such.kind | grep -q 'refused\|unknown'" || fail "it does not get ready"

	# What is wrong is named, and the service lives on.
	pid=$(pid_of service)
	[ -n "$pid" ] || fail "it has no process"
	for kind in $kinds; do
		"$bin" send service "$kind" no_such_field=1 >wrong.log
		[ $? -eq 2 ] || fail "exit code of $kind with a wrong field"
		grep -q "no_such_field: unknown key" wrong.log || fail "$kind does not name the wrong field"
	done
	"$bin" send service no.such.kind >wrong.log
	grep -q "^no_kind" wrong.log || fail "a command that it does not know"

	# A flood neither ends it nor makes it grow.
	flood "$kind" # once, for what is allocated once
	before=$(rss_of "$pid")
	flood "$kind"
	[ "$(pid_of service)" = "$pid" ] || fail "it did not live through a flood"
	after=$(rss_of "$pid")
	[ $((after - before)) -lt 4096 ] || fail "it grew from $before to $after kB"

	# One that stands still holds nobody back, and is asked nothing for ever.
	kill -STOP "$pid"
	before=$(rows)
	for _ in $(seq 20); do "$bin" send knob warn >/dev/null || fail "an alert waits for it"; done
	"$bin" send --timeout 0.3 service "${kind:-no.such.kind}" no_such_field=1 >still.log
	await 20 sh -c "[ \$(wc -l <out/dice.csv) -gt $((before + 20)) ]" || fail "others stand still as well"
	kill -CONT "$pid"

	# Killed, it comes back; and an ordered end is one, in the middle of messages.
	kill -KILL "$pid"
	await 20 sh -c "ps --ppid $run -o pid=,args= | grep -v '^ *$pid ' | grep -q ' service\$'" || fail "it does not come back"
	await 20 sh -c "! '$bin' send service no.such.kind | grep -q 'refused\|unknown'" || fail "it does not get ready again"
	flood "$kind" &
	"$bin" send supervisor stop >/dev/null || fail "stop"
	wait "$run" || fail "exit code of the run"
	wait
	grep -q "accounted" run.log || fail "no ledger"
	grep -q "rescued\|was killed because" run.log && fail "something went wrong on the way"
	return 0
}

# The example of the Python program, as it is.
case_handle_alerts() {
	write_company
	printf 'daq_job_type = "DAQJobHandleAlerts"\n\n[store_config.csv]\nfile_path = "alerts.csv"\nadd_date = true\n' >c/service.toml
	suite DAQJobHandleAlerts
	[ "$(cat out/*_alerts.csv | grep -c ',knob,warning,')" -ge 60 ] || fail "alerts are missing"
	head -qn 1 out/*_alerts.csv | grep -qx 'timestamp,daq_job,severity,message' || fail "columns"
}

# The example of the Python program, which has no section for time series.
case_handle_stats() {
	write_company
	printf 'daq_job_type = "DAQJobHandleStats"\n\n[store_config.csv]\nfile_path = "stats.csv"\noverwrite = true\n' >c/service.toml
	suite DAQJobHandleStats
}

stats_say() { grep -qE "$1" out/stats.csv 2>/dev/null; }

# Its figures are true: of two jobs of one type, of queues, of jobs that were killed, and over its own death.
case_stats() {
	local date='1[0-9]{12}'
	write_company
	sed 's/dice.csv/more.csv/' c/dice.toml >c/more.toml
	printf 'daq_job_type = "handle_stats"\nsubscribe_to_all_stats = false\ninterval_seconds = 0.1\n
[store_config.csv]\nfile_path = "stats.csv"\noverwrite = true\n[store_config.arrow]\nfile_path = "stats.arrows"\n
[timeseries_store_config.csv]\nfile_path = "series.csv"\n' >c/service.toml
	start run.log run c
	await 20 stats_say "^lab,more,true,0,0,$date,[0-9]+,0,[0-9]+,0,0\$" || fail "no row of a source: $(cat out/stats.csv)"
	stats_say "^lab,dice,true," || fail "no row of its twin"
	stats_say "^lab,DAQJobStoreCSV,true,$date,[0-9]+,0,0,[0-9]+,0,0,0\$" || fail "no row of a store: $(cat out/stats.csv)"
	kill -KILL "$(pid_of dice)"
	await 20 stats_say "^lab,dice,true,.*,$date,1\$" || fail "no restart: $(cat out/stats.csv)"
	kill -KILL "$(pid_of service)"
	await 20 stats_say "^lab,service,true,.*,$date,1\$" || fail "not its own restart: $(cat out/stats.csv)"
	stats_say "^lab,dice,true,.*,$date,1\$" || fail "a restart was forgotten: $(cat out/stats.csv)"
	kill -STOP "$(pid_of DAQJobStoreCSV)"
	await 20 sh -c "'$bin' cat out/stats.arrows 2>/dev/null | grep -qE '^\"?lab\"?,\"?dice\"?,true,.*,[1-9][0-9]*,$date,1\$'" ||
		fail "no queue of a source whose store stands still: $("$bin" cat out/stats.arrows | tail -3)"
	"$bin" cat out/stats.arrows | grep -qE '^"?lab"?,"?DAQJobStoreCSV"?,true,.*,[1-9][0-9]*,0,0,0$' || fail "no queue of a store"
	kill -CONT "$(pid_of DAQJobStoreCSV)"
	"$bin" send supervisor stop >/dev/null || fail "stop"
	wait "$run" || fail "exit code of the run"
	grep -qE '^lab,true,1[0-9]{12},[1-9][0-9]*,[0-9.]+,[1-9][0-9]*,[0-9.]+$' out/stats_remote.csv || fail "supervisors: $(cat out/stats_remote.csv)"
	head -n 1 out/stats.csv | grep -qx 'supervisor,daq_job,is_alive,last_message_in_date,message_in_count,last_message_out_date,message_out_count,message_in_queue_size,message_out_queue_size,last_restart_date,restart_count' || fail "columns"
	head -n 1 out/stats_remote.csv | grep -qx 'supervisor,is_alive,last_active,message_in_count,message_in_megabytes,message_out_count,message_out_megabytes' || fail "columns of supervisors"
	head -n 1 out/series_lab.more.csv | grep -qx 'timestamp,rss_mb,cpu_percent' || fail "columns of a time series"
	[ "$(wc -l <out/series_lab.more.csv)" -gt 5 ] || fail "a short time series"
}

case_handle_traces() {
	write_company
	printf 'daq_job_type = "DAQJobHandleTraces"\n\n[store_config.csv]\nfile_path = "traces.csv"\n' >c/service.toml
	suite DAQJobHandleTraces
}

are_joined() {
	awk -F, '$3 == "sent" {sent[$1] = 1} $3 == "received" && $7 == "dice" {received[$1] = 1}
		END {for (id in received) n += id in sent; exit !(n > 110)}' out/traces.csv
}

# A store that gets some batches a second, and a source that is as fast as it can: all of the one stand there, of the other
# as many as its sampling says, and neither tables nor memory grow with the rate.
case_traces() {
	local seen pid
	write_company
	rm c/knob.toml
	printf 'daq_job_type = "DAQJobBenchmark"\npayload_size = 10\n[store_config.memory]\n' >c/fast.toml
	printf 'daq_job_type = "DAQJobHandleTraces"\n[store_config.csv]\nfile_path = "traces.csv"\n' >c/service.toml
	start run.log run c
	await 20 grep -qE ',dice,DAQJobStoreCSV,lab,lab,' out/traces_latency.csv || fail "no batch of a slow source"
	await 20 grep -qE ',fast,DAQJobStoreMemory,lab,lab,.*,[0-9]{2,}$' out/traces_latency.csv || fail "no sampled batch of a fast one"
	# the way of a batch is found by its id; reports of several seconds, so that its own would be there as well
	await 20 are_joined || fail "what was received was not sent"
	pid=$(pid_of service)
	[ "$(rss_of "$pid")" -lt 40000 ] || fail "it takes $(rss_of "$pid") kB"
	"$bin" send supervisor stop >/dev/null || fail "stop"
	wait "$run" || fail "exit code of the run"
	head -n 1 out/traces_latency.csv | grep -qx 'message_id,message_type,source_job,dest_job,source_supervisor,dest_supervisor,sent_timestamp,received_timestamp,latency_ms,size_bytes,sampled_every' || fail "columns of latencies"
	head -n 1 out/traces.csv | grep -qx 'message_id,message_type,event_type,topics,timestamp,size_bytes,source_job,source_supervisor,dest_job,dest_supervisor,rows,sampled_every' || fail "columns of events"
	grep -q ',service,' out/traces.csv out/traces_latency.csv && fail "it traces itself"
	# sampled_every is true: rows that stand for others make up about what was produced meanwhile
	seen=$(awk -F, '$3 == "sent" && $7 == "fast" {rows++} END {print rows + 0}' out/traces.csv)
	[ "$seen" -gt 20 ] && [ "$seen" -lt 3000 ] || fail "$seen rows of a fast source"
}

# One whose receiver is not there: all that it hears waits.
# Killed at any moment it says nothing twice and nothing false: each event of a batch is one row, whole, and what is received
# was sent; the jobs whose batches it tells of do not notice.
case_traces_killed() {
	local pid before=0
	write_company
	rm c/knob.toml
	printf 'daq_job_type = "DAQJobHandleTraces"\n[store_config.csv]\nfile_path = "traces.csv"\n' >c/service.toml
	start run.log run c
	more() { [ "$(grep -c ',received,.*,dice,' out/traces.csv)" -gt "$before" ]; }
	for _ in 1 2 3 4; do
		await 20 more || fail "nothing is traced any more"
		before=$(grep -c ',received,.*,dice,' out/traces.csv)
		pid=$(pid_of service)
		kill -KILL "$pid" || fail "it has no process"
		is_back() { [ -n "$(pid_of service)" ] && [ "$(pid_of service)" != "$pid" ]; }
		await 20 is_back || fail "it does not come back"
	done
	await 20 more || fail "nothing is traced after the last kill"
	"$bin" send supervisor stop >/dev/null || fail "stop"
	wait "$run" || fail "exit code of the run"
	[ "$(grep -c ': accounted' run.log)" -ge 2 ] || fail "the ledger"
	python3 - <<-'END' || fail "false rows"
		import collections, csv
		rows = list(csv.DictReader(open("out/traces.csv")))
		keys = collections.Counter((row["message_id"], row["event_type"], row["dest_job"]) for row in rows)
		assert len(rows) > 50 and max(keys.values()) == 1, keys.most_common(3)
		assert all(None not in row and None not in row.values() for row in rows), "a torn row"
		assert {row["event_type"] for row in rows} == {"sent", "received"}
		latencies = list(csv.DictReader(open("out/traces_latency.csv")))
		ids = collections.Counter((row["message_id"], row["dest_job"]) for row in latencies)
		assert max(ids.values()) == 1, ids.most_common(3)
		assert all(0 <= float(row["latency_ms"]) < 60000 for row in latencies)
		received = {(row["message_id"], row["dest_job"]) for row in rows if row["event_type"] == "received"}
		# an event and its latency are two tables: at each kill one may be stored without the other
		assert len(set(ids) ^ received) <= 4 * 128, len(set(ids) ^ received)
	END
}

case_alert_slack() {
	write_company
	"$bin" jobs | grep -q DAQJobAlertSlack || exit 77
	cat >c/service.toml <<-END
		daq_job_type = "DAQJobAlertSlack"
		slack_webhook_url = "http://127.0.0.1:9/"
		allow_private = ["127.0.0.1"]
		retry_max_seconds = 0.2
	END
	suite DAQJobAlertSlack
	grep -q "could not be sent to Slack" run.log || fail "it does not say so"
}

case_history() {
	write_company
	printf 'daq_job_type = "DAQJobHistory"\nmin_free_gb = 0\n' >c/service.toml
	suite DAQJobHistory
	"$bin" history dice/out_rows >view 2>&1 || fail "nothing was recorded: $(cat view)"
}

case_knob() {
	write_company
	printf 'daq_job_type = "DAQJobKnob"\n[store_config.csv]\nfile_path = "service.csv"\n' >c/service.toml
	suite DAQJobKnob
}

# One that polls keeps no run alive: the run ends with its source.
case_polls() {
	write_company
	cat >ticker.c <<-END
		#include <stdlib.h>
		#include <enrgdaq/job.h>
		static const struct enrg_option none[] = {{.key = NULL}};
		static int start(struct enrg_job *job, const void *options, void **ret_state, struct enrg_error *err)
		{
			(void)job, (void)options, (void)err;
			return *ret_state = calloc(1, 1), 0;
		}
		static int poll_once(struct enrg_job *job, void *state, struct enrg_error *err)
		{
			(void)job, (void)state, (void)err;
			return ENRG_POLL_IDLE;
		}
		static const struct enrg_job_type ticker = {.size = sizeof(struct enrg_job_type), .name = "DAQJobTicker", .summary = "Ticks.",
			.options = {.size = 1, .options = none}, .start = start, .poll = poll_once, .destroy = free, .is_service = true};
		static const struct enrg_job_type *const jobs[] = {&ticker, NULL};
		ENRG_MODULE = {ENRG_MODULE_HEAD, .name = "ticker", .jobs = jobs};
	END
	"${CC:-cc}" -std=gnu17 -O1 -fPIC -shared -I "$INCLUDE" ticker.c -o modules/ticker.so 2>cc.log || fail "the ticker does not build"
	printf 'daq_job_type = "DAQJobTicker"\n' >c/service.toml
	printf 'daq_job_type = "DAQJobBenchmark"\ncount = 3\n[store_config.csv]\nfile_path = "b.csv"\n' >c/dice.toml
	rm c/knob.toml
	timeout 20 "$bin" run c >run.log 2>&1 || fail "the run did not end with its source: exit code $?"
	grep -q "accounted" run.log || fail "no ledger"
}

# The service of docs/writing-a-service.md.
case_page() {
	write_company
	# shellcheck disable=SC2016
	sed -n '/^```c$/,/^```$/p' "$here/../../docs/writing-a-service.md" | sed '/^```/d' >heater.c
	"${CC:-cc}" -std=gnu17 -O1 -fPIC -shared -I "$INCLUDE" heater.c -o modules/heater.so 2>cc.log || fail "the page's service does not build"
	printf 'daq_job_type = "DAQJobHeater"\n[store_config.csv]\nfile_path = "service.csv"\n' >c/service.toml
	suite DAQJobHeater
}

run_case "$@"
