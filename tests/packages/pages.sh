#!/bin/bash
# Every command has a manual page and its options in the completion of bash; every type stands in enrgdaq.toml(5).
set -u
bin=${ENRGDAQ_BIN:?the program to test}
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

fail() {
	echo "FAILED: $*" >&2
	exit 1
}

"$here/../../scripts/make-pages.sh" "$work" "$bin" || fail "make-pages.sh"
commands=$("$bin" --help | sed -n '/^commands:/,/^$/s/^  \([a-z-]*\) .*/\1/p')
[ "$(echo "$commands" | wc -w)" -ge 12 ] || fail "few commands: $commands"
for name in $commands; do
	# a page writes "-" as "\-"
	[ "$name" = help ] || grep -qF "usage: enrgdaq ${name//-/\\-}" "$work/man/enrgdaq-$name.1" || fail "no page of $name"
	grep -q "a $name -d" "$work/fish/enrgdaq.fish" || fail "fish does not know $name"
done
for type in $("$bin" jobs | sed -n 's/^  \(DAQJob[A-Za-z0-9]*\).*/\1/p') SUPERVISOR.TOML; do
	grep -q "^\.SH $type\$" "$work/man/enrgdaq.toml.5" || fail "enrgdaq.toml(5) lacks $type"
done
grep -q 'ring_buffer_size_mb' "$work/man/enrgdaq.toml.5" || fail "enrgdaq.toml(5) lacks a key"
# no line of text may be taken for a request: those that begin with a dot are ours
grep -h '^\.' "$work"/man/* | grep -v -E '^\.(TH|SH|nf|fi|BR)( |$)' && fail "text became a request"

# shellcheck disable=SC1091
. "$work/bash/enrgdaq" || fail "bash does not read its completion"
complete_words() { # WORD...: what the last one may become
	COMP_WORDS=(enrgdaq "$@") COMP_CWORD=$#
	COMPREPLY=()
	_enrgdaq
	echo "${COMPREPLY[*]}"
}
[ "$(complete_words ver)" = verify ] || fail "ver<TAB> gives $(complete_words ver)"
[ "$(complete_words run --dur)" = --duration ] || fail "run --dur<TAB> gives $(complete_words run --dur)"
[ "$(complete_words token li)" = list ] || fail "token li<TAB> gives $(complete_words token li)"
[ "$(complete_words bench sui)" = suite ] || fail "bench sui<TAB> gives $(complete_words bench sui)"
# shellcheck disable=SC2317
enrgdaq() { "$bin" "$@"; }
[ "$(complete_words describe DAQJobStoreC)" = DAQJobStoreCSV ] || fail "types are not completed"
exit 0
