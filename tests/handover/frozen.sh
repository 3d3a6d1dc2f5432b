#!/bin/bash
# What released versions left when everything was killed (freeze.sh) is drained by this one, each row exactly once; and what
# a later version left is refused by name and not touched. Needs ENRGDAQ_BIN and sqlite3.
set -u
bin=$(realpath "${ENRGDAQ_BIN:?the program to test}")
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
	sed -i 's/^rand_m\(in\|ax\) = .*/rand_m\1 = 9/' c/source*.toml # rows of the new run have another value
}

# Every row of the frozen run is in each store, once, and all stores have the same.
check_rows() { # NUMBER COUNT
	grep "^[0-9]*,$1," "out/rows$1.csv" | sort >csv
	"$bin" cat "out/rows$1.arrows" 2>/dev/null | grep "^[0-9]*,$1," | sort >arrow
	sqlite3 -csv out/enrgdaq.sqlite "select timestamp, A, B, C from rows$1 where A = $1" | tr -d '\r' | sort >sqlite
	[ "$(wc -l <csv)" -eq "$2" ] || fail "source $1: $(wc -l <csv) rows instead of $2"
	[ "$(cut -d, -f1 csv | sort -u | wc -l)" -eq "$2" ] || fail "source $1: a row came twice"
	cmp -s csv arrow || fail "source $1: the .arrows has other rows: $(diff csv arrow | head -n 3)"
	cmp -s csv sqlite || fail "source $1: the table has other rows: $(diff csv sqlite | head -n 3)"
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
	"$bin" verify out/*.arrows >verify.log 2>&1 || fail "verify: $(cat verify.log)"
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
	before=$(find runtime/frozen out -type f ! -name lock -exec md5sum {} + | sort)
	"$bin" run c --duration 1 >run.log 2>&1
	[ $? -eq 2 ] || fail "a $1 of version 99: not refused"
	grep -q "\.$1 has version 99 .*enrgdaq 9\.9\.9 left it" run.log || fail "a $1 of version 99: no clear words"
	[ "$before" = "$(find runtime/frozen out -type f ! -name lock -exec md5sum {} + | sort)" ] ||
		fail "a $1 of version 99: files were changed"
}

for archive in "$here"/frozen/*.tar.xz; do
	check_drain
done
check_refusal stream
check_refusal journal
