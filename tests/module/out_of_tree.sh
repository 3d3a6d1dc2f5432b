#!/bin/sh
# Installs the build into a fresh prefix, builds ruler.c against what was installed, and runs it with the installed program.
# usage: out_of_tree.sh BUILD_DIR C_COMPILER CMAKE SOURCE_DIR [SANITIZERS]
set -eu

build=$1 compiler=$2 cmake=$3 source=$4 sanitizers=${5:-}
work=$(mktemp -d /tmp/enrg-module-XXXXXX)
trap 'rm -rf "$work"' EXIT
export ENRGDAQ_RUNTIME_DIR="$work/run"

fail() {
	echo "FAILED: $*" >&2
	exit 1
}

expect() { # TEXT FILE
	grep -q -- "$1" "$2" || { cat "$2" >&2; fail "\"$1\" is not in the output"; }
}

"$cmake" --install "$build" --prefix "$work/prefix" >"$work/install.log" || { cat "$work/install.log"; fail "install"; }
pc=$(find "$work/prefix" -name enrgdaq.pc)
flags=$(PKG_CONFIG_PATH=${pc%/*} pkg-config --define-variable=prefix="$work/prefix" --cflags enrgdaq)
installed=$(PKG_CONFIG_PATH=${pc%/*} pkg-config --define-variable=prefix="$work/prefix" --variable=modulesdir enrgdaq)
test -f "$installed/csv.so" || fail "no csv.so in $installed"

# The author has a copy of his own file and the installed headers, nothing else.
mkdir "$work/author" "$work/modules" "$work/old" "$work/config" "$work/run"
cp "$source/ruler.c" "$work/author/"
cd "$work/author"
[ -z "$sanitizers" ] || flags="$flags -fsanitize=$sanitizers"
"$compiler" -std=c17 -Wall -Wextra -Wpedantic -Werror -fPIC -shared $flags ruler.c -o "$work/modules/ruler.so"
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
"$program" run "$work/config" --duration 2 >"$work/run.log" 2>&1 || { cat "$work/run.log"; fail "run"; }
seq 0 4999 | cmp - "$work/out/marks.txt" || { cat "$work/run.log"; fail "the rows in the file are not those that were made"; }
echo "a module built outside the tree works"
