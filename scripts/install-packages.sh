#!/bin/sh
# Installs the Debian packages that ENRGDAQ needs and that are missing. `install-packages.sh build` for the program and
# its figures, `test` for the tests as well, `deb` to make packages, `arm64` for another machine's. `--list` before it only prints them. Uses sudo where it isn't run by root. Does nothing,
# and needs no network, where all is there. No release's names: a|b is whichever of the two this release has.
set -eu

build="build-essential cmake ninja-build pkg-config libzmq3-dev libmsgpack-c-dev|libmsgpack-dev libtomlplusplus-dev libjansson-dev libisal-dev
libsqlite3-dev libmariadb-dev libhiredis-dev libhdf5-dev libcurl4-openssl-dev|libcurl4-gnutls-dev libmicrohttpd-dev libwebsockets-dev libcrypt-dev libssl-dev libzstd-dev zlib1g-dev liblzma-dev liblz4-dev libxxhash-dev
libcmocka-dev gnuplot-nox fonts-dejavu-core procps"
# The cores of the servers: no service is installed; the tests start their own.
test="python3 hdf5-tools sqlite3 mariadb-server-core mariadb-client-core redis-tools clang libclang-rt-dev poppler-utils
zstd valgrind shellcheck clang-format-14|clang-format clang-tidy-14|clang-tidy gcovr git python3-venv python3-numpy python3-lz4 python3-h5py python3-websockets rsync"
deb="debhelper fakeroot lintian git"
arm64="gcc-aarch64-linux-gnu g++-aarch64-linux-gnu qemu-user"

is_list=
if [ "${1:-}" = --list ]; then
	is_list=yes
	shift
fi
case "${1:-build}" in
build) wanted=$build ;;
test) wanted="$build $test" ;;
deb) wanted="$build $deb" ;;
arm64) wanted="$build $arm64" ;;
*) echo "usage: install-packages.sh [--list] [build|test|deb|arm64]" >&2; exit 2 ;;
esac
if [ -n "$is_list" ]; then
	echo "$wanted"
	exit 0
fi

is_installed() {
	dpkg-query -W -f '${Status}' "$1" 2>/dev/null | grep -q 'install ok installed'
}

missing=
for package in $wanted; do
	found=
	for name in $(echo "$package" | tr '|' ' '); do
		if is_installed "$name"; then found=$name; fi
	done
	[ -n "$found" ] || missing="$missing $package"
done
# A laboratory may have a newer Node.js than Debian's; any that runs is good.
if [ "${1:-build}" = test ]; then
	command -v node >/dev/null 2>&1 || missing="$missing nodejs"
	command -v npm >/dev/null 2>&1 || missing="$missing npm"
fi
[ -n "$missing" ] || exit 0

if ! command -v apt-get >/dev/null 2>&1; then
	echo "install-packages: this machine has no apt-get; install what these Debian packages hold, then go on:$missing" >&2
	exit 1
fi
as_root=
if [ "$(id -u)" != 0 ]; then
	if ! command -v sudo >/dev/null 2>&1; then
		echo "install-packages: not root, and no sudo here. Ask an administrator to run: apt-get install$missing" >&2
		exit 1
	fi
	as_root=sudo
fi
echo "installing:$missing"
export DEBIAN_FRONTEND=noninteractive
log=$(mktemp)
trap 'rm -f "$log"' EXIT

fail() {
	tail -n 20 "$log" >&2
	echo "install-packages: could not install:$missing (above: the last lines of apt-get)" >&2
	exit 1
}

$as_root apt-get update -q >"$log" 2>&1 || fail
chosen=
for package in $missing; do
	name=${package##*|} # the last one, which apt-get names where it has none of them
	for candidate in $(echo "$package" | tr '|' ' '); do
		if apt-cache show "$candidate" >/dev/null 2>&1; then name=$candidate; break; fi
	done
	chosen="$chosen $name"
done
# shellcheck disable=SC2086
$as_root apt-get install -y -q --no-install-recommends $chosen >"$log" 2>&1 || fail
