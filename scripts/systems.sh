#!/bin/bash
# Proves the releases of Debian that are supported: in a folder made by debootstrap, `make demo`, `make test` and `make deb` as
# on a fresh machine; then the packages are installed into an empty folder and used. Takes hours, and root.
# usage: systems.sh [SUITE…] [-- STEP…]     suites: bookworm trixie; steps: demo test packages; all unless named
#
# Folders lie in ENRG_SYSTEMS (build/systems) and are kept: a second time is faster. Debian comes from where this machine gets
# it. Mounts are made in a namespace of our own, so that they end with it, whatever is killed.
set -eu
cd "$(dirname "$0")/.."
source=$PWD
base=${ENRG_SYSTEMS:-$source/build/systems}
suites=() steps=()
while [ $# -gt 0 ] && [ "$1" != -- ]; do suites+=("$1"); shift; done
[ $# -eq 0 ] || shift
steps=("$@")
[ ${#suites[@]} -gt 0 ] || suites=(bookworm trixie)
[ ${#steps[@]} -gt 0 ] || steps=(demo test packages)

fail() {
	echo "systems: $*" >&2
	exit 1
}

[ "$(id -u)" = 0 ] || fail "debootstrap and chroot need root: sudo make systems"
command -v debootstrap >/dev/null || fail "debootstrap is missing: apt-get install debootstrap"
# shellcheck disable=SC2016
mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 'Label: Debian' | head -n 1)
[ -n "$mirror" ] || fail "no source of Debian packages is configured on this machine"
mkdir -p "$base"

# A folder with nothing but the base system, made once; FOLDER is a copy of it.
fresh() { # SUITE FOLDER
	local empty=$base/$1.empty
	if [ ! -d "$empty" ]; then
		rm -rf "$empty.new"
		debootstrap --variant=minbase "$1" "$empty.new" "$mirror" >"$base/$1.debootstrap.log" 2>&1 ||
			fail "debootstrap of $1 failed: $base/$1.debootstrap.log"
		mv "$empty.new" "$empty"
	fi
	rm -rf "$2"
	cp -a "$empty" "$2"
	if [ -f "/etc/ssl/certs/ca-certificates.crt" ]; then # a registry may be reached by a certificate of this machine
		cp /etc/ssl/certs/ca-certificates.crt "$2/etc/machine.crt"
	fi
}

# The command in the folder, as on a machine: with /proc, /sys, /dev, terminals, and a /dev/shm of its own.
inside() { # FOLDER COMMAND…
	local root=$1
	shift
	cp /etc/resolv.conf "$root/etc/resolv.conf"
	# shellcheck disable=SC2016
	unshare --mount --pid --fork --kill-child bash -c '
		set -eu
		root=$1; shift
		mount --bind "$root" "$root" # a mount of its own: what unshares mounts inside needs one as its root
		mount -t proc proc "$root/proc"
		mount --rbind -o ro /sys "$root/sys"
		mount --bind /dev "$root/dev"
		mount -t devpts -o newinstance,ptmxmode=0666 devpts "$root/dev/pts"
		mount --bind "$root/dev/pts/ptmx" "$root/dev/ptmx"
		mount -t tmpfs -o size=4G tmpfs "$root/dev/shm"
		certificates=
		[ ! -f "$root/etc/machine.crt" ] || certificates="SSL_CERT_FILE=/etc/machine.crt NODE_EXTRA_CA_CERTS=/etc/machine.crt
			npm_config_cafile=/etc/machine.crt PIP_CERT=/etc/machine.crt"
		exec env -i HOME=/root TERM=dumb LANG=C.UTF-8 PATH=/usr/sbin:/usr/bin:/sbin:/bin \
			DEBIAN_FRONTEND=noninteractive ${http_proxy:+http_proxy=$http_proxy} $certificates chroot "$root" "$@"
	' bash "$root" "$@"
}

step() { # SUITE NAME COMMAND…
	local log=$base/$1.$2.log begin=$SECONDS rc
	printf '%-10s %-10s ' "$1" "$2"
	set +e # behind `if` the steps would go on after a failure
	(
		set -e
		"${@:3}"
	) >"$log" 2>&1
	rc=$?
	set -e
	if [ $rc = 0 ]; then
		echo "passed in $((SECONDS - begin)) s"
	else
		echo "FAILED after $((SECONDS - begin)) s: $log"
		tail -n 20 "$log"
		exit 1
	fi
}

# A folder in which ENRGDAQ is built: made once, the tree as it is now.
prepare() { # SUITE
	local root=$base/$1
	if [ ! -d "$root/root" ]; then
		fresh "$1" "$root"
		inside "$root" sh -c 'apt-get update -q && apt-get install -y -q --no-install-recommends make git ca-certificates'
	fi
	mkdir -p "$root/root/enrgdaq"
	find "$root/root/enrgdaq" -mindepth 1 -maxdepth 1 ! -name build -exec rm -rf {} +
	git ls-files -co --exclude-standard -z | tar --null --ignore-failed-read -T - -c | tar -x -C "$root/root/enrgdaq"
	cp -r "$(git rev-parse --git-common-dir)" "$root/root/enrgdaq/.git"
}

in_tree() { # SUITE COMMAND
	inside "$base/$1" sh -c "git config --global --add safe.directory /root/enrgdaq; cd /root/enrgdaq && $2"
}

# What `make deb` made, in a folder where nothing else is.
use_packages() { # SUITE
	local root=$base/$1.user
	in_tree "$1" "make deb"
	fresh "$1" "$root"
	cp "$base/$1/root/enrgdaq/build/deb/"*.deb scripts/try-packages.sh "$root/root/"
	inside "$root" sh /root/try-packages.sh
	rm -rf "$root"
}

for suite in "${suites[@]}"; do
	step "$suite" prepare prepare "$suite"
	for name in "${steps[@]}"; do
		case $name in
		demo | test) step "$suite" "$name" in_tree "$suite" "make $name" ;;
		packages) step "$suite" packages use_packages "$suite" ;;
		*) fail "unknown step $name" ;;
		esac
	done
done
