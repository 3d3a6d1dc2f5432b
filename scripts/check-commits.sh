#!/bin/sh
# check-commits.sh RANGE: the messages of these commits have a subject `area: what it does` and no line over 76 columns
# (`git log` indents by four; a terminal has 80). A line without a space, such as an address, may be longer. A merge is left out.
set -eu
failed=0
for commit in $(git rev-list --no-merges "$1"); do
	git log -1 --format=%B "$commit" | awk -v commit="$(git log -1 --format=%h "$commit")" '
		NR == 1 && !/^[a-z0-9][a-z0-9_.,\/ -]*: [^ ]/ { print commit ": no `area: ` at the begin: " $0; failed = 1 }
		NR == 2 && length($0) { print commit ": no empty line after the subject"; failed = 1 }
		length($0) > 76 && / / { print commit ": a line of " length($0) " columns: " $0; failed = 1 }
		END { exit failed }' || failed=1
done
exit $failed
