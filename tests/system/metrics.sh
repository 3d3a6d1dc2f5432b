#!/bin/bash
# metrics.sh CASE: /metrics of a running system, judged by promtool and scraped by a real Prometheus. Needs both
# (PROMETHEUS names a folder of theirs), a network to get them from, or they are skipped.
# shellcheck source=tests/system/harness.sh
. "$(dirname "$0")/harness.sh"

# The two programs of Debian's package, without the service that installing it would start.
get_prometheus() {
	local folder=${PROMETHEUS:?a folder for the programs} part
	command -v prometheus >/dev/null && command -v promtool >/dev/null && return
	PATH=$folder/usr/bin:$PATH
	[ -x "$folder/usr/bin/promtool" ] && [ -x "$folder/usr/bin/prometheus" ] && return
	mkdir -p "$folder"
	part=$(mktemp -d)
	(cd "$part" && apt-get download -q prometheus >apt.log 2>&1 && dpkg-deb --fsys-tarfile prometheus_*.deb |
		tar -xf - ./usr/bin/prometheus ./usr/bin/promtool && cp -a usr "$folder/") ||
		{ echo "SKIPPED: no Prometheus here, and none to be had: $(tail -n 1 "$part/apt.log")"; exit 77; }
	rm -rf "$part"
}

start_lab() {
	write_dice_lab 16
	add_rest
	start run.log run c
	await 20 shows_jobs || fail "no server"
}
shows_jobs() { answers && curl -sf "http://127.0.0.1:$port/metrics" | grep -q '^enrgdaq_up'; }

# No word of promtool, neither to the figures nor to the rules; the dashboard asks for nothing that is not there.
case_lint() {
	get_prometheus
	start_lab
	stored() { curl -sf "http://127.0.0.1:$port/metrics" | grep -q '^enrgdaq_recent_commit_latency_seconds'; }
	await 20 stored || fail "no latency"
	curl -sf "http://127.0.0.1:$port/metrics" >metrics.txt || fail "no answer"
	promtool check metrics <metrics.txt >lint.log 2>&1 || fail "promtool: $(cat lint.log)"
	[ -s lint.log ] && fail "promtool: $(cat lint.log)"
	grep -q '[{,]job=' metrics.txt && fail "a label named job"
	promtool check rules "$here/../../configs/monitoring/enrgdaq.rules.yml" >rules.log 2>&1 || fail "the rules"
	curl -s -o /dev/null "http://127.0.0.1:$port/nothing"
	python3 - "$here/../../configs/monitoring" metrics.txt <<-'END' || fail "asked for, and not there"
		import json, re, sys
		there = set(re.findall(r"^# TYPE (\S+)", open(sys.argv[2]).read(), re.M))
		there |= {name + end for name in there for end in ("_bucket", "_sum", "_count")}
		there |= {"enrgdaq_alarm_active"}  # no alarm is on
		dashboard = json.load(open(sys.argv[1] + "/grafana/dashboards/enrgdaq.json"))
		assert dashboard["uid"] == "enrgdaq" and dashboard["templating"]["list"][0]["type"] == "datasource"
		asked = json.dumps(dashboard) + open(sys.argv[1] + "/enrgdaq.rules.yml").read()
		missing = set(re.findall(r"\benrgdaq_[a-z_]+", asked)) - there
		missing -= {"enrgdaq_rules"}
		sys.exit(f"not there: {missing}" if missing else 0)
	END
	"$bin" stop lab >stop.log 2>&1 || fail "stop"
}

query() { curl -sf --get "http://127.0.0.1:$scraper/api/v1/query" --data-urlencode "query=$1"; }
says() { query "$1" | grep -q "\"value\":\[[0-9.]*,\"$2\"\]"; }

# A real Prometheus with the shipped configuration; and what it is told when the supervisor goes.
case_scrape() {
	get_prometheus
	start_lab
	scraper=$(free_port)
	mkdir p
	cp "$here"/../../configs/monitoring/*.yml p/
	sed -i "s/localhost:8000/127.0.0.1:$port/; s/scrape_interval: 5s/scrape_interval: 1s/" p/prometheus.yml
	"$bin" token add prometheus --role visitor --config c >token.log 2>&1 || fail "no token: $(cat token.log)"
	grep -oE '[A-Za-z0-9_-]{40,}' token.log | head -1 >p/enrgdaq.token
	[ -s p/enrgdaq.token ] || fail "no token: $(cat token.log)"
	prometheus --config.file=p/prometheus.yml --storage.tsdb.path=p/data --web.listen-address="127.0.0.1:$scraper" \
		>prometheus.log 2>&1 &
	started+=($!)
	await 30 says 'up{job="enrgdaq"}' 1 || fail "it does not scrape"
	await 20 says 'enrgdaq_up{daq_job="dice"}' 1 || fail "dice is not up"
	await 20 says 'enrgdaq_produced_rows_total{daq_job="dice"} > bool 10' 1 || fail "no rows"
	query 'enrgdaq_up' | grep -q exported_job && fail "a label of ours was renamed"
	kill -KILL "$(pid_of dice)"
	await 30 says 'enrgdaq_restarts_total{daq_job="dice"} > bool 0' 1 || fail "a restart is not seen"
	"$bin" stop lab >stop.log 2>&1 || fail "stop"
	await 30 says 'up{job="enrgdaq"}' 0 || fail "its end is not seen"
}

run_case "$@"
