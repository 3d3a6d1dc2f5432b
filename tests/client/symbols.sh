#!/bin/sh
# symbols.sh NM LIBRARY SOURCE_DIR: the library shows exactly what its map names, and each of that is declared in a public
# header.
set -eu
nm=$1 library=$2 source=$3
map=$source/src/client/libenrgdaq.map
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

fail() {
	echo "FAILED: $*" >&2
	exit 1
}

"$nm" -D --defined-only "$library" | awk '$2 != "A" {print $3}' | sort >"$work/shown"
grep -v '^[a-z_0-9]*@@ENRGDAQ_0$' "$work/shown" && fail "these are not enrg_… of version ENRGDAQ_0"
sed 's/@.*//' "$work/shown" | sort >"$work/names"
grep -v '^enrg_' "$work/names" && fail "these are no names of the library"
sed -n 's/^\t\t\(enrg_[a-z_0-9]*\);$/\1/p' "$map" | sort >"$work/map"
diff "$work/names" "$work/map" || fail "the library and $map differ"
grep -oh 'enrg_[a-z_0-9]*(' "$source/include/enrgdaq/client.h" | tr -d '(' | sort -u >"$work/header"
comm -23 "$work/header" "$work/map" | grep . && fail "client.h declares these, and the library does not show them"
cat "$source"/include/enrgdaq/*.h | grep -oh 'enrg_[a-z_0-9]*(' | tr -d '(' | sort -u >"$work/all"
comm -23 "$work/map" "$work/all" | grep . && fail "no header declares these"
readelf -d "$library" | grep -q 'SONAME.*\[libenrgdaq.so.0\]' || fail "its SONAME is not libenrgdaq.so.0"
readelf -d "$library" | grep 'NEEDED.*zmq\|NEEDED.*msgpack\|NEEDED.*hdf5' && fail "a client does not need these"
echo "$(wc -l <"$work/map") names"
