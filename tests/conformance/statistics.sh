#!/bin/bash
# Compares the table of docs/statistics.md with what `enrgdaq describe statistics --markdown` says, and the names of the
# metrics with the rules of Prometheus: prefix, base units, counters that end in _total and nothing else that does.
set -u
bin=${ENRGDAQ_BIN:?the program to test}
page=$(cd "$(dirname "$0")/../.." && pwd)/docs/statistics.md
failed=0
list=$("$bin" describe statistics --markdown) || exit 1
diff <(grep '^|' "$page") - <<<"$list" || {
	echo "FAILED: $page has another table than \`enrgdaq describe statistics --markdown\`" >&2
	failed=1
}
[ "$(grep -c '^| `' <<<"$list")" -gt 40 ] || {
	echo "FAILED: hardly any statistics" >&2
	failed=1
}
while IFS='|' read -r _ name _ kind _ _ metric _; do
	metric=${metric//[ \`]/} kind=${kind// /} # without its label, a counter ends so
	case $kind:${metric%%\{*} in
	*:–) ;;
	*_ms | *_ms_total | *_mb | *_percent | *_ratio_total) echo "FAILED:$name: $metric is not in base units" >&2 && failed=1 ;;
	counter:enrgdaq_*_total) ;;
	gauge:*_total) echo "FAILED:$name: $metric is no counter" >&2 && failed=1 ;;
	gauge:enrgdaq_*) ;;
	*) echo "FAILED:$name: $metric ($kind)" >&2 && failed=1 ;;
	esac
done < <(grep '^| `' <<<"$list")
names=$(sed -n 's/^| `\([a-z0-9_]*\)`.*/\1/p' <<<"$list")
[ -z "$(sort <<<"$names" | uniq -d)" ] || {
	echo "FAILED: twice: $(sort <<<"$names" | uniq -d)" >&2
	failed=1
}
exit $failed
