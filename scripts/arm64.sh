#!/bin/bash
# Builds everything for 64-bit ARM, without a warning, and runs the unit tests of the layers that carry data under qemu-user. Libraries
# for ARM come from where this machine gets its Debian packages, into a folder of their own: nothing foreign is installed.
# What it can't show: qemu on x86 gives the memory order of x86. docs/stream-format.md, "Memory order", says what every
# fence is for on ARM.
set -eu
cd "$(dirname "$0")/.."
scripts/install-packages.sh arm64
base=$PWD/build/arm64-root
export ENRG_ARM64_ROOT=$base/root

fail() {
	echo "arm64: $*" >&2
	exit 1
}

if [ ! -f "$base/made" ]; then
	rm -rf "$base"
	mkdir -p "$base/state/lists/partial" "$base/cache/archives/partial" "$ENRG_ARM64_ROOT"
	touch "$base/status"
	apt=(-o APT::Architecture=arm64 -o APT::Architectures=arm64 -o "Dir::State=$base/state" -o "Dir::State::status=$base/status"
		-o "Dir::Cache=$base/cache" -o "APT::Sandbox::User=$(id -un)" -q)
	libraries=$(scripts/install-packages.sh --list build | tr ' ' '\n' | grep -E '^lib|-dev$')
	wanted=libc6-dev
	apt-get "${apt[@]}" update >"$base/log" 2>&1 || fail "no list of packages for arm64: $base/log"
	for library in $libraries zlib1g-dev; do
		for name in ${library//|/ }; do
			if apt-cache "${apt[@]}" show "$name" >/dev/null 2>&1; then wanted="$wanted $name"; break; fi
		done
	done
	wanted="$wanted libstdc++-$(aarch64-linux-gnu-g++ -dumpversion | cut -d. -f1)-dev"
	# shellcheck disable=SC2086
	apt-get "${apt[@]}" install -y --no-install-recommends --download-only $wanted >>"$base/log" 2>&1 || fail "packages for arm64: $base/log"
	for package in "$base"/cache/archives/*.deb; do dpkg-deb -x "$package" "$ENRG_ARM64_ROOT"; done
	rm -rf "$base/cache" "$base/state"
	touch "$base/made"
fi
cmake -G Ninja -S . -B build/arm64 -DCMAKE_TOOLCHAIN_FILE="$PWD/cmake/arm64.cmake" -DCMAKE_BUILD_TYPE=RelWithDebInfo -DENRG_WERROR=ON >/dev/null
cmake --build build/arm64 -j "$(nproc)"
exec ctest --test-dir build/arm64 -R '^(base|plane|arrow|handover|config|numpy|caen)\.' -j "$(nproc)" --output-on-failure
