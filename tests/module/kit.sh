#!/bin/bash
# The author's test kit as he has it: installed, against a store that he built. One that is right passes what he does not
# leave out by name; one that loses a row, or writes around the framework, does not.
# usage: kit.sh BUILD_DIR C_COMPILER CMAKE SOURCE_DIR SANITIZERS CXX_COMPILER
set -eu

build=$1 compiler=$2 cmake=$3 source=$4 sanitizers=$5 cxx=$6
work=$(mktemp -d /tmp/enrg-kit-XXXXXX)
trap 'rm -rf "$work"' EXIT
export TMPDIR=$work

fail() {
	echo "FAILED: $*" >&2
	for file in "$work"/*.log; do echo "--- $file" >&2; tail -n 30 "$file" >&2; done
	exit 1
}

"$cmake" --install "$build" --prefix "$work/prefix" >"$work/install.log" || fail "install"
pc=$(find "$work/prefix" -name enrgdaq.pc)
export PKG_CONFIG_PATH=${pc%/*}
kit=$(pkg-config --variable=conformance enrgdaq)
[ -x "$kit" ] || fail "pkg-config names $kit, which is no program"

make_store() { # NAME [SED EXPRESSION]: the author's store, with a fault
	mkdir "$work/$1"
	sed "${2-}" "$source/ruler.c" >"$work/$1/ruler.c"
	[ $# -eq 1 ] || ! cmp -s "$source/ruler.c" "$work/$1/ruler.c" || fail "the fault of $1 is none"
	# shellcheck disable=SC2046
	"$compiler" -std=c17 -D_GNU_SOURCE -include unistd.h -include fcntl.h -fPIC -shared ${sanitizers:+-fsanitize=$sanitizers} \
		$(pkg-config --cflags enrgdaq) "$work/$1/ruler.c" -o "$work/$1/ruler.so" || fail "$1 does not compile"
}

# What it keeps is one column: a line a row.
printf '#!/bin/sh\necho n\nexec cat "$1"\n' >"$work/print_lines"
chmod +x "$work/print_lines"

try() { # NAME [PATTERN]
	"$kit" --section 'file_path = "t.txt"' --file t.txt --read "$work/print_lines" \
		--without other_columns_go_elsewhere --without foreign_file_is_left_alone --without torn_tail_is_cut \
		--without large_object_is_whole --without file_cut_anywhere_goes_on \
		"$work/$1/ruler.so" DAQJobStoreLines ${2+"$2"} >"$work/$1.log" 2>&1
}

make_store right
try right || fail "a store that is right does not pass"
grep -q "^left out: torn_tail_is_cut$" "$work/right.log" || fail "what is left out is not named"
make_store loses 's/row < batch->rows;/row < batch->rows - (batch->rows > 10);/'
try loses "all*" && fail "a store that loses rows passes"
grep -q "FAILED  . all_types_are_kept" "$work/loses.log" || fail "what failed is not named"
grep -q "expected 200 rows, found 199" "$work/loses.log" || fail "what was found is not said"
make_store beside 's/enrg_file_write(target, line, (uint64_t)count, err)/write(enrg_file_descriptor(target), line, (size_t)count) < 0/'
try beside "uncommitted*" && fail "a store that writes around the framework passes"

# A test of its author's, which drives the store by what is installed, in C and C++.
drive() { # LANGUAGE STORE
	rm -rf "$work/driven" && mkdir "$work/driven"
	LD_LIBRARY_PATH=${pc%/*/*} "$work/test_$1" "$work/$2/ruler.so" "$work/driven" >"$work/driven.log" 2>&1
}
for language in c c++; do
	case $language in c) with=$compiler ;; *) with=$cxx ;; esac
	# shellcheck disable=SC2046
	"$with" -x $language -std=${language}17 -Wall -Wextra -Wpedantic -Wconversion -Werror ${sanitizers:+-fsanitize=$sanitizers} \
		$(pkg-config --cflags enrgdaq-kit) "$source/ruler_test.c" $(pkg-config --libs enrgdaq-kit) -o "$work/test_$language" ||
		fail "a test in $language does not compile"
	drive $language right || fail "a store that is right, driven by its author's test in $language"
	drive $language loses && fail "one that loses rows passes its author's test in $language"
	drive $language beside && fail "one that writes around the framework passes its author's test in $language"
done

modules=$(pkg-config --variable=modulesdir enrgdaq)
"$kit" --section 'file_path = "t.csv"' --file t.csv --read csv --missing '' --dates "$modules/csv.so" DAQJobStoreCSV \
	>"$work/csv.log" 2>&1 || fail "the store csv does not pass"
rc=0
"$kit" --without nonsense "$work/right/ruler.so" DAQJobStoreLines >"$work/usage.log" 2>&1 || rc=$?
[ $rc -eq 2 ] || fail "a case that there is not"
# A source: one that produces again after each kill, and one that does so only once.
export ENRGDAQ_BIN=$work/prefix/bin/enrgdaq
printf 'daq_job_type = "DAQJobRuler"\nmarks = 1000000000\n' >"$work/ruler.toml"
make_source() { # NAME [SED EXPRESSION]: counts on slowly
	make_store "$1" "s/	return ENRG_POLL_AGAIN;/	return ENRG_POLL_IDLE;/; s/	\*ret_state = ruler;/	enrg_job_set_interval(job, 10000000);&/${2+; $2}"
}
make_source counts
ENRGDAQ_MODULE_PATH=$work/counts "$kit-source" --kills 2 "$work/ruler.toml" >"$work/counts.log" 2>&1 || fail "a source that is right"
make_source once 's/	if (ruler->next == ruler->options->marks)/	if (ruler->next == 0 \&\& access("once", F_OK) == 0) return ENRG_POLL_IDLE;\n	if (ruler->next == 0) close(creat("once", 0600));\n&/'
ENRGDAQ_MODULE_PATH=$work/once "$kit-source" --patience 8 "$work/ruler.toml" >"$work/once.log" 2>&1 &&
	fail "a source that produces nothing after a kill passes"
grep -q "FAILED: it produced nothing more after kill 1" "$work/once.log" || fail "it is not said what is wrong"

# A processor, in C++; one in C whose state is not what it was.
printf 'daq_job_type = "DAQJobPairs"\nfactor = 3\n[[input]]\njob = "dice"\n' >"$work/pairs.toml"
make_processor() { # NAME COMPILER… [-- SED EXPRESSION]
	local name=$1 with=()
	shift
	while [ $# -gt 0 ] && [ "$1" != -- ]; do with+=("$1"); shift; done
	mkdir "$work/$name"
	sed "${2-}" "$source/pairs.c" >"$work/$name/pairs.c"
	[ $# -eq 0 ] || ! cmp -s "$source/pairs.c" "$work/$name/pairs.c" || fail "the fault of $name is none"
	# shellcheck disable=SC2046
	"${with[@]}" -fPIC -shared ${sanitizers:+-fsanitize=$sanitizers} $(pkg-config --cflags enrgdaq) "$work/$name/pairs.c" \
		-o "$work/$name/pairs.so" || fail "$name does not compile"
}
try_processor() { ENRGDAQ_MODULE_PATH=$work/$1 "$kit-processor" --kills 2 "$work/pairs.toml" >"$work/$1.log" 2>&1; }
make_processor pairs_cxx "$cxx" -x c++ -std=c++20
make_processor forgets "$compiler" -std=c17 -- 's/self->first = saved\[1\];/self->is_open = 1, self->first = 7;/'
try_processor pairs_cxx || fail "a processor in C++ that is right"
try_processor forgets && fail "a processor passes whose state is not what it was"

# A service, in C++; one in C that does not live through an alert.
sed -n '/^```c$/,/^```$/p' "$source/../../docs/writing-a-service.md" | sed '/^```/d' >"$work/heater.c"
printf 'daq_job_type = "DAQJobHeater"\n[store_config.csv]\nfile_path = "heater.csv"\n' >"$work/heater.toml"
printf 'daq_job_type = "DAQJobValve"\n[store_config.csv]\nfile_path = "valve.csv"\n' >"$work/valve.toml"
make_service() { # NAME FILE COMPILER…
	local name=$1 file=$2
	shift 2
	mkdir "$work/$name"
	# shellcheck disable=SC2046
	"$@" -fPIC -shared ${sanitizers:+-fsanitize=$sanitizers} $(pkg-config --cflags enrgdaq) "$file" -o "$work/$name/service.so" ||
		fail "$name does not compile"
}
try_service() { ENRGDAQ_MODULE_PATH=$work/$1 "$kit-service" --kills 1 "$work/$2.toml" >"$work/$1.log" 2>&1; }
make_service valve "$source/author/valve.cpp" "$cxx" -std=c++20
sed 's/return set_watts(state, 0, err);/return -EIO;/' "$work/heater.c" >"$work/ends.c"
make_service ends "$work/ends.c" "$compiler" -std=gnu17
try_service valve valve || fail "a service in C++ that is right"
try_service ends heater && fail "a service passes that an alert ends"
grep -q "FAILED: it did not live through a flood" "$work/ends.log" || fail "it is not said what is wrong"
echo "the kit tells stores, sources, processors and services that are right from those that are not, and so does a test of its author"
