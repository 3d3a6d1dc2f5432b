#!/bin/sh
# format.sh: writes every C and C++ file as .clang-format has it. format.sh --check [FILE…]: refuses those that differ, by
# name. One version of the formatter, as versions do not agree: Debian 12's. Elsewhere the check says so and passes.
set -eu
version=14
here=$(cd "$(dirname "$0")/.." && pwd)

formatter=
for name in clang-format-$version clang-format; do
	if "$name" --version 2>/dev/null | grep -q "version $version\."; then
		formatter=$name
		break
	fi
done
if [ -z "$formatter" ]; then
	echo "format.sh: no clang-format $version here (Debian 12: clang-format-$version): nothing was formatted or checked" >&2
	# where CI runs, a check that is left out is a fault
	! grep -qs '^VERSION_ID="12"' /etc/os-release
	exit
fi

if [ "${1-}" != --check ]; then
	cd "$here"
	git ls-files -z '*.c' '*.h' '*.cpp' | xargs -0 -n 16 -P "$(nproc)" "$formatter" -i
	exit
fi
shift
if [ $# -eq 0 ]; then
	cd "$here"
	# shellcheck disable=SC2046 # names of our own, without spaces
	set -- $(git ls-files '*.c' '*.h' '*.cpp')
fi
differ=$(printf '%s\0' "$@" | xargs -0 -n 16 -P "$(nproc)" "$formatter" --dry-run 2>&1 |
	sed -n 's/^\(.*\):[0-9]*:[0-9]*: warning: code should be clang-formatted.*/\1/p' | sort -u)
[ -z "$differ" ] && exit
echo "not as .clang-format has them (scripts/format.sh writes them so):" >&2
echo "$differ" >&2
exit 1
