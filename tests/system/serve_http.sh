#!/bin/bash
# DAQJobServeHTTP in whole systems: serve_http.sh CASE. Needs ENRGDAQ_BIN, python3.
. "$(dirname "$0")/harness.sh"

write_lab() { # [LINES…]
	command -v python3 >/dev/null || exit 77
	port=$(free_port)
	write_dice_lab 8
	{
		printf 'daq_job_type = "DAQJobServeHTTP"\ndaq_job_unique_id = "web"\nserve_path = "%s"\nport = %s\n' "${served:-$work/out}" "$port"
		printf '%s\n' "$@"
	} >c/web.toml
}

start_lab() {
	start run.log run c
	await 20 grep -q "web: serves .* at http://localhost:$port/" run.log || fail "it does not serve"
	await 20 test -s out/dice.csv || fail "no rows"
}

end_lab() {
	kill -INT "$run"
	wait "$run" || fail "exit code"
	grep -q "dice -> .*: accounted" run.log || fail "the ledger"
}

client() { python3 "$here/serve_http.py" "$port" "$@" >client.log 2>&1 || fail "$*"; }

# Files as browsers and programs fetch them: whole, in parts, again only where they changed, while they grow.
case_files() {
	write_lab
	mkdir -p "out/deep folder"
	python3 -c 'import sys; sys.stdout.buffer.write(bytes(i * 7 % 251 for i in range(3000000)))' >out/large.bin
	printf 'today\n' >"out/$(date +%F)_a.csv"
	printf 'yesterday\n' >"out/$(date -d yesterday +%F)_a.csv"
	printf '<b>' >'out/<b>&.txt'
	start_lab
	client files "$work/out"
	end_lab
}

# Whoever means no good: nothing outside of the folder is seen, and the server stays there for others.
case_hostile() {
	mkdir -p "$work/out/deep"
	printf secret >secret.txt
	printf hidden >out/.hidden
	printf fine >out/deep/fine.txt
	head -c 9000000 /dev/zero >out/deep/large.bin
	mkdir -p out/state out/deep/state
	printf secret | tee out/state/lab.slack.outbox out/deep/state/x out/deep/lab.mail.outbox >/dev/null
	ln -s ../secret.txt out/outside
	ln -s "$work" out/up
	ln -s deep/fine.txt out/inside
	write_lab 'connections_max = 16' 'timeout_seconds = 0.5'
	start_lab
	! is_sanitized || export SANITIZED=yes
	client hostile "$(pid_of web)"
	end_lab
	grep -q "is started again" run.log && fail "it was started again"
	return 0
}

# It is killed, and the folder goes and comes back: data taking does not notice, and it serves again.
case_kills() {
	served=$work/site
	write_lab
	mkdir site
	printf one >site/a.txt
	start_lab
	local pid
	for _ in 1 2 3; do
		pid=$(pid_of web)
		kill -KILL "$pid"
		await 10 python3 "$here/serve_http.py" "$port" get /a.txt one || fail "it does not serve again"
	done
	mv site gone
	client status /a.txt 503
	mv gone site
	client get /a.txt one
	end_lab
}

# What can't be is said before or at the start.
case_refused() {
	served=/
	write_lab
	"$bin" check c >check.log 2>&1 && fail "/ is served"
	grep -q 'web.toml:3: serve_path: "/" would show every file' check.log || fail "it is not said why"
	served=$work/out
	write_lab 'host = "no.such.host.invalid"'
	start run.log run c
	await 20 grep -q 'host: "no.such.host.invalid"' run.log || fail "the host is not named"
	kill -INT "$run"
	wait "$run"
	write_lab
	python3 -c "import socket, time
s = socket.socket(); s.bind(('127.0.0.1', $port)); s.listen(); print('listens', flush=True); time.sleep(60)" >listener.log &
	started+=($!)
	await 10 grep -q listens listener.log || fail "no listener"
	start run.log run c
	await 20 grep -q "port $port of localhost is in use by another program" run.log || fail "the port is not named"
	kill -INT "$run"
	wait "$run"
	return 0
}

run_case "$@"
