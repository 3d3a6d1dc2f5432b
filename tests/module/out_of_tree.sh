#!/bin/sh
# Installs the build into a fresh prefix, builds modules in C and C++ against what was installed, and runs them with the
# installed program.
# usage: out_of_tree.sh BUILD_DIR C_COMPILER CMAKE SOURCE_DIR SANITIZERS CXX_COMPILER
set -eu

build=$1 compiler=$2 cmake=$3 source=$4 sanitizers=$5 cxx=$6
strict="-Wall -Wextra -Wpedantic -Wshadow -Wconversion -Werror"
work=$(mktemp -d /tmp/enrg-module-XXXXXX)
trap 'rm -rf "$work"' EXIT
export ENRGDAQ_RUNTIME_DIR="$work/run"
mkdir "$work/run"

fail() {
	echo "FAILED: $*" >&2
	exit 1
}

expect() { # TEXT FILE
	grep -q -- "$1" "$2" || { cat "$2" >&2; fail "\"$1\" is not in the output"; }
}

"$cmake" --install "$build" --prefix "$work/prefix" >"$work/install.log" || { cat "$work/install.log"; fail "install"; }
pc=$(find "$work/prefix" -name enrgdaq.pc)
flags=$(PKG_CONFIG_PATH=${pc%/*} pkg-config --cflags enrgdaq)
installed=$(PKG_CONFIG_PATH=${pc%/*} pkg-config --variable=modulesdir enrgdaq)
test -f "$installed/csv.so" || fail "pkg-config names $installed, where no csv.so is"
case $(realpath "$installed") in
"$work/prefix"/*) ;;
*) fail "pkg-config names another prefix than that of the install: $installed" ;;
esac

# Each header alone, in each language that an author may write in.
mkdir "$work/headers"
(cd "$work/prefix/include" && printf '#include <%s>\n' enrgdaq/*.h) >"$work/all.h"
mv "$work/all.h" "$work/prefix/include/enrgdaq/" # and all together
for header in "$work/prefix/include/enrgdaq"/*.h; do
	echo "#include <enrgdaq/${header##*/}>" | tee "$work/headers/alone.c" >"$work/headers/alone.cpp"
	# shellcheck disable=SC2086
	for language in "$compiler -std=c17" "$cxx -std=c++17" "$cxx -std=c++20"; do
		case $language in *c++*) file=alone.cpp ;; *) file=alone.c ;; esac
		$language $strict -fsyntax-only $flags "$work/headers/$file" || fail "${header##*/}: $language"
	done
done

rm "$work/prefix/include/enrgdaq/all.h"

# What doctor tells an author.
ENRGDAQ_MODULE_PATH=$work/none "$work/prefix/bin/enrgdaq" doctor >"$work/doctor.log" 2>&1 || true
expect "good  authors: headers  $(realpath "$work/prefix/include"), ABI [0-9]" "$work/doctor.log"
expect "good  authors: compiler /" "$work/doctor.log"
expect "note  authors: modules  ENRGDAQ_MODULE_PATH names $work/none, which is no folder" "$work/doctor.log"
sed -i 's/\(define ENRG_MODULE_ABI \).*/\1 77u/' "$work/prefix/include/enrgdaq/module.h"
"$work/prefix/bin/enrgdaq" doctor >"$work/doctor.log" 2>&1 && fail "headers of another ABI were found good"
expect "BAD   authors: headers  .* is for ABI 77, this program loads" "$work/doctor.log"
mv "$work/prefix/include" "$work/include.other"
"$work/prefix/bin/enrgdaq" doctor >"$work/doctor.log" 2>&1 || true
grep -q "authors: headers .*$work" "$work/doctor.log" && fail "headers were found that are not there"
cp -r "$source/../../include" "$work/prefix/"

# The author has a copy of his own file and the installed headers, nothing else.
mkdir "$work/author" "$work/modules" "$work/old" "$work/config"
cp "$source/ruler.c" "$work/author/"
cd "$work/author"
[ -z "$sanitizers" ] || flags="$flags -fsanitize=$sanitizers"
# shellcheck disable=SC2086
"$compiler" -std=c17 $strict -fPIC -shared $flags ruler.c -o "$work/modules/ruler.so"
# shellcheck disable=SC2086
"$compiler" -std=c17 -DRULER_ABI=999 -fPIC -shared $flags ruler.c -o "$work/old/ruler.so"

program="$work/prefix/bin/enrgdaq"
export ENRGDAQ_MODULE_PATH="$work/modules" # those of the prefix are found from where the program lies
"$program" jobs >"$work/jobs.log" 2>&1 || { cat "$work/jobs.log"; fail "jobs"; }
expect DAQJobRuler "$work/jobs.log"
expect DAQJobStoreLines "$work/jobs.log"
expect DAQJobStoreCSV "$work/jobs.log"
"$program" describe DAQJobRuler >"$work/describe.log" 2>&1 || { cat "$work/describe.log"; fail "describe"; }
expect marks "$work/describe.log"

# One of another ABI is left out and explained; the rest works.
ENRGDAQ_MODULE_PATH="$work/old" "$program" jobs >"$work/old.log" 2>&1 || fail "jobs with an old module"
expect DAQJobStoreCSV "$work/old.log"
expect 999 "$work/old.log"
! grep -q DAQJobRuler "$work/old.log" || fail "a module of another ABI was loaded"

# From the source through the ring into the store, each row once.
printf '[info]\nsupervisor_id = "module_test"\n' >"$work/config/supervisor.toml"
printf 'daq_job_type = "DAQJobRuler"\nmarks = 5000\n[store_config.lines]\nfile_path = "marks.txt"\n' >"$work/config/ruler.toml"
printf 'daq_job_type = "DAQJobStoreLines"\nout_dir = "%s"\n' "$work/out" >"$work/config/lines.toml"
run_ruler() {
	rm -rf "$work/out"
	"$program" run "$work/config" --duration 2 >"$work/run.log" 2>&1 || { cat "$work/run.log"; fail "run"; }
	seq 0 4999 | cmp - "$work/out/marks.txt" || { cat "$work/run.log"; fail "the rows in the file are not those that were made"; }
}
run_ruler

# A processor between source and store, in C and in C++.
cp "$source/pairs.c" "$work/author/"
cp -r "$work/config" "$work/pairs"
printf 'daq_job_type = "DAQJobRuler"\nmarks = 5001\n' >"$work/pairs/ruler.toml"
printf 'daq_job_type = "DAQJobPairs"\nfactor = 3\n[[input]]\njob = "ruler"\n[store_config.lines]\nfile_path = "sums.txt"\n' >"$work/pairs/pairs.toml"
for language in "$compiler -std=c17" "$cxx -std=c++20 -x c++"; do
	# shellcheck disable=SC2086
	$language $strict -Wno-missing-field-initializers -fPIC -shared $flags pairs.c -o "$work/modules/pairs.so" || fail "a processor: $language"
	rm -rf "$work/out"
	"$program" run "$work/pairs" --duration 2 >"$work/run.log" 2>&1 || { cat "$work/run.log"; fail "run with a processor"; }
	{ seq 3 12 29991; echo 15000; } | cmp - "$work/out/sums.txt" || { cat "$work/run.log"; fail "sums: $language"; }
	expect "pairs of ruler: read 5001 rows; in 5001: accounted" "$work/run.log"
done

# It is told something; what it has answered to is in its checkpoint, so a kill does not take it away.
cat >"$work/pairs/ruler.toml" <<-END
	daq_job_type = "DAQJobTest"
	rand_min = 1
	rand_max = 6
	interval_seconds = 0.01
END
"$program" run "$work/pairs" >"$work/run.log" 2>&1 &
supervisor=$!
tell() { # FACTOR BEFORE
	tries=0
	until "$program" send pairs set_factor "factor=$1" >"$work/tell.log" 2>&1; do
		tries=$((tries + 1))
		[ $tries -lt 200 ] || { cat "$work/tell.log" "$work/run.log"; kill "$supervisor"; fail "set_factor"; }
		sleep 0.05
	done
	expect "\"before\": $2" "$work/tell.log"
}
tell 5 3
kill -KILL "$(ps --ppid "$supervisor" -o pid=,args= | awk '$NF == "pairs" {print $1}')"
tell 7 5
"$program" send pairs set_factor factor=0 >"$work/tell.log" 2>&1 && fail "a factor of 0 was taken"
"$program" stop >/dev/null 2>&1
wait "$supervisor" || { cat "$work/run.log"; fail "run with a processor that is told something"; }
rm "$work/modules/pairs.so"

# The complete examples of the pages, as they stand there and as the pages build them.
for page in job service; do
	sed -n '/^```c$/,/^```$/{/^```/{x;s/^/x/;/^xx/q;x;d};p}' "$source/../../docs/writing-a-$page.md" >"$work/author/$page.c"
	# shellcheck disable=SC2086
	"$compiler" -std=gnu17 -Wall -Wextra -Werror -fPIC -shared $flags "$work/author/$page.c" -o "$work/modules/$page.so" ||
		fail "the example of writing-a-$page.md"
done
for type in DAQJobThermometer DAQJobHeater; do
	"$program" describe "$type" --example >"$work/config/$type.toml" || fail "describe $type"
	rm "$work/config/$type.toml"
done
rm "$work/modules/job.so" "$work/modules/service.so"

# Built with the headers of tomorrow, in which tables have got more members: what is known today works.
mkdir "$work/tomorrow"
cp -r "$work/prefix/include" "$work/tomorrow/"
for table in enrg_option enrg_job_type enrg_store_type enrg_message_type enrg_processor_type; do
	sed -i "/^struct $table {/,/^};/s/^};/\tint tomorrow_${table}[4], (*more_$table)(void);\n&/" "$work/tomorrow/include/enrgdaq"/*.h
done
[ "$(grep -h 'int tomorrow' "$work/tomorrow/include/enrgdaq"/*.h | wc -l)" = 5 ] || fail "not all tables have grown"
# shellcheck disable=SC2086
"$compiler" -std=c17 -I"$work/tomorrow/include" -fPIC -shared $flags ruler.c -o "$work/modules/ruler.so"
run_ruler

# A device thread and a wait for descriptors, in C and in C++; then with a library that hangs.
rm "$work/config/ruler.toml"
cp "$source/instrument.c" "$work/author/"
run_instrument() { # COMPILER…
	# shellcheck disable=SC2086
	"$@" $strict -Wno-missing-field-initializers -D_GNU_SOURCE -fPIC -shared $flags instrument.c -o "$work/modules/ruler.so" || return 1
	cat >"$work/config/instrument.toml" <<-END
		daq_job_type = "DAQJobInstrument"
		[store_config.csv]
		file_path = "readings.csv"
	END
	rm -rf "$work/out"
	(cd "$work" && "$program" run "$work/config" --duration 3 >"$work/run.log" 2>&1)
}
rm "$work/config/lines.toml"
for language in "$compiler -std=c17" "$cxx -std=c++20 -x c++"; do
	# shellcheck disable=SC2086
	run_instrument $language || { cat "$work/run.log"; fail "a device thread: $language"; }
	{ echo reading; seq 0 999; } | cmp - "$work/out/readings.csv" || { cat "$work/run.log"; fail "readings: $language"; }
done
sed -i 's/"-1"/"7"/' instrument.c # hangs_at
run_instrument "$compiler" -std=c17 || true
expect "Read of device board hangs: it has not returned within 300 ms" "$work/run.log"
expect "instrument ended: exit 1 .*it is started again" "$work/run.log"
[ "$(grep -c '^[0-6]$' "$work/out/readings.csv")" -ge 7 ] || { cat "$work/run.log"; fail "what was read before the hang is lost"; }

# The same for a driver in C++ that finds ENRGDAQ by its CMake package.
cp -r "$source/author" "$work/cxx"
rm "$work/config/instrument.toml"
"$cmake" -S "$work/cxx" -B "$work/cxx/build" -DCMAKE_PREFIX_PATH="$work/prefix" -DCMAKE_CXX_COMPILER="$cxx" \
	-DCMAKE_CXX_FLAGS="${sanitizers:+-fsanitize=$sanitizers}" >"$work/cmake.log" 2>&1 || { cat "$work/cmake.log"; fail "find_package"; }
"$cmake" --build "$work/cxx/build" >"$work/cmake.log" 2>&1 || { cat "$work/cmake.log"; fail "a driver in C++"; }
printf 'daq_job_type = "DAQJobCounter"\n[store_config.csv]\nfile_path = "count.csv"\n' >"$work/config/counter.toml"
export ENRGDAQ_MODULE_PATH="$work/cxx/build"
cd "$work"
"$program" run "$work/config" --duration 2 >"$work/run.log" 2>&1 || { cat "$work/run.log"; fail "run"; }
{ echo count; seq 0 9999; } | cmp - "$work/out/count.csv" || { cat "$work/run.log"; fail "the rows of the driver in C++"; }

# A service in C, as docs/writing-a-service.md has it, and one in C++; both are asked, and the first is told what is wrong.
# shellcheck disable=SC2016
sed -n '/^```c$/,/^```$/p' "$source/../../docs/writing-a-service.md" | sed '/^```/d' >"$work/author/heater.c"
# shellcheck disable=SC2086
"$compiler" -std=gnu17 -Wall -Wextra -Werror -fPIC -shared $flags "$work/author/heater.c" -o "$work/cxx/build/heater.so"
rm "$work/config/counter.toml"
printf 'daq_job_type = "DAQJobHeater"\n[store_config.csv]\nfile_path = "heater.csv"\n' >"$work/config/heater.toml"
printf 'daq_job_type = "DAQJobValve"\n[store_config.csv]\nfile_path = "valve.csv"\n' >"$work/config/valve.toml"
"$program" run "$work/config" >"$work/run.log" 2>&1 &
supervisor=$!
tries=0
until "$program" send valve set_position percent=40 >"$work/valve.log" 2>&1 && grep -q '"has_heard": true' "$work/valve.log" &&
	"$program" send heater set_power watts=20 >"$work/heater.log" 2>&1; do
	tries=$((tries + 1))
	[ $tries -lt 200 ] || { cat "$work"/*.log; kill "$supervisor"; fail "the services do not answer"; }
	# one that was ready last has not heard of the other's start
	[ $((tries % 20)) -ne 19 ] || "$program" job restart heater >>"$work/restart.log" 2>&1
	sleep 0.1
done
"$program" send heater set_power watt=99 >"$work/wrong.log" 2>&1 && fail "wrong fields were taken"
"$program" send supervisor stop >"$work/stop.log" || fail "stop"
wait "$supervisor" || { cat "$work/run.log"; fail "run of services"; }
expect "ok: at 40 %" "$work/valve.log"
expect '"before": 0.0' "$work/heater.log"
expect "watts: required key is missing.*watt: unknown key; did you mean watts" "$work/wrong.log"
grep -q '^20' "$work/out/heater.csv" || fail "the row of the service in C"
grep -q '^40$' "$work/out/valve.csv" || fail "the row of the service in C++"
echo "modules built outside the tree work"
