#!/bin/bash
# DAQJobArchive in whole systems: archive.sh CASE. Needs ENRGDAQ_BIN.
. "$(dirname "$0")/harness.sh"

kills=${ARCHIVE_KILLS:-15}

write_lab() { # LINES… of the archive
	mkdir -p c
	cat >c/supervisor.toml <<-END
		restart_delay_seconds = ${delay:-0.01}
		restart_delay_max_seconds = ${delay:-0.05}
		[info]
		supervisor_id = "lab"
	END
	cat >c/bench.toml <<-END
		daq_job_type = "DAQJobBenchmark"
		daq_job_unique_id = "bench"
		payload_size = 600
		rate_hz = 60
		[store_config.arrow]
		file_path = "it's/wave.arrows"
	END
	cat >c/seldom.toml <<-END # its file is open all the time, and hardly ever changes
		daq_job_type = "DAQJobTest"
		rand_min = 1
		rand_max = 6
		interval_seconds = 3600
		[store_config.csv]
		file_path = "seldom.csv"
	END
	printf 'daq_job_type = "DAQJobStoreCSV"\ndaq_job_unique_id = "csv"\n' >c/csv.toml
	printf 'daq_job_type = "DAQJobStoreArrow"\ndaq_job_unique_id = "store"\nout_dir = "out"\nrotate_mb = 0.1\n' >c/store.toml
	{
		printf 'daq_job_type = "DAQJobArchive"\ndaq_job_unique_id = "archive"\nsettle_seconds = 0.3\nscan_seconds = 0.1\nretry_seconds = 0.3\n'
		printf '%s\n' "$@"
	} >c/archive.toml
}

make_target() { mkdir -p "$1" && : >"$1/.enrgdaq-archive"; }

copies() { find "${1:-far}" -name '*.arrows' 2>/dev/null | wc -l; }
has_copies() { [ "$(copies "${2:-far}")" -ge "$1" ]; }
removed() { grep -c 'archive: removed .*read back' run.log; }
has_removed() { [ "$(removed)" -ge "$1" ]; }
no_parts() { ! find "$1" -name '.archive-*' | grep -q .; }

end_lab() {
	kill -INT "$run"
	wait "$run" || fail "exit code"
	grep -q "bench -> store: .*: accounted" run.log || fail "the ledger"
}

# Here and there together is all that was produced, nothing of it twice, and what is in both places is the same.
expect_all() { # FAR
	local name
	mkdir whole
	cp -r "$1/." whole/
	while read -r name; do
		[ ! -e "whole/$name" ] || cmp -s "out/$name" "whole/$name" || { [ "$(stat -c %s "out/$name")" -gt "$(stat -c %s "whole/$name")" ] &&
			cmp -s -n "$(stat -c %s "whole/$name")" "out/$name" "whole/$name"; } || fail "the copy of $name is another"
		mkdir -p "whole/$(dirname "$name")"
		cp "out/$name" "whole/$name"
	done < <(cd out && find . -name '*.arrows')
	"$bin" verify whole >verify.log 2>&1 || fail "$(cat verify.log)"
	local rows produced
	rows=$("$bin" cat whole/*/*.arrows | grep -vc value)
	produced=$(sed -n 's/.*bench -> store: produced [0-9]* batches, \([0-9]*\) rows.*/\1/p' run.log)
	[ "$rows" = "$produced" ] || fail "$produced rows were produced, $rows are there"
}

# The newest part, which the store has open, is never copied.
case_folder() {
	make_target far
	delay=2
	write_lab "target = \"$work/far\"" 'keep_days = 0.00001'
	mkdir -p out
	touch out/book.db out/book.db.owner out/book.db.number # the run book of a supervisor that does not run
	start run.log run c
	await 20 has_copies 6 || fail "no copies"
	await 20 has_removed 3 || fail "nothing was removed"
	[ ! -e far/seldom.csv ] || fail "a file was copied that is open"
	# nor one whose store was killed, and will go on with it
	kill -KILL "$(pid_of csv)"
	local more=$(($(copies) + 4))
	await 20 has_copies $more || fail "no copies"
	[ ! -e far/seldom.csv ] || fail "a file was copied with which its killed store goes on"
	is_back() { [ -n "$(pid_of csv)" ]; }
	await 20 is_back || fail "the store does not come back"
	"$bin" send archive archive_state | tr -d '\n' >state.log || fail "archive_state"
	grep -qE '"copied_files": [1-9].*"fault": ""' state.log || fail "$(cat state.log)"
	end_lab
	expect_all far
	no_parts far || fail "something unfinished lies there"
	[ "$(removed)" -lt "$(grep -c 'archive: archived' run.log)" ] || fail "more was removed than archived"
	find out -name '.*.archived' | grep -q . && fail "something hidden was left"
	# The next run copies what was closed at the end, and knows what it had copied.
	rm c/bench.toml c/seldom.toml c/csv.toml
	start again.log run c
	all_there() { [ -z "$(find out -name '*.arrows')" ]; }
	await 20 all_there || fail "the rest is not archived and removed: $(find out -name '*.arrows')"
	kill -INT "$run"
	wait "$run"
	[ "$(copies)" = "$(find whole -name '*.arrows' | wc -l)" ] || fail "not all are there, or some twice"
	[ -e out/book.db ] && [ -e out/book.db.number ] && [ -e out/runs_lab.sqlite ] && [ ! -e far/book.db ] ||
		fail "a run book was taken away: $(ls out far)"
	"$bin" runs show 1 --json --database out/runs_lab.sqlite >show.log || fail "$(cat show.log)"
	grep -q '"state": "archived"' show.log && grep -q '"is_here": false' show.log ||
		fail "the run does not know that its files are archived"
}

# Archive and store are killed at random moments: no file is lost, none is removed that is not there, none is there twice.
case_kills() {
	make_target far
	write_lab "target = \"$work/far\"" 'keep_days = 0.00001'
	start run.log run c
	await 20 has_copies 1 || fail "no copies"
	local killed=0 pid name
	while [ $killed -lt "$kills" ]; do
		sleep "0.0$((RANDOM % 90 + 10))"
		name=archive
		[ $((killed % 5)) = 4 ] && name=store
		pid=$(pid_of $name)
		[ -n "$pid" ] && kill -KILL "$pid" 2>/dev/null && killed=$((killed + 1))
	done
	is_running() { [ -n "$(pid_of store)" ] && [ -n "$(pid_of archive)" ]; }
	await 10 is_running || fail "they did not come back"
	local before
	before=$(removed)
	more() { [ "$(removed)" -gt "$before" ]; }
	await 60 more || fail "nothing is removed any more"
	end_lab
	grep -q "torn or damaged" run.log && fail "records were torn"
	expect_all far
	find out far -name '.*.archived' | grep -q . && fail "something hidden was left"
	return 0
}

mount_disk() { # SIZE
	mkdir -p disk
	mount -t tmpfs -o "size=$1" tmpfs "$work/disk" 2>/dev/null || { echo "no mount here"; exit 77; }
	: >disk/.enrgdaq-archive
}

# A full target: it is said, shown and tried again; nothing is removed here, nothing half is left there.
case_full() {
	mount_disk 600k
	write_lab "target = \"$work/disk\"" 'keep_gb = 0.0000001'
	start run.log run c
	await 30 grep -q "ERROR archive: the target .* is full: No space left on device: make room there; nothing is removed here, and [1-9][0-9]* file(s) with" run.log || fail "it is not said"
	is_shown() { "$bin" status >status.log && grep -q "waiting: [1-9][0-9]* file(s) with .* wait to be archived: .*No space left" status.log; }
	await 10 is_shown || fail "status does not show it"
	no_parts disk || fail "half a file lies there"
	mount -o remount,size=200m "$work/disk"
	await 30 grep -q "INFO  archive: the archive works again" run.log || fail "it does not go on"
	local before
	before=$(removed)
	more() { [ "$(removed)" -gt $((before + 3)) ]; }
	await 20 more || fail "nothing is removed any more"
	end_lab
	expect_all disk
}

# A file that the target can't take holds up no other, and the fault is said once, not at each try; one that a clock of
# the future has written is archived and removed like the others.
case_set_aside() {
	mount_disk 900k
	write_lab "target = \"$work/disk\"" 'keep_days = 0.000001' 'retry_seconds = 0.05'
	sed -i '/retry_seconds = 0.3/d' c/archive.toml
	rm c/bench.toml c/csv.toml
	mkdir out
	head -c 2000000 /dev/urandom >out/large.dat
	touch -d '2 days ago' out/large.dat
	for name in one two three; do head -c 20000 /dev/urandom >out/$name.dat; done
	touch -d '2 years' out/three.dat
	: >out/hidden.dat
	start run.log run c
	small_are_there() { [ -s disk/one.dat ] && [ -s disk/two.dat ] && [ -s disk/three.dat ]; }
	await 20 small_are_there || fail "a file that is too large holds up the others"
	await 20 grep -q "ERROR archive: 1 file(s) can't be archived and are set aside, such as large.dat: the target .* is full" run.log || fail "it is not said"
	await 20 grep -q "INFO  archive: the archive works again" run.log || fail "the fault has no end"
	is_shown() { "$bin" status >status.log && grep -q "waiting: 0 file(s) with 0 B wait to be archived; 1 set aside, such as large.dat (the target" status.log; }
	await 10 is_shown || fail "status does not show it: $(cat status.log)"
	small_are_gone() { [ ! -e out/one.dat ] && [ ! -e out/two.dat ] && [ ! -e out/three.dat ]; }
	await 20 small_are_gone || fail "not removed: $(ls out)"
	head -c 2000000 /dev/urandom >out/larger.dat
	await 20 grep -q "ERROR archive: the target .* is full.*1 file(s) with 2.0 MB wait" run.log || fail "a second one is not tried"
	head -c 20000 /dev/urandom >out/four.dat
	await 20 grep -q "WARN.* archive: larger.dat is set aside" run.log || fail "a second one is not set aside"
	tried() { [ "$(grep -c 'large.dat is set aside' run.log)" -ge 3 ]; }
	await 20 tried || fail "it is not tried again"
	[ "$(grep -c "ERROR archive: the target" run.log)" -le 2 ] || fail "the fault is said again and again"
	[ "$(grep -c "ERROR archive: .* set aside" run.log)" = 1 ] || fail "what is set aside is said again and again"
	[ "$(grep -c "the archive is behind" run.log)" -le 1 ] || fail "what is set aside counts as behind again and again"
	mount -o remount,size=20m "$work/disk"
	await 40 grep -q "INFO  archive: no file is set aside from the archive any more" run.log || fail "it is not taken when there is room"
	kill -INT "$run"
	wait "$run"
	[ "$(find disk -name 'large*.dat' | wc -l)" = 2 ] || fail "they are not there"
}

# A target that goes away and comes back: nothing is written into the folder where it was mounted.
case_vanishing() {
	mount_disk 200m
	write_lab "target = \"$work/disk\"" 'keep_days = 0.00001'
	start run.log run c
	await 20 has_copies 2 disk || fail "no copies"
	unmount() { umount "$work/disk" 2>/dev/null; }
	mkdir aside
	mount --bind disk aside # so that its files outlive it
	await 20 unmount || fail "can't be unmounted: $(find /proc/[0-9]*/fd -lname "$work/disk*" 2>/dev/null)"
	await 30 grep -q "ERROR archive: the target $work/disk has no file .enrgdaq-archive, so nothing is mounted" run.log ||
		fail "it is not said"
	local there
	there=$(removed)
	sleep 1
	[ "$(removed)" = "$there" ] || fail "something was removed without a target"
	[ -z "$(ls -A disk)" ] || fail "something was written into the empty folder: $(ls -A disk)"
	mount --bind aside disk
	await 30 grep -q "archive: the archive works again" run.log || fail "it does not go on"
	await 20 has_removed $((there + 1)) || fail "nothing is removed any more"
	end_lab
	expect_all disk
	umount "$work/aside"
}

# Another machine, which a script stands for: it loses the connection, changes a byte, and loses a copy.
case_rsync() {
	command -v rsync >/dev/null || { echo "no rsync"; exit 77; }
	make_target "far away"
	cat >rsh <<-'END'
		#!/bin/sh
		[ ! -e "$0.down" ] || exit 255
		[ "$1" != -l ] || shift 2
		[ "$1" = daq@host ] || [ "$1" = host ] || exit 255
		shift
		sh -c "$*"
		rc=$?
		case $* in
		rsync*) [ ! -e "$0.spoil" ] || printf x | dd of="$(find "$(dirname "$0")/far away" -name '.archive-*.part' | head -1)" bs=1 seek=5000 conv=notrunc 2>/dev/null ;;
		esac
		exit $rc
	END
	chmod +x rsh
	write_lab "rsync = \"daq@host:$work/far away\"" "shell = [\"$work/rsh\"]" 'keep_days = 0.00001'
	start run.log run c
	await 30 has_copies 2 "far away" || fail "no copies"
	await 30 has_removed 1 || fail "nothing was removed"
	: >rsh.down
	await 30 grep -q "ERROR archive: daq@host:.*the remote shell can't get there (exit code 255)" run.log || fail "no fault"
	: >rsh.spoil
	rm rsh.down
	await 30 grep -q "ERROR archive: .*what is read back there is not what was sent" run.log || fail "a changed byte was not seen"
	rm rsh.spoil
	await 30 grep -q "archive: the archive works again" run.log || fail "it does not go on"
	local before
	before=$(removed)
	more() { [ "$(removed)" -gt $((before + 1)) ]; }
	await 30 more || fail "nothing is removed any more"
	end_lab
	expect_all "far away"
}

# A command that brings files away, and one that says what arrived; a copy that was spoiled is not believed.
case_command() {
	mkdir far
	cat >put <<-'END'
		#!/bin/sh
		mkdir -p "far/$(dirname "$2")" && cp "$1" "far/$2"
	END
	chmod +x put
	write_lab "command = [\"$work/put\", \"{path}\", \"{name}\"]" "verify = [\"sha256sum\", \"far/{name}\"]" 'keep_gb = 1.0'
	start run.log run c
	await 20 has_copies 3 || fail "no copies"
	end_lab
	printf x >>"$(find far -name '*.arrows' | sort | head -1)"
	rm "$(find far -name '*.arrows' | sort | sed -n 2p)"
	sed -i 's/keep_gb = 1.0/keep_days = 0.00001/' c/archive.toml
	rm c/bench.toml c/seldom.toml c/csv.toml
	start again.log run c
	gone() { [ -z "$(find out -name '*.arrows')" ]; }
	await 20 gone || fail "the rest is not archived and removed"
	kill -INT "$run"
	wait "$run"
	[ "$(grep -c 'ERROR archive: .*the original is still here' again.log)" = 2 ] || fail "what was spoiled is not named"
	mkdir -p out
	expect_all far
}

case_refused() {
	refuse() { # TEXT LINES…
		local text=$1
		shift
		write_lab "$@"
		"$bin" check c >check.log 2>&1 && fail "taken: $*"
		grep -qF "$text" check.log || fail "$* is not refused with \"$text\""
	}
	refuse 'target: expected one of `target` (a mounted folder), `rsync` and `command`, found none'
	refuse 'found several' 'target = "/mnt/x"' 'rsync = "a:b"'
	refuse 'is inside of the folder that is archived' 'target = "out/far"' 'folder = "out"'
	refuse 'rsync: expected "user@host:folder", found "-oProxyCommand=x:y"' 'rsync = "-oProxyCommand=x:y"'
	refuse 'verify: a `command` needs one' 'command = ["true"]'
	refuse 'shell: rsync splits it at blanks' 'rsync = "a:b"' 'shell = ["ssh -p 22"]'
	refuse 'folder: expected the folder of the data' 'target = "/x"' 'folder = "/"'
	# the same by a link, which only the start can see
	mkdir -p out/far
	: >out/far/.enrgdaq-archive
	ln -s out/far link
	write_lab "target = \"$work/link\"" 'folder = "out"'
	start run.log run c
	await 20 grep -q "target: $work/link is $work/out/far, inside of the folder" run.log || fail "a link leads into the folder"
	kill -INT "$run"
	wait "$run"
	return 0
}

run_case "$@"
