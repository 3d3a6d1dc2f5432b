#!/bin/bash
# What released versions left when everything was killed (freeze.sh) is drained by this one, each row exactly once; and what
# a later version left is refused by name and not touched. Needs ENRGDAQ_BIN, ENRGDAQ_READER (read_rows.mjs) and sqlite3.
set -u
bin=$(realpath "${ENRGDAQ_BIN:?the program to test}")
reader=$(realpath "${ENRGDAQ_READER:?read_rows.mjs beside its modules}")
here=$(cd "$(dirname "$0")" && pwd)
place=/tmp/enrgdaq-frozen # journals hold absolute paths
export ENRGDAQ_RUNTIME_DIR=$place/runtime

exec 9>"$place.lock" || exit 77
flock -w 100 9 || exit 77
trap 'rm -rf "$place"' EXIT

fail() {
	echo "FAILED: $archive: $*" >&2
	[ -e run.log ] && cat run.log >&2
	exit 1
}

unpack() {
	cd /tmp && rm -rf "$place" && mkdir -m 700 "$place" && cd "$place" && tar -xJf "$archive" || exit 1
	python3 "$here/bind_undo.py" out || fail "undo files"
	sed -i 's/^rand_m\(in\|ax\) = .*/rand_m\1 = 9/' c/source*.toml # rows of the new run have another value
}

# The rows of the frozen run that a store has of a source, as the CSV writes them.
read_rows() { # STORE NUMBER
	case $1 in
	csv) cat "out/rows$2.csv" ;;
	arrow) "$bin" cat "out/rows$2.arrows" 2>/dev/null ;;
	sqlite) sqlite3 -csv out/enrgdaq.sqlite "select timestamp, A, B, C from rows$2" | tr -d '\r' ;;
	hdf5) node "$reader" rows out/rows"$2"*.h5 ;;
	root) node "$reader" rows out/rows"$2"*.root ;;
	esac | grep "^[0-9]*,$2," | sort
}

# Every row of the frozen run is in each store, once, and all stores have the same.
check_rows() { # NUMBER COUNT
	read_rows csv "$1" >csv
	[ "$(wc -l <csv)" -eq "$2" ] || fail "source $1: $(wc -l <csv) rows instead of $2"
	[ "$(cut -d, -f1 csv | sort -u | wc -l)" -eq "$2" ] || fail "source $1: a row came twice"
	for store in $(sed -n 's/^\[store_config\.\(.*\)\]/\1/p' "c/source$1.toml"); do
		read_rows "$store" "$1" >other
		cmp -s csv other || fail "source $1: $store has other rows: $(diff csv other | head -n 3)"
	done
}

check_drain() {
	local number=0 count
	unpack
	"$bin" run c --duration 1 >run.log 2>&1 || fail "exit code $?"
	grep -qE "MISSING|TWICE|SET ASIDE|ERROR" run.log && fail "not all is well"
	while read -r count; do
		number=$((number + 1))
		check_rows $number "$count"
	done <expected
	[ $number -ge 3 ] || fail "nothing was compared"
	[ ! -e out/rows1.arrows ] || "$bin" verify out/*.arrows >verify.log 2>&1 || fail "verify: $(cat verify.log)"
	ls out/recovered_* runtime/frozen/*.stream runtime/frozen/*damaged* 2>/dev/null && fail "something was left"
	sed -n 's/^/  /; /stored/p' run.log | head -n 3
}

# set_version FILE: the fifth to eighth byte behind the magic
set_version() {
	printf '\143\0\0\0' | dd of="$1" bs=1 seek=8 conv=notrunc status=none # 99
}

check_refusal() { # KIND
	local before
	unpack
	set_version "$(find runtime/frozen -name "*.$1" | sort | tail -n 1)"
	sed -i 's/"run"/"version": "9.9.9", "run"/' runtime/frozen/run.json
	before=$(find runtime/frozen out -type f ! -name lock ! -name '.run_*' -exec md5sum {} + | sort)
	"$bin" run c --duration 1 >run.log 2>&1
	[ $? -eq 2 ] || fail "a $1 of version 99: not refused"
	grep -q "\.$1 has version 99 .*enrgdaq 9\.9\.9 left it" run.log || fail "a $1 of version 99: no clear words"
	[ "$before" = "$(find runtime/frozen out -type f ! -name lock ! -name '.run_*' -exec md5sum {} + | sort)" ] ||
		fail "a $1 of version 99: files were changed"
}

for archive in "$here"/frozen/*.tar.xz; do
	tar -xJOf "$archive" ./c/source1.toml | sed -n 's/^\[store_config\.\(.*\)\]/\1/p' | while read -r store; do
		[ -e "$ENRGDAQ_MODULE_PATH/$store.so" ] || exit 1
	done && check_drain # a build may lack the library of a store
done
check_refusal stream
check_refusal journal
