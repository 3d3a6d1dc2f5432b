#!/bin/bash
# Compares the keys in the pages of the stores with what `enrgdaq describe` says: each key of a page that has its tables
# in the section "Keys" stands in that page, or in docs/stores.md where all stores share it, word by word.
set -u
bin=${ENRGDAQ_BIN:?the program to test}
root=$(cd "$(dirname "$0")/../.." && pwd)
lines=$(mktemp)
folder=$(mktemp -d)
trap 'rm -rf "$lines" "$folder"' EXIT
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

# The example of each type passes `enrgdaq check`, as it is: beside a job "example", which inputs name.
types=0
for type in $("$bin" jobs | grep -oE '^ *DAQJob[A-Za-z0-9]+'); do
	types=$((types + 1))
	rm -rf "$folder"
	mkdir "$folder"
	printf '[info]\nsupervisor_id = "example"\n' >"$folder/supervisor.toml"
	"$bin" describe DAQJobTest --example | sed 's/^rand_max = .*/rand_max = 6/' >"$folder/example.toml"
	# of three ways to copy away one has to be chosen, and an example can't choose
	choose=''
	[ "$type" = DAQJobArchive ] && choose='s:^#target = .*:target = "/media/copies":'
	"$bin" describe "$type" --example | sed "$choose" >"$folder/it.toml"
	"$bin" check "$folder" >"$lines" 2>&1 && continue
	echo "FAILED: the example of $type: $(head -n 1 "$lines")" >&2
	failed=1
done
[ "$types" -gt 15 ] || { echo "FAILED: $types examples were checked" >&2; failed=1; }
[ "$count" -gt 20 ] || { echo "FAILED: $count keys were compared" >&2; failed=1; }
exit $failed
