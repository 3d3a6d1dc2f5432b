#!/bin/bash
# Every C file through each release of clang that this machine has or its registry serves, warnings as errors, no code made
# (minutes). gcc of this machine and clang 14 build everything in `make test`; gcc 14 does in `make systems`.
# usage: compilers.sh [clang-N…]
set -u
cd "$(dirname "$0")/.." || exit 1
scripts/install-packages.sh build || exit 1
as_root=
[ "$(id -u)" = 0 ] || as_root=sudo
names=("$@")
if [ ${#names[@]} -eq 0 ]; then
	for release in 14 15 16 17 18 19 20 21; do
		if ! command -v clang-$release >/dev/null && apt-cache policy clang-$release 2>/dev/null | grep -q 'Candidate: [0-9]'; then
			DEBIAN_FRONTEND=noninteractive $as_root apt-get install -y -q --no-install-recommends clang-$release >/dev/null 2>&1
		fi
		command -v clang-$release >/dev/null && names+=("clang-$release")
	done
fi
failed=0
for name in "${names[@]}"; do
	build=build/syntax-$name
	# shellcheck disable=SC2016
	if ! cmake -G Ninja -S . -B "$build" -DENRG_WERROR=ON -DCMAKE_BUILD_TYPE=RelWithDebInfo -DCMAKE_C_COMPILER="$name" \
		-DCMAKE_CXX_COMPILER="${name/clang/clang++}" >"$build.log" 2>&1; then
		echo "$name: CMake failed: $build.log"
		failed=1
		continue
	fi
	begin=$SECONDS
	# a line a file: the folder, a tab, the command without what it would write
	python3 - "$build" <<'PYTHON' | xargs -d '\n' -n 1 -P "$(nproc)" bash -c 'cd "${0%%	*}" && eval "${0#*	}" || exit 1' || failed=1
import json, re, sys
for entry in json.load(open(sys.argv[1] + "/compile_commands.json")):
    if entry["file"].endswith(".c"):
        print(entry["directory"] + "\t" + re.sub(r" -o \S+", "", entry["command"]).replace(" -c ", " -fsyntax-only "))
PYTHON
	echo "$name: $((SECONDS - begin)) s"
done
[ $failed = 0 ] || echo "compilers: warnings (above)"
exit $failed
