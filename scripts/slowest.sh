#!/bin/sh
# slowest.sh FOLDER…: of the last runs of CTest in these build folders: the ten entries that took longest, and the sum.
set -eu
all=$(mktemp)
trap 'rm -f "$all"' EXIT

for folder in "$@"; do
	log=$folder/Testing/Temporary/LastTest.log
	[ -f "$log" ] || continue
	# "3/264 Test: NAME" comes before its "Test time = 1.02 sec"
	awk -v build="$(basename "$folder")" '
		/^[0-9]+\/[0-9]+ Test: / { name = $3 }
		/^Test time = +/ { print $4, "s", build, name }' "$log" >>"$all"
done
sort -rn "$all" | head -n 10
awk '{ sum += $1 } END { printf "%d entries, %.0f s one after the other\n", NR, sum }' "$all"
