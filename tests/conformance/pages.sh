#!/bin/bash
# Compares the keys in the pages of the stores with what `enrgdaq describe` says: each key of a page that has its tables
# in the section "Keys" stands in that page, or in docs/stores.md where all stores share it, word by word.
set -u
bin=${ENRGDAQ_BIN:?the program to test}
root=$(cd "$(dirname "$0")/../.." && pwd)
lines=$(mktemp)
trap 'rm -f "$lines"' EXIT
failed=0
count=0
for page in "$root"/plugins/stores/*/README.md; do
	grep -q '^## Keys' "$page" && grep -qxF '| key | type | default | unit | meaning |' "$page" || continue
	type=$(sed -n '1s/^# //p' "$page")
	if ! "$bin" describe "$type" --markdown >"$lines" 2>/dev/null; then
		echo "$type: not in this build"
		continue
	fi
	while IFS= read -r line; do
		case $line in '| `'*) ;; *) continue ;; esac
		count=$((count + 1))
		grep -qxF -- "$line" "$page" "$root/docs/stores.md" && continue
		echo "FAILED: ${page#"$root"/} does not say: $line" >&2
		failed=1
	done <"$lines"
	# and nothing that is not there any more
	while IFS= read -r line; do
		grep -qxF -- "$line" "$lines" && continue
		echo "FAILED: ${page#"$root"/} says what is not true: $line" >&2
		failed=1
	done < <(sed -n '/^## Keys/,/^## [^K]/p' "$page" | grep '^| `')
done
[ "$count" -gt 20 ] || { echo "FAILED: $count keys were compared" >&2; failed=1; }
exit $failed
