#!/bin/sh
# How the configuration meets libraries that are missing, or that pkg-config describes in another way.
# usage: missing.sh CMAKE SOURCE_DIR
set -eu
cmake=$1 source=$2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

fail() {
	cat "$work/log" >&2
	echo "FAILED: $*" >&2
	exit 1
}

"$cmake" -S "$source" -B "$work/build" -G Ninja "-DENRG_WITHOUT=MSGPACK;JANSSON" >"$work/log" 2>&1 && fail "configured without msgpack"
grep -q "msgpack.h: Debian, Ubuntu: libmsgpack-c-dev (or libmsgpack-dev); Fedora: msgpack-devel; Arch: msgpack-c" "$work/log" ||
	fail "the package of msgpack is not named"
grep -q "jansson.h: Debian, Ubuntu: libjansson-dev" "$work/log" || fail "only the first missing library is named"

# The same folder once it is there: nothing remembers that it was missing. pkg-config knows msgpack by its newer name alone,
# with an include folder that is relative to nothing, and no other library; optional ones may be out of reach then.
library=$(sed -n 's/^ENRG_TRIED_ZMQ_\([a-z]*\).*/\1/p' "$work/build/CMakeCache.txt")
[ "$library" = libzmq ] || fail "libzmq was found as \"$library\""
mkdir "$work/pc"
cat >"$work/pc/msgpack-c.pc" <<-'END'
	includedir=include
	Name: MessagePack
	Description: as Debian 13 has it
	Version: 6.0.1
	Libs: -lmsgpack-none
	Cflags: -I${includedir}
END
for name in msgpack-c msgpackc; do # whichever library this machine has
	case $(cc -print-file-name=lib$name.so) in
	*/*) sed -i "s/-lmsgpack.*/-l$name/" "$work/pc/msgpack-c.pc" ;;
	esac
done
PKG_CONFIG_LIBDIR=$work/pc "$cmake" -S "$source" -B "$work/other" -G Ninja "-DENRG_WITHOUT=HDF5;MARIADB" >"$work/log" 2>&1 ||
	fail "a relative include folder, or libraries that pkg-config does not know"
grep -q "^ENRG_TRIED_MSGPACK_msgpack_c:" "$work/other/CMakeCache.txt" || fail "msgpack-c.pc was not taken"
grep -q "^ENRG_TRIED_ZMQ__lzmq:" "$work/other/CMakeCache.txt" || fail "the plain library was not tried"
grep -q "no hdf5.h (Debian, Ubuntu: libhdf5-dev; .*): the store hdf5 is left out" "$work/log" || fail "what is left out is not said"
"$cmake" "-DENRG_WITHOUT=" -S "$source" -B "$work/build" >"$work/log" 2>&1 || fail "a library that was missing is not seen when it comes"
