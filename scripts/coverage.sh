#!/bin/sh
# Which lines of src/ and plugins/ the tests run: builds with the preset `coverage`, runs every test that is not about
# kills, and prints a line a room and the total. coverage.sh --summary: of the tests that ran there last.
# Processes that are killed write no counts, so that what is printed is the least.
set -eu
cd "$(dirname "$0")/.."
jobs=${JOBS:-$(nproc)}
build=build/coverage

if [ "${1-}" != --summary ]; then
	cmake --preset coverage >/dev/null
	cmake --build --preset coverage -j "$jobs"
	find $build -name '*.gcda' -delete
	ctest --preset coverage -j $((2 * jobs)) ${TESTS:+-R "$TESTS"} || echo "coverage.sh: some tests failed; what they ran is counted" >&2
fi
gcovr --root . --filter 'src/' --filter 'plugins/' --exclude '.*_test\.c' --exclude '.*fixture.*' --exclude-unreachable-branches \
	--gcov-ignore-parse-errors -j "$jobs" --csv $build/lines.csv $build
# filename,line_total,line_covered,…
awk -F, '
	NR > 1 {
		count = split($1, part, "/")
		room = part[1] "/" part[2] (part[1] == "plugins" && count > 3 ? "/" part[3] : "")
		lines[room] += $2; ran[room] += $3; all += $2; all_ran += $3
	}
	END {
		for (room in lines)
			printf "%-28s %6d of %6d lines  %5.1f %%\n", room, ran[room], lines[room], 100 * ran[room] / lines[room] | "sort"
		close("sort")
		printf "%-28s %6d of %6d lines  %5.1f %%\n", "total", all_ran, all, all ? 100 * all_ran / all : 0
	}' $build/lines.csv
